//! The promises hold for plans that are held, whatever is decided on them.

use perennial_domain::approval::State;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval::DecisionOutcome;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::keys::RowKey;
use proptest::prelude::*;

use crate::host::Host;
use crate::host::at;
use crate::host::check;
use crate::invariants;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::careful;

#[test]
fn nothing_dear_is_paid_for_while_nobody_decides() {
    check(60, careful(Money::Plenty), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        prop_assert!(decided(&host, &[State::Approved, State::Rejected]) == 0);
        invariants::all(&host, UNTIL)
    });
}

/// How many approvals are in one of these states.
fn decided(host: &Host, states: &[State]) -> usize {
    let all = approvals::list(host.db(), &Filter::default(), RowKey::before_all(), u32::MAX).unwrap();
    all.iter().filter(|approval| states.contains(&approval.state)).count()
}

/// What somebody does about what is open, one after the other.
#[derive(Clone, Copy, Debug)]
enum Will {
    Approve,
    Reject,
    Wait,
}

fn wills() -> impl Strategy<Value = Vec<Will>> {
    let will = prop_oneof![3 => Just(Will::Approve), 1 => Just(Will::Reject), 2 => Just(Will::Wait)];
    prop::collection::vec(will, 1..40)
}

#[test]
fn every_promise_holds_whatever_is_decided() {
    let mut approved = 0;
    let count = std::cell::RefCell::new(&mut approved);
    check(60, (prop_oneof![careful(Money::Short), careful(Money::Plenty)], wills()), |(world, wills)| {
        let mut host = Host::new(&world);
        let mut wills = wills.iter().cycle();
        for day in 0..30 {
            host.play(FROM + day * DAY + i64::from(day > 0), FROM + (day + 1) * DAY - 1);
            let open = Filter { state: Some(State::Pending), ..Filter::default() };
            for stored in approvals::list(host.engine.db(), &open, RowKey::before_all(), 1_000).unwrap() {
                let decision = ApprovalDecision {
                    decided_by: "somebody",
                    reason: None,
                    plan_hash: None,
                    labels: ApproverLabels::All,
                };
                let now = at(FROM + (day + 1) * DAY);
                let verdict = match wills.next().unwrap() {
                    Will::Approve => host.engine.approve(now, &stored.id, &decision),
                    Will::Reject => host.engine.reject(now, &stored.id, &decision),
                    Will::Wait => continue,
                };
                // Another decision of the same instant may have left nothing to decide on, and an instant may be too late.
                let Ok(verdict) = verdict else { continue };
                let happened = match verdict {
                    DecisionOutcome::Recorded(happened) => happened,
                    DecisionOutcome::Refused { events: happened, .. }
                    | DecisionOutcome::PlanChanged { events: happened, .. } => happened,
                };
                host.record(happened);
            }
            host.play(FROM + (day + 1) * DAY, FROM + (day + 1) * DAY);
        }
        **count.borrow_mut() += decided(&host, &[State::Approved]);
        invariants::no_period_is_paid_twice(&host)?;
        invariants::everything_live_has_a_wake(&host, UNTIL)?;
        invariants::what_is_dear_is_held(&host, UNTIL)?;
        invariants::money_adds_up(&host)?;
        invariants::no_expiry_moves_back(&host)
    });
    assert!(approved > 50, "{approved} approvals are not worth the test");
}
