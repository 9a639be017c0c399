//! The records of a refund: the orders that an unsubscription refunded.
//!
//! Source: Querying the Amount of Unsubscription Orders (api_order_00020).

use plugin_sdk::Micros;
use plugin_sdk::Order;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderRefund;
use plugin_sdk::provider_api::PaidOrder;
use plugin_sdk::provider_api::filter;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::listing::ResourcesById;
use crate::provider_api::listing::above;
use crate::provider_api::problem::Problem;
use crate::provider_api::query::climb;
use crate::provider_api::types;
use crate::provider_api::unsubscribe::digest;
use crate::provider_api::unsubscribe::named;
use crate::refund::divide;
use crate::settings::Settings;

/// The records of the refund that the request names.
pub fn refund(call: &Call, replay: &mut Replay) -> OperationResult {
    for name in ["customer_id", "indirect_partner_id"] {
        call.check_account(name, body::parameter(call.request, name)?.as_deref())?;
    }
    let order = body::parameter(call.request, "order_id")?;
    let order = order.ok_or_else(|| Problem::parameter("order_id is missing."))?;
    body::order("order_id", &order)?;
    let Some((at, digest)) = named(&order) else {
        let message = "The order is neither one of an unsubscription nor one of a downgrade.";
        return Err(Problem::code("CBC.99005026", message).into());
    };
    let orders = replay.orders(OrderFilter { refunded_at: Some(at), ..filter::all_orders() })?;
    let known = resources(replay, orders)?;
    let own = orders.iter().filter(|order| is_of(&known, order, digest));
    let settings = Settings::of(&call.account.settings);
    let records = own.flat_map(|order| records(call, &settings, &known, order)).collect::<Vec<_>>();
    call.answered(vec![
        ("total_count", Json::Whole(i64::try_from(records.len()).expect("a few thousand at most"))),
        ("refund_infos", Json::List(records)),
    ])
}

/// The resources of these orders, and the resources that they are attached to.
fn resources<'a>(replay: &mut Replay<'a>, orders: &[PaidOrder]) -> Result<ResourcesById<'a>, Stop> {
    let mut known = ResourcesById::new();
    if !orders.is_empty() {
        let mut ids = orders.iter().map(|order| order.resource.clone()).collect::<Vec<_>>();
        ids.sort();
        ids.dedup();
        known.extend(
            replay.resources(filter::by_ids(ids))?.resources.iter().map(|one| (one.id.as_str(), one)),
        );
        climb(replay, &mut known)?;
    }
    Ok(known)
}

/// Whether an order is of the resource with this digest, or of one that is attached to it.
fn is_of(known: &ResourcesById, order: &PaidOrder, wanted: &str) -> bool {
    let above = known.get(order.resource.as_str()).into_iter().flat_map(|subject| above(known, subject));
    digest(&order.resource) == wanted || above.map(|above| digest(&above.id)).any(|digest| digest == wanted)
}

/// The records of an order: the refunded amount, negative; the amount consumed, positive; and the handling fee, positive.
fn records(call: &Call, settings: &Settings, known: &ResourcesById, order: &PaidOrder) -> Vec<Json> {
    let Some(refunded) = order.refund else { return Vec::new() };
    let fee = fee(settings, known, order, refunded);
    let consumed = order.paid - refunded.amount - fee;
    let back = record(call, order, "1", -refunded.amount);
    let kept = [("2", consumed), ("3", fee)].into_iter().filter(|&(_, amount)| amount > 0);
    std::iter::once(back).chain(kept.map(|(number, amount)| record(call, order, number, amount))).collect()
}

/// The handling fee of a refund, as the account's settings have it. When they have changed since so that the refund would
/// be another one today, the fee of then is not known, and what was kept counts as consumed.
fn fee(settings: &Settings, known: &ResourcesById, order: &PaidOrder, refunded: OrderRefund) -> Micros {
    let period = Order {
        member: 0,
        starts_at: order.starts_at,
        ends_at: order.ends_at,
        paid: order.paid,
        paid_at: order.paid_at,
        is_renewal: order.is_renewal,
    };
    let started_at = known.get(order.resource.as_str()).map_or(order.starts_at, |one| one.started_at);
    let today = divide(settings, refunded.at, &period, started_at);
    if today.refund == refunded.amount { today.fee } else { 0 }
}

fn record(call: &Call, order: &PaidOrder, number: &str, amount: Micros) -> Json {
    let of = types::named(&order.kind);
    Json::Object(vec![
        ("id", Json::from(format!("{}-{}-{number}", order.id, digest(&order.resource)))),
        ("amount", Json::Amount(amount)),
        ("measure_id", Json::from("1")),
        ("customer_id", Json::from(call.account.id.as_str())),
        ("resource_type_code", Json::from(of.map(|of| of.resource))),
        ("service_type_code", Json::from(of.map(|of| of.service))),
        ("resource_type_name", Json::from(of.map(|of| of.resource_name))),
        ("service_type_name", Json::from(of.map(|of| of.service_name))),
        ("region_code", Json::from(order.region.as_str())),
        ("base_order_id", Json::from(order.id.as_str())),
    ])
}
