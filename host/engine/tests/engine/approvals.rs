//! Plans above what an account spends unasked: held, decided on, lapsed, and asked for again.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval::DecisionError;
use perennial_engine::approval::DecisionOutcome;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_engine::preconditions::Preconditions;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::integrity;
use perennial_store::keys::RowKey;
use perennial_store::testing;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::package;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;

/// An account of 100.00 whose plans are held above 20.00; a renewal costs 30.00.
pub fn careful(resource: Resource) -> World {
    let mut world = World::account("2026-03-01", "100", vec![vec![resource]]);
    world.engine.set_approval_above(at("2026-03-01"), "a", Some(money("20"))).unwrap();
    world
}

/// A renewal by hand for so many days.
fn renew_for_days(count: u32) -> Command {
    Command::Renew(Renewal {
        term: Term::new(count, TermUnit::Day),
        cause: Cause::Command,
        options: BTreeMap::new(),
    })
}

/// What approvals are tested with.
pub trait Approvals {
    /// A command of the token called `token`; returns the id of the approval that it waits for.
    fn ask(&mut self, now: &str, resource: &str, command: &Command, token: &str) -> Option<String>;

    /// What becomes of a decision, in a word.
    fn decide(&mut self, now: &str, approval: &str, is_yes: bool, token: &str) -> String;

    fn approve(&mut self, now: &str, approval: &str) -> String;

    fn reject(&mut self, now: &str, approval: &str) -> String;

    /// The states of all approvals and attempts.
    fn states(&self) -> String;
}

impl Approvals for World {
    fn ask(&mut self, now: &str, resource: &str, command: &Command, token: &str) -> Option<String> {
        let terms = Preconditions { requested_by: Some(token), ..Preconditions::default() };
        let answer =
            self.engine.command_with_preconditions(at(now), None, resource, command, &terms).unwrap();
        assert_eq!(answer.refusal, None);
        self.recorded.extend(answer.events);
        answer.approval
    }

    fn decide(&mut self, now: &str, approval: &str, is_yes: bool, token: &str) -> String {
        let decision = ApprovalDecision {
            decided_by: token,
            reason: None,
            plan_hash: None,
            labels: ApproverLabels::All,
        };
        let verdict = match is_yes {
            true => self.engine.approve(at(now), approval, &decision),
            false => self.engine.reject(at(now), approval, &decision),
        };
        let (word, events) = match verdict {
            Ok(DecisionOutcome::Recorded(events)) => ("done".to_owned(), events),
            Ok(DecisionOutcome::Refused { refusal, events }) => {
                (format!("refused: {}", refusal.code), events)
            }
            Ok(DecisionOutcome::PlanChanged { events, .. }) => ("changed".to_owned(), events),
            Err(error) => (error.to_string(), Vec::new()),
        };
        self.recorded.extend(events);
        word
    }

    fn approve(&mut self, now: &str, approval: &str) -> String {
        self.decide(now, approval, true, "approver")
    }

    fn reject(&mut self, now: &str, approval: &str) -> String {
        self.decide(now, approval, false, "approver")
    }

    fn states(&self) -> String {
        let db = self.engine.db();
        let listed = |rows: Vec<String>| if rows.is_empty() { "-".to_owned() } else { rows.join(", ") };
        format!("{} | {}", listed(testing::approvals(db)), listed(testing::attempts(db)))
    }
}

#[test]
fn a_try_above_the_limit_asks_once_and_lapses_before_the_last_try() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-20");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm approval_requested expires_at=2026-03-08T23:59:59Z approval=vm~1
        2026-03-08T23:59:59Z a/vm approval_expired approval=vm~1 will_retry=false reason=undecided
        2026-03-10T00:00:00Z a/vm stage_changed to=grace
        2026-03-13T00:00:00Z a/vm stage_changed to=released
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.balance("a"), money("100"));
    expect!["vm~1 expired | void 1"].assert_eq(&world.states());
}

#[test]
fn what_is_approved_is_carried_out_as_it_was_held() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-08T06:00:00");
    assert_eq!(world.approve("2026-03-08T06:00:01", "vm~1"), "done");
    world.run_to("2026-03-10");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm approval_requested expires_at=2026-03-08T23:59:59Z approval=vm~1
        2026-03-08T06:00:01Z a/vm approval_decided approval=vm~1 decision=approved will_retry=true
        2026-03-08T06:00:01Z a/vm balance_changed amount=-30.00
        2026-03-08T06:00:01Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.balance("a"), money("70"));
    expect!["vm~1 approved | settled 1"].assert_eq(&world.states());
    world.run_to("2026-04-07");
    expect![[r#"
        2026-04-07T00:00:00Z a/vm approval_requested expires_at=2026-04-07T23:59:59Z approval=vm~2
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn an_automatic_renewal_counts_as_one_when_it_is_approved() {
    let mut world = careful(Resource { renewals_left: Some(1), ..renewing("vm", "2026-03-10") });
    world.run_to("2026-03-08");
    assert_eq!(world.approve("2026-03-08", "vm~1"), "done");
    assert_eq!(world.resource("vm").renewals_left, Some(0));
}

#[test]
fn what_is_rejected_is_not_asked_for_again_until_somebody_renews() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-08");
    assert_eq!(world.reject("2026-03-08T12:00:00", "vm~1"), "done");
    world.run_to("2026-03-11");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm approval_requested expires_at=2026-03-08T23:59:59Z approval=vm~1
        2026-03-08T12:00:00Z a/vm approval_decided approval=vm~1 decision=rejected will_retry=false
        2026-03-10T00:00:00Z a/vm stage_changed to=grace
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.resource("vm").stage, Stage::Grace);
    assert_eq!(world.ask("2026-03-11T12:00:00", "vm", &renew(), "operator").as_deref(), Some("vm~2"));
    assert_eq!(world.approve("2026-03-12", "vm~2"), "done");
    world.run_to("2026-04-08");
    expect![[r#"
        2026-03-11T12:00:00Z a/vm approval_requested expires_at=2026-03-18T12:00:00Z approval=vm~2
        2026-03-12T00:00:00Z a/vm approval_decided approval=vm~2 decision=approved will_retry=false
        2026-03-12T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-12T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-12T00:00:00Z a/vm stage_changed to=active
        2026-04-07T00:00:00Z a/vm approval_requested expires_at=2026-04-07T23:59:59Z approval=vm~3
        2026-04-07T23:59:59Z a/vm approval_expired approval=vm~3 will_retry=false reason=undecided
    "#]]
    .assert_eq(&world.event_lines());
    expect!["vm~1 rejected, vm~2 approved, vm~3 expired | void 1, settled 1, void 1"]
        .assert_eq(&world.states());
}

#[test]
fn a_command_above_the_limit_waits_and_the_same_again_waits_for_the_same() {
    let mut world = careful(lapsing("vm", "2026-03-20"));
    assert_eq!(world.ask("2026-03-02", "vm", &renew(), "operator").as_deref(), Some("vm~1"));
    assert_eq!(world.ask("2026-03-03", "vm", &renew(), "other").as_deref(), Some("vm~1"));
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-03-20")));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm approval_requested expires_at=2026-03-09T00:00:00Z approval=vm~1
    "#]]
    .assert_eq(&world.event_lines());
    expect!["vm~1 pending | awaiting_approval 1"].assert_eq(&world.states());
    assert_eq!(world.approve("2026-03-04", "vm~1"), "done");
    expect![[r#"
        2026-03-04T00:00:00Z a/vm approval_decided approval=vm~1 decision=approved will_retry=false
        2026-03-04T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-04T00:00:00Z a/vm renewal_settled expires_at=2026-04-19T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-04-19")));
}

#[test]
fn renewals_for_several_terms_wait_side_by_side_until_one_is_made() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-08");
    for (days, token, approval) in [(60, "operator", "vm~2"), (90, "operator", "vm~3"), (60, "other", "vm~2")]
    {
        let waits_for = world.ask("2026-03-08T01:00:00", "vm", &renew_for_days(days), token);
        assert_eq!(waits_for.as_deref(), Some(approval), "{days} days");
    }
    assert_eq!(
        world.event_lines().matches("approval_requested").count(),
        3,
        "what waits is not requested again"
    );
    expect!["vm~1 pending, vm~2 pending, vm~3 pending | awaiting_approval 1, awaiting_approval 1, awaiting_approval 1"]
        .assert_eq(&world.states());
    assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
    assert_eq!(world.approve("2026-03-08T02:00:00", "vm~2"), "done");
    let lines = world.event_lines();
    for ended in ["approval=vm~1 will_retry=true", "approval=vm~3 will_retry=false"] {
        assert!(lines.contains(&format!("approval_expired {ended} reason=expiry_moved")), "{lines}");
    }
    assert_eq!(lines.matches("renewal_settled").count(), 1, "{lines}");
    expect!["vm~1 expired, vm~2 approved, vm~3 expired | void 1, settled 1, void 1"]
        .assert_eq(&world.states());
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-05-09")), "what was approved is what is done");
    assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
}

#[test]
fn a_command_waits_a_week_at_most_and_never_beyond_the_expiry() {
    for (resource, lapses) in [
        (lapsing("vm", "2026-03-20"), "2026-03-09T00:00:00Z"),
        (lapsing("vm", "2026-03-05"), "2026-03-05T00:00:00Z"),
        (renewing("vm", "2026-03-20"), "2026-03-18T23:59:59Z"),
        (Resource { stage: Stage::Grace, ..lapsing("vm", "2026-03-01") }, "2026-03-09T00:00:00Z"),
    ] {
        let mut world = careful(resource);
        world.ask("2026-03-02", "vm", &renew(), "operator");
        let lines = world.event_lines();
        assert!(lines.contains(&format!("expires_at={lapses}")), "{lines}");
    }
}

#[test]
fn whoever_asked_does_not_decide_and_whoever_comes_late_does_not_either() {
    let mut world = careful(lapsing("vm", "2026-03-20"));
    world.ask("2026-03-02", "vm", &renew(), "operator");
    let own = DecisionError::OwnRequest.to_string();
    assert_eq!(world.decide("2026-03-02", "vm~1", true, "operator"), own);
    assert_eq!(world.decide("2026-03-02", "vm~1", false, "operator"), own);
    assert_eq!(world.approve("2026-03-02", "vm~2"), "there is no approval `vm~2`");
    let late = "there is nothing to decide on any more: the time of the approval `vm~1` was over at 2026-03-09T00:00:00Z";
    assert_eq!(world.approve("2026-03-09T00:00:01", "vm~1"), late);
    world.run_to("2026-03-09T00:00:01");
    let closed = "there is nothing to decide on any more: the approval `vm~1` is expired";
    assert_eq!(world.approve("2026-03-09T00:00:02", "vm~1"), closed);
    assert_eq!(world.balance("a"), money("100"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm approval_requested expires_at=2026-03-09T00:00:00Z approval=vm~1
        2026-03-09T00:00:00Z a/vm approval_expired approval=vm~1 will_retry=false reason=undecided
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_plan_that_changed_is_priced_anew_and_looked_at_again() {
    let mut world = careful(lapsing("vm", "2026-03-20"));
    world.ask("2026-03-02", "vm", &renew(), "operator");
    testing::set_price(world.engine.db(), money("40"));
    assert_eq!(world.approve("2026-03-03", "vm~1"), "changed");
    assert_eq!(world.balance("a"), money("100"));
    let before: String = hash(&world);
    let old = ApprovalDecision {
        decided_by: "approver",
        reason: None,
        plan_hash: Some("0123"),
        labels: ApproverLabels::All,
    };
    let error = world.engine.approve(at("2026-03-03"), "vm~1", &old).unwrap_err();
    assert!(matches!(&error, DecisionError::PlanMismatch(hash) if *hash == before), "{error}");
    assert_eq!(world.approve("2026-03-03", "vm~1"), "done");
    assert_eq!(world.balance("a"), money("60"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm approval_requested expires_at=2026-03-09T00:00:00Z approval=vm~1
        2026-03-03T00:00:00Z a/vm approval_requested expires_at=2026-03-09T00:00:00Z approval=vm~1
        2026-03-03T00:00:00Z a/vm approval_decided approval=vm~1 decision=approved will_retry=false
        2026-03-03T00:00:00Z a/vm balance_changed amount=-40.00
        2026-03-03T00:00:00Z a/vm renewal_settled expires_at=2026-04-19T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    expect!["vm~1 approved | settled 1"].assert_eq(&world.states());
}

fn hash(world: &World) -> String {
    let approvals = approvals::list(world.engine.db(), &Filter::default(), RowKey::before_all(), 1).unwrap();
    approvals[0].priced.plan_hash.clone()
}

#[test]
fn a_top_up_leaves_an_approval_alone_and_poverty_keeps_it_pending() {
    let mut world = World::account("2026-03-01", "10", vec![vec![lapsing("vm", "2026-03-20")]]);
    world.engine.set_approval_above(at("2026-03-01"), "a", Some(money("20"))).unwrap();
    world.ask("2026-03-02", "vm", &renew(), "operator");
    assert_eq!(world.approve("2026-03-03", "vm~1"), "refused: money");
    expect!["vm~1 pending | awaiting_approval 1"].assert_eq(&world.states());
    world.engine.top_up(at("2026-03-04"), "a", money("20")).unwrap();
    assert_eq!(world.approve("2026-03-04", "vm~1"), "done");
    assert_eq!(world.balance("a"), money("0"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm approval_requested expires_at=2026-03-09T00:00:00Z approval=vm~1
        2026-03-03T00:00:00Z a/vm command_refused code=money
        2026-03-04T00:00:00Z a/vm approval_decided approval=vm~1 decision=approved will_retry=false
        2026-03-04T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-04T00:00:00Z a/vm renewal_settled expires_at=2026-04-19T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn an_approval_lapses_when_there_is_nothing_left_to_decide_on() {
    type Act = fn(&mut World);
    let cases: [(&str, Act); 4] = [
        ("renewed otherwise", |world| {
            world.engine.set_approval_above(at("2026-03-08"), "a", None).unwrap();
            assert_eq!(world.command("2026-03-08T01:00:00", "vm", &renew()), None);
        }),
        ("ended", |world| {
            assert_eq!(world.command("2026-03-08T01:00:00", "vm", &Command::Unsubscribe(Scope::All)), None);
        }),
        ("auto-renew off", |world| {
            assert_eq!(world.command("2026-03-08T01:00:00", "vm", &Command::CancelAutoRenew), None);
        }),
        ("limit gone at the next try", |world| {
            world.engine.set_approval_above(at("2026-03-08"), "a", None).unwrap();
            world.engine.set_attribute(at("2026-03-08T01:00:00"), "vm", "try_at", "-43200").unwrap();
            world.run_to("2026-03-08T12:00:00");
        }),
    ];
    let mut lines = String::new();
    for (name, act) in cases {
        let mut world = careful(renewing("vm", "2026-03-10"));
        world.run_to("2026-03-08");
        world.event_lines();
        act(&mut world);
        lines += &format!("{name}:\n{}{}\n", world.event_lines(), world.states());
    }
    expect![[r#"
        renewed otherwise:
        2026-03-08T01:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T01:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T01:00:00Z a/vm approval_expired approval=vm~1 will_retry=true reason=expiry_moved
        vm~1 expired | settled 1
        ended:
        2026-03-08T01:00:00Z a/vm unsubscribed expires_at=none
        2026-03-08T01:00:00Z a/vm stage_changed to=unsubscribed
        2026-03-08T01:00:00Z a/vm balance_changed amount=30.00
        2026-03-08T01:00:00Z a/vm approval_expired approval=vm~1 will_retry=false reason=ended
        vm~1 expired | void 1
        auto-renew off:
        2026-03-08T01:00:00Z a/vm setting_changed setting=on_expiry value=lapse
        2026-03-08T01:00:00Z a/vm approval_expired approval=vm~1 will_retry=false reason=auto_renew_off
        vm~1 expired | void 1
        limit gone at the next try:
        2026-03-08T12:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T12:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T12:00:00Z a/vm approval_expired approval=vm~1 will_retry=true reason=expiry_moved
        vm~1 expired | settled 1
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_late_auto_renewal_is_held_too_and_belongs_to_its_requester() {
    let on = Command::SetAutoRenew(AutoRenewal { term: None, renewals: None });
    let mut world = careful(lapsing("vm", "2026-03-10"));
    world.run_to("2026-03-09T11:59:59");
    assert_eq!(world.ask("2026-03-09T12:00:00", "vm", &on, "operator"), None, "it is on");
    assert_eq!(
        world.decide("2026-03-09T13:00:00", "vm~1", true, "operator"),
        DecisionError::OwnRequest.to_string()
    );
    assert_eq!(world.approve("2026-03-09T13:00:00", "vm~1"), "done");
    expect![[r#"
        2026-03-09T12:00:00Z a/vm setting_changed setting=on_expiry value=renew
        2026-03-09T12:00:00Z a/vm approval_requested expires_at=2026-03-10T00:00:00Z approval=vm~1
        2026-03-09T13:00:00Z a/vm approval_decided approval=vm~1 decision=approved will_retry=true
        2026-03-09T13:00:00Z a/vm balance_changed amount=-30.00
        2026-03-09T13:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_package_that_is_paid_later_is_held_when_it_is_ordered() {
    let buy = Command::BuyAgain(Purchase { pay_at: Some(at("2026-03-05")), effective_at: None });
    let mut world = careful(package("pkg", "2026-04-10"));
    assert_eq!(world.ask("2026-03-02", "pkg", &buy, "operator").as_deref(), Some("pkg~1"));
    assert_eq!(world.ask("2026-03-02", "pkg", &buy, "operator").as_deref(), Some("pkg~1"));
    assert_eq!(world.approve("2026-03-03", "pkg~1"), "done");
    world.run_to("2026-03-06");
    expect![[r#"
        2026-03-02T00:00:00Z a/pkg approval_requested expires_at=2026-03-04T23:59:59Z approval=pkg~1
        2026-03-03T00:00:00Z a/pkg approval_decided approval=pkg~1 decision=approved will_retry=false
        2026-03-03T00:00:00Z a/pkg package_ordered pay_at=2026-03-05T00:00:00Z
        2026-03-05T00:00:00Z a/pkg balance_changed amount=-30.00
        2026-03-05T00:00:00Z a/pkg.2 package_bought expires_at=2026-04-04T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.balance("a"), money("70"));
}

#[test]
fn an_outage_leads_to_the_same_end() {
    let mut on_time = careful(renewing("vm", "2026-03-10"));
    on_time.run_to("2026-03-20");
    for (down, up) in [("2026-03-07", "2026-03-08T12:00:00"), ("2026-03-08T12:00:00", "2026-03-12")] {
        let mut world = careful(renewing("vm", "2026-03-10"));
        world.run_to(down);
        world.catch_up(down, up);
        world.run_to("2026-03-20");
        assert_eq!(world.resource("vm"), on_time.resource("vm"));
        assert_eq!(world.states().split(" | ").next(), Some("vm~1 expired"));
    }
}

#[test]
fn a_clients_token_is_answered_once_its_command_was_approved() {
    let renewal = perennial_domain::plan::Renewal {
        term: None,
        cause: perennial_domain::plan::Cause::Command,
        options: [("token".to_owned(), "t".to_owned())].into(),
    };
    let command = Command::Renew(renewal);
    let mut world = careful(lapsing("vm", "2026-03-20"));
    assert_eq!(world.ask("2026-03-02", "vm", &command, "operator").as_deref(), Some("vm~1"));
    assert_eq!(world.approve("2026-03-02T00:00:30", "vm~1"), "done");
    assert_eq!(world.ask("2026-03-02T00:01:00", "vm", &command, "operator"), None);
    assert_eq!(world.balance("a"), money("70"), "paid once");
}

#[test]
fn what_costs_no_more_than_the_limit_is_not_held() {
    let mut world = World::account("2026-03-01", "100", vec![vec![renewing("vm", "2026-03-10")]]);
    world.engine.set_approval_above(at("2026-03-01"), "a", Some(money("30"))).unwrap();
    world.run_to("2026-03-09");
    assert_eq!(world.balance("a"), money("70"));
    assert_eq!(world.states(), "- | settled 1");
}
