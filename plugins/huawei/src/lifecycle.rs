//! The timeline of a bundle: renewal tries, notices and stages, if nobody sends a command.
//!
//! Start with [`timeline`]. Each live resource has occurrences of its own, counted from its own expiry. A resource that
//! expires together with its primary shares the primary's tries and notices. Knows no money.

use plugin_sdk::Action;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::expiry;
use crate::family::leads;
use crate::family::member_index;
use crate::family::will_convert;
use crate::notices::Notice;
use crate::notices::day_notices;
use crate::notices::stage_notice;
use crate::package::refills;
use crate::settings::Settings;

/// The hour at which fees are deducted, UTC+8: Managing Yearly/Monthly Resources, "Development Suggestions".
pub(crate) const DEDUCTION_HOUR: u8 = 3;

/// Everything that happens to the bundle strictly after `after`, in time order.
pub fn timeline(settings: &Settings, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    // A primary with a week of tries has about sixteen, an attached resource three.
    let mut occurrences = Vec::with_capacity(12 + 4 * bundle.len());
    for (member, resource) in bundle.iter().enumerate() {
        let Some(expires_at) = expiry(resource) else { continue };
        let rules = ResourceRules {
            settings,
            after,
            bundle,
            member,
            resource,
            expires_at,
            family: Family::of(resource),
        };
        rules.add_occurrences(&mut occurrences);
    }
    occurrences
        .sort_unstable_by_key(|occurrence| (occurrence.at, rank(&occurrence.action), occurrence.member));
    occurrences
}

/// The first try strictly after `after`; `None` if the resource expires before it.
///
/// Tries are at 03:00 from `deduction_days` before the day of expiry until strictly before expiry: Enabling Automatic
/// Subscription Renewal (api_order_00022) and Renewal Introduction of CodeArts.
pub(crate) fn next_try(settings: &Settings, after: Timestamp, expires_at: Timestamp) -> Option<Timestamp> {
    let first = first_try(settings, expires_at);
    let next = if after < first { first } else { CALENDAR.next_hour(after, DEDUCTION_HOUR) };
    (next < expires_at).then_some(next)
}

/// The first try of an automatic renewal.
pub fn first_try(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    CALENDAR.at_hour(expires_at, settings.deduction_days, DEDUCTION_HOUR)
}

/// One resource of a bundle, with everything that its occurrences depend on.
pub(crate) struct ResourceRules<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) after: Timestamp,
    bundle: &'a [Resource],
    member: usize,
    pub(crate) resource: &'a Resource,
    pub(crate) expires_at: Timestamp,
    pub(crate) family: Family,
}

impl ResourceRules<'_> {
    fn add_occurrences(&self, into: &mut Vec<Occurrence>) {
        let stages = self.stages();
        if !self.follows() {
            self.tries(into);
            day_notices(self, stages.released_at, |at, notice| into.push(self.notice(at, notice)));
        }
        if self.family == Family::Package {
            let boundaries = refills(self.resource, self.expires_at, self.after);
            into.extend(boundaries.into_iter().map(|at| self.occurrence(at, Action::Refill)));
        }
        self.enter(&stages, into);
    }

    /// Whether a resource that it is attached to expires at the same instant, so that the tries and notices of that
    /// resource are for both.
    ///
    /// A resource with automatic renewal follows only another one with automatic renewal.
    fn follows(&self) -> bool {
        let renews = self.resource.on_expiry == OnExpiry::Renew;
        leads(self.bundle, self.member).map(|above| &self.bundle[above]).any(|above| {
            let in_turn =
                above.on_expiry == OnExpiry::Renew && (above.stage == Stage::Active || !self.is_active());
            expiry(above) == Some(self.expires_at) && (in_turn || !renews)
        })
    }

    fn tries(&self, into: &mut Vec<Occurrence>) {
        if !self.is_active() || self.resource.on_expiry != OnExpiry::Renew {
            return;
        }
        let mut next = next_try(self.settings, self.after, self.expires_at);
        while let Some(at) = next {
            into.push(self.occurrence(at, Action::TryRenewal));
            next = next_try(self.settings, at, self.expires_at);
        }
    }

    /// The stages still to come. A stage of length zero is not entered.
    fn stages(&self) -> Stages {
        let (grace, retention) = stage_seconds(self.settings, self.family);
        let mut stages = Stages { entries: [None; 3], released_at: self.expires_at + grace + retention };
        let at_once = if will_convert(self.resource) {
            Some(Entry::Converted)
        } else {
            (self.is_active() && self.resource.on_expiry == OnExpiry::Release).then_some(Entry::Released)
        };
        if let Some(entry) = at_once {
            return Stages {
                entries: [Some((self.expires_at, entry)), None, None],
                released_at: self.expires_at,
            };
        }
        if self.is_active() && grace > 0 {
            stages.entries[0] = Some((self.expires_at, Entry::Grace));
        }
        if self.resource.stage != Stage::Retention && retention > 0 {
            stages.entries[1] = Some((self.expires_at + grace, Entry::Retention));
        }
        stages.entries[2] = Some((stages.released_at, Entry::Released));
        stages
    }

    /// Adds each entry that is ahead and, immediately, the last of the overdue entries.
    ///
    /// An entry can be overdue only when the resource was imported late, or its account's settings have changed.
    fn enter(&self, stages: &Stages, into: &mut Vec<Occurrence>) {
        let mut overdue = None;
        for (at, entry) in stages.entries.into_iter().flatten() {
            if at <= self.after {
                overdue = Some(entry);
                continue;
            }
            if let Some(entry) = overdue.take().filter(|_| at > self.after + 1) {
                self.enter_one(self.after + 1, entry, into);
            }
            self.enter_one(at, entry, into);
        }
        if let Some(entry) = overdue {
            self.enter_one(self.after + 1, entry, into);
        }
    }

    fn enter_one(&self, at: Timestamp, entry: Entry, into: &mut Vec<Occurrence>) {
        let what = match entry {
            Entry::Grace => Action::Enter(Stage::Grace),
            Entry::Retention => Action::Enter(Stage::Retention),
            Entry::Released => Action::Enter(Stage::Released),
            Entry::Converted => Action::Convert,
        };
        if let Some(notice) = stage_notice(self.family, at == self.expires_at, entry) {
            into.push(self.notice(at, notice));
        }
        into.push(self.occurrence(at, what));
    }

    fn notice(&self, at: Timestamp, notice: Notice) -> Occurrence {
        self.occurrence(at, Action::Notice(notice as u32))
    }

    fn occurrence(&self, at: Timestamp, action: Action) -> Occurrence {
        Occurrence { at, member: member_index(self.member), action }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.resource.stage == Stage::Active
    }
}

/// A stage that a resource enters without a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Grace,
    Retention,
    Released,
    Converted,
}

/// The entries that are still to come, in order, and the instant of release.
struct Stages {
    entries: [Option<(Timestamp, Entry)>; 3],
    released_at: Timestamp,
}

/// The lengths of grace and of retention for this family, in seconds.
pub(crate) fn stage_seconds(settings: &Settings, family: Family) -> (Timestamp, Timestamp) {
    let (grace, retention) = (settings.grace_seconds, settings.retention_seconds);
    match family {
        Family::Common | Family::BandwidthAddOn | Family::CodeartsPackage => (grace, retention),
        // It is of no use from its expiry on, but can be renewed for as long as a package can.
        Family::CodeartsExtension => (0, grace + retention),
        // There is no data to keep: use falls to pay-per-use when a package ends.
        Family::Package => (0, 0),
    }
}

/// The order of the occurrences of one bundle at one instant: tries first, then notices, then stages.
fn rank(what: &Action) -> u32 {
    match what {
        Action::TryRenewal => 0,
        Action::SetAttribute(_) => 1,
        Action::Notice(notice) => 2 + notice,
        Action::Refill => 100,
        Action::Convert => 101,
        Action::Enter(_) => 102,
    }
}
