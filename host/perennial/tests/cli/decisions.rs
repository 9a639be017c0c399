//! `perennial explain` and `perennial replay`: why a resource is where it is, and whether what was decided is decided again.

use expect_test::expect;
use perennial_store::clock::ClockKind;
use perennial_store::decisions;
use perennial_store::keys::RowKey;
use perennial_store::testing;
use serde_json::Value;

use crate::sample::INVENTORY;
use crate::support::Folder;

/// A folder whose database has lived on virtual time until an instant.
fn played(until: &str) -> Folder {
    let folder = Folder::new();
    let mut engine = folder.engine("perennial.db", INVENTORY).with_clock(ClockKind::Virtual);
    engine.run_to(until.parse().unwrap(), &mut |_, _| {}).unwrap();
    folder
}

#[test]
fn a_resource_is_explained_in_words() {
    let folder = played("2026-01-26T00:00:00Z");
    let explained = folder.run(&["explain", "bcc-1", "--time-zone", "provider"]).succeeded().stdout();
    expect![[r#"
        bcc-1  acme-bd, retention: declined
          `bcc-1` is in retention since 2026-01-25 12:00 +08:00: it expired at 2026-01-25 12:00 +08:00, was not renewed, and is stopped or frozen; its data is kept.
          Its renewal was declined 4 times in this period, last at 2026-01-25 09:00 +08:00, for want of money: the balance does not suffice; top the account up before the next try or renew again: 60.00 CNY needed, 5.00 available (OperationDenied).
          It came there from active at 2026-01-25 12:00 +08:00, as it was due.
        next
          At 2026-01-31 12:00 +08:00 its owner is told: the resource and its data are deleted tomorrow.
            retention_days = 7, the default: days for which data is kept after the expiry, 1 to 30 [Automatic renewal]
          At 2026-02-01 12:00 +08:00 it is released, with whatever it holds.
            retention_days = 7, the default: days for which data is kept after the expiry, 1 to 30 [Automatic renewal]
        last
          The last decision, 5, was made at 2026-01-25 09:00 +08:00: `baidu` was asked to `renew` `bcc-1`, and planned 1 step.
    "#]].assert_eq(&explained);
    let narrow = folder.run(&["--width", "60", "explain", "evs-1"]).succeeded().stdout();
    expect![[r#"
        evs-1  acme-hw, active: renews with primary
          `evs-1` is active: it is paid for until 2026-02-28 15:59
          UTC.
          It is renewed together with `ecs-1`, to which it is
          attached.
        next
          At 2026-02-20 19:00 UTC the renewal of `ecs-1`, to which
          it is attached, is tried; the plan costs 109.00 CNY, and
          pays for it until 2026-03-31 15:59 UTC.
            deduction_days = 7, the default: The first automatic
              renewal is tried this many days before expiry, 2 to 7
              [api_order_00022, api_order_00031]
          At 2026-02-28 15:59 UTC, unless it is renewed before, it
          expires and goes on serving: grace begins.
            grace_days = not set: Days of grace, 0 to 365; unset,
              those of the site and tier [zh-cn_topic_0086671074]
          At 2026-03-15 15:59 UTC, unless it is renewed before, it
          is stopped or frozen, with its data kept: retention
          begins.
            site = intl: The legal site: cn, intl or eu; decides
              on grace, retention and full refunds
              [zh-cn_topic_0086671074]
            grace_days = not set: Days of grace, 0 to 365; unset,
              those of the site and tier [zh-cn_topic_0086671074]
            retention_days = not set: Days of retention, 0 to 365;
              unset, those of the site and tier
              [zh-cn_topic_0086671074]
          At 2026-03-30 15:59 UTC, unless it is renewed before, it
          is released, with whatever it holds.
            site = intl: The legal site: cn, intl or eu; decides
              on grace, retention and full refunds
              [zh-cn_topic_0086671074]
            grace_days = not set: Days of grace, 0 to 365; unset,
              those of the site and tier [zh-cn_topic_0086671074]
            retention_days = not set: Days of retention, 0 to 365;
              unset, those of the site and tier
              [zh-cn_topic_0086671074]
        last
          The last decision, 3, was made at 2026-01-23 19:00 UTC:
          `huawei` was asked to `renew` `ecs-1`, and planned 2
          steps.
    "#]]
    .assert_eq(&narrow);
}

#[test]
fn an_explanation_for_programs_is_that_of_the_admin_api() {
    let folder = played("2026-01-26T00:00:00Z");
    let json = folder.run(&["explain", "ecs-1", "--format", "json"]).succeeded().stdout();
    let explained: Value = serde_json::from_str(&json).unwrap();
    let fields = explained.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    expect![[r#"
        account at last_decision last_ruling next provider reasons resource since situation stage text
    "#]]
    .assert_eq(&format!("{}\n", fields.join(" ")));
    assert_eq!(explained["situation"], "renews");
    let unknown = folder.run(&["explain", "ecs-9"]);
    assert!(
        unknown.code() == 2 && unknown.stderr().contains("there is no resource `ecs-9`"),
        "{}",
        unknown.stderr()
    );
}

#[test]
fn every_decision_is_answered_again_and_a_changed_one_is_named() {
    let folder = played("2026-03-10T00:00:00Z");
    let words = folder.run(&["replay", "--all"]).succeeded().stdout();
    expect![[r#"
        6 decisions: 6 answered the same, 0 otherwise, 0 not replayable
    "#]]
    .assert_eq(&words);
    let db = testing::open(&folder.path("perennial.db"));
    let kept = decisions::list(&db, RowKey::before_all(), 1_000).unwrap();
    let (one, other) = (&kept[0], kept.iter().find(|other| other.response != kept[0].response).unwrap());
    testing::set_response(&db, one.row, &testing::response(&db, other.row));
    let ran = folder.run(&["replay", "--all"]);
    assert_eq!(ran.code(), 1, "{}", ran.stderr());
    assert!(ran.stderr().contains("1 decision answered otherwise than is kept"), "{}", ran.stderr());
    let named = format!("decision {} of {} on {}", one.row, one.plugin, one.resource);
    assert!(ran.stdout().contains(&named), "{}", ran.stdout());
    let ran = folder.run(&["replay", &one.row.to_string(), "--format", "json"]);
    assert_eq!(ran.code(), 1);
    let json: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(
        (&json["different"], &json["differences"][0]["resource"]),
        (&1.into(), &one.resource.as_str().into())
    );
    assert_eq!(json["differences"][0]["answer"], one.response.as_ref().unwrap().as_str());
    testing::set_response(&db, one.row, b"");
    let damaged = folder.run(&["replay", &one.row.to_string()]);
    assert_eq!(damaged.code(), 1);
    assert!(damaged.stdout().contains("its answer is damaged: it is empty"), "{}", damaged.stdout());
    folder.run(&["replay", &other.row.to_string()]).succeeded();
}

#[test]
fn what_another_revision_decided_is_counted_and_no_failure() {
    let folder = played("2026-03-10T00:00:00Z");
    testing::set_revisions(&testing::open(&folder.path("perennial.db")), "baidu", "0123");
    let words = folder.run(&["replay", "--all"]).succeeded().stdout();
    expect![[r#"
        6 decisions: 2 answered the same, 0 otherwise, 4 not replayable
        not replayable: 4 decisions: it was made by revision 0123 of `baidu`, which is neither loaded nor kept
    "#]]
    .assert_eq(&words);
    let json = folder.run(&["replay", "--all", "--format", "json"]).succeeded().stdout();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["not_replayable"], json["not_replayable_reasons"][0]["decisions"]);
    let unknown = folder.run(&["replay", "4711"]);
    assert_eq!(unknown.code(), 2);
    assert!(
        unknown.stderr().contains("there is no decision 4711; the oldest that is kept is 1"),
        "{}",
        unknown.stderr()
    );
    let neither = folder.run(&["replay"]);
    assert_eq!(neither.code(), 2, "{}", neither.stderr());
}

#[test]
fn a_resource_is_explained_in_chinese() {
    let folder = played("2026-01-26T00:00:00Z");
    let explained = folder.run(&["explain", "bcc-1", "--language", "zh-CN"]).succeeded().stdout();
    expect![[r#"
        bcc-1  acme-bd, retention: declined
          `bcc-1` 处于保留期（自 2026-01-25 04:00 UTC 起）：已于 2026-01-25 04:00 UTC 到期，未续费，已停机或冻结；数据保留。
          本周期续费失败 4 次，最近一次在 2026-01-25 01:00 UTC，余额不足：the balance does not suffice; top the account up before the next try or renew again: 60.00 CNY needed, 5.00 available（OperationDenied）。
          它于 2026-01-25 04:00 UTC 按期从使用中进入此阶段。
        接下来
          2026-01-31 04:00 UTC：通知所有者：the resource and its data are deleted tomorrow。
            retention_days = 7, the default: days for which data is kept after the expiry, 1 to 30 [Automatic renewal]
          2026-02-01 04:00 UTC：连同其内容一起释放。
            retention_days = 7, the default: days for which data is kept after the expiry, 1 to 30 [Automatic renewal]
        最近
          最近的决策 5 作于 2026-01-25 01:00 UTC：就 `bcc-1` 向 `baidu` 询问 `renew`，计划了 1 个步骤。
    "#]].assert_eq(&explained);
    let explained = folder.run(&["explain", "evs-1", "--language", "zh-CN"]).succeeded().stdout();
    expect![[r#"
        evs-1  acme-hw, active: renews with primary
          `evs-1` 使用中：已付费至 2026-02-28 15:59 UTC。
          它随所挂载的 `ecs-1` 一起续费。
        接下来
          2026-02-20 19:00 UTC：尝试续费所挂载的 `ecs-1`；计划费用 109.00 CNY，可续至 2026-03-31 15:59 UTC。
            deduction_days = 7, the default: The first automatic renewal is tried this many days before expiry, 2 to 7 [api_order_00022, api_order_00031]
          2026-02-28 15:59 UTC（如果此前没有续费）：到期，仍可使用：进入宽限期。
            grace_days = not set: Days of grace, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]
          2026-03-15 15:59 UTC（如果此前没有续费）：停机或冻结，数据保留：进入保留期。
            site = intl: The legal site: cn, intl or eu; decides on grace, retention and full refunds [zh-cn_topic_0086671074]
            grace_days = not set: Days of grace, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]
            retention_days = not set: Days of retention, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]
          2026-03-30 15:59 UTC（如果此前没有续费）：连同其内容一起释放。
            site = intl: The legal site: cn, intl or eu; decides on grace, retention and full refunds [zh-cn_topic_0086671074]
            grace_days = not set: Days of grace, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]
            retention_days = not set: Days of retention, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]
        最近
          最近的决策 3 作于 2026-01-23 19:00 UTC：就 `ecs-1` 向 `huawei` 询问 `renew`，计划了 2 个步骤。
    "#]].assert_eq(&explained);
}

#[test]
fn a_script_that_was_changed_past_the_host_is_noticed() {
    let folder = Folder::new();
    folder.write("inventory.json", INVENTORY);
    folder.run(&["import", "--accept-expired", "inventory.json"]).succeeded();
    folder.write("no.rhai", "fn rule(plan) { deny(\"no\") }");
    folder.write("no.toml", "[[policy]]\nname = \"no\"\nscript = \"no.rhai\"\n");
    folder.run(&["policy", "install", "no.toml"]).succeeded();
    folder.run(&["db", "check"]).succeeded();
    testing::set_scripts(&testing::open(&folder.path("perennial.db")), "fn rule(plan) { approve() }");
    let checked = folder.run(&["--width", "200", "db", "check"]);
    assert_eq!(checked.code(), 1, "{}", checked.stderr());
    let promise = "every script and component is what its digest says";
    assert!(checked.stdout().contains(promise), "{}", checked.stdout());
    let started = folder.run(&["run"]);
    assert_eq!(started.code(), 2, "{}", started.stderr());
    assert!(started.stderr().contains("the script of the policy `no`"), "{}", started.stderr());
    folder.run(&["policy", "remove", "no", "--yes"]).succeeded();
    folder.run(&["policy", "install", "no.toml"]).succeeded();
    folder.run(&["db", "check"]).succeeded();
}
