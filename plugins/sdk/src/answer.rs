//! What rules answer: occurrences and plans, with texts as texts.

use crate::Adjustment;
use crate::AutoRenewal;
use crate::Extension;
use crate::MemberIndex;
use crate::Micros;
use crate::OnExpiry;
use crate::PurchaseDetails;
use crate::Refund;
use crate::Refusal;
use crate::Scope;
use crate::Stage;
use crate::Subscription;
use crate::Timestamp;

/// Something that happens to a member without a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The provider would try to renew this member now, together with whatever is renewed along with it.
    TryRenewal,
    /// The member enters a stage. Of the final stages, only `released`.
    Enter(Stage),
    /// The member becomes pay-per-use; its stage becomes `converted`.
    Convert,
    /// The attribute with this name gets a new value.
    SetAttribute((String, String)),
    /// A package's used amount returns to zero.
    Refill,
    /// The owner gets an announcement: the index of one of the manifest's notices.
    Notice(u32),
}

/// An action with the instant at which it is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// Strictly after the instant that was asked about.
    pub at: Timestamp,
    /// The member that it happens to.
    pub member: MemberIndex,
    /// What happens to it.
    pub action: Action,
}

/// The end of a subscription, or of its periods that have not begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancellation {
    /// Whether all of it ends, or only what has not begun.
    pub scope: Scope,
    /// For `future-periods`: the expiry that remains. `None` for `everything`.
    pub expires_at: Option<Timestamp>,
    /// Every order that this cancels, including those that return nothing.
    pub refunds: Vec<Refund>,
}

/// Another specification for the rest of a member's time.
#[derive(Clone, Debug, PartialEq)]
pub struct Specification {
    /// The attributes that get another value.
    pub attributes: Vec<(String, String)>,
    /// The price of one `term` from now on.
    pub price: Micros,
    /// Either all cost more or all give back.
    pub adjustments: Vec<Adjustment>,
}

/// What a step does to its member.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Its expiry moves, for a price.
    Extend(Extension),
    /// Something else happens when it expires.
    SetOnExpiry(OnExpiry),
    /// It is renewed automatically from now on.
    SetAutoRenew(AutoRenewal),
    /// It ends, or its periods do that have not begun.
    EndSubscription(Cancellation),
    /// It becomes pay-per-use at once; every order that this ends is here.
    Convert(Vec<Refund>),
    /// Buys a new package with the specification of this one.
    Buy(PurchaseDetails),
    /// It gets another specification.
    ChangeSpecification(Specification),
    /// It becomes prepaid.
    Subscribe(Subscription),
    /// The attribute with this name gets a new value.
    SetAttribute((String, String)),
}

/// One operation of a plan on one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The member that changes.
    pub member: MemberIndex,
    /// What is done to it.
    pub operation: Operation,
}

/// A member that the command leaves unchanged, and the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedMember {
    /// The member that stays as it is.
    pub member: MemberIndex,
    /// Why the provider leaves it out.
    pub reason: Refusal,
}

/// The effect of a command. The host prices it, holds the money for it, and applies all of it or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// The members that it leaves out, each once.
    pub skipped: Vec<SkippedMember>,
    /// A member that the host tries to renew immediately after the steps.
    pub retry_now: Option<MemberIndex>,
    /// Until when the order for the steps waits to be paid; `None` is paid at once.
    pub pay_until: Option<Timestamp>,
}
