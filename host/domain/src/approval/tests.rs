//! Which plans need an approval, until when, and which approval exists already.

use proptest::prelude::*;

use crate::approval::ApprovalSummary;
use crate::approval::ExistingApproval;
use crate::approval::ExpiryReason;
use crate::approval::Needs;
use crate::approval::State;
use crate::approval::WAIT_MAX;
use crate::approval::commitment;
use crate::approval::existing_command;
use crate::approval::existing_renewal;
use crate::approval::expiry;
use crate::approval::is_last_try;
use crate::approval::is_raise;
use crate::approval::needs_approval;
use crate::approval::whole_cost;
use crate::attempt::AttemptId;
use crate::attempt::Key;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::ApprovalIndex;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::plan::Step;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::money;
use crate::sample::months;
use crate::sample::package;
use crate::sample::resource;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

fn plan(steps: impl IntoIterator<Item = (usize, Operation)>) -> Plan {
    let steps = steps
        .into_iter()
        .map(|(member, operation)| Step { member: MemberIndex::new(member), operation })
        .collect();
    Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None }
}

fn extend(count: u32) -> Operation {
    let term = months(count);
    Operation::Extend(Extension { expires_at: at("2027-03-10"), term, extra_days: 0, anchor_day: None })
}

fn buy(pay_at: &str) -> Operation {
    let (pay_at, expires_at) = (at(pay_at), at("2026-06-01"));
    Operation::Buy(PurchaseDetails { pay_at, effective_at: pay_at, expires_at, anchor_day: 1 })
}

fn renewing(id: &str) -> Resource {
    Resource { on_expiry: OnExpiry::Renew, ..resource(id) }
}

fn key(id: &str) -> Key {
    Key { resource: id.to_owned(), expires_before: at("2026-03-10") }
}

fn attempt(id: &str, count: u32) -> AttemptId {
    AttemptId { key: key(id), term: months(count) }
}

/// The renewal of the first member that the clock asked for.
fn automatic() -> ApprovalSummary {
    ApprovalSummary {
        member: MemberIndex::new(0),
        cause: Cause::Auto,
        command: "renew".to_owned(),
        needs: Needs::Prepaid,
        expires_before: Some(at("2026-03-10")),
        attempt: Some(attempt("ecs-1", 1)),
        state: State::Pending,
        expiry_reason: None,
    }
}

#[test]
fn a_plan_commits_to_what_is_paid_now_and_to_what_is_paid_later() {
    let bundle = bundle([package("pkg"), attached("evs-1")]);
    let now = at("2026-02-01");
    for (steps, wanted) in [
        (plan([(0, extend(1)), (1, extend(2))]), "90"),
        (plan([(0, buy("2026-02-01"))]), "30"),
        (plan([(0, buy("2026-05-01"))]), "30"),
        (plan([(0, Operation::SetOnExpiry(OnExpiry::Lapse))]), "0"),
    ] {
        assert_eq!(commitment(&steps, &bundle, now), money(wanted), "{steps:?}");
    }
}

#[test]
fn an_order_that_waits_has_its_cost_though_it_commits_to_none() {
    let bundle = bundle([resource("ecs-1")]);
    let order = Plan { pay_until: Some(at("2026-02-08")), ..plan([(0, extend(2))]) };
    let now = at("2026-02-01");
    assert_eq!(
        (commitment(&order, &bundle, now), whole_cost(&order, &bundle, now)),
        (money("0"), money("60"))
    );
}

#[test]
fn the_last_try_of_a_member_is_its_own_last_before_its_expiry() {
    let timeline = tries(&[("2026-03-05", 0), ("2026-03-08", 0), ("2026-03-09", 1), ("2026-03-12", 0)]);
    let is_last =
        |now: &str, expires: &str| is_last_try(at(now), MemberIndex::new(0), Some(at(expires)), &timeline);
    assert!(is_last("2026-03-08", "2026-03-10") && is_last("2026-03-12", "2026-03-15"));
    assert!(!is_last("2026-03-05", "2026-03-10"), "another try lies ahead");
    assert!(!is_last("2026-03-08T00:00:01", "2026-03-10"), "late, nothing bounds the wait any more");
}

#[test]
fn what_a_command_needs_of_its_resource_is_what_its_approval_needs() {
    let postpaid = Resource { stage: Stage::Converted, ..resource("ecs-1") };
    let gone = Resource { stage: Stage::Released, ..resource("ecs-1") };
    let ends = |needs, member: &Resource| {
        let summary = ApprovalSummary {
            cause: Cause::Command,
            needs,
            expires_before: member.expires_at,
            ..automatic()
        };
        summary.obsolete_reason(&bundle([member.clone()]), |_| true)
    };
    assert_eq!(ends(Needs::Prepaid, &postpaid), Some(ExpiryReason::Ended));
    assert_eq!((ends(Needs::Resource, &postpaid), ends(Needs::Nothing, &postpaid)), (None, None));
    assert_eq!(
        (ends(Needs::Resource, &gone), ends(Needs::Nothing, &gone)),
        (Some(ExpiryReason::Ended), None)
    );
}

#[test]
fn a_plan_is_held_when_it_costs_more_than_the_limit() {
    assert!(!needs_approval(None, money("1000000")));
    assert!(!needs_approval(Some(money("30")), money("30")));
    assert!(needs_approval(Some(money("30")), money("30.000001")));
    assert!(!needs_approval(Some(money("0")), money("0")), "what costs nothing needs nobody");
}

fn tries(all: &[(&str, usize)]) -> Vec<Occurrence> {
    let occurrence = |(text, member): &(&str, usize)| Occurrence {
        at: at(text),
        member: MemberIndex::new(*member),
        action: Action::TryRenewal,
    };
    all.iter().map(occurrence).collect()
}

#[test]
fn an_approval_expires_before_the_last_try_or_after_a_week_or_at_expiry() {
    let renewal = plan([(0, extend(1))]);
    let order = plan([(0, buy("2026-03-03"))]);
    let none: &[(&str, usize)] = &[];
    for (requested_at, plan, timeline, wanted, why) in [
        (
            "2026-03-01",
            &renewal,
            &[("2026-03-05", 0), ("2026-03-09", 0)][..],
            "2026-03-08T23:59:59",
            "the last try",
        ),
        (
            "2026-03-01",
            &renewal,
            &[("2026-03-05", 0), ("2026-03-10", 0)],
            "2026-03-04T23:59:59",
            "before the expiry",
        ),
        (
            "2026-03-01",
            &renewal,
            &[("2026-03-05", 0), ("2026-03-09", 1)],
            "2026-03-04T23:59:59",
            "its own try",
        ),
        ("2026-03-01", &renewal, &[("2026-03-09", 1)], "2026-03-08T23:59:59", "the try of what it follows"),
        ("2026-03-01", &renewal, none, "2026-03-08", "a week"),
        ("2026-03-05", &renewal, none, "2026-03-10", "the expiry"),
        ("2026-03-09", &renewal, &[("2026-03-09", 0)], "2026-03-10", "no try is left"),
        ("2026-03-12", &renewal, none, "2026-03-19", "a week, once it has expired"),
        ("2026-03-01", &order, &[("2026-03-09", 0)], "2026-03-02T23:59:59", "before it is paid"),
        ("2026-03-08T23:59:59", &renewal, &[("2026-03-09", 0)], "2026-03-10", "nothing lies before that try"),
    ] {
        let found = expiry(
            at(requested_at),
            plan,
            MemberIndex::new(0),
            Some(at("2026-03-10")),
            &tries(timeline),
            None,
        );
        assert_eq!(found, at(wanted), "{why}");
    }
}

proptest! {
    #[test]
    fn an_approval_always_lapses_later_and_no_later_than_the_wait(
        asked in 0..10_000_000_i64,
        expires in prop::option::of(0..10_000_000_i64),
        others in prop::collection::vec((0..10_000_000_i64, 0..2_usize), 0..6),
    ) {
        let asked = Timestamp::from_second(asked);
        let expires = expires.map(Timestamp::from_second);
        let occurrence = |(second, member): (i64, usize)| Occurrence {
            at: Timestamp::from_second(second), member: MemberIndex::new(member), action: Action::TryRenewal,
        };
        let timeline = others.into_iter().map(occurrence).collect::<Vec<_>>();
        let found = expiry(asked, &plan([(0, extend(1))]), MemberIndex::new(0), expires, &timeline, None);
        prop_assert!(found > asked);
        let last = timeline.iter().filter(|one| one.member == MemberIndex::new(0) && one.at > asked + 1)
            .filter(|one| expires.is_none_or(|expires| one.at < expires)).map(|one| one.at).max();
        match last {
            Some(last) => prop_assert!(found < last),
            None if !timeline.iter().any(|one| one.at > asked + 1) => prop_assert!(found <= asked + WAIT_MAX),
            None => {}
        }
    }
}

#[test]
fn an_approval_of_what_goes_with_its_primary_lasts_while_that_one_renews() {
    let disk =
        |on_expiry| Resource { on_expiry, attached_to: Some(MemberIndex::new(0)), ..renewing("evs-1") };
    let ends = |primary: OnExpiry, own: OnExpiry, was: [bool; 2]| {
        let server = Resource { on_expiry: primary, ..renewing("ecs-1") };
        let summary = ApprovalSummary { member: MemberIndex::new(1), ..automatic() };
        summary.obsolete_reason(&bundle([server, disk(own)]), |member| was[member.get()])
    };
    let (renew, lapse, off) = (OnExpiry::Renew, OnExpiry::Lapse, Some(ExpiryReason::AutoRenewOff));
    assert_eq!(ends(renew, lapse, [true, false]), None, "its primary's auto-renew covers it");
    assert_eq!(ends(lapse, lapse, [false, false]), None, "it was left out of the primary's last renewal");
    assert_eq!(ends(renew, lapse, [true, true]), off, "its own is turned off");
    assert_eq!(ends(lapse, lapse, [true, false]), off, "that of its primary is turned off");
    assert_eq!(ends(renew, OnExpiry::Release, [true, false]), off);
}

/// What becomes of a resource, and why an approval expires that the clock, or a person, requested.
type Fate = (fn(&mut Resource), Option<ExpiryReason>, Option<ExpiryReason>);

#[test]
fn an_approval_lapses_once_there_is_nothing_left_to_decide_on() {
    let now = |change: fn(&mut Resource)| {
        let mut member = renewing("ecs-1");
        change(&mut member);
        bundle([member])
    };
    let of_command = ApprovalSummary { cause: Cause::Command, ..automatic() };
    let cases: [Fate; 5] = [
        (|_| {}, None, None),
        (|member| member.stage = Stage::Grace, None, None),
        (|member| member.stage = Stage::Unsubscribed, Some(ExpiryReason::Ended), Some(ExpiryReason::Ended)),
        (
            |member| member.expires_at = Some(at("2026-04-10")),
            Some(ExpiryReason::ExpiryMoved),
            Some(ExpiryReason::ExpiryMoved),
        ),
        (|member| member.on_expiry = OnExpiry::Lapse, Some(ExpiryReason::AutoRenewOff), None),
    ];
    for (change, of_clock, of_person) in cases {
        assert_eq!(automatic().obsolete_reason(&now(change), |_| true), of_clock);
        assert_eq!(of_command.obsolete_reason(&now(change), |_| true), of_person);
        let closed = ApprovalSummary { state: State::Rejected, ..automatic() };
        assert_eq!(closed.obsolete_reason(&now(change), |_| true), None, "what has ended ends once");
    }
}

#[test]
fn the_clock_requests_one_approval_per_period_unless_it_became_void() {
    let bundle = bundle([renewing("ecs-1"), attached("evs-1")]);
    let try_of = |approval: &[ApprovalSummary], bundle: &Bundle| {
        existing_renewal(approval, bundle, MemberIndex::new(0), Some(&key("ecs-1")))
    };
    let expired =
        |reason| ApprovalSummary { state: State::Expired, expiry_reason: Some(reason), ..automatic() };
    let earlier = ApprovalSummary {
        expires_before: Some(at("2026-02-10")),
        attempt: None,
        state: State::Rejected,
        ..automatic()
    };
    let by_person =
        ApprovalSummary { cause: Cause::Command, attempt: Some(attempt("ecs-1", 12)), ..automatic() };
    let no_renewal = ApprovalSummary {
        cause: Cause::Command,
        attempt: None,
        command: "buy_again".to_owned(),
        ..automatic()
    };
    for (approval, wanted, will_retry) in [
        (automatic(), ExistingApproval::Pending(ApprovalIndex::new(0)), true),
        (ApprovalSummary { state: State::Rejected, ..automatic() }, ExistingApproval::Decided, false),
        (ApprovalSummary { state: State::Approved, ..automatic() }, ExistingApproval::None, true),
        (expired(ExpiryReason::Undecided), ExistingApproval::Decided, false),
        (expired(ExpiryReason::ExpiryMoved), ExistingApproval::None, true),
        (expired(ExpiryReason::AutoRenewOff), ExistingApproval::None, false),
        (expired(ExpiryReason::Ended), ExistingApproval::None, false),
        (by_person.clone(), ExistingApproval::Pending(ApprovalIndex::new(0)), false),
        (ApprovalSummary { state: State::Rejected, ..by_person }, ExistingApproval::None, false),
        (no_renewal, ExistingApproval::None, false),
        (
            ApprovalSummary {
                member: MemberIndex::new(1),
                attempt: Some(attempt("ecs-1", 1)),
                ..automatic()
            },
            ExistingApproval::Pending(ApprovalIndex::new(0)),
            true,
        ),
        (
            ApprovalSummary {
                member: MemberIndex::new(1),
                attempt: Some(attempt("evs-1", 1)),
                ..automatic()
            },
            ExistingApproval::None,
            true,
        ),
        (earlier, ExistingApproval::None, false),
    ] {
        assert_eq!(try_of(std::slice::from_ref(&approval), &bundle), wanted, "{approval:?}");
        assert_eq!(approval.will_retry(), will_retry, "{approval:?}");
    }
    let both = [ApprovalSummary { state: State::Rejected, ..automatic() }, automatic()];
    assert_eq!(
        try_of(&both, &bundle),
        ExistingApproval::Pending(ApprovalIndex::new(1)),
        "what waits comes before what was answered"
    );
    let by_hand = ApprovalSummary { cause: Cause::Command, ..automatic() };
    let both = [by_hand, automatic()];
    assert_eq!(
        try_of(&both, &bundle),
        ExistingApproval::Pending(ApprovalIndex::new(1)),
        "its own comes before a person's"
    );
}

#[test]
fn a_person_asks_again_but_not_twice_at_once() {
    let same = |summary: &ApprovalSummary, command: &str| {
        existing_command(std::slice::from_ref(summary), MemberIndex::new(0), command)
    };
    let by_person = ApprovalSummary { cause: Cause::Command, command: "renew 1".to_owned(), ..automatic() };
    assert_eq!(same(&by_person, "renew 1"), ExistingApproval::Pending(ApprovalIndex::new(0)));
    assert_eq!(same(&by_person, "renew 12"), ExistingApproval::None, "another plan is another approval");
    assert_eq!(same(&by_person, "pay_order"), ExistingApproval::None, "so is what pays for the same period");
    assert_eq!(same(&automatic(), "renew"), ExistingApproval::None, "what the clock asks for may end before");
    assert_eq!(
        same(&ApprovalSummary { state: State::Rejected, ..by_person.clone() }, "renew 1"),
        ExistingApproval::None
    );
    let other = ApprovalSummary { member: MemberIndex::new(1), attempt: None, ..by_person };
    assert_eq!(same(&other, "renew 1"), ExistingApproval::None);
}

#[test]
fn a_limit_is_raised_when_more_may_pass() {
    let limit = |text: &str| text.parse::<Micros>().ok();
    let raised = |before: &str, after: &str| is_raise(limit(before), limit(after));
    assert!(raised("50.00", "50.01") && raised("50.00", "none"));
    assert!(
        !raised("50.00", "50.00")
            && !raised("50.00", "1.00")
            && !raised("none", "50.00")
            && !raised("none", "none")
    );
}
