//! Commands: what people, programs and the clock ask of a resource. Knows their arguments; no rule.

use std::collections::BTreeMap;

use crate::micros::Micros;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// What is asked of a resource, by a person or by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Extend it by a term.
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
    /// Let it go on as pay-per-use at once.
    ConvertNow,
    /// Buy a package like this one.
    BuyAgain(Purchase),
    /// Give it another specification for the rest of its time.
    Change(Change),
    /// Pay a pay-per-use resource ahead for a term: it is prepaid from then on.
    Subscribe(Subscribe),
    /// Pay the order with this id, which waits to be paid.
    PayOrder(String),
    /// Cancel the order with this id, which waits to be paid.
    CancelOrder(String),
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
            Command::ConvertNow => "convert_now",
            Command::BuyAgain(_) => "buy_again",
            Command::Change(_) => "change",
            Command::Subscribe(_) => "subscribe",
            Command::PayOrder(_) => "pay_order",
            Command::CancelOrder(_) => "cancel_order",
        }
    }

    /// The clock or a person, by the command.
    pub const fn cause(&self) -> Cause {
        match self {
            Command::Renew(renewal) => renewal.cause,
            Command::SetAutoRenew(_)
            | Command::CancelAutoRenew
            | Command::Unsubscribe(_)
            | Command::ConvertOnExpiry
            | Command::CancelConversion
            | Command::ConvertNow
            | Command::BuyAgain(_)
            | Command::Change(_)
            | Command::Subscribe(_)
            | Command::PayOrder(_)
            | Command::CancelOrder(_) => Cause::Command,
        }
    }

    /// The provider's own options, for commands that have them.
    pub const fn options(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Command::Renew(Renewal { options, .. })
            | Command::Change(Change { options, .. })
            | Command::Subscribe(Subscribe { options, .. }) => Some(options),
            Command::SetAutoRenew(_)
            | Command::CancelAutoRenew
            | Command::Unsubscribe(_)
            | Command::ConvertOnExpiry
            | Command::CancelConversion
            | Command::ConvertNow
            | Command::BuyAgain(_)
            | Command::PayOrder(_)
            | Command::CancelOrder(_) => None,
        }
    }

    /// The same command without the option called `name`.
    pub fn without_option(&self, name: &str) -> Command {
        let mut command = self.clone();
        if let Command::Renew(Renewal { options, .. })
        | Command::Change(Change { options, .. })
        | Command::Subscribe(Subscribe { options, .. }) = &mut command
        {
            options.remove(name);
        }
        command
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
    /// Both causes, for parsing and for lists of choices.
    pub const ALL: [Cause; 2] = [Cause::Auto, Cause::Command];

    /// `auto` or `command`.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Auto => "auto",
            Cause::Command => "command",
        }
    }
}

crate::field::word_field!(Cause);

/// How to extend a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// For how long; `None` is the term that an automatic renewal has.
    pub term: Option<Term>,
    /// The clock or a person.
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
    /// Both scopes, for parsing and for lists of choices.
    pub const ALL: [Scope; 2] = [Scope::All, Scope::Future];

    /// `all` or `future`.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::All => "all",
            Scope::Future => "future",
        }
    }
}

crate::field::word_field!(Scope);

/// When a package is bought again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// When it is paid; `None` is now.
    pub pay_at: Option<Timestamp>,
    /// When it takes effect; `None` is as soon as it is paid.
    pub effective_at: Option<Timestamp>,
}

/// Another specification, for the rest of the resource's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The attributes that get another value; the others stay.
    pub attributes: BTreeMap<String, String>,
    /// What one of the resource's terms costs from then on.
    pub price: Micros,
    /// The provider's own, such as `is_auto_pay`.
    pub options: BTreeMap<String, String>,
}

/// How a pay-per-use resource is paid ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// For how long; `None` leaves it to the provider's rules.
    pub term: Option<Term>,
    /// What that term costs; `None` leaves it to the provider's rules.
    pub price: Option<Micros>,
    /// The provider's own, such as `clientToken`.
    pub options: BTreeMap<String, String>,
}
