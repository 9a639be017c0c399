//! `/v1/policy-calendars`: the days that scripts of policies ask for by name. Feeds for people are `/v1/calendars`.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::policy::PolicySet;
use perennial_service::admin_tokens::Caller;
use perennial_store::ReadTx;
use perennial_store::policies as stored_policies;
use perennial_store::policy_changes::PolicyChange;
use perennial_store::policy_changes::Subject;

use crate::admin::policies;
use crate::admin::policy_views::PolicyCalendarChangeView;
use crate::admin::policy_views::PolicyCalendarView;
use crate::admin::policy_views::PolicyChangeResult;
use crate::auth::require_all_accounts;
use crate::input::EmptyBody;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::write::Write;
use crate::write::WriteResponse;

/// Lists the calendars that scripts of policies ask for, by name.
#[utoipa::path(get, path = "/v1/policy-calendars", tag = "policy-calendars",
    responses((status = 200, body = Page<PolicyCalendarView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<Json<Page<PolicyCalendarView>>, Problem> {
    query.finish()?;
    require_all_accounts(&caller)?;
    let stored = app.read(|db| Ok::<_, Problem>(stored_policies::calendars(db)?)).await?;
    Ok(Json(Page { items: stored.iter().map(PolicyCalendarView::from).collect(), next_cursor: None }))
}

/// Removes a calendar of policies that no script asks for. Of one that somebody else has removed, it confirms that.
#[utoipa::path(delete, path = "/v1/policy-calendars/{name}", tag = "policy-calendars", params(("name" = String, Path)),
    responses((status = 200, body = PolicyChangeResult)))]
pub(super) async fn remove(
    State(app): State<AppState>,
    Id(name): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    require_all_accounts(&request.caller)?;
    let (reader, removed) = (app.clone(), name.clone());
    let checked = app.read(move |db| Ok::<_, Problem>(check_without(&reader, db, &removed))).await?;
    app.write(request, move |work| {
        checked?;
        let changes =
            policies::change(work, |engine, at, author| engine.remove_policy_calendar(at, &name, author))?;
        let changes = changes.ok_or_else(|| Problem::not_found("calendar", &name))?;
        let result = PolicyChangeResult::of(&changes, Vec::new());
        Ok(policies::respond(work, changes, &result))
    })
    .await
}

/// Lists the changes of a calendar of policies, oldest first, also of one that was removed.
#[utoipa::path(get, path = "/v1/policy-calendars/{name}/history", tag = "policy-calendars",
    params(("name" = String, Path), PageParams),
    responses((status = 200, body = Page<PolicyCalendarChangeView>)))]
pub(super) async fn history(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    mut query: Query,
) -> Result<Json<Page<PolicyCalendarChangeView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    require_all_accounts(&caller)?;
    let changes =
        app.read(move |db| policies::changes_of(db, Subject::Calendar, &name, page_request)).await?;
    let view = |change: PolicyChange| (change.row, PolicyCalendarChangeView::from(change));
    Ok(Json(Page::new(page_request, changes.into_iter().map(view).collect())))
}

/// Checks that the policies that hold can do without the calendar `name`.
fn check_without(app: &AppState, db: &ReadTx, name: &str) -> Result<(), Problem> {
    let Some(runner) = app.providers().policies() else { return Ok(()) };
    let stored = stored_policies::all(db)?;
    let calendars = stored.calendars.into_iter().map(|one| one.calendar);
    let set = PolicySet {
        policies: stored.policies.into_iter().map(|one| one.policy).collect(),
        calendars: calendars.filter(|calendar| calendar.name != name).collect(),
    };
    let reports = runner.check(&set);
    let broken = set.policies.iter().zip(reports).filter(|(_, report)| !report.problems.is_empty());
    let names = broken.map(|(policy, _)| format!("`{}`", policy.name)).collect::<Vec<_>>();
    match names.is_empty() {
        true => Ok(()),
        false => {
            let detail = format!(
                "the calendar `{name}` is asked for by {}; remove or change that first",
                names.join(", ")
            );
            Err(Problem::new(ProblemType::Conflict, detail))
        }
    }
}
