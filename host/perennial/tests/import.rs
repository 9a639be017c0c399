//! `perennial import`: what it says before it does anything, tables, newer inventories, and the exit codes of all that.

#[path = "support/mod.rs"]
mod support;

use expect_test::expect;
use perennial_store::ReadTx;
use perennial_store::testing;
use perennial_store::testing::dump;

use crate::support::Folder;
use crate::support::Ran;
#[cfg(target_os = "linux")]
use crate::support::at_a_terminal;

/// Resources that nobody who runs this sees expire, and one that everybody has.
fn inventory(price: &str, expiries: &[(&str, &str)]) -> String {
    let resource = |(id, expires_at): &(&str, &str)| {
        serde_json::json!({
            "id": id, "account": "hw", "kind": "ecs", "charging": "prepaid", "started_at": "2020-01-01T00:00:00Z",
            "expires_at": expires_at, "term": { "count": 1, "unit": "month" }, "price": price,
        })
    };
    let resources = expiries.iter().map(resource).collect::<Vec<_>>();
    let account =
        serde_json::json!({ "id": "hw", "provider": "huawei", "currency": "CNY", "balance": "10.00" });
    serde_json::json!({ "accounts": [account], "resources": resources }).to_string()
}

const FUTURE: (&str, &str) = ("ecs-1", "2098-05-01T00:00:00Z");
const PAST: (&str, &str) = ("ecs-old", "2021-05-01T00:00:00Z");

fn folder(text: &str) -> Folder {
    let folder = Folder::new();
    folder.write("inventory.json", text);
    folder
}

/// Everything that the program wrote.
fn said(ran: &Ran, code: i32) -> String {
    let said = ran.stdout() + &ran.stderr();
    assert_eq!(ran.code(), code, "{said}");
    let Some((before, after)) = said.split_once("by the clock of ") else { return said };
    // The time, such as `2026-02-28 15:59 UTC`, is another one at each run.
    format!("{before}by the clock of NOW{}", &after["2026-02-28 15:59 UTC".len()..])
}

#[test]
fn a_dry_run_says_what_would_come_of_it_and_exits_with_3() {
    let folder = folder(&inventory("9.00", &[FUTURE, PAST]));
    let looked = folder.run(&["import", "inventory.json", "--dry-run"]);
    expect![[r#"
        0 resources renew automatically within 30 days; 1 has expired, and this is what the first tick does:
          hw/ecs-old, expired 2021-05-01 00:00 UTC
            2021-05-01 00:00 UTC  expired, still serving: grace begins (was active)
            2021-05-16 00:00 UTC  stopped, its data kept: retention begins (was grace)
            2021-05-31 00:00 UTC  released, with whatever it held (was retention)
        would import 1 account and 2 resources into `perennial.db`, with `--accept-expired`
        nothing was written: this was a dry run
    "#]]
    .assert_eq(&said(&looked, 3));
    assert!(!folder.path("perennial.db").exists(), "a look makes no database");
    let refused = folder.run(&["import", "inventory.json"]);
    expect![[r#"
        0 resources renew automatically within 30 days; 1 has expired, and this is what the first tick does:
          hw/ecs-old, expired 2021-05-01 00:00 UTC
            2021-05-01 00:00 UTC  expired, still serving: grace begins (was active)
            2021-05-16 00:00 UTC  stopped, its data kept: retention begins (was grace)
            2021-05-31 00:00 UTC  released, with whatever it held (was retention)
        error: nothing was imported: 1 resource is released or loses a stage at the first tick, by the clock of NOW (`--dry-run` shows which); correct the expiry in the file, or the clock, or say `--accept-expired`
    "#]].assert_eq(&said(&refused, 2));
    assert!(!folder.path("perennial.db").exists(), "nor does what is refused");
    let done = folder.run(&["import", "inventory.json", "--accept-expired"]);
    expect![[r#"
        0 resources renew automatically within 30 days; 1 has expired, and this is what the first tick does:
          hw/ecs-old, expired 2021-05-01 00:00 UTC
            2021-05-01 00:00 UTC  expired, still serving: grace begins (was active)
            2021-05-16 00:00 UTC  stopped, its data kept: retention begins (was grace)
            2021-05-31 00:00 UTC  released, with whatever it held (was retention)
        imported 1 account and 2 resources into `perennial.db`; `perennial run` takes care of them
    "#]]
    .assert_eq(&said(&done, 0));
    folder.write("none.json", r#"{"accounts": []}"#);
    let nothing = folder.run(&["import", "none.json", "--dry-run"]);
    expect![[r#"
        0 resources renew automatically within 30 days; none has expired
        would import 0 accounts and 0 resources into `perennial.db`
    "#]]
    .assert_eq(&said(&nothing, 0));
    let before = dump(&folder.path("perennial.db"));
    folder.write("other.json", &inventory("9.00", &[("ecs-2", FUTURE.1)]).replace("\"hw\"", "\"other\""));
    said(&folder.run(&["import", "other.json", "--dry-run"]), 3);
    assert_eq!(dump(&folder.path("perennial.db")), before);
}

#[test]
fn a_newer_inventory_is_shown_as_a_plan_and_changes_on_yes() {
    let folder = folder(&inventory("9.00", &[FUTURE, ("ecs-gone", FUTURE.1), ("ecs-2", FUTURE.1)]));
    said(&folder.run(&["import", "inventory.json"]), 0);
    let newer = inventory(
        "12.00",
        &[("ecs-1", "2098-06-01T00:00:00Z"), ("ecs-2", "2098-04-01T00:00:00Z"), ("ecs-3", FUTURE.1)],
    );
    folder.write("newer.json", &newer.replace("\"10.00\"", "\"99.00\""));
    let looked = folder.run(&["import", "newer.json", "--update", "--dry-run"]);
    expect![[r#"
        + hw/ecs-3
        ~ hw/ecs-1 expires_at: 2098-05-01T00:00:00Z -> 2098-06-01T00:00:00Z
        ~ hw/ecs-1 price: 9.00 -> 12.00
        ~ hw/ecs-2 price: 9.00 -> 12.00
        ! account hw balance stays 10.00, not 99.00: a balance is changed by top-ups
        ! hw/ecs-2 expires_at stays 2098-05-01T00:00:00Z, not 2098-04-01T00:00:00Z: an import moves no expiry back: it may have been renewed here since
        - hw/ecs-gone is not in the file, and stays
        0 resources renew automatically within 30 days; nothing that is new or changed has expired
        would import 0 accounts and 1 resource into `perennial.db` and change 3 fields
        nothing was written: this was a dry run
    "#]].assert_eq(&said(&looked, 3));
    let before = dump(&folder.path("perennial.db"));
    let unasked = said(&folder.run(&["import", "newer.json", "--update"]), 2);
    assert!(unasked.contains("nothing was changed: nobody can be asked here"), "{unasked}");
    assert_eq!(dump(&folder.path("perennial.db")), before);
    let done = said(&folder.run(&["import", "newer.json", "--update", "--yes"]), 0);
    assert!(
        done.contains("imported 0 accounts and 1 resource into `perennial.db` and changed 3 fields"),
        "{done}"
    );
    let again = said(&folder.run(&["import", "newer.json", "--update", "--dry-run"]), 0);
    assert!(again.contains("nothing changes"), "{again}");
    let events = said(&folder.run(&["events"]), 0);
    for change in ["price is now 12.00", "expires at is now 2098-06-01T00:00:00Z"] {
        assert!(events.contains(change), "{events}");
    }
    assert_eq!(said(&folder.run(&["db", "check"]), 0), "`perennial.db` keeps every promise\n");
    let db = ReadTx::open(&folder.path("perennial.db")).unwrap();
    assert_eq!(testing::row_count(&db, "resource"), 4, "what the newer one does not have stays");
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_sits_at_a_terminal_is_asked_before_an_update() {
    let folder = folder(&inventory("9.00", &[FUTURE]));
    said(&folder.run(&["import", "inventory.json"]), 0);
    folder.write("newer.json", &inventory("12.00", &[FUTURE]));
    let before = dump(&folder.path("perennial.db"));
    for keys in ["n\n", "\n", "yeah\n", ""] {
        let (code, screen) = at_a_terminal(&folder, "import newer.json --update", keys);
        assert_eq!(code, 2, "{keys:?}: {screen}");
        let parts = [
            "~ hw/ecs-1 price: 9.00 -> 12.00",
            "Change this? [y/N]",
            "nothing was changed: the answer was no",
        ];
        assert!(parts.iter().all(|part| screen.contains(part)), "{keys:?}: {screen}");
        assert_eq!(dump(&folder.path("perennial.db")), before, "{keys:?}");
    }
    let (code, screen) = at_a_terminal(&folder, "import newer.json --update", "y\n");
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("changed 1 field"), "{screen}");
    let (code, screen) = at_a_terminal(&folder, "import newer.json --update", "");
    assert_eq!(code, 0, "nothing changes, so nothing is asked: {screen}");
    assert!(!screen.contains("Change this?"), "{screen}");
}

#[test]
fn tables_are_imported_and_their_problems_name_line_and_column() {
    let folder = Folder::new();
    let resources = "id,account,kind,charging,started_at,expires_at,term,price\n\
        ecs-1,hw,ecs,prepaid,2020-01-01T00:00:00Z,2098-05-01T00:00:00Z,1 month,9.00\n";
    folder.write("resources.csv", resources);
    folder.write("accounts.csv", "id,provider,currency,balance\nhw,huawei,CNY,10.00\n");
    let words = ["import", "resources.csv", "--accounts", "accounts.csv"];
    let done = said(&folder.run(&words), 0);
    assert!(done.contains("imported 1 account and 1 resource"), "{done}");
    folder.write("more.csv", &resources.replace("ecs-1,hw", "ecs-2,wh").replace("9.00", "nine"));
    expect![[r#"
        error: `more.csv` cannot be used:
        2 problems:
          account (line 2, `ecs-2`): there is no account `wh`; in this file: none
          price (line 2, `ecs-2`): `nine` is not an amount; write a decimal such as "1200.00"
        the accounts of a table are a table of their own: name that with `--accounts FILE`
    "#]]
    .assert_eq(&said(&folder.run(&["import", "more.csv"]), 2));
    folder.write("inventory.json", "{}");
    let wrong = said(&folder.run(&["import", "inventory.json", "--accounts", "accounts.csv"]), 2);
    assert!(wrong.contains("`--accounts` goes with an inventory in CSV"), "{wrong}");
}

#[test]
fn problems_of_a_json_file_name_line_and_id() {
    let folder = folder(
        "{\"accounts\": [\n{\"id\": \"hw\", \"provider\": \"huawei\",\n\"currency\": \"CNY\", \"balance\": 7}]}",
    );
    expect![[r#"
        error: `inventory.json` cannot be used:
        1 problem:
          accounts[0].balance (line 3, `hw`): expected a decimal in quotes such as "1200.00", found the number 7
    "#]].assert_eq(&said(&folder.run(&["import", "inventory.json"]), 2));
}

#[test]
fn a_file_gives_no_resource_more_tags_than_the_configuration_allows() {
    let folder = Folder::new();
    let resources = "id,account,kind,charging,started_at,expires_at,term,price,tags.a,tags.b\n\
        ecs-1,hw,ecs,prepaid,2020-01-01T00:00:00Z,2098-05-01T00:00:00Z,1 month,9.00,x,y\n";
    folder.write("resources.csv", resources);
    folder.write("accounts.csv", "id,provider,currency,balance\nhw,huawei,CNY,10.00\n");
    folder.write("perennial.toml", "[limits]\ntags_per_resource_max = 1\n");
    let words = ["import", "resources.csv", "--accounts", "accounts.csv"];
    let limited = [&words[..], &["--config", "perennial.toml"]].concat();
    for more in [&["--dry-run"][..], &[]] {
        let refused = said(&folder.run(&[&limited[..], more].concat()), 2);
        let problem = "`ecs-1` would have 2 tags, and a resource may have 1; nothing was done; give it fewer, or raise \
                       `limits.tags_per_resource_max`";
        assert!(refused.contains(problem), "{refused}");
        assert!(!folder.path("perennial.db").exists());
    }
    assert!(said(&folder.run(&words), 0).contains("imported 1 account and 1 resource"));
    let updated = said(&folder.run(&[&limited[..], &["--update", "--yes"]].concat()), 0);
    assert!(updated.contains("changed 0 fields"), "what it has stays: {updated}");
}
