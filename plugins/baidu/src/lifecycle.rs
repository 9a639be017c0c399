//! The timeline of a bundle: renewal tries, notices, and the stages after an expiry.
//!
//! Each prepaid member follows its own expiry. Knows when a renewal is tried; `renewal` knows what it extends.
//! Documents: "Automatic Renewal" (Finance), "Renewal" (Finance), "Expiration" (ET); the README names the document of
//! each rule.

use plugin_sdk::Action;
use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Occurrence;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;

use crate::following::last_tries;
use crate::following::left_out;
use crate::following::stands_in;
use crate::following::tried_with;
use crate::kinds::Kind;
use crate::members::STATUS;
use crate::profile::notices;
use crate::settings::Settings;
use crate::tries::ahead;
use crate::tries::tries;

/// Everything that happens to the bundle strictly after `after` if nobody sends a command and every try fails.
pub fn timeline(settings: &Settings, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
    let mut line = Line { after, occurrences: Vec::with_capacity(bundle.len() * 12) };
    for (member, resource) in (0..).zip(bundle) {
        let (Charging::Prepaid, Some(expires_at)) = (resource.charging, resource.expires_at) else {
            continue;
        };
        let kind = Kind::of(&resource.kind);
        if resource.stage == Stage::Active {
            line.tries(settings, bundle, member, kind, expires_at);
            line.warnings(settings, member, resource, kind, expires_at);
        }
        line.stages(settings, member, resource, kind, expires_at);
    }
    line.occurrences.sort_by_key(|occurrence| (occurrence.at, occurrence.member));
    line.occurrences.dedup();
    line.occurrences
}

struct Line {
    after: Timestamp,
    occurrences: Vec<Occurrence>,
}

impl Line {
    fn tries(
        &mut self,
        settings: &Settings,
        bundle: &[Resource],
        member: MemberIndex,
        kind: Kind,
        expires_at: Timestamp,
    ) {
        let resource = &bundle[member as usize];
        let renews_itself = resource.on_expiry == OnExpiry::Renew && tried_with(bundle, resource).is_none();
        if !renews_itself && left_out(settings, bundle, resource).is_none() {
            if stands_in(settings, bundle, resource).is_some() {
                for at in last_tries(settings, resource).into_iter().flatten() {
                    self.push(at, member, Action::TryRenewal);
                }
            }
            return;
        }
        for at in tries(settings, kind, expires_at) {
            self.push(at, member, Action::TryRenewal);
        }
    }

    fn warnings(
        &mut self,
        settings: &Settings,
        member: MemberIndex,
        resource: &Resource,
        kind: Kind,
        expires_at: Timestamp,
    ) {
        match resource.on_expiry {
            OnExpiry::Convert => {}
            OnExpiry::Lapse | OnExpiry::Renew | OnExpiry::Release => {
                for days in settings.notice_days(kind) {
                    let at = ahead(expires_at, *days, settings.notice_hour);
                    self.push(at, member, Action::Notice(notices::EXPIRES_SOON));
                }
            }
        }
    }

    fn stages(
        &mut self,
        settings: &Settings,
        member: MemberIndex,
        resource: &Resource,
        kind: Kind,
        expires_at: Timestamp,
    ) {
        let stops_at = expires_at + settings.grace_days(kind) * DAY;
        let released_at = stops_at + settings.retention_days(kind) * DAY;
        match (resource.stage, resource.on_expiry) {
            (Stage::Active, OnExpiry::Convert) => self.overdue(expires_at, member, Action::Convert),
            (Stage::Active, OnExpiry::Release) => self.release(expires_at, member),
            (Stage::Active, OnExpiry::Lapse | OnExpiry::Renew) => {
                if stops_at > expires_at {
                    self.overdue(expires_at, member, Action::Enter(Stage::Grace));
                }
                self.stop(stops_at, member, kind);
                self.keep(released_at, member);
            }
            (Stage::Grace, _) => {
                self.stop(stops_at, member, kind);
                self.keep(released_at, member);
            }
            (Stage::Retention, _) => self.keep(released_at, member),
            (Stage::Released | Stage::Unsubscribed | Stage::Converted, _) => {}
        }
    }

    fn stop(&mut self, at: Timestamp, member: MemberIndex, kind: Kind) {
        self.overdue(at, member, Action::Enter(Stage::Retention));
        if kind.runs() {
            let stopped = Action::SetAttribute((STATUS.to_owned(), "stopped".to_owned()));
            self.overdue(at, member, stopped);
        }
    }

    fn keep(&mut self, released_at: Timestamp, member: MemberIndex) {
        self.push(released_at - DAY, member, Action::Notice(notices::RELEASED_SOON));
        self.release(released_at, member);
    }

    fn release(&mut self, at: Timestamp, member: MemberIndex) {
        self.overdue(at, member, Action::Notice(notices::RELEASED));
        self.overdue(at, member, Action::Enter(Stage::Released));
    }

    /// Adds an occurrence, unless it is in the past.
    fn push(&mut self, at: Timestamp, member: MemberIndex, action: Action) {
        if at > self.after {
            self.occurrences.push(Occurrence { at, member, action });
        }
    }

    /// Adds an occurrence; an overdue one happens as soon as possible. So a resource imported long after its expiry
    /// still goes through every stage.
    fn overdue(&mut self, at: Timestamp, member: MemberIndex, action: Action) {
        self.push(at.max(self.after + 1), member, action);
    }
}
