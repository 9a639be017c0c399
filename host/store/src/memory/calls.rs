//! The calls to clouds that a store in memory has. Knows nothing else of the store.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::Slot;
use perennial_domain::timestamp::Timestamp;

use crate::calls::StoredCall;
use crate::error::StoreError;
use crate::keys::ResourceKey;

/// The calls by the resource that they name and its expiry, with what must be found fast.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: BTreeMap<CallId, StoredCall>,
    pub(super) due: BTreeSet<(Timestamp, CallId)>,
    pub(super) interrupted: BTreeSet<CallId>,
    /// Which call pays for a period.
    pub(super) locks: BTreeMap<Key, CallId>,
}

/// The resource that a call names, its expiry before, and what of it the call is about.
pub(super) type CallId = (ResourceKey, Timestamp, Slot);

impl Calls {
    /// Writes a call as it is now.
    pub(super) fn record(&mut self, call: StoredCall) -> Result<(), StoreError> {
        let id = (call.resource, call.record.key().expires_before, call.record.slot());
        if let Some(before) = self.calls.get(&id) {
            for extension in &before.record.extensions {
                if self.locks.get(&extension.key()) == Some(&id) {
                    self.locks.remove(&extension.key());
                }
            }
            if let Some(act_at) = before.record.act_at {
                self.due.remove(&(act_at, id));
            }
            self.interrupted.remove(&id);
        }
        if call.locks_its_keys() {
            for extension in &call.record.extensions {
                if self.locks.insert(extension.key(), id).is_some() {
                    return Err(StoreError::PaidTwice {
                        resource: extension.resource.clone(),
                        starts_at: extension.expires_before.to_string(),
                    });
                }
            }
        }
        if let Some(act_at) = call.record.act_at {
            self.due.insert((act_at, id));
        }
        if call.record.state == State::Calling {
            self.interrupted.insert(id);
        }
        self.calls.insert(id, call);
        Ok(())
    }

    /// Every call, by resource.
    pub(super) fn into_all(self) -> impl Iterator<Item = StoredCall> {
        self.calls.into_values()
    }

    /// The calls with these ids.
    pub(super) fn of<'a>(&self, ids: impl Iterator<Item = &'a CallId>) -> Vec<StoredCall> {
        ids.filter_map(|id| self.calls.get(id)).cloned().collect()
    }
}
