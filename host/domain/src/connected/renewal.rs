//! The record of a renewal on a cloud: what it pays for, where it is, and when something is done about it next.
//!
//! Knows the record. Does not know how signals change it, who sends calls, or where records are kept.

use std::collections::BTreeMap;
use std::fmt;

use crate::attempt::Key;
use crate::connected::protocol::State;
use crate::micros::Micros;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// One resource that a renewal prolongs, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The id of the resource.
    pub resource: String,
    /// Its expiry before the renewal.
    pub expires_before: Timestamp,
    /// The expiry that was planned: what a read-back must show, to the second.
    pub expires_planned: Timestamp,
    /// What the plan says that it costs; not negative.
    pub cost: Micros,
}

impl Extension {
    /// What may be renewed once, whatever the term.
    pub fn key(&self) -> Key {
        Key { resource: self.resource.clone(), expires_before: self.expires_before }
    }
}

/// What makes two calls the same call: a cloud that takes idempotency tokens gets one that is derived from this.
///
/// It stays as it is through crashes, time-outs, doubt, throttling and the word of a person, and is another one after a
/// proof that nothing was applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallIdentity {
    /// The id of the resource that the renewal names.
    pub resource: String,
    /// Its expiry before the renewal.
    pub expires_before: Timestamp,
    /// How many tries of this key were proven to have done nothing.
    pub declines: u32,
}

impl fmt::Display for CallIdentity {
    /// Such as `ecs-1/2026-02-28T15:59:59Z/0`; tokens are a digest of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.resource, self.expires_before, self.declines)
    }
}

/// A renewal on a cloud. There is one for each key, whatever terms were tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// What it prolongs: the named resource first, then what is renewed along with it. Never empty.
    pub extensions: Vec<Extension>,
    /// The term of the latest try.
    pub term: Term,
    /// The provider's own options, which the call has beside the term.
    pub options: BTreeMap<String, String>,
    /// The state that it entered last.
    pub state: State,
    /// How many tries were proven to have done nothing.
    pub declines: u32,
    /// When the latest call was written as sent, which is the instant that it is signed with; `None` before the first.
    pub called_at: Option<Timestamp>,
    /// How often the cloud was read since then.
    pub queries: u32,
    /// When something is done about it next: a call, a query or another try. `None` when nothing is.
    pub act_at: Option<Timestamp>,
    /// From this instant on the cloud takes nothing for this period any more.
    pub deadline: Timestamp,
}

impl Renewal {
    /// A renewal that is planned and not tried yet. `extensions` names the resource first.
    pub fn new(extensions: Vec<Extension>, term: Term, deadline: Timestamp, act_at: Timestamp) -> Renewal {
        Renewal {
            extensions,
            term,
            options: BTreeMap::new(),
            state: State::Planned,
            declines: 0,
            called_at: None,
            queries: 0,
            act_at: Some(act_at),
            deadline,
        }
    }

    /// The resource that the renewal names.
    pub fn named(&self) -> &Extension {
        &self.extensions[0]
    }

    /// What may be renewed once: the named resource from its expiry on.
    pub fn key(&self) -> Key {
        self.named().key()
    }

    /// What makes the next call the same as an earlier one.
    pub fn call_identity(&self) -> CallIdentity {
        let Key { resource, expires_before } = self.key();
        CallIdentity { resource, expires_before, declines: self.declines }
    }

    /// The cost of everything that it prolongs.
    pub fn cost(&self) -> Micros {
        self.extensions.iter().map(|extension| extension.cost).sum()
    }

    /// Whether no other renewal with one of its keys may be made: it is under way, or unclear.
    pub fn locks_its_keys(&self) -> bool {
        self.state.has_hold() || matches!(self.state, State::Planned | State::AwaitingApproval)
    }
}
