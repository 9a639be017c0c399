//! Questions to a provider that change nothing, and what it says.

use std::collections::BTreeMap;

use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Stage;
use crate::connector::Target;
use crate::micros::Micros;
use crate::order::OrderKind;
use crate::plan::Refusal;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// Where a list goes on: text that only the connector reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Which orders are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderQuery {
    /// These only; empty is every one of the account.
    pub orders: Vec<String>,
    /// Those that this resource is in only.
    pub target: Option<Target>,
    /// Those made at this instant or later only.
    pub created_from: Option<Timestamp>,
    /// Where the list goes on.
    pub cursor: Option<Cursor>,
}

/// A question that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Everything that the account has, page after page.
    List {
        /// Where the list goes on.
        cursor: Option<Cursor>,
        /// What expires at this instant or earlier only; `None` is everything.
        expires_until: Option<Timestamp>,
    },
    /// The present state of these resources; one that is in no page is gone.
    Find {
        /// The resources to look for.
        targets: Vec<Target>,
        /// Where the list goes on.
        cursor: Option<Cursor>,
    },
    /// The present state of what may have changed; that something is in no page proves nothing.
    Changes {
        /// What was ordered at this instant or later.
        since: Timestamp,
        /// What expires at this instant or earlier.
        expires_until: Timestamp,
        /// Where the list goes on.
        cursor: Option<Cursor>,
    },
    /// What became of orders.
    Orders(OrderQuery),
    /// What a renewal of each would cost.
    Quote {
        /// The resources to be renewed.
        targets: Vec<Target>,
        /// The term of the renewal.
        term: Term,
    },
    /// The money that the account has at the provider.
    Balance,
}

impl Query {
    /// The word for its kind, in the log and in errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Query::List { .. } => "list",
            Query::Find { .. } => "find",
            Query::Changes { .. } => "changes",
            Query::Orders(_) => "orders",
            Query::Quote { .. } => "quote",
            Query::Balance => "balance",
        }
    }
}

/// A resource as the provider shows it; what it does not say is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudResource {
    /// The id that the provider gave it.
    pub id: String,
    /// One of the kinds of the plugin's manifest.
    pub kind: String,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// The id of the resource that it is attached to.
    pub attached_to: Option<String>,
    /// Where it is; empty when the provider does not say.
    pub region: String,
    /// How it is paid for.
    pub charging: Charging,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it was bought.
    pub started_at: Option<Timestamp>,
    /// Until when it is paid for.
    pub expires_at: Option<Timestamp>,
    /// The period that it was bought for.
    pub term: Option<Term>,
    /// What happens when it expires.
    pub on_expiry: Option<OnExpiry>,
    /// The automatic renewals that are still allowed.
    pub renewals_left: Option<u32>,
    /// The term of an automatic renewal.
    pub renewal_term: Option<Term>,
    /// The price of one term.
    pub price: Option<Micros>,
    /// Whether an order of it waits to be paid.
    pub has_unpaid_order: Option<bool>,
    /// What the rules read, and what the connector needs to find it again.
    pub attributes: BTreeMap<String, String>,
    /// What its owner wrote on it.
    pub tags: BTreeMap<String, String>,
}

/// Something of the account that the rules have no kind for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownResource {
    /// The id that the provider gave it.
    pub id: String,
    /// What the provider calls its kind.
    pub kind: String,
    /// Until when it is paid for.
    pub expires_at: Option<Timestamp>,
}

/// A page of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePage {
    /// The resources that the rules have kinds for.
    pub resources: Vec<CloudResource>,
    /// What they have no kind for.
    pub unknown: Vec<UnknownResource>,
    /// How many there are on all pages, where the provider says so.
    pub total: Option<u32>,
    /// Where the list goes on; `None` after its last page.
    pub next: Option<Cursor>,
}

/// Where an order is at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudOrderState {
    /// It waits to be paid.
    Unpaid,
    /// It needs no payment any more, and is being carried out.
    InProgress,
    /// It was carried out.
    Completed,
    /// It was given up.
    Cancelled,
}

/// An order as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudOrder {
    /// The id that the provider gave it.
    pub id: String,
    /// Where it is.
    pub state: CloudOrderState,
    /// The kind of the order; `None` for one that no rule knows.
    pub kind: Option<OrderKind>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The resources in it, as far as the provider says so.
    pub resources: Vec<String>,
    /// What it costs.
    pub amount: Option<Micros>,
    /// The currency of that, such as `USD`.
    pub currency: Option<String>,
    /// Whether the provider made it by itself.
    pub is_automatic: bool,
}

/// A page of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, in the provider's order.
    pub orders: Vec<CloudOrder>,
    /// Where the list goes on; `None` after its last page.
    pub next: Option<Cursor>,
}

/// What a renewal of one resource would cost, with everything that is renewed along with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The id of the resource.
    pub resource: String,
    /// The cost of the term that was asked about.
    pub amount: Micros,
    /// The currency, such as `USD`.
    pub currency: String,
}

/// The money that the account has at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudBalance {
    /// The currency, such as `USD`.
    pub currency: String,
    /// What can be spent.
    pub available: Micros,
}

/// What the provider says to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryAnswer {
    /// A page of resources.
    Resources(ResourcePage),
    /// A page of orders.
    Orders(OrderPage),
    /// Prices; a resource without one has a price that nobody knows.
    Quotes(Vec<Quote>),
    /// The account's money.
    Balance(CloudBalance),
}

/// Why a query has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFailureReason {
    /// The key or its signature is not accepted.
    Credentials,
    /// The key may not read this.
    Permission,
    /// Too many requests.
    Throttled,
    /// The provider cannot answer at present.
    Provider,
    /// The provider refuses the request for another reason.
    Refused,
    /// The response is not one that the provider's documents describe.
    Unreadable,
}

impl QueryFailureReason {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            QueryFailureReason::Credentials => "credentials",
            QueryFailureReason::Permission => "permission",
            QueryFailureReason::Throttled => "throttled",
            QueryFailureReason::Provider => "provider",
            QueryFailureReason::Refused => "refused",
            QueryFailureReason::Unreadable => "unreadable",
        }
    }
}

/// A query that the provider did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFailure {
    /// Why there is no answer.
    pub reason: QueryFailureReason,
    /// The provider's own code and words.
    pub refusal: Refusal,
    /// In how many seconds to try again, where the provider says so.
    pub retry_after: Option<u32>,
}
