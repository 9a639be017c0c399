//! A plugin that fails in a simulation: said once, at the end, with its own words, and exit code 1.

use expect_test::expect;
use perennial_tests::guests;
use serde_json::json;

use crate::support::Folder;
use crate::support::Ran;

/// A folder with the hostile guest and an inventory of its provider: the attribute `does` says how it fails about each
/// resource.
fn folder(does: &[&str]) -> Folder {
    let resource = |(number, does): (usize, &&str)| {
        json!({
            "id": format!("thing-{number}"), "account": "acme", "kind": "thing", "region": "r", "charging": "prepaid",
            "started_at": "2025-12-01T00:00:00Z", "expires_at": "2026-01-31T00:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "1.00", "attributes": { "does": does },
        })
    };
    let resources = does.iter().enumerate().map(resource).collect::<Vec<_>>();
    let account = json!({ "id": "acme", "provider": "hostile", "currency": "CNY", "balance": "1.00" });
    let folder = Folder::new();
    folder.write("inventory.json", &json!({ "accounts": [account], "resources": resources }).to_string());
    std::fs::write(folder.path("hostile.wasm"), guests::HOSTILE).unwrap();
    folder
}

fn simulate(folder: &Folder, more: &[&str]) -> Ran {
    let words = ["--plugin", "hostile.wasm", "simulate", "--inventory", "inventory.json"];
    folder.run(&[&words[..], &["--from", "2026-01-10", "--until", "2026-01-11"], more].concat())
}

#[test]
fn a_plugin_that_fails_in_a_simulation_is_said_at_the_end() {
    let folder = folder(&["trap", "", "trap", "past"]);
    let ran = simulate(&folder, &[]);
    assert_eq!(ran.code(), 1);
    expect![[r#"
        acme  Hostile, CNY
          opening 1.00   topped up 0.00   paid 0.00   refunded 0.00   closing 1.00
          4 resources: 4 active
          0 renewals, 0 declines, 0 refused commands

          resource  kind   stage   expires               renewals  paid  declines  problem
          thing-0   thing  active  2026-01-31 00:00 UTC         -     -         -  plugin failed
          thing-1   thing  active  2026-01-31 00:00 UTC         -     -         -
          thing-2   thing  active  2026-01-31 00:00 UTC         -     -         -  plugin failed
          thing-3   thing  active  2026-01-31 00:00 UTC         -     -         -  plugin failed
    "#]]
    .assert_eq(&ran.stdout());
    expect![[r#"
        error: plugins gave no usable answer about 3 bundles, which kept their state meanwhile:
          1 bundle, such as `thing-3` of `acme`, first at 2026-01-09 23:59 UTC: plugin `hostile` answered `timeline` with nonsense: the timeline of `thing-3` names 2026-01-09T23:58:59Z, which is not after 2026-01-09T23:58:59Z; tell its author
          2 bundles, such as `thing-0` of `acme`, first at 2026-01-09 23:59 UTC: plugin `hostile` crashed in `timeline`: panicked at tests/guests/hostile/src/lib.rs:294:19: as asked (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        with RUST_LOG=info, the log has what they were asked, for their authors
    "#]].assert_eq(&ran.stderr());
    for format in ["json", "csv", "jsonl", "html"] {
        let other = simulate(&folder, &["--format", format, "--out", "out"]);
        assert_eq!((other.code(), other.stderr()), (1, ran.stderr()), "{format}");
        assert!(!std::fs::read(folder.path("out")).unwrap().is_empty(), "{format}: what happened is written");
    }
}

#[test]
fn a_plugin_that_fails_over_what_a_scenario_does_is_said_at_the_end() {
    let folder = folder(&["no-time"]);
    let renew = json!({ "renew": { "term": null } });
    let entry =
        json!({ "at": "2026-01-10T01:00:00Z", "do": "command", "resource": "thing-0", "command": renew });
    folder.write("scenario.json", &json!([entry]).to_string());
    let ran = simulate(&folder, &["--scenario", "scenario.json"]);
    assert_eq!(ran.code(), 1, "{}", ran.stdout());
    expect![[r#"
        error: plugins gave no usable answer about 1 bundle, which kept their state meanwhile:
          1 bundle, such as `thing-0` of `acme`, first at 2026-01-10 01:00 UTC: plugin `hostile` answered `make-plans` with nonsense: the instant 1101279634576 lies outside the years 1 to 9999; tell its author
        with RUST_LOG=info, the log has what they were asked, for their authors
    "#]].assert_eq(&ran.stderr());
}

#[test]
fn the_log_has_what_a_failing_plugin_was_asked() {
    let folder = folder(&["trap"]);
    let mut program = folder.program();
    let words = ["--plugin", "hostile.wasm", "simulate", "--inventory", "inventory.json"];
    program.args(words).args(["--from", "2026-01-10", "--until", "2026-01-10"]).env("RUST_LOG", "info");
    let ended = program.output().unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    let question = log.lines().find(|line| line.contains("question=")).unwrap_or_else(|| panic!("{log}"));
    for part in [
        "as asked",
        r#"\"account\":\"acme\""#,
        r#"\"id\":\"thing-0\""#,
        r#"\"does\":\"trap\""#,
        r#"\"after\":"#,
    ] {
        assert!(question.contains(part), "{part} is not in {question}");
    }
}

#[test]
fn a_simulation_in_which_no_plugin_fails_ends_well() {
    let ran = simulate(&folder(&["", ""]), &[]).succeeded();
    assert_eq!(ran.stderr(), "");
}
