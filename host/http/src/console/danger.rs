//! The dangers that a resource can be in, and how far ahead they are looked for. Knows their names; not how they are found.

use perennial_formats::language::Text;

use crate::console::texts as t;

/// How far ahead "this week" looks, in seconds: as far as the first try of a renewal is before an expiry, and a day.
pub(super) const WEEK: i64 = 8 * 86_400;

/// Why a resource is at risk; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Danger {
    /// It is stopped, and released next.
    Retention,
    /// It has expired, and is stopped next.
    Grace,
    /// Nobody knows whether its renewal was applied.
    InDoubt,
    /// Its plugin gives no usable answer about it, so nothing of it is done.
    PluginFailing,
    /// There is not enough money for its renewal, or was not when that was tried.
    ShortOfMoney,
    /// A policy denied its renewal.
    Denied,
    /// Somebody rejected its renewal, or nobody decided on it in time.
    Rejected,
    /// A policy put its renewal off until it has expired.
    Deferred,
    /// What should renew it failed or was declined.
    Problem,
    /// Its renewal waits for an approval.
    Held,
    /// It expires soon, and nothing renews it.
    Unprotected,
}

impl Danger {
    /// The name of the danger on a page.
    pub(super) const fn text(self) -> Text {
        match self {
            Danger::Retention => t::RISK_RETENTION,
            Danger::Grace => t::RISK_GRACE,
            Danger::InDoubt => t::RISK_IN_DOUBT,
            Danger::PluginFailing => t::RISK_PLUGIN_FAILING,
            Danger::ShortOfMoney => t::RISK_SHORT_OF_MONEY,
            Danger::Denied => t::RISK_DENIED,
            Danger::Rejected => t::RISK_REJECTED,
            Danger::Deferred => t::RISK_DEFERRED,
            Danger::Problem => t::RISK_PROBLEM,
            Danger::Held => t::RISK_HELD,
            Danger::Unprotected => t::RISK_UNPROTECTED,
        }
    }

    /// Whether its renewal takes no money, however much there is.
    pub(super) const fn keeps_from_paying(self) -> bool {
        matches!(self, Danger::Denied | Danger::Rejected | Danger::Deferred)
    }
}
