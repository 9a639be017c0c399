//! Calls to clouds in the store in memory.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::State;
use perennial_domain::timestamp::Timestamp;

use crate::calls::StoredCall;
use crate::error::StoreError;
use crate::keys::ResourceKey;
use crate::memory::MemoryStore;
use crate::memory::paid_twice;

/// The calls by the resource that they name and its expiry, with what must be found fast.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, StoredCall>,
    due: BTreeSet<(Timestamp, CallId)>,
    interrupted: BTreeSet<CallId>,
    /// Which call pays for a period.
    locks: BTreeMap<Key, CallId>,
}

type CallId = (ResourceKey, Timestamp);

impl Calls {
    /// Writes a call as it is now.
    pub(super) fn record(&mut self, call: StoredCall) -> Result<(), StoreError> {
        let id = (call.resource, call.renewal.key().expires_before);
        if let Some(before) = self.calls.get(&id) {
            for extension in &before.renewal.extensions {
                if self.locks.get(&extension.key()) == Some(&id) {
                    self.locks.remove(&extension.key());
                }
            }
            if let Some(act_at) = before.renewal.act_at {
                self.due.remove(&(act_at, id));
            }
            self.interrupted.remove(&id);
        }
        if call.locks_its_keys() {
            for extension in &call.renewal.extensions {
                if self.locks.insert(extension.key(), id).is_some() {
                    return Err(paid_twice(&extension.resource, extension.expires_before));
                }
            }
        }
        if let Some(act_at) = call.renewal.act_at {
            self.due.insert((act_at, id));
        }
        if call.renewal.state == State::Calling {
            self.interrupted.insert(id);
        }
        self.calls.insert(id, call);
        Ok(())
    }

    /// Every call, by resource.
    pub(super) fn into_all(self) -> impl Iterator<Item = StoredCall> {
        self.calls.into_values()
    }

    fn of<'a>(&self, ids: impl Iterator<Item = &'a CallId>) -> Vec<StoredCall> {
        ids.filter_map(|id| self.calls.get(id)).cloned().collect()
    }
}

impl MemoryStore {
    pub(super) fn record_call(&mut self, call: StoredCall, at: Timestamp) -> Result<(), StoreError> {
        let attempt = call.attempt(at);
        let attempts = self.attempts.entry(call.resource).or_default();
        attempts.retain(|other| other.id != attempt.id);
        if attempt.state != perennial_domain::attempt::State::Void {
            attempts.push(attempt);
        }
        self.calls.record(call)
    }

    pub(super) fn due_calls(&self, until: Timestamp, limit: u32) -> Vec<StoredCall> {
        let due = self.calls.due.iter().take_while(|(act_at, _)| *act_at <= until);
        self.calls.of(due.map(|(_, id)| id).take(usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    pub(super) fn next_call_act(&self) -> Option<Timestamp> {
        self.calls.due.first().map(|(act_at, _)| *act_at)
    }

    pub(super) fn find_call(&self, resource: ResourceKey, expires_before: Timestamp) -> Option<StoredCall> {
        self.calls.calls.get(&(resource, expires_before)).cloned()
    }

    pub(super) fn interrupted_calls(&self) -> Vec<StoredCall> {
        self.calls.of(self.calls.interrupted.iter())
    }

    pub(super) fn calls_sent_since(&self, since: Timestamp) -> Vec<StoredCall> {
        let mut sent = self
            .calls
            .calls
            .values()
            .filter(|call| call.renewal.called_at >= Some(since))
            .cloned()
            .collect::<Vec<_>>();
        sent.sort_by_key(|call| (call.renewal.called_at, call.resource));
        sent
    }

    pub(super) fn paying_call(&self, period: &Key) -> Option<StoredCall> {
        self.calls.locks.get(period).and_then(|id| self.calls.calls.get(id)).cloned()
    }
}
