//! Jobs and their items, as clients see them.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_store::ReadTx;
use perennial_store::keys::JobKey;
use perennial_store::keys::RowKey;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::views::to_text;
use perennial_formats::plan::PlanView;
use perennial_service::job_runner::ItemOutcome;
use perennial_store::jobs;
use perennial_store::jobs::ItemResult;
use perennial_store::jobs::StoredItem;
use perennial_store::jobs::StoredJob;

/// The outcome in the API of an item that was not executed yet.
pub(super) const WAITING: &str = "waiting";

/// A command over many resources.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobView {
    /// Public ID of the job.
    id: String,
    /// The command, as it was requested.
    command: Value,
    /// Whether it returns plans and applies nothing.
    dry_run: bool,
    /// The ID of the dry run whose plans it applies.
    from_dry_run: Option<String>,
    /// `running`, `done` or `cancelled`.
    state: String,
    /// The reason why it was cancelled.
    cancel_reason: Option<String>,
    /// The number of items.
    total: u32,
    /// The number of items without an outcome.
    waiting: u32,
    /// The number of items with each outcome: `applied`, `planned`, `pending_approval`, `pending_call`, `refused`, `unknown`,
    /// `plan_changed`, `skipped`, `failed`.
    outcomes: BTreeMap<&'static str, u32>,
    /// The costs so far or, for a dry run, the costs of its plans, each as though it alone were applied.
    costs: Vec<CostView>,
    /// Whether the filter selects more than the 10,000 resources of one job; create another job for the rest.
    has_more: bool,
    /// The number of unknown IDs that it named beyond the first 100; these are no items.
    unknown_ids: u32,
    /// The ID of the token that created it.
    token: String,
    /// The name of the token at that instant.
    name: String,
    /// The ID of the request that created it, as in the audit log.
    request: String,
    /// The reason, from `X-Reason`.
    reason: Option<String>,
    /// When it was created.
    created_at: String,
    /// When its first items were executed.
    started_at: Option<String>,
    /// When it was done or cancelled.
    ended_at: Option<String>,
}

/// The costs of a job in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = JobCost)]
struct CostView {
    /// The currency of the amount.
    currency: String,
    /// The sum of payments, a decimal.
    cost: String,
    /// The sum of refunds, a decimal.
    refund: String,
}

/// An item of a job: one resource.
#[derive(Serialize, ToSchema)]
#[schema(as = JobItem)]
pub(super) struct ItemView {
    /// The requested ID of the resource.
    resource: String,
    /// `waiting`, or one of the job's `outcomes`.
    outcome: String,
    /// The instant of the outcome; the events of the command have the same one.
    at: Option<String>,
    /// The code of the refusal, or the type of the problem.
    code: Option<String>,
    /// The reason, for people.
    message: Option<String>,
    /// The cost, or that of the plan, a decimal; null when nothing was applied or planned.
    cost: Option<String>,
    /// The refund, or that of the plan, a decimal.
    refund: Option<String>,
    /// The currency of both.
    currency: Option<String>,
    /// The plan of a dry run.
    #[schema(value_type = Option<PlanView>)]
    plan: Option<Value>,
}

/// The row of the job with a public ID.
pub(super) fn parse_id(id: &str) -> Option<JobKey> {
    id.strip_prefix("job-")?.parse().ok().filter(|row| *row > 0).map(JobKey::from_number)
}

/// The public ID of the job with a row.
pub(super) fn public_id(row: JobKey) -> String {
    format!("job-{row}")
}

impl JobView {
    /// Reads the counts and costs of a job.
    pub(super) fn read(db: &ReadTx, job: StoredJob) -> Result<JobView, Problem> {
        let tallies = jobs::outcome_counts(db, job.row)?;
        let counts = jobs::counts(&tallies);
        let mut outcomes = ItemOutcome::ALL
            .map(|outcome| (outcome.name(), counts.get(outcome.name()).copied().unwrap_or_default()))
            .into_iter()
            .collect::<BTreeMap<_, _>>();
        let mut waiting = job.began.total - outcomes.values().sum::<u32>();
        if job.ended_at.is_some() {
            *outcomes.entry(ItemOutcome::Skipped.name()).or_default() += std::mem::take(&mut waiting);
        }
        let mut costs = BTreeMap::<String, (Micros, Micros)>::new();
        for tally in tallies.into_iter().filter(|tally| !tally.currency.is_empty()) {
            let (cost, refund) = costs.entry(tally.currency).or_default();
            *cost += tally.cost;
            *refund += tally.refund;
        }
        let cost = |(currency, (cost, refund)): (String, (Micros, Micros))| CostView {
            currency,
            cost: cost.to_string(),
            refund: refund.to_string(),
        };
        let began = job.began;
        Ok(JobView {
            id: public_id(job.row),
            command: command_view(&began.command)?,
            dry_run: began.is_dry_run,
            from_dry_run: began.from_dry_run.map(public_id),
            state: job.state,
            cancel_reason: job.cancel_reason,
            total: began.total,
            waiting,
            outcomes,
            costs: costs.into_iter().map(cost).collect(),
            has_more: began.has_more,
            unknown_ids: began.unknown_ids,
            token: began.token,
            name: began.name,
            request: began.request,
            reason: began.reason,
            created_at: began.created_at.to_string(),
            started_at: to_text(job.started_at),
            ended_at: to_text(job.ended_at),
        })
    }
}

/// The stored command as the client sent it: without the cause, which is always `command`.
fn command_view(stored: &str) -> Result<Value, Problem> {
    let damaged = |error| Problem::from(perennial_store::error::StoreError::from(error));
    let mut command = serde_json::from_str::<Value>(stored).map_err(damaged)?;
    if let Some(renewal) = command.get_mut("renew").and_then(Value::as_object_mut) {
        renewal.remove("cause");
    }
    Ok(command)
}

impl ItemView {
    /// The view of an item of a job that is running, or has ended.
    pub(super) fn new(item: StoredItem, has_ended: bool) -> ItemView {
        let (at, result) = match item.answered {
            Some((at, result)) => (Some(at), result),
            None if has_ended => (
                None,
                ItemOutcome::Skipped.with_reason("cancelled", "the job was cancelled before this item"),
            ),
            None => (None, ItemResult { outcome: WAITING.to_owned(), ..ItemResult::default() }),
        };
        let cost = result.cost.as_ref();
        ItemView {
            resource: item.resource,
            outcome: result.outcome,
            at: to_text(at),
            code: result.code,
            message: result.message,
            cost: to_text(cost.map(|cost| cost.cost)),
            refund: to_text(cost.map(|cost| cost.refund)),
            currency: cost.map(|cost| cost.currency.clone()),
            plan: result.plan.map(|plan| serde_json::from_str(&plan).unwrap_or_default()),
        }
    }
}
