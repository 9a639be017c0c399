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

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::ServiceError;
use crate::service::Service;
use crate::webhooks::client::Client;
use crate::webhooks::dispatcher::shared::DeliveryTask;
use crate::webhooks::dispatcher::shared::DispatcherState;
use crate::webhooks::dispatcher::shared::Queue;
use crate::webhooks::dispatcher::worker::DeliveryWorker;
use crate::webhooks::retry::JITTER_MAX;
use crate::worker_pool::WorkerPool;
use crate::worker_pool::time_until;

/// The most messages in flight, to all receivers.
const CONCURRENT_SENDS_MAX: usize = 64;
/// How long to wait after the database failed.
const FAILURE_DELAY: Duration = Duration::from_secs(5);

/// Sends events to webhooks for as long as the host runs.
pub struct WebhookDispatcher {
    shared: Arc<DispatcherState>,
    /// The running workers, by their webhook and queue.
    workers: WorkerPool<(String, Queue)>,
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
        WebhookDispatcher { shared, workers: WorkerPool::new(service) }
    }

    /// Delivers events until the host stops; then waits for the messages in flight.
    pub async fn run(mut self) {
        while self.workers.watch() {
            let wait = self.start_workers().await;
            self.workers.wait(wait).await;
        }
        self.workers.finish().await;
    }

    /// Starts a worker for all pending work that has none. Returns the time until the next retry is due, if one is
    /// known.
    async fn start_workers(&mut self) -> Option<Duration> {
        let service = &self.shared.service;
        let now = service.now();
        let busy = self.workers.busy();
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
            self.workers.spawn(key, worker.run(work));
        }
        time_until(pending_work.next_retry_at, &self.shared.service)
    }
}

/// A random number from 0 to [`JITTER_MAX`].
pub(crate) fn random_jitter() -> u32 {
    let mut bytes = [0; 4];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "retries of deliveries have no jitter");
    }
    u32::from_be_bytes(bytes) % (JITTER_MAX + 1)
}
