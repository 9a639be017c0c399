//! The `api_token` table: who may call the admin API. Knows a token's hash; never the token.

use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A token as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// What it is called by, in lists and in the audit log.
    pub id: String,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it is for, in words.
    pub name: String,
    /// The name of the role.
    pub role: String,
    /// The accounts that it sees, in order; `None` is all of them.
    pub accounts: Option<Vec<String>>,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// By which token; `cli` for the command line.
    pub created_by: String,
    /// From when on it is refused; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// The person behind it: a name, or the id of their first token.
    pub owner: String,
    /// The labels by which policies ask for approvers, in order.
    pub approves: Vec<String>,
}

/// Adds a token.
pub fn insert(db: &WriteTx, token: &StoredToken) -> Result<(), StoreError> {
    let accounts = token.accounts.as_ref().map(serde_json::to_string).transpose()?;
    db.connection().prepare_cached(
        "insert into api_token (id, secret_hash, name, role, accounts, created_at, created_by, expires_at, revoked_at,
             last_used_at, owner, approves)
         values (:id, :secret_hash, :name, :role, :accounts, :created_at, :created_by, :expires_at, :revoked_at,
             :last_used_at, :owner, :approves)",
    )?
    .execute(named_params! {
        ":id": token.id,
        ":secret_hash": token.hash,
        ":name": token.name,
        ":role": token.role,
        ":accounts": accounts,
        ":created_at": token.created_at.as_second(),
        ":created_by": token.created_by,
        ":expires_at": token.expires_at.map(Timestamp::as_second),
        ":revoked_at": token.revoked_at.map(Timestamp::as_second),
        ":last_used_at": token.last_used_at.map(Timestamp::as_second),
        ":owner": token.owner,
        ":approves": serde_json::to_string(&token.approves)?,
    })?;
    Ok(())
}

/// Every token, in the order in which they were made.
pub fn list(db: &ReadTx) -> Result<Vec<StoredToken>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from api_token order by row")?;
    let tokens = statement.query_and_then([], stored)?;
    tokens.collect()
}

/// The token called `id`.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredToken>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from api_token where id = ?1")?;
    let mut tokens = statement.query_and_then([id], stored)?;
    tokens.next().transpose()
}

/// Refuses a token from now on; returns whether there is one that was not refused already.
pub fn revoke(db: &WriteTx, id: &str, at: Timestamp) -> Result<bool, StoreError> {
    let revoked = db
        .connection()
        .prepare_cached("update api_token set revoked_at = ?2 where id = ?1 and revoked_at is null")?
        .execute((id, at.as_second()))?;
    Ok(revoked == 1)
}

/// Says when a token was last used.
pub fn set_last_used(db: &WriteTx, id: &str, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update api_token set last_used_at = ?2 where id = ?1")?
        .execute((id, at.as_second()))?;
    Ok(())
}

/// Says which person a token belongs to.
pub fn set_owner(db: &WriteTx, id: &str, owner: &str) -> Result<(), StoreError> {
    db.connection().prepare_cached("update api_token set owner = ?2 where id = ?1")?.execute((id, owner))?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredToken, StoreError> {
    let accounts: Option<String> = row.get("accounts")?;
    let approves: String = row.get("approves")?;
    Ok(StoredToken {
        id: row.get("id")?,
        hash: row.get("secret_hash")?,
        name: row.get("name")?,
        role: row.get("role")?,
        accounts: accounts.as_deref().map(serde_json::from_str).transpose()?,
        created_at: Timestamp::from_second(row.get("created_at")?),
        created_by: row.get("created_by")?,
        expires_at: codec::instant(row, "expires_at")?,
        revoked_at: codec::instant(row, "revoked_at")?,
        last_used_at: codec::instant(row, "last_used_at")?,
        owner: row.get("owner")?,
        approves: serde_json::from_str(&approves)?,
    })
}
