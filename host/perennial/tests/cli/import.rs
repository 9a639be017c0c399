//! `perennial import`: all of a file or nothing.

use perennial_store::ReadTx;

use crate::sample::WINDOW;
use crate::sample::folder;
use crate::support::Folder;

#[test]
fn every_problem_of_an_inventory_is_listed_and_nothing_of_it_is_taken() {
    let wrong = r#"{
      "accounts": [
        { "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "1.00", "colour": "red" },
        { "id": "b", "provider": "nobody", "mode": "managed", "currency": "CNY", "balance": "1.00" },
        { "id": "c", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": 7 },
        { "id": "d", "provider": "baidu", "mode": "managed", "balance": "7.00" },
        { "id": "e", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "7.00", "settings": { "try_hour": "99" } }
      ],
      "resources": [
        { "id": "x", "account": "a", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z" },
        { "id": "x", "account": "a", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z" },
        { "id": "y", "account": "a", "kind": "evs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "nothing" },
        { "id": "l", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "m" },
        { "id": "m", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "yesterday",
          "attached_to": "l" },
        { "id": "z", "account": "nowhere", "kind": "ecs", "region": "r", "charging": "prepaid", "started_at": "2026-01-01T00:00:00Z" }
      ]
    }"#;
    let folder = folder();
    folder.write("wrong.json", wrong);
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let listed = folder.run(&["resources"]).succeeded().stdout();
    let tables = ["account", "resource", "schedule", "orders", "ledger_entry", "event"];
    let count = || {
        let db = ReadTx::open(&folder.path("perennial.db")).unwrap();
        tables.map(|table| perennial_store::testing::row_count(&db, table))
    };
    let before = count();
    let window = &WINDOW[..];
    let simulate = [&["simulate", "--inventory", "wrong.json"], window].concat();
    for words in [&["import", "wrong.json"][..], &simulate] {
        let ran = folder.run(words);
        assert_eq!(ran.code(), 2, "{words:?}");
        assert_eq!(ran.stdout(), "");
        let told = ran.stderr();
        for problem in [
            "accounts[0].colour",
            "accounts[1].provider",
            "accounts[2].balance",
            "accounts[3]",
            "accounts[4].settings",
            "resources[1].id",
            "resources[2].attached_to",
            "resources[4].started_at",
            "resources[5].account",
        ] {
            assert!(told.contains(problem), "{words:?}: nothing about `{problem}` in\n{told}");
        }
    }
    assert_eq!(count(), before);
    assert_eq!(folder.run(&["resources"]).succeeded().stdout(), listed);
}

#[test]
fn a_circle_of_attachment_is_told_as_one() {
    let folder = Folder::new();
    folder.write("circle.json", r#"{ "accounts": [
        { "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "1.00" } ],
      "resources": [
        { "id": "l", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "m" },
        { "id": "m", "account": "a", "kind": "bandwidth", "region": "r", "charging": "postpaid",
          "started_at": "2026-01-01T00:00:00Z", "attached_to": "l" } ] }"#);
    let ran = folder.run(&["import", "circle.json"]);
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("`l`") && ran.stderr().contains("`m`"), "{}", ran.stderr());
}

#[test]
fn what_is_there_already_is_not_imported_again() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let again = folder.run(&["import", "inventory.json", "--accept-expired"]);
    assert_eq!(again.code(), 2);
    for id in ["acme-hw", "acme-bd", "ecs-1", "bcc-1"] {
        assert!(again.stderr().contains(id), "nothing about `{id}` in\n{}", again.stderr());
    }
    assert!(again.stderr().contains("take it in with `--update`"), "{}", again.stderr());
}

#[test]
fn a_table_whose_accounts_nobody_named_says_how_they_are_named() {
    let folder = Folder::new();
    folder.write(
        "resources.csv",
        "id,account,kind,region,charging,started_at\nx,a,ecs,r,postpaid,2026-01-01T00:00:00Z\n",
    );
    let ran = folder.run(&["import", "resources.csv"]);
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("name that with `--accounts FILE`"), "{}", ran.stderr());
}

#[test]
fn a_dry_run_counts_what_the_import_counts() {
    let folder = folder();
    let words = ["import", "inventory.json", "--accept-expired"];
    let last =
        |words: &[&str]| folder.run(words).stdout().lines().rev().take(2).collect::<Vec<_>>().join("\n");
    let counted = "2 accounts and 5 resources into `perennial.db`";
    let looked = folder.run(&[&words[..], &["--dry-run"]].concat());
    assert_eq!(looked.code(), 3);
    assert!(looked.stdout().contains(&format!("would import {counted}\n")), "{}", looked.stdout());
    assert!(last(&words).contains(&format!("imported {counted}; ")));
    let update = ["import", "inventory.json", "--update", "--dry-run"];
    assert!(
        last(&update)
            .contains("would import 0 accounts and 0 resources into `perennial.db` and change 0 fields")
    );
}

#[test]
fn an_update_on_a_database_raises_no_approval_limit_alone_and_is_audited() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    for (limit, code) in [("50.00", 0), ("5000.00", 2), ("20.00", 0)] {
        let account = format!(
            r#"{{ "accounts": [{{ "id": "acme-hw", "provider": "huawei", "currency": "CNY",
                "balance": "260.00", "approval_above": "{limit}" }}], "resources": [] }}"#
        );
        folder.write("newer.json", &account);
        let ran = folder.run(&["import", "newer.json", "--update", "--yes"]);
        assert_eq!(ran.code(), code, "{limit}: {}", ran.stderr());
        assert_eq!(ran.stderr().contains("a higher limit takes two people"), code == 2, "{}", ran.stderr());
    }
    let audit = folder.run(&["audit", "--format", "csv"]).succeeded().stdout();
    assert_eq!(audit.matches("perennial import").count(), 3, "{audit}");
}
