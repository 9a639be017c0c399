//! The orders of an account: which there are, and where each is.
//!
//! Source: Querying Orders (api_order_00002). The provider lists one order or all of them; which resources an order has, it
//! does not say here.

use plugin_sdk::OrderKind;
use plugin_sdk::Refusal;
use plugin_sdk::Timestamp;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::CloudOrder;
use plugin_sdk::connector::CloudOrderState;
use plugin_sdk::connector::OrderPage;
use plugin_sdk::connector::OrderQuery;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::amount::Amount;
use plugin_sdk::connector::cursor;
use plugin_sdk::connector::response;
use plugin_sdk::provider_api::request::encode;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::ORDERS;
use crate::connector::capabilities::ORDERS_API;
use crate::refusals::BAD_PARAMETER;

/// The orders of a page.
const LIMIT: u32 = 100;

/// The `source_type` of what the system ordered by itself, such as an automatic renewal.
const BY_THE_SYSTEM: i64 = 8;

/// The request for a page: of all orders, or of the next one of those that are named.
pub(crate) fn list(context: &CallContext, asked: &OrderQuery) -> Result<UnsignedRequest, Refusal> {
    let place = cursor::number(asked.cursor.as_deref()).ok_or_else(|| BAD_PARAMETER.refusal())?;
    let query = match asked.orders.get(place as usize) {
        Some(order) => format!("order_id={}", encode(order, "")),
        None if !asked.orders.is_empty() => return Err(BAD_PARAMETER.refusal()),
        None => return Ok(request(context, asked.created_from, place, LIMIT)),
    };
    let operation = Operation { api: ORDERS_API, method: "GET", path: ORDERS };
    Ok(call::without_body(context, operation, query))
}

/// The request for so many of the orders that were made at an instant or later, from `offset` on.
pub(crate) fn request(
    context: &CallContext,
    created_from: Option<Timestamp>,
    offset: u32,
    limit: u32,
) -> UnsignedRequest {
    let from = created_from.map(|from| encode(&rfc3339::write(from), ""));
    let from = from.map_or_else(String::new, |from| format!("create_time_begin={from}&"));
    let operation = Operation { api: ORDERS_API, method: "GET", path: ORDERS };
    call::without_body(context, operation, format!("{from}limit={limit}&offset={offset}"))
}

#[derive(Deserialize)]
struct Page<'a> {
    total_count: u32,
    #[serde(borrow, default)]
    order_infos: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    order_id: String,
    source_type: Option<i64>,
    status: i64,
    order_type: Option<i64>,
    #[serde(borrow)]
    amount_after_discount: Option<Amount<'a>>,
    create_time: Option<String>,
    currency: Option<String>,
}

/// The page in a response.
pub(crate) fn page(asked: &OrderQuery, response: &ReceivedResponse) -> Result<OrderPage, QueryFailure> {
    let unreadable = |problem: &str| response::unreadable(problem, response);
    let place = cursor::number(asked.cursor.as_deref()).unwrap_or_default();
    let page = response::json::<Page>(response).ok_or_else(|| unreadable("no list of orders"))?;
    let (seen, total) = match u32::try_from(asked.orders.len()) {
        Ok(named) if named > 0 => (place.saturating_add(1), named),
        Ok(_) | Err(_) => {
            let found = u32::try_from(page.order_infos.len()).unwrap_or(u32::MAX);
            if found == 0 && place < page.total_count {
                return Err(unreadable("an empty page, although there are more orders"));
            }
            (place.saturating_add(found), page.total_count)
        }
    };
    let orders = page.order_infos.into_iter().map(order).collect::<Result<_, _>>().map_err(unreadable)?;
    Ok(OrderPage { orders, next: (seen < total).then(|| seen.to_string()) })
}

fn order(row: Row) -> Result<CloudOrder, &'static str> {
    let state = match row.status {
        6 => CloudOrderState::Unpaid,
        1 | 2 | 3 | 9..=13 => CloudOrderState::InProgress,
        5 => CloudOrderState::Completed,
        4 => CloudOrderState::Cancelled,
        _ => return Err("a status of an order that the documents do not have"),
    };
    let kind = match row.order_type {
        Some(1) => Some(OrderKind::Purchase),
        Some(2) => Some(OrderKind::Renewal),
        Some(_) | None => None,
    };
    let created_at =
        row.create_time.as_deref().map(|text| rfc3339::read(text).ok_or("an instant that cannot be read"));
    Ok(CloudOrder {
        id: row.order_id,
        state,
        kind,
        created_at: created_at.transpose()?,
        resources: Vec::new(),
        amount: row.amount_after_discount.and_then(Amount::micros),
        currency: row.currency,
        automatic: row.source_type == Some(BY_THE_SYSTEM),
    })
}
