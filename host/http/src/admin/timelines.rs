//! `/v1/resources/{id}/timeline`: what will happen to a resource and its bundle if nobody does anything.

use axum::Extension;
use axum::Json;
use axum::extract::State;

use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::problem::ProblemDetails;
use crate::state::AppState;
use perennial_engine::error::EngineError;
use perennial_engine::upcoming;
use perennial_formats::occurrence::OccurrenceView;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::keys::ItemPosition;
use perennial_store::keys::RowKey;

/// Lists what will happen to a resource and to everything in its bundle if nobody does anything and every renewal fails, in
/// time order: tries of renewals as the clock makes them, notices, and stages down to the last. Empty for what is
/// pay-per-use or ended. A cursor is a place in the timeline as it is when the page is asked for.
#[utoipa::path(get, path = "/v1/resources/{id}/timeline", tag = "timelines",
    params(("id" = String, Path), PageParams),
    responses(
        (status = 200, body = Page<OccurrenceView>),
        (status = 409, description = "The resource's plugin is not loaded.", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 502, description = "The plugin failed.", body = ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<OccurrenceView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    query.finish()?;
    let (providers, at) = (app.providers().clone(), app.now());
    let rows = app.read(move |db| {
        let resolved = lookup::resolve_resource(db, &caller, &id)?;
        let bundle = &resolved.stored.bundle;
        if !bundle.is_live() {
            return Ok(Vec::new());
        }
        let timeline = upcoming::timeline_as_made(db, &providers, &resolved.stored, at)??;
        let account = resolved.account.account;
        let providers = providers.as_bound(db)?;
        let rules = providers
            .of_account(&account.id, &account.provider)
            .ok_or(EngineError::NoPlugin { account: account.id, provider: account.provider })?;
        let first = usize::try_from(page_request.after::<ItemPosition>().get()).unwrap_or(usize::MAX);
        let shown = timeline.iter().enumerate().skip(first).map(|(place, occurrence)| {
            let number = i64::try_from(place + 1).unwrap_or(i64::MAX);
            (ItemPosition::from_number(number), OccurrenceView::new(occurrence, bundle, rules.manifest()))
        });
        let limit = usize::try_from(page_request.read_limit()).unwrap_or(usize::MAX);
        Ok::<_, Problem>(shown.take(limit).collect::<Vec<_>>())
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}
