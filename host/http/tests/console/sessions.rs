//! Signing in and out, and what no other site and no old form can do.

use crate::browser::Browser;
use crate::browser::hidden;
use crate::browser::location;
use crate::browser::served;
use crate::browser::with_console;
use crate::harness::Server;

fn balance(server: &Server) -> String {
    server.get("admin", "/v1/accounts/acme-hw").json()["balance"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_signs_in_once_and_is_nowhere_afterwards() {
    let server = served();
    let secret = server.secret("operator").to_owned();
    let mut browser = Browser::new(&server);
    let answer = browser.open("/resources?tag=env%3Dprod");
    assert_eq!(
        (answer.status.as_u16(), location(&answer)),
        (303, "/sign-in?next=%2Fresources%3Ftag%3Denv%253Dprod")
    );
    let page = browser.page(location(&answer));
    let answer = browser
        .send("/sign-in", &[("token", &secret), ("next", &hidden(&page, "next").replace("&amp;", "&"))]);
    assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/resources?tag=env%3Dprod"));
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let (_, random) = secret.rsplit_once('_').unwrap();
    assert!(!cookie.contains(random));
    assert!(!browser.page("/").contains(random));
}

#[test]
fn a_session_over_tls_is_sent_over_tls_only() {
    let server = served();
    let mut browser = Browser::new(&server).saying("origin", "https://console.test");
    let answer = browser.send("/sign-in", &[("token", server.secret("viewer"))]);
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("; Secure"));
}

#[test]
fn a_wrong_token_signs_nobody_in_and_is_in_the_audit_log() {
    let server = served();
    let mut browser = Browser::new(&server);
    for token in ["", "pn_000000000000_00", "<b>"] {
        let answer = browser.send("/sign-in", &[("token", token), ("next", "//evil.example")]);
        assert_eq!(answer.status.as_u16(), 401);
        assert!(!answer.body.contains("<b>"));
    }
    assert_eq!(browser.open("/").status.as_u16(), 303);
    let audit = server.get("admin", "/v1/audit").json();
    assert_eq!(audit["items"][0]["operation"], "POST /sign-in", "{audit}");
}

#[test]
fn signing_in_leads_nobody_elsewhere() {
    let server = served();
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let answer =
            Browser::new(&server).send("/sign-in", &[("token", server.secret("viewer")), ("next", next)]);
        assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/"), "{next}");
    }
}

#[test]
fn a_session_ends_with_its_token() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    browser.page("/");
    let tokens = server.get("admin", "/v1/tokens").json();
    let token = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "operator").unwrap();
    let path = format!("/v1/tokens/{}:revoke", token["id"].as_str().unwrap());
    assert_eq!(server.post("admin", &path, "{}").status.as_u16(), 200);
    let answer = browser.open("/accounts");
    assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/sign-in?next=%2Faccounts"));
    let answer = browser.send("/accounts/acme-hw/top-up", &[("amount", "1.00")]);
    assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/sign-in"));
    assert_eq!(balance(&server), "500.00");
}

#[test]
fn signing_out_ends_the_session_wherever_its_cookie_is() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let mut copy = browser.clone();
    let mut other = Browser::signed_in(&server, "operator");
    assert_eq!(browser.submit("/", "/sign-out", &[]).status.as_u16(), 303);
    assert_eq!(browser.open("/").status.as_u16(), 303);
    assert_eq!(copy.open("/").status.as_u16(), 303, "a copy of its cookie is another browser");
    assert_eq!(other.open("/").status.as_u16(), 200, "another session of the same token goes on");
}

#[test]
fn a_session_that_was_signed_out_stays_so_after_a_restart() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let copy = browser.cookies();
    let other = Browser::signed_in(&server, "operator").cookies();
    assert_eq!(browser.submit("/", "/sign-out", &[]).status.as_u16(), 303);
    let server = with_console(server.restarted());
    let status = |cookies| Browser::with_cookies(&server, cookies).open("/").status.as_u16();
    assert_eq!(status(copy), 303, "the key that opens it is the same");
    assert_eq!(status(other), 200, "what nobody signed out of goes on");
}

#[test]
fn a_form_without_its_proof_does_nothing() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "admin");
    let other = hidden(&Browser::signed_in(&server, "admin").page("/"), "proof");
    for proof in ["", "0123", &other] {
        let answer = browser.send("/accounts/acme-hw/top-up", &[("amount", "1.00"), ("proof", proof)]);
        assert_eq!(answer.status.as_u16(), 403, "{proof}");
    }
    assert_eq!(balance(&server), "500.00");
}

#[test]
fn a_form_of_another_site_does_nothing() {
    let server = served();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut browser = Browser::signed_in(&server, "admin").saying(name, value);
        let answer = browser.submit("/", "/accounts/acme-hw/top-up", &[("amount", "1.00")]);
        assert_eq!(answer.status.as_u16(), 403, "{name}: {value}");
        let answer =
            Browser::new(&server).saying(name, value).send("/sign-in", &[("token", server.secret("admin"))]);
        assert_eq!(answer.status.as_u16(), 403, "{name}: {value}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    let mut browser = Browser::signed_in(&server, "admin").saying("origin", "http://console.test");
    let answer = browser.submit("/", "/accounts/acme-hw/top-up", &[("amount", "1.00")]);
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.body);
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_form_that_is_sent_twice_is_carried_out_once() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let page = browser.page("/accounts/acme-hw");
    let (proof, once) = (hidden(&page, "proof"), hidden(&page, "once"));
    for _ in 0..2 {
        let fields = [("amount", "25.00"), ("proof", proof.as_str()), ("once", once.as_str())];
        assert_eq!(browser.send("/accounts/acme-hw/top-up", &fields).status.as_u16(), 303);
    }
    assert_eq!(balance(&server), "525.00");
}

#[test]
fn a_form_that_is_too_long_is_refused() {
    let server = served();
    let mut browser = Browser::signed_in(&server, "operator");
    let long = "x".repeat(2 << 20);
    let answer = browser.send("/accounts/acme-hw/top-up", &[("amount", &long)]);
    assert_eq!(answer.status.as_u16(), 413, "{}", answer.body);
}
