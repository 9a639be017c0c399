//! The outbox: sends events to webhooks, each at least once, also across a crash.
//!
//! Nothing is put into it: events are written in the transaction of what they tell of, and a webhook has a cursor in their
//! table. What was tried is written down afterwards, a page at a time, and whatever was not is tried again, under the
//! same id. So the clock does nothing for a webhook, and a webhook that is behind costs nothing but its own time.
//!
//! It goes by the host's clock. On virtual time a try that is due later is made when the clock has been moved there;
//! how long a receiver has to answer is real time, always.

mod pending;
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
use crate::webhooks::dispatcher::pending::DeliveryTask;
use crate::webhooks::dispatcher::worker::DeliveryWorker;
use crate::webhooks::retry::JITTER_MAX;

/// The most messages under way at once, to all receivers.
const CONCURRENT_SENDS_MAX: usize = 64;
/// The longest wait until what is due is read again, in seconds, in case the clock on the wall is set.
const POLL_INTERVAL_MAX: i64 = 300;
/// How long to wait after the database failed.
const FAILURE_DELAY: Duration = Duration::from_secs(5);

/// What lanes share.
struct Shared {
    service: Service,
    client: Client,
    /// Draws a number from 0 to [`JITTER_MAX`].
    jitter: fn() -> u32,
    send_permits: Semaphore,
}

/// Sends events to webhooks for as long as the host runs.
pub struct WebhookDispatcher {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
    /// Which lane does which kind of work for which webhook.
    running: Vec<(Id, (String, Queue))>,
}

/// What a lane does. A webhook has at most one lane of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Queue {
    /// First tries, one after the other, in the order of events.
    First,
    /// Later tries.
    Retry,
}

impl WebhookDispatcher {
    /// An outbox that sends with `client`.
    pub fn new(service: &Service, client: Client) -> WebhookDispatcher {
        WebhookDispatcher::with_jitter(service, client, random_jitter)
    }

    /// The same, with `chance` to draw a number from 0 to 1000 for how much longer than it has to be a wait is.
    pub fn with_jitter(service: &Service, client: Client, jitter: fn() -> u32) -> WebhookDispatcher {
        let free = Semaphore::new(CONCURRENT_SENDS_MAX);
        let shared = Arc::new(Shared { service: service.clone(), client, jitter, send_permits: free });
        WebhookDispatcher { shared, workers: JoinSet::new(), running: Vec::new() }
    }

    /// Sends until the host stops; then waits for the messages that are under way.
    pub async fn run(mut self) {
        let service = self.shared.service.clone();
        let mut changes = service.writer().changes();
        let mut stopping = service.shutdown_signal();
        while !*stopping.borrow() {
            // What is written from here on wakes it again.
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
                // The sender lives as long as the host.
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

    /// Begins everything that is to be done and not under way. Returns how long to wait until more is, if that is known.
    async fn start_workers(&mut self) -> Option<Duration> {
        let service = &self.shared.service;
        let now = service.now();
        let busy = self.running.iter().map(|(_, key)| key.clone()).collect::<BTreeSet<_>>();
        let pending_work =
            match service.read(move |db| Ok::<_, ServiceError>(pending::pending_work(db, now, &busy)?)).await
            {
                Ok(pending_work) => pending_work,
                Err(error) => {
                    tracing::warn!(%error, "what is to be sent to webhooks cannot be read");
                    return Some(FAILURE_DELAY);
                }
            };
        let writer = service.writer();
        if writer.is_advancing() || (writer.is_virtual() && writer.now() != now) {
            // What happens while a virtual clock moves is told of when it has arrived, and then this is woken.
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

/// A number from 0 to [`JITTER_MAX`].
fn random_jitter() -> u32 {
    let mut bytes = [0; 4];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "tries at webhooks are not spread");
    }
    u32::from_be_bytes(bytes) % (JITTER_MAX + 1)
}
