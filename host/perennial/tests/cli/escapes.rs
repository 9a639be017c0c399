//! Escape sequences, line ends, NUL and marks that turn the direction of writing, in whatever others have written: they reach
//! programs as they are, and no terminal.

use std::collections::BTreeMap;

use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::preconditions::Preconditions;
use perennial_store::Store;
use serde_json::Value;
use serde_json::json;

use crate::support::Folder;
use crate::support::Ran;

/// Text of a tag or an attribute: it clears the screen, forges a line, and writes backwards.
const TEXT: &str = "a\u{1b}[2J\u{0}\r\nforged\u{202e}\u{9b}31m\u{2067}\u{7f}b";
/// An id, in which control characters are refused.
const ID: &str = "id-x";

/// What of a text would steer a terminal; the ends of its own lines do not count.
fn steering(text: &str) -> Vec<char> {
    let turns = |sign: char| matches!(sign, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|sign| (sign.is_control() && *sign != '\n') || turns(*sign)).collect()
}

fn assert_tame(words: &[&str], ran: &Ran) {
    for text in [ran.stdout(), ran.stderr()] {
        assert_eq!(steering(&text), [] as [char; 0], "{words:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{words:?}: {text}");
    }
}

fn inventory() -> Value {
    let resource = |id: &str| {
        json!({
            "id": id, "account": ID, "kind": "ecs", "region": TEXT, "charging": "prepaid", "on_expiry": "renew",
            "started_at": "2998-12-31T02:00:00Z", "expires_at": "2999-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00",
            "tags": { (TEXT): TEXT }, "attributes": { (TEXT): TEXT },
        })
    };
    let account = json!({ "id": ID, "provider": "huawei", "currency": "CNY", "balance": "150.00", "approval_above": "50.00" });
    json!({ "accounts": [account], "resources": [resource(ID), resource("plain")] })
}

/// A folder with such an inventory, and a database of it in which a plan waits for an approval.
fn folder() -> Folder {
    let folder = Folder::new();
    let text = inventory().to_string();
    folder.write("inventory.json", &text);
    let steps = json!([
        { "at": "2999-01-02T00:00:00Z", "do": "set_attribute", "resource": ID, "name": TEXT, "value": TEXT },
        { "at": "2999-01-03T00:00:00Z", "do": "command", "resource": ID, "command": { "renew": {} } },
    ]);
    folder.write("scenario.json", &steps.to_string());
    let rule =
        r#"fn rule(plan) { note("a\x1b[2J\r\nforged\u202e"); require_approval("b\x1b[2J\r\nforged\u202e") }"#;
    folder.write("loud.rhai", rule);
    folder.write("policies.toml", "[[policy]]\nname = \"loud\"\nscript = \"loud.rhai\"\n");
    let providers = folder.providers();
    let inventory = folder.read_inventory(&text, &providers);
    let at = "2999-01-01T00:00:00Z".parse().unwrap();
    let store = Store::scratch(&folder.path("perennial.db")).unwrap();
    let mut engine = Engine::new(store, providers, Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(at, &inventory.accounts, bundles).unwrap();
    engine.run_to(at, &mut |_, _| {}).unwrap();
    engine.set_attribute(at, ID, TEXT, TEXT).unwrap();
    let renew = Command::Renew(Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() });
    let terms = Preconditions { requested_by: Some(ID), ..Preconditions::default() };
    engine.command_with_preconditions(at, None, ID, &renew, &terms).unwrap();
    folder
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    let folder = folder();
    folder.run(&["token", "create", "--name", ID, "--role", "viewer"]).succeeded();
    let simulate = ["simulate", "--inventory", "inventory.json", "--scenario", "scenario.json"];
    let window = ["--from", "2999-01-01", "--until", "2999-02-10"];
    let simulate = [&simulate[..], &window].concat();
    let policies = [&simulate[..], &["--policies", "policies.toml"]].concat();
    let approve = format!("{ID}~1");
    let commands: [&[&str]; 12] = [
        &["resources"],
        &["resources", "--width", "40"],
        &["events"],
        &["approvals", "list"],
        &["approvals", "reject", &approve, "--yes", "--reason", "no\u{1b}[2J\nforged"],
        &["token", "list"],
        &["explain", ID],
        &["replay", "--all"],
        &["db", "check"],
        &["import", "inventory.json", "--dry-run", "--update"],
        &simulate,
        &policies,
    ];
    for words in commands {
        assert_tame(words, &folder.run(words));
    }
    // It is there as it was for programs.
    let events = folder.run(&["events", "--format", "jsonl"]).succeeded().stdout();
    let set = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(
        set.into_iter().any(|event| event["resource"] == ID && event.to_string().contains("forged")),
        "{events}"
    );
}

#[test]
fn what_is_refused_is_repeated_without_what_would_steer() {
    let folder = folder();
    let wrong =
        json!({ (TEXT): 1, "accounts": [{ "id": TEXT, "provider": TEXT, (ID): 1 }], "resources": [] });
    folder.write("wrong.json", &wrong.to_string());
    folder.write("wrong.toml", "[[policy]]\nname = \"a\\u001b[2J\\u202e\"\nscript = \"none\\u202e.rhai\"\n");
    let argument = TEXT.replace('\0', "");
    let commands: [&[&str]; 6] = [
        &["import", "wrong.json"],
        &["resources", "--account", &argument],
        &["explain", &argument],
        &["approvals", "approve", &argument],
        &["policy", "check", "wrong.toml"],
        &["policy", "show", &argument],
    ];
    for words in commands {
        let ran = folder.run(words);
        assert_ne!(ran.code(), 0, "{words:?}");
        assert!(!ran.stderr().is_empty(), "{words:?}");
        assert_eq!(steering(&ran.stderr()), [] as [char; 0], "{words:?}: {:?}", ran.stderr());
    }
}
