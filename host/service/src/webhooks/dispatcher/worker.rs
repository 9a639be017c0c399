//! A worker: sends one page of messages to one webhook, then stores the results in one transaction.

use std::sync::Arc;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;
use perennial_store::keys::DeliveryKey;
use perennial_store::keys::EventKey;
use perennial_store::keys::RowKey;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::error::ServiceError;
use crate::secrets::SecretsError;
use crate::webhooks::client::Message;
use crate::webhooks::dispatcher::shared::DeliveryTask;
use crate::webhooks::dispatcher::shared::DispatcherState;
use crate::webhooks::payload;
use crate::webhooks::payload::EventMetadata;
use crate::webhooks::retry;
use crate::webhooks::retry::DeliveryResult;
use crate::webhooks::retry::RetryDecision;
use crate::webhooks::secret::Secret;
use perennial_engine::clock::Stopwatch;
use perennial_formats::event_view::EventView;
use perennial_store::cursor::cursor;
use perennial_store::deliveries;
use perennial_store::deliveries::StoredDelivery;
use perennial_store::error::StoreError;
use perennial_store::events::StoredEvent;
use perennial_store::webhooks;
use perennial_store::webhooks::Disablement;
use perennial_store::webhooks::StoredWebhook;

/// How long a worker sends first attempts before it stores their results, in seconds.
const PERSIST_INTERVAL: f64 = 1.0;
/// The most retries of one webhook in flight.
const CONCURRENT_RETRIES_MAX: usize = 4;
/// How long to wait after results could not be stored.
const FAILURE_DELAY: Duration = Duration::from_secs(1);
/// How long a settled delivery is kept, in seconds: thirty days.
const DELIVERY_RETENTION: i64 = 30 * 86_400;

/// Sends messages to one webhook.
#[derive(Clone)]
pub(super) struct DeliveryWorker {
    shared: Arc<DispatcherState>,
    webhook: Arc<StoredWebhook>,
}

/// An attempt and its result.
struct DeliveryAttempt {
    /// The delivery before the attempt.
    delivery: StoredDelivery,
    at: Timestamp,
    result: DeliveryResult,
    decision: RetryDecision,
}

/// The results of one task.
struct WorkResult {
    /// After first attempts: the old and the new cursor of the webhook.
    cursor_move: Option<(EventKey, EventKey)>,
    attempts: Vec<DeliveryAttempt>,
}

impl DeliveryWorker {
    pub(super) fn new(shared: Arc<DispatcherState>, webhook: StoredWebhook) -> DeliveryWorker {
        DeliveryWorker { shared, webhook: Arc::new(webhook) }
    }

    /// Runs a task and stores its results. When the host stops, it ends after the messages in flight.
    pub(super) async fn run(self, work: DeliveryTask) {
        let result = match work {
            DeliveryTask::First { events, to } => self.send_first(events, to).await,
            DeliveryTask::Retry(due) => self.send_retries(due).await,
        };
        self.persist(result).await;
    }

    fn is_stopping(&self) -> bool {
        *self.shared.service.shutdown_signal().borrow()
    }

    /// Sends first attempts in the order of events, each after the response to the one before.
    async fn send_first(&self, events: Vec<StoredEvent>, to: EventKey) -> WorkResult {
        let from = self.webhook.cursor;
        let watch = Stopwatch::start();
        let mut result = WorkResult { cursor_move: Some((from, to)), attempts: Vec::new() };
        let mut reached = from;
        for event in events {
            let is_over =
                result.attempts.last().is_some_and(|attempt| attempt.decision == RetryDecision::Gone);
            if is_over || self.is_stopping() || watch.seconds() > PERSIST_INTERVAL {
                result.cursor_move = Some((from, reached));
                break;
            }
            reached = event.row;
            let new = StoredDelivery {
                row: DeliveryKey::unassigned(),
                webhook: self.webhook.row,
                message: cursor(event.row),
                event: Some(event.row),
                state: "pending".to_owned(),
                attempts: 0,
                created_at: self.shared.service.now(),
                tried_at: None,
                status: None,
                error: None,
                next_try_at: None,
            };
            result.attempts.push(self.attempt(new, Some(event)).await);
        }
        result
    }

    /// Sends retries, a few at a time.
    async fn send_retries(&self, due: Vec<(StoredDelivery, Option<StoredEvent>)>) -> WorkResult {
        let permits = Arc::new(Semaphore::new(CONCURRENT_RETRIES_MAX));
        let mut attempts = JoinSet::new();
        for (delivery, event) in due {
            let (worker, permits) = (self.clone(), Arc::clone(&permits));
            attempts.spawn(async move {
                let _permit = permits.acquire().await;
                if worker.is_stopping() { None } else { Some(worker.attempt(delivery, event).await) }
            });
        }
        WorkResult { cursor_move: None, attempts: attempts.join_all().await.into_iter().flatten().collect() }
    }

    /// Sends one message.
    async fn attempt(&self, delivery: StoredDelivery, event: Option<StoredEvent>) -> DeliveryAttempt {
        let _permit = self.shared.send_permits.acquire().await;
        let service = &self.shared.service;
        let view = event.map_or_else(|| Ok(EventView::test(delivery.created_at)), StoredEvent::view);
        let delivery_result = match view {
            Ok(view) => match self.message(&delivery.message, service.now(), &view) {
                Ok(message) => self.shared.client.send(&self.webhook.url, message).await,
                Err(error) => DeliveryResult::NoResponse(error.to_string()),
            },
            Err(error) => DeliveryResult::NoResponse(error.to_string()),
        };
        let at = service.now();
        let decision = retry::decide(&delivery_result, delivery.attempts + 1, at, (self.shared.jitter)());
        DeliveryAttempt { delivery, at, result: delivery_result, decision }
    }

    fn message(&self, id: &str, at: Timestamp, view: &EventView) -> Result<Message, SecretsError> {
        let metadata = EventMetadata {
            source: self.shared.service.webhooks().source(),
            id,
            event_type: &view.r#type,
            time: &view.at,
            subject: view.resource.as_deref(),
        };
        let body = payload::body(&metadata, view);
        Ok(Message { id: id.to_owned(), at, signatures: self.sign(id, at, &body)?, body })
    }

    /// The signatures with the secret and, during its overlap, the previous secret; separated by spaces.
    fn sign(&self, message: &str, at: Timestamp, body: &[u8]) -> Result<String, SecretsError> {
        let previous = self.webhook.previous.as_ref().filter(|previous| at < previous.until);
        let secrets = [Some(&self.webhook.secret), previous.map(|previous| &previous.secret)];
        let secret_box = self.shared.service.secret_box();
        let signatures = secrets
            .into_iter()
            .flatten()
            .map(|kept| Ok(Secret::from_bytes(kept, secret_box, &self.webhook.id)?.sign(message, at, body)));
        Ok(signatures.collect::<Result<Vec<_>, SecretsError>>()?.join(" "))
    }

    /// Stores the results. Retries until they are stored or the host stops; messages whose results are lost are sent
    /// again.
    async fn persist(&self, result: WorkResult) {
        let result = Arc::new(result);
        let service = &self.shared.service;
        loop {
            let (webhook, write) = (Arc::clone(&self.webhook), Arc::clone(&result));
            let written = service.writer().call(move |context| {
                let now = context.reached()?;
                let record = context
                    .engine
                    .in_transaction(|engine| persist_result(engine.tx(), &webhook, &write, now));
                Ok::<_, ServiceError>(record?)
            });
            match written.await {
                Ok(disabled) => {
                    self.publish(&result, disabled);
                    // The dispatcher waits for more work, and streams for changes.
                    service.writer().wake();
                    return;
                }
                Err(error) if self.is_stopping() => {
                    tracing::warn!(%error, webhook = self.webhook.id, "the results of deliveries are lost; they are sent again");
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        %error,
                        webhook = self.webhook.id,
                        "the results of deliveries cannot be stored"
                    );
                    tokio::time::sleep(FAILURE_DELAY).await;
                }
            }
        }
    }

    fn publish(&self, result: &WorkResult, disabled: Option<Disablement>) {
        let webhook = self.webhook.id.as_str();
        for attempt in &result.attempts {
            let outcome = match attempt.decision {
                RetryDecision::Delivered => "delivered",
                RetryDecision::RetryAt(_) => "retried",
                RetryDecision::GiveUp => "failed",
                RetryDecision::Gone => "gone",
            };
            self.shared.service.metrics().record_delivery(outcome);
            if let Some(why) = retry::failure_reason(&attempt.result) {
                let number = attempt.delivery.attempts + 1;
                tracing::warn!(
                    webhook,
                    message_id = attempt.delivery.message,
                    attempt = number,
                    outcome,
                    why,
                    "a delivery failed"
                );
            }
        }
        if let Some(disabled) = disabled {
            tracing::error!(
                webhook,
                reason = disabled.reason,
                "a webhook is disabled; enable it when its receiver works again"
            );
        }
    }
}

/// Stores results. `sent_to` is the webhook as it was when the messages were sent. Returns the reason if that disables
/// it.
fn persist_result(
    db: &WriteTx,
    sent_to: &StoredWebhook,
    result: &WorkResult,
    now: Timestamp,
) -> Result<Option<Disablement>, StoreError> {
    let Some(mut webhook) = webhooks::get(db, &sent_to.id)? else { return Ok(None) };
    if let Some((from, to)) = result.cursor_move {
        webhooks::move_cursor(db, webhook.row, from, to)?;
    }
    let before = webhook.clone();
    for attempt in &result.attempts {
        if result.cursor_move.is_none() {
            let current = deliveries::get(db, webhook.row, &attempt.delivery.message)?;
            // It was replayed meanwhile, so the replay decides.
            if current.is_none_or(|current| current.attempts != attempt.delivery.attempts) {
                continue;
            }
        }
        deliveries::upsert(db, &delivery_after(attempt))?;
        // The response of an old URL says nothing about the new one.
        if webhook.url == sent_to.url {
            update_webhook(&mut webhook, attempt, attempt.at.min(now));
        }
    }
    if webhook != before {
        webhooks::update(db, &webhook)?;
    }
    deliveries::delete_settled_before(db, now - DELIVERY_RETENTION)?;
    Ok(webhook.disabled.filter(|_| before.disabled.is_none()))
}

/// The delivery after an attempt.
fn delivery_after(attempt: &DeliveryAttempt) -> StoredDelivery {
    let (state, next_try_at) = match attempt.decision {
        RetryDecision::Delivered => ("delivered", None),
        RetryDecision::RetryAt(next) => ("pending", Some(next)),
        RetryDecision::Gone => ("pending", Some(attempt.at)),
        RetryDecision::GiveUp => ("failed", None),
    };
    StoredDelivery {
        state: state.to_owned(),
        attempts: attempt.delivery.attempts + 1,
        tried_at: Some(attempt.at),
        status: match attempt.result {
            DeliveryResult::Status(status, _) => Some(status),
            DeliveryResult::NoResponse(_) => None,
        },
        error: retry::failure_reason(&attempt.result),
        next_try_at,
        ..attempt.delivery.clone()
    }
}

/// Updates the webhook after an attempt, as of `at`: `failing_since`, and whether it is disabled. `at` is no later than where
/// the clock of the database has come: a virtual one that was started ahead may never get there.
fn update_webhook(webhook: &mut StoredWebhook, attempt: &DeliveryAttempt, at: Timestamp) {
    if attempt.decision == RetryDecision::Delivered {
        webhook.failing_since = None;
        return;
    }
    let since = *webhook.failing_since.get_or_insert(at);
    let reason = match attempt.decision {
        RetryDecision::Gone => Some("gone"),
        RetryDecision::Delivered | RetryDecision::RetryAt(_) | RetryDecision::GiveUp => {
            retry::should_disable(since, at).then_some("failing")
        }
    };
    if let (None, Some(reason)) = (&webhook.disabled, reason) {
        webhook.disabled = Some(Disablement { at, reason: reason.to_owned() });
    }
}
