//! The `orders` table: periods that were paid for, and orders that wait to be paid.

use perennial_domain::apply::RefundedPeriod;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::order::PaidPeriod;
use perennial_domain::order::Undo;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::unpaid_order::OrderLine;
use rusqlite::CachedStatement;
use rusqlite::ErrorCode;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Adds orders that are paid, as long as a transaction lasts.
pub struct OrderInserter<'c>(CachedStatement<'c>);

impl<'c> OrderInserter<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<OrderInserter<'c>, StoreError> {
        Ok(OrderInserter(db.connection().prepare_cached(
            "insert into orders (id, resource, kind, state, starts_at, ends_at, cost, created_at, paid_at,
                 anchor_day_before, renewals_left_before, ended_auto_renew, reduces)
             values (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10,
                 (select row from orders
                  where resource = ?2 and id = ?11 and starts_at = ?12 and state = 1 and refunded_at is null))",
        )?))
    }

    /// Adds a paid order of the resource at `row`, called `resource`.
    ///
    /// # Errors
    ///
    /// [`StoreError::PaidTwice`] when an order that was not refunded begins at the same instant.
    pub fn insert(&mut self, row: ResourceKey, resource: &str, order: &Order) -> Result<(), StoreError> {
        let inserted = self.0.execute((
            &order.id,
            row,
            order.kind.code(),
            order.starts_at.as_second(),
            order.ends_at.as_second(),
            order.paid.as_micros(),
            order.paid_at.as_second(),
            order.undo.anchor_day,
            order.undo.renewals_left,
            order.undo.ended_auto_renew,
            order.reduces.as_ref().map(|period| &period.order),
            order.reduces.as_ref().map(|period| period.starts_at.as_second()),
        ));
        match inserted {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(StoreError::PaidTwice {
                    resource: resource.to_owned(),
                    starts_at: order.starts_at.to_string(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Adds one order: see [`OrderInserter::insert`].
pub fn insert(db: &WriteTx, row: ResourceKey, resource: &str, order: &Order) -> Result<(), StoreError> {
    OrderInserter::new(db)?.insert(row, resource, order)
}

/// The paid orders of a bundle's members that were not refunded, oldest first; `rows` are the members' rows, in order.
pub fn list(db: &ReadTx, rows: &MemberKeys) -> Result<Vec<Order>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select o.*, b.id as reduced_id, b.starts_at as reduced_starts_at
         from orders o left join orders b on b.row = o.reduces
         where o.resource = ?1 and o.state = 1 and o.refunded_at is null order by o.starts_at, o.row",
    )?;
    let mut orders = Vec::new();
    for (member, row) in rows.iter() {
        let mut found = statement.query([row])?;
        while let Some(row) = found.next()? {
            orders.push(paid_order(row, member)?);
        }
    }
    orders.sort_by_key(|order| (order.starts_at, order.member));
    Ok(orders)
}

fn paid_order(row: &Row<'_>, member: MemberIndex) -> Result<Order, StoreError> {
    let instant = |name| row.get(name).map(Timestamp::from_second);
    let reduced: Option<String> = row.get("reduced_id")?;
    let reduces = match reduced {
        Some(order) => Some(PaidPeriod { order, starts_at: instant("reduced_starts_at")? }),
        None => None,
    };
    Ok(Order {
        id: row.get("id")?,
        member,
        kind: codec::coded(OrderKind::from_code, row.get("kind")?, "the kind of an order")?,
        starts_at: instant("starts_at")?,
        ends_at: instant("ends_at")?,
        paid: Micros::new(row.get("cost")?),
        paid_at: instant("paid_at")?,
        reduces,
        undo: Undo {
            anchor_day: row.get("anchor_day_before")?,
            renewals_left: row.get("renewals_left_before")?,
            ended_auto_renew: row.get("ended_auto_renew")?,
        },
    })
}

/// The number of the command that gives periods of these members back at `at`: one more than those before it at that instant.
pub(crate) fn next_refund_number(
    db: &WriteTx,
    members: &MemberKeys,
    at: Timestamp,
) -> Result<u32, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select coalesce(max(refund_number), 0) from orders where resource = ?1 and refunded_at is not null and refunded_at = ?2",
    )?;
    let mut last = 0_u32;
    for (_, row) in members.iter() {
        last = last.max(statement.query_row((row, at.as_second()), |row| row.get(0))?);
    }
    Ok(last.saturating_add(1))
}

/// Marks a period of the resource at `row` as refunded at `at` by the command with this number, with what came back for it
/// and what was kept as a fee.
pub(crate) fn refund(
    db: &WriteTx,
    row: ResourceKey,
    refunded: &RefundedPeriod,
    number: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let RefundedPeriod { period, amount, fee, .. } = refunded;
    db.connection()
        .prepare_cached(
            "update orders set refunded_at = ?4, refunded = ?5, refund_fee = ?6, refund_number = ?7
             where resource = ?1 and id = ?2 and starts_at = ?3 and state = 1 and refunded_at is null",
        )?
        .execute((
            row,
            &period.order,
            period.starts_at.as_second(),
            at.as_second(),
            amount.as_micros(),
            fee.as_micros(),
            number,
        ))?;
    Ok(())
}

/// An order that waits to be paid, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUnpaidOrder {
    /// The id of the order.
    pub id: String,
    /// The kind of the order.
    pub kind: OrderKind,
    /// The row of the resource that its command names.
    pub resource: ResourceKey,
    /// What is done once it is paid, as decisions are kept.
    pub command: String,
    /// The instant at which the order was made.
    pub created_at: Timestamp,
    /// The last instant at which it can be paid.
    pub pay_until: Timestamp,
    /// The periods that it pays for.
    pub lines: Vec<OrderLine>,
}

/// Adds an order that waits to be paid; `rows` are the rows of the bundle's members. The members of its lines are those.
///
/// # Errors
///
/// [`StoreError::Sqlite`] when it cannot be written.
pub fn place(db: &WriteTx, rows: &MemberKeys, order: &StoredUnpaidOrder) -> Result<(), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "insert into orders (id, resource, kind, state, starts_at, ends_at, cost, created_at, pay_until, command,
             command_resource, ended_auto_renew)
         values (:id, :resource, :kind, 0, :starts_at, :ends_at, :cost, :created_at, :pay_until, :command,
             :command_resource, 0)",
    )?;
    for line in &order.lines {
        statement.execute(named_params! {
            ":id": order.id,
            ":resource": rows[line.member],
            ":kind": order.kind.code(),
            ":starts_at": line.starts_at.as_second(),
            ":ends_at": line.ends_at.as_second(),
            ":cost": line.cost.as_micros(),
            ":created_at": order.created_at.as_second(),
            ":pay_until": order.pay_until.as_second(),
            ":command": order.command,
            ":command_resource": order.resource,
        })?;
    }
    Ok(())
}

/// The orders of a bundle that wait to be paid, in the order in which they were made; `rows` are its members' rows.
pub fn unpaid(db: &ReadTx, rows: &MemberKeys) -> Result<Vec<StoredUnpaidOrder>, StoreError> {
    // `state <> 1` is the condition of the index, which SQLite does not conclude from `state = 0`: without it, every order that
    // there is would be looked at.
    let mut statement = db.connection().prepare_cached(
        "select * from orders where resource = ?1 and state <> 1 and state = 0 order by row",
    )?;
    let mut orders = Vec::<StoredUnpaidOrder>::new();
    for (member, row) in rows.iter() {
        let mut found = statement.query([row])?;
        while let Some(row) = found.next()? {
            let id: String = row.get("id")?;
            let instant = |name| row.get(name).map(Timestamp::from_second);
            let line = OrderLine {
                member,
                starts_at: instant("starts_at")?,
                ends_at: instant("ends_at")?,
                cost: Micros::new(row.get("cost")?),
            };
            match orders.iter_mut().find(|order| order.id == id) {
                Some(order) => order.lines.push(line),
                None => orders.push(StoredUnpaidOrder {
                    id,
                    kind: codec::coded(OrderKind::from_code, row.get("kind")?, "the kind of an order")?,
                    resource: row.get("command_resource")?,
                    command: row.get("command")?,
                    created_at: instant("created_at")?,
                    pay_until: instant("pay_until")?,
                    lines: vec![line],
                }),
            }
        }
    }
    Ok(orders)
}

/// Where the order `id` of the resource at `row` is; `None` when it has no such order.
pub fn state(db: &ReadTx, row: ResourceKey, id: &str) -> Result<Option<OrderState>, StoreError> {
    // In parts, because each has an index of its own.
    let code: Option<i64> = db
        .connection()
        .prepare_cached(
            "select state from orders where resource = ?1 and id = ?2 and state <> 1
             union all select state from orders where resource = ?1 and id = ?2 and state = 1 and refunded_at is null
             union all select state from orders where resource = ?1 and id = ?2 and refunded_at is not null
             limit 1",
        )?
        .query_row((row, id), |row| row.get(0))
        .optional()?;
    code.map(|code| codec::coded(OrderState::from_code, code, "the state of an order")).transpose()
}

/// Whether an order of the resource at `row` was cancelled, expired or given back.
pub(crate) fn has_closed(db: &ReadTx, row: ResourceKey) -> Result<bool, StoreError> {
    // In the words of the indexes: see `unpaid`.
    let mut statement = db.connection().prepare_cached(
        "select exists (select 1 from orders where resource = ?1 and state <> 1 and state <> 0)
             or exists (select 1 from orders where resource = ?1 and refunded_at is not null)",
    )?;
    Ok(statement.query_row([row], |row| row.get(0))?)
}

/// The ids of the orders of the resource at `row` that neither wait nor can be refunded, and where they are.
pub(crate) fn closed(db: &ReadTx, row: ResourceKey) -> Result<Vec<(String, OrderState)>, StoreError> {
    // In the words of the indexes: see `unpaid`.
    let mut statement = db.connection().prepare_cached(
        "select id, state from orders where resource = ?1 and state <> 1 and state <> 0
         union all select id, state from orders where resource = ?1 and refunded_at is not null",
    )?;
    let closed = statement.query_and_then([row], |row| {
        let state = codec::coded(OrderState::from_code, row.get(1)?, "the state of an order")?;
        Ok((row.get(0)?, state))
    })?;
    closed.collect()
}

/// Makes a waiting period of the resource at `row` one that is paid: `order` says how. False when no such period waits.
///
/// # Errors
///
/// [`StoreError::Sqlite`] when it cannot be written.
pub fn settle(db: &WriteTx, row: ResourceKey, order: &Order) -> Result<bool, StoreError> {
    let changed = db
        .connection()
        .prepare_cached(
            "update orders set state = 1, paid_at = ?4, starts_at = ?5, ends_at = ?6, anchor_day_before = ?7,
                 renewals_left_before = ?8, ended_auto_renew = ?9
             where row = (select row from orders where resource = ?1 and id = ?2 and cost = ?3 and state <> 1 and state = 0
                          order by row limit 1)",
        )?
        .execute((
            row,
            &order.id,
            order.paid.as_micros(),
            order.paid_at.as_second(),
            order.starts_at.as_second(),
            order.ends_at.as_second(),
            order.undo.anchor_day,
            order.undo.renewals_left,
            order.undo.ended_auto_renew,
        ))?;
    Ok(changed > 0)
}

/// Gives what still waits of the order `id` of the resource at `row` another state.
pub fn close(db: &WriteTx, row: ResourceKey, id: &str, state: OrderState) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update orders set state = ?3 where resource = ?1 and id = ?2 and state <> 1 and state = 0",
        )?
        .execute((row, id, state.code()))?;
    Ok(())
}

/// The next instant by `until` at which an order can no longer be paid, with the row of a resource of it.
pub(crate) fn next_deadline(
    db: &ReadTx,
    until: Timestamp,
) -> Result<Option<(Timestamp, ResourceKey)>, StoreError> {
    let next = db
        .connection()
        .prepare_cached(
            "select pay_until, resource from orders where state = 0 and pay_until <= ?1 order by pay_until, row limit 1",
        )?
        .query_row([until.as_second()], |row| Ok((Timestamp::from_second(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(next)
}
