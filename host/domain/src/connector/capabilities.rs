//! What a connector can translate, and which of its requests are reads that an operator can grant.
//!
//! Knows method, path and parameters of a read. Does not know what the provider does with it: a plugin that calls a change
//! a read is believed.

use crate::connector::UnsignedRequest;

crate::index_types! {
    /// The place of an API in the list of a connector's capabilities.
    ApiIndex;
}

/// A call that reads and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What grants name it by, such as `list-resources`.
    pub name: String,
    /// What it reads, for people.
    pub label: String,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path, still percent-encoded; a segment in braces stands for any one that is not empty.
    pub path: String,
    /// The names of the parameters that its query may have.
    pub parameters: Vec<String>,
}

impl Read {
    /// Whether `request` is this call, by its method, its path and the names of its parameters.
    pub(crate) fn is_call_of(&self, request: &UnsignedRequest) -> bool {
        self.method == request.method
            && is_path_of(&self.path, &request.path)
            && parameter_names(&request.query).all(|name| self.parameters.iter().any(|known| known == name))
    }
}

/// Whether a path has the segments of a template. Encoded separators and dots are no segment: a server may decode them
/// into another path.
fn is_path_of(template: &str, path: &str) -> bool {
    let (mut expected, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if is_placeholder(expected) && is_plain_segment(found) => {}
            (Some(expected), Some(found)) if expected == found => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

fn is_placeholder(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

/// Whether a segment means the same to every server: letters, digits and the characters that nobody encodes.
fn is_plain_segment(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
    !segment.is_empty() && segment.bytes().all(is_plain) && segment.bytes().any(|byte| byte != b'.')
}

fn parameter_names(query: &str) -> impl Iterator<Item = &str> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').map_or(part, |(name, _)| name))
}

/// A part of the provider's API that counts calls, and fails, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// What breakers and figures call it.
    pub name: String,
    /// The calls that an account may send ...
    pub calls: u32,
    /// ... in so many seconds.
    pub seconds: u32,
}

/// The mutations of the contract, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MutationName {
    /// Extends resources by a term, paid at once.
    Renew,
    /// Has the provider renew by itself.
    SetAutoRenew,
    /// Ends the provider's own renewals.
    CancelAutoRenew,
    /// Gives a subscription back.
    Unsubscribe,
    /// Has a resource become pay-per-use when it expires.
    ConvertOnExpiry,
    /// Takes that back.
    CancelConversion,
    /// Pays an order that waits.
    PayOrder,
    /// Cancels an order that waits.
    CancelOrder,
}

impl MutationName {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            MutationName::Renew => "renew",
            MutationName::SetAutoRenew => "set_auto_renew",
            MutationName::CancelAutoRenew => "cancel_auto_renew",
            MutationName::Unsubscribe => "unsubscribe",
            MutationName::ConvertOnExpiry => "convert_on_expiry",
            MutationName::CancelConversion => "cancel_conversion",
            MutationName::PayOrder => "pay_order",
            MutationName::CancelOrder => "cancel_order",
        }
    }
}

/// A mutation that the connector can translate, and how much of it goes into one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MutationLimit {
    /// Which mutation this limits.
    pub mutation: MutationName,
    /// The most resources of one request.
    pub targets_max: u32,
    /// Whether they have to be of one kind.
    pub same_kind: bool,
    /// Whether they have to be in one region.
    pub same_region: bool,
    /// Whether the provider takes the client token, so that the same request sent again is done once.
    pub takes_client_token: bool,
    /// Whether a reading shows afterwards that it was done. Where none does, what the provider says in its response is believed.
    pub is_shown: bool,
}

/// What a connector can translate, and what its requests look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Every host that a request may address.
    pub hosts: Vec<String>,
    /// The parts of the API that have quotas of their own.
    pub apis: Vec<Api>,
    /// The calls that change nothing.
    pub reads: Vec<Read>,
    /// The mutations that it can translate.
    pub mutations: Vec<MutationLimit>,
    /// The most resources that one search names.
    pub find_targets_max: u32,
    /// Whether it can ask for what may have changed.
    pub changes: bool,
    /// The most resources whose renewals are quoted at once; 0 when none can be.
    pub quote_targets_max: u32,
    /// Whether it can ask for the balance.
    pub balance: bool,
}

impl Capabilities {
    /// The read that a request is; `None` when it may change something.
    pub(crate) fn read_of(&self, request: &UnsignedRequest) -> Option<&Read> {
        self.reads.iter().find(|read| read.is_call_of(request))
    }

    /// The limits of a mutation; `None` when the connector cannot translate it.
    pub fn limit(&self, mutation: MutationName) -> Option<MutationLimit> {
        self.mutations.iter().copied().find(|limit| limit.mutation == mutation)
    }
}
