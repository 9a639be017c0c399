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
    /// The ids of the orders that it made, which its first answer named.
    pub orders: Vec<String>,
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
        .prepare_cached("select fingerprint, refusal_code, refusal_message, orders from client_token where account = ?1 and token = ?2 and used_at >= ?3")?
        .query_row((account, token, since.as_second()), |row| {
            let (code, message): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let refusal = code.map(|code| Refusal { code, message: message.unwrap_or_default() });
            let stored = StoredOutcome { fingerprint: row.get(0)?, refusal, orders: Vec::new() };
            Ok((stored, row.get::<_, String>(3)?))
        })
        .optional()?;
    let Some((stored, orders)) = stored else { return Ok(None) };
    Ok(Some(StoredOutcome { orders: serde_json::from_str(&orders)?, ..stored }))
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
        "insert or replace into client_token (account, token, fingerprint, refusal_code, refusal_message, used_at, orders)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        account,
        token,
        &stored.fingerprint,
        stored.refusal.as_ref().map(|refusal| &refusal.code),
        stored.refusal.as_ref().map(|refusal| &refusal.message),
        at.as_second(),
        serde_json::to_string(&stored.orders)?,
    ))?;
    Ok(())
}
