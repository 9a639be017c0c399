//! `perennial plugin test --record`: what a host decided becomes cases.

use expect_test::expect;
use perennial_sandbox::BUNDLED;
use perennial_store::clock::ClockKind;

use crate::sample::INVENTORY;
use crate::support::Folder;

/// A folder whose database has lived for two months by the bundled rules, which are in files as well.
fn played() -> Folder {
    let folder = Folder::new();
    let mut engine = folder.engine("perennial.db", INVENTORY).with_clock(ClockKind::Virtual);
    engine.run_to("2026-03-10T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    for bundled in BUNDLED {
        std::fs::write(folder.path(&format!("{}.wasm", bundled.id)), bundled.component).unwrap();
    }
    folder
}

#[test]
fn what_a_host_decided_is_recorded_and_holds_for_the_same_rules() {
    let folder = played();
    let record = |plugin: &str, more: &[&str]| {
        let cases = format!("{plugin}.toml");
        let file = format!("{plugin}.wasm");
        folder.run(&[&["plugin", "test", &file, "--cases", &cases, "--record"], more].concat())
    };
    let first = record("baidu", &[]).succeeded().stdout();
    let again = record("baidu", &[]).succeeded().stdout();
    let one = record("huawei", &["--resource", "ecs-1", "--record-limit", "1"]).succeeded().stdout();
    expect![[r#"
        recorded 4 decisions; 0 were there already, and 0 are about what no case states
        ok      decision 1
        ok      decision 2
        ok      decision 4
        ok      decision 5
        4 cases, 0 failed
        --
        recorded 0 decisions; 4 were there already, and 0 are about what no case states
        ok      decision 1
        ok      decision 2
        ok      decision 4
        ok      decision 5
        4 cases, 0 failed
        --
        recorded 1 decisions; 0 were there already, and 0 are about what no case states
        ok      decision 3
        1 case, 0 failed
    "#]]
    .assert_eq(&[first, again, one].join("--\n"));
    expect![[r##"
        # What a host decided. Each case is a question that it asked, with the answer that it followed.

        [[case]]
        name = "decision 3"
        settings = { site = "intl" }
        resources = [
            { anchor_day = 31, charging = "prepaid", expires_at = "2026-01-31T15:59:59Z", id = "ecs-1", kind = "ecs", on_expiry = "renew", price = "99.00", region = "cn-north-4", stage = "active", started_at = "2025-12-31T02:00:00Z", term = { count = 1, unit = "month" } },
            { anchor_day = 31, attached_to = "ecs-1", charging = "prepaid", expires_at = "2026-01-31T15:59:59Z", id = "evs-1", kind = "evs", on_expiry = "renew", price = "10.00", region = "cn-north-4", stage = "active", started_at = "2025-12-31T02:00:00Z", term = { count = 1, unit = "month" } },
        ]
        at = "2026-01-23T19:00:00Z"
        command = { renew = {} }
        automatic = true
        answer = """
        ecs-1 extend to 2026-02-28T15:59:59Z for 1 month
        evs-1 extend to 2026-02-28T15:59:59Z for 1 month
        """
    "##]].assert_eq(&std::fs::read_to_string(folder.path("huawei.toml")).unwrap());
}

#[test]
fn other_rules_than_those_that_decided_fail_the_cases() {
    let folder = played();
    folder.run(&["plugin", "test", "baidu.wasm", "--cases", "c.toml", "--record"]).succeeded();
    let table = include_str!("../../../../plugins/declared/tables/nimbus.toml");
    let other = table.replace("id = \"nimbus\"", "id = \"baidu\"").replace("[kinds.server]", "[kinds.bcc]");
    folder.write(
        "other.toml",
        &other.replace("label = \"Server\"", "label = \"Server\"\nterms = [\"1 year\"]"),
    );
    let ran = folder.run(&["plugin", "test", "other.toml", "--cases", "c.toml"]);
    assert_eq!(ran.code(), 1, "{}{}", ran.stdout(), ran.stderr());
    let nothing = folder.run(&["plugin", "test", "other.toml", "--resource", "bcc-1"]);
    assert_eq!(nothing.code(), 2, "`--resource` is for what is recorded: {}", nothing.stderr());
}
