//! A provider's own API as the host serves it: requests, who sent them, what is to be found out and done for them.
//!
//! Knows shapes and bounds; no provider, no secret and no HTTP. What a plugin makes of a request is one of these, and is
//! checked here before anything is done about it.

use crate::bundle::Charging;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::micros::Micros;
use crate::plan::Command;
use crate::plan::Refusal;
use crate::timestamp::Timestamp;

/// The most ids in a selection, and the most resources or orders in one answer.
pub const PAGE_MAX: u32 = 1_000;
/// The most queries of a step and mutations of an transaction.
pub const LIST_MAX: usize = 100;
/// The most derivations of a signature.
pub const DERIVATIONS_MAX: usize = 8;
/// The longest validity of a token, in seconds: a year.
pub const TOKEN_SECONDS_MAX: u32 = 366 * 86_400;

/// A request of the provider's own API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What the host calls it; unlike that of any other.
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

/// What a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// From 200 to 599.
    pub status: u16,
    /// Names with values; nothing that belongs to the connection.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Vec<u8>,
}

/// What is made of an HMAC to be the next key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncoding {
    /// Its bytes.
    Bytes,
    /// Their lower case hexadecimal digits.
    Hexadecimal,
}

/// A key made of one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The key that it is made of, by place: 0 is the secret.
    pub key: usize,
    /// What is put before that key.
    pub prefix: Vec<u8>,
    /// What is signed with both.
    pub message: Vec<u8>,
    /// What is made of the result.
    pub encoding: KeyEncoding,
}

/// What a client says is the HMAC-SHA256 of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The keys that are made, one after the other.
    pub derivations: Vec<Derivation>,
    /// The key that the message is signed with, by place.
    pub key: usize,
    /// What is signed.
    pub message: Vec<u8>,
    /// What the client sent.
    pub value: Vec<u8>,
}

/// What would prove who sent a request.
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
        /// What the client says is its secret.
        password: String,
    },
    /// A token that the host issued.
    BearerToken(String),
}

/// Who says to have sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// What would prove it.
    pub credentials: Credentials,
    /// From when on the plugin itself takes the proof for expired.
    pub valid_until: Timestamp,
}

/// Why the host does not ask what to do, or does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such access key.
    UnknownAccessKey,
    /// The signature or the secret is wrong.
    WrongCredentials,
    /// There is no such token, or it is no longer valid.
    InvalidToken,
    /// The same proof did what it may do once.
    Replayed,
    /// It cannot be read.
    Malformed,
    /// Its body is longer than so many bytes.
    TooLarge(u32),
    /// It took too long.
    TimedOut,
    /// Too many are under way; so many seconds later there may be room.
    Busy(u32),
    /// The host or the plugin failed.
    Internal,
}

/// Which resources of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFilter {
    /// These only; empty is every one.
    pub ids: Vec<String>,
    /// Also what is attached to those.
    pub with_attached: bool,
    /// No attached ones.
    pub only_primaries: bool,
    /// These only; empty is every one.
    pub kinds: Vec<String>,
    /// Likewise.
    pub stages: Vec<Stage>,
    /// Those paid for in this way only.
    pub charging: Option<Charging>,
    /// Those that expire at this instant or later only.
    pub expires_from: Option<Timestamp>,
    /// Those that expire at this instant or before only.
    pub expires_until: Option<Timestamp>,
    /// How many to pass over.
    pub offset: u32,
    /// How many to show at most.
    pub limit: u32,
}

/// Which orders of an account.
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
    /// What is asked of it.
    pub command: Command,
}

/// What is to be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Resources.
    Resources(ResourceFilter),
    /// Orders.
    Orders(OrderFilter),
    /// What the account has.
    Balance,
    /// What a command would do.
    Proposal(CommandRequest),
}

/// What is to be done.
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
    /// A token that is valid for so many seconds.
    IssueToken(u32),
}

/// What becomes of the other mutations when one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// Each mutation succeeds or fails by itself.
    Independent,
    /// If one is refused, none is committed.
    AllOrNothing,
}

/// What is to be done in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// In this order.
    pub mutations: Vec<Mutation>,
    /// What a refusal means for the others.
    pub atomicity: Atomicity,
    /// Whether the same proof may not do it again.
    pub reject_replay: bool,
}

/// What a plugin wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// To answer.
    Respond(Response),
    /// To find something out.
    Query(Vec<Query>),
    /// To have something done.
    Execute(Transaction),
}

/// A renewal that was not refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRenewal {
    /// When.
    pub at: Timestamp,
    /// The expiry before it.
    pub previous_expires_at: Timestamp,
}

/// A resource as a provider's own API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceView {
    /// What it is. Its place in its bundle means nothing here.
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
    /// When it was given back, and what for.
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

/// What came of a query or a mutation.
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
        /// Why it would not be carried out.
        refusal: Option<Refusal>,
    },
    /// It was done.
    Applied {
        /// The orders that it made or refunded.
        orders: Vec<String>,
        /// What it cost.
        cost: Micros,
        /// What it gave back.
        refund: Micros,
    },
    /// Somebody has to approve it first: the approval's id.
    Pending(String),
    /// It was refused.
    Refused(Refusal),
    /// It was not done, because another was refused.
    Aborted,
    /// A token.
    Token {
        /// What proves who sent a request.
        value: String,
        /// From when on it does not.
        valid_until: Timestamp,
    },
}

/// A request whose sender is known, and what was found out and done for it so far.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What time it is.
    pub at: Timestamp,
    /// The request.
    pub request: &'a Request,
    /// Whose it is.
    pub account: &'a crate::account::Account,
    /// What came of the steps before.
    pub outcomes: &'a [Outcome],
}

/// Checks that a signature's keys are made before they are used.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_authentication(authentication: &Authentication) -> Result<(), String> {
    let Credentials::Signature { signature, .. } = &authentication.credentials else { return Ok(()) };
    if signature.derivations.len() > DERIVATIONS_MAX {
        return Err(format!(
            "a signature of {} derivations; there may be {DERIVATIONS_MAX}",
            signature.derivations.len()
        ));
    }
    let uses = signature.derivations.iter().map(|derivation| derivation.key).chain([signature.key]);
    match uses.enumerate().find(|(made, key)| key > made) {
        Some((made, key)) => Err(format!("the key {key} where there are {} so far", made + 1)),
        None => Ok(()),
    }
}

/// Checks that a response can be sent.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_response(response: &Response) -> Result<(), String> {
    if !(200..600).contains(&response.status) {
        return Err(format!("the status {}", response.status));
    }
    for (name, value) in &response.headers {
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_name {
            return Err(format!("the header name `{}`", name.escape_default()));
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("the header `{name}` with `{}`", value.escape_default()));
        }
        const HOSTS: [&str; 5] =
            ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];
        if HOSTS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("the header `{name}`, which is the host's affair"));
        }
    }
    Ok(())
}

/// Checks that a step is within its bounds.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_step(step: &NextStep) -> Result<(), String> {
    match step {
        NextStep::Respond(response) => check_response(response),
        NextStep::Query(queries) => {
            check_count("queries", queries.len())?;
            queries.iter().try_for_each(check_query)
        }
        NextStep::Execute(transaction) => {
            check_count("mutations", transaction.mutations.len())?;
            transaction.mutations.iter().try_for_each(check_mutation)
        }
    }
}

fn check_count(what: &str, count: usize) -> Result<(), String> {
    match count {
        1..=LIST_MAX => Ok(()),
        count => Err(format!("{count} {what}; there may be 1 to {LIST_MAX}")),
    }
}

fn check_query(query: &Query) -> Result<(), String> {
    let (lists, limit) = match query {
        Query::Resources(selection) => ([selection.ids.len(), selection.kinds.len()], selection.limit),
        Query::Orders(selection) => ([selection.ids.len(), selection.resources.len()], selection.limit),
        Query::Balance | Query::Proposal(_) => return Ok(()),
    };
    let most = usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
    if limit > PAGE_MAX || lists.into_iter().any(|length| length > most) {
        return Err(format!("a selection of or by more than {PAGE_MAX}"));
    }
    Ok(())
}

fn check_mutation(mutation: &Mutation) -> Result<(), String> {
    match mutation {
        Mutation::IssueToken(seconds) if !(1..=TOKEN_SECONDS_MAX).contains(seconds) => {
            Err(format!("a token for {seconds} seconds; there may be 1 to {TOKEN_SECONDS_MAX}"))
        }
        Mutation::IssueToken(_)
        | Mutation::Command(_)
        | Mutation::SetAttribute { .. }
        | Mutation::ChangeSettings(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
