//! The `scheduling_revision` table: which revision of each provider's plugin the wakes of its bundles are from.

use std::collections::BTreeMap;

use perennial_domain::timestamp::Timestamp;

use crate::bundles::Schedule;
use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The digest of the revision that the wakes of each provider's bundles are from, as far as it is known.
pub fn list(db: &ReadTx) -> Result<BTreeMap<String, String>, StoreError> {
    let mut statement = db.connection().prepare_cached("select provider, digest from scheduling_revision")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Says that no plugin of the provider is loaded: the next one is asked about all of its bundles, whichever it is.
pub fn forget(db: &WriteTx, provider: &str) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("delete from scheduling_revision where provider = ?1")?
        .execute([provider])?;
    Ok(())
}

/// Says that the wakes of the provider's bundles are from the revision `digest` from now on, and has the timelines of those
/// asked for anew at `at` that wake later: everything before it is done. Those whose plugin failed are asked about then, too.
/// `at` is `None` before the first tick, when every bundle is still to be asked about.
pub fn set(db: &WriteTx, provider: &str, digest: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into scheduling_revision (provider, digest) values (?1, ?2)
             on conflict (provider) do update set digest = excluded.digest",
        )?
        .execute((provider, digest))?;
    let Some(at) = at else { return Ok(()) };
    db.connection()
        .prepare_cached(
            "update schedule set wake_at = ?2,
                 cursor_at = iif(consecutive_failures = 0, max(cursor_at, ?2 - 1), cursor_at)
             where wake_at > ?2 and cursor_at <> ?3 and resource in (
                 select r.row from resource r join account a on a.row = r.account where a.provider = ?1)",
        )?
        .execute((provider, at.as_second(), Schedule::NOT_STARTED.as_second()))?;
    Ok(())
}
