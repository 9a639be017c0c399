//! The `decision` and `revision` tables: what plugins were asked and what they answered.

use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;
use rusqlite::Connection;

use crate::error::StoreError;

/// A question that a plugin was asked, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When it was asked.
    pub at: Timestamp,
    /// The plugin's id.
    pub plugin: String,
    /// The digest of the revision that was asked.
    pub digest: String,
    /// As [`perennial_formats::decision`] writes it.
    pub question: String,
    /// Likewise.
    pub answer: String,
}

/// The row of the revision with this digest, which is added if it is new.
pub fn revision(db: &Connection, plugin: &str, digest: &str) -> Result<i64, StoreError> {
    db.prepare_cached(
        "insert into revision (digest, plugin) values (?1, ?2) on conflict (digest) do nothing",
    )?
    .execute((digest, plugin))?;
    Ok(db
        .prepare_cached("select row from revision where digest = ?1")?
        .query_row([digest], |row| row.get(0))?)
}

/// Keeps decisions, as long as a transaction lasts.
pub struct Inserting<'c>(CachedStatement<'c>);

impl<'c> Inserting<'c> {
    /// Finds the statement.
    pub fn new(db: &'c Connection) -> Result<Inserting<'c>, StoreError> {
        Ok(Inserting(db.prepare_cached(
            "insert into decision (at, resource, revision, question, answer) values (?1, ?2, ?3, ?4, ?5)",
        )?))
    }

    /// Keeps a decision on the resource at `resource`.
    pub fn insert(
        &mut self,
        at: Timestamp,
        resource: i64,
        revision: i64,
        question: &str,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.0.execute((at.as_second(), resource, revision, question, answer))?;
        Ok(())
    }
}

/// The decisions that were kept, oldest first, at most `limit`.
pub fn list(db: &Connection, limit: u32) -> Result<Vec<Decision>, StoreError> {
    let mut statement = db.prepare_cached(
        "select at, plugin, digest, question, answer
         from decision join revision on revision.row = decision.revision order by decision.row limit ?1",
    )?;
    let decisions = statement.query_map([limit], |row| {
        Ok(Decision {
            at: Timestamp::from_second(row.get(0)?),
            plugin: row.get(1)?,
            digest: row.get(2)?,
            question: row.get(3)?,
            answer: row.get(4)?,
        })
    })?;
    Ok(decisions.collect::<Result<_, _>>()?)
}
