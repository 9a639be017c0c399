//! Orders as the admin API lists them: every period, of all accounts that a caller sees.

use perennial_domain::order::OrderState;
use perennial_domain::provider_api::OrderView;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::OrderKey;
use crate::keys::ResourceKey;
use crate::provider_views;
use crate::tx::ReadTx;

/// Which orders are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderListFilter {
    /// Only of these accounts, a JSON list of ids.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only orders with this id.
    pub id: Option<String>,
    /// Only in this state.
    pub state: Option<OrderState>,
}

/// A period of an order, with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// The row of the order.
    pub row: OrderKey,
    /// The account's id.
    pub account: String,
    /// The account's currency.
    pub currency: String,
    /// The period that it pays for.
    pub order: OrderView,
}

const ALL: &str =
    "select o.*, a.id as account_id, a.currency, r.id as resource_id, r.kind as resource_kind, r.region,
        b.id as reduced_id
    from orders o join resource r on r.row = o.resource join account a on a.row = r.account
    left join orders b on b.row = o.reduces";

/// The periods of orders that pass `filter`, above the row `after`, at most `limit`.
pub fn list(
    db: &ReadTx,
    filter: &OrderListFilter,
    after: OrderKey,
    limit: u32,
) -> Result<Vec<ListedOrder>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where o.row > :after and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account) and (:resource is null or r.id = :resource)
           and (:id is null or o.id = :id) and (:state is null or o.state = :state)
         order by o.row limit :limit",
    ))?;
    let orders = statement.query_and_then(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":id": filter.id,
            ":state": filter.state.map(OrderState::code),
            ":limit": limit,
        },
        listed,
    )?;
    orders.collect()
}

/// The periods of orders of a resource, in a state if one is given, above the row `after`, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list_of_resource(
    db: &ReadTx,
    resource: ResourceKey,
    state: Option<OrderState>,
    after: OrderKey,
    limit: u32,
) -> Result<Vec<ListedOrder>, StoreError> {
    // Each part has an index of its own, which together are all orders.
    let mut statement = db.connection().prepare_cached(&format!(
        "{ALL} where o.row > :after and (:state is null or o.state = :state) and o.row in (
             select row from orders where resource = :resource and state = 1 and refunded_at is null
             union select row from orders where resource = :resource and refunded_at is not null
             union select row from orders where resource = :resource and state <> 1
         ) order by o.row limit :limit"
    ))?;
    let orders = statement.query_and_then(
        named_params! {
            ":resource": resource,
            ":state": state.map(OrderState::code),
            ":after": after,
            ":limit": limit,
        },
        listed,
    )?;
    orders.collect()
}

fn listed(row: &Row<'_>) -> Result<ListedOrder, StoreError> {
    Ok(ListedOrder {
        row: row.get("row")?,
        account: row.get("account_id")?,
        currency: row.get("currency")?,
        order: provider_views::order(row)?,
    })
}
