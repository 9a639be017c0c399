//! `/v1/events:stream`: new events as server-sent events (WHATWG HTML, section 9.2).
//!
//! The writer wakes the stream, and the stream reads the events from the database, so a client that reconnects neither
//! misses nor repeats one. One page at a time is in flight; a slow client slows down its own reads only.

use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::admin::events;
use crate::admin::events::EventFilterParams;
use crate::input::Query;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;
use crate::state::RequestSlot;
use perennial_service::admin_tokens::Caller;
use perennial_service::either::first_ready;
use perennial_store::cursor::cursor;
use perennial_store::cursor::row_of;
use perennial_store::events::StoredEvent;
use perennial_store::keys::EventKey;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;

/// The interval of heartbeats, which keep an idle connection open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most events in flight to one client.
const PAGE: u32 = 100;

/// Streams events as they happen: `id`, `event` with the type, and `data` with the same object as in the list.
///
/// The stream begins after the event that `Last-Event-ID` or `cursor` names (`c0` is before the first), else with the
/// next event. Comments between events have the `id` to resume from. The stream ends when the host stops or the token
/// is no longer valid; a client that reconnects with the last `id` misses nothing.
#[utoipa::path(get, path = "/v1/events:stream", tag = "events",
    params(
        EventFilterParams,
        ("cursor" = Option<String>, Query, description = "An event's `id`; the stream begins after it."),
        ("Last-Event-ID" = Option<String>, Header, description = "The same; it takes precedence over `cursor`."),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, Problem> {
    let cursor = query.take("cursor");
    let after = cursor.as_deref().and_then(row_of);
    if cursor.is_some() && after.is_none() {
        query.reject("cursor", "it is not the `id` of an event");
    }
    let filter = events::filter(&mut query, &caller);
    query.finish()?;
    let after = match (last_event_id(&headers)?.or(after), app.clone()) {
        (Some(after), _) => after,
        (None, app) => app.read(|db| Ok(list_queries::last_event(db)?)).await?,
    };
    let (out, frames) = mpsc::channel(1);
    let slots = app.acquire_slots(&caller.id, &caller.owner)?;
    let stream = EventStream { app, caller: caller.id, filter, after, out, _slots: slots };
    tokio::spawn(stream.run());
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Frames(frames))).into_response())
}

/// The row that `Last-Event-ID` names, if the header is present.
fn last_event_id(headers: &HeaderMap) -> Result<Option<EventKey>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    match value.to_str().ok().and_then(row_of) {
        Some(row) => Ok(Some(row)),
        None => {
            Err(Problem::field(ProblemType::BadRequest, "Last-Event-ID", "it is not the `id` of an event"))
        }
    }
}

/// The stream of one client.
struct EventStream {
    app: AppState,
    /// Whose token must stay valid.
    caller: Arc<str>,
    filter: EventFilter,
    /// The row of the last event that was sent or filtered out.
    after: EventKey,
    out: mpsc::Sender<Bytes>,
    /// The slot of the token.
    _slots: Vec<RequestSlot>,
}

/// Whether a stream goes on.
enum StreamState {
    /// There may be more events.
    Open,
    /// The host is stopping, or the client has disconnected.
    Closed,
}

impl EventStream {
    async fn run(mut self) {
        let mut changes = self.app.writer().changes();
        let mut stopping = self.app.shutdown_signal();
        let out = self.out.clone();
        let closed = async move {
            // The sender lives as long as the service.
            first_ready(async { drop(stopping.wait_for(|stopping| *stopping).await) }, out.closed()).await;
            StreamState::Closed
        };
        let mut closed = pin!(closed);
        let begin =
            first_ready(async { self.send(comment(self.after)).await }, async { closed.as_mut().await });
        let mut state = begin.await;
        while matches!(state, StreamState::Open) && self.is_permitted() {
            // A commit from here on wakes this loop again.
            changes.borrow_and_update();
            state = match first_ready(self.catch_up(), async { Ok(closed.as_mut().await) }).await {
                Ok(StreamState::Open) => {
                    let changed = async {
                        match changes.changed().await {
                            Ok(()) => StreamState::Open,
                            Err(_) => StreamState::Closed,
                        }
                    };
                    let next = first_ready(changed, async { closed.as_mut().await });
                    match tokio::time::timeout(HEARTBEAT, next).await {
                        Ok(state) => state,
                        Err(_) => {
                            let beat = self.send(comment(self.after));
                            first_ready(beat, async { closed.as_mut().await }).await
                        }
                    }
                }
                Ok(StreamState::Closed) => StreamState::Closed,
                Err(problem) => {
                    tracing::warn!(detail = problem.detail, "a stream of events ended");
                    StreamState::Closed
                }
            };
        }
    }

    /// Whether the token is still valid.
    fn is_permitted(&self) -> bool {
        self.app.tokens().active_caller(&self.caller, self.app.now()).is_some()
    }

    /// Sends every recorded event that was not sent yet. A token that is revoked meanwhile is sent no further page.
    async fn catch_up(&mut self) -> Result<StreamState, Problem> {
        loop {
            if !self.is_permitted() {
                return Ok(StreamState::Closed);
            }
            let (filter, after) = (self.filter.clone(), self.after);
            let (stored, last) = self
                .app
                .read(move |db| {
                    let stored = list_queries::events(db, &filter, after, PAGE)?;
                    Ok((stored, list_queries::last_event(db)?))
                })
                .await?;
            let is_full = u32::try_from(stored.len()).is_ok_and(|count| count >= PAGE);
            let end = stored.last().map(|stored| stored.row);
            let text = stored.into_iter().map(message).collect::<Result<String, Problem>>()?;
            if !text.is_empty() && matches!(self.send(text).await, StreamState::Closed) {
                return Ok(StreamState::Closed);
            }
            // Events that the filter excludes are skipped for good.
            self.after = if is_full { end.unwrap_or(after) } else { last.max(after) };
            if !is_full {
                return Ok(StreamState::Open);
            }
        }
    }

    /// Sends text, after the client has read what was sent before.
    async fn send(&self, text: String) -> StreamState {
        match self.out.send(Bytes::from(text)).await {
            Ok(()) => StreamState::Open,
            Err(_) => StreamState::Closed,
        }
    }
}

/// Formats an event as a message.
fn message(stored: StoredEvent) -> Result<String, Problem> {
    let (id, kind) = (cursor(stored.row), stored.kind.clone());
    let data = serde_json::to_string(&StoredEvent::view(stored)?).expect("views have text as keys");
    let mut text = String::with_capacity(data.len() + 64);
    write!(text, "id: {id}\nevent: {kind}\ndata: {data}\n\n").expect("writing to text never fails");
    Ok(text)
}

/// Formats a heartbeat with the `id` to resume from; clients see no event.
fn comment(after: EventKey) -> String {
    format!(": up to here\nid: {}\n\n", cursor(after))
}

/// The body of a stream.
struct Frames(mpsc::Receiver<Bytes>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
