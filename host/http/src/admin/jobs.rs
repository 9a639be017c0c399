//! `/v1/jobs`: one command over many resources, as a job that goes on after its request is answered.
//!
//! The route writes the job and its items; [`perennial_service::job_runner`] executes them.

use std::collections::BTreeSet;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_store::ReadTx;
use perennial_store::cursor::Cursor;
use perennial_store::keys::ItemPosition;
use perennial_store::keys::JobKey;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;

use crate::admin::job_bodies::JobBody;
use crate::admin::job_bodies::JobSchema;
use crate::admin::job_bodies::JobTarget;
use crate::admin::job_views::ItemView;
use crate::admin::job_views::JobView;
use crate::admin::job_views::WAITING;
use crate::admin::job_views::parse_id;
use crate::admin::job_views::public_id;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::quotas::Creation;
use crate::state::AppState;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;
use perennial_formats::decision;
use perennial_service::admin_tokens::Caller;
use perennial_service::job_runner::ItemOutcome;
use perennial_service::limits::Limit;
use perennial_service::limits::Limits;
use perennial_store::bundles;
use perennial_store::jobs;
use perennial_store::jobs::ItemResult;
use perennial_store::jobs::NewItem;
use perennial_store::jobs::NewJob;
use perennial_store::jobs::StoredItem;
use perennial_store::jobs::StoredJob;
use perennial_store::resource_query;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;

/// How many ids of unknown resources a job keeps as items; the others are counted.
const UNKNOWN_MAX: usize = 100;

/// Creates a job: a command for many resources. The response comes at once and the job runs in the background. Each
/// item is executed once, even if the host is stopped or killed meanwhile.
///
/// A dry run prices each plan as though it alone were applied now. A repeated ID is `skipped`; an ID that the token
/// cannot access is `unknown`, like one that does not exist. A job acts for its token and is cancelled when the token
/// is revoked or expires. A person has at most 8 running jobs, and a job at most 10,000 resources, unless the configuration says
/// otherwise. Of the IDs that are `unknown`, the first 100 are items and the others are counted, in `unknown_ids`.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = JobSchema,
    responses((status = 202, body = JobView)))]
pub(super) async fn create(
    State(app): State<AppState>,
    Write(request, body): Write<JobBody>,
) -> Result<WriteResponse, Problem> {
    let limits = app.limits().clone();
    app.write(request, move |work| {
        let caller = work.request.caller.clone();
        quotas::check_running_jobs(work.db(), &caller, &limits)?;
        let spec = match body {
            JobBody::Command { command, target, is_dry_run } => {
                let command = decision::command(&command).to_string();
                let items = resolve_target(work.db(), &caller, &limits, target)?;
                NewJobSpec { command, is_dry_run, from_dry_run: None, items }
            }
            JobBody::FromDryRun(row) => spec_from_dry_run(work.db(), &caller, row)?,
        };
        quotas::check_person(work.db(), &caller, (&limits, work.at), Creation::Job(spec.items.list.len()))?;
        let row = insert_job(work, &caller, spec)?;
        let affected =
            jobs::accounts(work.db(), row)?.into_iter().filter(|account| caller.can_access(account));
        if let [account] = affected.collect::<Vec<_>>().as_slice() {
            work.set_audit_subject(account, None);
        }
        let job = visible_job(work.db(), &caller, &public_id(row))?;
        Ok(WriteResponse::accepted(&format!("/v1/jobs/{}", public_id(row)), &JobView::read(work.db(), job)?))
    })
    .await
}

/// The specification of a new job.
struct NewJobSpec {
    command: String,
    is_dry_run: bool,
    from_dry_run: Option<JobKey>,
    items: JobItems,
}

/// The items of a new job, and what is no item of it.
struct JobItems {
    list: Vec<NewItem>,
    /// Whether more resources passed the filter.
    has_more: bool,
    /// How many more ids of unknown resources there were.
    unknown_ids: u32,
}

fn insert_job(work: &WriteContext<'_>, caller: &Caller, spec: NewJobSpec) -> Result<JobKey, Problem> {
    let job = NewJob {
        command: spec.command,
        is_dry_run: spec.is_dry_run,
        from_dry_run: spec.from_dry_run,
        total: u32::try_from(spec.items.list.len()).expect("a job has few items"),
        has_more: spec.items.has_more,
        unknown_ids: spec.items.unknown_ids,
        token: caller.id.to_string(),
        name: caller.name.to_string(),
        accounts: caller.accounts_json(),
        request: work.request.id.clone(),
        reason: work.request.reason.clone(),
        created_at: work.at,
    };
    let row = jobs::insert(work.tx(), &job, &spec.items.list)?;
    if spec.items.list.is_empty() {
        jobs::advance(work.tx(), row, ItemPosition::new(0), work.at)?;
    }
    Ok(row)
}

/// Resolves the target of a job to items.
fn resolve_target(
    db: &ReadTx,
    caller: &Caller,
    limits: &Limits,
    target: JobTarget,
) -> Result<JobItems, Problem> {
    let most = limits.job_items_max;
    let item = |resource| NewItem { resource, plan_hash: None, answered: None };
    match target {
        JobTarget::Ids(ids) if ids.len() > most => {
            let (found, key) = (ids.len(), Limit::job_items_max());
            let detail =
                format!("expected 1 to {most} ids, found {found}; make more than one job, or raise {key}");
            Err(Problem::field(ProblemType::InvalidFields, "ids", detail))
        }
        JobTarget::Ids(ids) => {
            let (mut known, mut unknown) = (BTreeSet::new(), 0);
            let (mut list, mut unknown_ids) = (Vec::new(), 0);
            for id in ids {
                if !known.contains(&id) && !is_visible(db, caller, &id)? {
                    unknown += 1;
                    if unknown > UNKNOWN_MAX {
                        unknown_ids += 1;
                        continue;
                    }
                }
                let answered = (!known.insert(id.clone())).then(|| {
                    ItemOutcome::Skipped.with_reason("repeated", "the same id comes earlier in the job")
                });
                list.push(NewItem { answered, ..item(id) });
            }
            Ok(JobItems { list, has_more: false, unknown_ids })
        }
        JobTarget::Filter(filter) => {
            let filter = ResourceFilter { accounts: caller.accounts_json(), ..*filter };
            let limit = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
            let page = ResourcePage::after(ResourceKey::before_all(), limit);
            let mut resources = resource_query::find(db, &filter, page)?.resources;
            let has_more = resources.len() > most;
            resources.truncate(most);
            let list = resources.into_iter().map(|found| item(found.id)).collect();
            Ok(JobItems { list, has_more, unknown_ids: 0 })
        }
    }
}

/// Whether there is a resource of this id that the caller can access.
fn is_visible(db: &ReadTx, caller: &Caller, id: &str) -> Result<bool, Problem> {
    Ok(bundles::account_of(db, id)?.is_some_and(|account| caller.can_access(&account)))
}

/// The specification of the job that applies the plans of a dry run.
fn spec_from_dry_run(db: &ReadTx, caller: &Caller, row: JobKey) -> Result<NewJobSpec, Problem> {
    let job = visible_job(db, caller, &public_id(row))?;
    if !job.began.is_dry_run || job.state != "done" {
        let detail = format!("`{}` is not a dry run that is done", public_id(row));
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    let all = jobs::items(db, row, None, ItemPosition::new(0), job.began.total)?;
    let item = |item: StoredItem| {
        let planned = item.answered.map(|(_, result)| result).unwrap_or_default();
        let skipped = ItemResult {
            outcome: ItemOutcome::Skipped.name().to_owned(),
            code: planned.code,
            message: planned.message,
            ..ItemResult::default()
        };
        let answered = item.plan_hash.is_none().then_some(skipped);
        NewItem { resource: item.resource, plan_hash: item.plan_hash, answered }
    };
    Ok(NewJobSpec {
        command: job.began.command,
        is_dry_run: false,
        from_dry_run: Some(row),
        items: JobItems {
            list: all.into_iter().map(item).collect(),
            has_more: job.began.has_more,
            unknown_ids: job.began.unknown_ids,
        },
    })
}

/// Finds the job `id`, if the caller can access it: a bound token can if it can access every account of the job's
/// token.
fn visible_job(db: &ReadTx, caller: &Caller, id: &str) -> Result<StoredJob, Problem> {
    let none = || Problem::not_found("job", id);
    let job = jobs::get(db, parse_id(id).ok_or_else(none)?)?.ok_or_else(none)?;
    let accounts = job.began.accounts.as_deref();
    let accounts = accounts.map(|accounts| serde_json::from_str::<Vec<String>>(accounts).unwrap_or_default());
    let can_access = caller.can_access_each(accounts.as_deref());
    if can_access { Ok(job) } else { Err(none()) }
}

/// Lists jobs, newest first. Jobs are kept for thirty days after their end. A bound token gets the jobs of tokens whose
/// accounts it can all access.
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
        let before = page_request.before();
        let jobs = jobs::list(db, caller.accounts_json().as_deref(), before, page_request.read_limit())?;
        jobs.into_iter()
            .map(|job| Ok((job.row, JobView::read(db, job)?)))
            .collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Gets a job with its counts and costs so far.
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

/// Lists the items of a job, in the order in which they are executed.
#[utoipa::path(get, path = "/v1/jobs/{id}/items", tag = "jobs",
    params(
        ("id" = String, Path),
        ("outcome" = Option<String>, Query, description = "Only items with this outcome, such as `refused`."),
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
    let outcome = query.one_of("outcome", &words, |word| word);
    query.finish()?;
    let rows = app.read(move |db| {
        let job = visible_job(db, &caller, &id)?;
        let last = page_request.cursor.map(Cursor::key::<ItemPosition>);
        let from = last.map_or(ItemPosition::new(0), ItemPosition::next);
        let default = if job.ended_at.is_some() { ItemOutcome::Skipped.name() } else { WAITING };
        let outcome = outcome.map(|outcome| (outcome, default));
        let items = jobs::items(db, job.row, outcome, from, page_request.read_limit())?;
        let view = |item: StoredItem| (item.position, ItemView::new(item, job.ended_at.is_some()));
        Ok(items.into_iter().map(view).collect())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Cancels a job: its remaining items are skipped. A job that has ended stays as it is.
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
        jobs::cancel(work.tx(), job.row, &format!("by the token `{}`", caller.name), work.at)?;
        let job = visible_job(work.db(), caller, &id)?;
        Ok(WriteResponse::ok(&JobView::read(work.db(), job)?))
    })
    .await
}
