//! Auto-renew rules: made and deleted, for an instance with what is attached to it, for a disk and for an address.
//!
//! Documents: batchCreateAutoRenewRules and batchDeleteAutoRenewRules (BCC), "Enable Auto Renewal" and "Cancel Auto
//! Renewal" (CDS), startAutoRenew and stopAutoRenew (EIP). Knows parameters; what a rule covers is in
//! `crate::auto_renewal`.

use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Term;
use plugin_sdk::endpoint::Deed;
use plugin_sdk::endpoint::Step;
use plugin_sdk::endpoint::Subject;
use plugin_sdk::settings::get;
use serde::Deserialize;

use crate::endpoint::asked::Asked;
use crate::endpoint::bodies;
use crate::endpoint::bodies::Count;
use crate::endpoint::bodies::required;
use crate::endpoint::bodies::rule_term;
use crate::endpoint::changes;
use crate::endpoint::changes::Standing;
use crate::endpoint::changes::months;
use crate::endpoint::changes::renewal_months;
use crate::endpoint::faults::Fault;
use crate::endpoint::found;
use crate::endpoint::found::found;
use crate::kinds::Kind;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;

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
pub fn create(asked: &Asked) -> Result<Step, Fault> {
    let rule = bodies::read::<InstanceRule>(&asked.turn.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    let switches = switches(&rule, subject);
    let standing = standing(has_rule(subject, term) && switches.is_empty());
    changes::change(asked, standing, with(switches, subject, made(term)))
}

/// `POST /v2/instance/batchDeleteAutoRenewRules`.
pub fn delete(asked: &Asked) -> Result<Step, Fault> {
    let rule = bodies::read::<InstanceRule>(&asked.turn.request)?;
    let id = required("instanceId", rule.instance_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    let switches = switches(&rule, subject);
    let standing = standing(has_no_rule(subject) && switches.is_empty());
    changes::change(asked, standing, with(switches, subject, Command::CancelAutoRenew))
}

/// `POST /v2/volume/autoRenew`.
pub fn create_for_disk(asked: &Asked) -> Result<Step, Fault> {
    let rule = bodies::read::<DiskRule>(&asked.turn.request)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    changes::change(asked, standing(has_rule(subject, term)), with(Vec::new(), subject, made(term)))
}

/// `POST /v2/volume/cancelAutoRenew`.
pub fn delete_for_disk(asked: &Asked) -> Result<Step, Fault> {
    let rule = bodies::read::<DiskRule>(&asked.turn.request)?;
    let id = required("volumeId", rule.volume_id.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    changes::change(asked, without_rule(subject), with(Vec::new(), subject, Command::CancelAutoRenew))
}

/// `PUT /v1/eip/{eip}?startAutoRenew`.
pub fn create_for_address(asked: &Asked, name: &str) -> Result<Step, Fault> {
    let rule = bodies::read::<AddressRule>(&asked.turn.request)?;
    let term = rule_term(rule.auto_renew_time_unit.as_deref(), rule.auto_renew_time)?;
    let subject = found!(found::address(asked, name));
    changes::change(asked, standing(has_rule(subject, term)), with(Vec::new(), subject, made(term)))
}

/// `PUT /v1/eip/{eip}?stopAutoRenew`.
pub fn delete_for_address(asked: &Asked, name: &str) -> Result<Step, Fault> {
    let subject = found!(found::address(asked, name));
    changes::change(asked, without_rule(subject), with(Vec::new(), subject, Command::CancelAutoRenew))
}

fn made(term: Term) -> Command {
    Command::SetAutoRenew(AutoRenewal { term: Some(term), renewals: None })
}

fn with(mut deeds: Vec<Deed>, subject: &Subject, command: Command) -> Vec<Deed> {
    deeds.push(changes::command(&subject.id, command));
    deeds
}

/// The instance's switches that a request turns over: they say, to the command that follows in the same action and to
/// every automatic renewal, whether disks and addresses are covered. Both are on where nothing is said.
fn switches(rule: &InstanceRule, subject: &Subject) -> Vec<Deed> {
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
fn without_rule(subject: &Subject) -> Standing {
    match (has_no_rule(subject), &subject.attached_to) {
        (true, Some(_)) => Standing::Unclear,
        (is_there, _) => standing(is_there),
    }
}

fn has_rule(subject: &Subject, term: Term) -> bool {
    !has_no_rule(subject) && renewal_months(subject) == months(term)
}

fn has_no_rule(subject: &Subject) -> bool {
    subject.on_expiry != OnExpiry::Renew
}
