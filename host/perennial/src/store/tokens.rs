//! The `token` table: commands that carried a token, and what they were answered.

use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;

use crate::store::error::StoreError;

/// A command that carried a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Equal for equal commands.
    pub fingerprint: String,
    /// What it was answered, in JSON.
    pub answer: String,
}

/// What an account sent under `token` at `since` or later.
pub fn get(db: &Connection, account: i64, token: &str, since: Timestamp) -> Result<Option<Seen>, StoreError> {
    let seen = db
        .prepare_cached("select fingerprint, answer from token where account = ?1 and token = ?2 and seen_at >= ?3")?
        .query_row((account, token, since.as_second()), |row| {
            Ok(Seen { fingerprint: row.get(0)?, answer: row.get(1)? })
        })
        .optional()?;
    Ok(seen)
}

/// Remembers what an account sent under `token`.
pub fn put(db: &Connection, account: i64, token: &str, seen: &Seen, at: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "insert into token (account, token, fingerprint, answer, seen_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (account, token) do update set fingerprint = ?3, answer = ?4, seen_at = ?5",
    )?
    .execute((account, token, &seen.fingerprint, &seen.answer, at.as_second()))?;
    Ok(())
}
