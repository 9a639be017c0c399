//! The account's orders: listed, shown with their lines, paid and cancelled.
//!
//! Sources: Querying Orders (api_order_00002), Querying Order Details (api_order_00004), Paying Yearly/Monthly Product Orders
//! (api_order_00016) and Canceling Unpaid Orders, with the fields of `huaweicloudsdkbss`. An order of the host has a line
//! for each period that it pays for. Coupons and discounts are not known here, so an order that names one cannot be paid.

use plugin_sdk::Command;
use plugin_sdk::Micros;
use plugin_sdk::OrderKind;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderState;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation::MutationResult;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::provider_api::response;
use crate::provider_api::types;
use crate::refusals::Code;
use crate::refusals::NO_ORDER;
use crate::refusals::NOT_CANCELLABLE;
use crate::refusals::ORDER_EXPIRED;
use crate::refusals::ORDER_STATE_CHANGED;
use crate::refusals::ORDER_UNDERFUNDED;
use crate::refusals::PAYMENT_FAILED;

/// The most orders of one page of a list.
const LIMIT_MAX: u32 = 100;

/// An order: its lines, of which there is at least one.
type Order<'a> = Vec<&'a OrderView>;

/// Lists the orders that match the request, the newest first.
pub fn list(call: &Call, replay: &mut Replay) -> OperationResult {
    let text = |name| body::parameter(call.request, name).map(|text| text.filter(|text| !text.is_empty()));
    let number = |name, least, most| {
        body::number(call.request, name)?
            .map(|sent| body::within(name, Some(sent), 0, least, most))
            .transpose()
    };
    for name in ["customer_id", "indirect_partner_id"] {
        call.check_account(name, text(name)?.as_deref())?;
    }
    let (status, kind) = (number("status", 1, 13)?, text("order_type")?);
    let service = text("service_type_code")?;
    let filter = OrderFilter {
        ids: text("order_id")?.into_iter().collect(),
        states: status.map(states_of).unwrap_or_default(),
        order_kinds: kind.as_deref().map(kinds_of).unwrap_or_default(),
        kinds: service.as_deref().map(types::of_service).unwrap_or_default(),
        created_from: instant("create_time_begin", text("create_time_begin")?)?,
        created_until: instant("create_time_end", text("create_time_end")?)?,
        paid_from: instant("payment_time_begin", text("payment_time_begin")?)?,
        paid_until: instant("payment_time_end", text("payment_time_end")?)?,
        whole_orders: true,
        offset: number("offset", 0, u32::MAX)?.unwrap_or(0),
        limit: number("limit", 1, LIMIT_MAX)?.unwrap_or(10),
        ..filter::all_orders()
    };
    for id in &filter.ids {
        body::order("order_id", id)?;
    }
    // An empty list is no filter, but what no order has is found by none.
    let is_never = (status.is_some() && filter.states.is_empty())
        || (kind.is_some() && filter.order_kinds.is_empty())
        || (service.is_some() && filter.kinds.is_empty());
    let (total, orders) = if is_never {
        (0, Vec::new())
    } else {
        let page = replay.order_page(filter)?;
        (page.total, grouped(&page.orders))
    };
    let page = orders.iter().map(|order| Json::Object(fields(call, order)));
    call.answered(vec![
        ("total_count", Json::Whole(total.into())),
        ("order_infos", Json::List(page.collect())),
    ])
}

/// Shows one order with its lines: what each pays for, and until when.
pub fn details(call: &Call, replay: &mut Replay) -> OperationResult {
    let id = body::order("order_id", call.route.order.as_deref().unwrap_or_default())?;
    let lines = of_id(replay, id)?;
    let of_line = |(line, number): (&&OrderView, usize)| {
        let of = types::named(&line.kind);
        Json::Object(vec![
            ("order_line_item_id", Json::from(format!("{id}-{number}"))),
            ("service_type_code", Json::from(of.map(|of| of.service))),
            ("service_type_name", Json::from(of.map(|of| of.service_name))),
            ("resource_id", Json::from(line.resource.as_str())),
            ("effective_time", Json::from(rfc3339::write(line.starts_at))),
            ("expire_time", Json::from(rfc3339::write(line.ends_at))),
            ("subscription_num", Json::Whole(1)),
            ("amount_after_discount", Json::Amount(line.cost)),
            ("official_amount", Json::Amount(line.cost)),
            ("order_id", Json::from(id)),
        ])
    };
    let items = lines.iter().zip(1..).map(of_line).collect::<Vec<_>>();
    call.answered(vec![
        ("total_count", Json::Whole(i64::try_from(items.len()).unwrap_or(i64::MAX))),
        ("order_info", Json::Object(fields(call, &lines))),
        ("order_line_items", Json::List(items)),
    ])
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    order_id: Option<String>,
    use_coupon: Option<String>,
    use_discount: Option<String>,
    coupon_infos: Option<Vec<IgnoredAny>>,
    discount_infos: Option<Vec<IgnoredAny>>,
}

/// Pays an order that waits to be paid.
pub fn pay(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let id = body.order_id.ok_or_else(|| Problem::parameter("order_id is missing."))?;
    let wants = |use_one: &Option<String>| use_one.as_deref() == Some("YES");
    let has = |list: &Option<Vec<IgnoredAny>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let named = has(&body.coupon_infos) || has(&body.discount_infos);
    if named && (wants(&body.use_coupon) || wants(&body.use_discount)) {
        return Err(Problem::parameter("Coupons and discounts are not known here; pay without them.").into());
    }
    let order = of_id(replay, body::order("order_id", &id)?)?;
    match order[0].state {
        OrderState::AwaitingPayment => {}
        OrderState::Expired => return Err(problem(ORDER_EXPIRED).into()),
        OrderState::Paid | OrderState::Cancelled => return Err(problem(ORDER_STATE_CHANGED).into()),
    }
    execute(call, replay, order[0], Command::PayOrder(id))
}

/// Cancels an order that waits to be paid.
pub fn cancel(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let id = body.order_id.ok_or_else(|| Problem::parameter("order_id is missing."))?;
    let order = of_id(replay, body::order("order_id", &id)?)?;
    if order[0].state != OrderState::AwaitingPayment {
        return Err(problem(NOT_CANCELLABLE).into());
    }
    execute(call, replay, order[0], Command::CancelOrder(id))
}

/// Sends the command to the resource of a line. A plan that needs an approval leaves the order as it is.
fn execute(call: &Call, replay: &mut Replay, line: &OrderView, command: Command) -> OperationResult {
    let resources = [line.resource.clone()];
    let transaction = mutations::commands(&resources, &command, Atomicity::AllOrNothing);
    match replay.execute(transaction)?.first() {
        Some(MutationResult::Refused(refusal)) if refusal.code == PAYMENT_FAILED.code => {
            Err(Problem::code(ORDER_UNDERFUNDED.code, refusal.message.as_str()).into())
        }
        Some(MutationResult::Refused(refusal)) => {
            Err(Problem::refused(Dialect::Present, &line.resource, refusal).into())
        }
        Some(MutationResult::Applied(_) | MutationResult::Pending(_) | MutationResult::Aborted) | None => {
            Ok(response::empty(&call.request.id, 204))
        }
    }
}

fn problem(code: Code) -> Problem {
    Problem::code(code.code, code.message)
}

/// The lines of one order: of several that had this id one after another, the one that waits, or the last.
fn of_id<'a>(replay: &mut Replay<'a>, id: &str) -> Result<Order<'a>, Stop> {
    let lines = replay.orders(OrderFilter { ids: vec![id.to_owned()], ..filter::all_orders() })?;
    let orders = grouped(lines);
    let waits = orders.iter().position(|order| order[0].state == OrderState::AwaitingPayment);
    let chosen = waits.or(orders.len().checked_sub(1));
    chosen.and_then(|index| orders.into_iter().nth(index)).ok_or_else(|| problem(NO_ORDER).into())
}

/// The lines of each order, which share its id and the instant at which it was made.
fn grouped(lines: &[OrderView]) -> Vec<Order<'_>> {
    let mut orders = Vec::<Order>::new();
    for line in lines {
        let is_same = |order: &&mut Order| order[0].id == line.id && order[0].created_at == line.created_at;
        match orders.iter_mut().rev().find(is_same) {
            Some(order) => order.push(line),
            None => orders.push(vec![line]),
        }
    }
    orders
}

fn fields(call: &Call, order: &[&OrderView]) -> Vec<(&'static str, Json)> {
    let first = order[0];
    let of = types::named(&first.kind);
    let amount = order.iter().map(|line| line.cost).fold(0, Micros::saturating_add);
    vec![
        ("order_id", Json::from(first.id.as_str())),
        ("customer_id", Json::from(call.account.id.as_str())),
        ("service_type_code", Json::from(of.map(|of| of.service))),
        ("service_type_name", Json::from(of.map(|of| of.service_name))),
        ("source_type", Json::Whole(1)),
        ("status", Json::Whole(status_of(order))),
        ("order_type", Json::Whole(type_of(first))),
        ("amount_after_discount", Json::Amount(amount)),
        ("official_amount", Json::Amount(amount)),
        ("measure_id", Json::Whole(1)),
        ("create_time", Json::from(rfc3339::write(first.created_at))),
        ("payment_time", Json::from(first.paid_at.map(rfc3339::write))),
    ]
}

/// The status of an order: 4 cancelled, 5 completed, 6 pending payment. One whose lines are not all in one state waits if
/// one does, and else is completed if one is.
fn status_of(order: &[&OrderView]) -> i64 {
    let has = |state| order.iter().any(|line| line.state == state);
    if has(OrderState::AwaitingPayment) {
        6
    } else if has(OrderState::Paid) {
        5
    } else {
        4
    }
}

/// The states of orders with this status; none when no order has it.
fn states_of(status: u32) -> Vec<OrderState> {
    match status {
        4 => vec![OrderState::Cancelled, OrderState::Expired],
        5 => vec![OrderState::Paid],
        6 => vec![OrderState::AwaitingPayment],
        _ => Vec::new(),
    }
}

/// The type of an order: 1 new, 2 renewal, 3 change.
fn type_of(line: &OrderView) -> i64 {
    match line.order_kind {
        OrderKind::Purchase => 1,
        OrderKind::Renewal => 2,
        OrderKind::Upgrade | OrderKind::Downgrade => 3,
    }
}

/// The kinds of orders of this type; none when no order has it.
fn kinds_of(order_type: &str) -> Vec<OrderKind> {
    match order_type {
        "1" => vec![OrderKind::Purchase],
        "2" => vec![OrderKind::Renewal],
        "3" => vec![OrderKind::Upgrade, OrderKind::Downgrade],
        _ => Vec::new(),
    }
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || Problem::parameter(format!("{name} is not of the form 2019-05-06T08:05:01Z."));
    rfc3339::read_utc(&text).map(Some).ok_or_else(wrong)
}
