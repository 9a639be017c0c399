//! The `provider_key`, `provider_token` and `used_signature` tables: credentials of managed accounts' own tools.
//! Stores a secret only sealed, a token only as its hash, and a signature only as its digest.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// How long a used signature is remembered after it expired, in seconds: longer than any request takes, from when it is
/// proved until it is carried out.
const SPENT_SECONDS: i64 = 2 * 3600;

/// A key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The public id that requests name it by.
    pub access_key: String,
    /// The id of the account that it is for.
    pub account: String,
    /// The provider of that account.
    pub provider: String,
    /// Its secret, sealed.
    pub sealed: Vec<u8>,
    /// A name for people, such as that of the tool that uses the key.
    pub name: String,
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
}

impl StoredKey {
    /// Whether what it signs is honoured at `at`.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| at < expires_at)
    }
}

const COLUMNS: &str =
    "k.access_key, a.id as account, a.provider, k.sealed_secret, k.name, k.created_at, k.created_by,
    k.expires_at, k.revoked_at, k.last_used_at";

/// Adds a key of `account`.
pub fn insert(db: &WriteTx, account: AccountKey, key: &StoredKey) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert into provider_key (access_key, account, sealed_secret, name, created_at, created_by, expires_at)
         values (:access_key, :account, :sealed_secret, :name, :created_at, :created_by, :expires_at)",
    )?
    .execute(named_params! {
        ":access_key": key.access_key,
        ":account": account,
        ":sealed_secret": key.sealed,
        ":name": key.name,
        ":created_at": key.created_at.as_second(),
        ":created_by": key.created_by,
        ":expires_at": key.expires_at.map(Timestamp::as_second),
    })?;
    Ok(())
}

/// The key called `access_key`, also an expired or revoked one.
pub fn get(db: &ReadTx, access_key: &str) -> Result<Option<StoredKey>, StoreError> {
    db.connection()
        .prepare_cached(&format!(
            "select {COLUMNS} from provider_key k join account a on a.row = k.account where k.access_key = ?1"
        ))?
        .query_row([access_key], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// The key that asked for the token with this hash, if the token is still valid at `at`.
pub fn find_by_token(db: &ReadTx, hash: &[u8; 32], at: Timestamp) -> Result<Option<StoredKey>, StoreError> {
    db.connection()
        .prepare_cached(&format!(
            "select {COLUMNS} from provider_token t join provider_key k on k.access_key = t.access_key
         join account a on a.row = k.account where t.token_hash = ?1 and t.valid_until > ?2"
        ))?
        .query_row((hash, at.as_second()), |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// Every key, in the order in which they were made; only those of `accounts`, a JSON list of ids, unless that is `None`.
pub fn list(db: &ReadTx, accounts: Option<&str>) -> Result<Vec<StoredKey>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "select {COLUMNS} from provider_key k join account a on a.row = k.account
         where ?1 is null or a.id in (select value from json_each(?1)) order by k.row"
    ))?;
    let keys = statement.query_and_then([accounts], stored)?;
    keys.collect()
}

/// Refuses a key from `at` on, unless it is refused earlier anyway; returns whether there is one that was in force.
pub fn expire(db: &WriteTx, access_key: &str, at: Timestamp) -> Result<bool, StoreError> {
    let expired = db
        .connection()
        .prepare_cached(
            "update provider_key set expires_at = min(coalesce(expires_at, ?2), ?2)
             where access_key = ?1 and revoked_at is null",
        )?
        .execute((access_key, at.as_second()))?;
    Ok(expired == 1)
}

/// Refuses a key from now on; returns whether there is one that was not refused already.
pub fn revoke(db: &WriteTx, access_key: &str, at: Timestamp) -> Result<bool, StoreError> {
    let revoked = db
        .connection()
        .prepare_cached(
            "update provider_key set revoked_at = ?2 where access_key = ?1 and revoked_at is null",
        )?
        .execute((access_key, at.as_second()))?;
    Ok(revoked == 1)
}

/// Says when a key was last used.
pub fn set_last_used(db: &WriteTx, access_key: &str, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update provider_key set last_used_at = ?2 where access_key = ?1")?
        .execute((access_key, at.as_second()))?;
    Ok(())
}

/// Adds a token that a key asked for.
pub fn insert_token(
    db: &WriteTx,
    hash: &[u8; 32],
    access_key: &str,
    valid_until: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into provider_token (token_hash, access_key, valid_until) values (?1, ?2, ?3)",
        )?
        .execute((hash, access_key, valid_until.as_second()))?;
    Ok(())
}

/// What a signature that may be used once was used for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviousUse {
    /// Nothing: it is remembered from now on.
    None,
    /// The same request.
    SameRequest,
    /// Another request, of which it says the same: providers do not sign everything.
    OtherRequest,
}

/// Remembers that a signature was used by the request with the digest `request`, unless it was used before.
pub fn spend(
    db: &WriteTx,
    signature: &[u8; 32],
    request: &[u8; 32],
    valid_until: Timestamp,
) -> Result<PreviousUse, StoreError> {
    let known = db
        .connection()
        .prepare_cached("select request from used_signature where digest = ?1")?
        .query_row([signature], |row| row.get::<_, Option<[u8; 32]>>(0))
        .optional()?;
    match known {
        Some(Some(before)) if before != *request => Ok(PreviousUse::OtherRequest),
        Some(_) => Ok(PreviousUse::SameRequest),
        None => {
            db.connection()
                .prepare_cached(
                    "insert into used_signature (digest, valid_until, request) values (?1, ?2, ?3)",
                )?
                .execute((signature, valid_until.as_second(), request))?;
            Ok(PreviousUse::None)
        }
    }
}

/// Forgets the tokens that have expired, and the signatures that expired so long ago that no request still under way can have
/// been proved by them.
pub fn delete_expired(db: &WriteTx, at: Timestamp) -> Result<(), StoreError> {
    for (table, until) in [("provider_token", at), ("used_signature", at - SPENT_SECONDS)] {
        db.connection()
            .prepare_cached(&format!("delete from {table} where valid_until < ?1"))?
            .execute([until.as_second()])?;
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredKey, StoreError> {
    Ok(StoredKey {
        access_key: row.get("access_key")?,
        account: row.get("account")?,
        provider: row.get("provider")?,
        sealed: row.get("sealed_secret")?,
        name: row.get("name")?,
        created_at: Timestamp::from_second(row.get("created_at")?),
        created_by: row.get("created_by")?,
        expires_at: codec::instant(row, "expires_at")?,
        revoked_at: codec::instant(row, "revoked_at")?,
        last_used_at: codec::instant(row, "last_used_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn a_used_signature_is_remembered_for_as_long_as_a_request_may_wait() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::scratch(&folder.path().join("test.db")).unwrap();
        let (db, valid_until) = (store.tx(), Timestamp::from_second(1_000_000));
        let spend = |request: u8| spend(db, &[7; 32], &[request; 32], valid_until).unwrap();
        assert_eq!(spend(1), PreviousUse::None);
        delete_expired(db, valid_until + 3600).unwrap();
        assert_eq!((spend(1), spend(2)), (PreviousUse::SameRequest, PreviousUse::OtherRequest));
        delete_expired(db, valid_until + SPENT_SECONDS + 1).unwrap();
        assert_eq!(spend(2), PreviousUse::None);
    }
}
