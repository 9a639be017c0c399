//! The `acknowledgement` table: warnings about resources that somebody has seen to, or has put aside until an instant.
//!
//! An acknowledgement is of the warning as it was: it counts no more once the resource is at another stage or expires at
//! another instant.

use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An acknowledgement that is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAcknowledgement<'a> {
    /// The row of the resource that the warning is about.
    pub resource: ResourceKey,
    /// The stage of the resource.
    pub stage: Stage,
    /// The expiry of the resource.
    pub expires_at: Option<Timestamp>,
    /// The instant from which it counts no more; `None` leaves that to the resource.
    pub until: Option<Timestamp>,
    /// The id of the token that acknowledges.
    pub by: &'a str,
    /// The instant of the acknowledgement.
    pub at: Timestamp,
    /// Why, if somebody says.
    pub reason: Option<&'a str>,
}

/// An acknowledgement that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAcknowledgement {
    /// The id of the resource that the warning is about.
    pub resource: String,
    /// The id of its account.
    pub account: String,
    /// The instant from which it counts no more; `None` leaves that to the resource.
    pub until: Option<Timestamp>,
    /// The id of the token that acknowledged.
    pub by: String,
    /// The instant of the acknowledgement.
    pub at: Timestamp,
    /// Why, if somebody said.
    pub reason: Option<String>,
}

/// Writes an acknowledgement down, in the place of an earlier one of the same resource.
pub fn put(db: &WriteTx, new: &NewAcknowledgement<'_>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert or replace into acknowledgement (resource, stage, expires_at, until, acknowledged_by, acknowledged_at, reason)
             values (:resource, :stage, :expires_at, :until, :by, :at, :reason)",
        )?
        .execute(named_params! {
            ":resource": new.resource,
            ":stage": new.stage.code(),
            ":expires_at": new.expires_at.map(Timestamp::as_second),
            ":until": new.until.map(Timestamp::as_second),
            ":by": new.by,
            ":at": new.at.as_second(),
            ":reason": new.reason,
        })?;
    Ok(())
}

/// Takes an acknowledgement back.
pub fn delete(db: &WriteTx, resource: ResourceKey) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from acknowledgement where resource = ?1")?.execute([resource])?;
    Ok(())
}

/// The acknowledgements that count at `now`, by the id of the resource; only of the resource called `resource`, if that is
/// given, and of these accounts, a JSON list of ids.
pub fn list(
    db: &ReadTx,
    accounts: Option<&str>,
    resource: Option<&str>,
    now: Timestamp,
) -> Result<Vec<StoredAcknowledgement>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select r.id, a.id, w.until, w.acknowledged_by, w.acknowledged_at, w.reason
         from acknowledgement w join resource r on r.row = w.resource join schedule h on h.resource = w.resource
              join account a on a.row = r.account
         where w.stage = h.stage and w.expires_at is h.expires_at and (w.until is null or w.until > :now)
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:resource is null or r.id = :resource)
         order by r.id",
    )?;
    let found = statement.query_map(
        named_params! { ":now": now.as_second(), ":accounts": accounts, ":resource": resource },
        stored,
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredAcknowledgement> {
    Ok(StoredAcknowledgement {
        resource: row.get(0)?,
        account: row.get(1)?,
        until: codec::instant(row, 2)?,
        by: row.get(3)?,
        at: Timestamp::from_second(row.get(4)?),
        reason: row.get(5)?,
    })
}
