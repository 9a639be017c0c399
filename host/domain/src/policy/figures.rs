//! The money that the plans of one account leave to one another while policies rule on them.
//!
//! The interpreter of policies keeps the same figures within a call; the host keeps them from call to call.

use crate::ledger::Book;
use crate::ledger::Entry;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::policy::PolicyAnswer;
use crate::policy::Ruling;
use crate::policy::facts::AccountFacts;
use crate::policy::facts::PlanFacts;
use crate::timestamp::Timestamp;

/// What an account has when a plan is ruled on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The balance that is available.
    pub balance: Micros,
    /// What was spent in the provider's month of the plan; zero without a budget.
    pub spent: Micros,
}

/// What was spent in a month of the provider's, as it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthSpending {
    utc_offset_minutes: i16,
    /// Counted from the beginning of the year 0.
    month: i32,
    spent: Micros,
}

impl MonthSpending {
    /// `spent` in the month of `at`, in days that are `utc_offset_minutes` ahead of UTC.
    pub fn new(at: Timestamp, utc_offset_minutes: i16, spent: Micros) -> MonthSpending {
        MonthSpending { utc_offset_minutes, month: at.month(utc_offset_minutes), spent }
    }

    /// What was spent in the month of `at`, which is not before the instants so far.
    pub fn at(&self, at: Timestamp) -> Micros {
        if at.month(self.utc_offset_minutes) == self.month { self.spent } else { Micros::ZERO }
    }

    /// At `at` money moved, as these entries say.
    pub fn add(&mut self, at: Timestamp, entries: &[Entry]) {
        let spent = self.at(at) + entries.iter().map(spending).sum();
        *self = MonthSpending::new(at, self.utc_offset_minutes, spent);
    }
}

/// What an entry counts as against a budget: renewals and purchases, less what is given back of them. What is held for a call
/// to a cloud counts from then on, until it is released.
pub fn spending(entry: &Entry) -> Micros {
    match (entry.reason, entry.from, entry.to) {
        (Reason::Renewal | Reason::Purchase, Book::Cash, Book::Held | Book::Spent) => entry.amount,
        (Reason::Renewal | Reason::Purchase, Book::Held, Book::Cash) | (Reason::Refund, Book::Spent, _) => {
            -entry.amount
        }
        (Reason::Renewal | Reason::Purchase | Reason::Refund, _, _) => Micros::ZERO,
        (Reason::Opening | Reason::TopUp | Reason::Upgrade | Reason::Adjustment, _, _) => Micros::ZERO,
    }
}

/// The figures of one account, from plan to plan.
#[derive(Clone, Copy, Debug)]
pub struct RunningFigures {
    figures: Figures,
    /// Whether what is spent counts; without a budget it stays zero.
    has_budget: bool,
    utc_offset_minutes: i16,
    /// The month that `spent` is about; `None` before the first plan.
    month: Option<i32>,
}

impl RunningFigures {
    /// Those before the first plan of `account`.
    pub fn new(account: &AccountFacts) -> RunningFigures {
        let spent = account.budget.map_or(Micros::ZERO, |budget| budget.spent);
        let figures = Figures { balance: account.balance, spent };
        let AccountFacts { utc_offset_minutes, budget, .. } = account;
        let has_budget = budget.is_some();
        RunningFigures { figures, has_budget, utc_offset_minutes: *utc_offset_minutes, month: None }
    }

    /// What `plan`, which is next, is shown: a month begins with nothing spent.
    pub fn before(&mut self, plan: &PlanFacts) -> Figures {
        let month = plan.at.month(self.utc_offset_minutes);
        if self.month.is_some_and(|last| last != month) {
            self.figures.spent = Micros::ZERO;
        }
        self.month = Some(month);
        self.figures
    }

    /// `plan` was asked about: it is taken to be paid if all policies approve, nothing else holds it back, and the balance
    /// covers it.
    pub fn after_answers(&mut self, plan: &PlanFacts, answers: &[PolicyAnswer]) {
        self.after(plan, answers.iter().all(|answer| answer.ruling == Ruling::Approve));
    }

    /// `plan` was ruled on: if it is approved, it is taken to be paid unless something else holds it back or the balance
    /// does not cover it.
    pub fn after(&mut self, plan: &PlanFacts, is_approved: bool) {
        let cost = plan.cost.unwrap_or(Micros::ZERO);
        if is_approved && !plan.is_pending && (cost <= self.figures.balance || cost == Micros::ZERO) {
            let net = cost - plan.refund.unwrap_or(Micros::ZERO);
            self.figures.balance -= net;
            if self.has_budget {
                self.figures.spent += net;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::at;
    use crate::sample::money;

    #[test]
    fn what_is_held_for_a_call_counts_until_it_is_released() {
        let amount = |reason, from, to| {
            let (resource, reference) = (None, None);
            let entry =
                Entry { at: at("2026-03-01"), from, to, amount: money("9"), reason, resource, reference };
            spending(&entry).to_string()
        };
        let spent = [
            (Reason::Renewal, Book::Cash, Book::Spent, "9.00"),
            (Reason::Renewal, Book::Cash, Book::Held, "9.00"),
            (Reason::Renewal, Book::Held, Book::Spent, "0.00"),
            (Reason::Renewal, Book::Held, Book::Cash, "-9.00"),
            (Reason::Refund, Book::Spent, Book::Cash, "-9.00"),
            (Reason::TopUp, Book::Funding, Book::Cash, "0.00"),
        ];
        for (reason, from, to, counted) in spent {
            assert_eq!(amount(reason, from, to), counted, "{reason:?} from {from:?} to {to:?}");
        }
    }
}
