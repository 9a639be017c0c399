//! Why a command is refused: the situations that a table has codes for, and the words for each.

use plugin_sdk::Refusal;

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    InsufficientBalance,
    UnknownResource,
    PolicyDenied,
    PolicyDeferred,
    /// The resource was released or unsubscribed.
    Gone,
    /// The resource is not paid ahead.
    PayPerUse,
    /// The provider, or this table, has no such command.
    NotSupported,
    /// A renewal has an option that there is not, or a value that the option has not.
    BadOption,
    TermNotSold,
    /// The renewed period would be over already.
    PeriodOver,
    /// The stage of the resource does not allow it.
    Expired,
    UnpaidOrder,
    /// It is so already.
    NothingToChange,
    /// There is no renewed period that has not begun.
    NothingToRefund,
    /// The time is over within which something can be given back.
    TooLateToRefund,
    /// Why an attached resource is left out.
    LeftOut,
}

impl Situation {
    pub(crate) const ALL: [Situation; 16] = [
        Situation::InsufficientBalance,
        Situation::UnknownResource,
        Situation::PolicyDenied,
        Situation::PolicyDeferred,
        Situation::Gone,
        Situation::PayPerUse,
        Situation::NotSupported,
        Situation::BadOption,
        Situation::TermNotSold,
        Situation::PeriodOver,
        Situation::Expired,
        Situation::UnpaidOrder,
        Situation::NothingToChange,
        Situation::NothingToRefund,
        Situation::TooLateToRefund,
        Situation::LeftOut,
    ];

    /// The name in a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Situation::InsufficientBalance => "insufficient_balance",
            Situation::UnknownResource => "unknown_resource",
            Situation::PolicyDenied => "policy_denied",
            Situation::PolicyDeferred => "policy_deferred",
            Situation::Gone => "gone",
            Situation::PayPerUse => "pay_per_use",
            Situation::NotSupported => "not_supported",
            Situation::BadOption => "bad_option",
            Situation::TermNotSold => "term_not_sold",
            Situation::PeriodOver => "period_over",
            Situation::Expired => "expired",
            Situation::UnpaidOrder => "unpaid_order",
            Situation::NothingToChange => "nothing_to_change",
            Situation::NothingToRefund => "nothing_to_refund",
            Situation::TooLateToRefund => "too_late_to_refund",
            Situation::LeftOut => "left_out",
        }
    }
}

/// The provider's code for each situation, and its words where it has its own.
#[derive(Clone, Debug)]
pub(crate) struct Refusals {
    /// In the order of [`Situation::ALL`].
    pub(crate) codes: Vec<(String, Option<String>)>,
}

impl Refusals {
    /// The refusal in a situation: in the table's words, otherwise in these.
    pub(crate) fn because(&self, situation: Situation, message: impl Into<String>) -> Refusal {
        let place = Situation::ALL.iter().position(|one| *one == situation).unwrap_or_default();
        let (code, own) = &self.codes[place];
        Refusal { code: code.clone(), message: own.clone().unwrap_or_else(|| message.into()) }
    }
}
