//! The money of an account that its provider keeps: what the provider says that it has, less what is held for calls.
//!
//! Knows no plan. A call whose result is unknown may have been paid for already; until that is known its money counts as
//! spent twice, which may delay a renewal and never pays one that there is no money for.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Balance;
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
    /// Takes over that the provider says of an account that `there` can be spent: the difference to what is known is an entry.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownAccount`] when there is no such account; [`EngineError::Store`] when the database fails.
    pub fn mirror_balance(
        &mut self,
        at: Timestamp,
        account: &str,
        there: Micros,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let stored = self.reads().find_account(account)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
        let known = stored.account.balance;
        let balance = Balance::new(there - known.held(), known.held());
        let difference = balance.available() - known.available();
        if difference == Micros::ZERO {
            return Ok(Vec::new());
        }
        let (from, to, reason) = match difference > Micros::ZERO {
            true => (Book::Funding, Book::Cash, Reason::TopUp),
            false => (Book::Cash, Book::Funding, Reason::Adjustment),
        };
        let amount = if difference > Micros::ZERO { difference } else { -difference };
        let entry = Entry { at, from, to, amount, reason, resource: None, reference: None };
        let what = EventKind::BalanceChanged { amount: difference, balance: balance.available(), reason };
        let mut changes = Changes::new(self.retention);
        changes.list.push(Change::Account(stored.row, AccountChange::Balance(balance)));
        changes.list.push(Change::InsertEntry { account: stored.row, entry });
        changes.add_event(Some((stored.row, account.into())), Event { at, resource: None, what });
        Ok(self.commit(changes)?)
    }
}
