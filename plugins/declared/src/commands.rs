//! Dispatches each command to the file with its rules, and has the commands that need no file.

use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;

use crate::refusals::Situation;
use crate::renewal;
use crate::rules::Rules;
use crate::target::Draft;
use crate::target::Target;
use crate::unsubscription;

/// Plans a command, sent by a client or due by the timeline.
///
/// # Errors
///
/// The provider's refusal. A resource that is gone or pay-per-use is refused first, then the parameters, then its state.
pub(crate) fn plan(rules: &Rules<'_>, request: &PlanRequest) -> Result<Plan, Refusal> {
    let target = Target::of(rules, request)?;
    match &request.command {
        Command::Renew(renewal) => renewal::plan(&target, renewal),
        Command::SetAutoRenew(wanted) => set_auto_renew(&target, *wanted),
        Command::CancelAutoRenew => cancel_auto_renew(&target),
        Command::Unsubscribe(scope) => unsubscription::plan(&target, *scope),
        Command::ConvertOnExpiry if rules.table.converts_on_expiry => convert_on_expiry(&target),
        Command::CancelConversion if rules.table.converts_on_expiry => cancel_conversion(&target),
        Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::ConvertNow
        | Command::BuyAgain(_)
        | Command::Change(_)
        | Command::Subscribe(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => {
            Err(target.refusal(Situation::NotSupported, "cannot be changed in this way at this provider"))
        }
    }
}

fn set_auto_renew(target: &Target<'_>, wanted: AutoRenewal) -> Result<Plan, Refusal> {
    renewal::check_sold(target.rules, target.resource, wanted.term.unwrap_or(target.subscription.term))?;
    target.check_not_expired()?;
    one_step(target, Operation::SetAutoRenew(wanted))
}

fn cancel_auto_renew(target: &Target<'_>) -> Result<Plan, Refusal> {
    if target.resource.on_expiry != OnExpiry::Renew {
        return Err(target.refusal(Situation::NothingToChange, "is not renewed automatically"));
    }
    one_step(target, Operation::SetOnExpiry(OnExpiry::Lapse))
}

fn convert_on_expiry(target: &Target<'_>) -> Result<Plan, Refusal> {
    target.check_not_expired()?;
    if target.resource.on_expiry == OnExpiry::Convert {
        return Err(target.refusal(Situation::NothingToChange, "is set to become pay-per-use already"));
    }
    one_step(target, Operation::SetOnExpiry(OnExpiry::Convert))
}

fn cancel_conversion(target: &Target<'_>) -> Result<Plan, Refusal> {
    target.check_not_expired()?;
    if target.resource.on_expiry != OnExpiry::Convert {
        return Err(target.refusal(Situation::NothingToChange, "is not set to become pay-per-use"));
    }
    one_step(target, Operation::SetOnExpiry(OnExpiry::Lapse))
}

fn one_step(target: &Target<'_>, operation: Operation) -> Result<Plan, Refusal> {
    let mut draft = Draft::default();
    draft.step(target.request.member, operation);
    Ok(draft.plan())
}
