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

/// What a plan is about: of an account's resource, the command and, for a renewal, the period that it follows.
type PlanKey = (String, String, String, Option<Timestamp>);

/// The plans of a backtest.
#[derive(Debug, Default)]
pub(super) struct Effects {
    tries: BTreeMap<PlanKey, Tries>,
    differences: BTreeMap<DifferenceKind, Difference>,
    failures: BTreeMap<String, Difference>,
}

/// The tries of one plan, as far as it matters what comes of them: there may be millions.
#[derive(Debug, Default)]
struct Tries {
    currency: String,
    all: Vec<Try>,
    /// The differences and failures that it is counted among.
    counted: BTreeSet<Tally>,
}

/// What a plan is counted among once, however often it is tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tally {
    Difference(DifferenceKind),
    Failure(String),
}

/// A renewal try that was recorded.
#[derive(Clone, Copy, Debug)]
struct Try {
    at: Timestamp,
    was_done: bool,
    was_allowed: bool,
    has_approvals: bool,
    balance: Micros,
    followed: Effect,
    /// What it took from the balance, if it was carried out.
    followed_net: Micros,
    ruling: Effect,
    ruling_net: Micros,
    ruling_until: Option<Timestamp>,
    ruling_cost: Option<Micros>,
    differs: bool,
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
    /// The currency of the amounts.
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
    /// The currency of the amounts.
    pub(super) currency: String,
}

/// Everything that other rulings would have changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Plans, by the way in which the rulings differ.
    pub(super) differences: BTreeMap<DifferenceKind, Difference>,
    /// Plans on which a policy fails, by the policy.
    pub(super) failures: BTreeMap<String, Difference>,
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
    /// Nothing became of it.
    Nothing,
}

impl Effects {
    /// Takes a plan in, and whether it was carried out; plans come in the order in which they were made.
    pub(super) fn add(&mut self, plan: &TestedPlan, was_done: bool) {
        let TestedPlan { account, resource, command, expires_before, followed, ruling, .. } = plan;
        let key = (account.clone(), resource.clone(), command.clone(), *expires_before);
        let tries = self.tries.entry(key).or_default();
        plan.currency.clone_into(&mut tries.currency);
        let differs = ruling.differs(followed);
        tries.all.push(Try {
            at: plan.at,
            was_done,
            was_allowed: plan.was_allowed,
            has_approvals: plan.has_approvals,
            balance: plan.balance,
            followed: followed.effect,
            followed_net: net(followed),
            ruling: ruling.effect,
            ruling_net: net(ruling),
            ruling_until: ruling.until,
            ruling_cost: ruling.cost,
            differs,
        });
        if differs {
            // Where no policy has anything against it, the one that had is the one to name.
            let says = if ruling.policy.is_some() { ruling } else { followed };
            let kind = (account.clone(), followed.effect, ruling.effect, says.policy.clone());
            if tries.counted.insert(Tally::Difference(kind.clone())) {
                self.differences.entry(kind).or_default().add(plan, &says.reason);
            }
        }
        for (policy, reason) in &ruling.failures {
            if tries.counted.insert(Tally::Failure(policy.clone())) {
                self.failures.entry(policy.clone()).or_default().add(plan, reason);
            }
        }
    }

    /// What the rulings would have changed until `now`.
    pub(super) fn changes(self, now: Timestamp) -> Changes {
        let Effects { tries, differences, failures } = self;
        let mut changes = Changes { differences, failures, ..Changes::default() };
        for ((account, resource, command, expires_before), Tries { currency, all, .. }) in tries {
            let of = (account.as_str(), currency.as_str());
            if command != "renew" {
                // Each is asked for by itself, but the plan that waited for an approval is that which it was given for.
                let again = |place: usize| all[place + 1..].iter().any(|later| later.has_approvals);
                let once = all.iter().enumerate().filter(|(place, one)| one.was_done || !again(*place));
                once.for_each(|(_, one)| changes.count_money(of, std::slice::from_ref(one), false));
                continue;
            }
            changes.count_money(of, &all, true);
            let (is_done, would_be) = (all.iter().any(|one| one.was_done), would_be(&all));
            let lapse = expires_before.filter(|at| !is_done && *at <= now);
            let would_lapse = expires_before.filter(|_| would_be == Outcome::Nothing);
            let is_kept = lapse.is_some() && matches!(would_be, Outcome::Done(..));
            if is_kept || (is_done && would_lapse.is_some()) {
                let known = changes.lapses.entry((account, resource)).or_default();
                for (known, at) in known.iter_mut().zip([lapse, would_lapse]) {
                    *known = [*known, at].into_iter().flatten().min();
                }
            }
        }
        changes
    }
}

impl Changes {
    fn count_money(&mut self, (account, currency): (&str, &str), tries: &[Try], is_renewal: bool) {
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
    fn add(&mut self, plan: &TestedPlan, reason: &str) {
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

/// What came of the tries of a plan.
fn done(tries: &[Try]) -> Outcome {
    let done = tries.iter().find(|one| one.was_done);
    done.map_or(Outcome::Nothing, |one| Outcome::Done(one.at, one.followed_net))
}

/// What would have come of them.
fn would_be(tries: &[Try]) -> Outcome {
    let mut put_off = None;
    for one in tries {
        if put_off.is_some_and(|(until, _)| one.at < until) {
            continue;
        }
        put_off = None;
        let done = Outcome::Done(one.at, one.ruling_net);
        match one.ruling {
            Effect::Approved | Effect::Amended => {
                let is_affordable = one.ruling_cost.is_none_or(|cost| cost <= one.balance);
                if if one.was_allowed { one.was_done } else { is_affordable } {
                    return done;
                }
            }
            Effect::ApprovalRequired if one.followed != Effect::ApprovalRequired => {
                return Outcome::Waits(one.at, one.ruling_net);
            }
            Effect::ApprovalRequired if one.was_done => return done,
            Effect::Deferred if one.differs => {
                put_off = one.ruling_until.map(|until| (until, one.ruling_net));
            }
            Effect::ApprovalRequired | Effect::Deferred | Effect::Denied | Effect::Failed => {}
        }
    }
    put_off.map_or(Outcome::Nothing, |(until, amount)| Outcome::Done(until, amount))
}
