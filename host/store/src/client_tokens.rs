//! The `client_token` table: client tokens of commands, and the result of each command.

use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A command that carried a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOutcome {
    /// Equal for equal commands.
    pub fingerprint: String,
    /// Why it was not carried out; `None` when it was.
    pub refusal: Option<Refusal>,
}

/// What an account sent under `token` at `since` or later.
pub fn get(
    db: &ReadTx,
    account: AccountKey,
    token: &str,
    since: Timestamp,
) -> Result<Option<StoredOutcome>, StoreError> {
    let stored = db
        .connection()
        .prepare_cached("select fingerprint, refusal_code, refusal_message from client_token where account = ?1 and token = ?2 and used_at >= ?3")?
        .query_row((account, token, since.as_second()), |row| {
            let (code, message): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let refusal = code.map(|code| Refusal { code, message: message.unwrap_or_default() });
            Ok(StoredOutcome { fingerprint: row.get(0)?, refusal })
        })
        .optional()?;
    Ok(stored)
}

/// Remembers what an account sent under `token`.
pub fn upsert(
    db: &WriteTx,
    account: AccountKey,
    token: &str,
    stored: &StoredOutcome,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert or replace into client_token (account, token, fingerprint, refusal_code, refusal_message, used_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        account,
        token,
        &stored.fingerprint,
        stored.refusal.as_ref().map(|refusal| &refusal.code),
        stored.refusal.as_ref().map(|refusal| &refusal.message),
        at.as_second(),
    ))?;
    Ok(())
}
