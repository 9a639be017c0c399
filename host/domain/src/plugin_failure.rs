//! What follows from failures of plugins: when a bundle is asked about again, when it is parked, and when a whole revision is not
//! asked for a while.
//!
//! Knows counts and instants. A failure over one bundle is of the pair of the bundle and the revision, and never keeps others from
//! being asked about; only bundles that fail one after the other, with no answer in between, open the breaker of their revision.

use crate::timestamp::Timestamp;

/// How long it is until something is asked again that failed, in seconds: twice as long each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// After the first failure ...
    pub first_seconds: i64,
    /// ... and the longest.
    pub most_seconds: i64,
}

/// So many turns there are when one bundle of many is asked about first: it stays within the shortest rest.
const TURNS_MAX: u32 = 30;
/// A rest is not doubled more often, so that it fits a number.
const DOUBLINGS_MAX: u32 = 16;

impl BackOff {
    /// The rest after so many failures in a row, at least 1, in seconds.
    pub fn rest(self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        self.first_seconds.saturating_mul(1 << doublings).min(self.most_seconds)
    }
}

/// From how many failures on something follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimits {
    /// When a bundle is asked about again.
    pub retry: BackOff,
    /// How many times in a row a revision fails over a bundle that is asked about alone until the bundle is parked, at least 1.
    pub park_failures: u32,
    /// How many bundles a revision fails over one after the other until its breaker opens, at least 1.
    pub breaker_bundles: u32,
    /// For how long a revision is not asked.
    pub breaker: BackOff,
}

impl FailureLimits {
    /// The limits without configuration: a minute to six hours for a bundle, which is parked after half an hour; a minute to an
    /// hour for a revision.
    pub const DEFAULT: FailureLimits = FailureLimits {
        retry: BackOff { first_seconds: 60, most_seconds: 6 * 3_600 },
        park_failures: 5,
        breaker_bundles: 8,
        breaker: BackOff { first_seconds: 60, most_seconds: 3_600 },
    };
}

impl Default for FailureLimits {
    fn default() -> FailureLimits {
        FailureLimits::DEFAULT
    }
}

/// How a plugin failed over a bundle this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in words.
    pub message: String,
    /// The digest of the revision; `None` when no plugin was there to be asked.
    pub revision: Option<String>,
    /// Whether it was asked about the bundle alone and failed, so that no other bundle can be the reason.
    pub is_alone: bool,
}

/// A bundle over which its plugin fails, until it gives a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingBundle {
    /// Since when it gives none.
    pub since: Timestamp,
    /// What went wrong last or, of a parked bundle, what it is parked for.
    pub message: String,
    /// The digest of the revision that failed last; `None` when there was none.
    pub revision: Option<String>,
    /// How many times in a row this revision failed over it alone.
    pub failures_alone: u32,
    /// When it was parked; `None` while it is not.
    pub parked_at: Option<Timestamp>,
    /// Whether an inventory changed the bundle and no plugin has answered about it since: what that missed is still to be made
    /// up for.
    pub is_changed: bool,
}

impl FailingBundle {
    /// What the bundle is after it failed once more at `at`; `is_changed` as the field. Another revision begins anew.
    pub fn after(
        before: Option<&FailingBundle>,
        (failure, is_changed): (Failure, bool),
        at: Timestamp,
        limits: &FailureLimits,
    ) -> FailingBundle {
        let since = before.map_or(at, |before| before.since);
        let before = before.filter(|before| before.revision == failure.revision);
        let alone = before.map_or(0, |before| before.failures_alone);
        let failures_alone = alone.saturating_add(u32::from(failure.is_alone));
        let parked_at = before.and_then(|before| before.parked_at);
        let message = match (before, parked_at, failure.is_alone) {
            // What keeps it parked stays what people read, whatever else keeps it from being asked about.
            (Some(before), Some(_), false) => before.message.clone(),
            (_, _, _) => failure.message,
        };
        let is_poisonous =
            failure.is_alone && failure.revision.is_some() && failures_alone >= limits.park_failures;
        FailingBundle {
            since,
            message,
            revision: failure.revision,
            failures_alone,
            parked_at: parked_at.or(is_poisonous.then_some(at)),
            is_changed,
        }
    }

    /// The same after the bundle was asked about for a revision that fails over everything: that counts, so that another bundle is
    /// asked about next, but it parks none.
    pub fn after_probe(
        before: Option<&FailingBundle>,
        failure: (Failure, bool),
        at: Timestamp,
        limits: &FailureLimits,
    ) -> FailingBundle {
        let is_same = |before: &&FailingBundle| before.revision == failure.0.revision;
        let parked_at = before.filter(is_same).and_then(|before| before.parked_at);
        FailingBundle { parked_at, ..FailingBundle::after(before, failure, at, limits) }
    }

    /// How many seconds after others it is asked about, where one bundle of a revision is asked about first: the less it failed
    /// over, the sooner.
    pub fn turn(&self) -> i64 {
        i64::from(self.failures_alone.min(TURNS_MAX))
    }

    /// Whether this revision has failed over it alone before.
    pub fn failed_alone(&self, revision: &str) -> bool {
        self.failures_alone > 0 && self.revision.as_deref() == Some(revision)
    }
}

/// What stands between the clock and a revision that fails over everything; there is none while it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// The provider's id.
    pub provider: String,
    /// How many bundles it failed over one after the other; each counts once.
    pub failures: u32,
    /// How often it was opened without an answer in between; 0 while it only counts.
    pub openings: u32,
    /// When it was opened first.
    pub opened_at: Option<Timestamp>,
    /// Nothing is asked before this instant, and one bundle then; `None` while it only counts.
    pub open_until: Option<Timestamp>,
    /// What went wrong last.
    pub message: String,
}

/// Whether a revision is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Whatever is due is asked.
    Ask,
    /// One bundle is asked about, and the others when that is answered.
    Probe,
    /// Nothing is asked before this instant.
    Wait(Timestamp),
}

impl Breaker {
    /// Closed, and nothing counted.
    pub fn new(provider: &str) -> Breaker {
        Breaker {
            provider: provider.to_owned(),
            failures: 0,
            openings: 0,
            opened_at: None,
            open_until: None,
            message: String::new(),
        }
    }

    /// Whether the revision is asked at `at`.
    pub fn admission(&self, at: Timestamp) -> Admission {
        match self.open_until {
            None => Admission::Ask,
            Some(until) if at < until => Admission::Wait(until),
            Some(_) => Admission::Probe,
        }
    }

    /// Counts a bundle that failed for the first time; returns until when nothing is asked, if that opened it.
    pub fn count(&mut self, at: Timestamp, message: &str, limits: &FailureLimits) -> Option<Timestamp> {
        self.failures = self.failures.saturating_add(1);
        message.clone_into(&mut self.message);
        (self.failures >= limits.breaker_bundles).then(|| self.open(at, limits))
    }

    /// Opens it again, for twice as long, because the bundle that was asked about failed; returns until when.
    pub fn fail_probe(&mut self, at: Timestamp, message: &str, limits: &FailureLimits) -> Timestamp {
        message.clone_into(&mut self.message);
        self.open(at, limits)
    }

    fn open(&mut self, at: Timestamp, limits: &FailureLimits) -> Timestamp {
        self.openings = self.openings.saturating_add(1);
        self.opened_at = self.opened_at.or(Some(at));
        let until = at + limits.breaker.rest(self.openings);
        self.open_until = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FailureLimits = FailureLimits {
        retry: BackOff { first_seconds: 60, most_seconds: 600 },
        park_failures: 3,
        breaker_bundles: 3,
        breaker: BackOff { first_seconds: 10, most_seconds: 35 },
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second)
    }

    fn failure(revision: &str, is_alone: bool) -> Failure {
        Failure { message: format!("{revision} failed"), revision: Some(revision.to_owned()), is_alone }
    }

    #[test]
    fn a_rest_doubles_up_to_its_cap_whatever_the_count() {
        let rests = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| LIMITS.retry.rest(failures));
        assert_eq!(rests, [60, 60, 120, 240, 480, 600, 600, 600]);
        let long = BackOff { first_seconds: i64::MAX, most_seconds: i64::MAX };
        assert_eq!(long.rest(9), i64::MAX);
    }

    #[test]
    fn a_bundle_is_parked_for_what_its_revision_does_alone() {
        let mut bundle: Option<FailingBundle> = None;
        let mut parked = Vec::new();
        let alone = [true, false, true, true, true, false];
        for (second, is_alone) in alone.into_iter().enumerate() {
            let now = at(i64::try_from(second).unwrap());
            let after = FailingBundle::after(bundle.as_ref(), (failure("r1", is_alone), false), now, &LIMITS);
            parked.push(after.parked_at.map(Timestamp::as_second));
            bundle = Some(after);
        }
        assert_eq!(parked, [None, None, None, Some(3), Some(3), Some(3)]);
        let bundle = bundle.unwrap();
        assert_eq!((bundle.since, bundle.failures_alone), (at(0), 4));
    }

    #[test]
    fn another_revision_begins_anew_with_a_bundle() {
        let parked = FailingBundle {
            since: at(1),
            message: "r1 failed".to_owned(),
            revision: Some("r1".to_owned()),
            failures_alone: 9,
            parked_at: Some(at(5)),
            is_changed: true,
        };
        let after = FailingBundle::after(Some(&parked), (failure("r2", true), true), at(9), &LIMITS);
        assert_eq!((after.since, after.failures_alone, after.parked_at), (at(1), 1, None));
        let missing = Failure { message: "none".to_owned(), revision: None, is_alone: false };
        let missing = FailingBundle::after(Some(&parked), (missing, false), at(9), &LIMITS);
        assert_eq!((missing.failures_alone, missing.parked_at), (0, None));
    }

    #[test]
    fn a_parked_bundle_that_is_not_asked_about_keeps_its_reason() {
        let parked = FailingBundle::after(
            None,
            (failure("r1", true), false),
            at(1),
            &FailureLimits { park_failures: 1, ..LIMITS },
        );
        let held = Failure { message: "the breaker is open".to_owned(), ..failure("r1", false) };
        let held = FailingBundle::after(Some(&parked), (held, false), at(2), &LIMITS);
        assert_eq!((held.message.as_str(), held.parked_at), ("r1 failed", Some(at(1))));
    }

    #[test]
    fn a_breaker_opens_for_longer_each_time_and_lets_one_bundle_through() {
        let mut breaker = Breaker::new("huawei");
        assert_eq!(breaker.count(at(0), "a", &LIMITS), None);
        assert_eq!(breaker.count(at(0), "b", &LIMITS), None);
        assert_eq!(breaker.admission(at(1)), Admission::Ask);
        assert_eq!(breaker.count(at(1), "c", &LIMITS), Some(at(11)));
        assert_eq!(breaker.admission(at(10)), Admission::Wait(at(11)));
        assert_eq!(breaker.admission(at(11)), Admission::Probe);
        let until = [11, 31, 66].map(|second| breaker.fail_probe(at(second), "d", &LIMITS).as_second());
        assert_eq!(until, [31, 66, 101]);
        assert_eq!((breaker.opened_at, breaker.message.as_str()), (Some(at(1)), "d"));
    }
}
