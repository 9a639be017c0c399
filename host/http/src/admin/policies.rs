//! `/v1/policies`: the policies that hold, their changes, and what shadow policies would have done otherwise.
//!
//! A policy file is checked on a reader's thread, whole, before anything is written. What policies rule on is in
//! `perennial_engine`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::error::EngineError;
use perennial_engine::policy_changes::PolicyAuthor;
use perennial_engine::policy_changes::PolicyChanges;
use perennial_engine::rules::Providers;
use perennial_formats::PROBLEMS_MAX;
use perennial_formats::Problems;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_formats::body_limits::BodyLimits;
use perennial_formats::policy;
use perennial_service::admin_tokens::Caller;
use perennial_store::ReadTx;
use perennial_store::policies;
use perennial_store::policy_changes;
use perennial_store::policy_changes::PolicyChange;
use perennial_store::policy_changes::Subject;
use perennial_store::policy_differences;
use perennial_store::policy_differences::PolicyDifference;
use perennial_store::quotas as stored_quotas;
use utoipa::ToSchema;

use crate::admin::policy_views::DifferenceView;
use crate::admin::policy_views::PolicyChangeResult;
use crate::admin::policy_views::PolicyChangeView;
use crate::admin::policy_views::PolicyDifferences;
use crate::admin::policy_views::PolicyView;
use crate::admin::policy_views::PolicyWithSource;
use crate::admin::policy_views::ScriptWarning;
use crate::auth::require_all_accounts;
use crate::input::Body;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::FieldError;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::quotas;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteContext;
use crate::write::WriteResponse;

/// Lists the policies that hold, in the order in which they are asked.
#[utoipa::path(get, path = "/v1/policies", tag = "policies", responses((status = 200, body = Page<PolicyView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<PolicyView>>, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let stored = app.read(|db| Ok::<_, Problem>(policies::list(db)?)).await?;
    Ok(Json(Page { items: stored.iter().map(PolicyView::from).collect(), next_cursor: None }))
}

/// Gets a policy with its script.
#[utoipa::path(get, path = "/v1/policies/{name}", tag = "policies", params(("name" = String, Path)),
    responses((status = 200, body = PolicyWithSource,
        headers(("ETag" = String, description = "Its version.")))))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let stored = app.read(move |db| find(db, &name)).await?;
    Ok(WriteResponse::ok_versioned(&PolicyWithSource::from(&stored)).into_response())
}

fn find(db: &ReadTx, name: &str) -> Result<policies::StoredPolicy, Problem> {
    policies::get(db, name)?.ok_or_else(|| Problem::not_found("policy", name))
}

/// A policy file to install.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstallPolicies {
    /// The policy file, in TOML: its policies and calendars.
    file: String,
    /// The source of each script that the file names, by that name.
    scripts: Option<BTreeMap<String, String>>,
    /// Whether policies and calendars that are not in the file are removed; left out, false.
    replace: Option<bool>,
    /// Only check the file, and say what would change; left out, false.
    dry_run: Option<bool>,
}

impl Body for InstallPolicies {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<InstallPolicies> {
        let fields = cursor.object(&["file", "scripts", "replace", "dry_run"])?;
        let file = fields.required("file", |cursor| cursor.text().map(str::to_owned));
        let scripts = fields.optional("scripts", |cursor| cursor.named_texts()).option();
        let replace = fields.optional("replace", |cursor| cursor.flag()).option();
        let dry_run = fields.optional("dry_run", |cursor| cursor.flag()).option();
        Some(InstallPolicies { file: file?, scripts: scripts?, replace: replace?, dry_run: dry_run? })
    }

    /// The texts are files, and longer than what a request may say otherwise.
    fn from_text(text: &str, _: BodyLimits) -> Result<InstallPolicies, Problem> {
        body::read_as("the body", text, InstallPolicies::read).map_err(Problem::from)
    }
}

/// What a policy file holds, and what there is to say about its scripts.
pub(super) struct PolicyFile {
    set: PolicySet,
    /// The same with the calendars that hold beside its own.
    pub(super) whole: PolicySet,
    warnings: Vec<ScriptWarning>,
}

/// Installs the policies and calendars of a policy file: those of new names beside the ones that hold, the others in their
/// place, and with `replace` nothing else. All of it holds from the next plan on, or none when anything is wrong with it. What
/// a changed policy had put off is asked about again. Until another person installs the same, or removes it as well, what its
/// author asks for takes somebody else's approval where the policy is asked.
#[utoipa::path(post, path = "/v1/policies", tag = "policies", request_body = InstallPolicies,
    responses((status = 200, body = PolicyChangeResult)))]
pub(super) async fn install(
    State(app): State<AppState>,
    Write(request, body): Write<InstallPolicies>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let InstallPolicies { file, scripts, replace, dry_run } = body;
    let (replace, dry_run) = (replace.unwrap_or(false), dry_run.unwrap_or(false));
    let limits = app.limits().clone();
    let (reader, scripts) = (app.clone(), scripts.unwrap_or_default());
    let checked = app.read(move |db| Ok::<_, Problem>(check(&reader, db, &file, &scripts, replace))).await?;
    app.write(request, move |work| {
        let PolicyFile { set, warnings, .. } = checked?;
        let install = |engine: &mut EngineTx<'_>, at, author: PolicyAuthor<'_>| {
            let changes = engine.install_policies(at, &set, replace, author)?;
            Ok((changes, stored_quotas::policies(engine.db())?))
        };
        let (changes, usage) = match dry_run {
            false => change(work, install)?,
            true => preview(work, install)?,
        };
        quotas::check_policies(usage, &limits)?;
        let result = PolicyChangeResult::of(&changes, warnings);
        Ok(match dry_run {
            false => respond(work, changes, &result),
            true => WriteResponse::ok(&result.without_events()).into_dry_run(),
        })
    })
    .await
}

/// Checks a policy file and its scripts, those calendars counted that will hold beside its own.
pub(super) fn check(
    app: &AppState,
    db: &ReadTx,
    file: &str,
    scripts: &BTreeMap<String, String>,
    replace: bool,
) -> Result<PolicyFile, Problem> {
    let providers = app.providers();
    let named = RefCell::new(BTreeMap::new());
    let read = |name: &str| {
        let text = scripts.get(name).ok_or_else(|| "it is not in `scripts`, by that name".to_owned())?;
        named.borrow_mut().insert(name.to_owned(), text.clone());
        Ok(text.clone())
    };
    let set = policy::read(file, &providers.manifests(), &read)
        .map_err(|problems| beside(&problems, providers, &named.borrow()))?;
    if set.policies.is_empty() && set.calendars.is_empty() {
        let detail = "there is no policy in it and no calendar; `DELETE /v1/policies/{name}` removes a policy that holds";
        let error = FieldError { field: "file".to_owned(), detail: detail.to_owned() };
        return Err(Problem::fields(ProblemType::InvalidFields, vec![error]));
    }
    let runner = providers.policies().ok_or_else(no_runner)?;
    let mut whole = set.clone();
    for stored in if replace { Vec::new() } else { policies::calendars(db)? } {
        if !set.calendars.iter().any(|calendar| calendar.name == stored.calendar.name) {
            whole.calendars.push(stored.calendar);
        }
    }
    let reports = runner.check(&whole);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for (policy, report) in set.policies.iter().zip(reports) {
        errors.extend(report.problems.iter().map(|problem| of_script(&policy.script, problem)));
        warnings.extend(report.warnings.into_iter().map(|warning| ScriptWarning {
            script: policy.script.clone(),
            line: warning.line,
            column: warning.column,
            message: warning.message,
        }));
    }
    match errors.is_empty() {
        true => Ok(PolicyFile { set, whole, warnings }),
        false => Err(Problem::fields(ProblemType::InvalidFields, errors)),
    }
}

/// The problem of a host that cannot run policies.
pub(super) fn no_runner() -> Problem {
    Problem::new(ProblemType::Conflict, "this host was started without what runs policies")
}

/// The problems of a file that cannot be read, and after them those of the scripts that it names, as many as are told at once.
fn beside(problems: &Problems, providers: &Providers, scripts: &BTreeMap<String, String>) -> Problem {
    let mut errors = FieldError::of_problems(problems);
    for (name, text) in scripts {
        if errors.len() >= PROBLEMS_MAX {
            return Problem::listed(ProblemType::InvalidFields, errors, true);
        }
        let set = PolicySet::of_script(name.clone(), name.clone(), text.clone());
        let found = providers.policies().map(|runner| runner.check_without_calendars(&set));
        errors.extend(found.iter().flatten().map(|failure| of_script(name, failure)));
    }
    Problem::listed(ProblemType::InvalidFields, errors, problems.has_more())
}

fn of_script(name: &str, failure: &ScriptFailure) -> FieldError {
    FieldError { field: format!("scripts.{name}"), detail: failure.to_string() }
}

/// Carries out a change in the name of the caller.
pub(super) fn change<T>(
    work: &mut WriteContext<'_>,
    change: impl FnOnce(&mut EngineTx<'_>, Timestamp, PolicyAuthor<'_>) -> Result<T, EngineError>,
) -> Result<T, Problem> {
    let request = work.request;
    let author = PolicyAuthor { id: &request.caller.id, reason: request.reason.as_deref() };
    Ok(change(&mut work.engine, work.at, author)?)
}

/// What a change would come to; nothing of it is written.
fn preview<T>(
    work: &mut WriteContext<'_>,
    change: impl FnOnce(&mut EngineTx<'_>, Timestamp, PolicyAuthor<'_>) -> Result<T, EngineError>,
) -> Result<T, Problem> {
    let (request, at) = (work.request, work.at);
    let author = PolicyAuthor { id: &request.caller.id, reason: request.reason.as_deref() };
    Ok(work.engine.preview(|engine| change(engine, at, author))?)
}

pub(super) fn respond(
    work: &mut WriteContext<'_>,
    changes: PolicyChanges,
    result: &PolicyChangeResult,
) -> WriteResponse {
    work.record_events(changes.events);
    WriteResponse::ok(result)
}

/// Removes a policy. Of one that somebody else has removed, it confirms that.
#[utoipa::path(delete, path = "/v1/policies/{name}", tag = "policies", params(("name" = String, Path)),
    responses((status = 200, body = PolicyChangeResult)))]
pub(super) async fn remove(
    State(app): State<AppState>,
    Id(name): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    app.write(request, move |work| {
        if let Some(stored) = policies::get(work.db(), &name)? {
            work.check_version(&views::etag(&PolicyWithSource::from(&stored)))?;
        }
        let changes = change(work, |engine, at, author| engine.remove_policy(at, &name, author))?;
        let changes = changes.ok_or_else(|| Problem::not_found("policy", &name))?;
        let result = PolicyChangeResult::of(&changes, Vec::new());
        Ok(respond(work, changes, &result))
    })
    .await
}

/// Lists the changes of a policy, oldest first, also of one that was removed.
#[utoipa::path(get, path = "/v1/policies/{name}/history", tag = "policies",
    params(("name" = String, Path), PageParams), responses((status = 200, body = Page<PolicyChangeView>)))]
pub(super) async fn history(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    mut query: Query,
) -> Result<Json<Page<PolicyChangeView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    require_all_accounts(&caller)?;
    let rows = app.read(move |db| {
        let changes = changes_of(db, Subject::Policy, &name, page_request)?;
        let view = |change: PolicyChange| Ok((change.row, PolicyChangeView::read(db, change)?));
        changes.into_iter().map(view).collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// A page of changes of a policy or calendar; of what never was there it is not found.
pub(super) fn changes_of(
    db: &ReadTx,
    subject: Subject,
    name: &str,
    page_request: page::PageRequest,
) -> Result<Vec<PolicyChange>, Problem> {
    if policy_changes::last(db, subject, name)?.is_none() {
        return Err(Problem::not_found(subject.name(), name));
    }
    Ok(policy_changes::list(db, subject, name, page_request.after(), page_request.read_limit())?)
}

/// Lists the plans on which a shadow policy would have ruled otherwise than was done, with all of them by kind and in money.
/// They are kept for ninety days after the plan was last tried.
#[utoipa::path(get, path = "/v1/policies/{name}/differences", tag = "policies",
    params(
        ("name" = String, Path),
        ("digest" = Option<String>, Query, description = "Only of this version of its script."),
        PageParams,
    ),
    responses((status = 200, body = PolicyDifferences)))]
pub(super) async fn differences(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    mut query: Query,
) -> Result<Json<PolicyDifferences>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let digest = query.take("digest");
    query.finish()?;
    let read = app.read(move |db| {
        if policy_changes::last(db, Subject::Policy, &name)?.is_none() {
            return Err(Problem::not_found("policy", &name));
        }
        let accounts = caller.accounts_json();
        let of = (accounts.as_deref(), digest.as_deref());
        let (after, limit) = (page_request.after(), page_request.read_limit());
        let rows = policy_differences::list(db, &name, of, after, limit)?;
        Ok((policy_differences::totals(db, &name, of)?, rows))
    });
    let (totals, rows) = read.await?;
    let view = |stored: PolicyDifference| (stored.row, DifferenceView::from(stored));
    let Page { items, next_cursor } = Page::new(page_request, rows.into_iter().map(view).collect());
    Ok(Json(PolicyDifferences { totals: totals.into_iter().map(Into::into).collect(), items, next_cursor }))
}
