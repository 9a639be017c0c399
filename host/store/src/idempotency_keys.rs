//! The `idempotency_key` table: responses to requests with an idempotency key.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Equal for equal requests.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// Headers of the answer, a JSON object of strings.
    pub headers: String,
    /// The body, as it was sent.
    pub body: String,
}

/// What the token called `token` was answered under `key`.
pub fn get(db: &ReadTx, token: &str, key: &str) -> Result<Option<StoredResponse>, StoreError> {
    let answered = db
        .connection()
        .prepare_cached(
            "select fingerprint, response_status, response_headers, response_body from idempotency_key
             where api_token = ?1 and key = ?2",
        )?
        .query_row((token, key), |row| {
            Ok(StoredResponse {
                fingerprint: row.get(0)?,
                status: row.get(1)?,
                headers: row.get(2)?,
                body: row.get(3)?,
            })
        })
        .optional()?;
    Ok(answered)
}

/// Remembers what the token called `token` was answered under `key`.
pub fn insert(
    db: &WriteTx,
    token: &str,
    key: &str,
    answered: &StoredResponse,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert into idempotency_key (api_token, key, fingerprint, created_at, response_status, response_headers, response_body)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        token,
        key,
        &answered.fingerprint,
        at.as_second(),
        answered.status,
        &answered.headers,
        &answered.body,
    ))?;
    Ok(())
}

/// Forgets what was answered before `before`.
pub fn delete_before(db: &WriteTx, before: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("delete from idempotency_key where created_at < ?1")?
        .execute([before.as_second()])?;
    Ok(())
}
