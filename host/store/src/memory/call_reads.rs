//! What the engine asks a store in memory about calls to clouds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::Slot;
use perennial_domain::timestamp::Timestamp;

use crate::calls::StoredCall;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ResourceKey;
use crate::memory::MemoryStore;

impl MemoryStore {
    pub(super) fn record_call(&mut self, call: StoredCall, at: Timestamp) -> Result<(), StoreError> {
        if let Some(attempt) = call.attempt(at) {
            let attempts = self.attempts.entry(call.resource).or_default();
            attempts.retain(|other| other.id != attempt.id);
            if attempt.state != perennial_domain::attempt::State::Void {
                attempts.push(attempt);
            }
        }
        self.calls.record(call)
    }

    pub(super) fn accounts_with_due_calls(&self, until: Timestamp) -> Vec<AccountKey> {
        let accounts = self.due_until(until).into_iter().map(|call| call.account);
        accounts.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn due_calls_of(&self, account: AccountKey, until: Timestamp, limit: u32) -> Vec<StoredCall> {
        let mut due = self.due_until(until);
        due.retain(|call| call.account == account);
        let order = |call: &StoredCall| {
            let record = &call.record;
            (record.deadline, call.resource, record.named().expires_before, record.slot())
        };
        due.sort_by_key(order);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_payment = |call: &StoredCall| call.record.state == State::Reserved;
        let (mut payments, mut others) = due.into_iter().partition::<Vec<_>, _>(is_payment);
        payments.truncate(limit);
        others.truncate(limit);
        others.append(&mut payments);
        others
    }

    pub(super) fn backlog(&self, account: AccountKey) -> Vec<(Timestamp, u64)> {
        let mut waiting = BTreeMap::new();
        // What is reserved is due at some instant.
        for call in self.calls.of(self.calls.due.iter().map(|(_, id)| id)) {
            let is_waiting = call.record.state == State::Reserved && call.record.slot() == Slot::Period;
            if is_waiting && call.account == account {
                *waiting.entry(call.record.deadline).or_insert(0) += 1;
            }
        }
        waiting.into_iter().collect()
    }

    fn due_until(&self, until: Timestamp) -> Vec<StoredCall> {
        let due = self.calls.due.iter().take_while(|(act_at, _)| *act_at <= until);
        self.calls.of(due.map(|(_, id)| id))
    }

    pub(super) fn next_call_act(&self) -> Option<Timestamp> {
        self.calls.due.first().map(|(act_at, _)| *act_at)
    }

    pub(super) fn find_call(
        &self,
        resource: ResourceKey,
        expires_before: Timestamp,
        slot: Slot,
    ) -> Option<StoredCall> {
        self.calls.calls.get(&(resource, expires_before, slot)).cloned()
    }

    pub(super) fn newest_setting(&self, resource: ResourceKey) -> Option<StoredCall> {
        let of_resource = self.calls.calls.values().filter(|call| call.resource == resource);
        let settings = of_resource.filter(|call| call.record.slot() == Slot::OnExpiry);
        settings.max_by_key(|call| call.record.key().expires_before).cloned()
    }

    pub(super) fn interrupted_calls(&self) -> Vec<StoredCall> {
        self.calls.of(self.calls.interrupted.iter())
    }

    pub(super) fn calls_sent_since(&self, since: Timestamp) -> Vec<StoredCall> {
        let mut sent = self
            .calls
            .calls
            .values()
            .filter(|call| call.record.called_at >= Some(since))
            .cloned()
            .collect::<Vec<_>>();
        sent.sort_by_key(|call| (call.record.called_at, call.resource));
        sent
    }

    pub(super) fn paying_call(&self, period: &Key) -> Option<StoredCall> {
        self.calls.locks.get(period).and_then(|id| self.calls.calls.get(id)).cloned()
    }
}
