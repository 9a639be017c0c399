//! The tables `plugin_revision` and `plugin_component`: revisions of plugins with what they are made of.
//!
//! None is ever changed but for what it is granted, and none is deleted that decided anything that is kept, so that it can be
//! asked again.

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
    /// What it has beyond every plugin, as limits are written; `None` for nothing.
    pub granted: Option<String>,
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
    /// What it has beyond every plugin, as limits are written; `None` for nothing.
    pub granted: Option<String>,
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
    /// What it is granted beyond every plugin; `None` for nothing.
    pub granted: Option<&'a str>,
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
            "insert into plugin_revision (digest, provider, component, source, origin, signed_by, granted, installed_at,
                 installed_by)
             values (:digest, :provider, :component, :source, :origin, :signed_by, :granted, :at, :by)",
        )?
        .execute(named_params! {
            ":digest": new.digest,
            ":provider": new.provider,
            ":component": new.component_digest,
            ":source": new.table,
            ":origin": new.origin,
            ":signed_by": new.signed_by,
            ":granted": new.granted,
            ":at": new.at.as_second(),
            ":by": new.by,
        })?;
    Ok(true)
}

/// Grants a revision something else than before; returns whether that is so.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn grant(db: &WriteTx, digest: &str, granted: Option<&str>) -> Result<bool, StoreError> {
    let changed = db
        .connection()
        .prepare_cached("update plugin_revision set granted = ?2 where digest = ?1 and granted is not ?2")?
        .execute((digest, granted))?;
    Ok(changed > 0)
}

/// Says which trusted key signed a revision that was kept before.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn sign(db: &WriteTx, digest: &str, signed_by: &str) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update plugin_revision set signed_by = ?2 where digest = ?1")?
        .execute((digest, signed_by))?;
    Ok(())
}

/// What revisions are granted: those that are granted anything, by digest.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn grants(db: &ReadTx) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select digest, granted from plugin_revision where granted is not null order by digest",
    )?;
    let grants = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(grants.collect::<Result<_, _>>()?)
}

/// What the revision with this digest is granted; `None` for nothing, or when it is not kept.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn granted(db: &ReadTx, digest: &str) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select granted from plugin_revision where digest = ?1")?;
    Ok(statement.query_row([digest], |row| row.get(0)).optional()?.flatten())
}

const ALL: &str = "select r.row, r.digest, r.provider, r.source is not null as is_table,
         coalesce(length(cast(r.source as blob)), length(c.bytes)) as size_bytes, r.origin, r.signed_by, r.granted, r.installed_at,
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
        "select c.bytes, r.source, r.granted from plugin_revision r join plugin_component c on c.digest = r.component
         where r.digest = ?1",
    )?;
    let parts = statement.query_row([digest], |row| {
        Ok(RevisionParts {
            component: row.get("bytes")?,
            table: row.get("source")?,
            granted: row.get("granted")?,
        })
    });
    Ok(parts.optional()?)
}

/// A revision that nothing refers to and that was installed before `before`: it is not bound, was not bound since then, is not what
/// a binding goes back to, and no difference is of it. What it decided is older than `before`, too.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn unused(db: &ReadTx, before: Timestamp, loaded: &[&str]) -> Result<Option<String>, StoreError> {
    let loaded = serde_json::Value::from(loaded).to_string();
    let mut statement = db.connection().prepare_cached(
        "select p.digest from plugin_revision p
         where p.installed_at < :before and p.digest not in (select value from json_each(:loaded))
             and not exists (select 1 from plugin_binding b where b.digest = p.digest)
             and not exists (select 1 from revision_difference d where d.digest = p.digest or d.followed = p.digest)
             and not exists (
                 select 1 from plugin_binding_change c
                 where (c.before = p.digest or c.after = p.digest)
                     and (c.at >= :before or c.row = (
                         select max(l.row) from plugin_binding_change l
                         where l.provider = c.provider and l.accounts = c.accounts and l.mode = c.mode)))
         order by p.row limit 1",
    )?;
    let found = statement
        .query_row(named_params! { ":before": before.as_second(), ":loaded": loaded }, |row| row.get(0));
    Ok(found.optional()?)
}

/// Deletes a revision with what is known of it as a shadow, and its component if no other revision has it.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete(db: &WriteTx, digest: &str) -> Result<(), StoreError> {
    for sql in [
        "delete from plugin_revision where digest = ?1",
        "delete from revision_trial where digest = ?1",
        "delete from plugin_breaker where digest = ?1",
    ] {
        db.connection().prepare_cached(sql)?.execute([digest])?;
    }
    db.connection()
        .prepare_cached(
            "delete from plugin_component where digest not in (select component from plugin_revision)",
        )?
        .execute([])?;
    Ok(())
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
        granted: row.get("granted")?,
        installed_at: Timestamp::from_second(row.get("installed_at")?),
        installed_by: row.get("installed_by")?,
    })
}
