//! The commands that list: what they show, in which format, and what they say of what there is not.

use std::collections::BTreeSet;

use expect_test::expect;
use serde_json::Value;

use crate::sample::INVENTORY;
use crate::sample::folder;
use crate::sample::simulate;
use crate::support::Folder;

#[test]
fn what_is_imported_is_listed() {
    let folder = folder();
    let told = folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded().stdout();
    assert_eq!(
        told.lines().last().unwrap(),
        "imported 2 accounts and 5 resources into `perennial.db`; `perennial run` takes care of them"
    );
    let all = folder.run(&["resources"]).succeeded().stdout();
    for id in ["ecs-1", "evs-1", "pkg-1", "rds-1", "bcc-1"] {
        assert!(all.contains(id), "{id} is not in\n{all}");
    }
    let some = folder.run(&["resources", "--account", "acme-bd", "--stage", "active"]).succeeded().stdout();
    assert!(some.contains("bcc-1") && !some.contains("ecs-1"), "{some}");
    let soon = folder.run(&["resources", "--expires-before", "2026-01-31T00:00:00Z"]).succeeded().stdout();
    assert!(soon.contains("bcc-1") && !soon.contains("rds-1"), "{soon}");
    let disks = folder.run(&["resources", "--kind", "evs", "--provider", "huawei"]).succeeded().stdout();
    assert!(disks.contains("evs-1") && !disks.contains("rds-1"), "{disks}");
    assert_eq!(folder.run(&["events", "--format", "jsonl"]).succeeded().stdout(), "");
}

#[test]
fn plugins_says_what_each_provider_has_and_wants() {
    let told = Folder::new().run(&["plugins"]).succeeded().stdout();
    for word in ["huawei  Huawei Cloud", "baidu  Baidu AI Cloud", "imports   nothing", "deduction_days"] {
        assert!(told.contains(word), "`{word}` is not in\n{told}");
    }
    // What is said of the kinds begins in one column, and so does what is said of the settings.
    let mut columns = BTreeSet::new();
    for line in told.lines() {
        let Some(item) = line.strip_prefix("    ").filter(|item| !item.starts_with(' ')) else {
            columns.clear();
            continue;
        };
        let (name, rest) = item.split_once(' ').unwrap();
        columns.insert(name.len() + rest.len() - rest.trim_start().len());
        assert_eq!(columns.len(), 1, "{line}");
    }
}

/// Lines of CSV, which end in `\r\n`, as Rust's source has lines.
fn without_returns(csv: &str) -> String {
    assert_eq!(csv.matches("\r\n").count(), csv.matches('\n').count());
    csv.replace('\r', "")
}

#[test]
fn resources_are_listed_for_people_and_for_programs() {
    let folder = folder();
    drop(folder.engine("perennial.db", INVENTORY));
    let listed = |more: &[&str]| folder.run(&[&["resources"], more].concat()).succeeded().stdout();
    let before = ["--expires-before", "2026-02-01"];
    expect![[r#"
        account  resource  kind     stage   expires               on expiry      price  next                  problem
        acme-bd  bcc-1     bcc      active  2026-01-25 04:00 UTC  renew      60.00 CNY  2026-01-09 23:59 UTC
        acme-hw  ecs-1     ecs      active  2026-01-31 15:59 UTC  renew      99.00 CNY  2026-01-09 23:59 UTC
        acme-hw    evs-1   evs      active  2026-01-31 15:59 UTC  renew      10.00 CNY  2026-01-09 23:59 UTC
        acme-hw  pkg-1     package  active  2026-01-31 15:59 UTC  lapse      20.00 CNY  2026-01-09 23:59 UTC
    "#]].assert_eq(&listed(&before));
    expect![[r#"
        account,provider,id,attached_to,kind,stage,expires_at,on_expiry,price,currency,next_wake_at,problem
        acme-bd,baidu,bcc-1,,bcc,active,2026-01-25T04:00:00Z,renew,60.00,CNY,2026-01-09T23:59:59Z,
        acme-hw,huawei,ecs-1,,ecs,active,2026-01-31T15:59:59Z,renew,99.00,CNY,2026-01-09T23:59:59Z,
        acme-hw,huawei,evs-1,ecs-1,evs,active,2026-01-31T15:59:59Z,renew,10.00,CNY,2026-01-09T23:59:59Z,
        acme-hw,huawei,pkg-1,,package,active,2026-01-31T15:59:59Z,lapse,20.00,CNY,2026-01-09T23:59:59Z,
    "#]]
    .assert_eq(&without_returns(&listed(&[&before[..], &["--format", "csv"]].concat())));
    expect![[r#"
        [
        {"account":"acme-bd","provider":"baidu","id":"bcc-1","attached_to":null,"kind":"bcc","stage":"active","expires_at":"2026-01-25T04:00:00Z","on_expiry":"renew","price":"60.00","currency":"CNY","next_wake_at":"2026-01-09T23:59:59Z","problem":null}
        ]
    "#]].assert_eq(&listed(&[&before[..], &["--format", "json", "--kind", "bcc"]].concat()));
    let json = serde_json::from_str::<Value>(&listed(&["--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 5);
}

#[test]
fn instants_are_written_in_the_time_zone_that_is_asked_for() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let listed = |zone: &str, format: &str| {
        let words = ["resources", "--kind", "ecs", "--time-zone", zone, "--format", format];
        folder.run(&words).succeeded().stdout()
    };
    for (zone, people, programs) in [
        ("UTC", "2026-01-31 15:59 UTC", "2026-01-31T15:59:59Z"),
        ("Asia/Tokyo", "2026-02-01 00:59 +09:00", "2026-02-01T00:59:59+09:00"),
        ("-03:30", "2026-01-31 12:29 -03:30", "2026-01-31T12:29:59-03:30"),
        ("provider", "2026-01-31 23:59 +08:00", "2026-01-31T23:59:59+08:00"),
    ] {
        assert!(listed(zone, "table").contains(people), "{}", listed(zone, "table"));
        assert!(listed(zone, "json").contains(&format!("\"expires_at\":\"{programs}\"")));
        assert!(listed(zone, "csv").contains(&format!(",{programs},")));
    }
    let words = ["simulate", "--inventory", "inventory.json", "--from=2026-01-10", "--until=2026-01-11"];
    let table = folder.run(&[&words[..], &["--time-zone=provider"]].concat()).succeeded().stdout();
    assert!(table.contains("2026-01-31 23:59 +08:00") && !table.contains("UTC"), "{table}");
    for (words, told) in [
        (["resources", "--time-zone", "shanghai", "--limit=1"], "is it Asia/Shanghai?"),
        (["resources", "--time-zone", "+8", "--limit=1"], "an offset, such as `+08:00`, or `provider`"),
        (["events", "--time-zone=+08:00", "--format", "json"], "events in JSON are in UTC"),
    ] {
        let ran = folder.run(&words);
        assert_eq!(ran.code(), 2, "{words:?}");
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
}

#[test]
fn a_date_alone_is_midnight_in_utc() {
    let folder = folder();
    let whole = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let dates = ["--from", "2026-01-10", "--until", "2026-03-10", "--format", "jsonl"];
    let words = ["simulate", "--inventory", "inventory.json", "--scenario", "scenario.json"];
    assert_eq!(folder.run(&[&words[..], &dates].concat()).succeeded().stdout(), whole);
    for wrong in ["2026-02-30", "2026-1-1", "tomorrow", "2026-01-01T00:00"] {
        let ran = folder.run(&["events", "--since", wrong]);
        assert_eq!(ran.code(), 2, "{wrong}");
        assert!(ran.stderr().contains("which is midnight UTC"), "{}", ran.stderr());
    }
}

#[test]
fn events_are_listed_in_every_format() {
    let folder = folder();
    let mut engine = folder.engine("perennial.db", INVENTORY);
    engine.run_to("2026-01-26T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    drop(engine);
    let events = |more: &[&str]| folder.run(&[&["events"], more].concat()).succeeded().stdout();
    expect![[r#"
        at                    account  resource  what
        2026-01-25 04:00 UTC  acme-bd  bcc-1     stopped, its data kept: retention begins (was active)
    "#]]
    .assert_eq(&events(&["--resource", "bcc-1", "--type", "stage_changed"]));
    expect![[r#"
        at,account,resource,type,description,details
        2026-01-25T04:00:00Z,acme-bd,bcc-1,stage_changed,"stopped, its data kept: retention begins (was active)","{""from"":""active"",""to"":""retention""}"
    "#]].assert_eq(&without_returns(&events(&["--resource", "bcc-1", "--type", "stage_changed", "--format", "csv"])));
    let lines = events(&["--format", "jsonl"]);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let array = serde_json::from_str::<Value>(&events(&["--format", "json"])).unwrap();
    assert_eq!(Value::Array(lines.collect()), array);
    let last = folder.run(&["events", "--limit", "1"]).succeeded();
    assert!(last.stderr().contains("only the last 1 are shown"), "{}", last.stderr());
    let all = folder.run(&["events", "--limit", &array.as_array().unwrap().len().to_string()]).succeeded();
    assert!(!all.stderr().contains("are shown"), "nothing was left out: {}", all.stderr());
}

#[test]
fn a_list_without_rows_says_so_and_is_no_bare_heading() {
    let folder = folder();
    folder.write("none.json", r#"{ "accounts": [], "resources": [] }"#);
    let said = |words: &[&str]| folder.run(words).succeeded().stdout();
    said(&["import", "none.json"]);
    assert_eq!(
        said(&["resources"]),
        "there are no resources yet; take some in with `perennial import FILE`\n"
    );
    assert_eq!(said(&["events"]), "nothing has happened yet\n");
    assert_eq!(said(&["approvals", "list"]), "no plan has waited for an approval yet\n");
    assert_eq!(said(&["token", "list"]), "there are no tokens yet; make one with `perennial token create`\n");
    assert_eq!(said(&["key", "list"]), "there are no keys yet; make one with `perennial key create`\n");
    said(&["import", "inventory.json", "--accept-expired"]);
    for words in [
        &["resources", "--stage", "released"][..],
        &["resources", "--kind", "dds", "--provider", "huawei"],
        &["resources", "--account", "acme-hw", "--provider", "baidu"],
        &["events", "--since", "2999-01-01"],
        &["approvals", "list", "--account", "acme-hw"],
        &["key", "list", "--account", "acme-hw"],
    ] {
        assert_eq!(said(words), "nothing matches\n", "{words:?}");
        let json = said(&[words, &["--format", "json"]].concat());
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), Value::Array(Vec::new()), "{words:?}");
        assert_eq!(said(&[words, &["--format", "csv"]].concat()).lines().count(), 1, "{words:?}");
    }
}

#[test]
fn what_is_unknown_is_refused_with_what_there_is() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let accounts = "there is no account `acme`; there are acme-bd, acme-hw";
    for (words, told) in [
        (&["resources", "--account", "acme"][..], accounts),
        (&["events", "--account", "acme"], accounts),
        (&["approvals", "list", "--account", "acme"], accounts),
        (&["key", "list", "--account", "acme"], "there is no account `acme`"),
        (
            &["token", "create", "--name", "a", "--role", "viewer", "--account", "acme"],
            "there is no account `acme`",
        ),
        (
            &["resources", "--provider", "hwc"],
            "there is no provider `hwc`; there are baidu, huawei, volcengine",
        ),
        (&["resources", "--kind", "vm"], "there is no kind `vm`; there are "),
        (&["events", "--resource", "ecs-9"], "there is no resource `ecs-9`; `perennial resources` lists"),
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.code(), 2, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
    assert!(folder.run(&["token", "list"]).succeeded().stdout().starts_with("there are no tokens yet"));
}

#[test]
fn every_list_has_every_format() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    folder.run(&["token", "create", "--name", "a,\"b\"", "--role", "viewer"]).succeeded();
    for list in [
        &["resources"][..],
        &["events"],
        &["approvals", "list"],
        &["token", "list"],
        &["policy", "list"],
        &["key", "list"],
        &["plugins"],
        &simulate(&[]),
    ] {
        let written = |format| folder.run(&[list, &["--format", format]].concat()).succeeded().stdout();
        let rows = serde_json::from_str::<Value>(&written("json")).unwrap();
        let rows = rows.as_array().unwrap().len();
        let csv = written("csv");
        assert!(csv.split("\r\n").next().unwrap().contains(','), "{list:?}: {csv}");
        assert_eq!(csv.matches("\r\n").count(), rows + 1, "{list:?}: {csv}");
    }
    let tokens = folder.run(&["token", "list", "--format", "csv"]).succeeded().stdout();
    assert!(tokens.contains(",\"a,\"\"b\"\"\"\r\n"), "{tokens}");
}

#[test]
fn the_names_of_every_list_are_those_that_formats_md_has() {
    const FORMATS: &str = include_str!("../../../../FORMATS.md");
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    let simulation = simulate(&[]);
    for (name, list) in [
        ("resources", &["resources"][..]),
        ("approvals list", &["approvals", "list"]),
        ("token list", &["token", "list"]),
        ("policy list", &["policy", "list"]),
        ("key list", &["key", "list"]),
        ("plugins", &["plugins"]),
        ("simulate", &simulation),
    ] {
        let csv = folder.run(&[list, &["--format", "csv"]].concat()).succeeded().stdout();
        let written = csv.split("\r\n").next().unwrap().split(',').collect::<Vec<_>>();
        let row = FORMATS.lines().find_map(|line| line.strip_prefix(&format!("| `{name}` | ")));
        let row = row.unwrap_or_else(|| panic!("FORMATS.md has nothing about `{name}`"));
        let named = row.split('`').skip(1).step_by(2).filter(|word| written.contains(word));
        assert_eq!(named.collect::<Vec<_>>(), written, "{name}");
    }
}
