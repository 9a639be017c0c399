//! What came of plans, and what would have come of them by other rulings. Knows plans that were tested; not how they are
//! written.
//!
//! The tries of one period are one renewal: it takes place at the first of them that the rulings let pass. What is put off
//! takes place at its instant, and what waits for an approval is counted apart.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::micros::Micros;
use perennial_domain::policy::difference::Effect;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::backtest::PlanRuling;
use perennial_engine::backtest::TestedPlan;

/// A plan that was tested, and whether it was carried out.
#[derive(Clone, Debug)]
pub(super) struct Try {
    /// The plan.
    pub(super) plan: TestedPlan,
    /// Whether it was carried out.
    pub(super) was_done: bool,
}

/// What a plan is about: of an account's resource, the command and, for a renewal, the period that it follows.
type Subject = (String, String, String, Option<Timestamp>);

/// The plans of a backtest.
#[derive(Debug, Default)]
pub(super) struct Effects {
    tries: BTreeMap<Subject, Vec<Try>>,
}

/// Plans that would have been ruled on otherwise in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// How many; one that was tried again counts once.
    pub(super) plans: usize,
    /// What they cost as they were.
    pub(super) cost: Micros,
    /// What they would cost as they would be amended.
    pub(super) amended_cost: Micros,
    /// Their currency.
    pub(super) currency: String,
    /// Their resources, in order.
    pub(super) resources: BTreeSet<String>,
    /// The words of the first ruling of that policy.
    pub(super) reason: String,
}

/// The way in which rulings differ: the account, what was done, what would have been, and the policy that says so or, where
/// none would, said so.
pub(super) type DifferenceKind = (String, Effect, Effect, Option<String>);

/// What an account renewed and paid in a month, as it was and as it would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Month {
    /// Renewals that took place, and that would have.
    pub(super) renewals: [usize; 2],
    /// What was paid less what was paid back, and what would have been.
    pub(super) paid: [Micros; 2],
    /// What would have been paid once somebody approves of it.
    pub(super) to_approve: Micros,
    /// The currency.
    pub(super) currency: String,
}

/// Everything that other rulings would have changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Plans, by the way in which the rulings differ.
    pub(super) differences: BTreeMap<DifferenceKind, Difference>,
    /// Failures of policies, by the policy and why.
    pub(super) failures: BTreeMap<(String, String), Difference>,
    /// By account and month in UTC, such as `2026-01`.
    pub(super) months: BTreeMap<(String, String), Month>,
    /// When a resource first was, and first would have been, without a period that is paid for, by account and resource.
    pub(super) lapses: BTreeMap<(String, String), [Option<Timestamp>; 2]>,
}

/// What comes of the tries of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is carried out, at an instant and for so much.
    Done(Timestamp, Micros),
    /// It waits for somebody, since an instant and for so much.
    Waits(Timestamp, Micros),
    /// Nothing.
    Nothing,
}

impl Effects {
    /// Takes a plan in; they come in the order in which they were made.
    pub(super) fn add(&mut self, one: Try) {
        let TestedPlan { account, resource, command, expires_before, .. } = &one.plan;
        let subject = (account.clone(), resource.clone(), command.clone(), *expires_before);
        self.tries.entry(subject).or_default().push(one);
    }

    /// What the rulings would have changed until `now`.
    pub(super) fn changes(&self, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        for ((account, resource, command, expires_before), tries) in &self.tries {
            changes.count_differences(tries);
            if command != "renew" {
                // Each is asked for by itself, but the plan that waited for an approval is that which it was given for.
                let again = |place: usize| tries[place + 1..].iter().any(|later| later.plan.has_approvals);
                let once = tries.iter().enumerate().filter(|(place, one)| one.was_done || !again(*place));
                once.for_each(|(_, one)| changes.count_money(account, std::slice::from_ref(one), false));
                continue;
            }
            changes.count_money(account, tries, true);
            let lapse = expires_before.filter(|_| done(tries) == Outcome::Nothing).filter(|at| *at <= now);
            let would_lapse = expires_before.filter(|_| would_be(tries) == Outcome::Nothing);
            let is_kept = matches!(would_be(tries), Outcome::Done(..));
            if (lapse.is_some() && is_kept) || (lapse.is_none() && would_lapse.is_some() && was_done(tries)) {
                let known = changes.lapses.entry((account.clone(), resource.clone())).or_default();
                for (known, at) in known.iter_mut().zip([lapse, would_lapse]) {
                    *known = [*known, at].into_iter().flatten().min();
                }
            }
        }
        changes
    }
}

impl Changes {
    fn count_differences(&mut self, tries: &[Try]) {
        let mut counted = BTreeSet::new();
        for Try { plan, .. } in tries {
            let TestedPlan { account, followed, ruling, .. } = plan;
            if ruling.differs(followed) {
                // Where no policy has anything against it, the one that had is the one to name.
                let says = if ruling.policy.is_some() { ruling } else { followed };
                let kind = (account.clone(), followed.effect, ruling.effect, says.policy.clone());
                let difference = self.differences.entry(kind.clone()).or_default();
                difference.add(plan, &says.reason, counted.insert(Ok(kind)));
            }
            for failure in &ruling.failures {
                let difference = self.failures.entry(failure.clone()).or_default();
                difference.add(plan, &failure.1, counted.insert(Err(failure.clone())));
            }
        }
    }

    fn count_money(&mut self, account: &str, tries: &[Try], is_renewal: bool) {
        let Some(first) = tries.first() else { return };
        let currency = &first.plan.currency;
        for (side, result) in [done(tries), would_be(tries)].into_iter().enumerate() {
            match result {
                Outcome::Done(at, amount) => {
                    let month = self.month(account, at, currency);
                    month.renewals[side] += usize::from(is_renewal);
                    month.paid[side] += amount;
                }
                Outcome::Waits(at, amount) => self.month(account, at, currency).to_approve += amount,
                Outcome::Nothing => {}
            }
        }
    }

    fn month(&mut self, account: &str, at: Timestamp, currency: &str) -> &mut Month {
        let month = self.months.entry((account.to_owned(), at.to_string()[..7].to_owned())).or_default();
        currency.clone_into(&mut month.currency);
        month
    }
}

impl Difference {
    fn add(&mut self, plan: &TestedPlan, reason: &str, is_new: bool) {
        if !is_new {
            return;
        }
        if self.plans == 0 {
            (self.reason, self.currency) = (reason.to_owned(), plan.currency.clone());
        }
        self.plans += 1;
        self.cost += plan.followed.cost.unwrap_or_default();
        if plan.ruling.effect == Effect::Amended {
            self.amended_cost += plan.ruling.cost.unwrap_or_default();
        }
        self.resources.insert(plan.resource.clone());
    }
}

/// What a plan takes from the balance.
fn net(ruling: &PlanRuling) -> Micros {
    ruling.cost.unwrap_or_default() - ruling.refund.unwrap_or_default()
}

fn was_done(tries: &[Try]) -> bool {
    tries.iter().any(|one| one.was_done)
}

/// What came of the tries of a plan.
fn done(tries: &[Try]) -> Outcome {
    let done = tries.iter().find(|one| one.was_done);
    done.map_or(Outcome::Nothing, |one| Outcome::Done(one.plan.at, net(&one.plan.followed)))
}

/// What would have come of them.
fn would_be(tries: &[Try]) -> Outcome {
    let mut put_off = None;
    for Try { plan, was_done } in tries {
        let TestedPlan { at, followed, ruling, .. } = plan;
        if put_off.is_some_and(|(until, _)| *at < until) {
            continue;
        }
        put_off = None;
        match ruling.effect {
            Effect::Approved | Effect::Amended => {
                let is_affordable = ruling.cost.is_none_or(|cost| cost <= plan.balance);
                if if plan.was_allowed { *was_done } else { is_affordable } {
                    return Outcome::Done(*at, net(ruling));
                }
            }
            Effect::ApprovalRequired if followed.effect == Effect::ApprovalRequired => {
                if *was_done {
                    return Outcome::Done(*at, net(ruling));
                }
            }
            Effect::ApprovalRequired => return Outcome::Waits(*at, net(ruling)),
            Effect::Deferred if ruling.differs(followed) => {
                put_off = ruling.until.map(|until| (until, net(ruling)));
            }
            Effect::Deferred | Effect::Denied | Effect::Failed => {}
        }
    }
    put_off.map_or(Outcome::Nothing, |(until, amount)| Outcome::Done(until, amount))
}
