//! `/v1/jobs`: one command over many resources, as a job that goes on after its request is answered.
//!
//! What is asked for is written down here; [`perennial_service::job_runner`] does it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_store::Connection;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::resources;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::views::to_text;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_formats::body;
use perennial_formats::body::FieldValue;
use perennial_formats::body::Fields;
use perennial_formats::body::JsonCursor;
use perennial_formats::decision;
use perennial_formats::plan::PlanView;
use perennial_service::admin_tokens::Caller;
use perennial_service::job_runner::ItemOutcome;
use perennial_store::jobs;
use perennial_store::jobs::ItemResult;
use perennial_store::jobs::NewItem;
use perennial_store::jobs::NewJob;
use perennial_store::jobs::StoredItem;
use perennial_store::jobs::StoredJob;
use perennial_store::list_queries;

/// The most items of a job.
const ITEMS_MAX: usize = 10_000;
/// What an item is while it has no answer.
const WAITING: &str = "waiting";
/// The most jobs of one token that run at once.
const RUNNING_MAX: u32 = 8;

/// A job: a command, and what it is for. Exactly one of `ids`, `filter` and `from_dry_run` says for what.
#[derive(ToSchema)]
#[schema(as = NewJob)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `JobBody` is read from")]
struct JobSchema {
    /// As in scenarios: `{"renew": {"term": …}}` or `"cancel_auto_renew"`; see FORMATS.md. Left out with `from_dry_run`.
    command: Option<Value>,
    /// The ids of 1 to 10,000 resources, in the order in which they are done.
    #[schema(min_items = 1, max_items = 10_000)]
    ids: Option<Vec<String>>,
    /// The resources that are there now and pass all of this, the first 10,000 in the order in which they were added.
    filter: Option<JobFilter>,
    /// Only look at what it would do.
    dry_run: Option<bool>,
    /// The id of a dry run: its command is carried out on its resources, on each only if its plan is still the same.
    from_dry_run: Option<String>,
}

/// The same conditions as in the list of resources.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a filter is read from")]
struct JobFilter {
    /// Only of this account.
    account: Option<String>,
    /// Only of this provider.
    provider: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
    /// Only at this stage, such as `grace`.
    stage: Option<String>,
    /// Only with this tag: `name`, or `name=value`.
    tag: Option<String>,
    /// Only what expires at this instant or later.
    expires_from: Option<String>,
    /// Only what expires before this instant.
    expires_before: Option<String>,
}

/// A job as its route reads it.
pub(super) enum JobBody {
    /// A command on resources that are named or found.
    Command { command: Command, on: JobTarget, is_dry_run: bool },
    /// What the dry run at this row showed.
    FromDryRun(i64),
}

/// What a command is for.
pub(super) enum JobTarget {
    Ids(Vec<String>),
    Filter(Box<list_queries::Filter>),
}

impl Body for JobBody {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<JobBody> {
        let fields = cursor.object(&["command", "ids", "filter", "dry_run", "from_dry_run"])?;
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag());
        let given = ["ids", "filter", "from_dry_run"].into_iter().filter(|name| has_field(&fields, name));
        let given = given.collect::<Vec<_>>();
        let [one] = given.as_slice() else {
            cursor.report("give exactly one of `ids`, `filter` and `from_dry_run`");
            return None;
        };
        if *one == "from_dry_run" {
            for name in ["command", "dry_run"].into_iter().filter(|name| has_field(&fields, name)) {
                fields.get(name)?.report("leave it out: the dry run says what is done");
            }
            return fields.required("from_dry_run", dry_run_job).map(JobBody::FromDryRun);
        }
        let command = fields.required("command", body::command);
        let target = match *one {
            "ids" => fields.required("ids", ids).map(JobTarget::Ids),
            _ => fields.required("filter", filter).map(|filter| JobTarget::Filter(Box::new(filter))),
        };
        Some(JobBody::Command { command: command?, on: target?, is_dry_run: dry_run.or(false)? })
    }
}

fn has_field(fields: &Fields<'_, '_>, name: &str) -> bool {
    !matches!(fields.optional(name, |_| Some(())), FieldValue::Absent)
}

fn dry_run_job(cursor: JsonCursor<'_, '_>) -> Option<i64> {
    let found = parse_id(cursor.text()?);
    if found.is_none() {
        cursor.report("it is not the id of a job");
    }
    found
}

fn ids(cursor: JsonCursor<'_, '_>) -> Option<Vec<String>> {
    let mut count = 0;
    let ids = cursor.list(|_, id| {
        count += 1;
        id.id().map(str::to_owned)
    })?;
    if count == 0 || count > ITEMS_MAX {
        cursor.report(format!("expected 1 to {ITEMS_MAX} ids, found {count}"));
        return None;
    }
    Some(ids)
}

fn filter(cursor: JsonCursor<'_, '_>) -> Option<list_queries::Filter> {
    let fields =
        cursor.object(&["account", "provider", "kind", "stage", "tag", "expires_from", "expires_before"])?;
    let text = |name| fields.optional(name, |cursor| cursor.text().map(str::to_owned)).option();
    let instant = |name| fields.optional(name, |cursor| cursor.instant()).option();
    let (account, provider, kind, tag) = (text("account"), text("provider"), text("kind"), text("tag"));
    let stage = fields.optional("stage", |cursor| cursor.one_of(&Stage::ALL, Stage::name)).option();
    let (expires_from, expires_before) = (instant("expires_from"), instant("expires_before"));
    let (tag, tag_value) = resources::split_tag(tag?);
    Some(list_queries::Filter {
        accounts: None,
        account: account?,
        provider: provider?,
        kind: kind?,
        stage: stage?,
        tag,
        tag_value,
        expires_from: expires_from?,
        expires_before: expires_before?,
        packages: false,
    })
}

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

/// The row of the job called `id`.
fn parse_id(id: &str) -> Option<i64> {
    id.strip_prefix("job-")?.parse().ok().filter(|row| *row > 0)
}

fn public_id(row: i64) -> String {
    format!("job-{row}")
}

impl JobView {
    fn read(db: &Connection, job: StoredJob) -> Result<JobView, Problem> {
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
    fn new(item: StoredItem, has_ended: bool) -> ItemView {
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

/// Takes on a command for many resources. It is answered at once; the job goes on by itself, each item being done once,
/// also when the host is stopped or killed meanwhile.
///
/// A dry run prices each plan as though it alone were carried out now. An id that comes again is `skipped`; one that the
/// token does not see is `unknown`, like one that is not there. A job acts in the name of its token: when that is revoked
/// or expires, what is not done yet is not done. A token has at most 8 jobs running.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = JobSchema,
    responses((status = 202, body = JobView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<JobBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let caller = work.request.caller.clone();
        if jobs::running(work.db(), Some(&caller.id))? >= RUNNING_MAX {
            let detail = format!("a token has at most {RUNNING_MAX} jobs running; wait for one to end");
            return Err(Problem::new(ProblemType::TooManyRequests, detail).retry_after(10));
        }
        let spec = match body {
            JobBody::Command { command, on: target, is_dry_run } => {
                let command = decision::command(&command).to_string();
                let (items, has_more) = resolve_target(work.db(), &caller, target)?;
                NewJobSpec { command, is_dry_run, from_dry_run: None, items, has_more }
            }
            JobBody::FromDryRun(row) => spec_from_dry_run(work.db(), &caller, row)?,
        };
        let row = insert_job(work, &caller, spec)?;
        let concerned =
            jobs::accounts(work.db(), row)?.into_iter().filter(|account| caller.can_access(account));
        if let [account] = concerned.collect::<Vec<_>>().as_slice() {
            work.set_audit_subject(account, None);
        }
        let job = visible_job(work.db(), &caller, &public_id(row))?;
        Ok(WriteResponse::accepted(&format!("/v1/jobs/{}", public_id(row)), &JobView::read(work.db(), job)?))
    })
    .await
}

/// What a job is to be.
struct NewJobSpec {
    command: String,
    is_dry_run: bool,
    from_dry_run: Option<i64>,
    items: Vec<NewItem>,
    has_more: bool,
}

fn insert_job(work: &WriteContext<'_>, caller: &Caller, spec: NewJobSpec) -> Result<i64, Problem> {
    let job = NewJob {
        command: spec.command,
        is_dry_run: spec.is_dry_run,
        from_dry_run: spec.from_dry_run,
        total: u32::try_from(spec.items.len()).expect("a job has few items"),
        has_more: spec.has_more,
        token: caller.id.to_string(),
        name: caller.name.to_string(),
        accounts: caller.accounts_json(),
        request: work.request.id.clone(),
        reason: work.request.reason.clone(),
        created_at: work.at,
    };
    let row = jobs::insert(work.db(), &job, &spec.items)?;
    if spec.items.is_empty() {
        jobs::advance(work.db(), row, 0, work.at)?;
    }
    Ok(row)
}

/// The items of a job, and whether more passed the filter.
fn resolve_target(
    db: &Connection,
    caller: &Caller,
    target: JobTarget,
) -> Result<(Vec<NewItem>, bool), Problem> {
    let new = |resource| NewItem { resource, plan_hash: None, answered: None };
    match target {
        JobTarget::Ids(ids) => {
            let mut seen = BTreeSet::new();
            let items = ids.into_iter().map(|id| {
                let answered = (!seen.insert(id.clone())).then(|| {
                    ItemOutcome::Skipped.with_reason("repeated", "the same id comes earlier in the job")
                });
                NewItem { answered, ..new(id) }
            });
            Ok((items.collect(), false))
        }
        JobTarget::Filter(filter) => {
            let filter = list_queries::Filter { accounts: caller.accounts_json(), ..*filter };
            let limit = u32::try_from(ITEMS_MAX + 1).expect("a job has few items");
            let mut found = list_queries::resources(db, &filter, 0, limit)?;
            let has_more = found.len() > ITEMS_MAX;
            found.truncate(ITEMS_MAX);
            Ok((found.into_iter().map(|(_, id)| new(id)).collect(), has_more))
        }
    }
}

/// What a dry run showed, to be carried out.
fn spec_from_dry_run(db: &Connection, caller: &Caller, row: i64) -> Result<NewJobSpec, Problem> {
    let job = visible_job(db, caller, &public_id(row))?;
    if !job.began.is_dry_run || job.state != "done" {
        let detail = format!("`{}` is not a dry run that is done", public_id(row));
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    let all = jobs::items(db, row, None, 0, job.began.total)?;
    let item = |item: StoredItem| {
        let looked_at = item.answered.map(|(_, looked_at)| looked_at).unwrap_or_default();
        let skipped = ItemResult {
            outcome: ItemOutcome::Skipped.name().to_owned(),
            code: looked_at.code,
            message: looked_at.message,
            ..ItemResult::default()
        };
        let answered = item.plan_hash.is_none().then_some(skipped);
        NewItem { resource: item.resource, plan_hash: item.plan_hash, answered }
    };
    Ok(NewJobSpec {
        command: job.began.command,
        is_dry_run: false,
        from_dry_run: Some(row),
        items: all.into_iter().map(item).collect(),
        has_more: job.began.has_more,
    })
}

/// The job called `id`, if the caller sees it: a bound token sees those of tokens that are bound to no other accounts.
fn visible_job(db: &Connection, caller: &Caller, id: &str) -> Result<StoredJob, Problem> {
    let none = || Problem::not_found("job", id);
    let job = jobs::get(db, parse_id(id).ok_or_else(none)?)?.ok_or_else(none)?;
    let accounts = job.began.accounts.as_deref();
    let accounts = accounts.map(|accounts| serde_json::from_str::<Vec<String>>(accounts).unwrap_or_default());
    let is_seen = caller.can_access_each(accounts.as_deref());
    if is_seen { Ok(job) } else { Err(none()) }
}

/// Lists jobs, newest first, until thirty days after their end; a bound token sees those of tokens that are bound to no
/// other accounts.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs",
    params(PageParams),
    responses((status = 200, body = Page<JobView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<JobView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let rows = app.read(move |db| {
        let before = page_request.after.unwrap_or(i64::MAX);
        let jobs = jobs::list(db, caller.accounts_json().as_deref(), before, page_request.read_limit())?;
        jobs.into_iter()
            .map(|job| Ok((job.row, JobView::read(db, job)?)))
            .collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Gets a job: how far it is, and what it has cost so far.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobView)))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    query: Query,
) -> Result<Json<JobView>, Problem> {
    query.finish()?;
    let view = app.read(move |db| {
        let job = visible_job(db, &caller, &id)?;
        JobView::read(db, job)
    });
    Ok(Json(view.await?))
}

/// Lists the items of a job, in the order in which they are done.
#[utoipa::path(get, path = "/v1/jobs/{id}/items", tag = "jobs",
    params(
        ("id" = String, Path),
        ("outcome" = Option<String>, Query, description = "Only those with this outcome, such as `refused`."),
        PageParams,
    ),
    responses((status = 200, body = Page<ItemView>)))]
pub(super) async fn items(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<ItemView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let words = ItemOutcome::ALL.map(ItemOutcome::name).into_iter().chain([WAITING]).collect::<Vec<_>>();
    let answer = query.one_of("outcome", &words, |word| word);
    query.finish()?;
    let rows = app.read(move |db| {
        let job = visible_job(db, &caller, &id)?;
        let from = page_request.after.map_or(0, |place| place.saturating_add(1));
        let otherwise = if job.ended_at.is_some() { ItemOutcome::Skipped.name() } else { WAITING };
        let answer = answer.map(|answer| (answer, otherwise));
        let items = jobs::items(db, job.row, answer, from, page_request.read_limit())?;
        let view = |item: StoredItem| (i64::from(item.position), ItemView::new(item, job.ended_at.is_some()));
        Ok(items.into_iter().map(view).collect())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Cancels a job: what is done stays done, and the rest is skipped. One that has ended stays as it is.
#[utoipa::path(post, path = "/v1/jobs/{id}:cancel", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobView)))]
pub(super) async fn cancel(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        let caller = &work.request.caller;
        let job = visible_job(work.db(), caller, &id)?;
        jobs::cancel(work.db(), job.row, &format!("by the token `{}`", caller.name), work.at)?;
        let job = visible_job(work.db(), caller, &id)?;
        Ok(WriteResponse::ok(&JobView::read(work.db(), job)?))
    })
    .await
}
