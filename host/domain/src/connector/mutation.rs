//! Mutations at a provider, and what its responses prove about them.

use std::collections::BTreeMap;

use crate::attempt::DeclineClass;
use crate::connector::MutationName;
use crate::connector::Target;
use crate::plan::AutoRenewal;
use crate::plan::Refusal;
use crate::plan::Scope;
use crate::term::Term;

/// A renewal, whose order is always paid at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudRenewal {
    /// The term to extend by.
    pub term: Term,
    /// The provider's own options.
    pub options: BTreeMap<String, String>,
}

/// What a mutation changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Extends resources by a term.
    Renew(CloudRenewal),
    /// Has the provider renew by itself.
    SetAutoRenew(AutoRenewal),
    /// Ends the provider's own renewals.
    CancelAutoRenew,
    /// Gives a subscription back.
    Unsubscribe(Scope),
    /// Has a resource become pay-per-use when it expires.
    ConvertOnExpiry,
    /// Takes that back.
    CancelConversion,
    /// Pays the order with this id.
    PayOrder(String),
    /// Cancels the order with this id.
    CancelOrder(String),
}

impl Change {
    /// The term that is paid for, or that of each automatic renewal; `None` where there is none.
    pub const fn term(&self) -> Option<Term> {
        match self {
            Change::Renew(renewal) => Some(renewal.term),
            Change::SetAutoRenew(auto_renewal) => auto_renewal.term,
            Change::CancelAutoRenew
            | Change::Unsubscribe(_)
            | Change::ConvertOnExpiry
            | Change::CancelConversion
            | Change::PayOrder(_)
            | Change::CancelOrder(_) => None,
        }
    }

    /// Which mutation of the contract it is.
    pub const fn mutation(&self) -> MutationName {
        match self {
            Change::Renew(_) => MutationName::Renew,
            Change::SetAutoRenew(_) => MutationName::SetAutoRenew,
            Change::CancelAutoRenew => MutationName::CancelAutoRenew,
            Change::Unsubscribe(_) => MutationName::Unsubscribe,
            Change::ConvertOnExpiry => MutationName::ConvertOnExpiry,
            Change::CancelConversion => MutationName::CancelConversion,
            Change::PayOrder(_) => MutationName::PayOrder,
            Change::CancelOrder(_) => MutationName::CancelOrder,
        }
    }
}

/// A change of resources at the provider: one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The resources that it names, at least one.
    pub targets: Vec<Target>,
    /// What the plan changes along with them, which is attached to one of them each.
    pub along: Vec<Target>,
    /// What is changed of each.
    pub change: Change,
    /// The same whenever this is sent again, and another one only after a proof that it was declined; at most 64 characters.
    pub client_token: String,
}

/// The provider said no, and nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// Why, in the host's words.
    pub class: DeclineClass,
    /// Why, in the provider's.
    pub refusal: Refusal,
    /// In how many seconds to try again, where the provider says so.
    pub retry_after: Option<u32>,
    /// Whether an order for the resource waits to be paid, or may.
    pub has_unpaid_order: bool,
}

/// What became of a mutation for one of its targets, as far as the response proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done; the orders are the provider's.
    Applied(Vec<String>),
    /// The provider accepted it, in these orders.
    Submitted(Vec<String>),
    /// It is not done, and will not be.
    Declined(Decline),
    /// Nobody knows, for this reason.
    InDoubt(String),
}
