//! The `channel_delivery` table: each message to a reader of a channel, and what became of it.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::ChannelDeliveryKey;
use crate::keys::ChannelKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is sent when it is due.
    Pending,
    /// It was written down as sent; nobody knows yet what became of it.
    Sending,
    /// The receiver took it.
    Delivered,
    /// It is not tried again.
    Failed,
    /// It may have arrived: nobody saw the response, so it is not sent again.
    InDoubt,
}

impl DeliveryState {
    /// Every state, for parsing and for lists of choices.
    pub const ALL: [DeliveryState; 5] = [
        DeliveryState::Pending,
        DeliveryState::Sending,
        DeliveryState::Delivered,
        DeliveryState::Failed,
        DeliveryState::InDoubt,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Sending => "sending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
            DeliveryState::InDoubt => "in_doubt",
        }
    }
}

/// A message to a reader as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChannelDelivery {
    /// The row of the message.
    pub row: ChannelDeliveryKey,
    /// The row of its channel.
    pub channel: ChannelKey,
    /// What it is called by.
    pub message: String,
    /// The address of e-mail that it goes to; empty for the group of a robot.
    pub reader: String,
    /// How many events it reports.
    pub events: u32,
    /// Its title, which is the subject of an e-mail.
    pub title: String,
    /// The text below the title.
    pub body: String,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// What the last try was answered with, in HTTP or in SMTP.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it is tried next.
    pub next_try_at: Option<Timestamp>,
}

/// A message that is not written down yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewChannelDelivery<'a> {
    /// The row of its channel.
    pub channel: ChannelKey,
    /// The address of e-mail that it goes to; empty for the group of a robot.
    pub reader: &'a str,
    /// How many events it reports.
    pub events: usize,
    /// Its title, which is the subject of an e-mail.
    pub title: &'a str,
    /// The text below the title.
    pub body: &'a str,
    /// The instant at which it is created.
    pub created_at: Timestamp,
    /// When it is tried first.
    pub next_try_at: Timestamp,
}

/// Adds a pending message, which the database calls by an id of its own.
pub fn insert(db: &WriteTx, new: &NewChannelDelivery<'_>) -> Result<StoredChannelDelivery, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "insert into channel_delivery (channel, message_id, reader, event_count, title, body, state, attempts,
                                       created_at, next_try_at)
         values (:channel, 'msg_' || lower(hex(randomblob(8))), :reader, :event_count, :title, :body, 'pending', 0,
                 :created_at, :next_try_at)
         returning *",
    )?;
    statement.query_row(
        named_params! {
            ":channel": new.channel,
            ":reader": new.reader,
            ":event_count": u32::try_from(new.events).unwrap_or(u32::MAX),
            ":title": new.title,
            ":body": new.body,
            ":created_at": new.created_at.as_second(),
            ":next_try_at": new.next_try_at.as_second(),
        },
        |row| Ok(stored(row)),
    )?
}

/// Writes what became of a message.
pub fn update(db: &WriteTx, delivery: &StoredChannelDelivery) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update channel_delivery
             set state = :state, attempts = :attempts, tried_at = :tried_at, response_status = :response_status,
                 error = :error, next_try_at = :next_try_at
             where message_id = :message_id",
        )?
        .execute(named_params! {
            ":state": delivery.state.name(),
            ":attempts": delivery.attempts,
            ":tried_at": delivery.tried_at.map(Timestamp::as_second),
            ":response_status": delivery.status,
            ":error": delivery.error,
            ":next_try_at": delivery.next_try_at.map(Timestamp::as_second),
            ":message_id": delivery.message,
        })?;
    Ok(())
}

/// The message of a channel that is called `message`.
pub fn get(
    db: &ReadTx,
    channel: ChannelKey,
    message: &str,
) -> Result<Option<StoredChannelDelivery>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from channel_delivery where channel = ?1 and message_id = ?2")?;
    statement.query_row((channel, message), |row| Ok(stored(row))).optional()?.transpose()
}

/// A channel's messages below the row `before`, newest first, at most `limit`; only those in `state`, if that is given.
pub fn list(
    db: &ReadTx,
    channel: ChannelKey,
    state: Option<DeliveryState>,
    before: ChannelDeliveryKey,
    limit: u32,
) -> Result<Vec<StoredChannelDelivery>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from channel_delivery
         where channel = :channel and row < :before and (:state is null or state = :state)
         order by row desc limit :limit",
    )?;
    let deliveries = statement.query_and_then(
        named_params! {
            ":channel": channel,
            ":state": state.map(DeliveryState::name),
            ":before": before,
            ":limit": limit,
        },
        stored,
    )?;
    deliveries.collect()
}

/// A channel's messages that are due at `at`, the oldest first, at most `limit`.
pub fn due(
    db: &ReadTx,
    channel: ChannelKey,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<StoredChannelDelivery>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from channel_delivery where channel = ?1 and state = 'pending' and next_try_at <= ?2
         order by next_try_at, row limit ?3",
    )?;
    let deliveries = statement.query_and_then((channel, at.as_second(), limit), stored)?;
    deliveries.collect()
}

/// How many messages of a channel are pending, and when the first of them is due.
pub fn pending(db: &ReadTx, channel: ChannelKey) -> Result<(u32, Option<Timestamp>), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select count(*), min(next_try_at) from channel_delivery where channel = ?1 and state = 'pending'",
    )?;
    Ok(statement.query_row([channel], |row| Ok((row.get(0)?, codec::instant(row, 1)?)))?)
}

/// When the newest message of a channel was made.
pub fn last_created(db: &ReadTx, channel: ChannelKey) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select created_at from channel_delivery where channel = ?1 order by row desc limit 1",
    )?;
    let last = statement.query_row([channel], |row| codec::instant(row, 0)).optional()?;
    Ok(last.flatten())
}

/// Every message that was written down as sent and of which nothing more is known.
pub fn sending(db: &ReadTx) -> Result<Vec<StoredChannelDelivery>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from channel_delivery where state = 'sending' order by row")?;
    let deliveries = statement.query_and_then([], stored)?;
    deliveries.collect()
}

/// Forgets what was settled before `at`.
pub fn delete_settled_before(db: &WriteTx, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from channel_delivery where state not in ('pending', 'sending') and tried_at < ?1",
        )?
        .execute([at.as_second()])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredChannelDelivery, StoreError> {
    let state: String = row.get("state")?;
    let known = DeliveryState::ALL.into_iter().find(|known| known.name() == state);
    Ok(StoredChannelDelivery {
        row: row.get("row")?,
        channel: row.get("channel")?,
        message: row.get("message_id")?,
        reader: row.get("reader")?,
        events: row.get("event_count")?,
        title: row.get("title")?,
        body: row.get("body")?,
        state: known.ok_or(StoreError::Damaged { what: "the state of a message", found: state })?,
        attempts: row.get("attempts")?,
        created_at: Timestamp::from_second(row.get("created_at")?),
        tried_at: codec::instant(row, "tried_at")?,
        status: row.get("response_status")?,
        error: row.get("error")?,
        next_try_at: codec::instant(row, "next_try_at")?,
    })
}
