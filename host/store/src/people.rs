//! The person behind a token or a key. Decides nothing.

use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::tx::ReadTx;

/// The person behind `id`, which is that of an admin token or of a key of a provider's own API: equal for equal people.
///
/// A key is its maker's. What was made on the command line, and is nobody's, is a person of its own.
pub fn person_of(db: &ReadTx, id: &str) -> Result<String, StoreError> {
    if let Some(owner) = owner_of_token(db, id)? {
        return Ok(owner);
    }
    let maker: Option<String> = db
        .connection()
        .prepare_cached("select created_by from provider_key where access_key = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let owner = maker.map(|maker| owner_of_token(db, &maker)).transpose()?.flatten();
    Ok(owner.unwrap_or_else(|| id.to_owned()))
}

fn owner_of_token(db: &ReadTx, id: &str) -> Result<Option<String>, StoreError> {
    let owner = db
        .connection()
        .prepare_cached("select owner from api_token where id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(owner)
}
