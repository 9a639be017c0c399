//! What clients see of policies: bindings, versions, changes and differences. Reads and changes nothing.

use perennial_engine::persist::RecordedEvent;
use perennial_engine::policy_changes::PolicyChanges;
use perennial_engine::policy_changes::SubjectChange;
use perennial_formats::event_view::EventView;
use perennial_formats::policy::binding;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::policies;
use perennial_store::policies::StoredCalendar;
use perennial_store::policies::StoredPolicy;
use perennial_store::policy_changes::PolicyChange;
use perennial_store::policy_differences::DifferenceTotal;
use perennial_store::policy_differences::PolicyDifference;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::to_text;

/// A policy that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Policy)]
pub(super) struct PolicyView {
    /// Its name, unique among policies.
    name: String,
    /// The version of its script, and the plans that it is asked about.
    #[serde(flatten)]
    binding: PolicyBinding,
    /// When it was installed as it is.
    installed_at: String,
    /// The ID of the token that installed it; `cli` for the command line.
    installed_by: String,
}

impl From<&StoredPolicy> for PolicyView {
    fn from(stored: &StoredPolicy) -> PolicyView {
        PolicyView {
            name: stored.policy.name.clone(),
            binding: PolicyBinding::of(&stored.policy, &stored.digest),
            installed_at: stored.installed_at.to_string(),
            installed_by: stored.installed_by.clone(),
        }
    }
}

/// A policy with its script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PolicyWithSource {
    /// The policy as it is listed.
    policy: PolicyView,
    /// The source of its script.
    source: String,
}

impl From<&StoredPolicy> for PolicyWithSource {
    fn from(stored: &StoredPolicy) -> PolicyWithSource {
        PolicyWithSource { policy: stored.into(), source: stored.policy.text.clone() }
    }
}

/// A calendar that scripts ask for with `in_calendar`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyCalendar)]
pub(super) struct PolicyCalendarView {
    /// Its name, unique among the calendars of policies.
    name: String,
    /// Its days and ranges of days, such as `2026-12-24..2027-01-02`.
    days: Vec<String>,
    /// When it was installed as it is.
    installed_at: String,
    /// The ID of the token that installed it; `cli` for the command line.
    installed_by: String,
}

impl From<&StoredCalendar> for PolicyCalendarView {
    fn from(stored: &StoredCalendar) -> PolicyCalendarView {
        PolicyCalendarView {
            name: stored.calendar.name.clone(),
            days: binding::days(&stored.calendar),
            installed_at: stored.installed_at.to_string(),
            installed_by: stored.installed_by.clone(),
        }
    }
}

/// A change of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyChange)]
pub(super) struct PolicyChangeView {
    /// When it was made.
    at: String,
    /// How the policy was bound before; null when it is new.
    before: Option<PolicyBinding>,
    /// How it was bound from then on; null when it was removed.
    after: Option<PolicyBinding>,
    /// The lines of the script that differ, `-` before those of the version before and `+` before those of the next one;
    /// empty when the script stayed.
    script_difference: String,
    /// The ID of the token that made it; `cli` for the command line.
    changed_by: String,
    /// The reason given.
    reason: Option<String>,
    /// When another person confirmed it. Until then, what its author asks for takes somebody else's approval where the policy
    /// is asked.
    confirmed_at: Option<String>,
    /// The ID of the token that confirmed it.
    confirmed_by: Option<String>,
}

impl PolicyChangeView {
    /// The view of a stored change, with the scripts that it is between.
    pub(super) fn read(db: &ReadTx, stored: PolicyChange) -> Result<PolicyChangeView, StoreError> {
        let read = |text: &Option<String>| text.as_deref().and_then(PolicyBinding::read);
        let (before, after) = (read(&stored.change.before), read(&stored.change.after));
        let source = |bound: &Option<PolicyBinding>| match bound {
            Some(bound) => policies::script(db, &bound.digest).map(Option::unwrap_or_default),
            None => Ok(String::new()),
        };
        let script_difference = binding::line_difference(&source(&before)?, &source(&after)?);
        let (confirmed_at, confirmed_by) = stored.confirmed.unzip();
        Ok(PolicyChangeView {
            at: stored.change.at.to_string(),
            before,
            after,
            script_difference,
            changed_by: stored.change.changed_by,
            reason: stored.change.reason,
            confirmed_at: to_text(confirmed_at),
            confirmed_by,
        })
    }
}

/// A change of a calendar of policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyCalendarChange)]
pub(super) struct PolicyCalendarChangeView {
    /// When it was made.
    at: String,
    /// The days before; null when it is new.
    before: Option<Vec<String>>,
    /// The days from then on; null when it was removed.
    after: Option<Vec<String>>,
    /// The ID of the token that made it; `cli` for the command line.
    changed_by: String,
    /// The reason given.
    reason: Option<String>,
    /// When another person confirmed it.
    confirmed_at: Option<String>,
    /// The ID of the token that confirmed it.
    confirmed_by: Option<String>,
}

impl From<PolicyChange> for PolicyCalendarChangeView {
    fn from(stored: PolicyChange) -> PolicyCalendarChangeView {
        let days = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let (confirmed_at, confirmed_by) = stored.confirmed.unzip();
        PolicyCalendarChangeView {
            at: stored.change.at.to_string(),
            before: days(stored.change.before),
            after: days(stored.change.after),
            changed_by: stored.change.changed_by,
            reason: stored.change.reason,
            confirmed_at: to_text(confirmed_at),
            confirmed_by,
        }
    }
}

/// What became of one policy or calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ChangedSubject {
    /// `policy` or `calendar`.
    subject: &'static str,
    /// The name of the policy or calendar.
    name: String,
    /// `added`, `replaced`, `unchanged`, `removed`, or `confirmed`: unchanged, and somebody else's last change is confirmed.
    change: &'static str,
}

impl From<&SubjectChange> for ChangedSubject {
    fn from(change: &SubjectChange) -> ChangedSubject {
        ChangedSubject {
            subject: change.subject.name(),
            name: change.name.clone(),
            change: change.kind.name(),
        }
    }
}

/// Something that may fail for some plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ScriptWarning {
    /// The file of the script.
    pub(super) script: String,
    /// The line, from 1; 0 is the script as a whole.
    pub(super) line: u32,
    /// The column, from 1.
    pub(super) column: u32,
    /// What may fail in the script, in words.
    pub(super) message: String,
}

/// The result of a change of policies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct PolicyChangeResult {
    /// What became of each policy and calendar.
    changes: Vec<ChangedSubject>,
    /// What may fail for some plans.
    warnings: Vec<ScriptWarning>,
    /// The events of the change; none of a dry run.
    events: Vec<EventView>,
}

impl PolicyChangeResult {
    /// The result of `changes`.
    pub(super) fn of(changes: &PolicyChanges, warnings: Vec<ScriptWarning>) -> PolicyChangeResult {
        PolicyChangeResult {
            changes: changes.changes.iter().map(ChangedSubject::from).collect(),
            warnings,
            events: changes.events.iter().map(RecordedEvent::view).collect(),
        }
    }

    /// The same of what was only looked at.
    pub(super) fn without_events(self) -> PolicyChangeResult {
        PolicyChangeResult { events: Vec::new(), ..self }
    }
}

/// The differences of one kind, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyDifferenceTotal)]
pub(super) struct DifferenceTotalView {
    /// What the policy would have done: `approved`, `denied`, `approval_required`, `deferred`, `amended` or `failed`.
    ruling: &'static str,
    /// What was done: one of the same words but `failed`.
    followed: &'static str,
    /// How many plans, each once, however often it was tried.
    plans: u32,
    /// What they cost as they were followed, a decimal.
    cost: String,
    /// What they would cost as the policy would amend them, a decimal.
    amended_cost: String,
    /// The currency of both.
    currency: String,
}

impl From<DifferenceTotal> for DifferenceTotalView {
    fn from(total: DifferenceTotal) -> DifferenceTotalView {
        DifferenceTotalView {
            ruling: total.ruling.name(),
            followed: total.followed.name(),
            plans: total.plans,
            cost: total.cost.to_string(),
            amended_cost: total.amended_cost.to_string(),
            currency: total.currency,
        }
    }
}

/// A plan on which a shadow policy would have ruled otherwise than was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyDifference)]
pub(super) struct DifferenceView {
    /// The account's ID.
    account: String,
    /// The resource that was named.
    resource: String,
    /// The command, such as `renew`.
    command: String,
    /// `auto` for the clock, `command` for a person or program.
    cause: &'static str,
    /// What the policy would have done.
    ruling: &'static str,
    /// The effect of the policies that are followed.
    followed: &'static str,
    /// The policy's words.
    reason: String,
    /// Until when it would have put the plan off.
    until: Option<String>,
    /// What the plan costs as it was followed, a decimal; null when nobody knows.
    cost: Option<String>,
    /// What it would cost as the policy would amend it, a decimal; null unless it would, or when nobody knows.
    amended_cost: Option<String>,
    /// The currency of both.
    currency: String,
    /// The SHA-256 of the script.
    digest: String,
    /// When the plan was first ruled on.
    first_at: String,
    /// When it was last ruled on.
    last_at: String,
    /// How often it was ruled on.
    times: u32,
}

impl From<PolicyDifference> for DifferenceView {
    fn from(stored: PolicyDifference) -> DifferenceView {
        DifferenceView {
            account: stored.account_id,
            resource: stored.resource_id,
            command: stored.command,
            cause: stored.cause.name(),
            ruling: stored.ruling.name(),
            followed: stored.followed.name(),
            reason: stored.reason,
            until: to_text(stored.until),
            cost: to_text(stored.cost),
            amended_cost: to_text(stored.amended_cost),
            currency: stored.currency,
            digest: stored.digest,
            first_at: stored.first_at.to_string(),
            last_at: stored.last_at.to_string(),
            times: stored.times,
        }
    }
}

/// A page of the differences of a shadow policy, with all of them by kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PolicyDifferences {
    /// All differences by kind and currency.
    pub(super) totals: Vec<DifferenceTotalView>,
    /// The plans, in the order in which they were first found to differ.
    pub(super) items: Vec<DifferenceView>,
    /// The cursor of the next page; null when this is the last one.
    pub(super) next_cursor: Option<String>,
}
