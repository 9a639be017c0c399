//! The tables `plugin_binding`, `plugin_binding_change` and `plugin_binding_set`: which revision is bound to which accounts.

use perennial_domain::revision;
use perennial_domain::revision::BindingMode;
use perennial_domain::revision::BindingOrigin;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::PluginBindingChangeKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// What a binding is for: there is one for each of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingSubject {
    /// The id of the provider.
    pub provider: String,
    /// An account's id, or a pattern.
    pub accounts: String,
    /// Whether the revision's answers are followed.
    pub mode: BindingMode,
}

impl BindingSubject {
    /// Whether an account of a provider is one of those that it names; a narrower binding may take it out.
    pub fn is_for(&self, provider: &str, account: &str) -> bool {
        self.provider == provider && revision::is_for(&self.accounts, account)
    }
}

/// A revision that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBinding {
    /// What it is bound to.
    pub subject: BindingSubject,
    /// The digest of the revision.
    pub digest: String,
    /// Who says so.
    pub origin: BindingOrigin,
    /// Since when ...
    pub bound_at: Timestamp,
    /// ... and by which token; `cli` for the command line, `host` for what the host loads itself.
    pub bound_by: String,
}

/// A change of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingChange {
    /// Its row; later ones have larger ones.
    pub row: PluginBindingChangeKey,
    /// When it was made.
    pub at: Timestamp,
    /// What was bound.
    pub subject: BindingSubject,
    /// The revision before; `None` when there was none.
    pub before: Option<String>,
    /// The revision from then on; `None` when there is none.
    pub after: Option<String>,
    /// The token that made it.
    pub changed_by: String,
    /// Why, if they say.
    pub reason: Option<String>,
    /// Whether it took back the last change that was not taken back before.
    pub is_roll_back: bool,
}

/// The digest of all bindings; empty while nothing was ever bound.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn set_digest(db: &ReadTx) -> Result<String, StoreError> {
    let mut statement = db.connection().prepare_cached("select digest from plugin_binding_set")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Says what the digest is from now on.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn update_set_digest(db: &WriteTx, digest: &str) -> Result<(), StoreError> {
    db.connection().prepare_cached("update plugin_binding_set set digest = ?1")?.execute([digest])?;
    Ok(())
}

/// Every binding, by provider, accounts and mode.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &ReadTx) -> Result<Vec<StoredBinding>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select * from plugin_binding order by provider, accounts, mode")?;
    let bindings = statement.query_and_then([], stored)?;
    bindings.collect()
}

/// The binding for exactly this subject, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn get(db: &ReadTx, subject: &BindingSubject) -> Result<Option<StoredBinding>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from plugin_binding where provider = ?1 and accounts = ?2 and mode = ?3")?;
    let mut found =
        statement.query_and_then((&subject.provider, &subject.accounts, subject.mode.code()), stored)?;
    found.next().transpose()
}

/// Binds a revision, in place of the one that was bound to the same.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn upsert(db: &WriteTx, binding: &StoredBinding) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into plugin_binding (provider, accounts, mode, digest, origin, bound_at, bound_by)
             values (:provider, :accounts, :mode, :digest, :origin, :bound_at, :bound_by)
             on conflict (provider, accounts, mode) do update set digest = excluded.digest, origin = excluded.origin,
                 bound_at = excluded.bound_at, bound_by = excluded.bound_by",
        )?
        .execute(named_params! {
            ":provider": binding.subject.provider,
            ":accounts": binding.subject.accounts,
            ":mode": binding.subject.mode.code(),
            ":digest": binding.digest,
            ":origin": binding.origin.code(),
            ":bound_at": binding.bound_at.as_second(),
            ":bound_by": binding.bound_by,
        })?;
    Ok(())
}

/// Removes a binding.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete(db: &WriteTx, subject: &BindingSubject) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("delete from plugin_binding where provider = ?1 and accounts = ?2 and mode = ?3")?
        .execute((&subject.provider, &subject.accounts, subject.mode.code()))?;
    Ok(())
}

/// Keeps a change; its row is given out here.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn insert_change(db: &WriteTx, change: &BindingChange) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into plugin_binding_change
                 (at, provider, accounts, mode, before, after, changed_by, reason, is_roll_back)
             values (:at, :provider, :accounts, :mode, :before, :after, :changed_by, :reason, :is_roll_back)",
        )?
        .execute(named_params! {
            ":at": change.at.as_second(),
            ":provider": change.subject.provider,
            ":accounts": change.subject.accounts,
            ":mode": change.subject.mode.code(),
            ":before": change.before,
            ":after": change.after,
            ":changed_by": change.changed_by,
            ":reason": change.reason,
            ":is_roll_back": change.is_roll_back,
        })?;
    Ok(())
}

/// The changes above the row `after`, oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn changes(
    db: &ReadTx,
    after: PluginBindingChangeKey,
    limit: u32,
) -> Result<Vec<BindingChange>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from plugin_binding_change where row > ?1 order by row limit ?2")?;
    let changes = statement.query_and_then((after, limit), stored_change)?;
    changes.collect()
}

/// The row of the last change; the key before all while there is none.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn last_change(db: &ReadTx) -> Result<PluginBindingChangeKey, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select coalesce(max(row), 0) from plugin_binding_change")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The changes of the binding for a subject, oldest first.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn changes_of(db: &ReadTx, subject: &BindingSubject) -> Result<Vec<BindingChange>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from plugin_binding_change where provider = ?1 and accounts = ?2 and mode = ?3 order by row",
    )?;
    let changes = statement
        .query_and_then((&subject.provider, &subject.accounts, subject.mode.code()), stored_change)?;
    changes.collect()
}

fn subject(row: &Row<'_>) -> Result<BindingSubject, StoreError> {
    Ok(BindingSubject {
        provider: row.get("provider")?,
        accounts: row.get("accounts")?,
        mode: codec::coded(BindingMode::from_code, row.get("mode")?, "the mode of a binding")?,
    })
}

fn stored(row: &Row<'_>) -> Result<StoredBinding, StoreError> {
    Ok(StoredBinding {
        subject: subject(row)?,
        digest: row.get("digest")?,
        origin: codec::coded(BindingOrigin::from_code, row.get("origin")?, "the origin of a binding")?,
        bound_at: Timestamp::from_second(row.get("bound_at")?),
        bound_by: row.get("bound_by")?,
    })
}

fn stored_change(row: &Row<'_>) -> Result<BindingChange, StoreError> {
    Ok(BindingChange {
        row: row.get("row")?,
        at: Timestamp::from_second(row.get("at")?),
        subject: subject(row)?,
        before: row.get("before")?,
        after: row.get("after")?,
        changed_by: row.get("changed_by")?,
        reason: row.get("reason")?,
        is_roll_back: row.get("is_roll_back")?,
    })
}
