//! Commands on a resource that have a plan: what each sends.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::act::PlanArguments;
use crate::cli::act::PlannedCommand;
use crate::cli::input;
use crate::cli::resource::AutoRenew;
use crate::cli::resource::BuyAgain;
use crate::cli::resource::Change;
use crate::cli::resource::Convert;
use crate::cli::resource::Order;
use crate::cli::resource::Renew;
use crate::cli::resource::Subscribe;
use crate::cli::resource::Unsubscribe;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

/// What a command asks and how.
struct To<'a> {
    context: &'a Context,
    target: &'a TargetArguments,
    id: &'a str,
    plan: &'a PlanArguments,
}

impl To<'_> {
    fn run(&self, route: &'static str, verb: &'static str, body: Map<String, Value>) -> anyhow::Result<()> {
        let command = PlannedCommand { route, resource: self.id.to_owned(), verb, body };
        command.run(self.context, self.target, self.plan)
    }
}

/// The fields that have a value.
fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Options of the provider's own: JSON where a value is JSON, and else a text.
fn options(pairs: &[(String, String)]) -> Result<Option<Value>, UserError> {
    input::check_once("option", pairs.iter().map(|(name, _)| name.as_str()))?;
    let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let options = pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect::<Map<_, _>>();
    Ok((!options.is_empty()).then(|| options.into()))
}

pub(super) fn renew(context: &Context, target: &TargetArguments, action: &Renew) -> anyhow::Result<()> {
    let Renew { id, term, options: pairs, plan } = action;
    let body = fields([("term", term.clone()), ("options", options(pairs)?)]);
    To { context, target, id, plan }.run("/v1/resources/{id}:renew", "renew", body)
}

pub(super) fn auto_renew(
    context: &Context,
    target: &TargetArguments,
    action: &AutoRenew,
) -> anyhow::Result<()> {
    let AutoRenew { id, off, term, renewals, plan } = action;
    let to = To { context, target, id, plan };
    if *off {
        return to.run("/v1/resources/{id}:cancel-auto-renew", "turn auto-renew off for", Map::new());
    }
    let body = fields([("term", term.clone()), ("renewals", renewals.map(Value::from))]);
    to.run("/v1/resources/{id}:set-auto-renew", "turn auto-renew on for", body)
}

pub(super) fn unsubscribe(
    context: &Context,
    target: &TargetArguments,
    action: &Unsubscribe,
) -> anyhow::Result<()> {
    let Unsubscribe { id, scope, plan } = action;
    let body = fields([("scope", Some(scope.name().into()))]);
    To { context, target, id, plan }.run("/v1/resources/{id}:unsubscribe", "unsubscribe", body)
}

pub(super) fn convert(context: &Context, target: &TargetArguments, action: &Convert) -> anyhow::Result<()> {
    let Convert { id, now, on_expiry, cancel: _, plan } = action;
    let to = To { context, target, id, plan };
    match (now, on_expiry) {
        (true, _) => to.run("/v1/resources/{id}:convert-now", "convert", Map::new()),
        (false, true) => to.run("/v1/resources/{id}:convert-on-expiry", "convert at its expiry", Map::new()),
        (false, false) => {
            to.run("/v1/resources/{id}:cancel-conversion", "cancel the conversion of", Map::new())
        }
    }
}

pub(super) fn buy_again(
    context: &Context,
    target: &TargetArguments,
    action: &BuyAgain,
) -> anyhow::Result<()> {
    let BuyAgain { id, pay_at, effective_at, plan } = action;
    check_package(&context.client(target)?, id)?;
    let instant = |at: &Option<_>| at.map(|at: perennial_domain::timestamp::Timestamp| at.to_string().into());
    let body = fields([("pay_at", instant(pay_at)), ("effective_at", instant(effective_at))]);
    To { context, target, id, plan }.run("/v1/resources/{id}:buy-again", "buy again", body)
}

/// Refuses to buy again what is no package, of which a provider's code alone says little.
fn check_package(client: &Client, id: &str) -> anyhow::Result<()> {
    let look = Request::new("GET", "/v1/resources/{id}", &[id]).to(format!("buy again `{id}`"));
    if client.send(&look)?.json()?["package"].is_null() {
        let message = format!(
            "cannot buy again `{id}`: it is no package; `perennial package list` lists packages, and `perennial resource renew \
             {id}` renews it"
        );
        return Err(UserError::Argument(message).into());
    }
    Ok(())
}

pub(super) fn change(context: &Context, target: &TargetArguments, action: &Change) -> anyhow::Result<()> {
    let Change { id, price, attributes, options: pairs, plan } = action;
    input::check_once("attribute", attributes.iter().map(|(name, _)| name.as_str()))?;
    let attributes =
        attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>();
    let attributes = (!attributes.is_empty()).then(|| attributes.into());
    let body =
        fields([("price", Some(json!(price))), ("attributes", attributes), ("options", options(pairs)?)]);
    To { context, target, id, plan }.run("/v1/resources/{id}:change", "change", body)
}

pub(super) fn subscribe(
    context: &Context,
    target: &TargetArguments,
    action: &Subscribe,
) -> anyhow::Result<()> {
    let Subscribe { id, term, price, options: pairs, plan } = action;
    let price = price.as_ref().map(|price| json!(price));
    let body = fields([("term", term.clone()), ("price", price), ("options", options(pairs)?)]);
    To { context, target, id, plan }.run("/v1/resources/{id}:subscribe", "subscribe", body)
}

pub(super) fn pay_order(context: &Context, target: &TargetArguments, action: &Order) -> anyhow::Result<()> {
    let Order { id, order, plan } = action;
    let body = fields([("order", Some(json!(order)))]);
    To { context, target, id, plan }.run("/v1/resources/{id}:pay-order", "pay an order of", body)
}

pub(super) fn cancel_order(
    context: &Context,
    target: &TargetArguments,
    action: &Order,
) -> anyhow::Result<()> {
    let Order { id, order, plan } = action;
    let body = fields([("order", Some(json!(order)))]);
    To { context, target, id, plan }.run("/v1/resources/{id}:cancel-order", "cancel an order of", body)
}
