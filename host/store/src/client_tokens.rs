//! The `client_token` table: client tokens of commands, and the result of each command.

use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;

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

const OUTCOME_COLUMNS: &str = "fingerprint, refusal_code, refusal_message, orders";

/// What an account sent under `token` at `since` or later.
pub fn get(
    db: &ReadTx,
    account: AccountKey,
    token: &str,
    since: Timestamp,
) -> Result<Option<StoredOutcome>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "select {OUTCOME_COLUMNS} from client_token where account = ?1 and token = ?2 and used_at >= ?3"
    ))?;
    let mut rows = statement.query((account, token, since.as_second()))?;
    rows.next()?.map(outcome).transpose()
}

/// What an account sent under a token, and when it last did.
pub(crate) struct StoredToken {
    pub(crate) account: AccountKey,
    pub(crate) token: String,
    pub(crate) used_at: Timestamp,
    pub(crate) outcome: StoredOutcome,
}

/// What every account sent.
pub(crate) fn all(db: &ReadTx) -> Result<Vec<StoredToken>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached(&format!("select {OUTCOME_COLUMNS}, account, token, used_at from client_token"))?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(StoredToken {
            account: row.get(4)?,
            token: row.get(5)?,
            used_at: Timestamp::from_second(row.get(6)?),
            outcome: outcome(row)?,
        });
    }
    Ok(tokens)
}

fn outcome(row: &Row<'_>) -> Result<StoredOutcome, StoreError> {
    let (code, message): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let refusal = code.map(|code| Refusal { code, message: message.unwrap_or_default() });
    let orders = serde_json::from_str(&row.get::<_, String>(3)?)?;
    Ok(StoredOutcome { fingerprint: row.get(0)?, refusal, orders })
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
