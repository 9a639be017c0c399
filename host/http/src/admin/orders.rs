//! `/v1/orders` and `/v1/resources/{id}/orders`: what was ordered, in any state, one item for each period that an order pays for.
//!
//! An order that waits is paid and cancelled by a command on its resource: see [`super::commands`].

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::order::OrderState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::order_list;
use perennial_store::order_list::ListedOrder;
use perennial_store::order_list::OrderListFilter;

/// A period of a resource in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderItemView {
    /// The ID of the order; its other periods have the same.
    id: String,
    /// The account's ID.
    account: String,
    /// The ID of the resource.
    resource: String,
    /// `purchase`, `renewal`, `upgrade` or `downgrade`.
    kind: &'static str,
    /// `awaiting_payment`, `paid`, `cancelled` or `expired`.
    state: &'static str,
    /// When the period begins.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The instant at which the period ends.
    #[schema(format = DateTime)]
    ends_at: String,
    /// What it costs, a decimal; negative for what a downgrade gave back.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    cost: String,
    /// The account's currency.
    currency: String,
    /// When the order was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when it can be paid; null when it was paid at once.
    #[schema(format = DateTime)]
    pay_until: Option<String>,
    /// When it was paid; null unless it is.
    #[schema(format = DateTime)]
    paid_at: Option<String>,
    /// For a downgrade: the ID of the order that the money came back of.
    reduces: Option<String>,
    /// When the period was given back; null unless it was.
    #[schema(format = DateTime)]
    refunded_at: Option<String>,
    /// What came back for it, a decimal.
    #[schema(pattern = "^-?[0-9]+[.][0-9]{2,6}$")]
    refund: Option<String>,
    /// What was kept of it as a handling fee, a decimal; null unless it was given back, and where that is not known.
    #[schema(pattern = "^[0-9]+[.][0-9]{2,6}$")]
    refund_fee: Option<String>,
}

impl From<ListedOrder> for OrderItemView {
    fn from(listed: ListedOrder) -> OrderItemView {
        let order = listed.order;
        OrderItemView {
            id: order.id,
            account: listed.account,
            resource: order.resource,
            kind: order.order_kind.name(),
            state: order.state.name(),
            starts_at: order.starts_at.to_string(),
            ends_at: order.ends_at.to_string(),
            cost: order.cost.to_string(),
            currency: listed.currency,
            created_at: order.created_at.to_string(),
            pay_until: order.pay_until.map(|at| at.to_string()),
            paid_at: order.paid_at.map(|at| at.to_string()),
            reduces: order.reduces,
            refunded_at: order.refund.map(|refund| refund.at.to_string()),
            refund: order.refund.map(|refund| refund.amount.to_string()),
            refund_fee: order.refund.and_then(|refund| refund.fee).map(|fee| fee.to_string()),
        }
    }
}

/// Lists orders, one item for each period, in the order in which they were made.
#[utoipa::path(get, path = "/v1/orders", tag = "orders",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only of this resource."),
        ("id" = Option<String>, Query, description = "Only the order with this ID."),
        ("state" = Option<String>, Query, description = "Only in this state, such as `awaiting_payment`."),
        PageParams,
    ),
    responses((status = 200, body = Page<OrderItemView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<OrderItemView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = OrderListFilter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        id: query.take("id"),
        state: query.one_of("state", &OrderState::ALL, OrderState::name),
    };
    query.finish()?;
    let orders = app
        .read(move |db| Ok(order_list::list(db, &filter, page_request.after(), page_request.read_limit())?))
        .await?;
    let rows = orders.into_iter().map(|listed| (listed.row, OrderItemView::from(listed))).collect();
    Ok(Json(Page::new(page_request, rows)))
}

/// Lists the orders of a resource, one item for each period that an order pays for, in the order in which they were made.
#[utoipa::path(get, path = "/v1/resources/{id}/orders", tag = "orders",
    params(
        ("id" = String, Path),
        ("state" = Option<String>, Query, description = "Only in this state, such as `awaiting_payment`."),
        PageParams,
    ),
    responses((status = 200, body = Page<OrderItemView>)))]
pub(super) async fn list_of_resource(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<OrderItemView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let state = query.one_of("state", &OrderState::ALL, OrderState::name);
    query.finish()?;
    let orders = app.read(move |db| {
        let resource = lookup::resolve_resource(db, &caller, &id)?.row();
        let (after, limit) = (page_request.after(), page_request.read_limit());
        Ok::<_, Problem>(order_list::list_of_resource(db, resource, state, after, limit)?)
    });
    let rows = orders.await?.into_iter().map(|listed| (listed.row, OrderItemView::from(listed))).collect();
    Ok(Json(Page::new(page_request, rows)))
}
