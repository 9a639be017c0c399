//! Walks a bundle along its timeline: on time or late, in order, and never past a renewal try.
//!
//! Knows what an occurrence does to a resource. Does not know where timelines come from, and leaves every renewal try
//! to its caller: money is decided elsewhere.
//!
//! A walk up to `now` carries out what was due, at the instants at which it was due, and pauses at each renewal try.
//! The caller tries, says how it went, and walks on. Tries that were missed while the host was down collapse: the
//! first of them is made now, before any demotion it could have prevented; if it is declined, the others that were due
//! by now would meet the same balance and are skipped.

use crate::bundle::Bundle;
use crate::bundle::Stage;
use crate::event::Event;
use crate::event::EventKind;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

/// How many seconds before the first look at a bundle its tries are still made: what takes no longer is no outage.
pub const LOOK_BACK: i64 = 60;

/// A bundle on its way through its timeline.
#[derive(Clone, Debug)]
pub struct TimelineWalk {
    /// The bundle as the walk has left it.
    pub bundle: Bundle,
    /// Everything up to and including this instant has been done.
    cursor: Timestamp,
    /// The occurrences done at the cursor itself, so that a new timeline does not repeat them.
    done_at_cursor: Vec<Occurrence>,
    /// The try that the walk paused for.
    trying: Option<Occurrence>,
    /// Members of which a try was declined on this walk.
    declined: Vec<MemberIndex>,
    /// Of a bundle that was just taken in: as of when. What had come to its end by then is not renewed.
    taken_in_at: Option<Timestamp>,
    /// Whether an inventory said since the last walk what the bundle is.
    is_told_anew: bool,
    /// Of a bundle that was just taken in and has not expired: up to here nothing but tries is still to come.
    looked_back_until: Option<Timestamp>,
    /// The tries that the walk went back for.
    missed: Option<MissedTries>,
    /// Whether something of the timeline was done on this walk.
    has_begun: bool,
    /// What happened on this walk, in order.
    pub events: Vec<Event>,
}

/// Tries from before a bundle was taken in that are made after all.
#[derive(Clone, Debug)]
struct MissedTries {
    /// The members whose tries they are.
    members: Vec<MemberIndex>,
    /// Whatever else lies up to and including this instant is past.
    until: Timestamp,
    /// Whether the walk is behind that instant again.
    is_over: bool,
}

/// Why a walk stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// A renewal of this member is to be tried now.
    Renewal {
        /// The member whose renewal is due.
        member: MemberIndex,
        /// The next try of it that lies ahead, if this one fails.
        next_try_at: Option<Timestamp>,
    },
    /// Nothing more is due.
    Idle {
        /// When something is; `None` once nothing ever is.
        wake: Option<Timestamp>,
    },
}

impl TimelineWalk {
    /// A walk for a bundle of which everything up to and including `cursor` has been done.
    pub fn new(bundle: Bundle, cursor: Timestamp) -> TimelineWalk {
        TimelineWalk {
            bundle,
            cursor,
            done_at_cursor: Vec::new(),
            trying: None,
            declined: Vec::new(),
            taken_in_at: None,
            is_told_anew: false,
            looked_back_until: None,
            missed: None,
            has_begun: false,
            events: Vec::new(),
        }
    }

    /// The first walk of a bundle that was imported, with a clock that is at `now`; see `Bundle::done_before`.
    ///
    /// A missed try of one that expired before is made as after an outage, but not of one that had already come to its
    /// end: that is gone, and the author of the inventory does not know it. What is said to be in grace or retention before
    /// its expiry is active: it is paid for. Of one that has not expired, a try of the last [`LOOK_BACK`] seconds is still
    /// made, and not left to the next day; whatever else lies before `now` is past.
    pub fn starting(mut bundle: Bundle, now: Timestamp) -> TimelineWalk {
        let mut events = Vec::new();
        let mut has_expired = false;
        for member in bundle.members.iter_mut().filter(|member| member.is_live()) {
            let is_paid = member.expires_at.is_some_and(|expires_at| expires_at >= now);
            has_expired |= member.expires_at.is_some_and(|expires_at| expires_at <= now);
            if member.stage != Stage::Active && is_paid {
                let what = EventKind::StageChanged { from: member.stage, to: Stage::Active };
                events.push(Event { at: now - 1, resource: Some(member.id.clone()), what });
                member.stage = Stage::Active;
            }
        }
        let done = bundle.done_before(now);
        TimelineWalk {
            taken_in_at: Some(now),
            is_told_anew: true,
            looked_back_until: (!has_expired).then_some(done),
            events,
            ..TimelineWalk::new(bundle, if has_expired { done } else { done - LOOK_BACK })
        }
    }

    /// The same walk of a bundle that an inventory changed since the last one.
    pub fn of_changed(self) -> TimelineWalk {
        TimelineWalk { is_told_anew: true, ..self }
    }

    /// Goes back to the last tries of members that were taken in, or changed by an inventory, when none was left before their
    /// expiry; false when there are none, or it went back before. The caller asks for the timeline anew.
    ///
    /// What renews itself is renewed by its provider until it expires; that its last try is past is no reason to lose it.
    pub fn rewind_to_missed_tries(&mut self, timeline: &[Occurrence]) -> bool {
        if !self.is_told_anew || self.missed.is_some() {
            return false;
        }
        let (bundle, cursor) = (&self.bundle, self.cursor);
        // What is attached may have tries of its own, on which alone it is renewed: those of what it is attached to are none of
        // its.
        let has_try = |index: MemberIndex, expires_at: Timestamp| {
            timeline.iter().any(|occurrence| {
                occurrence.member == index
                    && occurrence.action == Action::TryRenewal
                    && occurrence.at <= expires_at
            })
        };
        let missed = bundle.iter().filter(|(index, member)| {
            !self.declined.contains(index)
                && member.expires_at.is_some_and(|expires_at| !has_try(*index, expires_at))
        });
        let missed = missed.filter_map(|(index, member)| Some((index, member.before_tries()?)));
        let missed = missed.filter(|(_, before)| *before <= cursor).collect::<Vec<_>>();
        let Some(first) = missed.iter().map(|(_, before)| *before).min() else { return false };
        let members = missed.into_iter().map(|(index, _)| index).collect();
        self.missed = Some(MissedTries { members, until: cursor, is_over: false });
        self.cursor = first - 1;
        true
    }

    /// Ends a walk along missed tries that none is left of: the walk goes on from where it went back from; false when it is on none.
    /// The caller asks for the timeline anew, because what the last one said of the time in between was passed over.
    pub fn leave_missed_tries(&mut self) -> bool {
        let Some(missed) = self.missed.as_mut().filter(|missed| !missed.is_over) else { return false };
        missed.is_over = true;
        if self.cursor < missed.until {
            self.cursor = missed.until;
            self.done_at_cursor.clear();
        }
        true
    }

    /// Says that everything up to and including `at` has been done, whatever timelines say of it from now on: the bundle
    /// is about to be changed by something that is on no timeline.
    pub fn skip_to(&mut self, at: Timestamp) {
        if at > self.cursor {
            self.cursor = at;
            self.done_at_cursor.clear();
        }
    }

    /// The instant to ask a timeline after.
    ///
    /// Right after a try it lies a second before the cursor: a renewal may have changed what else happens then.
    pub fn ask_after(&self) -> Timestamp {
        if self.done_at_cursor.is_empty() { self.cursor } else { self.cursor - 1 }
    }

    /// The instant to go on from if the bundle is put aside now: nothing up to and including it is done again.
    pub fn safe_cursor(&self) -> Timestamp {
        if self.trying.is_some() { self.cursor - 1 } else { self.cursor }
    }

    /// Whether missed tries of a bundle that was taken in, or changed by an inventory, are still to be looked for.
    pub fn is_told_anew(&self) -> bool {
        self.is_told_anew && self.missed.is_none()
    }

    /// Whether something of the timeline was done on this walk.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Records that the renewal that the walk yielded for succeeded. The caller asks for the timeline anew.
    pub fn settle(&mut self) {
        self.has_begun = true;
        self.done_at_cursor.extend(self.trying.take());
    }

    /// Says that the try that the walk paused for was declined.
    pub fn decline(&mut self) {
        self.has_begun = true;
        self.declined.extend(self.trying.as_ref().map(|occurrence| occurrence.member));
        self.done_at_cursor.extend(self.trying.take());
    }

    /// Walks along `timeline` up to `now`. `notices` are the names of the plugin's notices, in the order of its manifest.
    ///
    /// Walking to a try again without saying how it went leads to the same try.
    pub fn walk(&mut self, timeline: &[Occurrence], now: Timestamp, notices: &[String]) -> Yield {
        for (number, occurrence) in timeline.iter().enumerate() {
            if occurrence.at > now {
                return Yield::Idle { wake: Some(occurrence.at) };
            }
            if occurrence.at < self.cursor || self.is_done(occurrence) || self.is_past(occurrence) {
                continue;
            }
            if occurrence.at > self.cursor {
                self.cursor = occurrence.at;
                self.done_at_cursor.clear();
            }
            if occurrence.action == Action::TryRenewal {
                if self.declined.contains(&occurrence.member)
                    || self.had_ended_before(occurrence.member, timeline)
                {
                    continue;
                }
                self.trying = Some(occurrence.clone());
                let next_try_at = timeline[number..].iter().find(|later| {
                    later.at > now && later.member == occurrence.member && later.action == Action::TryRenewal
                });
                let next_try_at = next_try_at.map(|later| later.at);
                return Yield::Renewal { member: occurrence.member, next_try_at };
            }
            self.done_at_cursor.push(occurrence.clone());
            self.has_begun = true;
            self.happen(occurrence, notices);
        }
        Yield::Idle { wake: None }
    }

    /// Whether the member had come to its end before its bundle was taken in, or before where the walk went back from.
    fn had_ended_before(&self, member: MemberIndex, timeline: &[Occurrence]) -> bool {
        let is_end = |action: &Action| matches!(action, Action::Enter(Stage::Released) | Action::Convert);
        let looked_back_from = self.missed.as_ref().map(|missed| missed.until + 1);
        self.taken_in_at.or(looked_back_from).is_some_and(|at| {
            timeline.iter().any(|later| later.member == member && later.at < at && is_end(&later.action))
        })
    }

    /// Whether it was past when the bundle was taken in, and is no try that was missed.
    fn is_past(&self, occurrence: &Occurrence) -> bool {
        let is_try = occurrence.action == Action::TryRenewal;
        let is_missed = |missed: &MissedTries| is_try && missed.members.contains(&occurrence.member);
        self.missed.as_ref().is_some_and(|missed| occurrence.at <= missed.until && !is_missed(missed))
            || self.looked_back_until.is_some_and(|until| occurrence.at <= until && !is_try)
    }

    fn is_done(&self, occurrence: &Occurrence) -> bool {
        occurrence.at == self.cursor && self.done_at_cursor.contains(occurrence)
    }

    fn happen(&mut self, occurrence: &Occurrence, notices: &[String]) {
        let at = occurrence.at;
        let member = &mut self.bundle[occurrence.member];
        let id = member.id.clone();
        let mut record = |what| self.events.push(Event { at, resource: Some(id.clone()), what });
        match &occurrence.action {
            Action::TryRenewal => {}
            Action::Enter(stage) => {
                let from = std::mem::replace(&mut member.stage, *stage);
                if from != *stage {
                    record(EventKind::StageChanged { from, to: *stage });
                }
            }
            Action::Convert => {
                let from = member.convert();
                record(EventKind::StageChanged { from, to: Stage::Converted });
                record(EventKind::Converted);
            }
            Action::SetAttribute(name, value) => {
                let before = member.attributes.insert(name.clone(), value.clone());
                if before.as_ref() != Some(value) {
                    record(EventKind::SettingChanged { setting: name.clone(), value: Some(value.clone()) });
                }
            }
            Action::Refill => {
                if let Some(package) = member.package.as_mut().filter(|package| package.used > Micros::ZERO) {
                    package.used = Micros::ZERO;
                    record(EventKind::PackageRefilled { left: package.quota });
                }
            }
            Action::Notice(notice) => {
                let notice = notices.get(notice.get()).cloned().unwrap_or_else(|| format!("notice {notice}"));
                record(EventKind::Notice { notice });
            }
        }
    }
}

#[cfg(test)]
mod tests;
