//! What is known of a plugin's revision before it decides: how it was asked in shadow, and what it answered otherwise, by kind, in
//! money and with examples.

use perennial_engine::persist::RecordedEvent;
use perennial_engine::revision_changes::BindingChanges;
use perennial_formats::event_view::EventView;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::revision_differences;
use perennial_store::revision_differences::RevisionTotal;
use perennial_store::revision_differences::RevisionTrial;
use perennial_store::revision_differences::StoredRevisionDifference;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::revision_views::BindingChangeView;
use crate::page::Page;
use crate::views::to_text;

/// How many examples there are of each kind of difference and currency.
const EXAMPLES_MAX: u32 = 3;

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
    /// What the plans that were followed cost, less what they give back, a decimal; negative when more comes back.
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
    /// What the plan that was followed costs, less what it gives back, a decimal; null where nothing is paid.
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

/// What a revision answered otherwise in shadow: how it was asked, and all differences by kind, with examples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct ShadowRecord {
    /// How it was asked beside each revision that was followed, about every account that it was bound to, also where totals and
    /// examples are of some accounts only; empty when it never was, and for a token that is bound to accounts.
    pub(super) trials: Vec<TrialView>,
    /// What it would have done otherwise, by kind and currency: of a change of what is bound, about the accounts for which
    /// something changes.
    pub(super) totals: Vec<RevisionTotalView>,
    /// Of each kind and currency at most three of those, those with the most money between both answers first.
    pub(super) examples: Vec<RevisionDifferenceView>,
}

impl ShadowRecord {
    /// What is known of the revision `digest`; `accounts` is a JSON list of the ids that one may see.
    pub(super) fn read(
        db: &ReadTx,
        digest: &str,
        accounts: Option<&str>,
    ) -> Result<ShadowRecord, StoreError> {
        // What was asked of all accounts is for those who see all of them.
        let trials = if accounts.is_none() { revision_differences::trials(db, digest)? } else { Vec::new() };
        ShadowRecord::with_trials(db, digest, accounts, trials)
    }

    /// What is known of it that matters to these accounts, a JSON list of ids, for somebody who sees all of them: how it was asked about
    /// every account, and what it answered otherwise about these.
    fn of_accounts(db: &ReadTx, digest: &str, accounts: &str) -> Result<ShadowRecord, StoreError> {
        ShadowRecord::with_trials(db, digest, Some(accounts), revision_differences::trials(db, digest)?)
    }

    fn with_trials(
        db: &ReadTx,
        digest: &str,
        accounts: Option<&str>,
        trials: Vec<RevisionTrial>,
    ) -> Result<ShadowRecord, StoreError> {
        let examples = revision_differences::examples(db, digest, accounts, EXAMPLES_MAX)?;
        Ok(ShadowRecord {
            trials: trials.into_iter().map(Into::into).collect(),
            totals: revision_differences::totals(db, digest, accounts)?.into_iter().map(Into::into).collect(),
            examples: examples.into_iter().map(Into::into).collect(),
        })
    }

    /// Whether it was asked in shadow of the revision `followed`.
    fn is_beside(&self, followed: &str) -> bool {
        self.trials.iter().any(|trial| trial.followed == followed)
    }
}

/// A page of the differences of a revision that is or was asked in shadow, with all of them by kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RevisionDifferences {
    #[serde(flatten)]
    record: ShadowRecord,
    /// The questions, in the order in which they were first found to be answered otherwise.
    items: Vec<RevisionDifferenceView>,
    /// The cursor of the next page; null when this is the last one.
    next_cursor: Option<String>,
}

impl RevisionDifferences {
    /// A page of questions, with what is known of the revision.
    pub(super) fn new(record: ShadowRecord, page: Page<RevisionDifferenceView>) -> RevisionDifferences {
        RevisionDifferences { record, items: page.items, next_cursor: page.next_cursor }
    }
}

/// What there is to know of a revision before what is bound changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Evidence {
    /// The digest of the revision that was asked in shadow; null when nothing changes.
    revision: Option<String>,
    /// Whether it is bound from then on. If not, it is the one that was bound before: where nothing is bound in its place, or where it
    /// was asked in shadow of the one that is.
    is_bound: bool,
    /// The instant before which it is not asked, because it fails over everything; null when it is asked.
    next_try_at: Option<String>,
    /// How many bundles it fails over at present.
    failing_bundles: u32,
    /// How many of them are parked.
    parked_bundles: u32,
    #[serde(flatten)]
    record: ShadowRecord,
}

impl Evidence {
    /// What is known of the revision that `changes` bind, or of the one that they take back.
    fn of(db: &ReadTx, changes: &BindingChanges) -> Result<Evidence, StoreError> {
        let Some(change) = changes.concerned() else { return Ok(Evidence::default()) };
        let accounts = Value::from(changes.affected_accounts.clone()).to_string();
        let breakers = plugin_breakers::list(db)?;
        let read = |digest: &str, is_bound: bool| {
            let record = ShadowRecord::of_accounts(db, digest, &accounts)?;
            let (failing_bundles, parked_bundles) = plugin_failures::count_of(db, digest)?;
            let breaker = breakers.iter().find(|(known, _)| known == digest);
            let next_try_at = to_text(breaker.and_then(|(_, breaker)| breaker.open_until));
            let revision = Some(digest.to_owned());
            Ok::<_, StoreError>(Evidence {
                revision,
                is_bound,
                next_try_at,
                failing_bundles,
                parked_bundles,
                record,
            })
        };
        let after = change.after.as_deref().map(|digest| read(digest, true)).transpose()?;
        let before = change.before.as_deref().map(|digest| read(digest, false)).transpose()?;
        Ok(match (after, before) {
            (Some(after), Some(before))
                if after.record.trials.is_empty()
                    && change.after.as_deref().is_some_and(|after| before.record.is_beside(after)) =>
            {
                before
            }
            (Some(after), _) => after,
            (None, before) => before.unwrap_or_default(),
        })
    }
}

/// The result of a change of what is bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct BindingResult {
    /// What was changed; empty where all of it was so already.
    changes: Vec<BindingChangeView>,
    /// What is known of the revision that decides from then on or, where it was never tried, of the one that did before.
    evidence: Evidence,
    /// The parts of the revision that is bound which are not followed, `connector` and `provider_api`: for these, its accounts stay
    /// with the plugin that the host loads. Empty where it has none, or is that plugin.
    not_followed: Vec<&'static str>,
    /// How many accounts there are at present that the changes are about: 0 where what it is bound to matches none.
    matched_accounts: usize,
    /// How many of them no narrower binding takes out: those for which something changes, and which the differences of the
    /// evidence are of.
    affected_accounts: usize,
    /// The events of the change; none of a dry run.
    events: Vec<EventView>,
}

impl BindingResult {
    /// The result of `changes`, with what `db` knows of the revision that is active afterwards.
    pub(super) fn of(db: &ReadTx, changes: &BindingChanges) -> Result<BindingResult, StoreError> {
        Ok(BindingResult {
            evidence: Evidence::of(db, changes)?,
            changes: changes.changes.iter().cloned().map(Into::into).collect(),
            not_followed: changes.not_followed.clone(),
            matched_accounts: changes.matched_accounts,
            affected_accounts: changes.affected_accounts.len(),
            events: changes.events.iter().map(RecordedEvent::view).collect(),
        })
    }

    /// The same of what was only looked at.
    pub(super) fn without_events(self) -> BindingResult {
        BindingResult { events: Vec::new(), ..self }
    }
}
