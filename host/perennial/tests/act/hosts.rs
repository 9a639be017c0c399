//! Commands that read and write the database themselves do the same on a running host.

use serde_json::Value;

use crate::world::World;

/// The objects of a JSON list, in the order of their IDs.
fn by_id(list: String) -> Vec<Value> {
    let mut objects = serde_json::from_str::<Vec<Value>>(&list).unwrap();
    objects.sort_by_key(|object| object["id"].as_str().unwrap().to_owned());
    objects
}

#[test]
fn resources_and_events_are_listed_from_a_host_as_from_its_database() {
    let world = World::host();
    let database =
        |words: &[&str]| world.folder.run(&[&["--db", "test.db"], words].concat()).succeeded().stdout();
    for words in [
        &["events", "--format", "jsonl"][..],
        &["events", "--format", "json", "--limit", "2"],
        &["events", "--type", "stage_changed", "--format", "csv"],
        &["events", "--time-zone", "provider"],
        &["explain", "ecs-1"],
        &["explain", "ecs-1", "--time-zone", "provider"],
        &["explain", "ecs-1", "--time-zone", "Asia/Shanghai"],
        &["approvals", "list", "--format", "csv"],
        &["policy", "list", "--format", "csv"],
    ] {
        assert_eq!(world.tells(words), database(words), "{words:?}");
    }
    let words = ["resources", "--account", "acme-hw", "--format", "json"];
    assert_eq!(by_id(world.tells(&words)), by_id(database(&words)));
    assert!(world.tells(&["plugins"]).contains("Huawei Cloud"));
    world.fails(&["explain", "nothing"], 2, "there is no resource `nothing`");
    world.fails(
        &["events", "--account", "a", "--since", "2026-01-02", "--until", "2026-01-01"],
        2,
        "is not after",
    );
}

#[test]
fn events_are_followed_and_go_on_behind_the_last_one() {
    let world = World::host();
    for _ in 0..2 {
        world.tells(&["account", "top-up", "acme-hw", "1.00", "--yes"]);
    }
    let all = world.tells(&["events", "--follow", "--after", "c0", "--format", "jsonl", "--count", "2"]);
    let ids = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
    let ids = ids.collect::<Vec<_>>();
    assert_eq!(ids.len(), 2, "{all}");
    let behind =
        world.tells(&["events", "--follow", "--after", &ids[0], "--format", "jsonl", "--count", "1"]);
    assert_eq!(behind.trim(), all.lines().nth(1).unwrap());
    assert!(world.tells(&["events", "--follow", "--after", "c0", "--count", "1"]).contains("acme-"));
    world.fails(&["events", "--follow", "--after", "x", "--count", "1"], 2, "it is not the `id` of an event");
    world.fails(&["events", "--follow", "--format", "csv"], 2, "writes words or JSON");
    World::database().fails(&["events", "--follow"], 2, "name it with `--server`");
}

#[test]
fn an_approval_is_shown_with_its_plan_and_decided_by_somebody_else() {
    let world = World::host();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    for resource in ["evs-1", "ecs-1"] {
        world.tells(&["resource", "renew", resource, "--yes"]);
    }
    let shown = world.tells(&["approvals", "show", "evs-1~1"]);
    assert!(shown.contains("pending") && shown.contains("extend"), "{shown}");
    world.fails(&["approvals", "approve", "evs-1~1", "--yes"], 1, "requester of an approval cannot decide");
    world.fails(&["approvals", "approve", "none~1", "--yes"], 2, "there is no approval `none~1`");
    // A token of somebody else's, which the host does not make for its maker.
    let other = world.tells(&["token", "create", "--name", "same", "--role", "approver"]);
    world.folder.write("other", &other);
    let url = world.url();
    let as_same = ["approvals", "approve", "evs-1~1", "--yes", "--server", &url, "--token-file", "other"];
    let refused = world.folder.run(&as_same);
    assert!(refused.code() == 1 && refused.stderr().contains("cannot decide"), "{}", refused.stderr());
    assert_eq!(world.json(&["approvals", "list", "--state", "pending"]).as_array().unwrap().len(), 2);
    let list = ["approvals", "list", "--format", "json"];
    let beside = world.folder.run(&[&["--db", "test.db"], &list[..]].concat()).succeeded().stdout();
    assert_eq!(by_id(world.tells(&list)), by_id(beside.clone()));
    assert!(beside.contains("approval_above"), "{beside}");
}

#[test]
fn another_person_approves_and_rejects_through_a_host() {
    let world = World::with_approver();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    for resource in ["evs-1", "ecs-1"] {
        world.tells(&["resource", "renew", resource, "--yes"]);
    }
    let url = world.url();
    let decide = |words: &[&str]| {
        let how = ["--reason", "seen", "--server", &url, "--token-file", "boss"];
        world.folder.run(&[&["approvals"], words, &how].concat())
    };
    let unasked = decide(&["approve", "evs-1~1"]);
    assert!(unasked.code() == 2 && unasked.stderr().contains("nothing was changed"), "{}", unasked.stderr());
    assert!(unasked.stdout().contains("extend"), "the plan is shown first: {}", unasked.stdout());
    assert!(decide(&["approve", "evs-1~1", "--yes"]).succeeded().stdout().contains("renewed"));
    assert!(decide(&["reject", "ecs-1~1", "--yes"]).succeeded().stdout().contains("rejected"));
    assert_eq!(world.expiry("evs-1"), "2026-02-28T15:59:59Z");
    assert_eq!(world.expiry("ecs-1"), "2026-01-31T15:59:59Z");
}

#[test]
fn tokens_are_made_listed_and_revoked_through_a_host() {
    let world = World::host();
    let secret =
        world.tells(&["token", "create", "--name", "shop", "--role", "viewer", "--account", "acme-hw"]);
    assert!(secret.starts_with("pn_"), "{secret}");
    let id = secret.split('_').nth(1).unwrap();
    let listed = world.json(&["token", "list"]);
    let made = listed.as_array().unwrap().iter().find(|token| token["id"] == id).unwrap();
    assert_eq!(made["accounts"], serde_json::json!(["acme-hw"]));
    assert_eq!(world.tells(&["token", "revoke", id, "--cascade", "--yes"]), format!("revoked {id}\n"));
    world.fails(
        &["token", "create", "--name", "a", "--role", "viewer", "--owner", "b"],
        2,
        "`--owner` is for the database",
    );
    world.fails(&["token", "revoke", "000000000000"], 2, "there is no token `000000000000`");
}

#[test]
fn keys_are_made_rotated_and_revoked_through_a_host() {
    let world = World::with_secrets();
    let made = world.tells(&["key", "create", "--account", "acme-hw", "--name", "terraform"]);
    let access_key = made.lines().next().unwrap().strip_prefix("access key: ").unwrap().to_owned();
    let rotated = world.tells(&["key", "rotate", &access_key, "--overlap-seconds", "60", "--yes"]);
    assert!(rotated.contains("secret key: "), "{rotated}");
    assert_eq!(world.json(&["key", "list", "--account", "acme-hw"]).as_array().unwrap().len(), 2);
    assert_eq!(world.tells(&["key", "revoke", &access_key, "--yes"]), format!("revoked {access_key}\n"));
    world.fails(&["key", "rotate", "PN00"], 2, "cannot rotate `PN00`");
}

#[test]
#[cfg(target_os = "linux")]
fn a_secret_that_nobody_saw_says_what_became_of_the_one_before() {
    let world = World::with_secrets();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    world.tells(&["calendar", "create", "--name", "a"]);
    world.tells(&["webhook", "create", "https://example.com/hook"]);
    let webhook = world.json(&["webhook", "list"])[0]["id"].as_str().unwrap().to_owned();
    let made = world.tells(&["key", "create", "--account", "acme-hw", "--name", "terraform"]);
    let key = made.lines().next().unwrap().strip_prefix("access key: ").unwrap().to_owned();
    for (words, told) in [
        (&["calendar", "rotate", "cal-1", "--yes"][..], "the address before is gone"),
        (&["webhook", "rotate-secret", &webhook, "--yes"], "for a day more, with the one before"),
        (
            &["key", "rotate", &key, "--overlap-seconds", "60", "--yes"],
            "until 2026-01-12T00:01:01Z at the latest",
        ),
    ] {
        let ran = world.run_into(words, full());
        assert!(ran.code() == 1 && ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
    // The key that nobody saw was revoked, so that the one before can be replaced once more.
    assert!(world.tells(&["key", "rotate", &key, "--yes"]).contains("secret key: "));
}

#[test]
fn an_approval_that_expired_says_why_and_waits_for_nobody() {
    let world = World::host();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    world.tells(&["resource", "renew", "evs-1", "--yes"]);
    assert!(world.tells(&["approvals", "show", "evs-1~1"]).contains("it waits until somebody else approves"));
    world.tells(&["clock", "advance", "2026-03-01", "--yes"]);
    let shown = world.tells(&["approvals", "show", "evs-1~1"]);
    assert!(shown.contains("it expired: ") && !shown.contains("it waits until"), "{shown}");
}

#[test]
fn policies_are_installed_shown_and_removed_through_a_host() {
    let world = World::host();
    let file = "[[policy]]\nname = \"small\"\nscript = \"small.rhai\"\n\n[[calendar]]\nname = \"freeze\"\ndays = [\"2026-12-24..2027-01-02\"]\n";
    world.folder.write("policies.toml", file);
    world.folder.write("small.rhai", "fn rule(plan) { approve() }\n");
    let dry = world.run(&["policy", "install", "policies.toml", "--dry-run"]);
    assert!(dry.code() == 3 && dry.stdout().contains("policy small: would be "), "{}", dry.stdout());
    world.tells(&["policy", "install", "policies.toml", "--reason", "ticket"]);
    assert!(world.tells(&["policy", "show", "small"]).contains("fn rule(plan)"));
    assert!(world.tells(&["policy", "history", "small"]).contains("added by"));
    assert!(world.tells(&["policy", "differences", "small"]).contains("would have done nothing otherwise"));
    assert!(world.tells(&["policy", "differences", "small", "--totals"]).contains("nothing otherwise"));
    assert_eq!(world.json(&["policy", "calendars"])[0]["name"], "freeze");
    assert!(world.tells(&["policy", "calendar-history", "freeze"]).contains("2026-12-24..2027-01-02"));
    assert!(
        world.tells(&["policy", "remove-calendar", "freeze", "--yes"]).contains("calendar freeze: removed")
    );
    assert!(world.tells(&["policy", "remove", "small", "--yes"]).contains("policy small: removed"));
    world.fails(&["policy", "show", "none"], 2, "there is no policy `none`");
    world.folder.write("small.rhai", "fn rule(plan) { approve( }\n");
    world.fails(&["policy", "install", "policies.toml"], 2, "small.rhai");
}

#[test]
fn an_inventory_is_taken_in_through_a_host() {
    let world = World::host();
    let inventory = |price: &str| {
        format!(
            r#"{{ "resources": [{{ "id": "new-1", "account": "acme-hw", "kind": "evs", "charging": "prepaid",
            "started_at": "2026-01-01T00:00:00Z", "expires_at": "2026-06-30T15:59:59Z", "price": "{price}",
            "term": {{ "count": 1, "unit": "month" }} }}] }}"#
        )
    };
    world.folder.write("new.json", &inventory("10.00"));
    let dry = world.run(&["import", "new.json", "--dry-run"]);
    assert!(
        dry.code() == 3 && dry.stdout().contains("would import 0 accounts and 1 resource"),
        "{}",
        dry.stdout()
    );
    world.fails(&["resource", "show", "new-1"], 2, "there is no resource `new-1`");
    assert!(world.tells(&["import", "new.json"]).contains("imported 0 accounts and 1 resource"));
    world.folder.write("newer.json", &inventory("12.00"));
    world.fails(&["import", "newer.json", "--update"], 2, "nobody can be asked here");
    let updated = world.tells(&["import", "newer.json", "--update", "--yes"]);
    assert!(updated.contains("~ acme-hw/new-1 price: 10.00 -> 12.00"), "{updated}");
    // A dry run tells all of it, as that of the database does.
    let stale = inventory("13.00").replace("2026-06-30", "2026-05-31");
    world.folder.write("stale.json", &stale);
    let dry_run = ["import", "stale.json", "--update", "--dry-run"];
    let database = world.folder.run(&[&["--db", "test.db"], &dry_run[..]].concat()).stdout();
    let host = world.run(&dry_run).stdout();
    assert!(host.contains("! acme-hw/new-1 expires_at stays"), "{host}");
    assert!(host.contains("- acme-hw/evs-1 is not in the file, and stays"), "{host}");
    assert_eq!(host.replace(&world.url(), "test.db"), database);
    let lost = inventory("9.00").replace("new-1", "new-2").replace("2026-06-30", "2025-06-30");
    world.folder.write("lost.json", &lost.replace("2026-01-01", "2025-01-01"));
    world.fails(&["import", "lost.json"], 2, "or say `--accept-expired`");
    world.fails(&["import", "newer.json"], 2, "new-1");
    world.folder.write("broken.json", "id\n");
    world.fails(&["import", "broken.json"], 2, "it is not JSON");
}

#[test]
fn an_inventory_in_tables_is_taken_in_through_a_host() {
    let world = World::host();
    let row = |id: &str, account: &str| {
        format!("{id},{account},evs,prepaid,2026-01-01T00:00:00Z,2026-06-30T15:59:59Z,1 month,10.00,test\n")
    };
    let head = "id,account,kind,charging,started_at,expires_at,term,price,tags.env\n";
    world.folder.write("accounts.csv", "id,provider,currency,balance\nnewco,huawei,CNY,100.00\n");
    world.folder.write("table.csv", &format!("{head}{}{}", row("new-1", "acme-hw"), row("new-2", "newco")));
    let imported = world.tells(&["import", "table.csv", "--accounts", "accounts.csv"]);
    assert!(imported.contains("imported 1 account and 2 resources"), "{imported}");
    assert_eq!(world.json(&["resource", "show", "new-2"])["tags"]["env"], "test");
    world.folder.write("broken.csv", &format!("{head}new-3,acme-hw\n"));
    world.fails(&["import", "broken.csv"], 2, "line 2 of the resources");
    world.fails(&["import", "table.csv"], 2, "new-1");
}
