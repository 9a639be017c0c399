//! The dangers that a resource can be in, and how far ahead they are looked for. Knows their names; not how they are found.

use perennial_formats::language::Text;

use crate::console::texts::risk as t;

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
    /// It is a package that ends soon, and no other follows.
    PackageEnding,
    /// It is a package of which nothing is left, and there is no other.
    PackageUsedUp,
}

impl Danger {
    /// The name of the danger on a page.
    pub(super) const fn text(self) -> Text {
        match self {
            Danger::Retention => t::RETENTION,
            Danger::Grace => t::GRACE,
            Danger::InDoubt => t::IN_DOUBT,
            Danger::PluginFailing => t::PLUGIN_FAILING,
            Danger::ShortOfMoney => t::SHORT_OF_MONEY,
            Danger::Denied => t::DENIED,
            Danger::Rejected => t::REJECTED,
            Danger::Deferred => t::DEFERRED,
            Danger::Problem => t::PROBLEM,
            Danger::Held => t::HELD,
            Danger::Unprotected => t::UNPROTECTED,
            Danger::PackageEnding => t::PACKAGE_ENDING,
            Danger::PackageUsedUp => t::PACKAGE_USED_UP,
        }
    }

    /// Whether its renewal takes no money, however much there is.
    pub(super) const fn keeps_from_paying(self) -> bool {
        matches!(self, Danger::Denied | Danger::Rejected | Danger::Deferred)
    }
}
