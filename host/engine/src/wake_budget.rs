//! How often a bundle may wake within an hour, from answer to answer of its plugin.
//!
//! One timeline is bounded by itself; but a plugin that puts the next wake a second ahead each time it is asked would keep
//! the clock, the disk and the readers of events busy with one bundle for ever. Knows hours and wakes. It is in memory: a host
//! that starts again counts anew.

use std::collections::HashMap;

use perennial_domain::plugin_failure::Failure;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::BundleKey;

use crate::Engine;
use crate::batch::Batch;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;

/// Seconds of an hour.
const HOUR: i64 = 3_600;
/// A bundle that rests for longer cannot wake too often. Only shorter rests are counted, of which there are few.
const SHORT_REST_MAX: i64 = 60;

/// The short rests of one hour, by bundle.
#[derive(Debug, Default)]
pub(crate) struct WakeBudget {
    /// The hour that was counted last: instants divided by it.
    hour: i64,
    rests: HashMap<BundleKey, usize>,
}

impl WakeBudget {
    /// Counts the wakes of a batch that was decided on, and puts bundles that woke too often to rest, as when their plugin
    /// fails: they keep what was done, and wake later and later until the plugin lets them be. `per_member` is how often a
    /// bundle may wake within an hour for each of its members.
    pub(crate) fn limit(&mut self, batch: &mut Batch, per_member: usize) {
        for number in 0..batch.entries.len() {
            let entry = &batch.entries[number];
            let accepted = per_member * entry.walk.bundle.members.len();
            if entry.failing.is_some() || !rests_shortly(entry) {
                continue;
            }
            if self.count(entry.original.rows.bundle(), entry.instant) <= accepted {
                continue;
            }
            let rules = batch.account(entry.account).rules.as_ref();
            let plugin = rules.map_or("", |rules| rules.manifest().id.as_str());
            let message = format!(
                "plugin `{plugin}` has `{}` wake more than {accepted} times within an hour; at most {accepted} are accepted; \
                 tell its author",
                entry.walk.bundle.primary().id
            );
            let revision = rules.map(|rules| rules.digest().to_owned());
            batch.fail(EntryIndex::new(number), Failure { message, revision, is_alone: true });
        }
    }

    /// How often the bundle woke within the hour of `at`, this time included.
    fn count(&mut self, bundle: BundleKey, at: Timestamp) -> usize {
        let hour = at.as_second().div_euclid(HOUR);
        if hour != self.hour {
            self.hour = hour;
            self.rests.clear();
        }
        let count = self.rests.entry(bundle).or_default();
        *count += 1;
        *count
    }
}

impl<S> Engine<S> {
    /// The same engine, in which a plugin may have a bundle wake so often within an hour for each of its members.
    pub fn with_wakes_per_hour_max(mut self, wakes: usize) -> Engine<S> {
        self.wakes_per_hour_max = wakes;
        self
    }
}

fn rests_shortly(entry: &BatchEntry) -> bool {
    entry.schedule.wake_at.is_some_and(|wake_at| wake_at - entry.instant < SHORT_REST_MAX)
}
