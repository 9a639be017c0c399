//! The table `plugin_breaker`: revisions of plugins that fail over everything, and until when they are not asked. There is no row of
//! a revision that answers.

use perennial_domain::plugin_failure::Breaker;
use perennial_domain::timestamp::Timestamp;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Every breaker with the digest of its revision, by that.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &ReadTx) -> Result<Vec<(String, Breaker)>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from plugin_breaker order by digest")?;
    let breakers = statement.query_map([], |row| {
        let instant =
            |name| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_second));
        let breaker = Breaker {
            provider: row.get("provider")?,
            failures: row.get("failures")?,
            openings: row.get("openings")?,
            opened_at: instant("opened_at")?,
            open_until: instant("open_until")?,
            message: row.get("message")?,
        };
        Ok((row.get("digest")?, breaker))
    })?;
    Ok(breakers.collect::<Result<_, _>>()?)
}

/// Writes down what became of a revision's breaker; `None`: it is closed, and nothing is counted.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn set(db: &WriteTx, digest: &str, breaker: Option<&Breaker>) -> Result<(), StoreError> {
    let Some(breaker) = breaker else {
        db.connection().prepare_cached("delete from plugin_breaker where digest = ?1")?.execute([digest])?;
        return Ok(());
    };
    db.connection()
        .prepare_cached(
            "insert or replace into plugin_breaker
                 (digest, provider, failures, openings, opened_at, open_until, message)
             values (:digest, :provider, :failures, :openings, :opened_at, :open_until, :message)",
        )?
        .execute(named_params! {
            ":digest": digest,
            ":provider": breaker.provider,
            ":failures": breaker.failures,
            ":openings": breaker.openings,
            ":opened_at": breaker.opened_at.map(Timestamp::as_second),
            ":open_until": breaker.open_until.map(Timestamp::as_second),
            ":message": breaker.message,
        })?;
    Ok(())
}

/// How many are open.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn count_open(db: &ReadTx) -> Result<i64, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select count(*) from plugin_breaker where open_until is not null")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
