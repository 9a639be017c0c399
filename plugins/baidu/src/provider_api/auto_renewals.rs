//! Auto-renew rules: made and deleted, for an instance with what is attached to it, for a disk and for an address.
//!
//! Documents: batchCreateAutoRenewRules and batchDeleteAutoRenewRules (BCC), "Enable Auto Renewal" and "Cancel Auto
//! Renewal" (CDS), startAutoRenew and stopAutoRenew (EIP). Knows parameters; `crate::auto_renewal`
//! decides what a rule covers.

use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Term;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::settings::get;
use serde::Deserialize;

use crate::kinds::Kind;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::body::required;
use crate::provider_api::body::rule_term;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::changes::months;
use crate::provider_api::changes::renewal_months;
use crate::provider_api::lookup;
use crate::provider_api::request_context::RequestContext;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceRule {
    instance_id: Option<String>,
    renew_time_unit: Option<String>,
    renew_time: Option<WholeNumber>,
    renew_cds: Option<bool>,
    renew_eip: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskRule {
    volume_id: Option<String>,
    renew_time_unit: Option<String>,
    renew_time: Option<WholeNumber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressRule {
    auto_renew_time_unit: Option<String>,
    auto_renew_time: Option<WholeNumber>,
}

/// Handles `POST /v2/instance/batchCreateAutoRenewRules`.
pub fn create(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let rule = body::read::<InstanceRule>(context.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let resource = lookup::by_id(replay, Kind::Bcc, id)?;
    let switches = switches(&rule, resource);
    let in_place = InPlace::from(has_rule(resource, term) && switches.is_empty());
    changes::change(context, replay, in_place, with_command(switches, resource, create_command(term)))
}

/// Handles `POST /v2/instance/batchDeleteAutoRenewRules`.
pub fn delete(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let rule = body::read::<InstanceRule>(context.request)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let resource = lookup::by_id(replay, Kind::Bcc, id)?;
    let switches = switches(&rule, resource);
    let in_place = InPlace::from(has_no_rule(resource) && switches.is_empty());
    changes::change(context, replay, in_place, with_command(switches, resource, Command::CancelAutoRenew))
}

/// Handles `POST /v2/volume/autoRenew`.
pub(crate) fn create_for_disk(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let rule = body::read::<DiskRule>(context.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let resource = lookup::by_id(replay, Kind::Cds, id)?;
    changes::change(
        context,
        replay,
        InPlace::from(has_rule(resource, term)),
        with_command(Vec::new(), resource, create_command(term)),
    )
}

/// Handles `POST /v2/volume/cancelAutoRenew`.
pub(crate) fn delete_for_disk(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let rule = body::read::<DiskRule>(context.request)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let resource = lookup::by_id(replay, Kind::Cds, id)?;
    changes::change(
        context,
        replay,
        without_rule(resource),
        with_command(Vec::new(), resource, Command::CancelAutoRenew),
    )
}

/// Handles `PUT /v1/eip/{eip}?startAutoRenew`.
pub(crate) fn create_for_address(
    context: &RequestContext,
    replay: &mut Replay,
    name: &str,
) -> OperationResult {
    let rule = body::read::<AddressRule>(context.request)?;
    let term = rule_term(rule.auto_renew_time_unit.as_deref(), rule.auto_renew_time)?;
    let resource = lookup::address(replay, name)?;
    changes::change(
        context,
        replay,
        InPlace::from(has_rule(resource, term)),
        with_command(Vec::new(), resource, create_command(term)),
    )
}

/// Handles `PUT /v1/eip/{eip}?stopAutoRenew`.
pub(crate) fn delete_for_address(
    context: &RequestContext,
    replay: &mut Replay,
    name: &str,
) -> OperationResult {
    let resource = lookup::address(replay, name)?;
    changes::change(
        context,
        replay,
        without_rule(resource),
        with_command(Vec::new(), resource, Command::CancelAutoRenew),
    )
}

/// The command that makes a rule of this term.
pub(crate) fn create_command(term: Term) -> Command {
    Command::SetAutoRenew(AutoRenewal { term: Some(term), renewals: None })
}

fn with_command(mut mutations: Vec<Mutation>, resource: &ResourceView, command: Command) -> Vec<Mutation> {
    mutations.push(mutation::command(&resource.id, command));
    mutations
}

/// The instance's switches that the request changes. They decide, for the command that follows in the same transaction
/// and for every automatic renewal, whether disks and addresses are covered. Both are on by default.
fn switches(rule: &InstanceRule, resource: &ResourceView) -> Vec<Mutation> {
    let change = |(name, requested): (&str, Option<bool>)| {
        let (requested, is_on) =
            (requested.unwrap_or(true), get(&resource.attributes, name) != Some("false"));
        let value = if requested { "true" } else { "false" };
        (requested != is_on).then(|| mutation::set_attribute(&resource.id, name, value))
    };
    [(RENEW_CDS, rule.renew_cds), (RENEW_EIP, rule.renew_eip)].into_iter().filter_map(change).collect()
}

/// An attached resource without a rule of its own may be covered by the rule of its instance, which this request does
/// not look up; deleting its rule takes it out of the instance's.
fn without_rule(resource: &ResourceView) -> InPlace {
    match (has_no_rule(resource), &resource.attached_to) {
        (true, Some(_)) => InPlace::Unknown,
        (has_no_rule, _) => InPlace::from(has_no_rule),
    }
}

/// Whether the resource has a rule of its own, of this term.
pub(crate) fn has_rule(resource: &ResourceView, term: Term) -> bool {
    !has_no_rule(resource) && renewal_months(resource) == months(term)
}

fn has_no_rule(resource: &ResourceView) -> bool {
    resource.on_expiry != OnExpiry::Renew
}
