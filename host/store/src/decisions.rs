//! The `decision` and `revision` tables: requests to plugins and their responses.

use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;

use crate::error::StoreError;
use crate::keys::ResourceKey;
use crate::keys::RevisionKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;
use perennial_formats::decision::CONTRACT;

/// A request to a plugin and its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When the plugin was called.
    pub at: Timestamp,
    /// The plugin's id.
    pub plugin: String,
    /// The digest of the revision that was called.
    pub digest: String,
    /// The version of the provider contract in which request and response are written, such as `0.1`.
    pub contract: String,
    /// The request, as [`perennial_formats::decision`] writes it.
    pub request: String,
    /// The response, as [`perennial_formats::decision`] writes it.
    pub response: String,
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
pub struct DecisionInserter<'c>(CachedStatement<'c>);

impl<'c> DecisionInserter<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<DecisionInserter<'c>, StoreError> {
        Ok(DecisionInserter(db.connection().prepare_cached(
            "insert into decision (at, resource, revision, contract, request, response) values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?))
    }

    /// Keeps a decision on `resource`.
    pub fn insert(
        &mut self,
        at: Timestamp,
        resource: ResourceKey,
        revision: RevisionKey,
        request: &str,
        response: &str,
    ) -> Result<(), StoreError> {
        self.0.execute((at.as_second(), resource, revision, CONTRACT, request, response))?;
        Ok(())
    }
}

/// The decisions that were kept, oldest first, at most `limit`.
pub fn list(db: &ReadTx, limit: u32) -> Result<Vec<Decision>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select at, plugin, digest, contract, request, response
         from decision join revision on revision.row = decision.revision order by decision.row limit ?1",
    )?;
    let decisions = statement.query_map([limit], |row| {
        Ok(Decision {
            at: Timestamp::from_second(row.get(0)?),
            plugin: row.get(1)?,
            digest: row.get(2)?,
            contract: row.get(3)?,
            request: row.get(4)?,
            response: row.get(5)?,
        })
    })?;
    Ok(decisions.collect::<Result<_, _>>()?)
}
