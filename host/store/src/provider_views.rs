//! Resources and orders as a provider's own API shows them: one account's, for reading only.

use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::provider_api::LastRenewal;
use perennial_domain::provider_api::OrderFilter;
use perennial_domain::provider_api::OrderRefund;
use perennial_domain::provider_api::OrderView;
use perennial_domain::provider_api::ResourceFilter as Selection;
use perennial_domain::provider_api::ResourceView;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::bundles;
use crate::bundles::StoredBundle;
use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::OrderKey;
use crate::keys::ResourceKey;
use crate::resource_query;
use crate::resource_query::ResourceFilter;
use crate::resource_query::ResourcePage;
use crate::tx::ReadTx;

/// The resources of the account called `account` that `selection` chooses, in the order in which they were added, and how
/// many there are, also beyond its limit.
pub fn resources(
    db: &ReadTx,
    account: &str,
    selection: &Selection,
) -> Result<(u32, Vec<ResourceView>), StoreError> {
    let filter = ResourceFilter {
        account: Some(account.to_owned()),
        ids: selection.ids.clone(),
        with_attached: selection.with_attached,
        kinds: selection.kinds.clone(),
        stages: selection.stages.clone(),
        charging: selection.charging,
        expires_from: selection.expires_from,
        expires_until: selection.expires_until,
        only_primaries: selection.only_primaries,
        ..ResourceFilter::default()
    };
    let page = ResourcePage::numbered(selection.offset, selection.limit);
    let found = resource_query::find(db, &filter, page)?;
    let mut last_bundle = None;
    let views = found.resources.iter().map(|found| view(db, found.row, &mut last_bundle));
    Ok((found.total, views.collect::<Result<_, _>>()?))
}

/// The resource at `row`; `last_bundle` is that of the resource before it, which mostly is the same.
fn view(
    db: &ReadTx,
    row: ResourceKey,
    last_bundle: &mut Option<StoredBundle>,
) -> Result<ResourceView, StoreError> {
    let is_known = last_bundle.as_ref().is_some_and(|stored| stored.rows.position(row).is_some());
    if !is_known {
        *last_bundle = Some(bundles::find_by_resource_row(db, row)?.0);
    }
    let damaged = || StoreError::Damaged { what: "a member", found: row.to_string() };
    let stored = last_bundle.as_ref().ok_or_else(damaged)?;
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
             where resource = ?1 and kind = 1 and state = 1 and refunded_at is null order by starts_at desc limit 1",
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

/// The periods of the account's orders that a selection may choose. In parts, because each has an index of its own.
const PERIODS: &str = "with chosen as (
         select row, id, kind, region from resource
         where account = :account
           and (:resources is null or id in (select value from json_each(:resources)))
     ), every as (
         select o.*, c.id as resource_id, c.kind as resource_kind, c.region
         from chosen c join orders o on o.resource = c.row and o.state = 1 and o.refunded_at is null
         where :refunded_at is null
         union all
         select o.*, c.id as resource_id, c.kind as resource_kind, c.region
         from chosen c join orders o on o.resource = c.row and o.refunded_at is not null
         where :refunded_at is null or o.refunded_at = :refunded_at
         union all
         select o.*, c.id as resource_id, c.kind as resource_kind, c.region
         from chosen c join orders o on o.resource = c.row and o.state <> 1
         where :refunded_at is null
     ), made as materialized (
         select * from every
         where (:ids is null or id in (select value from json_each(:ids)))
           and (:created_from is null or created_at >= :created_from)
           and (:created_until is null or created_at <= :created_until)
     )";

/// The periods that pass, each for itself; `rank` and `place` are their order.
const ONE_BY_ONE: &str = "matching as materialized (
         select made.*, row as rank, row as place from made
         where (:states is null or state in (select value from json_each(:states)))
           and (:order_kinds is null or kind in (select value from json_each(:order_kinds)))
           and (:kinds is null or resource_kind in (select value from json_each(:kinds)))
           and (:paid_from is null or paid_at >= :paid_from)
           and (:paid_until is null or paid_at <= :paid_until)
     ), matches as (select rank from matching)";

/// The periods of the orders that pass. The states are numbered so that the state of an order is the least of its periods':
/// it waits if one does, and else is paid if one is. The newest order has the lowest rank.
const WHOLE_ORDERS: &str = "passing as materialized (
         select id, created_at, -max(row) as rank from made group by id, created_at
         having (:states is null or min(state) in (select value from json_each(:states)))
           and (:order_kinds is null or sum(kind in (select value from json_each(:order_kinds))) > 0)
           and (:kinds is null or sum(resource_kind in (select value from json_each(:kinds))) > 0)
           and (:paid_from is null or max(paid_at) >= :paid_from)
           and (:paid_until is null or min(paid_at) <= :paid_until)
     ), matching as (
         select made.*, passing.rank, made.row as place from passing
         join made on made.id = passing.id and made.created_at = passing.created_at
     ), matches as (select rank from passing)";

/// The periods of the account's orders that `selection` chooses, and how many matches there are, also beyond its limit.
pub fn orders(
    db: &ReadTx,
    account: AccountKey,
    selection: &OrderFilter,
) -> Result<(u32, Vec<OrderView>), StoreError> {
    let list = |list: &[String]| (!list.is_empty()).then(|| serde_json::to_string(list)).transpose();
    let codes = |codes: Vec<i64>| (!codes.is_empty()).then(|| serde_json::to_string(&codes)).transpose();
    let matching = if selection.whole_orders { WHOLE_ORDERS } else { ONE_BY_ONE };
    let mut statement = db.connection().prepare_cached(&format!(
        "{PERIODS}, {matching}, page as (select rank from matches order by rank limit :limit offset :offset)
         select matching.*, (select b.id from orders b where b.row = matching.reduces) as reduced_id,
             (select count(*) from matches) as total
         from matching where rank in (select rank from page)
         union all
         select matching.*, null, (select count(*) from matches) from (select 1) left join matching on false
         order by rank, place",
    ))?;
    let mut rows = statement.query(named_params! {
        ":account": account,
        ":ids": list(&selection.ids)?,
        ":resources": list(&selection.resources)?,
        ":refunded_at": selection.refunded_at.map(Timestamp::as_second),
        ":states": codes(selection.states.iter().map(|state| state.code()).collect())?,
        ":order_kinds": codes(selection.order_kinds.iter().map(|kind| kind.code()).collect())?,
        ":kinds": list(&selection.kinds)?,
        ":created_from": selection.created_from.map(Timestamp::as_second),
        ":created_until": selection.created_until.map(Timestamp::as_second),
        ":paid_from": selection.paid_from.map(Timestamp::as_second),
        ":paid_until": selection.paid_until.map(Timestamp::as_second),
        ":limit": selection.limit,
        ":offset": selection.offset,
    })?;
    let (mut total, mut orders) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        total = row.get("total")?;
        // The row that has the total alone, so that it is known where the page is empty.
        if row.get::<_, Option<String>>("id")?.is_some() {
            orders.push(order(row)?);
        }
    }
    Ok((total, orders))
}

/// An order with the columns of its resource (`resource_id`, `resource_kind`, `region`) and `reduced_id`.
pub(crate) fn order(row: &Row<'_>) -> Result<OrderView, StoreError> {
    let instant = |name| row.get(name).map(Timestamp::from_second);
    let maybe = |name| row.get::<_, Option<i64>>(name).map(|at| at.map(Timestamp::from_second));
    let money = |name| row.get::<_, Option<i64>>(name).map(|amount| amount.map(Micros::new));
    let (refunded, fee) = (money("refunded")?.unwrap_or_default(), money("refund_fee")?);
    let number = row.get::<_, Option<u32>>("refund_number")?.unwrap_or_default();
    Ok(OrderView {
        id: row.get("id")?,
        order_kind: codec::coded(OrderKind::from_code, row.get("kind")?, "the kind of an order")?,
        state: codec::coded(OrderState::from_code, row.get("state")?, "the state of an order")?,
        resource: row.get("resource_id")?,
        kind: row.get("resource_kind")?,
        region: row.get("region")?,
        starts_at: instant("starts_at")?,
        ends_at: instant("ends_at")?,
        cost: Micros::new(row.get("cost")?),
        created_at: instant("created_at")?,
        pay_until: maybe("pay_until")?,
        paid_at: maybe("paid_at")?,
        reduces: row.get("reduced_id")?,
        refund: maybe("refunded_at")?.map(|at| OrderRefund { at, number, amount: refunded, fee }),
    })
}

/// The row of the newest order of all; 0 when there is none.
pub fn last_order(db: &ReadTx) -> Result<OrderKey, StoreError> {
    Ok(db
        .connection()
        .prepare_cached("select coalesce(max(row), 0) from orders")?
        .query_row([], |row| row.get(0))?)
}

/// The ids of the orders that were made at `at` and come after the one at `row`, each once, in the order in which they were
/// made, and what those of them cost that are paid.
pub fn orders_after(db: &ReadTx, row: OrderKey, at: Timestamp) -> Result<(Vec<String>, Micros), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select id, iif(state = 1, max(cost, 0), 0) from orders where row > ?1 and created_at = ?2 order by row",
    )?;
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

/// The orders of the resource called `resource` that were given back at `at`, with what came back for each of its periods.
pub fn refunded_at(db: &ReadTx, resource: &str, at: Timestamp) -> Result<Vec<(String, Micros)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select o.id, coalesce(o.refunded, 0) from orders o
         where o.resource = (select row from resource where id = ?1) and o.refunded_at = ?2 and o.kind <> 3 order by o.row",
    )?;
    let rows = statement.query_map((resource, at.as_second()), |row| {
        Ok((row.get::<_, String>(0)?, Micros::new(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
