//! The `calendar` and `calendar_entry` tables: feeds, and what was last shown of their entries. Knows a secret's hash;
//! never the secret.

use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::CalendarKey;
use crate::keys::EventKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A feed as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCalendar {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// Random, and never another one: it makes the UIDs of its entries unique in the world.
    pub uid: String,
    /// The name that its maker gave it.
    pub name: String,
    /// The accounts that it shows, in order; `None` is all of them.
    pub accounts: Option<Vec<String>>,
    /// What it shows of each resource, in words.
    pub occurrences: Vec<String>,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// The id of the token that created it.
    pub created_by: String,
}

/// A feed as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCalendar {
    /// The row of the calendar.
    pub row: CalendarKey,
    /// As it began, but for its secret if that was changed.
    pub began: NewCalendar,
    /// Equal as long as nothing has changed that its entries are made of; `None` before it was first read.
    pub fingerprint: Option<String>,
    /// When its secret was last changed.
    pub rotated_at: Option<Timestamp>,
    /// Since when it is not shown any more.
    pub revoked_at: Option<Timestamp>,
}

/// What an entry is about: a resource's row, and in a word what happens to it.
pub type Key = (ResourceKey, String);

/// An entry as it was last shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The resource and the kind of entry.
    pub key: Key,
    /// How often it has changed.
    pub sequence: u32,
    /// The instant of the entry.
    pub starts_at: Timestamp,
    /// In a few words.
    pub summary: String,
    /// What happens, in more words.
    pub description: String,
    /// Whether it will not come true.
    pub is_cancelled: bool,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// Adds a feed and returns its row.
pub fn insert(db: &WriteTx, calendar: &NewCalendar) -> Result<CalendarKey, StoreError> {
    let accounts = calendar.accounts.as_ref().map(serde_json::to_string).transpose()?;
    db.connection()
        .prepare_cached(
            "insert into calendar (secret_hash, uid, name, accounts, occurrences, created_at, created_by)
         values (:secret_hash, :uid, :name, :accounts, :occurrences, :created_at, :created_by)",
        )?
        .execute(named_params! {
            ":secret_hash": calendar.hash,
            ":uid": calendar.uid,
            ":name": calendar.name,
            ":accounts": accounts,
            ":occurrences": serde_json::to_string(&calendar.occurrences)?,
            ":created_at": calendar.created_at.as_second(),
            ":created_by": calendar.created_by,
        })?;
    Ok(db.last_key())
}

/// Every feed, in the order in which they were made.
pub fn list(db: &ReadTx) -> Result<Vec<StoredCalendar>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from calendar order by row")?;
    let calendars = statement.query_and_then([], stored)?;
    calendars.collect()
}

/// The feed at `row`.
pub fn get(db: &ReadTx, row: CalendarKey) -> Result<Option<StoredCalendar>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from calendar where row = ?1")?;
    let mut calendars = statement.query_and_then([row], stored)?;
    calendars.next().transpose()
}

/// The feed whose secret hashes to `hash`, if it is still shown.
pub fn find_by_hash(db: &ReadTx, hash: &[u8; 32]) -> Result<Option<StoredCalendar>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from calendar where secret_hash = ?1 and revoked_at is null")?;
    let mut calendars = statement.query_and_then([hash], stored)?;
    calendars.next().transpose()
}

/// Gives a feed another secret.
pub fn rotate(db: &WriteTx, row: CalendarKey, hash: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update calendar set secret_hash = ?2, rotated_at = ?3 where row = ?1")?
        .execute((row, hash, at.as_second()))?;
    Ok(())
}

/// Shows a feed no more, and forgets its entries.
pub fn revoke(db: &WriteTx, row: CalendarKey, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update calendar set revoked_at = ?2 where row = ?1 and revoked_at is null")?
        .execute((row, at.as_second()))?;
    db.connection().prepare_cached("delete from calendar_entry where calendar = ?1")?.execute([row])?;
    Ok(())
}

/// Says of what the entries of a feed were made.
pub fn set_fingerprint(db: &WriteTx, row: CalendarKey, fingerprint: &str) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update calendar set fingerprint = ?2 where row = ?1")?
        .execute((row, fingerprint))?;
    Ok(())
}

/// Every entry of a feed, in the order of time.
pub fn entries(db: &ReadTx, calendar: CalendarKey) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from calendar_entry where calendar = ?1 order by starts_at, resource, occurrence",
    )?;
    let entries = statement.query_map([calendar], |row| {
        Ok(StoredEntry {
            key: (row.get("resource")?, row.get("occurrence")?),
            sequence: row.get("sequence")?,
            starts_at: Timestamp::from_second(row.get("starts_at")?),
            summary: row.get("summary")?,
            description: row.get("description")?,
            is_cancelled: row.get("is_cancelled")?,
            modified_at: Timestamp::from_second(row.get("modified_at")?),
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}

/// Writes down how an entry is shown from now on, if the feed is still shown.
pub fn upsert(db: &WriteTx, calendar: CalendarKey, entry: &StoredEntry) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert or replace into calendar_entry
             (calendar, resource, occurrence, sequence, starts_at, summary, description, is_cancelled, modified_at)
         select row, :resource, :occurrence, :sequence, :starts_at, :summary, :description, :is_cancelled, :modified_at
         from calendar where row = :calendar and revoked_at is null",
    )?
    .execute(named_params! {
        ":calendar": calendar,
        ":resource": entry.key.0,
        ":occurrence": entry.key.1,
        ":sequence": entry.sequence,
        ":starts_at": entry.starts_at.as_second(),
        ":summary": entry.summary,
        ":description": entry.description,
        ":is_cancelled": entry.is_cancelled,
        ":modified_at": entry.modified_at.as_second(),
    })?;
    Ok(())
}

/// Whether anything happened to the resource at `row` at this instant.
pub fn has_event_at(db: &ReadTx, row: ResourceKey, at: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select 1 from event where resource = (select id from resource where row = ?1) and at = ?2",
    )?;
    Ok(statement.exists((row, at.as_second()))?)
}

/// The rows of the newest event and of the newest resource: nothing happens to a resource without moving one of them.
pub fn latest_rows(db: &ReadTx) -> Result<(EventKey, ResourceKey), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select (select coalesce(max(row), 0) from event), (select coalesce(max(row), 0) from resource)",
    )?;
    Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn stored(row: &Row<'_>) -> Result<StoredCalendar, StoreError> {
    let accounts: Option<String> = row.get("accounts")?;
    let occurrences: String = row.get("occurrences")?;
    Ok(StoredCalendar {
        row: row.get("row")?,
        began: NewCalendar {
            hash: row.get("secret_hash")?,
            uid: row.get("uid")?,
            name: row.get("name")?,
            accounts: accounts.as_deref().map(serde_json::from_str).transpose()?,
            occurrences: serde_json::from_str(&occurrences)?,
            created_at: Timestamp::from_second(row.get("created_at")?),
            created_by: row.get("created_by")?,
        },
        fingerprint: row.get("fingerprint")?,
        rotated_at: codec::instant(row, "rotated_at")?,
        revoked_at: codec::instant(row, "revoked_at")?,
    })
}
