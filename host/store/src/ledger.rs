//! The `ledger_entry` table: append-only.

use perennial_domain::ledger::Balance;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::policy::figures;
use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;
use rusqlite::Row;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Adds entries, as long as a transaction lasts.
pub struct EntryInserter<'c>(CachedStatement<'c>);

impl<'c> EntryInserter<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<EntryInserter<'c>, StoreError> {
        Ok(EntryInserter(db.connection().prepare_cached(
            "insert into ledger_entry (at, account, from_book, to_book, amount, reason, resource, reference)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?))
    }

    /// Adds an entry of an account.
    pub fn insert(&mut self, account: AccountKey, entry: &Entry) -> Result<(), StoreError> {
        self.0.execute((
            entry.at.as_second(),
            account,
            entry.from.code(),
            entry.to.code(),
            entry.amount.as_micros(),
            entry.reason.code(),
            &entry.resource,
            &entry.reference,
        ))?;
        Ok(())
    }
}

/// Adds one entry of an account.
pub fn insert(db: &WriteTx, account: AccountKey, entry: &Entry) -> Result<(), StoreError> {
    EntryInserter::new(db)?.insert(account, entry)
}

/// An account's entries, oldest first.
pub fn list(db: &ReadTx, account: AccountKey) -> Result<Vec<Entry>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select * from ledger_entry where account = ?1 order by row")?;
    let entries = statement.query_and_then([account], entry)?;
    entries.collect()
}

/// What an account has spent from `since` on, as budgets count it.
pub(crate) fn spent_since(db: &ReadTx, account: AccountKey, since: Timestamp) -> Result<Micros, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select * from ledger_entry where account = ?1 and at >= ?2")?;
    let entries = statement.query_and_then((account, since.as_second()), entry)?;
    entries.map(|entry| Ok(figures::spending(&entry?))).sum()
}

/// What moved on one day of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerDay {
    /// The first instant of the day, in UTC.
    pub day: Timestamp,
    /// What came into the balance.
    pub paid_in: Micros,
    /// What left the balance.
    pub paid_out: Micros,
}

/// What moved on each day of an account that has entries, the newest first, back to the day of `since`.
pub fn days(db: &ReadTx, account: AccountKey, since: Timestamp) -> Result<Vec<LedgerDay>, StoreError> {
    let first = day_of(since);
    let mut statement =
        db.connection().prepare_cached("select * from ledger_entry where account = ?1 order by row desc")?;
    let mut days = Vec::<LedgerDay>::new();
    for entry in statement.query_and_then([account], entry)? {
        let entry = entry?;
        // Rows of an account are in the order of time, but for the first look at what was imported: it is dated a second before
        // the instant of the import, which may be another day.
        if entry.at + 1 < first {
            break;
        }
        let mut moved = LedgerDay { day: day_of(entry.at), paid_in: Micros::ZERO, paid_out: Micros::ZERO };
        while let Some(later) = days.pop_if(|later| later.day <= moved.day) {
            moved.paid_in += later.paid_in;
            moved.paid_out += later.paid_out;
        }
        if entry.from != entry.to {
            if entry.to == Book::Cash {
                moved.paid_in += entry.amount;
            }
            if entry.from == Book::Cash {
                moved.paid_out += entry.amount;
            }
        }
        days.push(moved);
    }
    days.retain(|moved| moved.day >= first);
    Ok(days)
}

/// The first instant of a day of UTC.
fn day_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() - at.as_second().rem_euclid(86_400))
}

/// What an account's entries come to, which its balance must equal.
pub fn balance(db: &ReadTx, account: AccountKey) -> Result<Balance, StoreError> {
    Ok(Balance::of_entries(&list(db, account)?))
}

/// An entry from a row with all of its columns.
pub(super) fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        at: Timestamp::from_second(row.get("at")?),
        from: codec::coded(Book::from_code, row.get("from_book")?, "a book")?,
        to: codec::coded(Book::from_code, row.get("to_book")?, "a book")?,
        amount: Micros::new(row.get("amount")?),
        reason: codec::coded(Reason::from_code, row.get("reason")?, "a reason")?,
        resource: row.get("resource")?,
        reference: row.get("reference")?,
    })
}
