//! The record of a call to a cloud: what it changes and pays for, where it is, and when something is done about it next.
//!
//! Knows the record. Does not know how signals change it, who sends calls, or where records are kept.

use std::fmt;

use crate::attempt::AttemptId;
use crate::attempt::DeclineClass;
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
    /// When the first call of which nothing explains what became of it was written as sent, under the token that the next call
    /// has; `None` while there is none. A cloud remembers a token for a while, which is counted from here.
    pub token_since: Option<Timestamp>,
    /// How often the cloud was read since the latest call.
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
            token_since: None,
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

    /// Goes on where the call that was made for the same key and slot before it has ended: what was proven of its tries, and
    /// what was not, counts for the token.
    pub const fn follow(&mut self, earlier: &CallRecord) {
        (self.declines, self.token_since) = (earlier.declines, earlier.token_since);
    }

    /// Whether nothing explains what became of an earlier call with the present token, beside one that is under way.
    pub fn has_earlier_call(&self) -> bool {
        let under_way = self.called_at.filter(|_| self.state == State::Calling);
        self.token_since.is_some() && self.token_since != under_way
    }

    /// Takes in what entering `to` at `at` says of the calls that left under the present token. `called_at` is that of before.
    ///
    /// It depends on states and instants alone, so that a history of them tells it again: see [`token_since`].
    pub(crate) fn note_token(&mut self, to: State, at: Timestamp) {
        self.token_since = next_token_since((self.token_since, self.called_at), (self.state, to), at);
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

/// The same as [`CallRecord::token_since`], from the states that a call entered and when, the first one first.
pub fn token_since(steps: impl IntoIterator<Item = (State, Timestamp)>) -> Option<Timestamp> {
    let (mut since, mut called_at, mut from) = (None, None, State::Planned);
    for (to, at) in steps {
        since = next_token_since((since, called_at), (from, to), at);
        if to == State::Calling {
            called_at = Some(at);
        }
        from = to;
    }
    since
}

fn next_token_since(
    (since, called_at): (Option<Timestamp>, Option<Timestamp>),
    (from, to): (State, State),
    at: Timestamp,
) -> Option<Timestamp> {
    match (from, to) {
        (_, State::Calling) => since.or(Some(at)),
        // It never left, or was turned away before anybody looked at its token: only earlier ones count.
        (State::Calling, State::Reserved | State::Declined(DeclineClass::Throttled)) => {
            since.filter(|_| since != called_at)
        }
        // A proof; and what a person says, the person answers for.
        (State::Calling, State::Declined(_)) | (_, State::Settled | State::NotApplied) => None,
        (_, _) => since,
    }
}

#[cfg(test)]
mod tests;
