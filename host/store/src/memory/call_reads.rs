//! What the engine asks a store in memory about calls to clouds.

use perennial_domain::attempt::Key;
use perennial_domain::timestamp::Timestamp;

use crate::calls::StoredCall;
use crate::error::StoreError;
use crate::keys::ResourceKey;
use crate::memory::MemoryStore;

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
