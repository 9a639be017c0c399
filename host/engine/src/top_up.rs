//! Money that a customer pays into an account. Knows no plan.

use perennial_domain::account::Mode;
use perennial_domain::connector::Driver;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Adds money to an account.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn top_up(
        &mut self,
        at: Timestamp,
        account: &str,
        amount: Micros,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let mut stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        let is_driven = self.reads().driver(stored.row)?.is_some_and(Driver::sends);
        // Where the provider does not say what can be spent, somebody has to.
        if stored.account.mode == Mode::Connected && !is_driven {
            return Err(EngineError::Watched(account.to_owned()));
        }
        stored.account.balance.credit(amount);
        let balance = stored.account.balance;
        let what = EventKind::BalanceChanged { amount, balance: balance.available(), reason: Reason::TopUp };
        let event = Event { at, resource: None, what };
        let entry = Entry {
            at,
            from: Book::Funding,
            to: Book::Cash,
            amount,
            reason: Reason::TopUp,
            resource: None,
            reference: None,
        };
        let mut changes = Changes::new(self.retention);
        changes.list.push(Change::Account(stored.row, AccountChange::Balance(balance)));
        changes.list.push(Change::InsertEntry { account: stored.row, entry });
        changes.add_event(Some((stored.row, account.into())), event);
        Ok(self.commit(changes)?)
    }
}
