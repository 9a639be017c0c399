//! Every form of every page, with what no browser should send in each of its fields. Each is answered by a page of the usual
//! weight, and the host goes on.
//!
//! A form or a field that is added later is flooded, too.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::browser::Browser;
use crate::browser::hidden;
use crate::harness::ApiResponse;
use crate::pages::PAGES;
use crate::pages::WEIGHT_MAX;
use crate::pages::address;
use crate::pages::lived_in;

/// Forms that end the session of who sends them.
const LAST: [&str; 2] = ["/sign-out", "/revoke"];

/// The value of an attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// Where the forms of a page lead, with their fields as the page has them, without what proves that it is the page's.
fn forms(page: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut forms = BTreeMap::new();
    for form in page.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let head = form.split('>').next().unwrap();
        let Some(action) = attribute(head, "action").filter(|_| head.contains("method=\"post\"")) else {
            continue;
        };
        let tags = form.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        let field = |tag: &str| {
            let value = attribute(tag, "value").unwrap_or_default().to_owned();
            attribute(tag, "name").filter(|name| *name != "proof").map(|name| (name.to_owned(), value))
        };
        forms.insert(action.replace("&amp;", "&"), tags.filter_map(field).collect());
    }
    forms
}

fn is_well(answer: &ApiResponse) -> bool {
    answer.status.as_u16() < 500 && answer.body.len() < WEIGHT_MAX
}

#[test]
fn every_form_and_field_of_the_console_stands_what_is_too_much() {
    let server = lived_in();
    let mut browser = Browser::signed_in(&server, "admin");
    let values = [
        "x".repeat(70_000),
        "9".repeat(400),
        "-1".to_owned(),
        "\u{0}\r\n\u{202e}".to_owned(),
        "[".repeat(5_000),
    ];
    let (mut seen, mut sent, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    for page in PAGES.iter().filter(|page| !page.ends_with("/none")) {
        let page = browser.page(&address(&server, page));
        for (action, fields) in forms(&page) {
            if LAST.iter().any(|last| action.ends_with(last)) || !seen.insert(action.clone()) {
                continue;
            }
            // Who signs in proves nothing yet.
            let proof = if action == "/sign-in" { String::new() } else { hidden(&page, "proof") };
            for place in 0..fields.len() {
                for value in &values {
                    let mut pairs = fields
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str()))
                        .collect::<Vec<_>>();
                    pairs[place].1 = value;
                    pairs.push(("proof", &proof));
                    let answer = browser.send(&action, &pairs);
                    sent += 1;
                    if !is_well(&answer) {
                        let shown = value.chars().take(9).collect::<String>();
                        let name = &fields[place].0;
                        wrong.push(format!(
                            "{action} {name}={shown}: {}, {} bytes",
                            answer.status,
                            answer.body.len()
                        ));
                    }
                }
            }
            let many = (0..5_000).map(|number| (format!("f{number}"), "v")).collect::<Vec<_>>();
            let many = many.iter().map(|(name, value)| (name.as_str(), *value));
            let answer = browser.send(&action, &many.chain([("proof", &*proof)]).collect::<Vec<_>>());
            let much = browser.send(&action, &[("proof", &proof), ("x", &"x".repeat(1 << 20))]);
            assert!(is_well(&answer) && much.status == 413, "{action}: {} {}", answer.status, much.status);
        }
    }
    assert!(seen.len() > 15 && sent > 200, "only {sent} requests to {seen:?}");
    assert!(wrong.is_empty(), "{} of {sent}: {wrong:#?}", wrong.len());
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "500.00");
    browser.page("/");
}
