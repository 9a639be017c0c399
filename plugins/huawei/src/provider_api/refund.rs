//! The records of a refund: the orders that an unsubscription refunded.
//!
//! Source: Querying the Amount of Unsubscription Orders (api_order_00020).

use plugin_sdk::Micros;
use plugin_sdk::OrderKind;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderView;
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

/// The records of the refund that the request names.
pub fn refund(call: &Call, replay: &mut Replay) -> OperationResult {
    for name in ["customer_id", "indirect_partner_id"] {
        call.check_account(name, body::parameter(call.request, name)?.as_deref())?;
    }
    let order = body::parameter(call.request, "order_id")?;
    let order = order.ok_or_else(|| Problem::parameter("order_id is missing."))?;
    body::order("order_id", &order)?;
    let Some((at, digest)) = named(&order) else { return downgrade(call, replay, order) };
    let orders = replay.orders(OrderFilter { refunded_at: Some(at), ..filter::paid_orders() })?;
    let known = resources(replay, orders)?;
    let own = orders.iter().filter(|order| is_of(&known, order, digest));
    let records = own.flat_map(|order| records(call, orders, order)).collect::<Vec<_>>();
    call.answered(vec![
        ("total_count", Json::Whole(i64::try_from(records.len()).expect("a few thousand at most"))),
        ("refund_infos", Json::List(records)),
    ])
}

/// The records of a downgrade: what it gave back, of each order that the money came from.
fn downgrade(call: &Call, replay: &mut Replay, order: String) -> OperationResult {
    let parts = replay.orders(OrderFilter { ids: vec![order], ..filter::paid_orders() })?;
    let is_part = |part: &&OrderView| part.order_kind == OrderKind::Downgrade;
    let records = parts.iter().filter(is_part).zip(1..).map(|(part, number)| {
        record(call, part, part.reduces.as_deref().unwrap_or(&part.id), &number.to_string(), part.cost)
    });
    let records = records.collect::<Vec<_>>();
    if records.is_empty() {
        let message = "The order is neither one of an unsubscription nor one of a downgrade.";
        return Err(Problem::code("CBC.99005026", message).into());
    }
    call.answered(vec![
        ("total_count", Json::Whole(i64::try_from(records.len()).expect("a few at most"))),
        ("refund_infos", Json::List(records)),
    ])
}

/// The resources of these orders, and the resources that they are attached to.
fn resources<'a>(replay: &mut Replay<'a>, orders: &[OrderView]) -> Result<ResourcesById<'a>, Stop> {
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

/// Whether an order was refunded by the refund with this digest: that of its resource, or of one that it is attached to.
fn is_of(known: &ResourcesById, order: &OrderView, wanted: &str) -> bool {
    let Some(refund) = order.refund else { return false };
    let above = known.get(order.resource.as_str()).into_iter().flat_map(|subject| above(known, subject));
    let ids = std::iter::once(order.resource.as_str()).chain(above.map(|above| above.id.as_str()));
    ids.map(|id| digest(id, refund.number)).any(|digest| digest == wanted)
}

/// The records of an order: the refunded amount, negative; the amount consumed, positive; and the handling fee, positive.
/// What a downgrade gave back of it before has a record of its own. Where the fee is not known, what was kept was consumed.
fn records(call: &Call, orders: &[OrderView], order: &OrderView) -> Vec<Json> {
    let Some(refunded) = order.refund.filter(|_| order.order_kind != OrderKind::Downgrade) else {
        return Vec::new();
    };
    let is_reduction = |other: &&OrderView| {
        other.resource == order.resource && other.reduces.as_deref() == Some(order.id.as_str())
    };
    let reductions = orders.iter().filter(is_reduction).map(|other| other.cost).sum::<Micros>();
    let fee = refunded.fee.unwrap_or(0);
    let consumed = order.cost.saturating_add(reductions).saturating_sub(refunded.amount).saturating_sub(fee);
    let back = record(call, order, &order.id, "1", -refunded.amount);
    let kept = [("2", consumed), ("3", fee)].into_iter().filter(|&(_, amount)| amount > 0);
    let kept = kept.map(|(number, amount)| record(call, order, &order.id, number, amount));
    std::iter::once(back).chain(kept).collect()
}

fn record(call: &Call, order: &OrderView, base: &str, number: &str, amount: Micros) -> Json {
    let of = types::named(&order.kind);
    Json::Object(vec![
        // An order of a change has a period for each that it cuts.
        (
            "id",
            Json::from(format!("{}-{}-{}-{number}", order.id, digest(&order.resource, 1), order.starts_at)),
        ),
        ("amount", Json::Amount(amount)),
        ("measure_id", Json::from("1")),
        ("customer_id", Json::from(call.account.id.as_str())),
        ("resource_type_code", Json::from(of.map(|of| of.resource))),
        ("service_type_code", Json::from(of.map(|of| of.service))),
        ("resource_type_name", Json::from(of.map(|of| of.resource_name))),
        ("service_type_name", Json::from(of.map(|of| of.service_name))),
        ("region_code", Json::from(order.region.as_str())),
        ("base_order_id", Json::from(base)),
    ])
}
