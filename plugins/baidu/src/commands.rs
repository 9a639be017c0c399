//! Dispatches each command to the file with its rules, and has the parts that several of these files need.

use plugin_sdk::Command;
use plugin_sdk::MemberIndex;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Step;

use crate::auto_renewal;
use crate::conversion;
use crate::members::Subscription;
use crate::members::has_lapsed;
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

/// The resource that a command names, with its request.
pub struct CommandTarget<'a> {
    /// The request that is answered.
    pub request: &'a PlanRequest,
    /// Its index in the bundle.
    pub member: MemberIndex,
    /// The resource itself: prepaid, and not gone.
    pub resource: &'a Resource,
    /// Its expiry and its periods.
    pub subscription: Subscription,
}

impl<'a> CommandTarget<'a> {
    fn of(request: &'a PlanRequest) -> Result<CommandTarget<'a>, Refusal> {
        let member = request.member;
        let resource = &request.bundle[member as usize];
        let subscription = Subscription::of(resource)
            .map_err(|refusal| conversion::refusal_for(request, resource, refusal))?;
        Ok(CommandTarget { request, member, resource, subscription })
    }

    /// Whether its expiry has passed.
    pub(crate) fn has_expired(&self) -> bool {
        has_lapsed(self.resource) || self.subscription.expires_at <= self.request.at
    }

    /// A refusal with `OperationDenied` that begins with the resource's id.
    pub fn denied(&self, message: &str) -> Refusal {
        Code::OperationDenied.because(format!("`{}` {message}", self.resource.id))
    }
}

/// A plan under construction.
#[derive(Debug, Default)]
pub struct Draft {
    steps: Vec<Step>,
    skipped: Vec<SkippedMember>,
}

impl Draft {
    /// Adds a step.
    pub fn step(&mut self, member: MemberIndex, operation: Operation) {
        self.steps.push(Step { member, operation });
    }

    /// Adds a step that gives an attribute a new value.
    pub fn attribute(&mut self, member: MemberIndex, name: &str, value: &str) {
        self.step(member, Operation::SetAttribute((name.to_owned(), value.to_owned())));
    }

    /// Skips a member for this reason.
    pub fn leave(&mut self, member: MemberIndex, reason: Refusal) {
        self.skipped.push(SkippedMember { member, reason });
    }

    /// The finished plan. It never retries immediately: with less than 24 hours left, Baidu advises a renewal by hand.
    pub fn plan(self) -> Plan {
        Plan { steps: self.steps, skipped: self.skipped, retry_now: None, pay_until: None }
    }
}
