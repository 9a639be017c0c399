//! `perennial simulate --policies FILE`: every ruling, and what follows from it, as events.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::Value;

use crate::support::Folder;

/// The fields of events that a test looks at, in the order in which it prints them.
const SHOWN: [&str; 15] = [
    "policy",
    "ruling",
    "command",
    "code",
    "message",
    "text",
    "reason",
    "until",
    "cost",
    "expires_at",
    "to",
    "decision",
    "amount",
    "class",
    "shadow",
];

/// A resource that the clock first tries to renew on 20 February at 19:00 and last on 27 February at 19:00.
fn resource(id: &str, more: &str) -> String {
    format!(
        r#"{{ "id": "{id}", "account": "acme", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z", "anchor_day": 31,
            "term": {{ "count": 1, "unit": "month" }}, "price": "99.00", "on_expiry": "renew" {more} }}"#
    )
}

/// A simulation of an account of 1,000.00 with these resources.
struct Play {
    account: String,
    resources: Vec<String>,
    policies: String,
    scripts: Vec<(String, String)>,
    scenario: String,
    until: &'static str,
}

impl Play {
    fn new() -> Play {
        Play {
            account: String::new(),
            resources: vec![resource("ecs-1", "")],
            policies: String::new(),
            scripts: Vec::new(),
            scenario: "[]".to_owned(),
            until: "2026-03-01",
        }
    }

    /// With one more policy, and more fields of it in TOML.
    fn policy(mut self, name: &str, more: &str, body: &str) -> Play {
        let _ = write!(
            self.policies,
            "[[policy]]\nname = \"{name}\"\nscript = \"{name}.rhai\"\n{}\n",
            more.replace("; ", "\n")
        );
        self.scripts.push((format!("{name}.rhai"), format!("fn rule(plan) {{ {body} }}")));
        self
    }

    /// With more fields of the account.
    fn account(mut self, more: &str) -> Play {
        self.account = format!(", {more}");
        self
    }

    fn scenario(mut self, scenario: &str) -> Play {
        self.scenario = scenario.to_owned();
        self
    }

    /// What happened, one event a line.
    fn event_lines(&self, arguments: &[&str]) -> String {
        let policies = ["--policies", "policies.toml", "--format", "jsonl"];
        let lines = self.printed(&[&policies[..], arguments].concat());
        lines.lines().map(|line| shown(&serde_json::from_str(line).unwrap())).collect()
    }

    /// The standard output of a simulation.
    fn printed(&self, arguments: &[&str]) -> String {
        let folder = Folder::new();
        let account = format!(
            r#"{{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" {} }}"#,
            self.account
        );
        let resources = self.resources.join(",\n");
        folder.write(
            "inventory.json",
            &format!(r#"{{ "accounts": [{account}], "resources": [{resources}] }}"#),
        );
        folder.write("scenario.json", &self.scenario);
        folder.write("policies.toml", &self.policies);
        for (name, script) in &self.scripts {
            folder.write(name, script);
        }
        let command = ["simulate", "--inventory", "inventory.json", "--scenario", "scenario.json"];
        let span = ["--from", "2026-02-01", "--until", self.until];
        folder.run(&[&command[..], &span, arguments].concat()).succeeded().stdout()
    }
}

/// An event on one line; notices of the provider are left out.
fn shown(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    if text("type") == "notice" {
        return String::new();
    }
    let at = text("at").trim_start_matches("2026-").trim_end_matches('Z');
    let mut line = format!("{at} {} {}", text("resource"), text("type"));
    for name in SHOWN {
        match &event[name] {
            Value::Null | Value::Bool(false) => {}
            Value::String(text) => write!(line, " {name}={text}").unwrap(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                write!(line, " {name}={other}").unwrap();
            }
        }
    }
    line + "\n"
}

#[test]
fn every_ruling_of_a_policy_has_its_events() {
    let rulings = [
        ("approve", "approve()"),
        ("note", "note(\"seen\"); approve()"),
        (
            "deny once",
            "if plan.next_try_at.to_string().contains(\"02-21\") { deny(\"not yet\") } else { approve() }",
        ),
        (
            "defer",
            "if plan.at < instant(\"2026-02-25T01:30:00Z\") { defer(instant(\"2026-02-25T01:30:00Z\"), \"later\") } else { approve() }",
        ),
        ("defer beyond the last try", "defer(instant(\"2027-01-01T00:00:00Z\"), \"never\")"),
        ("amend", "amend(#{ term: #{ count: 3, unit: \"month\" } }, \"longer\")"),
        ("amend to what is not sold", "amend(#{ term: #{ count: 5, unit: \"year\" } }, \"longer\")"),
        ("fail", "1 + plan.options"),
        ("loop", "loop {}"),
        ("no ruling", "42"),
    ];
    let mut table = String::new();
    for (name, body) in rulings {
        let lines = Play::new().policy("p", "", body).event_lines(&[]);
        let _ = write!(table, "{name}\n{lines}");
    }
    expect![[r#"
        approve
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        note
        02-20T19:00:00 ecs-1 policy_note policy=p text=seen
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        deny once
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=denied command=renew reason=not yet
        02-21T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-21T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        defer
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=renew reason=later until=2026-02-25T01:30:00Z
        02-25T01:30:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-25T01:30:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        defer beyond the last try
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=renew reason=never until=2026-02-27T19:00:00Z
        02-27T19:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=it defers at the last try, 2026-02-27T19:00:00Z, after which the provider does not renew
        02-27T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-27T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        amend
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=amended command=renew reason=longer
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-297.00
        02-20T19:00:00 ecs-1 renewal_settled cost=297.00 expires_at=2026-05-31T15:59:59Z
        amend to what is not sold
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=p.rhai: it amends to what the provider refuses: the resource is not sold for this term; choose 1 to 11 months, or 1 to 3 years (CBC.30010069)
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        fail
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=p.rhai: there is no function `+` of a whole number and `()` (in `rule`, line 1, column 19: `fn rule(plan) { 1 + plan.options }`)
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        loop
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=p.rhai: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 1, column 17: `fn rule(plan) { loop {} }`)
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        no ruling
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=p.rhai: `rule` returned a whole number, which is no ruling such as approve() or deny("why") (in `rule`)
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
    "#]].assert_eq(&table);
}

#[test]
fn a_plan_waits_for_an_approval_until_a_second_before_the_last_try() {
    let play = Play::new().policy("p", "", "require_approval(\"ask\", #{ by: \"finance\" })");
    let renewing = Play::new().account(r#""settings": { "on_undecided": "renew" }"#).policy(
        "p",
        "",
        "require_approval(\"ask\")",
    );
    let early = Play::new().policy(
        "p",
        "",
        "require_approval(\"ask\", #{ expires_at: instant(\"2026-02-21T00:00:00Z\") })",
    );
    let table = format!(
        "nobody decides\n{}on_undecided = renew\n{}an earlier end\n{}granted\n{}",
        play.event_lines(&[]),
        renewing.event_lines(&[]),
        early.event_lines(&[]),
        play.event_lines(&["--approvals", "granted"])
    );
    expect![[r#"
        nobody decides
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-21T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-22T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-23T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-24T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-25T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-26T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-27T18:59:59 ecs-1 approval_expired reason=undecided
        02-27T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-28T15:59:59 ecs-1 stage_changed to=grace
        on_undecided = renew
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-21T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-22T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-23T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-24T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-25T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-26T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-27T18:59:59 ecs-1 approval_expired reason=undecided
        02-27T18:59:59 ecs-1 balance_changed reason=renewal amount=-99.00
        02-27T18:59:59 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        an earlier end
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-21T00:00:00Z
        02-21T00:00:00 ecs-1 approval_expired reason=undecided
        02-21T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-22T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-23T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-24T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-25T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-26T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-27T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-28T15:59:59 ecs-1 stage_changed to=grace
        granted
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-20T19:00:00 ecs-1 approval_decided decision=approved
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
    "#]]
    .assert_eq(&table);
}

#[test]
fn rulings_of_a_chain_come_together_and_shadows_count_for_nothing() {
    let chain = |more: &str| {
        Play::new()
            .policy("a", "order = 1", "require_approval(\"ask\")")
            .policy("b", "order = 2; mode = \"shadow\"", "note(\"seen\"); deny(\"shadow\")")
            .policy("c", "order = 3", more)
    };
    let amended = Play::new()
        .policy("a", "order = 1", "if plan.term.count == 1 { deny(\"too short\") } else { approve() }")
        .policy("b", "order = 2", "amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two\")")
        .policy("s", "order = 3; mode = \"shadow\"", "require_approval(\"asked once\")");
    let twice = Play::new()
        .policy("b", "order = 2", "amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two\")")
        .policy("c", "order = 3", "if plan.term.count == 2 { deny(\"not two\") } else { approve() }");
    let first = |play: Play| Play { until: "2026-02-21", ..play }.event_lines(&[]);
    let table = format!(
        "approval and denial\n{}approval and deferral\n{}denial before amendment\n{}amendment and denial\n{}",
        first(chain("deny(\"no\")")),
        first(chain("defer(add_days(plan.at, 1), \"later\")")),
        first(amended),
        first(twice),
    );
    expect![[r#"
        approval and denial
        02-20T19:00:00 ecs-1 policy_ruled policy=a ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 policy_note policy=b text=seen shadow=true
        02-20T19:00:00 ecs-1 policy_ruled policy=b ruling=denied command=renew reason=shadow shadow=true
        02-20T19:00:00 ecs-1 policy_ruled policy=c ruling=denied command=renew reason=no
        approval and deferral
        02-20T19:00:00 ecs-1 policy_ruled policy=a ruling=approval_required command=renew reason=ask
        02-20T19:00:00 ecs-1 policy_note policy=b text=seen shadow=true
        02-20T19:00:00 ecs-1 policy_ruled policy=b ruling=denied command=renew reason=shadow shadow=true
        02-20T19:00:00 ecs-1 policy_ruled policy=c ruling=deferred command=renew reason=later until=2026-02-21T19:00:00Z
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        denial before amendment
        02-20T19:00:00 ecs-1 policy_ruled policy=a ruling=denied command=renew reason=too short
        02-20T19:00:00 ecs-1 policy_ruled policy=b ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-1 policy_ruled policy=s ruling=approval_required command=renew reason=asked once shadow=true
        amendment and denial
        02-20T19:00:00 ecs-1 policy_ruled policy=b ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-1 policy_ruled policy=c ruling=denied command=renew reason=not two
    "#]].assert_eq(&table);
}

#[test]
fn plans_on_one_budget_see_what_the_ones_before_left() {
    let three = ["ecs-1", "ecs-2", "ecs-3"].map(|id| resource(id, ""));
    let body = "note(`${plan.budget.spent} spent, ${plan.budget.left} left, ${plan.account.balance} there`); \
        if plan.cost > plan.budget.left { deny(\"over budget\") } else { approve() }";
    let play = Play { until: "2026-02-20T20:00:00Z", resources: three.to_vec(), ..Play::new() };
    let play = play.account(r#""budget": "200.00""#).policy("budget", "commands = [\"renew\"]", body);
    let longer = Play { until: "2026-02-20T20:00:00Z", resources: three.to_vec(), ..Play::new() };
    let longer = longer.account(r#""budget": "350.00""#).policy("budget", "order = 1", body).policy(
        "longer",
        "order = 2",
        "amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two\")",
    );
    expect![[r#"
        02-20T19:00:00 ecs-1 policy_note policy=budget text=0.00 spent, 200.00 left, 1000.00 there
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        02-20T19:00:00 ecs-2 policy_note policy=budget text=99.00 spent, 101.00 left, 901.00 there
        02-20T19:00:00 ecs-2 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-2 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        02-20T19:00:00 ecs-3 policy_note policy=budget text=198.00 spent, 2.00 left, 802.00 there
        02-20T19:00:00 ecs-3 policy_ruled policy=budget ruling=denied command=renew reason=over budget
        two months
        02-20T19:00:00 ecs-1 policy_ruled policy=longer ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-1 policy_note policy=budget text=0.00 spent, 350.00 left, 1000.00 there
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-198.00
        02-20T19:00:00 ecs-1 renewal_settled cost=198.00 expires_at=2026-04-30T15:59:59Z
        02-20T19:00:00 ecs-2 policy_ruled policy=longer ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-2 policy_note policy=budget text=198.00 spent, 152.00 left, 802.00 there
        02-20T19:00:00 ecs-2 policy_ruled policy=budget ruling=denied command=renew reason=over budget
        02-20T19:00:00 ecs-3 policy_ruled policy=longer ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-3 policy_note policy=budget text=198.00 spent, 152.00 left, 802.00 there
        02-20T19:00:00 ecs-3 policy_ruled policy=budget ruling=denied command=renew reason=over budget
    "#]]
    .assert_eq(&format!("{}two months\n{}", play.event_lines(&[]), longer.event_lines(&[])));
}

#[test]
fn an_outage_across_the_end_of_a_deferral_makes_the_try_late() {
    let outage = r#"[{ "at": "2026-02-24T00:00:00Z", "do": "outage", "until": "2026-03-02T12:00:00Z" }]"#;
    let body = "if plan.at < instant(\"2026-02-25T01:30:00Z\") { defer(instant(\"2026-02-25T01:30:00Z\"), \"later\") } else { approve() }";
    let play = Play { until: "2026-03-05", ..Play::new() }.scenario(outage).policy("p", "", body);
    expect![[r#"
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=renew reason=later until=2026-02-25T01:30:00Z
        03-02T12:00:00  host_resumed
        03-02T12:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        03-02T12:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
    "#]].assert_eq(&play.event_lines(&[]));
}

#[test]
fn commands_of_a_scenario_go_through_the_chain() {
    let scenario = r#"[
        { "at": "2026-02-02T00:00:00Z", "do": "command", "resource": "ecs-1", "command": { "renew": {} } },
        { "at": "2026-02-03T00:00:00Z", "do": "command", "resource": "ecs-1", "command": { "unsubscribe": { "scope": "all" } } },
        { "at": "2026-02-04T00:00:00Z", "do": "command", "resource": "ecs-1", "command": "cancel_auto_renew" }
    ]"#;
    let mut table = String::new();
    for body in [
        "deny(`no ${plan.command} by ${plan.requested_by}`)",
        "defer(add_days(plan.at, 3), \"later\")",
        "amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two\")",
        "require_approval(\"ask\")",
        "()",
    ] {
        let play = Play { until: "2026-02-05", ..Play::new() }.scenario(scenario).policy("p", "", body);
        let _ = write!(table, "{body}\n{}", play.event_lines(&[]));
    }
    let play = Play { until: "2026-02-05", ..Play::new() }.scenario(scenario);
    let play = play.policy("p", "", "require_approval(\"ask\")");
    let _ = write!(table, "granted\n{}", play.event_lines(&["--approvals", "granted"]));
    expect![[r#"
        deny(`no ${plan.command} by ${plan.requested_by}`)
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=denied command=renew reason=no renew by scenario
        02-02T00:00:00 ecs-1 command_refused command=renew code=policy message=the policy `p` denies it: no renew by scenario
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=denied command=unsubscribe reason=no unsubscribe by scenario
        02-03T00:00:00 ecs-1 command_refused command=unsubscribe code=policy message=the policy `p` denies it: no unsubscribe by scenario
        02-04T00:00:00 ecs-1 policy_ruled policy=p ruling=denied command=cancel_auto_renew reason=no cancel_auto_renew by scenario
        02-04T00:00:00 ecs-1 command_refused command=cancel_auto_renew code=policy message=the policy `p` denies it: no cancel_auto_renew by scenario
        defer(add_days(plan.at, 3), "later")
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=renew reason=later until=2026-02-05T00:00:00Z
        02-02T00:00:00 ecs-1 command_refused command=renew code=policy message=the policy `p` allows it from 2026-02-05T00:00:00Z on, give the command again then: later
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=unsubscribe reason=later until=2026-02-06T00:00:00Z
        02-03T00:00:00 ecs-1 command_refused command=unsubscribe code=policy message=the policy `p` allows it from 2026-02-06T00:00:00Z on, give the command again then: later
        02-04T00:00:00 ecs-1 policy_ruled policy=p ruling=deferred command=cancel_auto_renew reason=later until=2026-02-07T00:00:00Z
        02-04T00:00:00 ecs-1 command_refused command=cancel_auto_renew code=policy message=the policy `p` allows it from 2026-02-07T00:00:00Z on, give the command again then: later
        amend(#{ term: #{ count: 2, unit: "month" } }, "two")
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=amended command=renew reason=two
        02-02T00:00:00 ecs-1 balance_changed reason=renewal amount=-198.00
        02-02T00:00:00 ecs-1 renewal_settled cost=198.00 expires_at=2026-04-30T15:59:59Z
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=failed command=unsubscribe reason=it amends the command `unsubscribe`; only renewals can be amended
        02-03T00:00:00 ecs-1 approval_requested command=unsubscribe cost=0.00 expires_at=2026-04-29T18:59:59Z
        02-04T00:00:00 ecs-1 policy_ruled policy=p ruling=failed command=cancel_auto_renew reason=it amends the command `cancel_auto_renew`; only renewals can be amended
        02-04T00:00:00 ecs-1 approval_requested command=cancel_auto_renew cost=0.00 expires_at=2026-04-29T18:59:59Z
        require_approval("ask")
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-02T00:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=unsubscribe reason=ask
        02-03T00:00:00 ecs-1 approval_requested command=unsubscribe cost=0.00 expires_at=2026-02-27T18:59:59Z
        02-04T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=cancel_auto_renew reason=ask
        02-04T00:00:00 ecs-1 approval_requested command=cancel_auto_renew cost=0.00 expires_at=2026-02-27T18:59:59Z
        ()
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=failed command=renew reason=p.rhai: `rule` returned nothing; it must end in a ruling such as approve() (in `rule`)
        02-02T00:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-02T00:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=failed command=unsubscribe reason=p.rhai: `rule` returned nothing; it must end in a ruling such as approve() (in `rule`)
        02-03T00:00:00 ecs-1 approval_requested command=unsubscribe cost=0.00 expires_at=2026-03-30T18:59:59Z
        02-04T00:00:00 ecs-1 policy_ruled policy=p ruling=failed command=cancel_auto_renew reason=p.rhai: `rule` returned nothing; it must end in a ruling such as approve() (in `rule`)
        02-04T00:00:00 ecs-1 approval_requested command=cancel_auto_renew cost=0.00 expires_at=2026-03-30T18:59:59Z
        granted
        02-02T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=ask
        02-02T00:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-02T00:00:00 ecs-1 approval_decided decision=approved
        02-02T00:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-02T00:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
        02-03T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=unsubscribe reason=ask
        02-03T00:00:00 ecs-1 approval_requested command=unsubscribe cost=0.00 expires_at=2026-03-30T18:59:59Z
        02-03T00:00:00 ecs-1 approval_decided decision=approved
        02-03T00:00:00 ecs-1 unsubscribed
        02-03T00:00:00 ecs-1 stage_changed to=unsubscribed
        02-03T00:00:00 ecs-1 balance_changed reason=refund amount=187.89
        02-04T00:00:00 ecs-1 command_refused command=cancel_auto_renew code=CBC.99003012 message=there is no such yearly/monthly resource
    "#]].assert_eq(&table);
}

#[test]
fn an_approval_above_an_amount_is_a_policy_that_says_nothing() {
    let above = r#""approval_above": "50.00""#;
    let renewed = Play { until: "2026-02-21T20:00:00Z", ..Play::new() }.account(above);
    let table = format!(
        "alone\n{}denied\n{}amended below\n{}granted\n{}",
        renewed.event_lines(&[]),
        Play { until: "2026-02-20T20:00:00Z", ..Play::new() }
            .account(above)
            .policy("p", "", "deny(\"no\")")
            .event_lines(&[]),
        Play { until: "2026-02-20T20:00:00Z", ..Play::new() }
            .account(r#""approval_above": "150.00""#)
            .policy("p", "", "amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two\")")
            .event_lines(&[]),
        renewed.event_lines(&["--approvals", "granted"]),
    );
    expect![[r#"
        alone
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        denied
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=denied command=renew reason=no
        amended below
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=amended command=renew reason=two
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=198.00 expires_at=2026-02-27T18:59:59Z
        granted
        02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
        02-20T19:00:00 ecs-1 approval_decided decision=approved
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
        02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
    "#]]
    .assert_eq(&table);
}

#[test]
fn without_a_policy_that_matches_nothing_is_different() {
    let play = Play { until: "2026-06-01", ..Play::new() };
    let matching = [
        "accounts = [\"other\"]",
        "kinds = [\"evs\"]",
        "commands = [\"unsubscribe\"]",
        "tags = [\"env=prod\"]",
        "providers = [\"baidu\"]",
    ];
    let before = play.event_lines(&[]);
    assert!(before.contains("renewal_settled"), "{before}");
    for more in matching {
        let play = Play { until: "2026-06-01", ..Play::new() }.policy("p", more, "deny(\"no\")");
        assert_eq!(play.event_lines(&[]), before, "{more}");
    }
}

#[test]
fn an_amendment_that_waits_to_be_paid_is_the_fault_of_its_policy() {
    let amend = "amend(#{ options: #{ is_auto_pay: \"0\" } }, \"later\")";
    let told = Play::new().policy("p", "", amend).event_lines(&[]);
    let why = "it amends to what the provider refuses: an automatic renewal is paid at once: leave `is_auto_pay` out, or 1";
    assert!(told.contains(why), "{told}");
}

#[test]
fn a_comparison_shows_what_other_policies_would_do_differently() {
    let more = resource("ecs-2", r#", "tags": { "env": "test" }"#);
    let resources = vec![resource("ecs-1", ""), more];
    let play = Play { until: "2026-05-01", resources, ..Play::new() };
    let play = play.policy("p", "tags = [\"env=test\"]", "deny(\"a test\")");
    expect![[r#"
        what      account  month    resource  without policies        with --compare
        renewals  acme     2026-02  -                        2                     1
        renewals  acme     2026-03  -                        2                     1
        renewals  acme     2026-04  -                        2                     1
        paid      acme     2026-02  -               198.00 CNY             99.00 CNY
        paid      acme     2026-03  -               198.00 CNY             99.00 CNY
        paid      acme     2026-04  -               198.00 CNY             99.00 CNY
        lapsed    acme     -        ecs-2                    -  2026-02-28 15:59 UTC
        nothing: the same is renewed and paid with both
        what,account,month,resource,policies,compare,currency
        renewals,acme,2026-02,,2,1,
        renewals,acme,2026-03,,2,1,
        renewals,acme,2026-04,,2,1,
        paid,acme,2026-02,,198.00,99.00,CNY
        paid,acme,2026-03,,198.00,99.00,CNY
        paid,acme,2026-04,,198.00,99.00,CNY
        lapsed,acme,,ecs-2,,2026-02-28T15:59:59Z,
    "#]]
    .assert_eq(&format!(
        "{}{}{}",
        play.printed(&["--compare", "policies.toml"]),
        play.printed(&["--policies", "policies.toml", "--compare", "policies.toml"]),
        // Rows of a table end as RFC 4180 says.
        play.printed(&["--compare", "policies.toml", "--format", "csv"]).replace("\r\n", "\n"),
    ));
}

#[test]
fn every_problem_of_policies_stops_a_simulation() {
    let folder = Folder::new();
    folder.write("inventory.json", r#"{ "accounts": [], "resources": [] }"#);
    folder.write("policies.toml", "[[policy]]\nname = \"P\"\nscript = \"gone.rhai\"\nkinds = []\n");
    let simulate = ["simulate", "--inventory", "inventory.json", "--policies", "policies.toml"];
    let ran = folder.run(&[&simulate[..], &["--from", "2026-01-01", "--until", "2026-02-01"]].concat());
    assert_eq!(ran.code(), 2);
    expect![[r#"
        error: `policies.toml` cannot be used:
        3 problems:
          policy[0].kinds: the list is empty, so the policy would never be asked; leave it out to match all
          policy[0].name: the name `P` is not one of lower case letters, digits and dashes
          policy[0].script: cannot read the script `gone.rhai`: No such file or directory (os error 2)
    "#]]
    .assert_eq(&ran.stderr());
}

#[test]
fn what_is_granted_and_put_off_is_paid_when_it_was_put_off_to() {
    let late = "if plan.at < plan.last_try_at { return defer(plan.last_try_at, \"late\"); } approve()";
    let asked =
        Play::new().policy("p", "order = 1", "require_approval(\"look\")").policy("q", "order = 2", late);
    let limited = Play::new().account(r#""approval_above": "50.00""#).policy("q", "", late);
    let command = r#"[{ "at": "2026-02-10T00:00:00Z", "do": "command", "resource": "ecs-1", "command": { "renew": {} } }]"#;
    let commanded = Play::new()
        .policy("p", "order = 1; commands = [\"renew\"]", "require_approval(\"look\")")
        .policy(
            "q",
            "order = 2",
            "if plan.cause == \"command\" { return defer(add_days(plan.at, 1), \"late\"); } approve()",
        )
        .scenario(command);
    let cases = [
        (
            asked,
            expect![[r#"
                02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
                02-20T19:00:00 ecs-1 policy_ruled policy=q ruling=deferred command=renew reason=late until=2026-02-27T19:00:00Z
                02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
                02-20T19:00:00 ecs-1 approval_decided decision=approved
                02-27T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
                02-27T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
            "#]],
        ),
        (
            limited,
            expect![[r#"
                02-20T19:00:00 ecs-1 policy_ruled policy=q ruling=deferred command=renew reason=late until=2026-02-27T19:00:00Z
                02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
                02-20T19:00:00 ecs-1 approval_decided decision=approved
                02-27T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
                02-27T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
            "#]],
        ),
        (
            commanded,
            expect![[r#"
                02-10T00:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
                02-10T00:00:00 ecs-1 policy_ruled policy=q ruling=deferred command=renew reason=late until=2026-02-11T00:00:00Z
                02-10T00:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
                02-10T00:00:00 ecs-1 approval_decided decision=approved
                02-10T00:00:00 ecs-1 command_refused command=renew code=policy message=the policy `q` allows it from 2026-02-11T00:00:00Z on, give the command again then: late
                02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
                02-20T19:00:00 ecs-1 approval_requested command=renew cost=99.00 expires_at=2026-02-27T18:59:59Z
                02-20T19:00:00 ecs-1 approval_decided decision=approved
                02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-99.00
                02-20T19:00:00 ecs-1 renewal_settled cost=99.00 expires_at=2026-03-31T15:59:59Z
            "#]],
        ),
    ];
    for (play, wanted) in cases {
        wanted.assert_eq(&play.event_lines(&["--approvals", "granted"]));
    }
}

#[test]
fn what_was_left_out_and_needs_an_approval_waits_for_it() {
    let disk = r#", "attached_to": "ecs-1", "attributes": { "condition": "processing-order" }"#;
    let disk = resource("evs-1", disk).replace(r#""kind": "ecs""#, r#""kind": "evs""#);
    let mut play = Play::new()
        .policy("p", "", "if plan.cost < 50.00 { return require_approval(\"look\"); } approve()")
        .scenario(r#"[{ "at": "2026-02-22T00:00:00Z", "do": "set_attribute", "resource": "evs-1", "name": "condition", "value": "none" }]"#);
    let disk = disk.replace(r#""on_expiry": "renew""#, r#""on_expiry": "lapse""#).replace("99.00", "20.00");
    play.resources.push(disk);
    let lines = play.event_lines(&[]);
    let of_disk = lines.lines().filter(|line| line.contains(" evs-1 ")).map(|line| format!("{line}\n"));
    expect![[r#"
        02-20T19:00:00 evs-1 setting_changed
        02-20T19:00:00 evs-1 renewal_declined code=CBC.99003144 message=an order of the resource is being processed; wait until it is done class=rule
        02-21T19:00:00 evs-1 renewal_declined code=CBC.99003144 message=an order of the resource is being processed; wait until it is done class=rule
        02-22T00:00:00 evs-1 setting_changed
        02-22T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-22T19:00:00 evs-1 approval_requested command=renew cost=20.00 expires_at=2026-02-27T18:59:59Z
        02-23T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-24T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-25T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-26T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-27T18:59:59 evs-1 approval_expired reason=undecided
        02-27T19:00:00 evs-1 policy_ruled policy=p ruling=approval_required command=renew reason=look
        02-28T15:59:59 evs-1 stage_changed to=grace
    "#]].assert_eq(&of_disk.collect::<String>());
}

#[test]
fn what_an_amended_renewal_leaves_out_is_renewed_for_its_term() {
    let disk = resource("evs-1", r#", "attached_to": "ecs-1""#)
        .replace("\"ecs\"", "\"evs\"")
        .replace("\"renew\"", "\"lapse\"");
    let scenario = r#"[
        { "at": "2026-02-05T00:00:00Z", "do": "set_attribute", "resource": "evs-1", "name": "condition", "value": "processing-order" },
        { "at": "2026-02-22T20:00:00Z", "do": "set_attribute", "resource": "evs-1", "name": "condition", "value": "" }
    ]"#;
    let amend = "if plan.at < instant(\"2026-02-21T00:00:00Z\") { \
                 return amend(#{ term: #{ count: 3, unit: \"month\" } }, \"longer\"); } approve()";
    let play = Play {
        resources: vec![resource("ecs-1", ""), disk],
        ..Play::new().policy("p", "", amend).scenario(scenario)
    };
    expect![[r#"
        02-05T00:00:00 evs-1 setting_changed
        02-20T19:00:00 ecs-1 policy_ruled policy=p ruling=amended command=renew reason=longer
        02-20T19:00:00 ecs-1 balance_changed reason=renewal amount=-297.00
        02-20T19:00:00 ecs-1 renewal_settled cost=297.00 expires_at=2026-05-31T15:59:59Z
        02-20T19:00:00 evs-1 setting_changed
        02-20T19:00:00 evs-1 renewal_declined code=CBC.99003144 message=an order of the resource is being processed; wait until it is done class=rule
        02-21T19:00:00 evs-1 renewal_declined code=CBC.99003144 message=an order of the resource is being processed; wait until it is done class=rule
        02-22T19:00:00 evs-1 renewal_declined code=CBC.99003144 message=an order of the resource is being processed; wait until it is done class=rule
        02-22T20:00:00 evs-1 setting_changed
        02-23T19:00:00 evs-1 balance_changed reason=renewal amount=-297.00
        02-23T19:00:00 evs-1 renewal_settled cost=297.00 expires_at=2026-05-31T15:59:59Z
        02-23T19:00:00 evs-1 setting_changed
    "#]].assert_eq(&play.event_lines(&[]));
}

#[test]
fn the_table_says_which_policy_denied_a_renewal_last() {
    let play = Play::new().policy("no", "", r#"deny("not worth it")"#);
    let rows = play.printed(&["--policies", "policies.toml", "--width", "250"]);
    assert!(rows.contains("policy no: renew denied: not worth it"), "{rows}");
}

#[test]
fn an_approval_that_ran_out_in_an_outage_says_that_it_is_retried() {
    let outage = r#"[{ "at": "2026-02-22T00:00:00Z", "do": "outage", "until": "2026-02-27T12:00:00Z" }]"#;
    let script = r#"require_approval("look", #{ expires_at: instant("2026-02-23T12:00:00Z") })"#;
    let after_outage = |settings: &str| {
        let play = Play::new().scenario(outage).account(settings).policy("p", "", script);
        let events = play.printed(&["--policies", "policies.toml", "--format", "jsonl"]);
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let expired = |event: &Value| event["type"] == "approval_expired";
        let events = events.collect::<Vec<_>>();
        let will_retry = events.iter().find(|event| expired(event)).unwrap()["will_retry"].clone();
        (will_retry, events.iter().any(|event| event["type"] == "renewal_settled"))
    };
    assert_eq!(after_outage(r#""settings": { "on_undecided": "renew" }"#), (true.into(), true));
    assert_eq!(after_outage(r#""settings": { "on_undecided": "lapse" }"#), (false.into(), false));
}
