//! Resources and orders as a provider's own API shows them: one account's, for reading only.

use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::provider_api::LastRenewal;
use perennial_domain::provider_api::OrderFilter;
use perennial_domain::provider_api::PaidOrder;
use perennial_domain::provider_api::ResourceFilter;
use perennial_domain::provider_api::ResourceView;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::bundles;
use crate::bundles::StoredBundle;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::OrderKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;

/// The account's resources that `selection` chooses, in the order in which they were added, and how many there are,
/// also beyond its limit.
pub fn resources(
    db: &ReadTx,
    account: AccountKey,
    selection: &ResourceFilter,
) -> Result<(u32, Vec<ResourceView>), StoreError> {
    let mut rows = chosen(db, account, selection, selection.offset, selection.limit)?;
    let total = match rows.first() {
        Some((_, total)) => *total,
        None => chosen(db, account, selection, 0, 1)?.first().map_or(0, |(_, total)| *total),
    };
    let mut known = None;
    let subjects = rows.drain(..).map(|(row, _)| subject(db, row, &mut known));
    Ok((total, subjects.collect::<Result<_, _>>()?))
}

/// The rows that `selection` chooses, each with how many there are. What is attached to a resource is in its bundle.
fn chosen(
    db: &ReadTx,
    account: AccountKey,
    selection: &ResourceFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<(ResourceKey, u32)>, StoreError> {
    let list = |list: &[String]| (!list.is_empty()).then(|| serde_json::to_string(list)).transpose();
    let stages = selection.stages.iter().map(|stage| stage.code()).collect::<Vec<_>>();
    let stages = (!stages.is_empty()).then(|| serde_json::to_string(&stages)).transpose()?;
    let mut statement = db.connection().prepare_cached(
        "with recursive chosen (row) as (
             select row from resource where :ids is null and account = :account
             union
             select row from resource where id in (select value from json_each(:ids)) and account = :account
             union
             select h.resource
             from chosen join schedule c on c.resource = chosen.row join schedule h on h.bundle = c.bundle
             join resource r on r.row = h.resource
             where :with_attached and r.attached_to = chosen.row
         )
         select r.row, count(*) over ()
         from chosen join resource r on r.row = chosen.row join schedule h on h.resource = r.row
         where (:kinds is null or r.kind in (select value from json_each(:kinds)))
           and (:stages is null or h.stage in (select value from json_each(:stages)))
           and (:charging is null or h.charging = :charging)
           and (:expires_from is null or h.expires_at >= :expires_from)
           and (:expires_until is null or h.expires_at <= :expires_until)
           and (not :only_primaries or h.bundle = h.resource)
         order by r.row limit :limit offset :offset",
    )?;
    let rows = statement.query_map(
        named_params! {
            ":account": account,
            ":ids": list(&selection.ids)?,
            ":with_attached": selection.with_attached && !selection.ids.is_empty(),
            ":kinds": list(&selection.kinds)?,
            ":stages": stages,
            ":charging": selection.charging.map(|charging| charging.code()),
            ":expires_from": selection.expires_from.map(Timestamp::as_second),
            ":expires_until": selection.expires_until.map(Timestamp::as_second),
            ":only_primaries": selection.only_primaries,
            ":limit": limit,
            ":offset": offset,
        },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The resource at `row`; `known` is the bundle that the one before it was in, which mostly is the same.
fn subject(
    db: &ReadTx,
    row: ResourceKey,
    known: &mut Option<StoredBundle>,
) -> Result<ResourceView, StoreError> {
    let is_known = known.as_ref().is_some_and(|stored| stored.rows.position(row).is_some());
    if !is_known {
        *known = Some(bundles::find_by_resource_row(db, row)?.0);
    }
    let damaged = || StoreError::Damaged { what: "a member", found: row.to_string() };
    let stored = known.as_ref().ok_or_else(damaged)?;
    let member = stored.rows.position(row).ok_or_else(damaged)?;
    let resource = stored.bundle[member].clone();
    let attached_to = resource.attached_to.map(|to| stored.bundle[to].id.clone());
    Ok(ResourceView { resource, attached_to, last_renewal: last_renewal(db, row)? })
}

fn last_renewal(db: &ReadTx, row: ResourceKey) -> Result<Option<LastRenewal>, StoreError> {
    let renewed = db
        .connection()
        .prepare_cached(
            "select paid_at, starts_at from orders
             where resource = ?1 and is_renewal and refunded_at is null order by starts_at desc limit 1",
        )?
        .query_row([row], |row| {
            let (at, previous_expires_at) = (row.get(0)?, row.get(1)?);
            Ok(LastRenewal {
                at: Timestamp::from_second(at),
                previous_expires_at: Timestamp::from_second(previous_expires_at),
            })
        });
    Ok(renewed.optional()?)
}

/// The account's orders that `selection` chooses, in the order in which they were made.
pub fn orders(
    db: &ReadTx,
    account: AccountKey,
    selection: &OrderFilter,
) -> Result<Vec<PaidOrder>, StoreError> {
    let list = |list: &[String]| (!list.is_empty()).then(|| serde_json::to_string(list)).transpose();
    // In two parts, because each has an index of its own.
    let mut statement = db.connection().prepare_cached(
        "with chosen as (
             select row, id, kind, region from resource
             where account = :account
               and (:resources is null or id in (select value from json_each(:resources)))
         )
         select o.*, c.id as resource_id, c.kind, c.region, 0 as amount
         from chosen c join orders o on o.resource = c.row and o.refunded_at is null
         where :refunded_at is null and (:ids is null or o.id in (select value from json_each(:ids)))
         union all
         select o.*, c.id as resource_id, c.kind, c.region,
             (select coalesce(sum(e.amount), 0) from ledger_entry e
              where e.account = :account and e.reason = :refund and e.resource = c.id and e.reference = o.id
                and e.at = o.refunded_at) as amount
         from chosen c join orders o on o.resource = c.row and o.refunded_at is not null
         where (:refunded_at is null or o.refunded_at = :refunded_at)
           and (:ids is null or o.id in (select value from json_each(:ids)))
         order by row limit :limit",
    )?;
    let orders = statement.query_map(
        named_params! {
            ":account": account,
            ":ids": list(&selection.ids)?,
            ":resources": list(&selection.resources)?,
            ":refunded_at": selection.refunded_at.map(Timestamp::as_second),
            ":refund": Reason::Refund.code(),
            ":limit": selection.limit,
        },
        order,
    )?;
    Ok(orders.collect::<Result<_, _>>()?)
}

fn order(row: &Row<'_>) -> rusqlite::Result<PaidOrder> {
    let instant = |name| row.get(name).map(Timestamp::from_second);
    let refunded_at: Option<i64> = row.get("refunded_at")?;
    let amount = Micros::new(row.get("amount")?);
    Ok(PaidOrder {
        id: row.get("id")?,
        resource: row.get("resource_id")?,
        kind: row.get("kind")?,
        region: row.get("region")?,
        starts_at: instant("starts_at")?,
        ends_at: instant("ends_at")?,
        paid: Micros::new(row.get("paid")?),
        paid_at: instant("paid_at")?,
        is_renewal: row.get("is_renewal")?,
        refund: refunded_at.map(|at| (Timestamp::from_second(at), amount)),
    })
}

/// The row of the newest order of all; 0 when there is none.
pub fn last_order(db: &ReadTx) -> Result<OrderKey, StoreError> {
    Ok(db
        .connection()
        .prepare_cached("select coalesce(max(row), 0) from orders")?
        .query_row([], |row| row.get(0))?)
}

/// The ids of the orders that were paid at `at` and come after the one at `row`, each once, in the order in which they
/// were made, and what all of them cost.
pub fn orders_after(db: &ReadTx, row: OrderKey, at: Timestamp) -> Result<(Vec<String>, Micros), StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select id, paid from orders where row > ?1 and paid_at = ?2 order by row")?;
    let rows =
        statement.query_map((row, at.as_second()), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let (mut ids, mut cost) = (Vec::new(), Micros::ZERO);
    for row in rows {
        let (id, paid) = row?;
        cost += Micros::new(paid);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok((ids, cost))
}
