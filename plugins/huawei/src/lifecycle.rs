//! The timeline of a bundle: renewal tries, notices and stages, if nobody sends a command.
//!
//! Start with [`timeline`]. Each live resource has occurrences of its own, counted from its own expiry. A resource that
//! expires together with its primary shares the primary's tries and notices. Knows no money.

use plugin_sdk::Action;
use plugin_sdk::Charging;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::expiry;
use crate::family::is_bandwidth;
use crate::family::leads;
use crate::family::member_index;
use crate::family::will_convert;
use crate::notices::Notice;
use crate::notices::day_notices;
use crate::notices::stage_notice;
use crate::package::refills;
use crate::paths::DEDUCTION_HOUR;
use crate::paths::first_try;
use crate::paths::left_out;
use crate::paths::stands_in;
use crate::paths::tried_with;
use crate::settings::Settings;
use crate::settings::TriesUntil;

/// The most tries that a timeline shows: with refills, notices and stages it has to fit into the contract's 128. The
/// host asks again after each, so later ones are not lost.
const TRIES_MAX: usize = 60;

/// Everything that happens to the bundle strictly after `after`, in time order.
pub fn timeline(settings: &Settings, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    // A primary with a week of tries has about sixteen, an attached resource three.
    let mut occurrences = Vec::with_capacity(12 + 4 * bundle.len());
    let revived = (0..bundle.len()).filter(|&member| is_revived(bundle, member, after)).collect::<Vec<_>>();
    let mut as_revived = Vec::new();
    if !revived.is_empty() {
        as_revived = bundle.to_vec();
    }
    for &member in &revived {
        as_revived[member].stage = Stage::Active;
        let action = Action::Enter(Stage::Active);
        occurrences.push(Occurrence { at: after + 1, member: member_index(member), action });
    }
    let bundle = if revived.is_empty() { bundle } else { &as_revived };
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

/// The first try strictly after `after`; `None` if there is none before `until`.
///
/// Tries are at 03:00 from `deduction_days` before the day of expiry: Enabling Automatic Subscription Renewal
/// (api_order_00022) and Renewal Introduction of CodeArts.
pub(crate) fn next_try(
    settings: &Settings,
    after: Timestamp,
    expires_at: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let first = first_try(settings, expires_at);
    let next = if after < first { first } else { CALENDAR.next_hour(after, DEDUCTION_HOUR) };
    (next < until).then_some(next)
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
        self.tries(&stages, into);
        if !self.follows() {
            let end = stages.released_at.max(self.after + 1);
            day_notices(self, stages.released_at, |at, notice| {
                // What stops with something else is not told of an expiry that it does not live to see.
                let is_ahead = notice == Notice::Releases || at <= stages.expires_at;
                if is_ahead && at <= end {
                    into.push(self.notice(at, notice));
                }
            });
        }
        if self.family == Family::Package {
            let boundaries = refills(self.resource, self.expires_at, self.after);
            into.extend(boundaries.into_iter().map(|at| self.occurrence(at, Action::Refill)));
        }
        self.enter(&stages, into);
    }

    /// Whether a resource that it is attached to expires at the same instant, so that the notices of that resource are
    /// for both.
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

    fn tries(&self, stages: &Stages, into: &mut Vec<Occurrence>) {
        let (settings, bundle, member) = (self.settings, self.bundle, self.member);
        let has_tries = tried_with(settings, bundle, member) == Some(member)
            || left_out(settings, bundle, member).is_some();
        if !has_tries {
            if stands_in(settings, bundle, member).is_some() {
                into.extend(self.last_tries(stages).map(|at| self.occurrence(at, Action::TryRenewal)));
            }
            return;
        }
        let until = match self.settings.tries_until {
            TriesUntil::Expiry => stages.expires_at.min(stages.released_at),
            // What is stopped before its own expiry is not renewed until it goes on.
            TriesUntil::Retention if stages.expires_at < self.expires_at => stages.expires_at,
            TriesUntil::Retention => stages.released_at,
        };
        let following = |at: Timestamp| next_try(self.settings, at, self.expires_at, until);
        let tries = std::iter::successors(following(self.after), |&at| following(at)).take(TRIES_MAX);
        into.extend(tries.map(|at| self.occurrence(at, Action::TryRenewal)));
    }

    /// The last two tries before the resource expires, as far as they are ahead. An approval that is requested at the
    /// first has until the second.
    fn last_tries(&self, stages: &Stages) -> impl Iterator<Item = Timestamp> {
        let until = stages.expires_at.min(stages.released_at);
        let of_day = CALENDAR.at_hour(until, 0, DEDUCTION_HOUR);
        let last_day = if of_day < until { 0 } else { 1 };
        let tries = [last_day + 1, last_day].map(|days| CALENDAR.at_hour(until, days, DEDUCTION_HOUR));
        let after = self.after;
        tries.into_iter().filter(move |&at| at > after)
    }

    /// The stages still to come, ended by those of what the resource depends on.
    fn stages(&self) -> Stages {
        let Some(on) = depends_on(self.bundle, self.member) else {
            return Stages::of(self.settings, self.resource, self.expires_at);
        };
        let Some(expires_at) = expiry(on) else {
            // What it depended on is over. The instant is not known any more, so it ends as soon as possible.
            return Stages::at_once(Timestamp::MIN, Entry::Released);
        };
        let others = Stages::of(self.settings, on, expires_at);
        let void_at = match self.family {
            Family::CodeartsExtension => self.expires_at.min(expires_at),
            Family::Common | Family::BandwidthAddOn | Family::CodeartsPackage | Family::Package => {
                self.expires_at
            }
        };
        let own = Stages::of(self.settings, self.resource, void_at);
        if will_convert(on) { own } else { own.cut(others.released_at) }
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
                self.enter_one(stages, self.after + 1, entry, into);
            }
            self.enter_one(stages, at, entry, into);
        }
        if let Some(entry) = overdue {
            self.enter_one(stages, self.after + 1, entry, into);
        }
    }

    fn enter_one(&self, stages: &Stages, at: Timestamp, entry: Entry, into: &mut Vec<Occurrence>) {
        let what = match entry {
            Entry::Grace => Action::Enter(Stage::Grace),
            Entry::Retention => Action::Enter(Stage::Retention),
            Entry::Released => Action::Enter(Stage::Released),
            Entry::Converted => Action::Convert,
        };
        if let Some(notice) = stage_notice(self.family, at == stages.expires_at, entry) {
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

/// The entries that are still to come, in order, the instant from which it is expired, and that of release.
struct Stages {
    expires_at: Timestamp,
    entries: [Option<(Timestamp, Entry)>; 3],
    released_at: Timestamp,
}

impl Stages {
    /// The stages of a live resource that expires at `expires_at`. A stage of length zero is not entered.
    fn of(settings: &Settings, resource: &Resource, expires_at: Timestamp) -> Stages {
        let is_active = resource.stage == Stage::Active;
        if will_convert(resource) {
            return Stages::at_once(expires_at, Entry::Converted);
        }
        if is_active && resource.on_expiry == OnExpiry::Release {
            return Stages::at_once(expires_at, Entry::Released);
        }
        let (grace, retention) = stage_seconds(settings, Family::of(resource));
        let mut stages =
            Stages { expires_at, entries: [None; 3], released_at: expires_at + grace + retention };
        if is_active && grace > 0 {
            stages.entries[0] = Some((expires_at, Entry::Grace));
        }
        if resource.stage != Stage::Retention && retention > 0 {
            stages.entries[1] = Some((expires_at + grace, Entry::Retention));
        }
        stages.entries[2] = Some((stages.released_at, Entry::Released));
        stages
    }

    /// Only one entry, which ends the resource.
    fn at_once(at: Timestamp, entry: Entry) -> Stages {
        Stages { expires_at: at, entries: [Some((at, entry)), None, None], released_at: at }
    }

    /// These stages, but released at `end` at the latest.
    fn cut(mut self, end: Timestamp) -> Stages {
        if self.released_at <= end {
            return self;
        }
        for entry in &mut self.entries[..2] {
            *entry = entry.filter(|&(at, _)| at < end);
        }
        self.entries[2] = Some((end, Entry::Released));
        Stages { released_at: end, ..self }
    }
}

/// What this member cannot outlive: the bandwidth of an add-on, the CodeArts package of an extension. `None` for what
/// stands alone.
///
/// Sources: Unsubscribing (api_order_00019), the status `CBC.99003654`; the documentation of CodeArts Check. A bandwidth
/// that became pay-per-use goes on, and its add-on with it.
fn depends_on(bundle: &[Resource], member: usize) -> Option<&Resource> {
    let resource = &bundle[member];
    let on = &bundle[resource.attached_to? as usize];
    let depends = match Family::of(resource) {
        Family::BandwidthAddOn => is_bandwidth(on),
        Family::CodeartsExtension => Family::of(on) == Family::CodeartsPackage,
        Family::Common | Family::CodeartsPackage | Family::Package => false,
    };
    let goes_on_unpaid = match on.stage {
        Stage::Converted => true,
        Stage::Released | Stage::Unsubscribed => false,
        Stage::Active | Stage::Grace | Stage::Retention => on.charging == Charging::Postpaid,
    };
    (depends && !goes_on_unpaid).then_some(on)
}

/// Whether it is paid for and was stopped by what it depends on, which goes on again.
fn is_revived(bundle: &[Resource], member: usize, after: Timestamp) -> bool {
    let resource = &bundle[member];
    let is_ahead = |one: &Resource| expiry(one).is_some_and(|expires_at| expires_at > after + 1);
    resource.stage == Stage::Retention
        && Family::of(resource) == Family::CodeartsExtension
        && is_ahead(resource)
        && depends_on(bundle, member).is_none_or(|on| on.stage == Stage::Active && is_ahead(on))
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
