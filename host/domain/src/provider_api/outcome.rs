//! What became of a plugin's queries and mutations, and what a provider's own API sees of resources and orders.

use crate::bundle::Resource;
use crate::micros::Micros;
use crate::order::OrderKind;
use crate::order::OrderState;
use crate::plan::Refusal;
use crate::timestamp::Timestamp;

/// The last renewal that was not refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRenewal {
    /// The instant of the renewal.
    pub at: Timestamp,
    /// The expiry before it.
    pub previous_expires_at: Timestamp,
}

/// A resource with what a provider's own API shows of it beyond the rules' view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceView {
    /// The resource. Its index in its bundle means nothing here.
    pub resource: Resource,
    /// The id of what it is attached to.
    pub attached_to: Option<String>,
    /// Its last renewal.
    pub last_renewal: Option<LastRenewal>,
}

/// What became of a period that was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRefund {
    /// The instant at which it was given back.
    pub at: Timestamp,
    /// The periods that one command gave back share it: 1 for the first command that gave back any of the bundle's at `at`.
    pub number: u32,
    /// The amount that was given back.
    pub amount: Micros,
    /// What was kept as a handling fee; `None` when it was given back before that was written down.
    pub fee: Option<Micros>,
}

/// A period of a resource in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// The order's id. Resources that are renewed together share one.
    pub id: String,
    /// What the order is for.
    pub order_kind: OrderKind,
    /// The state of the order.
    pub state: OrderState,
    /// The resource's id.
    pub resource: String,
    /// The resource's kind.
    pub kind: String,
    /// The resource's region.
    pub region: String,
    /// The instant at which the period begins.
    pub starts_at: Timestamp,
    /// The instant at which the period ends.
    pub ends_at: Timestamp,
    /// What it costs; negative for what a downgrade gave back.
    pub cost: Micros,
    /// When the order was made.
    pub created_at: Timestamp,
    /// Until when it can be paid; `None` when it was paid at once.
    pub pay_until: Option<Timestamp>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// The order that a downgrade gave money back of.
    pub reduces: Option<String>,
    /// Its refund, if it was given back.
    pub refund: Option<OrderRefund>,
}

/// A step of a plan with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedStep {
    /// The resource's id.
    pub resource: String,
    /// The cost of the step.
    pub cost: Micros,
    /// The amount that the step gives back.
    pub refund: Micros,
    /// The expiry that it leads to, if it changes it.
    pub expires_at: Option<Timestamp>,
}

/// The outcome of one query or one mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Resources that there are.
    Resources {
        /// How many, also beyond the limit.
        total: u32,
        /// The resources of the page.
        resources: Vec<ResourceView>,
    },
    /// Orders that there are.
    Orders {
        /// How many match, also beyond the limit.
        total: u32,
        /// The periods of those within it.
        orders: Vec<OrderView>,
    },
    /// The balance of the account.
    Balance {
        /// The currency, such as `USD`.
        currency: String,
        /// What is free to be spent.
        available: Micros,
        /// The amount that is reserved by holds.
        held: Micros,
    },
    /// What a command would do.
    Proposal {
        /// The currency, such as `USD`.
        currency: String,
        /// Empty when the rules refuse.
        steps: Vec<PricedStep>,
        /// Why the host would not apply it, if so.
        refusal: Option<Refusal>,
    },
    /// The mutation was applied.
    Applied {
        /// The orders that it made or refunded.
        orders: Vec<String>,
        /// The amount that was paid.
        cost: Micros,
        /// The amount that was given back.
        refund: Micros,
    },
    /// The plan needs approval first: the approval's id.
    Pending(String),
    /// The provider's rules refused it.
    Refused(Refusal),
    /// It was not committed, because another mutation was refused.
    Aborted,
    /// A bearer token was issued.
    Token {
        /// The bearer token.
        value: String,
        /// From this instant on it is no longer valid.
        valid_until: Timestamp,
    },
}
