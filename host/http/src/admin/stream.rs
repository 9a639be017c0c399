//! `/v1/events:stream`: what happens, as it happens, as server-sent events (WHATWG HTML, section 9.2).
//!
//! Every event comes from the database, after the writer has said that there is more: nothing is lost or told twice,
//! wherever a client begins again. One page at a time is on its way to a client; one that is slow is read for slowly.

use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::pin::pin;
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
use crate::auth::authenticate;
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
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;

/// How long a stream is silent at most: what is between keeps a connection that is used.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most events that are on their way to a client at once.
const PAGE: u32 = 100;

/// Streams events as they happen: `id`, `event` with the type, and `data` with the same object as in the list.
///
/// It begins after the event that `Last-Event-ID` or `cursor` names (`c0` is before the first), else with what happens
/// next. Between events there are comments, with the `id` to go on from. It ends when the host stops or the token is no
/// longer in force; a client that connects again with the last `id` it has seen misses nothing.
#[utoipa::path(get, path = "/v1/events:stream", tag = "events",
    params(
        EventFilterParams,
        ("cursor" = Option<String>, Query, description = "An event's `id`; the stream begins after it."),
        ("Last-Event-ID" = Option<String>, Header, description = "The same; it goes before `cursor`."),
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
    let slot = app.acquire_slot(&caller.id)?;
    let pump = EventStream { app, headers, filter, after, out, _slot: slot };
    tokio::spawn(pump.run());
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Frames(frames))).into_response())
}

/// The row that `Last-Event-ID` names, if it is sent.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    match value.to_str().ok().and_then(row_of) {
        Some(row) => Ok(Some(row)),
        None => {
            Err(Problem::field(ProblemType::BadRequest, "Last-Event-ID", "it is not the `id` of an event"))
        }
    }
}

/// One client's stream: what it asked for, and how far it is.
struct EventStream {
    app: AppState,
    /// Those of the request, with the token that has to stay in force.
    headers: HeaderMap,
    filter: EventFilter,
    /// The row up to which everything was sent.
    after: i64,
    out: mpsc::Sender<Bytes>,
    /// The place among the token's requests that the stream takes.
    _slot: RequestSlot,
}

/// What a stream waited for.
enum StreamState {
    /// More was written.
    Open,
    /// The host stops, or the client went away.
    Closed,
}

impl EventStream {
    async fn run(mut self) {
        let mut changes = self.app.writer().changes();
        let mut stopping = self.app.shutdown_signal();
        let out = self.out.clone();
        let closed = async move {
            // The sender lives as long as the host.
            first_ready(async { drop(stopping.wait_for(|stopping| *stopping).await) }, out.closed()).await;
            StreamState::Closed
        };
        let mut closed = pin!(closed);
        let begin =
            first_ready(async { self.send(comment(self.after)).await }, async { closed.as_mut().await });
        let mut state = begin.await;
        while matches!(state, StreamState::Open)
            && authenticate(self.app.tokens(), &self.headers, self.app.now()).is_ok()
        {
            // What is written from here on wakes it again.
            changes.borrow_and_update();
            state = match first_ready(self.catch_up(), async { Ok(closed.as_mut().await) }).await {
                Ok(StreamState::Open) => {
                    let written = async {
                        match changes.changed().await {
                            Ok(()) => StreamState::Open,
                            Err(_) => StreamState::Closed,
                        }
                    };
                    let next = first_ready(written, async { closed.as_mut().await });
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

    /// Sends everything that is written and not sent.
    async fn catch_up(&mut self) -> Result<StreamState, Problem> {
        loop {
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
            // What did not pass the filter is not looked at again.
            self.after = if is_full { end.unwrap_or(after) } else { last.max(after) };
            if !is_full {
                return Ok(StreamState::Open);
            }
        }
    }

    /// Waits until the client has taken what was sent before.
    async fn send(&self, text: String) -> StreamState {
        match self.out.send(Bytes::from(text)).await {
            Ok(()) => StreamState::Open,
            Err(_) => StreamState::Closed,
        }
    }
}

/// An event as a message.
fn message(stored: StoredEvent) -> Result<String, Problem> {
    let (id, kind) = (cursor(stored.row), stored.kind.clone());
    let data = serde_json::to_string(&StoredEvent::view(stored)?).expect("answers have text as keys");
    let mut text = String::with_capacity(data.len() + 64);
    write!(text, "id: {id}\nevent: {kind}\ndata: {data}\n\n").expect("writing to text never fails");
    Ok(text)
}

/// A sign of life, with the `id` to go on from; it is no event to a client.
fn comment(after: i64) -> String {
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
