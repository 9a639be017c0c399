//! Auto-renew rules: made and deleted, for an instance with what is attached to it, for a disk and for an address.
//!
//! Documents: batchCreateAutoRenewRules and batchDeleteAutoRenewRules (BCC), "Enable Auto Renewal" and "Cancel Auto
//! Renewal" (CDS), startAutoRenew and stopAutoRenew (EIP). Knows parameters; what a rule covers is in
//! `crate::auto_renewal`.

use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Term;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::settings::get;
use serde::Deserialize;

use crate::kinds::Kind;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;
use crate::provider_api::bodies;
use crate::provider_api::bodies::Count;
use crate::provider_api::bodies::required;
use crate::provider_api::bodies::rule_term;
use crate::provider_api::changes;
use crate::provider_api::changes::Standing;
use crate::provider_api::changes::months;
use crate::provider_api::changes::renewal_months;
use crate::provider_api::faults::Fault;
use crate::provider_api::found;
use crate::provider_api::found::found;
use crate::provider_api::request_context::RequestContext;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceRule {
    instance_id: Option<String>,
    renew_time_unit: Option<String>,
    renew_time: Option<Count>,
    renew_cds: Option<bool>,
    renew_eip: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskRule {
    volume_id: Option<String>,
    renew_time_unit: Option<String>,
    renew_time: Option<Count>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressRule {
    auto_renew_time_unit: Option<String>,
    auto_renew_time: Option<Count>,
}

/// `POST /v2/instance/batchCreateAutoRenewRules`.
pub fn create(asked: &RequestContext) -> Result<NextStep, Fault> {
    let rule = bodies::read::<InstanceRule>(&asked.context.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    let switches = switches(&rule, subject);
    let standing = standing(has_rule(subject, term) && switches.is_empty());
    changes::change(asked, standing, with(switches, subject, made(term)))
}

/// `POST /v2/instance/batchDeleteAutoRenewRules`.
pub fn delete(asked: &RequestContext) -> Result<NextStep, Fault> {
    let rule = bodies::read::<InstanceRule>(&asked.context.request)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    let switches = switches(&rule, subject);
    let standing = standing(has_no_rule(subject) && switches.is_empty());
    changes::change(asked, standing, with(switches, subject, Command::CancelAutoRenew))
}

/// `POST /v2/volume/autoRenew`.
pub fn create_for_disk(asked: &RequestContext) -> Result<NextStep, Fault> {
    let rule = bodies::read::<DiskRule>(&asked.context.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    changes::change(asked, standing(has_rule(subject, term)), with(Vec::new(), subject, made(term)))
}

/// `POST /v2/volume/cancelAutoRenew`.
pub fn delete_for_disk(asked: &RequestContext) -> Result<NextStep, Fault> {
    let rule = bodies::read::<DiskRule>(&asked.context.request)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    changes::change(asked, without_rule(subject), with(Vec::new(), subject, Command::CancelAutoRenew))
}

/// `PUT /v1/eip/{eip}?startAutoRenew`.
pub fn create_for_address(asked: &RequestContext, name: &str) -> Result<NextStep, Fault> {
    let rule = bodies::read::<AddressRule>(&asked.context.request)?;
    let term = rule_term(rule.auto_renew_time_unit.as_deref(), rule.auto_renew_time)?;
    let subject = found!(found::address(asked, name));
    changes::change(asked, standing(has_rule(subject, term)), with(Vec::new(), subject, made(term)))
}

/// `PUT /v1/eip/{eip}?stopAutoRenew`.
pub fn delete_for_address(asked: &RequestContext, name: &str) -> Result<NextStep, Fault> {
    let subject = found!(found::address(asked, name));
    changes::change(asked, without_rule(subject), with(Vec::new(), subject, Command::CancelAutoRenew))
}

fn made(term: Term) -> Command {
    Command::SetAutoRenew(AutoRenewal { term: Some(term), renewals: None })
}

fn with(mut mutations: Vec<Mutation>, subject: &ResourceView, command: Command) -> Vec<Mutation> {
    mutations.push(changes::command(&subject.id, command));
    mutations
}

/// The instance's switches that a request turns over: they say, to the command that follows in the same action and to
/// every automatic renewal, whether disks and addresses are covered. Both are on where nothing is said.
fn switches(rule: &InstanceRule, subject: &ResourceView) -> Vec<Mutation> {
    let turned = |(name, wanted): (&str, Option<bool>)| {
        let (wanted, is_on) = (wanted.unwrap_or(true), get(&subject.attributes, name) != Some("false"));
        let value = if wanted { "true" } else { "false" };
        (wanted != is_on).then(|| changes::attribute(&subject.id, name, value))
    };
    [(RENEW_CDS, rule.renew_cds), (RENEW_EIP, rule.renew_eip)].into_iter().filter_map(turned).collect()
}

fn standing(is_there: bool) -> Standing {
    if is_there { Standing::Given } else { Standing::Missing }
}

/// What is attached may have no rule and be covered by that of its instance, which is not seen from here; deleting its
/// rule takes it out of that.
fn without_rule(subject: &ResourceView) -> Standing {
    match (has_no_rule(subject), &subject.attached_to) {
        (true, Some(_)) => Standing::Unclear,
        (is_there, _) => standing(is_there),
    }
}

fn has_rule(subject: &ResourceView, term: Term) -> bool {
    !has_no_rule(subject) && renewal_months(subject) == months(term)
}

fn has_no_rule(subject: &ResourceView) -> bool {
    subject.on_expiry != OnExpiry::Renew
}
