//! The `decision` and `revision` tables: requests to plugins and their responses.
//!
//! What is read may be damaged: that is said of each, and hurts no other.

use perennial_domain::timestamp::Timestamp;
use perennial_formats::decision::packed;
use perennial_formats::decision::packed::UnpackError;
use rusqlite::CachedStatement;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::error::StoreError;
use crate::keys::DecisionKey;
use crate::keys::ResourceKey;
use crate::keys::RevisionKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A request to a plugin and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its row; later ones have larger ones.
    pub row: DecisionKey,
    /// When the plugin was called.
    pub at: Timestamp,
    /// The id of the account.
    pub account: String,
    /// The id of the resource that the command named.
    pub resource: String,
    /// The id of the plugin, or the name of what runs policies.
    pub plugin: String,
    /// The digest of the revision that was called.
    pub digest: String,
    /// The version of the contract in which request and response are written: of the provider contract, such as `0.1`, or of
    /// that of policies, such as `policy/0.1`.
    pub contract: String,
    /// The fuel that it took: its part of what the call took in which it was asked; `None` where that was not kept.
    pub fuel: Option<u64>,
    /// The request, as [`perennial_formats::decision`] writes it, unless it is damaged.
    pub request: Result<String, UnpackError>,
    /// The response, as [`perennial_formats::decision`] writes it, unless it is damaged.
    pub response: Result<String, UnpackError>,
}

/// The row of the revision with this digest, which is added if it is new.
pub(crate) fn find_or_insert_revision(
    db: &WriteTx,
    plugin: &str,
    digest: &str,
) -> Result<RevisionKey, StoreError> {
    db.connection()
        .prepare_cached(
            "insert into revision (digest, plugin) values (?1, ?2) on conflict (digest) do nothing",
        )?
        .execute((digest, plugin))?;
    Ok(db
        .connection()
        .prepare_cached("select row from revision where digest = ?1")?
        .query_row([digest], |row| row.get(0))?)
}

/// Keeps decisions, as long as a transaction lasts.
pub(crate) struct DecisionInserter<'c>(CachedStatement<'c>);

impl<'c> DecisionInserter<'c> {
    /// Finds the statement.
    pub(crate) fn new(db: &'c WriteTx) -> Result<DecisionInserter<'c>, StoreError> {
        Ok(DecisionInserter(db.connection().prepare_cached(
            "insert into decision (at, resource, revision, contract, fuel, request, response) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?))
    }

    /// Keeps a decision that a revision made on a resource, under a version of its contract; `texts` are the request and the response, packed, and `fuel` is
    /// what it took.
    pub(crate) fn insert(
        &mut self,
        (at, resource, revision): (Timestamp, ResourceKey, RevisionKey),
        contract: &str,
        texts: (&[u8], &[u8]),
        fuel: u64,
    ) -> Result<(), StoreError> {
        let fuel = i64::try_from(fuel).unwrap_or(i64::MAX);
        let (request, response) = texts;
        self.0.execute((at.as_second(), resource, revision, contract, fuel, request, response))?;
        Ok(())
    }
}

const ALL: &str =
    "select d.row, d.at, a.id as account, r.id as resource, v.plugin, v.digest, d.contract, d.fuel, d.request, d.response
     from decision d join revision v on v.row = d.revision join resource r on r.row = d.resource
     join account a on a.row = r.account";

/// The decision at this row, if it is kept.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn get(db: &ReadTx, row: DecisionKey) -> Result<Option<Decision>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} where d.row = ?1"))?;
    Ok(statement.query_row([row], decision).optional()?)
}

/// The decisions above the row `after`, oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &ReadTx, after: DecisionKey, limit: u32) -> Result<Vec<Decision>, StoreError> {
    let mut statement =
        db.connection().prepare_cached(&format!("{ALL} where d.row > ?1 order by d.row limit ?2"))?;
    let decisions = statement.query_map((after, limit), decision)?;
    Ok(decisions.collect::<Result<_, _>>()?)
}

/// The decisions above the row `after` that were made at `since` or later, oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list_since(
    db: &ReadTx,
    since: Timestamp,
    after: DecisionKey,
    limit: u32,
) -> Result<Vec<Decision>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached(&format!("{ALL} where d.row > ?1 and d.at >= ?2 order by d.row limit ?3"))?;
    let decisions = statement.query_map((after, since.as_second(), limit), decision)?;
    Ok(decisions.collect::<Result<_, _>>()?)
}

/// The decisions on a resource above the row `after`, oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list_for_resource(
    db: &ReadTx,
    resource: ResourceKey,
    after: DecisionKey,
    limit: u32,
) -> Result<Vec<Decision>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached(&format!("{ALL} where d.resource = ?1 and d.row > ?2 order by d.row limit ?3"))?;
    let decisions = statement.query_map((resource, after, limit), decision)?;
    Ok(decisions.collect::<Result<_, _>>()?)
}

/// The last decision on a resource, if one is kept: of a plugin or, with `of_policies`, of policies.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn last_for_resource(
    db: &ReadTx,
    resource: ResourceKey,
    of_policies: bool,
) -> Result<Option<Decision>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where d.resource = ?1 and (d.contract like 'policy/%') = ?2 order by d.row desc limit 1"
    ))?;
    Ok(statement.query_row((resource, of_policies), decision).optional()?)
}

/// Whether the oldest decision was made before an instant.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn has_before(db: &ReadTx, before: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select at < ?1 and row < (select max(row) from decision) from decision order by row limit 1",
    )?;
    Ok(statement.query_row([before.as_second()], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Deletes decisions that were made before an instant: of the `limit` oldest those that were. The newest one stays, so that
/// no number is given twice.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete_before(db: &WriteTx, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from decision
             where row in (select row from decision order by row limit ?2) and at < ?1
               and row < (select max(row) from decision)",
        )?
        .execute((before.as_second(), limit))?;
    Ok(())
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let fuel: Option<i64> = row.get("fuel")?;
    Ok(Decision {
        row: row.get("row")?,
        at: Timestamp::from_second(row.get("at")?),
        account: row.get("account")?,
        resource: row.get("resource")?,
        plugin: row.get("plugin")?,
        digest: row.get("digest")?,
        contract: row.get("contract")?,
        fuel: fuel.and_then(|fuel| u64::try_from(fuel).ok()),
        request: text(row.get_ref("request")?),
        response: text(row.get_ref("response")?),
    })
}

/// What was packed; what was kept before that is the text itself.
fn text(value: ValueRef<'_>) -> Result<String, UnpackError> {
    let damaged = |why: &str| UnpackError::Damaged(why.to_owned());
    match value {
        ValueRef::Blob(packed) => packed::unpack(packed),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(str::to_owned).map_err(|_| damaged("it is no text"))
        }
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Err(damaged("it is no text")),
    }
}
