//! What a table says, read and checked. Knows no TOML and applies no rule: `read` makes it, the rules read it.

use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::Term;

use crate::refusals::Refusals;
use crate::values::SettingName;
use crate::values::Values;

/// A provider's rules.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) utc_offset_minutes: i16,
    /// In the order of their names.
    pub(crate) kinds: Vec<Kind>,
    /// What holds for an account that sets nothing.
    pub(crate) values: Values,
    /// What an account may set, with its label.
    pub(crate) settings: Vec<(SettingName, String)>,
    pub(crate) notices: Vec<Notice>,
    /// Options of a renewal that have no effect here.
    pub(crate) ignored_options: Vec<String>,
    /// Whether something can be given back at all.
    pub(crate) refunds: Option<Refunds>,
    /// Whether a resource can be set to become pay-per-use when it expires.
    pub(crate) converts_on_expiry: bool,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) refusals: Refusals,
}

/// A kind of resources, with what is different for it.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) attaches_to: Vec<String>,
    /// Empty is any.
    pub(crate) terms: Vec<Term>,
    pub(crate) try_days: Option<Vec<i64>>,
    pub(crate) grace: Option<i64>,
    pub(crate) retention: Option<i64>,
    pub(crate) cascade: Cascade,
}

/// What happens to an attached resource along with the one that it is attached to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cascade {
    /// How it is renewed along; `None` when it is not.
    pub(crate) renewal: Option<Joining>,
    /// The option of a renewal by hand that takes it along; without one, every renewal does.
    pub(crate) option: Option<String>,
    /// Whether it ends when the other is unsubscribed.
    pub(crate) unsubscription: bool,
}

/// How an attached resource is renewed along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// By the same term, from its own expiry.
    SameTerm,
    /// Up to the expiry of what it is attached to.
    Aligned,
}

/// An announcement, and when it is made.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) when: NoticeTime,
}

/// When an announcement is made.
#[derive(Clone, Debug)]
pub(crate) enum NoticeTime {
    /// So many days before the expiry.
    BeforeExpiry { days: Vec<i64>, hour: Option<u8> },
    /// So many days before the release.
    BeforeRelease { days: Vec<i64>, hour: Option<u8> },
    /// When a stage is entered.
    Entering(Stage),
}

/// What comes back for what is given back, beyond what accounts may set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refunds {
    /// Everything that was paid comes back within this many seconds of the purchase.
    pub(crate) full_within: Option<i64>,
    /// Whether an expired resource can be unsubscribed, for nothing.
    pub(crate) when_expired: bool,
}

/// How the provider recognises a command that comes again.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency {
    pub(crate) option: String,
    pub(crate) valid_seconds: u32,
    pub(crate) mismatch: Refusal,
}

impl Table {
    /// The kind with this name.
    pub(crate) fn kind(&self, name: &str) -> &Kind {
        let found = self.kinds.iter().find(|kind| kind.name == name);
        found.expect("the host sends resources of the manifest's kinds only")
    }
}
