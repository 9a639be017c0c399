//! The `delivery` table: what became of each event that a webhook was to be sent.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::events;
use crate::events::StoredEvent;
use crate::keys::DeliveryKey;
use crate::keys::EventKey;
use crate::keys::WebhookKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A delivery as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// The row of the delivery.
    pub row: DeliveryKey,
    /// The row of its webhook.
    pub webhook: WebhookKey,
    /// What the receiver tells it by: the event's id, or that of a test.
    pub message: String,
    /// The row of its event; `None` for a test.
    pub event: Option<EventKey>,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// What the last try was answered with.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it is tried next.
    pub next_try_at: Option<Timestamp>,
}

/// Writes a delivery: a new one, or over the one of the same webhook and message. Its row stays, or is given.
pub fn upsert(db: &WriteTx, delivery: &StoredDelivery) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert into delivery (webhook, message_id, event, state, attempts, created_at, tried_at, response_status, error, next_try_at)
         values (:webhook, :message_id, :event, :state, :attempts, :created_at, :tried_at, :response_status, :error, :next_try_at)
         on conflict (webhook, message_id) do update
         set state = :state, attempts = :attempts, tried_at = :tried_at, response_status = :response_status, error = :error,
             next_try_at = :next_try_at",
    )?
    .execute(named_params! {
        ":webhook": delivery.webhook,
        ":message_id": delivery.message,
        ":event": delivery.event,
        ":state": delivery.state,
        ":attempts": delivery.attempts,
        ":created_at": delivery.created_at.as_second(),
        ":tried_at": delivery.tried_at.map(Timestamp::as_second),
        ":response_status": delivery.status,
        ":error": delivery.error,
        ":next_try_at": delivery.next_try_at.map(Timestamp::as_second),
    })?;
    Ok(())
}

/// The delivery of `message` by a webhook.
pub fn get(db: &ReadTx, webhook: WebhookKey, message: &str) -> Result<Option<StoredDelivery>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select * from delivery where webhook = ?1 and message_id = ?2")?;
    Ok(statement.query_row((webhook, message), stored).optional()?)
}

/// A webhook's deliveries below the row `before`, newest first, at most `limit`; only those in `state`, if that is given.
pub fn list(
    db: &ReadTx,
    webhook: WebhookKey,
    state: Option<&str>,
    before: DeliveryKey,
    limit: u32,
) -> Result<Vec<StoredDelivery>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from delivery
         where webhook = :webhook and row < :before and (:state is null or state = :state)
         order by row desc limit :limit",
    )?;
    let deliveries = statement.query_map(
        named_params! { ":webhook": webhook, ":state": state, ":before": before, ":limit": limit },
        stored,
    )?;
    Ok(deliveries.collect::<Result<_, _>>()?)
}

/// A webhook's deliveries that are due at `at`, each with its event unless it is a test, at most `limit`.
pub fn due(
    db: &ReadTx,
    webhook: WebhookKey,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<(StoredDelivery, Option<StoredEvent>)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from delivery where webhook = ?1 and state = 'pending' and next_try_at <= ?2
         order by next_try_at, row limit ?3",
    )?;
    let deliveries = statement.query_map((webhook, at.as_second(), limit), stored)?;
    deliveries
        .map(|delivery| {
            let delivery = delivery?;
            let event = delivery.event.map(|row| event(db, row)).transpose()?;
            Ok((delivery, event))
        })
        .collect()
}

fn event(db: &ReadTx, row: EventKey) -> Result<StoredEvent, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select e.row, e.at, a.id, e.resource, e.type, e.body
         from event e left join account a on a.row = e.account where e.row = ?1",
    )?;
    let found = statement.query_row([row], events::stored).optional()?;
    found.ok_or_else(|| StoreError::Damaged {
        what: "the event of a delivery",
        found: format!("no event {row}"),
    })
}

/// How many deliveries of a webhook are pending, and when the first of them is due.
pub fn pending(db: &ReadTx, webhook: WebhookKey) -> Result<(u32, Option<Timestamp>), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select count(*), min(next_try_at) from delivery where webhook = ?1 and state = 'pending'",
    )?;
    Ok(statement.query_row([webhook], |row| Ok((row.get(0)?, codec::instant(row, 1)?)))?)
}

/// Forgets what was settled before `at`.
pub fn delete_settled_before(db: &WriteTx, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("delete from delivery where state <> 'pending' and tried_at < ?1")?
        .execute([at.as_second()])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    Ok(StoredDelivery {
        row: row.get("row")?,
        webhook: row.get("webhook")?,
        message: row.get("message_id")?,
        event: row.get("event")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        created_at: Timestamp::from_second(row.get("created_at")?),
        tried_at: codec::instant(row, "tried_at")?,
        status: row.get("response_status")?,
        error: row.get("error")?,
        next_try_at: codec::instant(row, "next_try_at")?,
    })
}
