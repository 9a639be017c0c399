//! The `drift` table: differences between what this host knew and what a provider said. Append-only.

use perennial_domain::connector::Drift;
use perennial_domain::connector::DriftKind;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::DriftKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A difference as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDrift {
    /// The account's id.
    pub account: String,
    /// The resource's id.
    pub resource: String,
    /// What differs, and how.
    pub drift: Drift,
    /// When it was found.
    pub found_at: Timestamp,
}

/// Adds a difference.
pub fn insert(
    db: &WriteTx,
    account: AccountKey,
    resource: &str,
    drift: &Drift,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into drift (account, resource, kind, here, there, found_at)
             values (:account, :resource, :kind, :here, :there, :found_at)",
        )?
        .execute(named_params! {
            ":account": account,
            ":resource": resource,
            ":kind": drift.kind.name(),
            ":here": drift.here,
            ":there": drift.there,
            ":found_at": at.as_second(),
        })?;
    Ok(())
}

/// The kind of the newest difference of a resource, and when it was found; `None` when none was found yet.
pub fn newest(
    db: &ReadTx,
    account: AccountKey,
    resource: &str,
) -> Result<Option<(DriftKind, Timestamp)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select kind, found_at from drift where account = ?1 and resource = ?2 order by row desc limit 1",
    )?;
    let found = statement.query_row((account, resource), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(kind, at)| Ok((read_kind(kind)?, Timestamp::from_second(at)))).transpose()
}

fn read_kind(word: String) -> Result<DriftKind, StoreError> {
    let known = DriftKind::ALL.into_iter().find(|known| known.name() == word);
    known.ok_or(StoreError::Damaged { what: "the kind of a drift", found: word })
}

/// Differences below `before` in rows, newest first, at most `limit`; only those of `accounts`, a JSON list of ids, unless
/// that is `None`.
pub fn list(
    db: &ReadTx,
    accounts: Option<&str>,
    before: DriftKey,
    limit: u32,
) -> Result<Vec<(DriftKey, StoredDrift)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select d.*, a.id as account_id from drift d join account a on a.row = d.account
         where d.row < :before and (:accounts is null or a.id in (select value from json_each(:accounts)))
         order by d.row desc limit :limit",
    )?;
    let found = statement.query_and_then(
        named_params! { ":accounts": accounts, ":before": before, ":limit": limit },
        |row| {
            let kind = read_kind(row.get("kind")?)?;
            let drift = Drift { kind, here: row.get("here")?, there: row.get("there")? };
            let stored = StoredDrift {
                account: row.get("account_id")?,
                resource: row.get("resource")?,
                drift,
                found_at: Timestamp::from_second(row.get("found_at")?),
            };
            Ok((row.get("row")?, stored))
        },
    )?;
    found.collect()
}
