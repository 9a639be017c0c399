//! What a shadow revision answered otherwise, as the command line shows it before it decides; and what a host says when it starts
//! with other revisions than the one before.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Stdio;

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
    expect![[r#"
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        revision [digest] was asked in shadow of [digest] about all accounts that it was bound to, from 2026-01-05T01:59:59Z to 2026-02-26T02:00:00Z: 13 answers, 9 otherwise, 0 failed; [fuel and time]
        questions about these accounts that it answered otherwise in the last 90 days:
          timeline: 3 different questions, 0.00 CNY done, 0.00 CNY would be
            vol srv-1, timeline
              done: nothing
              would be: 2026-01-29T02:00:00Z disk-1 try_renewal
                2026-01-30T02:00:00Z disk-1 try_renewal
                2026-01-31T02:00:00Z disk-1 try_renewal
                2026-02-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-02-26T02:00:00Z disk-1 try_renewal
                2026-02-27T02:00:00Z disk-1 try_renewal
                2026-02-28T02:00:00Z disk-1 try_renewal
                2026-03-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-03-29T02:00:00Z disk-1 try_renewal
                2026-03-30T02:00:00Z disk-1 try_renewal
                2026-03-31T02:00:00Z disk-1 try_renewal
                2026-04-01T02:00:00Z disk-1 try_renewal
                and 4 more
          price: 2 different questions, 218.00 CNY done, 198.00 CNY would be
            vol srv-1, renew
              done: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 extend to 2026-03-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
            vol srv-1, renew
              done: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 extend to 2026-04-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
        nothing was written: this was a dry run
        --
        difference  questions        done    would be
        timeline            3    0.00 CNY    0.00 CNY
        price               2  218.00 CNY  198.00 CNY
        --
        at                    account  resource  question  difference        done   would be  answer followed                                                                                      answer of the shadow
        2026-01-09 23:59 UTC  vol      srv-1     timeline  timeline             -          -                                                                                                       2026-01-29T02:00:00Z disk-1 try_renewal; 2026-01-30T02:00:00Z disk-1 try_renewal; 2026-01-31T02:00:00Z disk-1 try_renewal; 2026-02-01T02:00:00Z disk-1 try_renewal; 2026-02-02T02:00:00Z disk-1 try_renewal;
                                                                                                                                                                                                   2026-02-03T02:00:00Z disk-1 try_renewal; 2026-02-04T02:00:00Z disk-1 try_renewal; 2026-02-05T02:00:00Z disk-1 try_renewal
        2026-01-29 02:00 UTC  vol      srv-1     renew     price       109.00 CNY  99.00 CNY  srv-1 extend to 2026-03-05T15:59:59Z for 1 month; disk-1 extend to 2026-03-05T15:59:59Z for 1 month  srv-1 extend to 2026-03-05T15:59:59Z for 1 month; disk-1 left out OperationDenied: it is renewed by itself
        2026-01-29 02:00 UTC  vol      srv-1     timeline  timeline             -          -                                                                                                       2026-02-26T02:00:00Z disk-1 try_renewal; 2026-02-27T02:00:00Z disk-1 try_renewal; 2026-02-28T02:00:00Z disk-1 try_renewal; 2026-03-01T02:00:00Z disk-1 try_renewal; 2026-03-02T02:00:00Z disk-1 try_renewal;
                                                                                                                                                                                                   2026-03-03T02:00:00Z disk-1 try_renewal; 2026-03-04T02:00:00Z disk-1 try_renewal; 2026-03-05T02:00:00Z disk-1 try_renewal
        2026-02-26 02:00 UTC  vol      srv-1     renew     price       109.00 CNY  99.00 CNY  srv-1 extend to 2026-04-05T15:59:59Z for 1 month; disk-1 extend to 2026-04-05T15:59:59Z for 1 month  srv-1 extend to 2026-04-05T15:59:59Z for 1 month; disk-1 left out OperationDenied: it is renewed by itself
        2026-02-26 01:59 UTC  vol      srv-1     timeline  timeline             -          -                                                                                                       2026-03-29T02:00:00Z disk-1 try_renewal; 2026-03-30T02:00:00Z disk-1 try_renewal; 2026-03-31T02:00:00Z disk-1 try_renewal; 2026-04-01T02:00:00Z disk-1 try_renewal; 2026-04-02T02:00:00Z disk-1 try_renewal;
                                                                                                                                                                                                   2026-04-03T02:00:00Z disk-1 try_renewal; 2026-04-04T02:00:00Z disk-1 try_renewal; 2026-04-05T02:00:00Z disk-1 try_renewal
        --
        difference  plans  done        would be
        price           2  218.00 CNY  198.00 CNY
        --
        at                    account  resource  command  difference  done        would be   answer followed                                                                                      answer of the other
        2026-01-29 02:00 UTC  vol      srv-1     renew    price       109.00 CNY  99.00 CNY  srv-1 extend to 2026-03-05T15:59:59Z for 1 month; disk-1 extend to 2026-03-05T15:59:59Z for 1 month  srv-1 extend to 2026-03-05T15:59:59Z for 1 month; disk-1 left out OperationDenied: it is renewed by itself
        2026-02-26 02:00 UTC  vol      srv-1     renew    price       109.00 CNY  99.00 CNY  srv-1 extend to 2026-04-05T15:59:59Z for 1 month; disk-1 extend to 2026-04-05T15:59:59Z for 1 month  srv-1 extend to 2026-04-05T15:59:59Z for 1 month; disk-1 left out OperationDenied: it is renewed by itself
        --
        shadow of volcengine for *: [digest] no longer
        active of volcengine for *: [digest] instead of [digest]
        revision [digest] was asked in shadow of [digest] about all accounts that it was bound to, from 2026-01-05T01:59:59Z to 2026-02-26T02:00:00Z: 13 answers, 9 otherwise, 0 failed; [fuel and time]
        questions about these accounts that it answered otherwise in the last 90 days:
          timeline: 3 different questions, 0.00 CNY done, 0.00 CNY would be
            vol srv-1, timeline
              done: nothing
              would be: 2026-01-29T02:00:00Z disk-1 try_renewal
                2026-01-30T02:00:00Z disk-1 try_renewal
                2026-01-31T02:00:00Z disk-1 try_renewal
                2026-02-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-02-26T02:00:00Z disk-1 try_renewal
                2026-02-27T02:00:00Z disk-1 try_renewal
                2026-02-28T02:00:00Z disk-1 try_renewal
                2026-03-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-03-29T02:00:00Z disk-1 try_renewal
                2026-03-30T02:00:00Z disk-1 try_renewal
                2026-03-31T02:00:00Z disk-1 try_renewal
                2026-04-01T02:00:00Z disk-1 try_renewal
                and 4 more
          price: 2 different questions, 218.00 CNY done, 198.00 CNY would be
            vol srv-1, renew
              done: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 extend to 2026-03-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
            vol srv-1, renew
              done: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 extend to 2026-04-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
        done
        --
        active of volcengine for *: [digest] instead of [digest]
        the revision before, [digest] was asked in shadow of [digest] about all accounts that it was bound to, from 2026-01-05T01:59:59Z to 2026-02-26T02:00:00Z: 13 answers, 9 otherwise, 0 failed; [fuel and time]
        questions about these accounts that it answered otherwise in the last 90 days:
          timeline: 3 different questions, 0.00 CNY done, 0.00 CNY would be
            vol srv-1, timeline
              done: nothing
              would be: 2026-01-29T02:00:00Z disk-1 try_renewal
                2026-01-30T02:00:00Z disk-1 try_renewal
                2026-01-31T02:00:00Z disk-1 try_renewal
                2026-02-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-02-26T02:00:00Z disk-1 try_renewal
                2026-02-27T02:00:00Z disk-1 try_renewal
                2026-02-28T02:00:00Z disk-1 try_renewal
                2026-03-01T02:00:00Z disk-1 try_renewal
                and 4 more
            vol srv-1, timeline
              done: nothing
              would be: 2026-03-29T02:00:00Z disk-1 try_renewal
                2026-03-30T02:00:00Z disk-1 try_renewal
                2026-03-31T02:00:00Z disk-1 try_renewal
                2026-04-01T02:00:00Z disk-1 try_renewal
                and 4 more
          price: 2 different questions, 218.00 CNY done, 198.00 CNY would be
            vol srv-1, renew
              done: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 extend to 2026-03-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-03-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
            vol srv-1, renew
              done: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 extend to 2026-04-05T15:59:59Z for 1 month
              would be: srv-1 extend to 2026-04-05T15:59:59Z for 1 month
                disk-1 left out OperationDenied: it is renewed by itself
        nothing was written: this was a dry run
    "#]].assert_eq(&told.join("--\n"));
}

#[test]
fn a_binding_says_which_parts_of_a_revision_are_not_followed() {
    let folder = Folder::new();
    folder.write("inventory.json", INVENTORY);
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
    other_huawei(&folder, "huawei.wasm");
    let installed = folder.run(&["plugin", "install", "huawei.wasm"]).succeeded().stdout();
    let digest = installed.split(' ').nth(1).unwrap().to_owned();
    expect![[r#"
        active of huawei for *: [digest] instead of [digest]
        revision [digest] was never asked in shadow
        not followed, and still of the plugin that the host loads: its connector, its provider's own API
        this matches no account that there is at present
        nothing was written: this was a dry run
    "#]]
    .assert_eq(&shown(&folder, &["plugin", "bind", &digest, "--mode", "active", "--dry-run"], 3));
}

/// Writes the bundled component of Huawei Cloud with an empty section at its end, which makes it another revision.
fn other_huawei(folder: &Folder, name: &str) {
    let bundled = BUNDLED.iter().find(|bundled| bundled.id == "huawei").unwrap();
    std::fs::write(folder.path(name), [bundled.component, &[0, 2, 1, b'x']].concat()).unwrap();
}

/// What the log of a host says when it starts about revisions that it brings.
fn log(folder: &Folder, words: &[&str]) -> String {
    let mut program = folder.program();
    program.args(words).args(["serve", "--virtual-clock", "2026-01-10"]);
    program.env("PERENNIAL_LISTEN", "127.0.0.1:0");
    let mut host = program.stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(host.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = told.take_while(|line| !line.contains("address=")).collect::<Vec<_>>();
    host.kill().unwrap();
    host.wait().unwrap();
    let lines = told.iter().filter(|line| line.contains("the host brings another revision"));
    let lines = lines.map(|line| {
        line.split_once(" WARN ").or(line.split_once("ERROR ")).map_or(&**line, |(_, said)| said)
    });
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
    let told = [&other[..], &["--config", "shadow.toml"], &[], &[], &["--plugin", "less.toml"]];
    let told = told.map(|words| log(&folder, words));
    expect![[r#"
        --
        the host brings another revision, which is asked in shadow: promote it with `perennial plugin promote` provider="huawei" before="[digest]" now="[digest]"
        the host brings another revision, which is asked in shadow: promote it with `perennial plugin promote` provider="volcengine" before="[digest]" now="[digest]"
        --
        the host brings another revision, which decides from now on provider="huawei" before="[digest]" now="[digest]"
        the host brings another revision, which decides from now on provider="volcengine" before="[digest]" now="[digest]"
        --
        --
        the host brings another revision, which does not take the settings of accounts; change them, then bind it with `perennial plugin bind` provider="volcengine" before="[digest]" now="[digest]" problems="`vol`: `try_hour` is not a setting; there are `fee_percent`, `grace`, `grace_renewal`, `refund_within`, `retention`, `retention_renewal`, `try_days`" decides="[digest]"
    "#]].assert_eq(&told.join("--\n"));
    let bindings = folder.run(&["plugin", "bindings", "--format", "csv"]).succeeded().stdout();
    let first = |line: &str| line.split(',').take(5).collect::<Vec<_>>().join(",");
    let bindings = bindings.lines().map(first).collect::<Vec<_>>().join("\n");
    // What was tried in shadow decides, and is not asked beside itself.
    expect![[r#"
        provider,accounts,mode,digest,origin
        baidu,*,active,[digest],loaded
        huawei,*,active,[digest],loaded
        volcengine,*,active,[digest],loaded"#]]
    .assert_eq(&crate::revisions::masked(&bindings));
}
