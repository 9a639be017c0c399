//! A provider's own API as the host serves it: requests, credentials, queries, transactions and their outcomes.
//!
//! Knows shapes and bounds; no provider, no secret and no HTTP. The host checks everything that a plugin returns here
//! before it acts on it.

mod check;
mod outcome;

use crate::bundle::Charging;
use crate::bundle::Stage;
use crate::order::OrderKind;
use crate::order::OrderState;
use crate::plan::Command;
use crate::timestamp::Timestamp;

pub use check::check_authentication;
pub(crate) use check::check_keys;
pub use check::check_response;
pub use check::check_step;
pub use outcome::LastRenewal;
pub use outcome::OrderRefund;
pub use outcome::OrderView;
pub use outcome::Outcome;
pub use outcome::PricedStep;
pub use outcome::ResourceView;

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
    /// The HTTP method, such as `POST`.
    pub method: String,
    /// Still percent-encoded, without the query.
    pub path: String,
    /// As it was sent, without the question mark; empty when there is none.
    pub query: String,
    /// Names in lower case with their values, in the order in which they were sent.
    pub headers: Vec<(String, String)>,
    /// The body, as the client sent it.
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
    /// The content, as it is sent.
    pub body: Vec<u8>,
}

/// How a derived key is written down before it serves as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncoding {
    /// The bytes as they are.
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
        /// The signature to check.
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
    /// How to prove who sent the request.
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
    /// The request took too long.
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

/// Selects periods of an account's orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Those of orders with these ids only; empty is every one.
    pub ids: Vec<String>,
    /// Those of these resources only; empty is every one.
    pub resources: Vec<String>,
    /// Those refunded at this instant only.
    pub refunded_at: Option<Timestamp>,
    /// Those of orders in these states only; empty is every one.
    pub states: Vec<OrderState>,
    /// Those of orders of these kinds only; empty is every one.
    pub order_kinds: Vec<OrderKind>,
    /// Those of resources of these kinds only; empty is every one.
    pub kinds: Vec<String>,
    /// Those of orders made at this instant or later only.
    pub created_from: Option<Timestamp>,
    /// Those of orders made at this instant or before only.
    pub created_until: Option<Timestamp>,
    /// Those of orders paid at this instant or later only.
    pub paid_from: Option<Timestamp>,
    /// Those of orders paid at this instant or before only.
    pub paid_until: Option<Timestamp>,
    /// Whether orders match as a whole, come with all their periods, and the newest comes first.
    pub whole_orders: bool,
    /// How many matches to skip.
    pub offset: u32,
    /// The most orders to return.
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
    /// Resources of the caller's account.
    Resources(ResourceFilter),
    /// Orders of the caller's account.
    Orders(OrderFilter),
    /// The account's balance.
    Balance,
    /// A dry run of a command.
    Proposal(CommandRequest),
}

/// A write that a plugin requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A command on one resource.
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
    /// The mutations, in the order in which they are carried out.
    pub mutations: Vec<Mutation>,
    /// Whether a refusal aborts the others.
    pub atomicity: Atomicity,
    /// Whether the host rejects a later transaction with the same credentials.
    pub reject_replay: bool,
    /// Whether receipts name no orders, also when the same client token comes again.
    pub omit_orders: bool,
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

/// An authenticated request, with the outcomes of all its queries and mutations so far.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The instant of the request.
    pub at: Timestamp,
    /// The request as the client sent it.
    pub request: &'a Request,
    /// The account that the credentials belong to.
    pub account: &'a crate::account::Account,
    /// One outcome for each query and mutation of the previous steps, in their order.
    pub outcomes: &'a [Outcome],
}

#[cfg(test)]
mod tests;
