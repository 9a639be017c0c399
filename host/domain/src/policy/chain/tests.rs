//! Every ruling beside every other, and the rules of deferrals, amendments, approvals and failures.

use std::collections::BTreeMap;

use expect_test::expect;

use super::*;
use crate::index::AccountIndex;
use crate::plan::Cause;
use crate::policy::PolicyMode;
use crate::policy::facts::Tries;
use crate::policy::selector::Selector;
use crate::sample::at;
use crate::sample::months;
use crate::sample::resource;
use crate::sample::years;

fn policy(name: &str) -> Policy {
    Policy {
        name: name.to_owned(),
        script: format!("{name}.rhai"),
        text: String::new(),
        rank: 100,
        mode: PolicyMode::Active,
        selector: Selector::default(),
        on_failure: OnFailure::Default,
    }
}

/// A renewal by the clock for a month, at its first try of three.
fn plan(command: &str) -> PlanFacts {
    PlanFacts {
        account: AccountIndex::new(0),
        command: command.to_owned(),
        cause: Cause::Auto,
        cost: None,
        refund: None,
        at: at("2026-03-01"),
        tries: Tries {
            first: Some(at("2026-03-01")),
            next: Some(at("2026-03-02")),
            last: Some(at("2026-03-03")),
        },
        term: Some(months(1)),
        options: None,
        members: vec![(resource("a"), 0)],
        expires_after: None,
        requested_by: None,
        extensions: Vec::new(),
        quotes: Vec::new(),
        policies: Vec::new(),
        is_pending: false,
    }
}

fn reason() -> String {
    "why".to_owned()
}

fn deny() -> Ruling {
    Ruling::Deny { reason: reason() }
}

fn approval(by: Option<&str>, expires_at: Option<&str>) -> Ruling {
    Ruling::RequireApproval { reason: reason(), by: by.map(str::to_owned), expires_at: expires_at.map(at) }
}

fn defer(until: &str) -> Ruling {
    Ruling::Defer { until: at(until), reason: reason() }
}

fn amend(term: crate::term::Term) -> Ruling {
    Ruling::Amend { amendment: Amendment { term: Some(term), options: None }, reason: reason() }
}

fn failure() -> Ruling {
    Ruling::Fail(ScriptFailure::whole("it broke".to_owned()))
}

/// One round with these rulings, of policies `a`, `b`, …: the result, and what is recorded.
fn round(context: ChainContext, plan: &PlanFacts, rulings: &[Ruling]) -> String {
    let mut chain = Chain::new(context);
    let next = shown(&once(&mut chain, plan, rulings));
    let entries = chain.into_entries().into_iter().map(entry).collect::<Vec<_>>();
    format!("{next} [{}]", entries.join(", "))
}

fn once(chain: &mut Chain, plan: &PlanFacts, rulings: &[Ruling]) -> ChainStep {
    let policies = ["a", "b", "c", "d"].map(policy);
    let answers = rulings.iter().map(|ruling| PolicyAnswer { ruling: ruling.clone(), notes: Vec::new() });
    let answers = answers.collect::<Vec<_>>();
    chain.round(plan, &policies.iter().zip(&answers).collect::<Vec<_>>())
}

fn entry(entry: Entry) -> String {
    match entry {
        Entry::Note { policy, text } => format!("{policy} notes {text}"),
        Entry::Ruled { policy, kind, reason, until } => {
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            let reason = if reason == "why" { String::new() } else { format!(": {reason}") };
            format!("{policy} {}{until}{reason}", kind.name())
        }
    }
}

fn shown(next: &ChainStep) -> String {
    match next {
        ChainStep::Amend { amendment, .. } => {
            format!("amend to {}", amendment.term.map_or_else(String::new, |term| term.to_string()))
        }
        ChainStep::BeginAgain => "begin again".to_owned(),
        ChainStep::Done(Verdict::Approve) => "approve".to_owned(),
        ChainStep::Done(Verdict::Deny { policy, .. }) => format!("deny ({policy})"),
        ChainStep::Done(Verdict::Defer(Postponement { policy, until, .. })) => {
            format!("defer to {until} ({policy})")
        }
        ChainStep::Done(Verdict::RequireApproval { approvals, expires_at, postponement }) => {
            let approvals = approvals.iter().map(|approval| {
                format!(
                    "{}{}",
                    approval.policy,
                    approval.by.as_ref().map(|by| format!("={by}")).unwrap_or_default()
                )
            });
            let expires_at = expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            let then = postponement.as_ref().map(|one| format!(", then {} ({})", one.until, one.policy));
            let then = then.unwrap_or_default();
            format!("require approval of {}{expires_at}{then}", approvals.collect::<Vec<_>>().join(" and "))
        }
    }
}

#[test]
fn every_ruling_meets_every_other() {
    let rulings = [
        ("approve", Ruling::Approve),
        ("deny", deny()),
        ("approval", approval(Some("finance"), Some("2026-03-02"))),
        ("defer", defer("2026-03-02")),
        ("amend", amend(years(1))),
        ("fail", failure()),
    ];
    let mut table = String::new();
    for (first, one) in &rulings {
        for (second, other) in &rulings {
            let result = round(ChainContext::default(), &plan("renew"), &[one.clone(), other.clone()]);
            table += &format!("{first:9}{second:9}{result}\n");
        }
    }
    expect![[r#"
        approve  approve  approve []
        approve  deny     deny (b) [b denied]
        approve  approval require approval of b=finance until 2026-03-02T00:00:00Z [b approval_required]
        approve  defer    defer to 2026-03-02T00:00:00Z (b) [b deferred until 2026-03-02T00:00:00Z]
        approve  amend    amend to 1 year [b amended]
        approve  fail     approve [b failed: b.rhai: it broke]
        deny     approve  deny (a) [a denied]
        deny     deny     deny (a) [a denied, b denied]
        deny     approval deny (a) [a denied, b approval_required]
        deny     defer    deny (a) [a denied, b deferred until 2026-03-02T00:00:00Z]
        deny     amend    deny (a) [a denied, b amended]
        deny     fail     deny (a) [a denied, b failed: b.rhai: it broke]
        approval approve  require approval of a=finance until 2026-03-02T00:00:00Z [a approval_required]
        approval deny     deny (b) [a approval_required, b denied]
        approval approval require approval of a=finance and b=finance until 2026-03-02T00:00:00Z [a approval_required, b approval_required]
        approval defer    require approval of a=finance until 2026-03-02T00:00:00Z, then 2026-03-02T00:00:00Z (b) [a approval_required, b deferred until 2026-03-02T00:00:00Z]
        approval amend    amend to 1 year [b amended]
        approval fail     require approval of a=finance until 2026-03-02T00:00:00Z [a approval_required, b failed: b.rhai: it broke]
        defer    approve  defer to 2026-03-02T00:00:00Z (a) [a deferred until 2026-03-02T00:00:00Z]
        defer    deny     deny (b) [a deferred until 2026-03-02T00:00:00Z, b denied]
        defer    approval require approval of b=finance until 2026-03-02T00:00:00Z, then 2026-03-02T00:00:00Z (a) [a deferred until 2026-03-02T00:00:00Z, b approval_required]
        defer    defer    defer to 2026-03-02T00:00:00Z (a) [a deferred until 2026-03-02T00:00:00Z, b deferred until 2026-03-02T00:00:00Z]
        defer    amend    amend to 1 year [b amended]
        defer    fail     defer to 2026-03-02T00:00:00Z (a) [a deferred until 2026-03-02T00:00:00Z, b failed: b.rhai: it broke]
        amend    approve  amend to 1 year [a amended]
        amend    deny     deny (b) [a amended, b denied]
        amend    approval amend to 1 year [a amended]
        amend    defer    amend to 1 year [a amended]
        amend    amend    amend to 1 year [a amended]
        amend    fail     amend to 1 year [a amended]
        fail     approve  approve [a failed: a.rhai: it broke]
        fail     deny     deny (b) [a failed: a.rhai: it broke, b denied]
        fail     approval require approval of b=finance until 2026-03-02T00:00:00Z [a failed: a.rhai: it broke, b approval_required]
        fail     defer    defer to 2026-03-02T00:00:00Z (b) [a failed: a.rhai: it broke, b deferred until 2026-03-02T00:00:00Z]
        fail     amend    amend to 1 year [b amended]
        fail     fail     approve [a failed: a.rhai: it broke, b failed: b.rhai: it broke]
    "#]].assert_eq(&table);
}

#[test]
fn the_first_amendment_is_applied_at_most_three_times() {
    let mut chain = Chain::new(ChainContext::default());
    let mut plan = plan("renew");
    let mut steps = Vec::new();
    for count in 2..=5 {
        let next = once(&mut chain, &plan, &[Ruling::Approve, amend(months(count)), amend(years(count))]);
        steps.push(shown(&next));
        plan.term = Some(months(count));
    }
    plan.term = Some(months(1));
    steps.push(shown(&once(&mut chain, &plan, &[Ruling::Approve, amend(months(2)), amend(years(2))])));
    let wanted = ["amend to 2 months", "amend to 3 months", "amend to 4 months", "begin again", "approve"];
    assert_eq!(steps, wanted);
    let entries = chain.into_entries().into_iter().map(entry).collect::<Vec<_>>();
    expect![[r#"
        b amended
        b amended
        b amended
        b failed: it amends again after 3 amendments, so none of its amendments counts
        c failed: it amends again after 3 amendments, so none of its amendments counts"#]]
    .assert_eq(&entries.join("\n"));
}

#[test]
fn amendments_that_end_in_time_count_beside_one_without_an_end() {
    let mut chain = Chain::new(ChainContext::default());
    let mut plan = plan("renew");
    let mut steps = Vec::new();
    for (by_a, by_b) in [(2, 9), (2, 3), (3, 4), (4, 5), (2, 9), (2, 9)] {
        let next = once(&mut chain, &plan, &[amend(months(by_a)), amend(months(by_b))]);
        plan.term = match &next {
            ChainStep::Amend { amendment, .. } => amendment.term,
            ChainStep::BeginAgain => Some(months(1)),
            ChainStep::Done(_) => plan.term,
        };
        steps.push(shown(&next));
    }
    let first = ["amend to 2 months", "amend to 3 months", "amend to 4 months", "begin again"];
    assert_eq!(steps, [&first[..], &["amend to 2 months", "approve"]].concat());
    let entries = chain.into_entries().into_iter().map(entry).collect::<Vec<_>>();
    expect![[r#"
        b amended
        b amended
        a amended
        b failed: it amends again after 3 amendments, so none of its amendments counts"#]]
    .assert_eq(&entries.join("\n"));
}

#[test]
fn policies_that_contradict_each_other_leave_the_plan_as_it_was() {
    let mut chain = Chain::new(ChainContext::default());
    let mut plan = plan("renew");
    plan.term = Some(months(3));
    let mut steps = Vec::new();
    for _ in 0..5 {
        let next = once(&mut chain, &plan, &[amend(months(1)), amend(months(2))]);
        plan.term = match &next {
            ChainStep::Amend { amendment, .. } => amendment.term,
            ChainStep::BeginAgain | ChainStep::Done(_) => Some(months(3)),
        };
        steps.push(shown(&next));
    }
    let wanted = ["amend to 1 month", "amend to 2 months", "amend to 1 month", "begin again", "approve"];
    assert_eq!(steps, wanted);
    assert_eq!(plan.term, Some(months(3)));
}

#[test]
fn an_amendment_that_changes_nothing_is_an_approval() {
    let of = |amendment: Amendment| Ruling::Amend { amendment, reason: reason() };
    let options = BTreeMap::from([("flag".to_owned(), "x".to_owned())]);
    let same = of(Amendment { term: Some(months(1)), options: Some(BTreeMap::new()) });
    assert_eq!(round(ChainContext::default(), &plan("renew"), &[same]), "approve []");
    let with_options = [of(Amendment { term: None, options: Some(options.clone()) })];
    let mut asked = plan("renew");
    assert_eq!(round(ChainContext::default(), &asked, &with_options), "amend to  [a amended]");
    asked.options = Some(options);
    assert_eq!(round(ChainContext::default(), &asked, &with_options), "approve []");
}

#[test]
fn only_renewals_are_amended_and_none_through_a_providers_api() {
    let amended = [amend(years(1))];
    expect!["deny (a) [a denied: why; the policy would have it for 1 year]"].assert_eq(&round(
        ChainContext { is_provider_api: true, ..ChainContext::default() },
        &plan("renew"),
        &amended,
    ));
    expect!["approve [a failed: it amends the command `buy_again`; only renewals can be amended]"]
        .assert_eq(&round(ChainContext::default(), &plan("buy_again"), &amended));
}

#[test]
fn a_deferral_ends_at_the_last_try_and_fails_there() {
    let mut table = String::new();
    let mut row = |plan: &PlanFacts, until: &str| {
        let result = round(ChainContext::default(), plan, &[defer(until)]);
        table += &format!("at {} to {until}: {result}\n", plan.at);
    };
    let mut asked = plan("renew");
    for until in ["2026-02-28", "2026-03-01", "2026-03-01T00:00:01", "2026-03-03", "2026-03-04"] {
        row(&asked, until);
    }
    asked.at = at("2026-03-03");
    row(&asked, "2026-03-04");
    asked.tries = Tries::default();
    row(&asked, "2026-09-01");
    expect![[r#"
        at 2026-03-01T00:00:00Z to 2026-02-28: approve [a failed: it defers to 2026-02-28T00:00:00Z, which is not after 2026-03-01T00:00:00Z]
        at 2026-03-01T00:00:00Z to 2026-03-01: approve [a failed: it defers to 2026-03-01T00:00:00Z, which is not after 2026-03-01T00:00:00Z]
        at 2026-03-01T00:00:00Z to 2026-03-01T00:00:01: defer to 2026-03-01T00:00:01Z (a) [a deferred until 2026-03-01T00:00:01Z]
        at 2026-03-01T00:00:00Z to 2026-03-03: defer to 2026-03-03T00:00:00Z (a) [a deferred until 2026-03-03T00:00:00Z]
        at 2026-03-01T00:00:00Z to 2026-03-04: defer to 2026-03-03T00:00:00Z (a) [a deferred until 2026-03-03T00:00:00Z]
        at 2026-03-03T00:00:00Z to 2026-03-04: approve [a failed: it defers at the last try, 2026-03-03T00:00:00Z, after which the provider does not renew]
        at 2026-03-03T00:00:00Z to 2026-09-01: defer to 2026-09-01T00:00:00Z (a) [a deferred until 2026-09-01T00:00:00Z]
    "#]].assert_eq(&table);
}

#[test]
fn the_latest_deferral_and_the_earliest_expiry_count() {
    let context = ChainContext::default();
    let deferrals = [defer("2026-03-02"), defer("2026-03-03"), defer("2026-03-01T12:00:00")];
    expect!["defer to 2026-03-03T00:00:00Z (b) [a deferred until 2026-03-02T00:00:00Z, b deferred until 2026-03-03T00:00:00Z, c deferred until 2026-03-01T12:00:00Z]"].assert_eq(&round(context.clone(), &plan("renew"), &deferrals));
    let approvals = [
        approval(None, None),
        approval(Some("finance"), Some("2026-03-03")),
        approval(Some("security"), Some("2026-03-02")),
    ];
    expect!["require approval of a and b=finance and c=security until 2026-03-02T00:00:00Z [a approval_required, b approval_required, c approval_required]"].assert_eq(&round(context.clone(), &plan("renew"), &approvals));
    expect!["approve [a failed: its approval would expire at 2026-03-01T00:00:00Z, which is not after 2026-03-01T00:00:00Z]"].assert_eq(&round(context.clone(), &plan("renew"), &[approval(None, Some("2026-03-01"))]));
    let requested = ChainContext { requested: vec!["a".to_owned()], ..ChainContext::default() };
    expect!["require approval of a [a approval_required]"].assert_eq(&round(
        requested,
        &plan("renew"),
        &[approval(None, Some("2026-03-01"))],
    ));
}

#[test]
fn a_given_approval_answers_its_policies_and_no_denial() {
    let approved = ["a".to_owned(), "c".to_owned()];
    let context = ChainContext { approved: approved.to_vec(), ..ChainContext::default() };
    let asks = approval(None, None);
    assert_eq!(
        round(context.clone(), &plan("renew"), &[asks.clone(), Ruling::Approve, asks.clone()]),
        "approve []"
    );
    expect!["require approval of b [b approval_required]"].assert_eq(&round(
        context.clone(),
        &plan("renew"),
        &[asks.clone(), asks.clone()],
    ));
    expect!["deny (b) [b denied]"].assert_eq(&round(context.clone(), &plan("renew"), &[asks, deny()]));
    expect!["approve [a failed: a.rhai: it broke]"].assert_eq(&round(
        context.clone(),
        &plan("unsubscribe"),
        &[failure()],
    ));
}

#[test]
fn a_failure_comes_to_what_policy_account_or_command_say() {
    let mut table = String::new();
    let commands = [
        "renew",
        "set_auto_renew",
        "cancel_conversion",
        "buy_again",
        "cancel_auto_renew",
        "unsubscribe",
        "convert_on_expiry",
        "change",
    ];
    let mut row = |of_policy: OnFailure, of_account: OnFailure, command: &str| {
        let failing = Policy { on_failure: of_policy, ..policy("a") };
        let mut chain = Chain::new(ChainContext { on_policy_failure: of_account, ..ChainContext::default() });
        let answer = PolicyAnswer { ruling: failure(), notes: Vec::new() };
        let next = chain.round(&plan(command), &[(&failing, &answer)]);
        table += &format!("{} {} {command}: {}\n", of_policy.name(), of_account.name(), shown(&next));
    };
    for command in commands {
        row(OnFailure::Default, OnFailure::Default, command);
    }
    for of_policy in OnFailure::ALL {
        for of_account in OnFailure::ALL {
            row(of_policy, of_account, "renew");
        }
    }
    expect![[r#"
        default default renew: approve
        default default set_auto_renew: approve
        default default cancel_conversion: approve
        default default buy_again: approve
        default default cancel_auto_renew: require approval of a
        default default unsubscribe: require approval of a
        default default convert_on_expiry: require approval of a
        default default change: require approval of a
        default default renew: approve
        default approve renew: approve
        default deny renew: deny (a)
        default require_approval renew: require approval of a
        approve default renew: approve
        approve approve renew: approve
        approve deny renew: approve
        approve require_approval renew: approve
        deny default renew: deny (a)
        deny approve renew: deny (a)
        deny deny renew: deny (a)
        deny require_approval renew: deny (a)
        require_approval default renew: require approval of a
        require_approval approve renew: require approval of a
        require_approval deny renew: require approval of a
        require_approval require_approval renew: require approval of a
    "#]]
    .assert_eq(&table);
}

#[test]
fn notes_stand_before_the_ruling_of_their_policy() {
    let mut chain = Chain::new(ChainContext::default());
    let policies = [policy("a"), policy("b")];
    let answers = [
        PolicyAnswer { ruling: Ruling::Approve, notes: vec!["one".to_owned()] },
        PolicyAnswer { ruling: deny(), notes: vec!["two".to_owned(), "three".to_owned()] },
    ];
    chain.round(&plan("renew"), &policies.iter().zip(&answers).collect::<Vec<_>>());
    let entries = chain.into_entries().into_iter().map(entry).collect::<Vec<_>>();
    assert_eq!(entries, ["a notes one", "b notes two", "b notes three", "b denied"]);
}
