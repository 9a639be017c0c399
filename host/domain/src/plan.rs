//! Commands, and the plans that plugins make for them before anything is changed or paid.

mod check;

use std::collections::BTreeMap;

use crate::bundle::OnExpiry;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::micros::Micros;
use crate::term::Term;
use crate::timestamp::Timestamp;

pub use check::PlanError;
pub use check::check;

/// A provider rule says no. An ordinary answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's own code, such as `CBC.99003610`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What is asked of a resource, by a person or by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Extend it.
    Renew(Renewal),
    /// Turn auto-renew on, or change it.
    SetAutoRenew(AutoRenewal),
    /// Turn auto-renew off.
    CancelAutoRenew,
    /// Give it back, or only what has not begun.
    Unsubscribe(Scope),
    /// Let it go on as pay-per-use once it expires.
    ConvertOnExpiry,
    /// Take that back.
    CancelConversion,
    /// Buy a package like this one.
    BuyAgain(Purchase),
}

impl Command {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Renew(_) => "renew",
            Command::SetAutoRenew(_) => "set_auto_renew",
            Command::CancelAutoRenew => "cancel_auto_renew",
            Command::Unsubscribe(_) => "unsubscribe",
            Command::ConvertOnExpiry => "convert_on_expiry",
            Command::CancelConversion => "cancel_conversion",
            Command::BuyAgain(_) => "buy_again",
        }
    }
}

/// Who asked for a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The clock, because auto-renew is on.
    Auto,
    /// A person or program.
    Command,
}

impl Cause {
    /// Both causes.
    pub const ALL: [Cause; 2] = [Cause::Auto, Cause::Command];

    /// `auto` or `command`.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Auto => "auto",
            Cause::Command => "command",
        }
    }
}

/// How to extend a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// For how long; `None` is the term that an automatic renewal has.
    pub term: Option<Term>,
    /// Who asks.
    pub cause: Cause,
    /// The provider's own, such as `relatedRenewFlag`.
    pub options: BTreeMap<String, String>,
}

/// How a resource renews itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoRenewal {
    /// For how long each time; `None` is the term it was bought for.
    pub term: Option<Term>,
    /// How often; `None` is without limit.
    pub renewals: Option<u32>,
}

/// What an unsubscription gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The resource and whatever was paid for.
    All,
    /// Only periods that have not begun.
    Future,
}

impl Scope {
    /// Both scopes.
    pub const ALL: [Scope; 2] = [Scope::All, Scope::Future];

    /// `all` or `future`.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::All => "all",
            Scope::Future => "future",
        }
    }
}

/// When a package is bought again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// When it is paid; `None` is now.
    pub pay_at: Option<Timestamp>,
    /// When it takes effect; `None` is as soon as it is paid.
    pub effective_at: Option<Timestamp>,
}

/// What a command would do: what is priced, reserved for, and carried out, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order they are carried out.
    pub steps: Vec<Step>,
    /// Members that the command leaves alone.
    pub skipped: Vec<SkippedMember>,
    /// A member whose renewal is tried at once, after the steps.
    pub retry_now: Option<MemberIndex>,
}

/// One provider operation on one member of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The member.
    pub member: MemberIndex,
    /// What is done with it.
    pub operation: Operation,
}

/// A member that a command does not change, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMember {
    /// The member.
    pub member: MemberIndex,
    /// The reason, as the plugin gives it.
    pub reason: Refusal,
}

/// A change of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It lasts longer, and is paid for.
    Extend(Extension),
    /// What is set to happen when it expires changes.
    SetOnExpiry(OnExpiry),
    /// It renews itself from now on.
    SetAutoRenew(AutoRenewal),
    /// It is given back, wholly or in part.
    EndSubscription(Cancellation),
    /// A new package with its specification.
    Buy(PurchaseDetails),
    /// An attribute gets a new value.
    SetAttribute(String, String),
}

impl Operation {
    /// The extension, if the operation is one.
    pub(crate) const fn as_extend(&self) -> Option<&Extension> {
        if let Operation::Extend(extension) = self { Some(extension) } else { None }
    }
}

/// One member's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// After the present expiry.
    pub expires_at: Timestamp,
    /// What is paid for ...
    pub term: Term,
    /// ... and days beyond it, at a thirtieth of a month each.
    pub extra_days: u32,
    /// The day that periods are counted from henceforth, 1 to 31; `None` leaves it.
    pub anchor_day: Option<u8>,
}

/// One member's unsubscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// What is given back.
    pub scope: Scope,
    /// For [`Scope::Future`]: the expiry that is left.
    pub expires_at: Option<Timestamp>,
    /// Every order that this ends.
    pub refunds: Vec<Refund>,
}

/// Money that goes back for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The order, among those that come with the request.
    pub order: OrderIndex,
    /// From zero to what was paid.
    pub amount: Micros,
}

/// One package's purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurchaseDetails {
    /// When it is paid.
    pub pay_at: Timestamp,
    /// When it takes effect; not before it is paid.
    pub effective_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The day of the month that its periods are counted from, 1 to 31.
    pub anchor_day: u8,
}

#[cfg(test)]
mod tests;
