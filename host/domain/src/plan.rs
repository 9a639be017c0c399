//! Commands, and the plans that plugins make for them before anything is changed or paid.

mod check;
mod command;

use std::collections::BTreeMap;

use crate::bundle::OnExpiry;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::micros::Micros;
use crate::term::Term;
use crate::timestamp::Timestamp;

pub use check::PlanError;
pub use check::check;
pub use command::AutoRenewal;
pub use command::Cause;
pub use command::Change;
pub use command::Command;
pub use command::Purchase;
pub use command::Renewal;
pub use command::Scope;
pub use command::Subscribe;

/// A provider rule says no. An ordinary answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's own code, such as `CBC.99003610`.
    pub code: String,
    /// The provider's message, for people.
    pub message: String,
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
    /// The steps make an order that waits to be paid until then, and are carried out when it is. `None`: the account pays
    /// and they are carried out at once.
    pub pay_until: Option<Timestamp>,
}

impl Plan {
    /// A plan of these steps, carried out at once, for every member that they name.
    pub fn of(steps: Vec<Step>) -> Plan {
        Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None }
    }
}

/// One provider operation on one member of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The member that the step changes.
    pub member: MemberIndex,
    /// What is done with it.
    pub operation: Operation,
}

/// A member that a command does not change, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMember {
    /// The member that the plan leaves alone.
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
    /// It becomes pay-per-use now, and these orders of it give money back.
    Convert(Vec<Refund>),
    /// A new package with its specification.
    Buy(PurchaseDetails),
    /// It gets another specification for the rest of its time.
    ChangeSpecification(Specification),
    /// It is paid ahead, and prepaid from now on.
    Subscribe(Subscription),
    /// An attribute gets a new value.
    SetAttribute(String, String),
}

impl Operation {
    /// The extension, if the operation is one.
    pub const fn as_extend(&self) -> Option<&Extension> {
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
    /// Which periods are given back.
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
    /// What of the rest is kept as a handling fee; what then remains was consumed.
    pub fee: Micros,
}

/// One package's purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurchaseDetails {
    /// The instant at which the package is paid for.
    pub pay_at: Timestamp,
    /// When it takes effect; not before it is paid.
    pub effective_at: Timestamp,
    /// The instant at which the package ends.
    pub expires_at: Timestamp,
    /// The day of the month that its periods are counted from, 1 to 31.
    pub anchor_day: u8,
}

/// Another specification of one member, and what it changes for periods that were paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specification {
    /// The attributes that get another value.
    pub attributes: BTreeMap<String, String>,
    /// What one term costs from now on.
    pub price: Micros,
    /// What the rest of its time costs more, or gives back.
    pub adjustments: Vec<Adjustment>,
}

impl Specification {
    /// What the change costs; negative when it gives money back.
    pub fn cost(&self) -> Micros {
        self.adjustments.iter().map(|adjustment| adjustment.amount).sum()
    }
}

/// What another specification changes for one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// When the rest of the period begins: not in the past.
    pub starts_at: Timestamp,
    /// The instant at which the period ends.
    pub ends_at: Timestamp,
    /// What it costs more; negative: what comes back for it.
    pub amount: Micros,
    /// The order that the period was paid with. Money only comes back from an order.
    pub order: Option<OrderIndex>,
}

/// How one pay-per-use member is paid ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// When the first period ends.
    pub expires_at: Timestamp,
    /// The period that is paid for, counted from now ...
    pub term: Term,
    /// ... and days beyond it, at a thirtieth of a month each.
    pub extra_days: u32,
    /// The day of the month that its periods are counted from, 1 to 31.
    pub anchor_day: u8,
    /// The price of one term.
    pub price: Micros,
}

impl Subscription {
    /// What its first period costs.
    pub(crate) fn cost(&self) -> Micros {
        self.term.price(self.price, self.term, self.extra_days)
    }
}

#[cfg(test)]
mod tests;
