//! A lane: sends one page of messages to one webhook, and writes down what came of them, in one transaction.

use std::sync::Arc;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use perennial_store::Connection;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::error::ServiceError;
use crate::webhooks::client::Message;
use crate::webhooks::dispatcher::Shared;
use crate::webhooks::dispatcher::due::Work;
use crate::webhooks::payload;
use crate::webhooks::payload::About;
use crate::webhooks::secret::Secret;
use crate::webhooks::verdict;
use crate::webhooks::verdict::Answer;
use crate::webhooks::verdict::Verdict;
use perennial_engine::clock::Stopwatch;
use perennial_formats::event_view::EventView;
use perennial_store::cursor::cursor;
use perennial_store::deliveries;
use perennial_store::deliveries::StoredDelivery;
use perennial_store::error::StoreError;
use perennial_store::events::StoredEvent;
use perennial_store::webhooks;
use perennial_store::webhooks::Disabled;
use perennial_store::webhooks::StoredWebhook;

/// For how long first tries go on until they are written down, in seconds.
const WRITTEN_AFTER: f64 = 1.0;
/// The most later tries of one webhook under way at once.
const UNDER_WAY_MAX: usize = 4;
/// How long to wait after what came of tries could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long it is remembered what became of a delivery, in seconds: thirty days.
const KEPT: i64 = 30 * 86_400;

/// Sends to one webhook.
#[derive(Clone)]
pub(super) struct Lane {
    shared: Arc<Shared>,
    webhook: Arc<StoredWebhook>,
}

/// A try that was made.
struct Tried {
    /// The delivery before it.
    before: StoredDelivery,
    at: Timestamp,
    answer: Answer,
    verdict: Verdict,
}

/// What a lane did.
struct Done {
    /// How far the webhook was and is, after first tries.
    moved: Option<(i64, i64)>,
    tried: Vec<Tried>,
}

impl Lane {
    pub(super) fn new(shared: Arc<Shared>, webhook: StoredWebhook) -> Lane {
        Lane { shared, webhook: Arc::new(webhook) }
    }

    /// Does `work`. When the host stops, it ends after what is under way.
    pub(super) async fn run(self, work: Work) {
        let done = match work {
            Work::First { events, to } => self.first(events, to).await,
            Work::Later(due) => self.later(due).await,
        };
        self.write(done).await;
    }

    fn is_stopping(&self) -> bool {
        *self.shared.host.stopping().borrow()
    }

    /// First tries, in the order of events: the next one is sent when the one before was answered.
    async fn first(&self, events: Vec<StoredEvent>, to: i64) -> Done {
        let from = self.webhook.cursor;
        let watch = Stopwatch::start();
        let mut done = Done { moved: Some((from, to)), tried: Vec::new() };
        let mut reached = from;
        for event in events {
            let is_over = done.tried.last().is_some_and(|tried| tried.verdict == Verdict::Gone);
            if is_over || self.is_stopping() || watch.seconds() > WRITTEN_AFTER {
                done.moved = Some((from, reached));
                break;
            }
            reached = event.row;
            let new = StoredDelivery {
                row: 0,
                webhook: self.webhook.row,
                message: cursor(event.row),
                event: Some(event.row),
                state: "pending".to_owned(),
                attempts: 0,
                created_at: self.shared.host.now(),
                tried_at: None,
                status: None,
                error: None,
                next_try_at: None,
            };
            done.tried.push(self.attempt(new, Some(event)).await);
        }
        done
    }

    /// Later tries, a few at a time.
    async fn later(&self, due: Vec<(StoredDelivery, Option<StoredEvent>)>) -> Done {
        let free = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let mut tries = JoinSet::new();
        for (delivery, event) in due {
            let (lane, free) = (self.clone(), Arc::clone(&free));
            tries.spawn(async move {
                let _place = free.acquire().await;
                if lane.is_stopping() { None } else { Some(lane.attempt(delivery, event).await) }
            });
        }
        Done { moved: None, tried: tries.join_all().await.into_iter().flatten().collect() }
    }

    /// Makes one try.
    async fn attempt(&self, before: StoredDelivery, event: Option<StoredEvent>) -> Tried {
        let _place = self.shared.free.acquire().await;
        let host = &self.shared.host;
        let view = event.map_or_else(|| Ok(EventView::test(before.created_at)), StoredEvent::view);
        let answer = match view {
            Ok(view) => {
                let message = self.message(&before.message, host.now(), &view);
                self.shared.client.send(&self.webhook.url, message).await
            }
            Err(error) => Answer::Nothing(error.to_string()),
        };
        let at = host.now();
        let verdict = verdict::verdict(&answer, before.attempts + 1, at, (self.shared.chance)());
        Tried { before, at, answer, verdict }
    }

    fn message(&self, id: &str, at: Timestamp, view: &EventView) -> Message {
        let about = About {
            source: self.shared.host.webhooks().source(),
            id,
            kind: &view.r#type,
            time: &view.at,
            subject: view.resource.as_deref(),
        };
        let body = payload::body(&about, view);
        Message { id: id.to_owned(), at, signatures: self.sign(id, at, &body), body }
    }

    /// The signature, with that of the secret before if it was changed a short time ago.
    fn sign(&self, message: &str, at: Timestamp, body: &[u8]) -> String {
        let previous = self.webhook.previous.as_ref().filter(|previous| at < previous.until);
        let secrets = [Some(&self.webhook.secret), previous.map(|previous| &previous.secret)];
        let signatures =
            secrets.into_iter().flatten().map(|kept| Secret::of_kept(kept).sign(message, at, body));
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// Writes down what was done, again and again until it is written or the host stops: what is not written is sent
    /// again.
    async fn write(&self, done: Done) {
        let done = Arc::new(done);
        let host = &self.shared.host;
        loop {
            let (webhook, write) = (Arc::clone(&self.webhook), Arc::clone(&done));
            let written = host.writer().call(move |desk| {
                let now = desk.now();
                let record = desk.engine.atomically(|engine| record(engine.read(), &webhook, &write, now));
                Ok::<_, ServiceError>(record?)
            });
            match written.await {
                Ok(disabled) => {
                    self.tell(&done, disabled);
                    // Somebody may wait for this.
                    host.writer().nudge();
                    return;
                }
                Err(error) if self.is_stopping() => {
                    tracing::warn!(%error, webhook = self.webhook.id, "tries are forgotten");
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        %error,
                        webhook = self.webhook.id,
                        "tries cannot be written"
                    );
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    fn tell(&self, done: &Done, disabled: Option<Disabled>) {
        let webhook = self.webhook.id.as_str();
        for tried in &done.tried {
            let outcome = match tried.verdict {
                Verdict::Delivered => "delivered",
                Verdict::Again(_) => "retried",
                Verdict::GivenUp => "failed",
                Verdict::Gone => "gone",
            };
            self.shared.host.metrics().sent(outcome);
            if let Some(why) = verdict::reason(&tried.answer) {
                let attempt = tried.before.attempts + 1;
                tracing::warn!(
                    webhook,
                    message = tried.before.message,
                    attempt,
                    outcome,
                    why,
                    "a try failed"
                );
            }
        }
        if let Some(disabled) = disabled {
            tracing::error!(
                webhook,
                reason = disabled.reason,
                "a webhook is disabled; enable it when its receiver is well"
            );
        }
    }
}

/// Writes down what was done for `tried`, a webhook as it was then. Returns whether that disabled it.
fn record(
    db: &Connection,
    then: &StoredWebhook,
    done: &Done,
    now: Timestamp,
) -> Result<Option<Disabled>, StoreError> {
    let Some(mut webhook) = webhooks::get(db, &then.id)? else { return Ok(None) };
    if let Some((from, to)) = done.moved {
        webhooks::move_cursor(db, webhook.row, from, to)?;
    }
    let before = webhook.clone();
    for tried in &done.tried {
        if done.moved.is_none() {
            let current = deliveries::get(db, webhook.row, &tried.before.message)?;
            // Somebody wants it sent again since: then it is.
            if current.is_none_or(|current| current.attempts != tried.before.attempts) {
                continue;
            }
        }
        deliveries::put(db, &after(tried))?;
        // What an old address answered says nothing of the new one.
        if webhook.url == then.url {
            judge(&mut webhook, tried);
        }
    }
    if webhook != before {
        webhooks::update(db, &webhook)?;
    }
    deliveries::delete_settled_before(db, now - KEPT)?;
    Ok(webhook.disabled.filter(|_| before.disabled.is_none()))
}

/// The delivery after a try.
fn after(tried: &Tried) -> StoredDelivery {
    let (state, next_try_at) = match tried.verdict {
        Verdict::Delivered => ("delivered", None),
        Verdict::Again(next) => ("pending", Some(next)),
        Verdict::Gone => ("pending", Some(tried.at)),
        Verdict::GivenUp => ("failed", None),
    };
    StoredDelivery {
        state: state.to_owned(),
        attempts: tried.before.attempts + 1,
        tried_at: Some(tried.at),
        status: match tried.answer {
            Answer::Status(status, _) => Some(status),
            Answer::Nothing(_) => None,
        },
        error: verdict::reason(&tried.answer),
        next_try_at,
        ..tried.before.clone()
    }
}

/// What a try means for its webhook.
fn judge(webhook: &mut StoredWebhook, tried: &Tried) {
    if tried.verdict == Verdict::Delivered {
        webhook.failing_since = None;
        return;
    }
    let since = *webhook.failing_since.get_or_insert(tried.at);
    let reason = match tried.verdict {
        Verdict::Gone => Some("gone"),
        Verdict::Delivered | Verdict::Again(_) | Verdict::GivenUp => {
            verdict::is_hopeless(since, tried.at).then_some("failing")
        }
    };
    if let (None, Some(reason)) = (&webhook.disabled, reason) {
        webhook.disabled = Some(Disabled { at: tried.at, reason: reason.to_owned() });
    }
}
