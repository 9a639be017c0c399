//! A provider's own API as the host serves it: requests, credentials, queries, transactions and their outcomes.
//!
//! Knows shapes and bounds; no provider, no secret and no HTTP. The host checks everything that a plugin returns here
//! before it acts on it.

mod check;

use crate::bundle::Charging;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::micros::Micros;
use crate::plan::Command;
use crate::plan::Refusal;
use crate::timestamp::Timestamp;

pub use check::check_authentication;
pub use check::check_response;
pub use check::check_step;

/// The most ids in a filter, and the most resources or orders in one page.
pub(crate) const PAGE_MAX: u32 = 1_000;
/// The most queries of a step, and the most mutations of a transaction.
pub const LIST_MAX: usize = 100;
/// The most derivations of a signature.
pub(crate) const DERIVATIONS_MAX: usize = 8;
/// The longest validity of a token, in seconds: a year.
pub(crate) const TOKEN_SECONDS_MAX: u32 = 366 * 86_400;

/// A request of the provider's own API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The host's id of the request; unique.
    pub id: String,
    /// Such as `POST`.
    pub method: String,
    /// Still percent-encoded, without the query.
    pub path: String,
    /// As it was sent, without the question mark; empty when there is none.
    pub query: String,
    /// Names in lower case with their values, in the order in which they were sent.
    pub headers: Vec<(String, String)>,
    /// As it was sent.
    pub body: Vec<u8>,
}

impl Request {
    /// The same without its body.
    pub fn head(&self) -> Request {
        Request {
            id: self.id.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: Vec::new(),
        }
    }
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// From 200 to 599.
    pub status: u16,
    /// Names with values; nothing that belongs to the connection.
    pub headers: Vec<(String, String)>,
    /// Its content.
    pub body: Vec<u8>,
}

/// How a derived key is written down before it serves as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncoding {
    /// Its bytes.
    Bytes,
    /// Their lower case hexadecimal digits.
    Hexadecimal,
}

/// A key derived from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The index of the key that it is derived from: 0 is the secret.
    pub key: usize,
    /// The bytes in front of that key.
    pub prefix: Vec<u8>,
    /// The message that is signed with both.
    pub message: Vec<u8>,
    /// How the result is written down.
    pub encoding: KeyEncoding,
}

/// A signature that a client claims to be the HMAC-SHA256 of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The keys to derive, one after the other.
    pub derivations: Vec<Derivation>,
    /// The index of the key that the message is signed with.
    pub key: usize,
    /// The signed message.
    pub message: Vec<u8>,
    /// The signature that the client sent.
    pub value: Vec<u8>,
}

/// The credentials that a request carries, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A signature with the secret of an access key.
    Signature {
        /// The access key.
        access_key: String,
        /// The signature.
        signature: Signature,
    },
    /// The secret of an access key itself.
    Password {
        /// The access key.
        access_key: String,
        /// The password that the client sent: the secret, if it is right.
        password: String,
    },
    /// A bearer token that the host issued.
    BearerToken(String),
}

/// The credentials of a request, and how long they are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The credentials.
    pub credentials: Credentials,
    /// From this instant on, the plugin itself rejects them as expired.
    pub valid_until: Timestamp,
}

/// Why the host does not call `handle`, or does not continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such access key.
    UnknownAccessKey,
    /// The signature or the secret is wrong.
    WrongCredentials,
    /// There is no such token, or it is no longer valid.
    InvalidToken,
    /// A transaction that rejects replays already ran with the same credentials.
    Replayed,
    /// The request cannot be read.
    Malformed,
    /// Its body is longer than so many bytes.
    TooLarge(u32),
    /// It took too long.
    TimedOut,
    /// Too many requests are in progress; the client may retry after this many seconds.
    Busy(u32),
    /// The host or the plugin failed.
    Internal,
}

/// Selects resources of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFilter {
    /// These only; empty is every one.
    pub ids: Vec<String>,
    /// Adds the resources attached to those.
    pub with_attached: bool,
    /// No attached ones.
    pub only_primaries: bool,
    /// These only; empty is every one.
    pub kinds: Vec<String>,
    /// Only these stages; empty is every one.
    pub stages: Vec<Stage>,
    /// Those paid for in this way only.
    pub charging: Option<Charging>,
    /// Those that expire at this instant or later only.
    pub expires_from: Option<Timestamp>,
    /// Those that expire at this instant or before only.
    pub expires_until: Option<Timestamp>,
    /// How many matches to skip.
    pub offset: u32,
    /// How many to return at most.
    pub limit: u32,
}

/// Selects orders of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// These only; empty is every one.
    pub ids: Vec<String>,
    /// Those of these resources only; empty is every one.
    pub resources: Vec<String>,
    /// Those refunded at this instant only.
    pub refunded_at: Option<Timestamp>,
    /// How many at most.
    pub limit: u32,
}

/// A command and the resource that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRequest {
    /// The resource's id.
    pub resource: String,
    /// The command on it.
    pub command: Command,
}

/// A read that a plugin requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Resources.
    Resources(ResourceFilter),
    /// Orders.
    Orders(OrderFilter),
    /// The account's balance.
    Balance,
    /// A dry run of a command.
    Proposal(CommandRequest),
}

/// A write that a plugin requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A command.
    Command(CommandRequest),
    /// A new value of an attribute.
    SetAttribute {
        /// The resource's id.
        resource: String,
        /// The attribute's name ...
        name: String,
        /// ... and value.
        value: String,
    },
    /// New values of the account's settings; `None` is the default.
    ChangeSettings(Vec<(String, Option<String>)>),
    /// Issues a bearer token that is valid for this many seconds.
    IssueToken(u32),
}

/// Whether the mutations of a transaction depend on one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// Each mutation succeeds or fails by itself.
    Independent,
    /// If one is refused, none is committed.
    AllOrNothing,
}

/// Mutations that the host commits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// In this order.
    pub mutations: Vec<Mutation>,
    /// Whether a refusal aborts the others.
    pub atomicity: Atomicity,
    /// Whether the host rejects a later transaction with the same credentials.
    pub reject_replay: bool,
}

/// The plugin's next step for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Sends this response; the request is finished.
    Respond(Response),
    /// Runs queries, then calls `handle` again.
    Query(Vec<Query>),
    /// Runs a transaction, then calls `handle` again.
    Execute(Transaction),
}

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

/// A period that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidOrder {
    /// Its id.
    pub id: String,
    /// The resource's id.
    pub resource: String,
    /// The resource's kind.
    pub kind: String,
    /// The resource's region.
    pub region: String,
    /// When the period begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// What it cost.
    pub paid: Micros,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// False for the order that the resource was bought with.
    pub is_renewal: bool,
    /// The instant and the amount of its refund.
    pub refund: Option<(Timestamp, Micros)>,
}

/// A step of a plan with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedStep {
    /// The resource's id.
    pub resource: String,
    /// What it costs.
    pub cost: Micros,
    /// What it gives back.
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
        /// Those within it.
        resources: Vec<ResourceView>,
    },
    /// Orders that there are.
    Orders(Vec<PaidOrder>),
    /// What the account has.
    Balance {
        /// Such as `USD`.
        currency: String,
        /// What is free to be spent.
        available: Micros,
        /// What is reserved.
        held: Micros,
    },
    /// What a command would do.
    Proposal {
        /// Such as `USD`.
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
        /// What it cost.
        cost: Micros,
        /// What it gave back.
        refund: Micros,
    },
    /// The plan needs approval first: the approval's id.
    Pending(String),
    /// It was refused.
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

/// An authenticated request, with the outcomes of all its queries and mutations so far.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now.
    pub at: Timestamp,
    /// The request.
    pub request: &'a Request,
    /// The account that the credentials belong to.
    pub account: &'a crate::account::Account,
    /// One outcome for each query and mutation of the previous steps, in their order.
    pub outcomes: &'a [Outcome],
}

#[cfg(test)]
mod tests;
