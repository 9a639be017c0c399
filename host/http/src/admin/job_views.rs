//! Jobs and their items, as clients see them.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_store::ReadTx;
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

/// The outcome of an item that has none yet.
pub(super) const WAITING: &str = "waiting";

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobView {
    /// What it is called by.
    id: String,
    /// The command, as it was asked for.
    command: Value,
    /// Whether it is only looked at.
    dry_run: bool,
    /// The dry run whose plans are carried out.
    from_dry_run: Option<String>,
    /// `running`, `done` or `cancelled`.
    state: String,
    /// Why it was cancelled.
    cancel_reason: Option<String>,
    /// How many items it has.
    total: u32,
    /// How many of them have no answer yet.
    waiting: u32,
    /// How many items have each outcome: `carried_out`, `planned`, `pending_approval`, `refused`, `unknown`,
    /// `plan_changed`, `skipped`, `failed`.
    outcomes: BTreeMap<&'static str, u32>,
    /// What it has cost so far or, of a dry run, what its plans would cost, each as though it alone were carried out.
    costs: Vec<CostView>,
    /// Whether more resources passed the filter than the 10,000 that a job takes; ask for those in another job.
    has_more: bool,
    /// The id of the token that asked for it.
    token: String,
    /// What the token was called then.
    name: String,
    /// The id of the request that asked for it; the audit log has its record under that.
    request: String,
    /// Why, if they said.
    reason: Option<String>,
    /// When it was asked for.
    created_at: String,
    /// When its first items were looked at.
    started_at: Option<String>,
    /// Since when it is done or cancelled.
    ended_at: Option<String>,
}

/// What a job costs in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = JobCost)]
struct CostView {
    /// The currency.
    currency: String,
    /// What is paid, a decimal.
    cost: String,
    /// What comes back, a decimal.
    refund: String,
}

/// What became of a resource of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = JobItem)]
pub(super) struct ItemView {
    /// The id that was asked for.
    resource: String,
    /// `waiting`, or one of the job's `outcomes`.
    outcome: String,
    /// When it had that answer; the events of the command have the same instant.
    at: Option<String>,
    /// The code of a refusal, or the type of a problem.
    code: Option<String>,
    /// In words.
    message: Option<String>,
    /// What it cost or would cost, a decimal; null when nothing was done.
    cost: Option<String>,
    /// What came back or would, a decimal.
    refund: Option<String>,
    /// The currency of both.
    currency: Option<String>,
    /// Of a dry run, what would be done.
    #[schema(value_type = Option<PlanView>)]
    plan: Option<Value>,
}

/// The row of the job with a public ID.
pub(super) fn parse_id(id: &str) -> Option<i64> {
    id.strip_prefix("job-")?.parse().ok().filter(|row| *row > 0)
}

/// The public ID of the job with a row.
pub(super) fn public_id(row: i64) -> String {
    format!("job-{row}")
}

impl JobView {
    /// Reads the counts and costs of a job.
    pub(super) fn read(db: &ReadTx, job: StoredJob) -> Result<JobView, Problem> {
        let tallies = jobs::outcome_counts(db, job.row)?;
        let counts = jobs::counts(&tallies);
        let mut answers = ItemOutcome::ALL
            .map(|answer| (answer.name(), counts.get(answer.name()).copied().unwrap_or_default()))
            .into_iter()
            .collect::<BTreeMap<_, _>>();
        let mut waiting = job.began.total - answers.values().sum::<u32>();
        if job.ended_at.is_some() {
            *answers.entry(ItemOutcome::Skipped.name()).or_default() += std::mem::take(&mut waiting);
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
            outcomes: answers,
            costs: costs.into_iter().map(cost).collect(),
            has_more: began.has_more,
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

/// A command as it was asked for: who asked is known.
fn command_view(kept: &str) -> Result<Value, Problem> {
    let damaged = |error| Problem::from(perennial_store::error::StoreError::from(error));
    let mut command = serde_json::from_str::<Value>(kept).map_err(damaged)?;
    if let Some(renewal) = command.get_mut("renew").and_then(Value::as_object_mut) {
        renewal.remove("cause");
    }
    Ok(command)
}

impl ItemView {
    /// The view of an item of a job that is running, or has ended.
    pub(super) fn new(item: StoredItem, has_ended: bool) -> ItemView {
        let (at, answered) = match item.answered {
            Some((at, answered)) => (Some(at), answered),
            None if has_ended => {
                (None, ItemOutcome::Skipped.with_reason("cancelled", "the job was cancelled before"))
            }
            None => (None, ItemResult { outcome: WAITING.to_owned(), ..ItemResult::default() }),
        };
        let spent = answered.cost.as_ref();
        ItemView {
            resource: item.resource,
            outcome: answered.outcome,
            at: to_text(at),
            code: answered.code,
            message: answered.message,
            cost: to_text(spent.map(|spent| spent.cost)),
            refund: to_text(spent.map(|spent| spent.refund)),
            currency: spent.map(|spent| spent.currency.clone()),
            plan: answered.plan.map(|plan| serde_json::from_str(&plan).unwrap_or_default()),
        }
    }
}
