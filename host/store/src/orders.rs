//! The `orders` table: periods that were paid for.

use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;
use rusqlite::ErrorCode;

use crate::error::StoreError;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Adds orders, as long as a transaction lasts.
pub struct OrderInserter<'c>(CachedStatement<'c>);

impl<'c> OrderInserter<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<OrderInserter<'c>, StoreError> {
        Ok(OrderInserter(db.connection().prepare_cached(
            "insert into orders (id, resource, starts_at, ends_at, paid, paid_at, is_renewal)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?))
    }

    /// Adds an order of the resource at `row`, called `resource`.
    ///
    /// # Errors
    ///
    /// [`StoreError::PaidTwice`] when an order that was not refunded begins at the same instant.
    pub fn insert(&mut self, row: ResourceKey, resource: &str, order: &Order) -> Result<(), StoreError> {
        let inserted = self.0.execute((
            &order.id,
            row,
            order.starts_at.as_second(),
            order.ends_at.as_second(),
            order.paid.as_micros(),
            order.paid_at.as_second(),
            order.is_renewal,
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

/// The orders of a bundle's members that were not refunded, oldest first; `rows` are the members' rows.
pub fn list(db: &ReadTx, rows: &MemberKeys) -> Result<Vec<Order>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from orders where resource = ?1 and refunded_at is null order by starts_at",
    )?;
    let mut orders = Vec::new();
    for (member, row) in rows.iter() {
        let found = statement.query_map([row], |row| {
            Ok(Order {
                id: row.get("id")?,
                member,
                starts_at: Timestamp::from_second(row.get("starts_at")?),
                ends_at: Timestamp::from_second(row.get("ends_at")?),
                paid: Micros::new(row.get("paid")?),
                paid_at: Timestamp::from_second(row.get("paid_at")?),
                is_renewal: row.get("is_renewal")?,
            })
        })?;
        for order in found {
            orders.push(order?);
        }
    }
    orders.sort_by_key(|order| (order.starts_at, order.member));
    Ok(orders)
}

/// Marks the order `id` of the resource at `row` as refunded and returns when its period begins.
pub fn refund(
    db: &WriteTx,
    row: ResourceKey,
    id: &str,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "update orders set refunded_at = ?3 where resource = ?1 and id = ?2 and refunded_at is null returning starts_at",
    )?;
    let mut rows = statement.query_map((row, id, at.as_second()), |row| row.get(0))?;
    let starts_at: Option<i64> = rows.next().transpose()?;
    Ok(starts_at.map(Timestamp::from_second))
}
