//! What the signals of one transaction change: calls, money, events.
//!
//! Knows how to carry out what the protocol obliges the host to do. Decides nothing and commits nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::advance::advance;
use perennial_domain::connected::protocol::Action;
use perennial_domain::connected::protocol::Finding;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::read_back;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::renewal::Extension;
use perennial_domain::connected::schedule::Schedule as CallSchedule;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry as LedgerEntry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::Undo;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles::OriginalBundle;
use perennial_store::bundles::Schedule;
use perennial_store::calls::StoredCall;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::BundleKey;
use perennial_store::keys::ResourceKey;

use crate::persist::Changes;
use crate::persist::attempt_id;

/// The changes of one transaction about calls.
pub(super) struct CallBatch<'r, R> {
    pub(super) reads: &'r R,
    pub(super) at: Timestamp,
    schedule: CallSchedule,
    accounts: BTreeMap<AccountKey, StoredAccount>,
    /// The bundles that were changed, each whole: two renewals of one transaction may change one bundle.
    bundles: BTreeMap<BundleKey, ChangedBundle>,
    pub(super) changes: Changes,
}

/// A bundle that settled renewals have changed.
pub(super) struct ChangedBundle {
    pub(super) original: OriginalBundle,
    pub(super) bundle: Bundle,
    schedule: Schedule,
}

impl<'r, R: EngineReads> CallBatch<'r, R> {
    /// Starts without a change at `at`.
    pub(super) fn new(
        reads: &'r R,
        changes: Changes,
        at: Timestamp,
        schedule: CallSchedule,
    ) -> CallBatch<'r, R> {
        CallBatch { reads, at, schedule, accounts: BTreeMap::new(), bundles: BTreeMap::new(), changes }
    }

    pub(super) fn schedule(&self) -> &CallSchedule {
        &self.schedule
    }

    /// The account of a call, with what this batch has changed of it.
    pub(super) fn account(&mut self, key: AccountKey) -> Result<&mut StoredAccount, StoreError> {
        if !self.accounts.contains_key(&key) {
            self.accounts.insert(key, self.reads.account(key)?);
        }
        self.accounts.get_mut(&key).ok_or_else(|| damaged("an account", &key))
    }

    /// The bundle of a resource, with what this batch has changed of it. It wakes at once, so that the rules say what comes
    /// next.
    pub(super) fn bundle(&mut self, resource: ResourceKey) -> Result<&mut ChangedBundle, StoreError> {
        let (stored, _) = self.reads.bundle(resource)?;
        let schedule = stored.schedule;
        let wake_at = Some(self.at.max(schedule.cursor_at + 1));
        Ok(match self.bundles.entry(stored.rows.bundle()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let (original, bundle) = stored.into_original();
                place.insert(ChangedBundle { original, bundle, schedule: Schedule { wake_at, ..schedule } })
            }
        })
    }

    /// Gives `call` a signal and does what that obliges the host to do. Returns whether its state accepted it; what came
    /// too late changes nothing. `read` is the reading that the signal comes from.
    pub(super) fn signal(
        &mut self,
        call: &mut StoredCall,
        signal: Signal,
        read: Option<&ReadBack>,
    ) -> Result<bool, StoreError> {
        let held = call.renewal.cost();
        let actions = match advance(&mut call.renewal, signal, self.at, &self.schedule) {
            Ok(actions) => actions,
            Err(refused) => {
                tracing::warn!(resource = %call.renewal.named().resource, %refused, "a signal came too late");
                return Ok(false);
            }
        };
        for action in actions {
            match action {
                Action::Hold => self.hold(call, held)?,
                Action::Release => self.release(call, held)?,
                Action::Post => self.settle(call, Micros::ZERO)?,
                Action::PostPart => {
                    let confirmed = read.map(|read| read_back::confirmed(&call.renewal, read));
                    let confirmed = confirmed.unwrap_or_default().into_iter().cloned().collect();
                    call.renewal.extensions = confirmed;
                    self.settle(call, held - call.renewal.cost())?;
                }
                Action::Report(finding) => self.report(call, *finding),
                Action::Send | Action::Query | Action::CountDecline => {}
            }
        }
        if let Signal::Decline(class) = signal {
            let next_try_at = call.renewal.act_at;
            let unsaid = || Refusal {
                code: class.name().to_owned(),
                message: "the provider declined the renewal".to_owned(),
            };
            let Refusal { code, message } = call.said.clone().unwrap_or_else(unsaid);
            self.event(call, EventKind::RenewalDeclined { code, message, class, next_try_at });
        }
        Ok(true)
    }

    /// Writes a call as it is now.
    pub(super) fn record(&mut self, call: StoredCall) {
        self.changes.list.push(Change::RecordCall { call: Box::new(call), at: self.at });
    }

    /// The changes, with the balances that they lead to.
    pub(super) fn finish(mut self) -> Changes {
        for ChangedBundle { original, bundle, schedule, .. } in self.bundles.into_values() {
            self.changes.list.push(Change::UpdateBundle { original, bundle, schedule, failure: None });
        }
        for (key, stored) in self.accounts {
            self.changes.list.push(Change::Account(key, AccountChange::Balance(stored.account.balance)));
        }
        self.changes
    }

    pub(super) fn event(&mut self, call: &StoredCall, what: EventKind) {
        let id = self.accounts.get(&call.account).map(|stored| Arc::from(stored.account.id.as_str()));
        let event = Event { at: self.at, resource: Some(call.renewal.named().resource.clone()), what };
        self.changes.add_event(id.map(|id| (call.account, id)), event);
    }

    pub(super) fn entry(&mut self, call: &StoredCall, from: Book, to: Book, amount: Micros) {
        let entry = LedgerEntry {
            at: self.at,
            from,
            to,
            amount,
            reason: Reason::Renewal,
            resource: Some(call.renewal.named().resource.clone()),
            reference: Some(attempt_id(&call.renewal)),
        };
        self.changes.list.push(Change::InsertEntry { account: call.account, entry });
    }

    fn hold(&mut self, call: &StoredCall, amount: Micros) -> Result<(), StoreError> {
        let balance = &mut self.account(call.account)?.account.balance;
        // The caller has looked: `Engine::reserve_call` gives `FallShort` otherwise.
        let hold = balance.hold(amount).map_err(|shortfall| damaged("a balance", &shortfall))?;
        drop(hold);
        self.entry(call, Book::Cash, Book::Held, amount);
        Ok(())
    }

    fn release(&mut self, call: &StoredCall, amount: Micros) -> Result<(), StoreError> {
        let balance = &mut self.account(call.account)?.account.balance;
        let hold = balance.stored_hold(amount).ok_or_else(|| damaged("a hold", &amount))?;
        balance.release(hold);
        self.entry(call, Book::Held, Book::Cash, amount);
        Ok(())
    }

    /// Spends the cost of what is left of the renewal, gives `rest` back and moves the expiries.
    fn settle(&mut self, call: &StoredCall, rest: Micros) -> Result<(), StoreError> {
        let cost = call.renewal.cost();
        let balance = &mut self.account(call.account)?.account.balance;
        let hold = balance.stored_hold(cost).ok_or_else(|| damaged("a hold", &cost))?;
        balance.post(hold);
        self.entry(call, Book::Held, Book::Spent, cost);
        if rest > Micros::ZERO {
            self.release(call, rest)?;
        }
        settle(self, call)
    }

    fn report(&mut self, call: &StoredCall, finding: Finding) {
        let code = match finding {
            Finding::Doubt => "in_doubt",
            Finding::DoneAlready => "done_already",
            Finding::Drift => "drift",
            Finding::UnpaidOrder => "unpaid_order",
            Finding::PartialRenewal => "partial_renewal",
            Finding::PersonNeeded => "person_needed",
        };
        self.event(
            call,
            EventKind::RenewalInDoubt { attempt: attempt_id(&call.renewal), code: code.to_owned() },
        );
    }
}

pub(super) fn damaged(what: &'static str, found: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, found: found.to_string() }
}

/// Adds what a settled `call` leaves.
fn settle<R: EngineReads>(batch: &mut CallBatch<'_, R>, call: &StoredCall) -> Result<(), StoreError> {
    let at = batch.at;
    let account = batch.account(call.account)?.account.id.clone();
    for extension in &call.renewal.extensions {
        let changed = batch.bundle(call.resource)?;
        let found = changed.bundle.iter().find(|(_, member)| member.id == extension.resource);
        let index = found.map(|(index, _)| index).ok_or_else(|| damaged("a member", &extension.resource))?;
        let member = changed
            .bundle
            .members
            .get_mut(index.get())
            .ok_or_else(|| damaged("a member", &extension.resource))?;
        let events = extend(member, extension, call, at);
        let resource = changed.original.rows[index];
        for event in events {
            batch.changes.add_event(Some((call.account, account.as_str().into())), event);
        }
        let (resource_id, order) = (extension.resource.clone(), order(extension, index, call, at));
        let insert = OrderChange::Insert { resource, resource_id, order, waited: false };
        batch.changes.list.push(Change::Order(insert));
    }
    Ok(())
}

/// Gives a member the expiry that was read back; returns what happened to it.
fn extend(member: &mut Resource, extension: &Extension, call: &StoredCall, at: Timestamp) -> Vec<Event> {
    let named = &call.renewal.named().resource;
    let resource = Some(extension.resource.clone());
    member.expires_at = Some(extension.expires_planned);
    let what = EventKind::RenewalSettled {
        cost: extension.cost,
        expires_before: extension.expires_before,
        expires_at: extension.expires_planned,
        term: call.renewal.term,
        cause: Cause::Auto,
        primary: (extension.resource != *named).then(|| named.clone()),
        attempt: attempt_id(&call.renewal),
        extra_days: 0,
    };
    let mut events = vec![Event { at, resource: resource.clone(), what }];
    if extension.expires_planned > at && matches!(member.stage, Stage::Grace | Stage::Retention) {
        let from = std::mem::replace(&mut member.stage, Stage::Active);
        let what = EventKind::StageChanged { from, to: Stage::Active };
        events.push(Event { at, resource, what });
    }
    events
}

/// The order that a settled renewal of one resource is.
fn order(extension: &Extension, member: MemberIndex, call: &StoredCall, at: Timestamp) -> Order {
    Order {
        id: attempt_id(&call.renewal),
        member,
        kind: OrderKind::Renewal,
        starts_at: extension.expires_before,
        ends_at: extension.expires_planned,
        paid: extension.cost,
        paid_at: at,
        reduces: None,
        undo: Undo::default(),
    }
}
