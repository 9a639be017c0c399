//! What clients see of plugins' revisions: what is kept, what is bound, and what shadows answered otherwise.

use perennial_engine::persist::RecordedEvent;
use perennial_engine::revision_changes::BindingChanges;
use perennial_formats::event_view::EventView;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings::BindingChange;
use perennial_store::plugin_bindings::StoredBinding;
use perennial_store::plugin_revisions::StoredRevision;
use perennial_store::revision_differences;
use perennial_store::revision_differences::RevisionTotal;
use perennial_store::revision_differences::RevisionTrial;
use perennial_store::revision_differences::StoredRevisionDifference;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::to_text;

/// A revision of a plugin that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginRevision)]
pub(super) struct RevisionView {
    /// The digest that names it: the SHA-256 of the component or, of a table, of its interpreter and it.
    digest: String,
    /// The ID of the provider whose rules it has.
    provider: String,
    /// `component` or `table`.
    kind: &'static str,
    /// The size of what its author made, in bytes.
    size_bytes: u64,
    /// `bundled`, or the file that it came from.
    origin: String,
    /// The trusted key that signed it; null where none was asked for.
    signed_by: Option<String>,
    /// What it is granted beyond every plugin, as limits are written; null for nothing.
    granted: Option<String>,
    /// When it was first kept.
    installed_at: String,
    /// The ID of the token that installed it; `cli` for the command line, `host` for what the host loads itself.
    installed_by: String,
    /// What it is bound to, such as `active for acme-*`; empty when it decides nothing.
    bound: Vec<String>,
}

impl RevisionView {
    /// The view of a revision, with those of `bindings` that are its own.
    pub(super) fn of(stored: StoredRevision, bindings: &[StoredBinding]) -> RevisionView {
        let own = bindings.iter().filter(|held| held.digest == stored.digest);
        let bound = own.map(|held| format!("{} for {}", held.subject.mode.name(), held.subject.accounts));
        RevisionView {
            bound: bound.collect(),
            digest: stored.digest,
            provider: stored.provider,
            kind: if stored.is_table { "table" } else { "component" },
            size_bytes: stored.size_bytes,
            origin: stored.origin,
            signed_by: stored.signed_by,
            granted: stored.granted,
            installed_at: stored.installed_at.to_string(),
            installed_by: stored.installed_by,
        }
    }
}

/// A revision of a plugin that is bound to accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginBinding)]
pub(super) struct BindingView {
    /// The ID of the provider.
    provider: String,
    /// An account's ID, or a pattern in which `*` is any run of characters. Of those that match an account, the narrowest holds.
    accounts: String,
    /// `active`: it decides; `shadow`: it is asked the same, and nothing of its answers is followed.
    mode: &'static str,
    /// The digest of the revision.
    digest: String,
    /// `loaded`: what the program or the configuration brings, followed; `operator`: the accounts are pinned.
    origin: &'static str,
    /// Since when it is bound.
    bound_at: String,
    /// The ID of the token that bound it; `cli` for the command line, `host` for what the host loads itself.
    bound_by: String,
}

impl From<StoredBinding> for BindingView {
    fn from(stored: StoredBinding) -> BindingView {
        BindingView {
            provider: stored.subject.provider,
            accounts: stored.subject.accounts,
            mode: stored.subject.mode.name(),
            digest: stored.digest,
            origin: stored.origin.name(),
            bound_at: stored.bound_at.to_string(),
            bound_by: stored.bound_by,
        }
    }
}

/// A change of what is bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PluginBindingChange)]
pub(super) struct BindingChangeView {
    /// When it was made.
    at: String,
    /// The ID of the provider.
    provider: String,
    /// The account, or the pattern of accounts.
    accounts: String,
    /// `active` or `shadow`.
    mode: &'static str,
    /// The digest of the revision before; null when none was bound.
    before: Option<String>,
    /// The digest of the revision from then on; null when none is.
    after: Option<String>,
    /// The ID of the token that made it; `cli` for the command line, `host` for what the host loads itself.
    changed_by: String,
    /// The reason given.
    reason: Option<String>,
}

impl From<BindingChange> for BindingChangeView {
    fn from(change: BindingChange) -> BindingChangeView {
        BindingChangeView {
            at: change.at.to_string(),
            provider: change.subject.provider,
            accounts: change.subject.accounts,
            mode: change.subject.mode.name(),
            before: change.before,
            after: change.after,
            changed_by: change.changed_by,
            reason: change.reason,
        }
    }
}

/// How a revision was asked in shadow beside one that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RevisionTrial)]
pub(super) struct TrialView {
    /// The digest of the revision that was followed.
    followed: String,
    /// How many questions both were asked.
    asked: u64,
    /// To how many of them the answers differ, those that failed among them.
    differed: u64,
    /// To how many of them the shadow gave no usable answer.
    failed: u64,
    /// The fuel that the shadow's plans took.
    fuel: u64,
    /// The fuel that the plans took that were followed.
    followed_fuel: u64,
    /// The time that the shadow's calls took, in microseconds.
    micros: u64,
    /// The time that the calls took that were followed, in microseconds.
    followed_micros: u64,
    /// When it was first asked.
    first_at: String,
    /// When it was last asked.
    last_at: String,
}

impl From<RevisionTrial> for TrialView {
    fn from(trial: RevisionTrial) -> TrialView {
        TrialView {
            followed: trial.followed,
            asked: trial.asked,
            differed: trial.differed,
            failed: trial.failed,
            fuel: trial.fuel,
            followed_fuel: trial.fuel_followed,
            micros: trial.micros,
            followed_micros: trial.micros_followed,
            first_at: trial.first_at.to_string(),
            last_at: trial.last_at.to_string(),
        }
    }
}

/// The differences of one kind, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RevisionDifferenceTotal)]
pub(super) struct RevisionTotalView {
    /// How the answers differ: `timeline`, `refused` (what is done would be refused), `allowed` (what is refused would be done),
    /// `refusal` (for another reason), `price`, `plan` (other steps for the same amount), `usage` (a use is taken of other packages)
    /// or `failed`.
    kind: &'static str,
    /// How many questions, each once, however often it was asked.
    questions: u32,
    /// What the plans that were followed cost, a decimal.
    followed_cost: String,
    /// What those of the shadow would cost, a decimal.
    cost: String,
    /// The currency of both.
    currency: String,
}

impl From<RevisionTotal> for RevisionTotalView {
    fn from(total: RevisionTotal) -> RevisionTotalView {
        RevisionTotalView {
            kind: total.kind.name(),
            questions: total.questions,
            followed_cost: total.followed_cost.to_string(),
            cost: total.cost.to_string(),
            currency: total.currency,
        }
    }
}

/// A question that a shadow revision answered otherwise than the one that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RevisionDifference)]
pub(super) struct RevisionDifferenceView {
    /// The account's ID.
    account: String,
    /// The resource that was named.
    resource: String,
    /// `timeline`, the command that was planned, such as `renew`, or `use`.
    question: String,
    /// How the answers differ, as in the totals.
    kind: &'static str,
    /// The answer that was followed, in lines; of a timeline, those that the other has not.
    followed_answer: String,
    /// The answer of the shadow.
    answer: String,
    /// What the plan that was followed costs, a decimal; null where nothing is paid.
    followed_cost: Option<String>,
    /// What that of the shadow would cost, a decimal; null where nothing is paid.
    cost: Option<String>,
    /// The currency of both.
    currency: String,
    /// The digest of the revision that was followed.
    followed: String,
    /// When the question was first asked.
    first_at: String,
    /// When the question was last asked.
    last_at: String,
    /// How often it was asked.
    times: u32,
}

impl From<StoredRevisionDifference> for RevisionDifferenceView {
    fn from(stored: StoredRevisionDifference) -> RevisionDifferenceView {
        RevisionDifferenceView {
            account: stored.account_id,
            resource: stored.resource_id,
            question: stored.question,
            kind: stored.kind.name(),
            followed_answer: stored.followed_answer,
            answer: stored.answer,
            followed_cost: to_text(stored.followed_cost),
            cost: to_text(stored.cost),
            currency: stored.currency,
            followed: stored.followed,
            first_at: stored.first_at.to_string(),
            last_at: stored.last_at.to_string(),
            times: stored.times,
        }
    }
}

/// A page of the differences of a revision that is or was asked in shadow, with all of them by kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RevisionDifferences {
    /// How it was asked beside each revision that was followed.
    pub(super) trials: Vec<TrialView>,
    /// All differences by kind and currency.
    pub(super) totals: Vec<RevisionTotalView>,
    /// The questions, in the order in which they were first found to be answered otherwise.
    pub(super) items: Vec<RevisionDifferenceView>,
    /// The cursor of the next page; null when this is the last one.
    pub(super) next_cursor: Option<String>,
}

/// What there is to know of a revision before it decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Evidence {
    /// How it was asked beside each revision that was followed; empty when it never was.
    trials: Vec<TrialView>,
    /// What it would have done otherwise, by kind and currency.
    totals: Vec<RevisionTotalView>,
}

impl Evidence {
    /// The evidence of the revision `digest`.
    pub(super) fn read(db: &ReadTx, digest: &str) -> Result<Evidence, StoreError> {
        Ok(Evidence {
            trials: revision_differences::trials(db, digest)?.into_iter().map(Into::into).collect(),
            totals: revision_differences::totals(db, digest, None)?.into_iter().map(Into::into).collect(),
        })
    }
}

/// The result of a change of what is bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct BindingResult {
    /// What was changed; empty where all of it was so already.
    changes: Vec<BindingChangeView>,
    /// What is known of the revision that decides from then on.
    evidence: Evidence,
    /// The events of the change; none of a dry run.
    events: Vec<EventView>,
}

impl BindingResult {
    /// The result of `changes`, with what `db` knows of the revision that is active afterwards.
    pub(super) fn of(db: &ReadTx, changes: &BindingChanges) -> Result<BindingResult, StoreError> {
        let bound = changes.changes.iter().rev().find_map(|change| change.after.as_deref());
        Ok(BindingResult {
            evidence: bound.map_or_else(|| Ok(Evidence::default()), |digest| Evidence::read(db, digest))?,
            changes: changes.changes.iter().cloned().map(Into::into).collect(),
            events: changes.events.iter().map(RecordedEvent::view).collect(),
        })
    }

    /// The same of what was only looked at.
    pub(super) fn without_events(self) -> BindingResult {
        BindingResult { events: Vec::new(), ..self }
    }
}
