//! What is kept of what was decided, and for how long. Decides nothing.

use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use perennial_store::client_tokens;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::plugin_revisions;
use perennial_store::policy_differences;
use perennial_store::revision_differences;

/// For how many days decisions are kept unless somebody says otherwise.
pub const DECISION_DAYS: i64 = 90;
/// How many client tokens of an account are remembered unless somebody says otherwise.
pub const CLIENT_TOKENS_MAX: i64 = 100_000;
/// The most client tokens that are forgotten at once: as quick.
const TOKENS_DELETED_MAX: u32 = 10_000;
/// The most decisions that are deleted at once: some milliseconds, and more in a day than a million resources have.
const DELETED_MAX: u32 = 2_000;
/// For how many days a difference of a shadow is kept after its plan was last tried ...
const DIFFERENCE_DAYS: i64 = 90;
/// ... and how many are deleted at once.
const DIFFERENCES_MAX: u32 = 10_000;
const DAY: i64 = 86_400;

/// What is kept besides what the clock itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Events and decisions: the host's own data.
    Everything,
    /// Neither: a simulation takes the events as they come.
    State,
}

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordLimits {
    /// For how many days decisions are.
    pub decision_days: i64,
    /// The most client tokens of one account that are.
    pub client_tokens_max: i64,
}

impl RecordLimits {
    /// Unless somebody says otherwise.
    pub(crate) const DEFAULT: RecordLimits =
        RecordLimits { decision_days: DECISION_DAYS, client_tokens_max: CLIENT_TOKENS_MAX };
}

impl<S> Engine<S> {
    /// The same engine, which deletes decisions that are older than so many days.
    pub fn with_decision_days(mut self, days: i64) -> Engine<S> {
        self.record_limits.decision_days = days;
        self
    }

    /// The same engine, which remembers so many client tokens of each account, and refuses a command with one more.
    pub fn with_client_tokens_max(mut self, most: i64) -> Engine<S> {
        self.record_limits.client_tokens_max = most;
        self
    }
}

impl Engine {
    /// Deletes decisions and differences of shadows that are older at `now` than they are kept, client tokens that have run out, and
    /// revisions of plugins that nothing refers to any more, the oldest first, not all of them at once: for a host that runs, which
    /// calls this every few seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub fn delete_old_records(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let decided_before = now - self.record_limits.decision_days.saturating_mul(DAY);
        let differed_before = now - DIFFERENCE_DAYS * DAY;
        let has_decisions = decisions::has_before(self.db(), decided_before)?;
        let has_differences = policy_differences::has_before(self.db(), differed_before)?;
        let has_revision_differences = revision_differences::has_before(self.db(), differed_before)?;
        // What a revision decided is kept as long as any decision of that time.
        let unused =
            if has_decisions { None } else { self.unused_revision(decided_before.min(differed_before))? };
        let has_tokens = client_tokens::has_expired(self.db(), now)?;
        if !has_decisions && !has_differences && !has_revision_differences && !has_tokens && unused.is_none()
        {
            return Ok(());
        }
        self.in_transaction(|engine| {
            if let Some(digest) = unused {
                plugin_revisions::delete(engine.tx(), &digest)?;
                tracing::info!(digest, "a revision that nothing refers to any more is deleted");
            }
            policy_differences::delete_before(engine.tx(), differed_before, DIFFERENCES_MAX)?;
            revision_differences::delete_before(engine.tx(), differed_before, DIFFERENCES_MAX)?;
            client_tokens::delete_expired(engine.tx(), now, TOKENS_DELETED_MAX)?;
            decisions::delete_before(engine.tx(), decided_before, DELETED_MAX)
        })
    }

    /// A revision that nothing refers to and that is no longer needed to ask again what it decided before `before`.
    fn unused_revision(&self, before: Timestamp) -> Result<Option<String>, StoreError> {
        let loaded = self.providers().loaded().values().map(|rules| rules.digest()).collect::<Vec<_>>();
        plugin_revisions::unused(self.db(), before, &loaded)
    }
}
