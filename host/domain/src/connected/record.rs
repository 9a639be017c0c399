//! The record of a call to a cloud: what it changes and pays for, where it is, and when something is done about it next.
//!
//! Knows the record. Does not know how signals change it, who sends calls, or where records are kept.

use std::fmt;

use crate::attempt::AttemptId;
use crate::attempt::Key;
use crate::connected::protocol::State;
use crate::connector::Change;
use crate::connector::CloudRenewal;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// One resource that a call changes, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The id of the resource.
    pub resource: String,
    /// Its expiry before the call.
    pub expires_before: Timestamp,
    /// The expiry that was planned: what a read-back of a renewal must show, to the second. The same as before where the
    /// call moves none.
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

/// What of a resource a call is about. There is one call for each of them and each expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The period after its expiry.
    Period,
    /// What happens when it expires.
    OnExpiry,
    /// Its end, or that of periods that have not begun.
    End,
}

impl Slot {
    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Slot::Period => 0,
            Slot::OnExpiry => 1,
            Slot::End => 2,
        }
    }

    /// What a change is about; `None` for one of an order, which is no call of its own.
    pub const fn of(change: &Change) -> Option<Slot> {
        match change {
            Change::Renew(_) => Some(Slot::Period),
            Change::SetAutoRenew(_)
            | Change::CancelAutoRenew
            | Change::ConvertOnExpiry
            | Change::CancelConversion => Some(Slot::OnExpiry),
            Change::Unsubscribe(_) => Some(Slot::End),
            Change::PayOrder(_) | Change::CancelOrder(_) => None,
        }
    }
}

/// What makes two calls the same call: a cloud that takes idempotency tokens gets one that is derived from this.
///
/// It stays as it is through crashes, time-outs, doubt, throttling and the word of a person, and is another one after a
/// proof that nothing was applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallIdentity {
    /// The id of the resource that the call names.
    pub resource: String,
    /// Its expiry before the call.
    pub expires_before: Timestamp,
    /// The word for what a command does and until when it is tried, which tells it from the same one given again; `None` for a
    /// renewal.
    pub command: Option<(&'static str, Timestamp)>,
    /// How many tries of this key were proven to have done nothing.
    pub declines: u32,
}

impl fmt::Display for CallIdentity {
    /// Such as `ecs-1/2026-02-28T15:59:59Z/0`; tokens are a digest of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.resource, self.expires_before)?;
        if let Some((change, until)) = self.command {
            write!(f, "{change}/{until}/")?;
        }
        write!(f, "{}", self.declines)
    }
}

/// A call to a cloud. There is one for each expiry and slot of a resource, whatever was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// What it changes: the named resource first, then what goes along with it. Never empty.
    pub extensions: Vec<Extension>,
    /// What the latest try asks for.
    pub change: Change,
    /// Whether a person asked for it, or this host did by itself.
    pub cause: Cause,
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
    /// From this instant on the cloud takes nothing for this period any more, or the command is given up.
    pub deadline: Timestamp,
}

impl CallRecord {
    /// A renewal for `term` that is planned and not tried yet. `extensions` names the resource first.
    pub fn new(extensions: Vec<Extension>, term: Term, deadline: Timestamp, act_at: Timestamp) -> CallRecord {
        let change = Change::Renew(CloudRenewal { term, options: std::collections::BTreeMap::new() });
        CallRecord::of_change(extensions, change, deadline, act_at)
    }

    /// Any change that is planned and not tried yet. `extensions` names the resource first.
    pub fn of_change(
        extensions: Vec<Extension>,
        change: Change,
        deadline: Timestamp,
        act_at: Timestamp,
    ) -> CallRecord {
        CallRecord {
            extensions,
            change,
            cause: Cause::Command,
            state: State::Planned,
            declines: 0,
            called_at: None,
            queries: 0,
            act_at: Some(act_at),
            deadline,
        }
    }

    /// The resource that the call names.
    pub fn named(&self) -> &Extension {
        &self.extensions[0]
    }

    /// The named resource from its expiry on: with [`CallRecord::slot`] what there is one call for.
    pub fn key(&self) -> Key {
        self.named().key()
    }

    /// What of the resource it is about.
    pub fn slot(&self) -> Slot {
        Slot::of(&self.change).expect("what orders become is no call of its own")
    }

    /// The renewal that it is; `None` for another change.
    pub const fn renewal(&self) -> Option<&CloudRenewal> {
        if let Change::Renew(renewal) = &self.change { Some(renewal) } else { None }
    }

    /// The provider's own options of a renewal.
    pub const fn renewal_mut(&mut self) -> Option<&mut CloudRenewal> {
        if let Change::Renew(renewal) = &mut self.change { Some(renewal) } else { None }
    }

    /// The attempt that a renewal stands for; `None` for another change.
    pub fn attempt_id(&self) -> Option<AttemptId> {
        self.renewal().map(|renewal| AttemptId { key: self.key(), term: renewal.term })
    }

    /// What names it in events and refusals: the id of its attempt, or the resource, its expiry and what is changed.
    pub fn name(&self) -> String {
        let Key { resource, expires_before } = self.key();
        let other = || format!("{resource}/{expires_before}/{}", self.change.mutation().name());
        self.attempt_id().map_or_else(other, |id| id.to_string())
    }

    /// What makes the next call the same as an earlier one.
    pub fn call_identity(&self) -> CallIdentity {
        let Key { resource, expires_before } = self.key();
        let is_command = self.slot() != Slot::Period;
        let command = is_command.then(|| (self.change.mutation().name(), self.deadline));
        CallIdentity { resource, expires_before, command, declines: self.declines }
    }

    /// The cost of everything that it changes.
    pub fn cost(&self) -> Micros {
        self.extensions.iter().map(|extension| extension.cost).sum()
    }

    /// Whether it is to be called, under way or unclear.
    pub const fn is_open(&self) -> bool {
        self.state.has_hold() || matches!(self.state, State::Planned | State::AwaitingApproval)
    }

    /// Whether no other call may renew or end one of its periods: it is under way, or unclear.
    pub fn locks_its_keys(&self) -> bool {
        self.is_open() && self.slot() != Slot::OnExpiry
    }
}
