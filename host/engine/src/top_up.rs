//! Money that a customer pays into an account. Knows no plan.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_store::accounts;
use perennial_store::error::StoreError;
use perennial_store::ledger;

use crate::Engine;
use crate::Retention;
use crate::error::EngineError;
use crate::persist;
use crate::persist::RecordedEvent;

impl Engine {
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
        let stored = accounts::get(self.db(), account)?;
        let mut stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
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
        let keep = self.retention;
        self.store.write(|tx| {
            accounts::set_balance(tx, stored.row, balance)?;
            ledger::insert(tx, stored.row, &entry)?;
            if keep == Retention::Everything {
                persist::event(tx, Some(stored.row), &event)?;
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(vec![RecordedEvent { account: Some(account.into()), event }])
    }
}
