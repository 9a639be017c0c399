//! The column `account.scheduled_by`: which revision of its provider's plugin the wakes of an account's bundles are from.

use perennial_domain::timestamp::Timestamp;

use crate::bundles::Schedule;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An account, and the revision that its wakes are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledAccount {
    /// The row of the account.
    pub row: AccountKey,
    /// Its id ...
    pub id: String,
    /// ... and that of its provider.
    pub provider: String,
    /// The digest of the revision; `None` when no plugin was loaded, or none was asked yet.
    pub digest: Option<String>,
}

/// Every account with the revision that its wakes are from.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &ReadTx) -> Result<Vec<ScheduledAccount>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select row, id, provider, scheduled_by from account")?;
    let accounts = statement.query_map([], |row| {
        Ok(ScheduledAccount { row: row.get(0)?, id: row.get(1)?, provider: row.get(2)?, digest: row.get(3)? })
    })?;
    Ok(accounts.collect::<Result<_, _>>()?)
}

/// Says that no plugin decides for the account: the next one is asked about all of its bundles, whichever it is.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn forget(db: &WriteTx, account: AccountKey) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set scheduled_by = null where row = ?1")?
        .execute([account])?;
    Ok(())
}

/// Says that the wakes of the account's bundles are from the revision `digest` from now on, and has the timelines of those
/// asked for anew at `at` that wake later: everything before it is done. Those whose plugin failed are asked about then, too.
/// `at` is `None` where every bundle is still to be asked about.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn set(db: &WriteTx, account: AccountKey, digest: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set scheduled_by = ?2 where row = ?1")?
        .execute((account, digest))?;
    let Some(at) = at else { return Ok(()) };
    db.connection()
        .prepare_cached(
            "update schedule set wake_at = ?2,
                 cursor_at = iif(consecutive_failures = 0, max(cursor_at, ?2 - 1), cursor_at)
             where wake_at > ?2 and (cursor_at <> ?3 or consecutive_failures > 0) and resource in (
                 select row from resource where account = ?1)",
        )?
        .execute((account, at.as_second(), Schedule::NOT_STARTED.as_second()))?;
    Ok(())
}
