//! Why a resource is where it is: one resource for each stage and for each thing that its future may depend on.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::selector::Selector;
use perennial_engine::Retention;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_engine::explanation;
use perennial_engine::explanation::Reader;
use perennial_engine::policies::Policies;
use perennial_engine::rules::Providers;
use perennial_formats::explanation::ExplanationView;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;
use perennial_test_support::plugins;
use serde_json::Value;
use serde_json::json;

use crate::failing;
use crate::host::Host;
use crate::host::at;
use crate::host::providers;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::World;

/// For whom everything is explained here.
const READER: Reader = Reader { zone: TimeZone::UTC, language: Language::English };
/// When everything is explained: 2026-02-20T06:30:00Z.
const NOW: i64 = FROM + 31 * DAY;

/// A server of `account` that expires on a day of 2026, such as `02-25`.
fn server(id: &str, account: &str, day: &str, rest: Value) -> Value {
    let mut resource = json!({
        "id": id, "account": account, "kind": "ecs", "region": "r", "charging": "prepaid",
        "started_at": "2026-01-01T02:00:00Z", "expires_at": format!("2026-{day}T15:59:59Z"),
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew",
    });
    resource.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    resource
}

fn account(id: &str, balance: &str, rest: Value) -> Value {
    let mut account =
        json!({ "id": id, "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": balance });
    account.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    account
}

fn world() -> World {
    let tagged = |rule: &str| json!({ "tags": { "rule": rule } });
    let disk = |day: &str, on_expiry: &str| {
        json!({ "kind": "evs", "attached_to": "renews", "price": "10.00", "on_expiry": on_expiry,
                "expires_at": format!("2026-{day}T15:59:59Z") })
    };
    let resources = json!([
        server("renews", "rich", "03-10", json!({ "renewals_left": 4 })),
        server("disk", "rich", "03-10", disk("03-10", "lapse")),
        server("disk-later", "rich", "06-10", disk("06-10", "lapse")),
        server("renewed", "rich", "02-10", json!({})),
        server("off", "rich", "03-10", json!({ "on_expiry": "lapse" })),
        server("converts", "rich", "03-10", json!({ "on_expiry": "convert" })),
        server("releases", "rich", "03-10", json!({ "on_expiry": "release" })),
        server("ordered", "rich", "03-10", json!({})),
        server("grace", "rich", "02-10", json!({ "on_expiry": "lapse" })),
        server("retention", "rich", "01-25", json!({ "on_expiry": "lapse" })),
        server("late", "rich", "02-10", json!({ "stage": "grace" })),
        server("released", "brief", "01-25", json!({ "on_expiry": "lapse" })),
        server("unsubscribed", "rich", "03-10", json!({})),
        server("converted", "rich", "02-10", json!({ "on_expiry": "convert" })),
        { "id": "pay-per-use", "account": "rich", "kind": "ecs", "region": "r", "charging": "postpaid",
          "started_at": "2026-01-01T02:00:00Z" },
        server("declined", "poor", "02-25", json!({})),
        server("declined-disk", "poor", "02-25", json!({ "kind": "evs", "attached_to": "declined", "price": "10.00" })),
        server("held", "careful", "02-25", json!({})),
        server("rejected", "careful", "02-24", json!({})),
        server("limited", "careful", "03-10", json!({})),
        server("denied", "ruled", "02-25", tagged("deny")),
        server("deferred", "ruled", "02-25", tagged("defer")),
        server("asked", "ruled", "02-25", tagged("ask")),
        server("amended", "ruled", "02-25", tagged("amend")),
        server("failed", "ruled", "02-28", tagged("fail")),
    ]);
    let order =
        json!({ "renew": { "term": { "count": 1, "unit": "month" }, "options": { "is_auto_pay": "0" } } });
    let scenario = json!([
        { "at": "2026-02-01T00:00:00Z", "do": "command", "resource": "unsubscribed",
          "command": { "unsubscribe": { "scope": "all" } } },
        { "at": "2026-02-18T00:00:00Z", "do": "command", "resource": "ordered", "command": order },
    ]);
    let accounts = json!([
        account("rich", "9000.00", json!({ "settings": { "deduction_days": "5" } })),
        account("brief", "9000.00", json!({ "settings": { "grace_days": "1", "retention_days": "1" } })),
        account("poor", "30.00", json!({})),
        account("careful", "900.00", json!({ "approval_above": "50.00" })),
        account("ruled", "900.00", json!({ "settings": { "on_undecided": "renew" } })),
    ]);
    World {
        inventory: json!({ "accounts": accounts, "resources": resources }).to_string(),
        scenario: scenario.to_string(),
    }
}

const SCRIPT: &str = r#"
fn rule(plan) {
    switch tag(plan.resource, "rule") {
        "deny" => deny("the project ends in March."),
        "defer" => defer(add_days(plan.at, 4), "after the freeze"),
        "ask" => require_approval("finance decides", #{ by: "finance" }),
        "amend" => amend(#{ term: #{ count: 3, unit: "month" } }, "by the quarter"),
        "fail" => throw "no rule for it",
        _ => approve(),
    }
}
"#;

/// The bundled rules, under a policy that rules by a tag.
fn ruled() -> Providers {
    let policy = Policy {
        name: "by-tag".to_owned(),
        script: "by-tag.rhai".to_owned(),
        text: SCRIPT.to_owned(),
        rank: RANK_DEFAULT,
        mode: PolicyMode::Active,
        selector: Selector::default(),
        on_failure: OnFailure::Default,
    };
    let set = PolicySet { policies: vec![policy], calendars: Vec::new() };
    let policies = Policies::fixed(plugins::interpreter(), set);
    providers().with_policies(Arc::new(policies))
}

fn explain(host: &Host, providers: &Providers, id: &str) -> ExplanationView {
    explanation::explain(host.db(), providers, id, at(NOW), READER).unwrap().unwrap()
}

/// The explanations of these resources.
fn shown(host: &Host, providers: &Providers, ids: &[&str]) -> String {
    let mut shown = String::new();
    for id in ids {
        let explained = explain(host, providers, id);
        shown += &format!("{id}: {}, {}\n", explained.stage, explained.situation);
        for text in explained.text {
            shown += &format!("  {text}\n");
        }
    }
    shown
}

fn played() -> (Host, Providers) {
    let providers = ruled();
    let mut host = Host::with(&world(), providers.clone(), 8_192, Retention::Everything);
    host.play(FROM, NOW);
    let decision = ApprovalDecision {
        decided_by: "alice",
        reason: Some("it is replaced"),
        plan_hash: None,
        labels: ApproverLabels::All,
    };
    host.engine.reject(at(NOW), "rejected~1", &decision).unwrap();
    (host, providers)
}

#[test]
fn each_stage_is_explained() {
    let (host, providers) = played();
    let ids = ["renewed", "grace", "retention", "released", "unsubscribed", "converted", "pay-per-use"];
    expect![[r#"
        renewed: active, renews
          `renewed` is active: it is paid for until 2026-03-10 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month.
          At 2026-03-04 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `5`.)
          At 2026-03-05 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `5`, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 5, was made at 2026-02-04 19:00 UTC: `huawei` was asked to `renew` `renewed`, and planned 1 step.
          Policies were asked last about `renewed` at 2026-02-04 19:00 UTC, in decision 6: `by-tag` ruled approve.
        grace: grace, auto_renew_off
          `grace` is in grace since 2026-02-10 15:59 UTC: it expired at 2026-02-10 15:59 UTC, was not renewed, and goes on serving.
          Auto-renew is off. Nobody renews it but a person.
          It came there from active at 2026-02-10 15:59 UTC, as it was due. (By settings: `grace_days` is not set.)
          At 2026-02-25 15:59 UTC it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-12 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        retention: retention, auto_renew_off
          `retention` is in retention since 2026-02-09 15:59 UTC: it expired at 2026-01-25 15:59 UTC, was not renewed, and is stopped or frozen; its data is kept.
          Auto-renew is off. Nobody renews it but a person.
          It came there from grace at 2026-02-09 15:59 UTC, as it was due. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-02-24 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        released: released, ended
          `released` is released since 2026-01-27 15:59 UTC: it is gone, with whatever it held.
          Nothing happens to it any more by itself.
        unsubscribed: unsubscribed, ended
          `unsubscribed` is unsubscribed since 2026-02-01 00:00 UTC, and 99.00 CNY came back for it.
          Nothing happens to it any more by itself.
          The last decision, 1, was made at 2026-02-01 00:00 UTC: `huawei` was asked to `unsubscribe` `unsubscribed`, and planned 1 step.
          Policies were asked last about `unsubscribed` at 2026-02-01 00:00 UTC, in decision 2: `by-tag` ruled approve.
        converted: converted, ended
          `converted` is pay-per-use since 2026-02-10 15:59 UTC: nothing of it is paid ahead any more.
          Nothing happens to it any more by itself.
        pay-per-use: active, pay_per_use
          `pay-per-use` is active and pay-per-use: nothing of it is paid ahead, so it does not expire.
          The clock has nothing to do with what is pay-per-use.
    "#]].assert_eq(&shown(&host, &providers, &ids));
}

#[test]
fn what_a_renewal_depends_on_is_explained() {
    let (host, providers) = played();
    let ids = [
        "renews",
        "disk",
        "disk-later",
        "off",
        "converts",
        "releases",
        "ordered",
        "late",
        "declined",
        "declined-disk",
        "held",
        "rejected",
        "limited",
    ];
    expect![[r#"
        renews: active, renews
          `renews` is active: it is paid for until 2026-03-10 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month, 4 times more.
          At 2026-03-04 19:00 UTC its renewal is tried; the plan costs 109.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `5`.)
          At 2026-03-05 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `5`, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        disk: active, renews_with_primary
          `disk` is active: it is paid for until 2026-03-10 15:59 UTC.
          It is renewed together with `renews`, to which it is attached.
          At 2026-03-04 19:00 UTC the renewal of `renews`, to which it is attached, is tried; the plan costs 109.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `5`.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        disk-later: active, auto_renew_off
          `disk-later` is active: it is paid for until 2026-06-10 15:59 UTC.
          Auto-renew is off; the renewal of `renews`, to which it is attached, leaves it out: it lasts as long as the resource that it is attached to, without this renewal (CBC.99000092). Nobody renews it but a person.
          At 2026-03-04 19:00 UTC the renewal of `renews`, to which it is attached, is tried; the plan costs 109.00 CNY; policies asked before that: `by-tag`. (By settings: `deduction_days` is `5`.)
          At 2026-06-03 01:00 UTC its owner is told: Expires in 15, 7, 3 or 1 days and is not renewed automatically. (By settings: `notice_hour` is `9` by default.)
          At 2026-06-10 15:59 UTC it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-06-25 15:59 UTC it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-07-10 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        off: active, auto_renew_off
          `off` is active: it is paid for until 2026-03-10 15:59 UTC.
          Auto-renew is off. Nobody renews it but a person.
          At 2026-03-03 01:00 UTC its owner is told: Expires in 15, 7, 3 or 1 days and is not renewed automatically. (By settings: `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
        converts: active, converts
          `converts` is active: it is paid for until 2026-03-10 15:59 UTC.
          It is set to become pay-per-use when it expires.
          At 2026-03-10 15:59 UTC it becomes pay-per-use.
        releases: active, releases
          `releases` is active: it is paid for until 2026-03-10 15:59 UTC.
          It is set to be released when it expires.
          At 2026-03-07 01:00 UTC its owner is told: Expires in 15, 7, 3 or 1 days and is not renewed automatically. (By settings: `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC it is released, with whatever it holds.
        ordered: active, awaits_payment
          `ordered` is active: it is paid for until 2026-03-10 15:59 UTC.
          Its order `ordered/2026-03-10T15:59:59Z/1month`, made at 2026-02-18 00:00 UTC, waits to be paid until 2026-02-25 00:00 UTC; meanwhile the provider renews it in no other way.
          After 2026-02-25 00:00 UTC the order can no longer be paid, and expires.
          At 2026-03-04 19:00 UTC its renewal is tried; policies asked before that: `by-tag`. But as it looks now the provider refuses it: the resource is in an order that is not paid; pay or cancel that order first (CBC.99003100). (By settings: `deduction_days` is `5`.)
          At 2026-03-05 01:00 UTC its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `5`, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 25, was made at 2026-02-18 00:00 UTC: `huawei` was asked to `renew` `ordered`, and planned 1 step.
          Policies were asked last about `ordered` at 2026-02-18 00:00 UTC, in decision 26: `by-tag` ruled approve.
        late: active, renews
          `late` is active: it is paid for until 2026-03-10 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month.
          It came there from grace at 2026-01-20 06:29 UTC, because it is paid for.
          At 2026-03-04 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `5`.)
          At 2026-03-05 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `5`, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 3, was made at 2026-02-04 19:00 UTC: `huawei` was asked to `renew` `late`, and planned 1 step.
          Policies were asked last about `late` at 2026-02-04 19:00 UTC, in decision 4: `by-tag` ruled approve.
        declined: active, declined
          `declined` is active: it is paid for until 2026-02-25 15:59 UTC.
          Its renewal was declined 3 times in this period, last at 2026-02-19 19:00 UTC, for want of money: the payment failed: the balance does not suffice; top up the account: 109.00 CNY needed, 30.00 available (CBC.30050006).
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 109.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. But as it looks now the balance does not suffice: 109.00 CNY needed, 30.00 CNY available. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 41, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `declined`, and planned 2 steps.
          Policies were asked last about `declined` at 2026-02-19 19:00 UTC, in decision 42: `by-tag` ruled approve.
        declined-disk: active, declined
          `declined-disk` is active: it is paid for until 2026-02-25 15:59 UTC.
          Its renewal was declined 3 times in this period, last at 2026-02-19 19:00 UTC, for want of money: the payment failed: the balance does not suffice; top up the account: 109.00 CNY needed, 30.00 available (CBC.30050006).
          At 2026-02-20 19:00 UTC the renewal of `declined`, to which it is attached, is tried; the plan costs 109.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. But as it looks now the balance does not suffice: 109.00 CNY needed, 30.00 CNY available. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 41, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `declined`, and planned 2 steps.
          Policies were asked last about `declined` at 2026-02-19 19:00 UTC, in decision 42: `by-tag` ruled approve.
        held: active, awaits_approval
          `held` is active: it is paid for until 2026-02-25 15:59 UTC.
          Its automatic renewal for 99.00 CNY waits for the approval `held~1` until 2026-02-24 18:59 UTC, because it costs more than `approval_above`, 50.00 CNY.
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. But as it looks now it waits for the approval `held~1`, and the try does nothing before that. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-24 18:59 UTC the approval ends: if nobody has decided, it is not renewed in this period (`on_undecided` is `lapse`).
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 37, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `held`, and planned 1 step.
          Policies were asked last about `held` at 2026-02-19 19:00 UTC, in decision 38: `by-tag` ruled approve.
        rejected: active, rejected
          `rejected` is active: it is paid for until 2026-02-24 15:59 UTC.
          `alice` rejected its renewal (`rejected~1`) at 2026-02-20 06:30 UTC: it is replaced. The clock does not ask for it again in this period; a person may renew it.
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-24 15:59 UTC; policies asked before that: `by-tag`. But as it looks now nobody approved of it in this period, and the try does nothing. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-22 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-24 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-11 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-26 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 39, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `rejected`, and planned 1 step.
          Policies were asked last about `rejected` at 2026-02-19 19:00 UTC, in decision 40: `by-tag` ruled approve.
        limited: active, renews
          `limited` is active: it is paid for until 2026-03-10 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month.
          At 2026-03-02 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`. But as it looks now it waits for an approval then, because it costs more than `approval_above`, 50.00 CNY. (By settings: `deduction_days` is `7` by default.)
          At 2026-03-05 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `7` by default, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
    "#]].assert_eq(&shown(&host, &providers, &ids));
}

#[test]
fn each_ruling_of_a_policy_is_explained() {
    let (host, providers) = played();
    expect![[r#"
        denied: active, denied
          `denied` is active: it is paid for until 2026-02-25 15:59 UTC.
          The policy `by-tag` denied its renewal at 2026-02-19 19:00 UTC: the project ends in March. It is asked again at the next try.
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 45, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `denied`, and planned 1 step.
          Policies were asked last about `denied` at 2026-02-19 19:00 UTC, in decision 46: `by-tag` ruled deny (the project ends in March).
        deferred: active, deferred
          `deferred` is active: it is paid for until 2026-02-25 15:59 UTC.
          The policy `by-tag` put its renewal off until 2026-02-21 19:00 UTC: after the freeze.
          At 2026-02-21 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 21, was made at 2026-02-17 19:00 UTC: `huawei` was asked to `renew` `deferred`, and planned 1 step.
          Policies were asked last about `deferred` at 2026-02-17 19:00 UTC, in decision 22: `by-tag` ruled defer (after the freeze).
        asked: active, awaits_approval
          `asked` is active: it is paid for until 2026-02-25 15:59 UTC.
          Its automatic renewal for 99.00 CNY waits for the approval `asked~1` until 2026-02-24 18:59 UTC, because the policy `by-tag` requires one by `finance`: finance decides.
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-25 15:59 UTC; policies asked before that: `by-tag`. But as it looks now it waits for the approval `asked~1`, and the try does nothing before that. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-24 18:59 UTC the approval ends: if nobody has decided, it is renewed all the same (`on_undecided` is `renew`).
          At 2026-02-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 43, was made at 2026-02-19 19:00 UTC: `huawei` was asked to `renew` `asked`, and planned 1 step.
          Policies were asked last about `asked` at 2026-02-19 19:00 UTC, in decision 44: `by-tag` ruled require approval (finance decides).
        amended: active, renews
          `amended` is active: it is paid for until 2026-05-25 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month.
          At 2026-05-17 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-06-25 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `7` by default.)
          At 2026-05-20 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `7` by default, `notice_hour` is `9` by default.)
          At 2026-05-25 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-06-09 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-06-24 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          The last decision, 18, was made at 2026-02-17 19:00 UTC: `huawei` was asked to `renew` `amended`, and planned 1 step.
          Policies were asked last about `amended` at 2026-02-17 19:00 UTC, in decision 17: `by-tag` ruled amend (by the quarter).
        failed: active, renews
          `failed` is active: it is paid for until 2026-02-28 15:59 UTC.
          Auto-renew is on: the clock renews it for 1 month.
          At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-28 15:59 UTC; policies asked before that: `by-tag`. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `7` by default, `notice_hour` is `9` by default.)
          At 2026-02-28 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-15 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-30 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
    "#]].assert_eq(&shown(&host, &providers, &["denied", "deferred", "asked", "amended", "failed"]));
}

#[test]
fn what_no_clock_has_looked_at_and_what_has_no_plugin_is_explained() {
    let host = Host::new(&world());
    let waiting = shown(&host, &providers(), &["renews"]);
    expect![[r#"
        renews: active, awaits_clock
          `renews` is active: it is paid for until 2026-03-10 15:59 UTC.
          It was imported and waits for a clock: `perennial run` or `perennial serve` looks at it before anything else, as of the instant at which it starts.
          At 2026-03-04 19:00 UTC its renewal is tried; the plan costs 109.00 CNY, and pays for it until 2026-04-10 15:59 UTC. (By settings: `deduction_days` is `5`.)
          At 2026-03-05 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `5`, `notice_hour` is `9` by default.)
          At 2026-03-10 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-25 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-04-09 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
    "#]].assert_eq(&waiting);
    expect![[r#"
        renews: active, plugin_missing
          `renews` is active: it is paid for until 2026-03-10 15:59 UTC.
          No plugin of `huawei` is loaded, so nothing that is due for it is done; load one with `--plugin FILE`.
    "#]].assert_eq(&shown(&host, &Providers::default(), &["renews"]));
}

#[test]
fn a_plugin_that_fails_is_explained_with_its_next_call() {
    let mut numbered = world();
    numbered.inventory = numbered.inventory.replace("declined", "server-1");
    let (mut host, is_broken) = failing::fragile_plans(&numbered);
    host.play(FROM, NOW);
    assert!(is_broken.load(std::sync::atomic::Ordering::Relaxed));
    let providers = host.engine.providers().clone();
    expect![[r#"
        server-1: active, parked
          `server-1` is active: it is paid for until 2026-02-25 15:59 UTC.
          The plugin of `huawei` gives no usable answer about it, so it stays as it is, whatever is due: plugin `huawei` crashed in `make-plans`: wasm `unreachable`; report the input of the call to its author. It is parked since 2026-02-17 19:15 UTC: the plugin is asked about it again from time to time, as soon as another revision of it decides, and when somebody releases it with `perennial plugin release`.
          At 2026-02-20 09:31 UTC the plugin is asked again; what was due by then is made up for.
          At 2026-02-20 19:00 UTC its renewal is tried. But as it looks now the plugin gives no usable answer. (By settings: `deduction_days` is `7` by default.)
          At 2026-02-23 01:00 UTC its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `notice_hour` is `9` by default.)
          At 2026-02-25 15:59 UTC it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)
          At 2026-03-12 15:59 UTC it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
          At 2026-03-27 15:59 UTC it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)
    "#]].assert_eq(&shown(&host, &providers, &["server-1"]));
}

#[test]
fn an_explanation_names_rule_setting_policy_and_instant_as_fields() {
    let (host, providers) = played();
    let of = |id: &str| serde_json::to_value(explain(&host, &providers, id)).unwrap();
    let renews = of("renews");
    expect![[r#"
        {
          "action": "try_renewal",
          "at": "2026-03-04T19:00:00Z",
          "cost": "109.00",
          "obstacle": null,
          "policies": [
            "by-tag"
          ],
          "resource": "renews",
          "settings": [
            {
              "document": "api_order_00022, api_order_00031",
              "is_default": false,
              "name": "deduction_days",
              "rule": "The first automatic renewal is tried this many days before expiry, 2 to 7",
              "value": "5"
            }
          ],
          "stage": null,
          "text": "At 2026-03-04 19:00 UTC its renewal is tried; the plan costs 109.00 CNY, and pays for it until 2026-04-10 15:59 UTC; policies asked before that: `by-tag`."
        }
    "#]].assert_eq(&format!("{:#}\n", renews["next"][0]));
    let deferred = of("deferred");
    let fields =
        (&deferred["reasons"][0]["policy"], &deferred["next"][0]["at"], &deferred["next"][0]["policies"]);
    assert_eq!(fields, (&json!("by-tag"), &json!("2026-02-21T19:00:00Z"), &json!(["by-tag"])));
    let declined = of("declined");
    assert_eq!(declined["reasons"][0]["refusal"]["code"], "CBC.30050006");
    assert!(
        declined["last_decision"]["decision"].is_string()
            && declined["last_decision"]["outcome"] == "planned"
    );
    let settings = of("retention")["reasons"][1]["settings"].clone();
    let names =
        settings.as_array().unwrap().iter().map(|setting| setting["name"].as_str().unwrap().to_owned());
    assert!(names.clone().any(|name| name == "grace_days"), "{settings}");
    assert_eq!(explanation::explain(host.db(), &providers, "nobody", at(NOW), READER).unwrap(), None);
    let mut by_situation = BTreeMap::new();
    for id in ["renews", "held", "ordered"] {
        let next = of(id)["next"].clone();
        let actions = next.as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap().to_owned());
        by_situation.insert(id, actions.collect::<Vec<_>>());
    }
    expect![[r#"
        {
            "held": [
                "try_renewal",
                "notice",
                "approval_expires",
                "enter",
                "enter",
                "enter",
            ],
            "ordered": [
                "order_expires",
                "try_renewal",
                "notice",
                "enter",
                "enter",
                "enter",
            ],
            "renews": [
                "try_renewal",
                "notice",
                "enter",
                "enter",
                "enter",
            ],
        }
    "#]]
    .assert_eq(&format!("{by_situation:#?}\n"));
}
