//! Creates and deletes auto-renew rules; a rule is never changed.
//!
//! Document: "Auto-renew rules" (BCC), with "Enable auto-renewal" and "Cancel Auto-renewal" (CDS). Knows which
//! resources a rule covers; `lifecycle` knows when it acts.

use plugin_sdk::AutoRenewal;
use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;

use crate::command_target::CommandTarget;
use crate::command_target::Draft;
use crate::following::Apart;
use crate::following::leader;
use crate::following::switch;
use crate::following::term_left_by;
use crate::kinds::GENERAL_LENGTHS;
use crate::kinds::Kind;
use crate::kinds::general_months;
use crate::members::attached;
use crate::members::is_dedicated;
use crate::members::is_final;
use crate::members::is_off;
use crate::refusals::Code;

/// Plans the creation of a rule, for the instance and for the prepaid disks and addresses that the rule covers.
pub fn set(named: &CommandTarget, rule: &AutoRenewal) -> Result<Plan, Refusal> {
    let term = rule.term.unwrap_or(named.subscription.term);
    if general_months(term).is_none() {
        return Err(Code::BadRequest.because(format!("an auto-renew rule renews by {GENERAL_LENGTHS}")));
    }
    if rule.renewals.is_some() {
        return Err(
            Code::BadRequest.because("an auto-renew rule has no number of renewals; it ends when deleted")
        );
    }
    check_state(named)?;
    match named.resource.on_expiry {
        OnExpiry::Renew => {
            return Err(named.denied("has an auto-renew rule; delete it before making another"));
        }
        OnExpiry::Convert => return Err(named.denied("is set to become pay-as-you-go; cancel that first")),
        OnExpiry::Lapse | OnExpiry::Release => {}
    }
    let mut draft = Draft::default();
    draft.step(named.member, Operation::SetAutoRenew(*rule));
    if let Some(switch) =
        switch(Kind::of(&named.resource.kind)).filter(|switch| is_off(named.resource, switch))
    {
        draft.attribute(named.member, switch, "true");
    }
    draft.forget_left_out(named.member, named.resource);
    for (member, resource) in attached(&named.request.bundle, named.member) {
        draft.forget_left_out(member, resource);
        match gets_rule(named, resource) {
            Ok(switch) => {
                draft.step(member, Operation::SetAutoRenew(AutoRenewal { term: Some(term), renewals: None }));
                if is_off(resource, switch) {
                    draft.attribute(member, switch, "true");
                }
            }
            Err(apart) => draft.leave(member, apart.reason()),
        }
    }
    Ok(draft.plan())
}

/// Plans the deletion of a rule. A disk or an address without a rule of its own, which its instance's rule covers, is
/// taken out of the instance's rule.
pub fn cancel(named: &CommandTarget) -> Result<Plan, Refusal> {
    check_state(named)?;
    let switch = switch(Kind::of(&named.resource.kind)).filter(|_| is_covered(named));
    let has_rule = named.resource.on_expiry == OnExpiry::Renew;
    // What a try left out is still tried when its instance's rule has ended.
    let instance = named.resource.attached_to.map(|member| &named.request.bundle[member as usize]);
    let is_left_out = instance.is_some_and(|instance| term_left_by(instance, named.resource).is_some());
    if !has_rule && switch.is_none() && !is_left_out {
        return Err(named.denied("has no auto-renew rule"));
    }
    let mut draft = Draft::default();
    if has_rule {
        draft.step(named.member, Operation::SetOnExpiry(OnExpiry::Lapse));
    }
    if let Some(switch) = switch {
        draft.attribute(named.member, switch, "false");
    }
    draft.forget_left_out(named.member, named.resource);
    for (member, resource) in attached(&named.request.bundle, named.member) {
        draft.forget_left_out(member, resource);
        match loses_rule(named, resource) {
            Ok(()) => draft.step(member, Operation::SetOnExpiry(OnExpiry::Lapse)),
            Err(apart) => draft.leave(member, apart.reason()),
        }
    }
    Ok(draft.plan())
}

fn check_state(named: &CommandTarget) -> Result<(), Refusal> {
    if named.has_expired() {
        return Err(named.denied("has expired; auto-renew rules are for resources that have not"));
    }
    if is_dedicated(named.resource) {
        return Err(named.denied("runs on a dedicated host; dedicated instances cannot be renewed"));
    }
    Ok(())
}

/// Whether its instance's rule would renew it if it had no rule of its own.
fn is_covered(named: &CommandTarget) -> bool {
    let without_rule = Resource { on_expiry: OnExpiry::Lapse, ..named.resource.clone() };
    match named.resource.on_expiry {
        OnExpiry::Lapse | OnExpiry::Renew => leader(&named.request.bundle, &without_rule).is_some(),
        OnExpiry::Convert | OnExpiry::Release => false,
    }
}

/// Switches on the rule of an attached member together with its instance's, or returns why it does not.
fn gets_rule(named: &CommandTarget, resource: &Resource) -> Result<&'static str, Apart> {
    let switch = covers(named, resource)?;
    match resource.on_expiry {
        OnExpiry::Lapse => Ok(switch),
        OnExpiry::Renew => Err(Apart::OwnRule),
        OnExpiry::Convert | OnExpiry::Release => Err(Apart::Ends),
    }
}

fn loses_rule(named: &CommandTarget, resource: &Resource) -> Result<(), Apart> {
    covers(named, resource)?;
    match resource.on_expiry {
        OnExpiry::Renew => Ok(()),
        OnExpiry::Lapse => Err(Apart::NoRule),
        OnExpiry::Convert | OnExpiry::Release => Err(Apart::Ends),
    }
}

fn covers(named: &CommandTarget, resource: &Resource) -> Result<&'static str, Apart> {
    let switch = switch(Kind::of(&resource.kind)).ok_or(Apart::OtherKind)?;
    if is_final(resource) {
        return Err(Apart::Gone);
    }
    if resource.charging == Charging::Postpaid {
        return Err(Apart::Postpaid);
    }
    if resource.stage != Stage::Active || resource.expires_at.is_some_and(|at| at <= named.request.at) {
        return Err(Apart::Expired);
    }
    if is_off(named.resource, switch) {
        return Err(Apart::SwitchedOff);
    }
    Ok(switch)
}
