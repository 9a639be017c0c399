//! `/v1/events`: the events, in the order in which they were recorded.

use axum::Extension;
use axum::Json;
use axum::extract::State;

use utoipa::IntoParams;

use crate::input::Query;
use crate::page;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use perennial_formats::event;
use perennial_formats::event_view::EventView;
use perennial_service::admin_tokens::Caller;
use perennial_store::events::StoredEvent;
use perennial_store::list_queries;

/// The parameters that [`filter`] reads, as the API describes them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `filter` reads")]
pub(super) struct EventFilterParams {
    /// Only of this account.
    account: Option<String>,
    /// Only of this resource.
    resource: Option<String>,
    /// Only of this type, such as `renewal_settled`.
    r#type: Option<String>,
    /// Only events at this instant or later.
    since: Option<String>,
    /// Only events before this instant.
    until: Option<String>,
}

/// Lists events, in the order in which they were recorded. A bound token gets the events of its accounts.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(
        EventFilterParams,
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, or an event's `id`."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many on a page; 100 if left out."),
    ),
    responses((status = 200, body = Page<EventView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<EventView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let filter = filter(&mut query, &caller);
    query.finish()?;
    let rows = app.read(move |db| {
        let stored = list_queries::events(db, &filter, page_request.after(), page_request.read_limit())?;
        stored
            .into_iter()
            .map(|stored| Ok((stored.row, StoredEvent::view(stored)?)))
            .collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(Page::new(page_request, rows.await?)))
}

/// Reads the filter of a list of events: `account`, `resource`, `type`, `since`, `until`.
pub(crate) fn filter(query: &mut Query, caller: &Caller) -> list_queries::EventFilter {
    list_queries::EventFilter {
        accounts: caller.accounts_json(),
        account: query.take("account"),
        resource: query.take("resource"),
        kind: query.one_of("type", &event::TYPES, |kind| kind).map(str::to_owned),
        kinds: None,
        since: query.instant("since"),
        until: query.instant("until"),
    }
}
