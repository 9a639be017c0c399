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
use perennial_engine::policies::Policies;
use perennial_engine::rules::Providers;
use perennial_formats::explanation::ExplanationView;
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
    explanation::explain(host.db(), providers, id, at(NOW), TimeZone::UTC).unwrap().unwrap()
}

/// The explanations of these resources, without digests.
fn shown(host: &Host, providers: &Providers, ids: &[&str]) -> String {
    let mut shown = String::new();
    for id in ids {
        let explained = explain(host, providers, id);
        shown += &format!("{id}: {}, {}\n", explained.stage, explained.situation);
        for text in explained.text {
            let text = match text.split_once("revision ") {
                Some((before, after)) => format!("{before}revision …{}", &after[12..]),
                None => text,
            };
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
    expect![[""]].assert_eq(&shown(&host, &providers, &ids));
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
    expect![[""]].assert_eq(&shown(&host, &providers, &ids));
}

#[test]
fn each_ruling_of_a_policy_is_explained() {
    let (host, providers) = played();
    expect![[""]].assert_eq(&shown(&host, &providers, &["denied", "deferred", "asked"]));
}

#[test]
fn what_no_clock_has_looked_at_and_what_has_no_plugin_is_explained() {
    let host = Host::new(&world());
    let waiting = shown(&host, &providers(), &["renews"]);
    expect![[""]].assert_eq(&waiting);
    expect![[""]].assert_eq(&shown(&host, &Providers::default(), &["renews"]));
}

#[test]
fn a_plugin_that_fails_is_explained_with_its_next_call() {
    let mut numbered = world();
    numbered.inventory = numbered.inventory.replace("declined", "server-1");
    let (mut host, is_broken) = failing::fragile_plans(&numbered);
    host.play(FROM, NOW);
    assert!(is_broken.load(std::sync::atomic::Ordering::Relaxed));
    let providers = host.engine.providers().clone();
    expect![[""]].assert_eq(&shown(&host, &providers, &["server-1"]));
}

#[test]
fn an_explanation_names_rule_setting_policy_and_instant_as_fields() {
    let (host, providers) = played();
    let of = |id: &str| serde_json::to_value(explain(&host, &providers, id)).unwrap();
    let renews = of("renews");
    expect![[""]].assert_eq(&format!("{:#}\n", renews["next"][0]));
    let deferred = of("deferred");
    let fields =
        (&deferred["reasons"][0]["policy"], &deferred["next"][0]["at"], &deferred["next"][0]["policies"]);
    assert_eq!(fields, (&json!("by-tag"), &json!("2026-02-22T19:00:00Z"), &json!(["by-tag"])));
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
    assert_eq!(explanation::explain(host.db(), &providers, "nobody", at(NOW), TimeZone::UTC).unwrap(), None);
    let mut by_situation = BTreeMap::new();
    for id in ["renews", "held", "ordered"] {
        let next = of(id)["next"].clone();
        let actions = next.as_array().unwrap().iter().map(|step| step["action"].as_str().unwrap().to_owned());
        by_situation.insert(id, actions.collect::<Vec<_>>());
    }
    expect![[""]].assert_eq(&format!("{by_situation:#?}\n"));
}
