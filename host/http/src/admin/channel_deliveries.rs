//! `/v1/channels/{id}/deliveries`, `:test` and `:resend`: the messages of a channel.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_formats::body::JsonCursor;
use perennial_service::admin_tokens::Caller;
use perennial_service::channels::message;
use perennial_store::channel_deliveries;
use perennial_store::channel_deliveries::DeliveryState;
use perennial_store::channel_deliveries::StoredChannelDelivery;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::channels;
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

/// A message to one reader of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ChannelDelivery)]
pub(super) struct ChannelDeliveryView {
    /// The message's ID, which an e-mail has in its `Message-ID`.
    id: String,
    /// The address of e-mail that it goes to; empty for the group of a robot.
    reader: String,
    /// How many events it reports; 0 for a test and for an alarm.
    events: u32,
    /// Its title, which is the subject of an e-mail.
    title: String,
    /// The text below the title.
    text: String,
    /// `pending`: will be tried; `sending`: under way; `delivered`; `failed`: not tried again; or `in_doubt`: it may have
    /// arrived, and is not sent again unless somebody asks for it.
    state: String,
    /// The number of tries.
    attempts: u32,
    /// When it was written.
    created_at: String,
    /// When it was last tried.
    tried_at: Option<String>,
    /// The status of the last response, of HTTP or of SMTP.
    status: Option<u16>,
    /// The reason why the last try failed.
    error: Option<String>,
    /// When it is tried again, if the channel is enabled then.
    next_try_at: Option<String>,
}

impl From<StoredChannelDelivery> for ChannelDeliveryView {
    fn from(stored: StoredChannelDelivery) -> ChannelDeliveryView {
        ChannelDeliveryView {
            id: stored.message,
            reader: stored.reader,
            events: stored.events,
            title: stored.title,
            text: stored.body,
            state: stored.state.name().to_owned(),
            attempts: stored.attempts,
            created_at: stored.created_at.to_string(),
            tried_at: to_text(stored.tried_at),
            status: stored.status,
            error: stored.error,
            next_try_at: to_text(stored.next_try_at),
        }
    }
}

/// Lists the messages of a channel, newest first. Settled ones are kept for thirty days.
#[utoipa::path(get, path = "/v1/channels/{id}/deliveries", tag = "channel_deliveries",
    params(
        ("id" = String, Path),
        ("state" = Option<String>, Query,
            description = "Only in this state: `pending`, `sending`, `delivered`, `failed` or `in_doubt`."),
        PageParams,
    ),
    responses((status = 200, body = Page<ChannelDeliveryView>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<ChannelDeliveryView>>, Problem> {
    let page_request = page::PageRequest::read(&mut query);
    let state = query.one_of("state", &DeliveryState::ALL, DeliveryState::name);
    query.finish()?;
    let rows = app.read(move |db| {
        let channel = channels::visible_channel(db, &caller, &id)?;
        let before = page_request.before();
        Ok(channel_deliveries::list(db, channel.row, state, before, page_request.read_limit())?)
    });
    let rows = rows.await?.into_iter().map(|delivery| (delivery.row, delivery.into())).collect();
    Ok(Json(Page::new(page_request, rows)))
}

/// Sends a test to every reader of an enabled channel, whatever the hour. What becomes of it is in its deliveries.
#[utoipa::path(post, path = "/v1/channels/{id}:test", tag = "channel_deliveries", params(("id" = String, Path)),
    responses((status = 202, body = Page<ChannelDeliveryView>)))]
pub(super) async fn test(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, EmptyBody): Write<EmptyBody>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let channel = channels::visible_channel(work.db(), &work.request.caller, &id)?;
        if channel.disabled_at.is_some() {
            let detail = "the channel is disabled; enable it, then test it";
            return Err(Problem::new(ProblemType::Conflict, detail));
        }
        let at = work.at;
        let deliveries = message::insert_test(work.tx(), &channel, at)?;
        work.set_audit_accounts(channel.accounts.as_deref());
        let items = deliveries.into_iter().map(ChannelDeliveryView::from).collect();
        Ok(WriteResponse::accepted(&location(&channel.id), &Page { items, next_cursor: None }))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}

fn location(channel: &str) -> String {
    format!("/v1/channels/{channel}/deliveries")
}

/// A message that is to be sent again.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resend {
    /// The `id` of a message that failed, is in doubt, or waits.
    delivery: String,
}

impl Body for Resend {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Resend> {
        let fields = cursor.object(&["delivery"])?;
        let delivery = fields.required("delivery", |cursor| cursor.id().map(str::to_owned));
        Some(Resend { delivery: delivery? })
    }
}

/// Sends a message again that failed or is in doubt, or one at once that waits for its next try. One in doubt may have
/// arrived: then its reader has it twice.
#[utoipa::path(post, path = "/v1/channels/{id}:resend", tag = "channel_deliveries", params(("id" = String, Path)),
    request_body = Resend, responses((status = 202, body = ChannelDeliveryView)))]
pub(super) async fn resend(
    State(app): State<AppState>,
    Id(id): Id,
    Write(request, body): Write<Resend>,
) -> Result<WriteResponse, Problem> {
    let write = app.write(request, move |work| {
        let channel = channels::visible_channel(work.db(), &work.request.caller, &id)?;
        let found = channel_deliveries::get(work.db(), channel.row, &body.delivery)?;
        let mut delivery = found.ok_or_else(|| Problem::not_found("delivery", &body.delivery))?;
        match delivery.state {
            DeliveryState::Failed | DeliveryState::InDoubt | DeliveryState::Pending => {}
            DeliveryState::Sending | DeliveryState::Delivered => {
                let detail = format!(
                    "`{}` is {}; only what failed, is in doubt or waits is sent again",
                    body.delivery,
                    delivery.state.name()
                );
                return Err(Problem::new(ProblemType::Conflict, detail));
            }
        }
        delivery.state = DeliveryState::Pending;
        delivery.attempts = 0;
        delivery.next_try_at = Some(work.at);
        channel_deliveries::update(work.tx(), &delivery)?;
        work.set_audit_accounts(channel.accounts.as_deref());
        Ok(WriteResponse::accepted(&location(&channel.id), &ChannelDeliveryView::from(delivery)))
    });
    let response = write.await?;
    app.writer().wake();
    Ok(response)
}
