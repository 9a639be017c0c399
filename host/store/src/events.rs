//! The `event` table: append-only.

use perennial_domain::timestamp::Timestamp;
use perennial_formats::event_view::EventView;
use rusqlite::CachedStatement;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::cursor;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::EventKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An event as stored: what its type adds is JSON, as [`perennial_formats::event`] writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its row; later events have larger ones.
    pub row: EventKey,
    /// The instant at which it happened.
    pub at: Timestamp,
    /// The account's id; `None` when it is about the host.
    pub account: Option<String>,
    /// The resource's id; `None` when it is about the account.
    pub resource: Option<String>,
    /// The name of its type.
    pub kind: String,
    /// What the type adds, a JSON object.
    pub body: String,
}

impl StoredEvent {
    /// The event as clients see it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Json`] when its body is damaged.
    pub fn view(self) -> Result<EventView, StoreError> {
        Ok(EventView {
            id: Some(cursor::cursor(self.row)),
            at: self.at.to_string(),
            account: self.account,
            resource: self.resource,
            r#type: self.kind,
            more: serde_json::from_str(&self.body)?,
        })
    }
}

/// Adds events, as long as a transaction lasts.
pub struct EventInserter<'c>(CachedStatement<'c>);

impl<'c> EventInserter<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<EventInserter<'c>, StoreError> {
        Ok(EventInserter(db.connection().prepare_cached(
            "insert into event (at, account, resource, type, body) values (?1, ?2, ?3, ?4, ?5)",
        )?))
    }

    /// Adds an event.
    pub fn insert(
        &mut self,
        at: Timestamp,
        account: Option<AccountKey>,
        resource: Option<&str>,
        kind: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        self.0.execute((at.as_second(), account, resource, kind, body))?;
        Ok(())
    }
}

/// Which events are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only of this type.
    pub kind: Option<String>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// The events that pass `filter`, ordered by time, then by account and resource, the last `limit` of them.
pub fn list(db: &ReadTx, filter: &Filter, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from (
             select e.row, e.at, a.id as account, e.resource, e.type, e.body
             from event e left join account a on a.row = e.account
             where (:account is null or a.id = :account) and (:resource is null or e.resource = :resource)
               and (:kind is null or e.type = :kind) and (:since is null or e.at >= :since)
               and (:until is null or e.at < :until)
             order by e.at desc, e.row desc limit :limit
         ) order by at, account, resource, row",
    )?;
    let events = statement.query_map(
        named_params! {
            ":account": filter.account,
            ":resource": filter.resource,
            ":kind": filter.kind,
            ":since": filter.since.map(Timestamp::as_second),
            ":until": filter.until.map(Timestamp::as_second),
            ":limit": limit,
        },
        stored,
    )?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// The last events of a resource, the newest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn last_of_resource(db: &ReadTx, resource: &str, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select e.row, e.at, a.id, e.resource, e.type, e.body
         from event e left join account a on a.row = e.account
         where e.resource = ?1 order by e.row desc limit ?2",
    )?;
    let events = statement.query_map((resource, limit), stored)?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// The last outage that accounts were told of: when the host resumed, and since when it had been down.
pub fn last_outage(db: &ReadTx) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    // Such an event names no resource, so the index finds it.
    let last = "select at, body ->> 'down_since' from event where resource is null and account is not null and type = 'host_resumed'
                order by row desc limit 1";
    let mut statement = db.connection().prepare_cached(last)?;
    let last_outage: Option<(i64, String)> =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((at, down_since)) = last_outage else { return Ok(None) };
    let damaged = || StoreError::Damaged { what: "an instant", found: down_since.clone() };
    let down_since = down_since.parse().map_err(|_| damaged())?;
    Ok(Some((Timestamp::from_second(at), down_since)))
}

/// An event from a row of `row`, `at`, the account's id, `resource`, `type` and `body`.
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        row: row.get(0)?,
        at: Timestamp::from_second(row.get(1)?),
        account: row.get(2)?,
        resource: row.get(3)?,
        kind: row.get(4)?,
        body: row.get(5)?,
    })
}
