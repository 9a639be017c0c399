//! What may have changed in an account: what expires soon or has expired, and what orders were about.
//!
//! The query for resources takes an end of expiries, and one order (api_order_00021); the list of orders takes the instant from
//! which they were made, and does not say which resources are in them (api_order_00002). So each order is one more question. No
//! order says that automatic renewal was switched or that something was moved, and what one ended is not listed any more.

use plugin_sdk::Refusal;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::ChangeQuery;
use plugin_sdk::connector::CloudOrder;
use plugin_sdk::connector::CloudOrderState;
use plugin_sdk::connector::OrderQuery;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::ResourcePage;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::response;
use plugin_sdk::provider_api::request::decode;
use plugin_sdk::provider_api::request::encode;

use crate::connector::orders;
use crate::connector::resources;
use crate::connector::resources::Filter;
use crate::refusals::BAD_PARAMETER;

/// The orders of a page.
const ORDERS: u32 = 10;
/// The most bytes of their ids in a cursor, which has 1,000 at most. What does not fit is asked for once more.
const IDS_MAX: usize = 900;

/// Where the list goes on.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// What expires, from an offset on.
    Expiring(u32),
    /// The orders, from an offset on.
    Orders(u32),
    /// The resources of the first of these orders, from an offset on; then the orders from `next` on.
    Resources { next: Option<u32>, offset: u32, orders: Vec<String> },
}

impl Place {
    fn of(cursor: Option<&str>) -> Option<Place> {
        let Some(cursor) = cursor else { return Some(Place::Expiring(0)) };
        let (what, rest) = cursor.split_once('/')?;
        match what {
            "expiring" => Some(Place::Expiring(rest.parse().ok()?)),
            "orders" => Some(Place::Orders(rest.parse().ok()?)),
            "resources" => {
                let (next, rest) = rest.split_once('/')?;
                let (offset, orders) = rest.split_once('/')?;
                let next = if next.is_empty() { None } else { Some(next.parse().ok()?) };
                let orders = orders.split(',').map(|order| decode(order, false)).collect::<Option<_>>()?;
                Some(Place::Resources { next, offset: offset.parse().ok()?, orders })
            }
            _ => None,
        }
    }

    /// The place of these orders; of those after them when there are none, and the end when there are none either.
    fn of_orders(orders: &[String], next: Option<u32>) -> Option<Place> {
        match orders {
            [] => next.map(Place::Orders),
            orders => Some(Place::Resources { next, offset: 0, orders: orders.to_vec() }),
        }
    }

    fn cursor(&self) -> String {
        match self {
            Place::Expiring(offset) => format!("expiring/{offset}"),
            Place::Orders(offset) => format!("orders/{offset}"),
            Place::Resources { next, offset, orders } => {
                let next = next.map_or_else(String::new, |next| next.to_string());
                let orders = orders.iter().map(|order| encode(order, "")).collect::<Vec<_>>();
                format!("resources/{next}/{offset}/{}", orders.join(","))
            }
        }
    }
}

/// The request for a page.
pub(crate) fn request(context: &CallContext, asked: &ChangeQuery) -> Result<UnsignedRequest, Refusal> {
    let place = Place::of(asked.cursor.as_deref()).ok_or_else(|| BAD_PARAMETER.refusal())?;
    Ok(match place {
        Place::Expiring(offset) => {
            let filter = Filter { expires_until: Some(asked.expires_until), ..Filter::default() };
            resources::request(context, filter, offset)
        }
        Place::Orders(offset) => orders::request(context, Some(asked.since), offset, ORDERS),
        Place::Resources { offset, orders, .. } => {
            let filter = Filter { order: orders.first().map(String::as_str), ..Filter::default() };
            resources::request(context, filter, offset)
        }
    })
}

/// The page in a response. How many there will be in all, nobody knows before the end.
pub(crate) fn page(asked: &ChangeQuery, response: &ReceivedResponse) -> Result<ResourcePage, QueryFailure> {
    let unreadable = |problem: &str| response::unreadable(problem, response);
    let place = Place::of(asked.cursor.as_deref()).ok_or_else(|| unreadable("no page was asked for"))?;
    let offset_of = |next: Option<String>| next.and_then(|next| next.parse::<u32>().ok());
    let (page, next) = match place {
        Place::Expiring(offset) => {
            let page = resources::page(Some(&offset.to_string()), response)?;
            let next = offset_of(page.next.clone()).map_or(Place::Orders(0), Place::Expiring);
            (page, Some(next))
        }
        Place::Orders(offset) => {
            let cursor = Some(offset.to_string());
            let all = OrderQuery { orders: Vec::new(), target: None, created_from: None, cursor };
            let found = orders::page(&all, response)?;
            let (ids, untaken) = paid_ids(&found.orders);
            if ids.is_empty() && untaken == Some(0) {
                return Err(unreadable("an order whose number the documents do not allow"));
            }
            let next = untaken.map(|place| offset + place).or(offset_of(found.next));
            let page = ResourcePage { resources: Vec::new(), unknown: Vec::new(), total: None, next: None };
            (page, Place::of_orders(&ids, next))
        }
        Place::Resources { next, offset, orders } => {
            let page = resources::page(Some(&offset.to_string()), response)?;
            let place = match offset_of(page.next.clone()) {
                Some(offset) => Some(Place::Resources { next, offset, orders }),
                None => Place::of_orders(&orders[1..], next),
            };
            (page, place)
        }
    };
    Ok(ResourcePage { total: None, next: next.map(|place| place.cursor()), ..page })
}

/// The orders that are paid, and the place of the first one whose id did not fit in a cursor with those before it. What waits to be
/// paid, or was given up, has changed nothing.
fn paid_ids(orders: &[CloudOrder]) -> (Vec<String>, Option<u32>) {
    let (mut ids, mut length) = (Vec::new(), 0);
    for (place, order) in (0..).zip(orders) {
        if !matches!(order.state, CloudOrderState::InProgress | CloudOrderState::Completed) {
            continue;
        }
        length += encode(&order.id, "").len() + 1;
        if length > IDS_MAX {
            return (ids, Some(place));
        }
        ids.push(order.id.clone());
    }
    (ids, None)
}
