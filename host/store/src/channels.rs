//! The `channel` table: where people are told of events. Knows how far each channel is; not what sending means.

use perennial_domain::channel::ChannelKind;
use perennial_domain::severity::Severity;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::language::Language;
use perennial_formats::time_zone::TimeZone;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::ChannelKey;
use crate::keys::EventKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The hours of each day in which nothing is sent, in minutes after midnight. `from` may be after `until`: then midnight is
/// among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute in which nothing is sent.
    pub from: u16,
    /// The first minute in which messages are sent again.
    pub until: u16,
}

/// What people choose about a channel, and may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// What it is for, in words.
    pub description: String,
    /// The language of its messages.
    pub language: Language,
    /// The zone of its readers: of the instants in messages, of the digest and of the quiet hours.
    pub time_zone: TimeZone,
    /// The types of event that are sent; `None` is all of them.
    pub types: Option<Vec<String>>,
    /// The least severity that is sent.
    pub severity: Severity,
    /// The minute of the day, after midnight, at which a digest is sent; `None` sends at once.
    pub digest_at: Option<u16>,
    /// The hours in which nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// Whether what is critical waits for neither the digest nor the end of the quiet hours.
    pub critical_at_once: bool,
}

/// What a channel sends to.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelTarget {
    /// What is shown of it: the addresses of e-mail, or the host of the URL.
    pub address: String,
    /// The addresses of e-mail; empty for a robot.
    pub readers: Vec<String>,
    /// The URL and the secret of a robot, as they are kept.
    pub credentials: Option<Vec<u8>>,
}

/// A channel as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredChannel {
    /// The row of the channel.
    pub row: ChannelKey,
    /// What it is called by.
    pub id: String,
    /// What it sends to, and in which format.
    pub kind: ChannelKind,
    /// Where its messages go.
    pub target: ChannelTarget,
    /// The accounts whose events are sent, in order; `None` is all of them, and the host.
    pub accounts: Option<Vec<String>>,
    /// What people choose about it.
    pub settings: ChannelSettings,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// The id of the token that created it.
    pub created_by: String,
    /// Since when it is disabled.
    pub disabled_at: Option<Timestamp>,
    /// The first of the tries that failed in a row.
    pub failing_since: Option<Timestamp>,
    /// When other channels were told that it fails.
    pub alarmed_at: Option<Timestamp>,
    /// The event up to which every one is in a message, or passes no filter.
    pub cursor: EventKey,
    /// The event up to which every critical one is in a message.
    pub critical_cursor: EventKey,
    /// When what is not sent at once was last put into a message.
    pub composed_at: Timestamp,
}

/// How far a channel is: up to where its events are in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelProgress {
    /// The event up to which every one is in a message.
    pub cursor: EventKey,
    /// The event up to which every critical one is.
    pub critical_cursor: EventKey,
    /// When what is not sent at once was last put into a message.
    pub composed_at: Timestamp,
}

impl StoredChannel {
    /// How far the channel is.
    pub fn progress(&self) -> ChannelProgress {
        ChannelProgress {
            cursor: self.cursor,
            critical_cursor: self.critical_cursor,
            composed_at: self.composed_at,
        }
    }
}

/// Adds a channel; its row is given by the database.
pub fn insert(db: &WriteTx, channel: &StoredChannel) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into channel (id, kind, description, address, readers, language, time_zone, accounts, severity,
                                  critical_at_once, created_at, created_by, event_cursor, critical_cursor, composed_at)
             values (:id, :kind, '', '', '[]', '', '', :accounts, '', 0, :created_at, :created_by, :event_cursor,
                     :critical_cursor, :composed_at)",
        )?
        .execute(named_params! {
            ":id": channel.id,
            ":kind": channel.kind.name(),
            ":accounts": json(channel.accounts.as_ref())?,
            ":created_at": channel.created_at.as_second(),
            ":created_by": channel.created_by,
            ":event_cursor": channel.cursor,
            ":critical_cursor": channel.critical_cursor,
            ":composed_at": channel.composed_at.as_second(),
        })?;
    // What can be changed is written in one place.
    update(db, channel)
}

/// Writes what can be changed about a channel: everything but its id, its kind, its accounts, who made it and how far it
/// is.
pub fn update(db: &WriteTx, channel: &StoredChannel) -> Result<(), StoreError> {
    let ChannelSettings {
        description,
        language,
        time_zone,
        types,
        severity,
        digest_at,
        quiet_hours,
        critical_at_once,
    } = &channel.settings;
    db.connection()
        .prepare_cached(
            "update channel
             set description = :description, address = :address, readers = :readers, credentials = :credentials,
                 language = :language, time_zone = :time_zone, types = :types, severity = :severity,
                 digest_at = :digest_at, quiet_from = :quiet_from, quiet_until = :quiet_until,
                 critical_at_once = :critical_at_once, disabled_at = :disabled_at, failing_since = :failing_since,
                 alarmed_at = :alarmed_at
             where id = :id",
        )?
        .execute(named_params! {
            ":description": description,
            ":address": channel.target.address,
            ":readers": serde_json::to_string(&channel.target.readers)?,
            ":credentials": channel.target.credentials,
            ":language": language.tag(),
            ":time_zone": time_zone.to_string(),
            ":types": json(types.as_ref())?,
            ":severity": severity.name(),
            ":digest_at": digest_at,
            ":quiet_from": quiet_hours.map(|hours| hours.from),
            ":quiet_until": quiet_hours.map(|hours| hours.until),
            ":critical_at_once": critical_at_once,
            ":disabled_at": channel.disabled_at.map(Timestamp::as_second),
            ":failing_since": channel.failing_since.map(Timestamp::as_second),
            ":alarmed_at": channel.alarmed_at.map(Timestamp::as_second),
            ":id": channel.id,
        })?;
    Ok(())
}

/// Notes how far a channel is, unless somebody else has moved it away from `from`; whether it did.
pub fn advance(
    db: &WriteTx,
    row: ChannelKey,
    from: ChannelProgress,
    to: ChannelProgress,
) -> Result<bool, StoreError> {
    let changed = db
        .connection()
        .prepare_cached(
            "update channel set event_cursor = ?2, critical_cursor = ?3, composed_at = ?4
             where row = ?1 and event_cursor = ?5 and critical_cursor = ?6",
        )?
        .execute((
            row,
            to.cursor,
            to.critical_cursor,
            to.composed_at.as_second(),
            from.cursor,
            from.critical_cursor,
        ))?;
    Ok(changed > 0)
}

/// Removes a channel and its deliveries.
pub fn delete(db: &WriteTx, row: ChannelKey) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from channel_delivery where channel = ?1")?.execute([row])?;
    db.connection().prepare_cached("delete from channel where row = ?1")?.execute([row])?;
    Ok(())
}

/// The channel called `id`.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredChannel>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from channel where id = ?1")?;
    statement.query_row([id], |row| Ok(stored(row))).optional()?.transpose()
}

/// Every channel, in the order in which they were made.
pub fn list(db: &ReadTx) -> Result<Vec<StoredChannel>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from channel order by row")?;
    let channels = statement.query_and_then([], stored)?;
    channels.collect()
}

/// How many enabled channels deliver nothing at present.
pub fn failing(db: &ReadTx) -> Result<i64, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select count(*) from channel where disabled_at is null and failing_since is not null",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn json(list: Option<&Vec<String>>) -> Result<Option<String>, StoreError> {
    Ok(list.map(serde_json::to_string).transpose()?)
}

/// The value that a word stands for.
fn word<T: Copy>(
    text: String,
    what: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let known = all.iter().copied().find(|one| name(*one) == text);
    known.ok_or(StoreError::Damaged { what, found: text })
}

fn settings(row: &Row<'_>) -> Result<ChannelSettings, StoreError> {
    let time_zone: String = row.get("time_zone")?;
    let damaged = || StoreError::Damaged { what: "the time zone of a channel", found: time_zone.clone() };
    let quiet_from: Option<u16> = row.get("quiet_from")?;
    let types: Option<String> = row.get("types")?;
    Ok(ChannelSettings {
        description: row.get("description")?,
        language: word(row.get("language")?, "a language", &Language::ALL, Language::tag)?,
        time_zone: time_zone.parse().map_err(|_| damaged())?,
        types: types.as_deref().map(serde_json::from_str).transpose()?,
        severity: word(row.get("severity")?, "a severity", &Severity::ALL, Severity::name)?,
        digest_at: row.get("digest_at")?,
        quiet_hours: quiet_from.zip(row.get("quiet_until")?).map(|(from, until)| QuietHours { from, until }),
        critical_at_once: row.get("critical_at_once")?,
    })
}

fn stored(row: &Row<'_>) -> Result<StoredChannel, StoreError> {
    let readers: String = row.get("readers")?;
    let accounts: Option<String> = row.get("accounts")?;
    Ok(StoredChannel {
        row: row.get("row")?,
        id: row.get("id")?,
        kind: word(row.get("kind")?, "the kind of a channel", &ChannelKind::ALL, ChannelKind::name)?,
        target: ChannelTarget {
            address: row.get("address")?,
            readers: serde_json::from_str(&readers)?,
            credentials: row.get("credentials")?,
        },
        accounts: accounts.as_deref().map(serde_json::from_str).transpose()?,
        settings: settings(row)?,
        created_at: Timestamp::from_second(row.get("created_at")?),
        created_by: row.get("created_by")?,
        disabled_at: codec::instant(row, "disabled_at")?,
        failing_since: codec::instant(row, "failing_since")?,
        alarmed_at: codec::instant(row, "alarmed_at")?,
        cursor: row.get("event_cursor")?,
        critical_cursor: row.get("critical_cursor")?,
        composed_at: Timestamp::from_second(row.get("composed_at")?),
    })
}
