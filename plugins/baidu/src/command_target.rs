//! The resource that a command names, and the plan under construction: what the files with the rules of commands share.

use plugin_sdk::Command;
use plugin_sdk::MemberIndex;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::left_out::ExpiryMove;
use plugin_sdk::left_out::LeftOut;
use plugin_sdk::left_out::is_said;
use plugin_sdk::settings::get;

use crate::following::LEFT_OUT;
use crate::kinds::Kind;
use crate::members::Subscription;
use crate::members::has_lapsed;
use crate::refusals::Code;
use crate::tries::CALENDAR;

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
    /// The resource that `request` names.
    ///
    /// # Errors
    ///
    /// The refusal of a resource that is gone or pay-as-you-go.
    pub(crate) fn of(request: &'a PlanRequest) -> Result<CommandTarget<'a>, Refusal> {
        let member = request.member;
        let resource = &request.bundle[member as usize];
        let subscription =
            Subscription::of(resource).map_err(|refusal| refusal_for(request, resource, refusal))?;
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

/// The refusal of a command on a resource that is gone or pay-as-you-go: for disks, this change has a code of its own.
fn refusal_for(request: &PlanRequest, resource: &Resource, refusal: Refusal) -> Refusal {
    let is_disk = Kind::of(&resource.kind) == Kind::Cds;
    let is_denied = refusal.code == Code::OperationDenied.name();
    match &request.command {
        Command::ConvertOnExpiry | Command::ConvertNow if is_disk && is_denied => {
            Code::PaymentTypeNotSupportToPostpay.because(refusal.message)
        }
        Command::ConvertOnExpiry
        | Command::Renew(_)
        | Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::Unsubscribe(_)
        | Command::CancelConversion
        | Command::ConvertNow
        | Command::BuyAgain(_)
        | Command::Change(_)
        | Command::Subscribe(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => refusal,
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

    /// Says of this member that its instance left it behind for this term from `at` on, or that it did not; `from` and `until`
    /// are the instance's expiries before and now.
    pub(crate) fn left_behind(
        &mut self,
        (member, resource): (MemberIndex, &Resource),
        at: Timestamp,
        (from, until): (Timestamp, Timestamp),
        term: Option<Term>,
    ) {
        let [today, from, until] = [at, from, until].map(|at| CALENDAR.date(at));
        let left_out = LeftOut::of(resource, LEFT_OUT).after(ExpiryMove { today, from, until }, term);
        self.say_left_out(member, resource, &left_out);
    }

    /// Says this of the renewals that left the member out, unless it is said already.
    pub(crate) fn say_left_out(&mut self, member: MemberIndex, resource: &Resource, left_out: &LeftOut) {
        let value = left_out.to_string();
        if get(&resource.attributes, LEFT_OUT).unwrap_or_default() != value {
            self.attribute(member, LEFT_OUT, &value);
        }
    }

    /// Takes back what renewals said of this member when they left it out.
    pub(crate) fn forget_left_out(&mut self, member: MemberIndex, resource: &Resource) {
        if is_said(resource, LEFT_OUT) {
            self.attribute(member, LEFT_OUT, "");
        }
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
