//! The `package` and `deferred_purchase` tables: resource packages, and those to be paid later.

use perennial_domain::bundle::Package;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Offer;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::DeferredPurchaseKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Adds what a resource package adds to the resource at `resource`.
pub fn insert(
    db: &WriteTx,
    resource: ResourceKey,
    account: AccountKey,
    package: &Package,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into package (resource, account, resource_type, quota, used, unit, bought_at)
         values (:resource, :account, :resource_type, :quota, :used, :unit, :bought_at)",
        )?
        .execute(named_params! {
            ":resource": resource,
            ":account": account,
            ":resource_type": package.resource_type,
            ":quota": package.quota.as_micros(),
            ":used": package.used.as_micros(),
            ":unit": package.unit,
            ":bought_at": package.bought_at.as_second(),
        })?;
    Ok(())
}

/// Sets how much of a package is used.
pub(crate) fn set_used(db: &WriteTx, resource: ResourceKey, used: Micros) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update package set used = ?2 where resource = ?1")?
        .execute((resource, used.as_micros()))?;
    Ok(())
}

/// An account's packages for `resource_type` that are active and were bought by `at`, oldest purchase first, with the
/// rows of their resources.
pub(crate) fn list_offers(
    db: &ReadTx,
    account: AccountKey,
    resource_type: &str,
    at: Timestamp,
) -> Result<Vec<(ResourceKey, Offer)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select r.row, r.id, r.started_at, h.expires_at, p.resource_type, p.quota, p.used, p.unit, p.bought_at
         from package p join resource r on r.row = p.resource join schedule h on h.resource = p.resource
         where p.account = ?1 and p.resource_type = ?2 and p.bought_at <= ?3 and h.stage = ?4
           and h.expires_at is not null
         order by p.bought_at, r.row",
    )?;
    let active = Stage::Active.code();
    let offers = statement.query_map((account, resource_type, at.as_second(), active), |row| {
        let package = Package {
            resource_type: row.get(4)?,
            quota: Micros::new(row.get(5)?),
            used: Micros::new(row.get(6)?),
            unit: row.get(7)?,
            bought_at: Timestamp::from_second(row.get(8)?),
        };
        let offer = Offer {
            id: row.get(1)?,
            package,
            starts_at: Timestamp::from_second(row.get(2)?),
            expires_at: Timestamp::from_second(row.get(3)?),
        };
        Ok((row.get(0)?, offer))
    })?;
    Ok(offers.collect::<Result<_, _>>()?)
}

/// A package to be bought like the one at `resource`, when its time to be paid comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeferredPurchase {
    /// The row of the purchase.
    pub row: DeferredPurchaseKey,
    /// The package that it is bought like.
    pub resource: ResourceKey,
    /// The instant of the payment.
    pub pay_at: Timestamp,
    /// When it was to take effect.
    pub effective_at: Timestamp,
}

/// Writes down a package to be paid later.
pub fn defer(
    db: &WriteTx,
    resource: ResourceKey,
    pay_at: Timestamp,
    effective_at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("insert into deferred_purchase (resource, pay_at, effective_at) values (?1, ?2, ?3)")?
        .execute((resource, pay_at.as_second(), effective_at.as_second()))?;
    Ok(())
}

/// The next package to be paid, if its time comes by `until`.
pub(crate) fn next_deferred(db: &ReadTx, until: Timestamp) -> Result<Option<DeferredPurchase>, StoreError> {
    let next = db
        .connection()
        .prepare_cached(
            "select row, resource, pay_at, effective_at from deferred_purchase
             where pay_at <= ?1 order by pay_at, row limit 1",
        )?
        .query_row([until.as_second()], deferred_purchase)
        .optional()?;
    Ok(next)
}

/// Every package to be paid later, in the order in which they were ordered.
pub(crate) fn deferred(db: &ReadTx) -> Result<Vec<DeferredPurchase>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select row, resource, pay_at, effective_at from deferred_purchase order by row")?;
    let deferred = statement.query_map([], deferred_purchase)?;
    Ok(deferred.collect::<Result<_, _>>()?)
}

fn deferred_purchase(row: &Row<'_>) -> rusqlite::Result<DeferredPurchase> {
    Ok(DeferredPurchase {
        row: row.get(0)?,
        resource: row.get(1)?,
        pay_at: Timestamp::from_second(row.get(2)?),
        effective_at: Timestamp::from_second(row.get(3)?),
    })
}

/// Puts off a package that was to be paid later, to `pay_at`.
pub(crate) fn postpone_deferred(
    db: &WriteTx,
    row: DeferredPurchaseKey,
    pay_at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update deferred_purchase set pay_at = ?2 where row = ?1")?
        .execute((row, pay_at.as_second()))?;
    Ok(())
}

/// Strikes a package that was to be paid later.
pub(crate) fn delete_deferred(db: &WriteTx, row: DeferredPurchaseKey) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from deferred_purchase where row = ?1")?.execute([row])?;
    Ok(())
}
