//! `/v1/packages` and `/v1/accounts/{id}:use`: resource packages, and the usage that they cover.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::micros::Micros;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::resources;
use crate::admin::resources::ResourceFilterParams;
use crate::input::Body;
use crate::input::Id;
use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::page::PageParams;
use crate::problem::Problem;
use crate::resource_view::ResourceView;
use crate::state::AppState;
use crate::views;
use crate::write::Write;
use crate::write::WriteResponse;
use perennial_engine::persist::RecordedEvent;
use perennial_formats::body::JsonCursor;
use perennial_formats::event_view::EventView;
use perennial_service::admin_tokens::Caller;

/// Lists resource packages, in the order in which they were added.
#[utoipa::path(get, path = "/v1/packages", tag = "packages",
    params(ResourceFilterParams, PageParams),
    responses((status = 200, body = Page<ResourceView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ResourceView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let mut filter = resources::filter(&mut query, &caller);
    filter.only_packages = true;
    query.finish()?;
    let rows = app.read(move |db| resources::page_of(db, &filter, None, page_request)).await?;
    Ok(Json(Page::new(page_request, rows)))
}

/// Usage that packages may cover.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageReport {
    /// The type of resource, such as `cci`.
    #[schema(min_length = 1)]
    resource_type: String,
    /// The amount, a decimal above zero.
    #[schema(value_type = String, pattern = "^[0-9]{1,10}([.][0-9]{1,6})?$")]
    amount: Micros,
}

impl Body for UsageReport {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<UsageReport> {
        let fields = cursor.object(&["resource_type", "amount"])?;
        let resource_type = fields.required("resource_type", |cursor| cursor.name());
        let amount = fields.required("amount", |cursor| cursor.amount_above_zero());
        Some(UsageReport { resource_type: resource_type?.to_owned(), amount: amount? })
    }
}

/// The result of a usage report.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageResult {
    /// The events: the part that each package covers, and the part that none does.
    events: Vec<EventView>,
}

/// Records usage of an account, and allocates it to packages.
#[utoipa::path(post, path = "/v1/accounts/{id}:use", tag = "packages", params(("id" = String, Path)),
    request_body = UsageReport, responses((status = 200, body = UsageResult)))]
pub(super) async fn record_use(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<UsageReport>,
) -> Result<WriteResponse, Problem> {
    app.write(request, move |work| {
        views::visible_account(work.db(), &work.request.caller, &id)?;
        work.set_audit_subject(&id, None);
        let recorded = work.engine.record_use(work.at, &id, &body.resource_type, body.amount)?;
        let events = recorded.iter().map(RecordedEvent::view).collect();
        work.record_events(recorded);
        Ok(WriteResponse::ok(&UsageResult { events }))
    })
    .await
}
