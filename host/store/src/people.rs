//! The person behind a token or a key, and the table `renewal_author`: who last changed how a resource renews by itself, so that
//! they do not decide on its renewals. Decides nothing.

use rusqlite::OptionalExtension;

use crate::error::StoreError;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

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

/// Writes down that `author`, the id of a token or a key, changed a setting by which a resource renews by itself.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn set_renewal_author(
    db: &WriteTx,
    resource: ResourceKey,
    setting: &str,
    author: &str,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("insert or replace into renewal_author values (?1, ?2, ?3)")?
        .execute((resource, setting, author))?;
    Ok(())
}

/// The authors of the bundle that a resource belongs to.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn renewal_authors(db: &ReadTx, resource: ResourceKey) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select distinct a.author from renewal_author a join schedule s on s.resource = a.resource
         where s.bundle = (select bundle from schedule where resource = ?1)",
    )?;
    Ok(statement.query_map([resource], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
