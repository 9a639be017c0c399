//! The breakers of revisions that a batch meets, as they were read and as they are now.
//!
//! Knows what was answered and what failed. What opens a breaker, and for how long, is the domain's; who is asked is the batch's.

use std::collections::BTreeMap;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::plugin_failure::Admission;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::timestamp::Timestamp;

/// The breakers of the revisions that decide in a batch, and what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct BatchBreakers {
    /// By digest, as they were read ...
    before: BTreeMap<String, Breaker>,
    /// ... and as they are now; there is none of a revision that answers.
    pub(crate) now: BTreeMap<String, Breaker>,
    /// What happened to them; it is the host's.
    events: Vec<Event>,
}

impl BatchBreakers {
    /// The breakers as they were read.
    pub(crate) fn new(stored: Vec<(String, Breaker)>) -> BatchBreakers {
        let before = stored.into_iter().collect::<BTreeMap<_, _>>();
        BatchBreakers { now: before.clone(), before, events: Vec::new() }
    }

    /// Whether the revision is asked at `at`.
    pub(crate) fn admission(&self, digest: &str, at: Timestamp) -> Admission {
        self.now.get(digest).map_or(Admission::Ask, |breaker| breaker.admission(at))
    }

    /// What is to be written: the breakers that are other ones than before, and what happened.
    pub(crate) fn into_changes(self) -> (Vec<(String, Option<Breaker>)>, Vec<Event>) {
        let BatchBreakers { before, now, events } = self;
        let closed = before.keys().filter(|digest| !now.contains_key(*digest));
        let closed = closed.map(|digest| (digest.clone(), None)).collect::<Vec<_>>();
        let changed = now.into_iter().filter(|(digest, breaker)| before.get(digest) != Some(breaker));
        (changed.map(|(digest, breaker)| (digest, Some(breaker))).chain(closed).collect(), events)
    }

    /// The revision answered at `at`: nothing is counted any more.
    pub(crate) fn close(&mut self, digest: &str, at: Timestamp) {
        let closed = self.now.remove(digest);
        if closed.is_some_and(|breaker| breaker.open_until.is_some()) {
            let what = EventKind::BreakerClosed { revision: digest.to_owned(), changed_by: None };
            self.events.push(Event { at, resource: None, what });
        }
    }

    pub(crate) fn note_open(&mut self, digest: &str, at: Timestamp, next_try_at: Timestamp) {
        let Some(breaker) = self.now.get(digest) else { return };
        let what = EventKind::BreakerOpened {
            provider: breaker.provider.clone(),
            revision: digest.to_owned(),
            message: breaker.message.clone(),
            next_try_at,
        };
        self.events.push(Event { at, resource: None, what });
    }
}
