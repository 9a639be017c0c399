//! `/v1/webhooks/{id}/deliveries`, `:test` and `:replay`: the deliveries of a webhook.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::DeliveryKey;
use perennial_store::keys::EventKey;
use perennial_store::keys::RowKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::webhooks;
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
use crate::write::WriteResponse;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_store::cursor::cursor;
use perennial_store::cursor::row_of;
use perennial_store::deliveries;
use perennial_store::deliveries::StoredDelivery;
use perennial_store::list_queries;
use perennial_store::webhooks::move_cursor;

/// The states of a delivery.
const STATES: [&str; 3] = ["pending", "delivered", "failed"];

/// The delivery of an event to a webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    /// The `webhook-id`: the event's `id`, or that of a test.
    id: String,
    /// The event's `id`; null for a test.
    event: Option<String>,
    /// `pending`: will be retried; `delivered`; or `failed`: the last attempt failed.
    state: String,
    /// The number of attempts.
    attempts: u32,
    /// When it was first attempted, or a test was requested.
    created_at: String,
    /// When it was last attempted.
    tried_at: Option<String>,
    /// The HTTP status of the last response.
    status: Option<u16>,
    /// The reason why the last attempt failed.
    error: Option<String>,
    /// When it is retried, if the webhook is enabled then.
    next_try_at: Option<String>,
}

impl From<StoredDelivery> for DeliveryView {
    fn from(stored: StoredDelivery) -> DeliveryView {
        DeliveryView {
            id: stored.message,
            event: stored.event.map(cursor),
            state: stored.state,
            attempts: stored.attempts,
            created_at: stored.created_at.to_string(),
            tried_at: to_text(stored.tried_at),
            status: stored.status,
            error: stored.error,
            next_try_at: to_text(stored.next_try_at),
        }
    }
}

/// Lists the deliveries of a webhook, newest first. Settled deliveries are kept for thirty days.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", tag = "deliveries",
    params(
        ("id" = String, Path),
        ("state" = Option<String>, Query, description = "Only in this state: `pending`, `delivered` or `failed`."),
        PageParams,
    ),
    responses((status = 200, body = Page<DeliveryView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let state = query.one_of("state", &STATES, |word| word);
    query.finish()?;
    let rows = app.read(move |db| {
        let webhook = webhooks::visible_webhook(db, &caller, &id)?;
        let before = page_request.before();
        Ok(deliveries::list(db, webhook.row, state, before, page_request.read_limit())?)
    });
    let rows = rows.await?.into_iter().map(|delivery| (delivery.row, delivery.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}

/// Sends a test of type `perennial.test` to an enabled webhook. The result is in its deliveries.
#[utoipa::path(post, path = "/v1/webhooks/{id}:test", tag = "deliveries", params(("id" = String, Path)),
    responses((status = 202, body = DeliveryView)))]
pub(super) async fn test(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let webhook = webhooks::visible_webhook(work.db(), &work.request.caller, &id)?;
        if webhook.disabled.is_some() {
            return Err(Problem::new(
                ProblemType::Conflict,
                "the webhook is disabled; enable it, then test it",
            ));
        }
        let delivery = StoredDelivery {
            row: DeliveryKey::unassigned(),
            webhook: webhook.row,
            message: webhooks::new_id("test_")?,
            event: None,
            state: "pending".to_owned(),
            attempts: 0,
            created_at: work.at,
            tried_at: None,
            status: None,
            error: None,
            next_try_at: Some(work.at),
        };
        deliveries::upsert(work.tx(), &delivery)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        Ok(WriteResponse::accepted(&location(&webhook.id), &DeliveryView::from(delivery)))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

fn location(webhook: &str) -> String {
    format!("/v1/webhooks/{webhook}/deliveries")
}

/// A replay: exactly one of these fields.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what a replay is read as")]
pub(super) struct ReplayDocument {
    /// Replay every event after the one with this `id`; `c0` is before the first.
    after: Option<String>,
    /// Replay every event from the first one at this instant or later.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Replay the delivery with this `id`.
    delivery: Option<String>,
}

/// Which deliveries to send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Replay {
    /// Every event after this row.
    After(EventKey),
    /// Every event from this instant on.
    Since(Timestamp),
    /// Only this delivery.
    Delivery(String),
}

/// A replay whose instant was resolved to a row.
enum ReplayStart {
    /// Every event after this row.
    After(EventKey),
    /// Only this delivery.
    Delivery(String),
}

impl Body for Replay {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Replay> {
        let fields = cursor.object(&["after", "since", "delivery"])?;
        let after = fields.optional("after", |cursor| {
            let row = row_of(cursor.text()?);
            row.or_else(|| cursor.report_type("the `id` of an event"))
        });
        let since = fields.optional("since", |cursor| cursor.instant());
        let delivery = fields.optional("delivery", |cursor| cursor.id().map(str::to_owned));
        match (after.option()?, since.option()?, delivery.option()?) {
            (Some(after), None, None) => Some(Replay::After(after)),
            (None, Some(since), None) => Some(Replay::Since(since)),
            (None, None, Some(delivery)) => Some(Replay::Delivery(delivery)),
            _ => {
                cursor.report("expected one of `after`, `since` and `delivery`");
                None
            }
        }
    }
}

/// The events that will be sent again.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplayResult {
    /// Every event after the one with this `id`; null for a single delivery.
    after: Option<String>,
    /// The delivery, for a single one.
    delivery: Option<DeliveryView>,
}

/// Replays events under the same `webhook-id`: all after an event or since an instant, in their order, or one delivery.
/// A receiver can drop IDs that it knows. A disabled webhook gets them once it is enabled.
#[utoipa::path(post, path = "/v1/webhooks/{id}:replay", tag = "deliveries", params(("id" = String, Path)),
    request_body = ReplayDocument, responses((status = 202, body = ReplayResult)))]
pub(super) async fn replay(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Replay>,
) -> Result<WriteResponse, Problem> {
    // Resolving an instant may take a while, so a reader does it.
    let start = match body {
        Replay::After(row) => {
            let last = app.read(|db| Ok(list_queries::last_event(db)?)).await?;
            if row > last {
                let detail =
                    format!("there is no event `{}` yet; the last one is `{}`", cursor(row), cursor(last));
                return Err(Problem::field(ProblemType::InvalidFields, "after", detail));
            }
            ReplayStart::After(row)
        }
        Replay::Since(since) => {
            let first = app.read(move |db| Ok(list_queries::first_event_since(db, since)?)).await?;
            ReplayStart::After(first.map_or_else(EventKey::after_all, EventKey::before))
        }
        Replay::Delivery(message) => ReplayStart::Delivery(message),
    };
    let write = app.write(request, move |work| {
        let webhook = webhooks::visible_webhook(work.db(), &work.request.caller, &id)?;
        work.set_audit_accounts(webhook.accounts.as_deref());
        let replayed = match start {
            ReplayStart::After(row) => {
                // Events after the cursor are sent anyway, so the cursor only moves back.
                let row = row.min(webhook.cursor);
                move_cursor(work.tx(), webhook.row, webhook.cursor, row)?;
                ReplayResult { after: Some(cursor(row)), delivery: None }
            }
            ReplayStart::Delivery(message) => {
                let delivery = deliveries::get(work.db(), webhook.row, &message)?;
                let mut delivery = delivery.ok_or_else(|| Problem::not_found("delivery", &message))?;
                delivery.state = "pending".to_owned();
                delivery.attempts = 0;
                delivery.next_try_at = Some(work.at);
                deliveries::upsert(work.tx(), &delivery)?;
                ReplayResult { after: None, delivery: Some(delivery.into()) }
            }
        };
        Ok(WriteResponse::accepted(&location(&webhook.id), &replayed))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}
