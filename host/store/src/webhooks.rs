//! The `webhook` table: where events are sent to. Knows how far each webhook is; not what sending means.

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::EventKey;
use crate::keys::WebhookKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Why a webhook was disabled, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disablement {
    /// The instant from which it is disabled.
    pub at: Timestamp,
    /// `requested`, `gone` or `failing`.
    pub reason: String,
}

/// What a webhook signed with before its secret was changed.
#[derive(Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret, sealed where there is a secrets key.
    pub secret: Vec<u8>,
    /// Until when it goes on signing.
    pub until: Timestamp,
}

/// A webhook as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredWebhook {
    /// The row of the webhook.
    pub row: WebhookKey,
    /// What it is called by.
    pub id: String,
    /// Where events are sent to.
    pub url: String,
    /// What it is for, in words.
    pub description: String,
    /// The accounts whose events are sent, in order; `None` is all of them, and the host.
    pub accounts: Option<Vec<String>>,
    /// The types of event that are sent; `None` is all of them.
    pub types: Option<Vec<String>>,
    /// What it signs with, as it is kept.
    pub secret: Vec<u8>,
    /// What it signed with before, if that was changed.
    pub previous: Option<PreviousSecret>,
    /// The instant at which it was created.
    pub created_at: Timestamp,
    /// The id of the token that created it.
    pub created_by: String,
    /// Since when and why it is disabled.
    pub disabled: Option<Disablement>,
    /// The first of the tries that failed in a row.
    pub failing_since: Option<Timestamp>,
    /// The event up to which every one was tried once.
    pub cursor: EventKey,
}

/// Adds a webhook; its row is given by the database.
pub fn insert(db: &WriteTx, webhook: &StoredWebhook) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "insert into webhook (id, url, description, accounts, types, secret, created_at, created_by, event_cursor)
         values (:id, :url, :description, :accounts, :types, :secret, :created_at, :created_by, :event_cursor)",
    )?
    .execute(named_params! {
        ":id": webhook.id,
        ":url": webhook.url,
        ":description": webhook.description,
        ":accounts": json(webhook.accounts.as_ref())?,
        ":types": json(webhook.types.as_ref())?,
        ":secret": webhook.secret,
        ":created_at": webhook.created_at.as_second(),
        ":created_by": webhook.created_by,
        ":event_cursor": webhook.cursor,
    })?;
    Ok(())
}

/// Writes what can be changed about a webhook: everything but its id, its accounts, who made it and how far it is.
pub fn update(db: &WriteTx, webhook: &StoredWebhook) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update webhook
         set url = :url, description = :description, types = :types, secret = :secret,
             previous_secret = :previous_secret, previous_until = :previous_until, disabled_at = :disabled_at,
             disabled_reason = :disabled_reason, failing_since = :failing_since
         where row = :row",
        )?
        .execute(named_params! {
            ":url": webhook.url,
            ":description": webhook.description,
            ":types": json(webhook.types.as_ref())?,
            ":secret": webhook.secret,
            ":previous_secret": webhook.previous.as_ref().map(|previous| &previous.secret),
            ":previous_until": webhook.previous.as_ref().map(|previous| previous.until.as_second()),
            ":disabled_at": webhook.disabled.as_ref().map(|disabled| disabled.at.as_second()),
            ":disabled_reason": webhook.disabled.as_ref().map(|disabled| &disabled.reason),
            ":failing_since": webhook.failing_since.map(Timestamp::as_second),
            ":row": webhook.row,
        })?;
    Ok(())
}

/// Moves a webhook's cursor, unless somebody else has moved it away from `from`.
pub fn move_cursor(db: &WriteTx, row: WebhookKey, from: EventKey, to: EventKey) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update webhook set event_cursor = ?3 where row = ?1 and event_cursor = ?2")?
        .execute((row, from, to))?;
    Ok(())
}

/// Removes a webhook and what became of its deliveries.
pub fn delete(db: &WriteTx, row: WebhookKey) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from delivery where webhook = ?1")?.execute([row])?;
    db.connection().prepare_cached("delete from webhook where row = ?1")?.execute([row])?;
    Ok(())
}

/// The webhook called `id`.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredWebhook>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from webhook where id = ?1")?;
    statement.query_row([id], |row| Ok(stored(row))).optional()?.transpose()
}

/// Every webhook, in the order in which they were made.
pub fn list(db: &ReadTx) -> Result<Vec<StoredWebhook>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from webhook order by row")?;
    let webhooks = statement.query_and_then([], stored)?;
    webhooks.collect()
}

/// How things stand with all webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookStats {
    /// Webhooks that are disabled.
    pub disabled: i64,
    /// Deliveries that are to be tried again.
    pub pending: i64,
    /// Events that the enabled webhook furthest behind has not come to.
    pub behind: i64,
}

/// How things stand with all webhooks.
pub fn stats(db: &ReadTx) -> Result<WebhookStats, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select (select count(*) from webhook where disabled_at is not null),
                (select count(*) from delivery where state = 'pending'),
                (select coalesce(max(row), 0) from event)
                - (select coalesce(min(event_cursor), (select coalesce(max(row), 0) from event))
                   from webhook where disabled_at is null)",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(WebhookStats { disabled: row.get(0)?, pending: row.get(1)?, behind: row.get(2)? })
    })?)
}

fn json(list: Option<&Vec<String>>) -> Result<Option<String>, StoreError> {
    Ok(list.map(serde_json::to_string).transpose()?)
}

fn stored(row: &Row<'_>) -> Result<StoredWebhook, StoreError> {
    let list = |name| -> Result<Option<Vec<String>>, StoreError> {
        let text: Option<String> = row.get(name)?;
        Ok(text.as_deref().map(serde_json::from_str).transpose()?)
    };
    let previous: Option<Vec<u8>> = row.get("previous_secret")?;
    let reason: Option<String> = row.get("disabled_reason")?;
    Ok(StoredWebhook {
        row: row.get("row")?,
        id: row.get("id")?,
        url: row.get("url")?,
        description: row.get("description")?,
        accounts: list("accounts")?,
        types: list("types")?,
        secret: row.get("secret")?,
        previous: previous
            .zip(codec::instant(row, "previous_until")?)
            .map(|(secret, until)| PreviousSecret { secret, until }),
        created_at: Timestamp::from_second(row.get("created_at")?),
        created_by: row.get("created_by")?,
        disabled: codec::instant(row, "disabled_at")?
            .zip(reason)
            .map(|(at, reason)| Disablement { at, reason }),
        failing_since: codec::instant(row, "failing_since")?,
        cursor: row.get("event_cursor")?,
    })
}
