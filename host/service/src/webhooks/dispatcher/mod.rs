//! The webhook dispatcher: delivers events at least once, also across a crash.
//!
//! There is no queue of messages. Events are committed with the change that they report, and each webhook has a cursor
//! into the table of events. Results are stored after the attempts, a page at a time; an attempt whose result is lost
//! is repeated with the same ID. So the clock does no work for webhooks, and a slow webhook delays only itself.
//!
//! Retries are due on the host's clock: on virtual time, when the clock is advanced. Timeouts are always real time.

mod pending;
mod shared;
mod worker;

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::Id;
use tokio::task::JoinSet;

use crate::either::first_ready;
use crate::error::ServiceError;
use crate::service::Service;
use crate::webhooks::client::Client;
use crate::webhooks::dispatcher::shared::DeliveryTask;
use crate::webhooks::dispatcher::shared::DispatcherState;
use crate::webhooks::dispatcher::shared::Queue;
use crate::webhooks::dispatcher::worker::DeliveryWorker;
use crate::webhooks::retry::JITTER_MAX;

/// The most messages in flight, to all receivers.
const CONCURRENT_SENDS_MAX: usize = 64;
/// The longest wait between two reads of due work, in seconds, in case the system's clock is set.
const POLL_INTERVAL_MAX: i64 = 300;
/// How long to wait after the database failed.
const FAILURE_DELAY: Duration = Duration::from_secs(5);

/// Sends events to webhooks for as long as the host runs.
pub struct WebhookDispatcher {
    shared: Arc<DispatcherState>,
    workers: JoinSet<()>,
    /// The running workers: their task, webhook and queue.
    running: Vec<(Id, (String, Queue))>,
}

impl WebhookDispatcher {
    /// A dispatcher that sends with `client`.
    pub fn new(service: &Service, client: Client) -> WebhookDispatcher {
        WebhookDispatcher::with_jitter(service, client, random_jitter)
    }

    /// A dispatcher whose retries take their jitter from `jitter`, a number from 0 to `JITTER_MAX`.
    pub fn with_jitter(service: &Service, client: Client, jitter: fn() -> u32) -> WebhookDispatcher {
        let send_permits = Semaphore::new(CONCURRENT_SENDS_MAX);
        let shared = Arc::new(DispatcherState { service: service.clone(), client, jitter, send_permits });
        WebhookDispatcher { shared, workers: JoinSet::new(), running: Vec::new() }
    }

    /// Delivers events until the host stops; then waits for the messages in flight.
    pub async fn run(mut self) {
        let service = self.shared.service.clone();
        let mut changes = service.writer().changes();
        let mut stopping = service.shutdown_signal();
        while !*stopping.borrow() {
            // A commit from here on wakes this loop again.
            changes.borrow_and_update();
            let wait = self.start_workers().await;
            let ended = async {
                match self.workers.join_next_with_id().await {
                    Some(Ok((id, ()))) => Some(id),
                    Some(Err(error)) => Some(error.id()),
                    None => pending().await,
                }
            };
            let changed = async {
                // The sender lives as long as the service.
                drop(changes.changed().await);
                None
            };
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => pending().await,
                }
                None
            };
            let stopped = async {
                drop(stopping.changed().await);
                None
            };
            let ended = first_ready(first_ready(ended, changed), first_ready(timer, stopped)).await;
            self.running.retain(|(id, _)| Some(*id) != ended);
        }
        while self.workers.join_next().await.is_some() {}
    }

    /// Starts a worker for all pending work that has none. Returns the time until the next retry is due, if one is
    /// known.
    async fn start_workers(&mut self) -> Option<Duration> {
        let service = &self.shared.service;
        let now = service.now();
        let busy = self.running.iter().map(|(_, key)| key.clone()).collect::<BTreeSet<_>>();
        let pending_work =
            match service.read(move |db| Ok::<_, ServiceError>(pending::pending_work(db, now, &busy)?)).await
            {
                Ok(pending_work) => pending_work,
                Err(error) => {
                    tracing::warn!(%error, "the pending deliveries cannot be read");
                    return Some(FAILURE_DELAY);
                }
            };
        let writer = service.writer();
        if writer.is_advancing() || (writer.is_virtual() && writer.now() != now) {
            // Events of an advancing clock are delivered once it has arrived; its arrival wakes this loop.
            return None;
        }
        for (webhook, work) in pending_work.tasks {
            let queue = match work {
                DeliveryTask::First { .. } => Queue::First,
                DeliveryTask::Retry(_) => Queue::Retry,
            };
            let key = (webhook.id.clone(), queue);
            let worker = DeliveryWorker::new(Arc::clone(&self.shared), webhook);
            let task = self.workers.spawn(worker.run(work));
            self.running.push((task.id(), key));
        }
        let is_real = !self.shared.service.writer().is_virtual();
        pending_work.next_retry_at.filter(|_| is_real).map(|next| time_until(next, now))
    }
}

fn time_until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs((next - now).clamp(1, POLL_INTERVAL_MAX).unsigned_abs())
}

/// A random number from 0 to [`JITTER_MAX`].
fn random_jitter() -> u32 {
    let mut bytes = [0; 4];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "retries of webhooks have no jitter");
    }
    u32::from_be_bytes(bytes) % (JITTER_MAX + 1)
}
