//! Which bundles of a batch are asked about, and what their answers mean for the others of their revision.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use perennial_domain::plugin_failure::Admission;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::plugin_failure::Failure;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::batch::Batch;
use crate::batch_entry::EntryIndex;
use crate::revisions::short;

impl<S> Engine<S> {
    /// The same engine, with what follows from failures of plugins.
    pub fn with_failure_limits(mut self, limits: FailureLimits) -> Engine<S> {
        self.failure_limits = limits;
        self
    }
}

impl Batch {
    /// Decides on every bundle whose revision is asked, up to its instant; the others rest. Of a revision whose breaker was open
    /// until now, one bundle is asked about first. Returns how many bundles, from the first one on, were rightly decided on
    /// together, because a breaker opened over the last of them; all of them if none did.
    pub(crate) fn decide_by_breakers(&mut self) -> usize {
        let everything = (0..self.entries.len()).map(EntryIndex::new);
        if self.breakers.now.is_empty() {
            let everything = everything.collect::<Vec<_>>();
            self.decide_entries(everything.clone());
            self.observe_shadows();
            return self.count_failures(&everything);
        }
        let (mut asked, mut waiting) = (Vec::new(), BTreeMap::<String, Vec<EntryIndex>>::new());
        for index in everything {
            let Some(digest) = self.digest_of(index) else {
                asked.push(index);
                continue;
            };
            match self.breakers.admission(&digest, self.entry(index).instant) {
                Admission::Ask => asked.push(index),
                Admission::Probe => waiting.entry(digest).or_default().push(index),
                Admission::Wait(until) => self.postpone(index, &digest, (until, false)),
            }
        }
        for (digest, indexes) in waiting {
            asked.extend(self.probe(&digest, indexes));
        }
        asked.sort_unstable();
        self.decide_entries(asked.clone());
        self.observe_shadows();
        self.count_failures(&asked)
    }

    /// Asks about one of these bundles; returns those that are asked about then.
    fn probe(&mut self, digest: &str, indexes: Vec<EntryIndex>) -> Vec<EntryIndex> {
        // A bundle that it fails over alone says nothing of the others.
        let rank = |index: &&EntryIndex| {
            let before = self.entry(**index).failing_before.as_ref();
            before.map_or(0, |before| before.failures_alone)
        };
        let Some(probe) = indexes.iter().min_by_key(rank).copied() else { return Vec::new() };
        let at = self.entry(probe).instant;
        self.decide_entries(vec![probe]);
        let others = indexes.into_iter().filter(|index| *index != probe).collect::<Vec<_>>();
        let Some(failing) = &self.entry(probe).failing else {
            self.breakers.close(digest, at);
            return others;
        };
        let message = failing.message.clone();
        let limits = self.failure_limits;
        let Some(breaker) = self.breakers.now.get_mut(digest) else { return others };
        let until = breaker.fail_probe(at, &message, &limits);
        self.breakers.note_open(digest, at, until);
        // The revision is what failed, and not the pair of it and this bundle. Another one is asked about next all the same: what
        // fails over this one may answer about that.
        self.entry_mut(probe).take_back_failure(until);
        self.postpone(probe, digest, (until, true));
        for index in others {
            self.postpone(index, digest, (until, false));
        }
        Vec::new()
    }

    /// Counts what was answered and what failed in the order of the bundles, up to the one over which a breaker opens; returns
    /// how many bundles that are.
    fn count_failures(&mut self, asked: &[EntryIndex]) -> usize {
        let limits = self.failure_limits;
        let is_failing = |index: &EntryIndex| self.entry(*index).failing.is_some();
        if self.breakers.now.is_empty() && !asked.iter().any(is_failing) {
            return self.entries.len();
        }
        for index in asked {
            let Some(digest) = self.digest_of(*index) else { continue };
            let item = &self.entries[index.get()];
            let at = item.instant;
            let Some(failing) = &item.failing else {
                self.breakers.close(&digest, at);
                continue;
            };
            // The same bundle again says nothing of the others.
            if item.failing_before.as_ref().is_some_and(|before| before.failed_alone(&digest)) {
                continue;
            }
            let provider = &self.accounts[item.account.get()].account.provider;
            let breaker = self.breakers.now.entry(digest.clone()).or_insert_with(|| Breaker::new(provider));
            if let Some(until) = breaker.count(at, &failing.message, &limits) {
                self.breakers.note_open(&digest, at, until);
                return index.get() + 1;
            }
        }
        self.entries.len()
    }

    /// Counts what shadow revisions answered: nothing of it is followed, but one that fails over everything makes each batch slow.
    fn observe_shadows(&mut self) {
        let observed = {
            let mut log = self.shadows.lock().unwrap_or_else(PoisonError::into_inner);
            log.take_health()
        };
        let limits = self.failure_limits;
        for (digest, health) in observed {
            if health.has_answered {
                self.breakers.close(&digest, health.at);
                continue;
            }
            // What is asked about one bundle only says nothing of the others.
            if health.failed.len() < 2 {
                continue;
            }
            let breaker =
                self.breakers.now.entry(digest.clone()).or_insert_with(|| Breaker::new(&health.provider));
            let was_open = breaker.open_until.is_some();
            let mut until = None;
            if was_open {
                until = Some(breaker.fail_probe(health.at, &health.message, &limits));
            } else {
                for _ in &health.failed {
                    until = breaker.count(health.at, &health.message, &limits);
                    if until.is_some() {
                        break;
                    }
                }
            }
            if let Some(until) = until {
                self.breakers.note_open(&digest, health.at, until);
            }
        }
    }

    /// Leaves the bundle at `index` as it is until its turn after `until`, because its revision is not asked before; `is_probe` says
    /// that it was asked about.
    fn postpone(&mut self, index: EntryIndex, digest: &str, (until, is_probe): (Timestamp, bool)) {
        let said = self.breakers.now.get(digest).map_or("", |breaker| breaker.message.as_str());
        let message = format!(
            "the revision {} fails over everything, and is not asked before {until}: {said}",
            short(digest)
        );
        let failure = Failure { message, revision: Some(digest.to_owned()), is_alone: is_probe };
        let limits = self.failure_limits;
        self.entry_mut(index).postpone(failure, until, &limits);
    }

    /// The digest of the revision that decides on the bundle at `index`; `None` without a plugin.
    fn digest_of(&self, index: EntryIndex) -> Option<String> {
        let rules = self.account(self.entry(index).account).rules.as_ref();
        rules.map(|rules| rules.digest().to_owned())
    }
}
