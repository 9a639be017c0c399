//! The tables `plugin_revision` and `plugin_component`: revisions of plugins with what they are made of.
//!
//! None is ever changed or deleted, so that whatever one of them decided can be asked again.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::PluginRevisionKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A revision as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRevision {
    /// Its row; later ones have larger ones.
    pub row: PluginRevisionKey,
    /// What names it, in hexadecimal.
    pub digest: String,
    /// The id of the provider whose rules it has.
    pub provider: String,
    /// Whether it is a table, which a component interprets.
    pub is_table: bool,
    /// The size of what it is made of, in bytes.
    pub size_bytes: u64,
    /// `bundled`, or the file that it came from.
    pub origin: String,
    /// The trusted key that signed it; `None` without a signature.
    pub signed_by: Option<String>,
    /// When it was first kept ...
    pub installed_at: Timestamp,
    /// ... and by which token; `cli` for the command line, `host` for what the host loads itself.
    pub installed_by: String,
}

/// What a revision is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionParts {
    /// The component, compiled to WebAssembly.
    pub component: Vec<u8>,
    /// The text of a table that the component interprets.
    pub table: Option<String>,
}

/// A revision that is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// What names it, in hexadecimal.
    pub digest: &'a str,
    /// The id of the provider whose rules it has.
    pub provider: &'a str,
    /// The SHA-256 of the component, in hexadecimal.
    pub component_digest: &'a str,
    /// The component, compiled to WebAssembly.
    pub component: &'a [u8],
    /// The text of a table that the component interprets.
    pub table: Option<&'a str>,
    /// `bundled`, or the file that it came from.
    pub origin: &'a str,
    /// The trusted key that signed it.
    pub signed_by: Option<&'a str>,
    /// The present instant.
    pub at: Timestamp,
    /// The token's id.
    pub by: &'a str,
}

/// Keeps a revision; returns whether it is new.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn insert(db: &WriteTx, new: &NewRevision<'_>) -> Result<bool, StoreError> {
    if get(db, new.digest)?.is_some() {
        return Ok(false);
    }
    db.connection()
        .prepare_cached(
            "insert into plugin_component (digest, bytes) values (?1, ?2) on conflict do nothing",
        )?
        .execute((new.component_digest, new.component))?;
    db.connection()
        .prepare_cached(
            "insert into plugin_revision (digest, provider, component, source, origin, signed_by, installed_at, installed_by)
             values (:digest, :provider, :component, :source, :origin, :signed_by, :at, :by)",
        )?
        .execute(named_params! {
            ":digest": new.digest,
            ":provider": new.provider,
            ":component": new.component_digest,
            ":source": new.table,
            ":origin": new.origin,
            ":signed_by": new.signed_by,
            ":at": new.at.as_second(),
            ":by": new.by,
        })?;
    Ok(true)
}

const ALL: &str = "select r.row, r.digest, r.provider, r.source is not null as is_table,
         coalesce(length(cast(r.source as blob)), length(c.bytes)) as size_bytes, r.origin, r.signed_by, r.installed_at,
         r.installed_by
     from plugin_revision r join plugin_component c on c.digest = r.component";

/// The revisions above the row `after`, in the order in which they were first kept, at most `limit`; only those of `provider` if
/// one is given.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(
    db: &ReadTx,
    provider: Option<&str>,
    after: PluginRevisionKey,
    limit: u32,
) -> Result<Vec<StoredRevision>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where r.row > ?1 and (?2 is null or r.provider = ?2) order by r.row limit ?3"
    ))?;
    let revisions = statement.query_map((after, provider, limit), stored)?;
    Ok(revisions.collect::<Result<_, _>>()?)
}

/// The revision with this digest, if it is kept.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn get(db: &ReadTx, digest: &str) -> Result<Option<StoredRevision>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} where r.digest = ?1"))?;
    Ok(statement.query_row([digest], stored).optional()?)
}

/// What the revision with this digest is made of, if it is kept.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn parts(db: &ReadTx, digest: &str) -> Result<Option<RevisionParts>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select c.bytes, r.source from plugin_revision r join plugin_component c on c.digest = r.component
         where r.digest = ?1",
    )?;
    let parts = statement.query_row([digest], |row| {
        Ok(RevisionParts { component: row.get("bytes")?, table: row.get("source")? })
    });
    Ok(parts.optional()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRevision> {
    Ok(StoredRevision {
        row: row.get("row")?,
        digest: row.get("digest")?,
        provider: row.get("provider")?,
        is_table: row.get("is_table")?,
        size_bytes: u64::try_from(row.get::<_, i64>("size_bytes")?).unwrap_or_default(),
        origin: row.get("origin")?,
        signed_by: row.get("signed_by")?,
        installed_at: Timestamp::from_second(row.get("installed_at")?),
        installed_by: row.get("installed_by")?,
    })
}
