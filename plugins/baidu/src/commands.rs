//! Dispatches each command to the file with its rules.

use plugin_sdk::Command;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;

use crate::auto_renewal;
use crate::command_target::CommandTarget;
use crate::conversion;
use crate::purchase;
use crate::refusals::Code;
use crate::renewal;
use crate::settings::Settings;
use crate::unsubscription;

/// Plans a command, sent by a client or due by the timeline.
///
/// # Errors
///
/// The provider's refusal. A resource that is gone or pay-as-you-go is refused first, then the parameters, then the
/// state of the resource.
pub fn plan(settings: &Settings, request: &PlanRequest) -> Result<Plan, Refusal> {
    if let Command::Subscribe(wanted) = &request.command {
        return purchase::plan(settings, request, wanted);
    }
    let named = CommandTarget::of(request)?;
    match &request.command {
        Command::Renew(renewal) => renewal::plan(settings, &named, renewal),
        Command::SetAutoRenew(rule) => auto_renewal::set(&named, rule),
        Command::CancelAutoRenew => auto_renewal::cancel(&named),
        Command::Unsubscribe(scope) => unsubscription::plan(settings, &named, *scope),
        Command::ConvertOnExpiry => conversion::set(settings, &named),
        Command::CancelConversion => conversion::cancel(&named),
        Command::ConvertNow => conversion::at_once(settings, &named),
        Command::Change(_) | Command::Subscribe(_) => Err(named.denied("cannot be changed in this way")),
        Command::PayOrder(_) | Command::CancelOrder(_) => {
            Err(named.denied("has no order that waits to be paid"))
        }
        Command::BuyAgain(_) => {
            let id = &named.resource.id;
            Err(Code::OperationDenied
                .because(format!("`{id}` is not a resource package; buy a new resource instead")))
        }
    }
}
