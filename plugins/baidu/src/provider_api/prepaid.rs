//! Changes of the billing mode: what becomes prepaid, as a purchase for the asked months.
//!
//! Documents: the change of several instances (BCC: cloud.baidu.com/doc/BCC/s/Rlfkr70zl), "Billing Change-Switch to
//! Prepayment" (BCC: Ck48btf29), "Change the Disk Billing Mode" (CDS: Qjwvyo38j), "EIP后付费转预付费" (EIP: Hmdcuecxr).
//! Knows parameters and responses; `crate::purchase` decides what a purchase is.

use plugin_sdk::Command;
use plugin_sdk::Subscribe;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderState;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::settings::get;
use serde::Deserialize;

use crate::members::MONTHLY_PRICE;
use crate::options::AUTO_PAY;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::auto_renewals;
use crate::provider_api::body;
use crate::provider_api::body::Billing;
use crate::provider_api::body::required;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::changes::TransactionResult;
use crate::provider_api::charging_batch;
use crate::provider_api::charging_batch::ChangeResponse;
use crate::provider_api::charging_batch::is_postpaid;
use crate::provider_api::lookup;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

/// The bandwidth of an address, which a purchase does not change.
const BANDWIDTH: &str = "bandwidthInMbps";

#[derive(Deserialize)]
struct Batch {
    config: Option<Vec<Object<Purchase>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Purchase {
    instance_id: Option<String>,
    duration: Option<WholeNumber>,
    auto_pay: Option<bool>,
    auto_renew: Option<bool>,
    auto_renew_period: Option<WholeNumber>,
    relation_cds: Option<bool>,
    cds_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressPurchase {
    purchase_length: Option<WholeNumber>,
    band_width: Option<WholeNumber>,
}

/// What a purchase is for.
struct Terms {
    /// `None` aligns a disk with its instance.
    term: Option<Term>,
    /// The term of the auto-renew rule that is made along with it.
    rule: Option<Term>,
    /// Whether the order waits to be paid.
    is_paid_later: bool,
}

impl Purchase {
    fn terms(&self) -> Result<Terms, Problem> {
        let is_paid_later = self.auto_pay == Some(false);
        let term = months("duration", required("duration", self.duration)?)?;
        let rule = match (self.auto_renew, self.auto_renew_period) {
            (Some(true), period) => Some(months("autoRenewPeriod", period.unwrap_or(WholeNumber(1)))?),
            (Some(false) | None, _) => None,
        };
        if is_paid_later && rule.is_some() {
            let message =
                "an auto-renew rule is made once the order is paid; leave `autoRenew` out, or set `autoPay`";
            return Err(Problem::new("OperationDenied", message));
        }
        Ok(Terms { term: Some(term), rule, is_paid_later })
    }
}

/// Handles `POST /v2/instance/batch/charging?toPrepay`.
pub(crate) fn instances(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let batch = body::read::<Batch>(context.request)?;
    let purchases = required("config", batch.config)?;
    let purchases = purchases.into_iter().map(|Object(purchase)| purchase).collect::<Vec<_>>();
    let ids = charging_batch::instance_ids(purchases.iter().map(|purchase| purchase.instance_id.as_deref()))?;
    buy(context, replay, &ids, &purchases)
}

/// Handles `POST /v2/instance/{id}?toPrepay`.
pub(crate) fn instance(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let purchase = body::read::<Purchase>(context.request)?;
    let ids = charging_batch::instance_ids([Some(id)].into_iter())?;
    buy(context, replay, &ids, &[purchase])
}

/// Buys every instance with its pay-as-you-go disks, or none. With a token, what is prepaid already was bought by the
/// same request, sent before, and so was what has an order that waits to be paid.
fn buy(
    context: &RequestContext,
    replay: &mut Replay,
    ids: &[String],
    purchases: &[Purchase],
) -> OperationResult {
    let terms = purchases.iter().map(Purchase::terms).collect::<Result<Vec<_>, Problem>>();
    // An instance that there is not is said first.
    let page = charging_batch::find(replay, ids)?;
    let instances = charging_batch::find_instances(page, ids)?;
    let has_token = context.parameters.token()?.is_some();
    let waiting = if has_token { waiting(replay, ids)? } else { Vec::new() };
    let mut mutations = Vec::new();
    for ((instance, purchase), terms) in instances.iter().zip(purchases).zip(terms?) {
        let named = purchase.cds_list.as_deref().unwrap_or_default();
        let is_every = purchase.relation_cds == Some(true);
        let disks = charging_batch::disks(page, instance, is_every, named, is_postpaid)?;
        if let Some(disk) = disks.iter().find(|disk| !is_postpaid(disk) && !has_token) {
            return Err(Problem::new("OperationDenied", format!("`{}` is prepaid already", disk.id)).into());
        }
        if let Some(disk) = disks.iter().find(|disk| get(&disk.attributes, MONTHLY_PRICE).is_none()) {
            let message = format!("no price is known of `{}`; set its attribute `{MONTHLY_PRICE}`", disk.id);
            return Err(Problem::new("OperationDenied", message).into());
        }
        let is_ordered = waiting.contains(&&*instance.id);
        if !has_token || is_postpaid(instance) && !is_ordered {
            mutations.extend(purchase_of(instance, &terms));
        }
    }
    match changes::execute(replay, changes::all_or_nothing(mutations))? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        TransactionResult::Applied(_) => {
            let order_id = charging_batch::latest_orders(replay, ids.to_vec(), |order| {
                let is_open = matches!(order.state, OrderState::Paid | OrderState::AwaitingPayment);
                is_open.then_some(order.created_at)
            })?;
            Ok(response::object(context.id(), &ChangeResponse { order_id }))
        }
    }
}

/// Those of these resources of which an order waits to be paid.
fn waiting<'a>(replay: &mut Replay<'a>, ids: &[String]) -> Result<Vec<&'a str>, Stop> {
    let states = vec![OrderState::AwaitingPayment];
    let filter = OrderFilter { resources: ids.to_vec(), states, ..filter::all_orders() };
    Ok(replay.orders(filter)?.iter().map(|order| order.resource.as_str()).collect())
}

/// A disk becomes prepaid for a length, or without one to the expiry of its instance.
pub(crate) fn disk(
    context: &RequestContext,
    replay: &mut Replay,
    resource: &ResourceView,
    billing: Option<Object<Billing>>,
) -> OperationResult {
    let term = match &billing {
        Some(Object(billing)) => billing.purchase_length()?,
        None => None,
    };
    let mutations = purchase_of(resource, &Terms { term, rule: None, is_paid_later: false });
    changes::change(context, replay, InPlace::No, mutations)
}

/// Handles `PUT /v1/eip/{eip}?action=TO_PREPAY`.
pub(crate) fn address(context: &RequestContext, replay: &mut Replay, name: &str) -> OperationResult {
    let purchase = body::read::<AddressPurchase>(context.request)?;
    let length = months("purchaseLength", required("purchaseLength", purchase.purchase_length)?);
    let WholeNumber(bandwidth) = required("bandWidth", purchase.band_width)?;
    let resource = lookup::address(replay, name)?;
    let present = get(&resource.attributes, BANDWIDTH).and_then(|value| value.parse::<i64>().ok());
    if present.is_some_and(|present| present != bandwidth) {
        return Err(Stop::from(Problem::new(
            "OperationDenied",
            format!("`{}` keeps its bandwidth; send the present one", resource.id),
        )));
    }
    let mutations = purchase_of(resource, &Terms { term: Some(length?), rule: None, is_paid_later: false });
    changes::change(context, replay, InPlace::from(!is_postpaid(resource)), mutations)
}

fn purchase_of(resource: &ResourceView, terms: &Terms) -> Vec<Mutation> {
    let later = terms.is_paid_later.then(|| (AUTO_PAY.to_owned(), "false".to_owned()));
    let subscribe = Subscribe { term: terms.term, price: None, options: later.into_iter().collect() };
    let rule = terms.rule.map(auto_renewals::create_command);
    let commands = [Some(Command::Subscribe(subscribe)), rule].into_iter().flatten();
    commands.map(|command| mutation::command(&resource.id, command)).collect()
}

/// A number of months, above 0.
fn months(name: &str, WholeNumber(count): WholeNumber) -> Result<Term, Problem> {
    match u32::try_from(count) {
        Ok(count) if count > 0 => Ok(Term { count, unit: TermUnit::Month }),
        Ok(_) | Err(_) => Err(Problem::bad_request(format!("`{name}` is a number of months, 1 or more"))),
    }
}
