//! The approvals of the store in memory, and the attempts that await them.

use perennial_domain::approval;
use perennial_domain::attempt;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;

use crate::approvals::NewApproval;
use crate::approvals::PricedRequest;
use crate::approvals::Resolution;
use crate::approvals::StoredApproval;
use crate::engine_store::EngineReads;
use crate::error::StoreError;
use crate::keys::ApprovalKey;
use crate::keys::ResourceKey;
use crate::keys::RowKey;
use crate::memory::MemoryStore;
use crate::memory::missing;
use crate::memory::next_number;

impl MemoryStore {
    /// Adds an approval that has its key.
    pub(super) fn insert_stored_approval(&mut self, stored: StoredApproval) {
        if stored.state == approval::State::Pending {
            self.pending.insert((stored.expires_at, stored.row));
        }
        self.approvals_of.entry(stored.resource).or_default().push(stored.row);
        self.approvals.insert(stored.row, stored);
    }

    pub(super) fn insert_approval(&mut self, new: NewApproval) -> Result<(), StoreError> {
        let key = ApprovalKey::from_number(next_number(self.approvals.last_key_value()));
        let account_id = self.account(new.account)?.account.id;
        let (bundle, member) = self.bundle_mut(new.resource)?;
        let resource_id = bundle.bundle[member].id.clone();
        let attempt = new.attempt.as_ref().map(|(_, id)| id.clone());
        self.await_approval(new.attempt, new.requested_at)?;
        let stored = StoredApproval {
            row: key,
            id: new.id,
            account: new.account,
            account_id,
            resource: new.resource,
            resource_id,
            state: approval::State::Pending,
            cause: new.cause,
            priced: new.priced,
            attempt,
            expires_before: new.expires_before,
            requested_at: new.requested_at,
            requested_by: new.requested_by,
            expires_at: new.expires_at,
            required: new.required,
            closing: None,
        };
        self.insert_stored_approval(stored);
        match new.closing {
            Some((state, resolution)) => self.close_approval(key, state, resolution),
            None => Ok(()),
        }
    }

    pub(super) fn reprice_approval(
        &mut self,
        key: ApprovalKey,
        priced: PricedRequest,
        attempt: Option<(ResourceKey, AttemptId)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = attempt.as_ref().map(|(_, id)| id.clone());
        let stored = self.approvals.get_mut(&key).ok_or_else(|| missing("an approval", &key))?;
        stored.priced = priced;
        let before = std::mem::replace(&mut stored.attempt, now.clone());
        if before != now {
            self.void_awaiting(key, before.as_ref());
            self.await_approval(attempt, at)?;
        }
        Ok(())
    }

    pub(super) fn set_required(
        &mut self,
        key: ApprovalKey,
        required: Vec<RequiredApproval>,
        expires_at: Timestamp,
    ) {
        let Some(stored) = self.approvals.get_mut(&key) else { return };
        if self.pending.remove(&(stored.expires_at, key)) {
            self.pending.insert((expires_at, key));
            (stored.required, stored.expires_at) = (required, expires_at);
        }
    }

    pub(super) fn close_approval(
        &mut self,
        key: ApprovalKey,
        state: approval::State,
        resolution: Resolution,
    ) -> Result<(), StoreError> {
        let stored = self.approvals.get_mut(&key).ok_or_else(|| missing("an approval", &key))?;
        if self.pending.remove(&(stored.expires_at, key)) {
            stored.state = state;
            stored.closing = Some(resolution);
        }
        let attempt = stored.attempt.clone();
        self.void_awaiting(key, attempt.as_ref());
        Ok(())
    }

    fn await_approval(
        &mut self,
        attempt: Option<(ResourceKey, AttemptId)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some((resource, id)) = attempt else { return Ok(()) };
        self.record_attempt(resource, Attempt { id, state: attempt::State::awaiting_approval(), at })
    }

    /// Forgets the attempt that awaits `approval`, which will not come, unless it awaits another one besides: its key is
    /// free again.
    fn void_awaiting(&mut self, approval: ApprovalKey, id: Option<&AttemptId>) {
        let Some(resource) = id.and_then(|id| self.resource_ids.get(&id.key.resource)).copied() else {
            return;
        };
        if self.awaits_another(resource, approval, id) {
            return;
        }
        let Some(attempts) = self.attempts.get_mut(&resource) else { return };
        let awaits = |attempt: &Attempt| attempt.state == attempt::State::AwaitingApproval;
        attempts.retain(|attempt| Some(&attempt.id) != id || !awaits(attempt));
    }

    /// Whether the attempt called `id` on `resource` awaits another approval of its bundle than `approval`.
    fn awaits_another(&self, resource: ResourceKey, approval: ApprovalKey, id: Option<&AttemptId>) -> bool {
        let bundle = self.resources.get(&resource).and_then(|bundle| self.bundles.get(bundle));
        let members = bundle.into_iter().flat_map(|stored| stored.rows.iter().map(|(_, row)| row));
        let all = members.filter_map(|row| self.approvals_of.get(&row)).flatten();
        all.filter(|other| **other != approval).any(|other| {
            let other = &self.approvals[other];
            other.state == approval::State::Pending && other.attempt.as_ref() == id
        })
    }
}
