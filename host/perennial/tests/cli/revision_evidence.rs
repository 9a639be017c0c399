//! What a shadow revision answered otherwise, as the command line shows it before it decides; and what a host says when it starts
//! with other revisions than the one before.

use expect_test::expect;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_sandbox::BUNDLED;
use perennial_store::Store;
use perennial_store::clock::ClockKind;

use crate::support::Folder;

/// The table that is bundled.
const TABLE: &str = include_str!("../../../../plugins/declared/tables/volcengine.toml");

/// A broker with two servers at Volcengine, one of them with a disk.
const INVENTORY: &str = r#"{
  "accounts": [{ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "5000.00" }],
  "resources": [
    { "id": "srv-1", "account": "vol", "kind": "ecs", "region": "cn-beijing", "charging": "prepaid",
      "started_at": "2026-01-05T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" },
    { "id": "disk-1", "account": "vol", "kind": "ebs", "region": "cn-beijing", "charging": "prepaid",
      "started_at": "2026-01-05T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": "renew", "attached_to": "srv-1" },
    { "id": "srv-2", "account": "vol", "kind": "ecs", "region": "cn-beijing", "charging": "prepaid",
      "started_at": "2026-01-09T02:00:00Z", "expires_at": "2026-02-09T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "60.00", "on_expiry": "renew" }
  ]
}"#;

/// Writes the table with another line.
fn write_table(folder: &Folder, name: &str, before: &str, after: &str) {
    assert!(TABLE.contains(before), "the table has no `{before}`");
    folder.write(name, &TABLE.replace(before, after));
}

/// Has the clock of a folder's database work until an instant.
fn play(folder: &Folder, until: &str) {
    let store = Store::open_existing(&folder.path("perennial.db")).unwrap();
    let engine = Engine::new(store, folder.providers(), Retention::Everything);
    engine.with_clock(ClockKind::Virtual).run_to(until.parse().unwrap(), &mut |_, _| {}).unwrap();
}

/// The output of a command in a wide terminal, with digests, fuel and time taken out.
fn shown(folder: &Folder, words: &[&str], code: i32) -> String {
    let ran = folder.run(&[&["--width", "400"], words].concat());
    assert_eq!(ran.code(), code, "{words:?}: {}", ran.stderr());
    let text = crate::revisions::masked(&ran.stdout());
    let (mut shown, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once("; fuel of plans") {
        shown = shown + before + "; [fuel and time]";
        rest = &after[after.find('\n').unwrap_or(after.len())..];
    }
    (shown + rest).lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn a_revision_is_judged_by_what_it_would_have_done_otherwise() {
    let folder = Folder::new();
    drop(folder.engine("perennial.db", INVENTORY));
    write_table(
        &folder,
        "narrow.toml",
        "cascade = { renewal = \"aligned\", unsubscription = true }",
        "cascade = { unsubscription = true }",
    );
    let installed = folder.run(&["plugin", "install", "narrow.toml"]).succeeded().stdout();
    let digest = installed.split(' ').nth(1).unwrap().to_owned();
    folder.run(&["plugin", "bind", &digest, "--mode", "shadow", "--yes"]).succeeded();
    play(&folder, "2026-03-01T00:00:00Z");
    let told = [
        shown(&folder, &["plugin", "promote", "volcengine", "--dry-run"], 3),
        shown(&folder, &["plugin", "differences", &digest, "--totals"], 0),
        shown(&folder, &["plugin", "differences", &digest], 0),
        shown(&folder, &["plugin", "backtest", "narrow.toml", "--since", "2026-01-01"], 0),
        shown(&folder, &["plugin", "backtest", "narrow.toml", "--since", "2026-01-01", "--each"], 0),
        shown(&folder, &["plugin", "promote", "volcengine", "--yes"], 0),
        shown(&folder, &["plugin", "roll-back", "volcengine", "--dry-run"], 3),
    ];
    expect![[""]].assert_eq(&told.join("--\n"));
}

#[test]
fn a_binding_says_which_parts_of_a_revision_are_not_followed() {
    let folder = Folder::new();
    folder.write("inventory.json", INVENTORY);
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    other_huawei(&folder, "huawei.wasm");
    let installed = folder.run(&["plugin", "install", "huawei.wasm"]).succeeded().stdout();
    let digest = installed.split(' ').nth(1).unwrap().to_owned();
    expect![[""]].assert_eq(&shown(
        &folder,
        &["plugin", "bind", &digest, "--mode", "active", "--dry-run"],
        3,
    ));
}

/// Writes the bundled component of Huawei Cloud with an empty section at its end, which makes it another revision.
fn other_huawei(folder: &Folder, name: &str) {
    let bundled = BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    std::fs::write(folder.path(name), [bundled.component, &[0, 2, 1, b'x']].concat()).unwrap();
}

/// What the log of a command says about revisions that the host brings.
fn log(folder: &Folder, words: &[&str]) -> String {
    let ran = folder.run(words).succeeded();
    let told = ran.stderr();
    let lines = told.lines().filter(|line| line.contains("the host brings another revision"));
    let lines = lines
        .map(|line| line.split_once(" WARN ").or(line.split_once("ERROR ")).map_or(line, |(_, said)| said));
    crate::revisions::masked(&lines.map(|line| format!("{line}\n")).collect::<String>())
}

#[test]
fn a_host_says_of_each_provider_that_it_brings_another_revision() {
    let folder = Folder::new();
    folder.write(
        "inventory.json",
        &INVENTORY.replace("\"balance\"", "\"settings\": { \"try_hour\": \"9\" }, \"balance\""),
    );
    folder.write("shadow.toml", "[plugins]\nupgrade = \"shadow\"\n");
    write_table(&folder, "late.toml", "days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]");
    write_table(&folder, "less.toml", "try_hour = \"The hour of the tries, unconfirmed\"\n", "");
    other_huawei(&folder, "huawei.wasm");
    let other = ["--plugin", "late.toml", "--plugin", "huawei.wasm"];
    folder.run(&[&other[..], &["import", "inventory.json", "--accept-expired"]].concat()).succeeded();
    let tag = |more: &[&str], tag: &str| {
        log(&folder, &[more, &["resource", "tag", "srv-1", tag]].concat())
    };
    let told = [
        tag(&other, "first=1"),
        tag(&["--config", "shadow.toml"], "in=shadow"),
        tag(&[], "follow=1"),
        tag(&[], "again=1"),
        tag(&["--plugin", "less.toml"], "less=1"),
    ];
    expect![[""]].assert_eq(&told.join("--\n"));
    let bindings = folder.run(&["plugin", "bindings", "--format", "csv"]).succeeded().stdout();
    expect![[""]].assert_eq(&crate::revisions::masked(&bindings));
}
