//! A plan of the past that other policies were asked about, or why it was not.

use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::timestamp::Timestamp;

use crate::backtest::plan_ruling::PlanRuling;

/// A plan that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedPlan {
    /// When it was made.
    pub at: Timestamp,
    /// The account's id.
    pub account: String,
    /// The currency of its amounts.
    pub currency: String,
    /// What the account had.
    pub balance: Micros,
    /// The resource that was named.
    pub resource: String,
    /// Its expiry then.
    pub expires_before: Option<Timestamp>,
    /// The name of the command.
    pub command: String,
    /// Whether the clock asked, or a command.
    pub cause: Cause,
    /// What was ruled, as though no approval had been given yet; without policies everything is approved.
    pub followed: PlanRuling,
    /// Whether the policies let it meet the money then, with the approvals that had been given.
    pub was_allowed: bool,
    /// Whether it is an earlier plan again, of which somebody had approved.
    pub has_approvals: bool,
    /// What the policies that are tested rule.
    pub ruling: PlanRuling,
}

/// Why a plan cannot be asked about here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotTestable {
    /// No plugin of its id is loaded.
    #[error("no plugin `{0}` is loaded")]
    NoPlugin(String),
    /// What is kept cannot be read.
    #[error("what is kept of it cannot be read; see `perennial replay --all`")]
    Unreadable,
}
