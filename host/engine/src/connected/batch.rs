//! What the signals of one transaction change: calls, money, events.
//!
//! Knows how to carry out what the protocol obliges the host to do. Decides nothing and commits nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::connected::advance::advance;
use perennial_domain::connected::protocol::Action;
use perennial_domain::connected::protocol::Finding;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::read_back;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::schedule::Schedule as CallSchedule;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry as LedgerEntry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles::OriginalBundle;
use perennial_store::bundles::Schedule;
use perennial_store::calls::StoredCall;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::BundleKey;
use perennial_store::keys::ResourceKey;

use crate::connected::effects;
use crate::connected::findings;
use crate::persist::Changes;

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
        let held = call.record.cost();
        let actions = match advance(&mut call.record, signal, self.at, &self.schedule) {
            Ok(actions) => actions,
            Err(refused) => {
                tracing::warn!(resource = %call.record.named().resource, %refused, "a signal came too late");
                return Ok(false);
            }
        };
        for action in actions {
            match action {
                Action::Hold => self.hold(call, held)?,
                Action::Release => self.release(call, held)?,
                Action::Post => self.settle(call, Micros::ZERO)?,
                Action::PostPart => {
                    let confirmed = read.map(|read| read_back::confirmed(&call.record, read));
                    let confirmed = confirmed.unwrap_or_default().into_iter().cloned().collect();
                    call.record.extensions = confirmed;
                    self.settle(call, held - call.record.cost())?;
                }
                Action::Report(finding) => {
                    call.said = findings::in_words(&call.record, *finding, read).or(call.said.take());
                    self.report(call, *finding)?;
                }
                Action::Send | Action::Query | Action::CountDecline => {}
            }
        }
        if let (Signal::Decline(class), State::Declined(_)) = (signal, call.record.state) {
            self.report_decline(call, class)?;
        }
        Ok(true)
    }

    fn report_decline(&mut self, call: &StoredCall, class: DeclineClass) -> Result<(), StoreError> {
        let unsaid = || Refusal {
            code: class.name().to_owned(),
            message: "the provider declined the call".to_owned(),
        };
        let Refusal { code, message } = call.said.clone().unwrap_or_else(unsaid);
        let next_try_at = call.record.act_at;
        let what = match call.record.renewal() {
            Some(_) => EventKind::RenewalDeclined { code, message, class, next_try_at },
            None => EventKind::CommandRefused { command: command_name(call), code, message },
        };
        self.event(call, what)
    }

    /// Writes a call as it is now.
    pub(super) fn record(&mut self, call: StoredCall) {
        self.changes.list.push(Change::RecordCall { call: Box::new(call), at: self.at });
    }

    /// The changes, with the balances that they lead to.
    pub(super) fn finish(mut self) -> Changes {
        for ChangedBundle { original, bundle, schedule, .. } in self.bundles.into_values() {
            self.changes.list.push(Change::UpdateBundle { original, bundle, schedule, failing: None });
        }
        for (key, stored) in self.accounts {
            self.changes.list.push(Change::Account(key, AccountChange::Balance(stored.account.balance)));
        }
        self.changes
    }

    /// Adds something that happened to the named resource of `call`.
    pub(super) fn event(&mut self, call: &StoredCall, what: EventKind) -> Result<(), StoreError> {
        let id = Arc::from(self.account(call.account)?.account.id.as_str());
        let event = Event { at: self.at, resource: Some(call.record.named().resource.clone()), what };
        self.changes.add_event(Some((call.account, id)), event);
        Ok(())
    }

    pub(super) fn entry(&mut self, call: &StoredCall, from: Book, to: Book, amount: Micros) {
        let entry = LedgerEntry {
            at: self.at,
            from,
            to,
            amount,
            reason: Reason::Renewal,
            resource: Some(call.record.named().resource.clone()),
            reference: Some(call.record.name()),
        };
        self.changes.list.push(Change::InsertEntry { account: call.account, entry });
    }

    fn hold(&mut self, call: &StoredCall, amount: Micros) -> Result<(), StoreError> {
        if call.record.renewal().is_none() {
            return Ok(());
        }
        let balance = &mut self.account(call.account)?.account.balance;
        // The caller has looked: `Engine::reserve_call` gives `FallShort` otherwise.
        let hold = balance.hold(amount).map_err(|shortfall| damaged("a balance", &shortfall))?;
        drop(hold);
        self.entry(call, Book::Cash, Book::Held, amount);
        Ok(())
    }

    fn release(&mut self, call: &StoredCall, amount: Micros) -> Result<(), StoreError> {
        if call.record.renewal().is_none() {
            return Ok(());
        }
        let balance = &mut self.account(call.account)?.account.balance;
        let hold = balance.stored_hold(amount).ok_or_else(|| damaged("a hold", &amount))?;
        balance.release(hold);
        self.entry(call, Book::Held, Book::Cash, amount);
        Ok(())
    }

    /// Spends the cost of what is left of the renewal, gives `rest` back and moves the expiries.
    fn settle(&mut self, call: &StoredCall, rest: Micros) -> Result<(), StoreError> {
        if call.record.renewal().is_none() {
            return effects::settle(self, call);
        }
        let cost = call.record.cost();
        let balance = &mut self.account(call.account)?.account.balance;
        let hold = balance.stored_hold(cost).ok_or_else(|| damaged("a hold", &cost))?;
        balance.post(hold);
        self.entry(call, Book::Held, Book::Spent, cost);
        if rest > Micros::ZERO {
            self.release(call, rest)?;
        }
        effects::settle(self, call)
    }

    fn report(&mut self, call: &StoredCall, finding: Finding) -> Result<(), StoreError> {
        let code = findings::code(finding).to_owned();
        let what = match call.record.renewal() {
            Some(_) => EventKind::RenewalInDoubt { attempt: call.record.name(), code },
            None => EventKind::CommandInDoubt { command: command_name(call), code },
        };
        self.event(call, what)
    }
}

/// The word for the command that a call carries.
fn command_name(call: &StoredCall) -> String {
    call.record.change.mutation().name().to_owned()
}

pub(super) fn damaged(what: &'static str, found: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, found: found.to_string() }
}
