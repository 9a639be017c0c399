//! The timeline of a bundle: tries, notices, and the stages after an expiry.
//!
//! Each prepaid member follows its own expiry. Knows when a renewal is tried; `renewal` knows what it extends.

use plugin_sdk::Action;
use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;

use crate::rules::Rules;
use crate::table::NoticeTime;
use crate::words::HOUR;

/// Everything that happens to the bundle strictly after `after` if nobody sends a command and every try fails.
pub(crate) fn timeline(rules: &Rules<'_>, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    let mut line = Line { rules, after, occurrences: Vec::with_capacity(bundle.len() * 12) };
    for (member, resource) in (0..).zip(bundle) {
        let (Charging::Prepaid, Some(expires_at)) = (resource.charging, resource.expires_at) else {
            continue;
        };
        if is_final(resource.stage) {
            continue;
        }
        let ahead = Ahead::of(rules, resource, expires_at);
        line.tries(bundle, member, resource, ahead);
        line.notices(member, resource, ahead);
        line.stages(member, resource, ahead);
    }
    line.occurrences.sort_by_key(|occurrence| (occurrence.at, occurrence.member));
    line.occurrences.dedup();
    line.occurrences
}

/// Whether nothing happens any more to a resource in this stage.
pub(crate) fn is_final(stage: Stage) -> bool {
    match stage {
        Stage::Released | Stage::Unsubscribed | Stage::Converted => true,
        Stage::Active | Stage::Grace | Stage::Retention => false,
    }
}

/// Whether a member is renewed by the tries of what it is attached to, so that it has none of its own: that one renews
/// itself, or is taken along in turn, has not expired, and expires no later than this one.
pub(crate) fn is_taken_along(rules: &Rules<'_>, bundle: &[Resource], resource: &Resource) -> bool {
    let cascade = &rules.kind(resource).cascade;
    let (Some(to), Some(_), None) = (resource.attached_to, cascade.renewal, &cascade.option) else {
        return false;
    };
    let leader = &bundle[to as usize];
    let leads = leader.stage == Stage::Active
        && leader.charging == Charging::Prepaid
        && leader.expires_at <= resource.expires_at;
    leads && (leader.on_expiry == OnExpiry::Renew || is_taken_along(rules, bundle, leader))
}

/// The instants that lie ahead of a resource, as far as it gets.
#[derive(Clone, Copy)]
struct Ahead {
    expires_at: Timestamp,
    stops_at: Timestamp,
    released_at: Timestamp,
}

impl Ahead {
    fn of(rules: &Rules<'_>, resource: &Resource, expires_at: Timestamp) -> Ahead {
        let ends_at_once = resource.stage == Stage::Active
            && matches!(resource.on_expiry, OnExpiry::Release | OnExpiry::Convert);
        if ends_at_once {
            return Ahead { expires_at, stops_at: expires_at, released_at: expires_at };
        }
        let stops_at = expires_at + rules.grace(resource);
        Ahead { expires_at, stops_at, released_at: stops_at + rules.retention(resource) }
    }
}

struct Line<'r> {
    rules: &'r Rules<'r>,
    after: Timestamp,
    occurrences: Vec<Occurrence>,
}

impl Line<'_> {
    fn tries(&mut self, bundle: &[Resource], member: MemberIndex, resource: &Resource, ahead: Ahead) {
        if resource.on_expiry != OnExpiry::Renew || is_taken_along(self.rules, bundle, resource) {
            return;
        }
        for days in self.rules.try_days(resource) {
            let at = self.day(ahead.expires_at, *days, self.rules.values.try_hour);
            let is_in_time = resource.stage == Stage::Active || *days < 0;
            if is_in_time && at < ahead.released_at {
                self.push(at, member, Action::TryRenewal);
            }
        }
    }

    fn notices(&mut self, member: MemberIndex, resource: &Resource, ahead: Ahead) {
        for (number, notice) in (0..).zip(&self.rules.table.notices) {
            match &notice.when {
                NoticeTime::BeforeExpiry { days, hour } if resource.stage == Stage::Active => {
                    for days in days {
                        self.push(self.day(ahead.expires_at, *days, *hour), member, Action::Notice(number));
                    }
                }
                NoticeTime::BeforeRelease { days, hour } if resource.on_expiry != OnExpiry::Convert => {
                    for days in days {
                        self.push(self.day(ahead.released_at, *days, *hour), member, Action::Notice(number));
                    }
                }
                NoticeTime::BeforeExpiry { .. }
                | NoticeTime::BeforeRelease { .. }
                | NoticeTime::Entering(_) => {}
            }
        }
    }

    fn stages(&mut self, member: MemberIndex, resource: &Resource, ahead: Ahead) {
        if resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Convert {
            return self.overdue(ahead.expires_at, member, Action::Convert);
        }
        if resource.stage == Stage::Active && ahead.stops_at > ahead.expires_at {
            self.enter(ahead.expires_at, member, Stage::Grace);
        }
        if resource.stage != Stage::Retention && ahead.released_at > ahead.stops_at {
            self.enter(ahead.stops_at, member, Stage::Retention);
        }
        self.enter(ahead.released_at, member, Stage::Released);
    }

    /// A stage, and what the owner is told of it.
    fn enter(&mut self, at: Timestamp, member: MemberIndex, stage: Stage) {
        for (number, notice) in (0..).zip(&self.rules.table.notices) {
            if matches!(notice.when, NoticeTime::Entering(entered) if entered == stage) {
                self.overdue(at, member, Action::Notice(number));
            }
        }
        self.overdue(at, member, Action::Enter(stage));
    }

    /// The instant so many days before that of `end`, at an hour or at the time of the day of `end`. What belongs before it
    /// is never later than an hour before it.
    fn day(&self, end: Timestamp, days: i64, hour: Option<u8>) -> Timestamp {
        let at = match hour {
            Some(hour) => self.rules.calendar().at_hour(end, days, hour),
            None => end - days * plugin_sdk::calendar::DAY,
        };
        if days >= 0 { at.min(end - HOUR) } else { at.max(end + HOUR) }
    }

    /// Adds an occurrence, unless it is in the past.
    fn push(&mut self, at: Timestamp, member: MemberIndex, action: Action) {
        if at > self.after {
            self.occurrences.push(Occurrence { at, member, action });
        }
    }

    /// Adds an occurrence; an overdue one happens as soon as possible. So a resource imported long after its expiry still
    /// goes through every stage.
    fn overdue(&mut self, at: Timestamp, member: MemberIndex, action: Action) {
        self.push(at.max(self.after + 1), member, action);
    }
}
