//! The money that the plans of one account leave to one another while policies rule on them.
//!
//! The interpreter of policies keeps the same figures within a call; the host keeps them from call to call.

use crate::micros::Micros;
use crate::policy::Answer;
use crate::policy::Ruling;
use crate::policy::facts::AccountFacts;
use crate::policy::facts::PlanFacts;

/// What an account has when a plan is ruled on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What is available.
    pub balance: Micros,
    /// What was spent in the provider's month of the plan; zero without a budget.
    pub spent: Micros,
}

/// The figures of one account, from plan to plan.
#[derive(Clone, Copy, Debug)]
pub struct RunningFigures {
    figures: Figures,
    utc_offset_minutes: i16,
    /// The month that `spent` is about; `None` before the first plan.
    month: Option<i32>,
}

impl RunningFigures {
    /// Those before the first plan of `account`.
    pub fn new(account: &AccountFacts) -> RunningFigures {
        let spent = account.budget.map_or(Micros::ZERO, |budget| budget.spent);
        let figures = Figures { balance: account.balance, spent };
        RunningFigures { figures, utc_offset_minutes: account.utc_offset_minutes, month: None }
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

    /// `plan` was ruled on: it is taken to be paid if all policies approve, nothing else holds it back, and the balance
    /// covers it.
    pub fn after(&mut self, plan: &PlanFacts, answers: &[Answer]) {
        let cost = plan.cost.unwrap_or(Micros::ZERO);
        let is_approved = answers.iter().all(|answer| answer.ruling == Ruling::Approve);
        if is_approved && !plan.is_pending && (cost <= self.figures.balance || cost == Micros::ZERO) {
            let net = cost - plan.refund.unwrap_or(Micros::ZERO);
            self.figures.balance -= net;
            self.figures.spent += net;
        }
    }
}
