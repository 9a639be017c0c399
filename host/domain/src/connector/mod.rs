//! A provider's API as the host calls it, for connected accounts: what is asked, what is sent, and what the answers mean.
//!
//! Knows shapes and bounds, and which requests are reads; no provider, no secret and no network. The host checks
//! everything that a plugin returns here before it signs or believes it.

mod capabilities;
mod check;
mod drift;
mod inventory;
mod mutation;
mod permission;
mod query;
mod request;
mod state;

use std::collections::BTreeMap;

use crate::account::Account;
use crate::timestamp::Timestamp;

pub use capabilities::Api;
pub use capabilities::ApiIndex;
pub use capabilities::Capabilities;
pub use capabilities::MutationLimit;
pub use capabilities::MutationName;
pub use capabilities::Read;
pub use check::check_capabilities;
pub use check::check_outcomes;
pub use check::check_query_answer;
pub use check::check_request;
pub use drift::Drift;
pub use drift::DriftKind;
pub use drift::drift;
pub use inventory::adoption;
pub use inventory::assumed_term;
pub use inventory::bundles;
pub use inventory::departure;
pub use inventory::on_expiry;
pub use mutation::Change;
pub use mutation::CloudRenewal;
pub use mutation::Decline;
pub use mutation::Mutation;
pub use mutation::Outcome;
pub use permission::NotPermitted;
pub use permission::check_change;
pub use permission::check_query;
pub use query::CloudBalance;
pub use query::CloudOrder;
pub use query::CloudOrderState;
pub use query::CloudResource;
pub use query::Cursor;
pub use query::OrderPage;
pub use query::OrderQuery;
pub use query::Query;
pub use query::QueryAnswer;
pub use query::QueryFailure;
pub use query::QueryFailureReason;
pub use query::Quote;
pub use query::ResourcePage;
pub use query::UnknownResource;
pub use request::ReceivedResponse;
pub use request::SignatureEncoding;
pub use request::Signing;
pub use request::UnsignedRequest;
pub use state::Driver;
pub use state::SyncScope;
pub use state::SyncState;

/// The account that a question is about, and how its calls are made.
#[derive(Clone, Copy, Debug)]
pub struct CallContext<'a> {
    /// The instant at which the request is sent; its date says so.
    pub at: Timestamp,
    /// The account at the provider.
    pub account: &'a Account,
    /// The name of the secret that signs, which is no secret itself.
    pub access_key: &'a str,
    /// Where every request goes instead of the provider's own hosts: a name and perhaps a port.
    pub endpoint: Option<&'a str>,
}

/// A resource that a question names, with what the host knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id that the provider gave it.
    pub id: String,
    /// One of the kinds of the plugin's manifest.
    pub kind: String,
    /// Where it is; empty when nobody said.
    pub region: String,
    /// Its expiry, as the host knows it; `None` for what is paid as it is used.
    pub expires_at: Option<Timestamp>,
    /// The id of the resource that it is attached to.
    pub attached_to: Option<String>,
    /// What the plugin has said of it when it was listed.
    pub attributes: BTreeMap<String, String>,
}

#[cfg(test)]
mod inventory_tests;
#[cfg(test)]
mod tests;
