//! The workers of a dispatcher: at most one for each queue, and the wait for whatever comes next.
//!
//! Knows neither what is sent nor to whom.

use std::collections::BTreeSet;
use std::future::Future;
use std::future::pending;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use tokio::sync::watch;
use tokio::task::Id;
use tokio::task::JoinSet;

use crate::either::first_ready;
use crate::service::Service;

/// The longest wait between two reads of due work, in seconds, in case the system's clock is set.
const POLL_INTERVAL_MAX: i64 = 300;

/// The running workers, each with the key of its queue.
pub(crate) struct WorkerPool<K> {
    tasks: JoinSet<()>,
    running: Vec<(Id, K)>,
    changes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl<K: Clone + Ord> WorkerPool<K> {
    /// A pool without workers, which watches the commits and the end of a host.
    pub(crate) fn new(service: &Service) -> WorkerPool<K> {
        WorkerPool {
            tasks: JoinSet::new(),
            running: Vec::new(),
            changes: service.writer().changes(),
            stopping: service.shutdown_signal(),
        }
    }

    /// The keys of the running workers.
    pub(crate) fn busy(&self) -> BTreeSet<K> {
        self.running.iter().map(|(_, key)| key.clone()).collect()
    }

    /// Starts a worker for a queue that has none.
    pub(crate) fn spawn(&mut self, key: K, worker: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(worker);
        self.running.push((task.id(), key));
    }

    /// Whether the host goes on. A commit from here on ends the next wait.
    pub(crate) fn watch(&mut self) -> bool {
        self.changes.borrow_and_update();
        !*self.stopping.borrow()
    }

    /// Waits until a worker ends, something is committed, the host stops, or so much time has passed.
    pub(crate) async fn wait(&mut self, limit: Option<Duration>) {
        let ended = async {
            match self.tasks.join_next_with_id().await {
                Some(Ok((id, ()))) => Some(id),
                Some(Err(error)) => Some(error.id()),
                None => pending().await,
            }
        };
        let changed = async {
            // The sender lives as long as the service.
            drop(self.changes.changed().await);
            None
        };
        let timer = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => pending().await,
            }
            None
        };
        let stopped = async {
            drop(self.stopping.changed().await);
            None
        };
        let ended = first_ready(first_ready(ended, changed), first_ready(timer, stopped)).await;
        self.running.retain(|(id, _)| Some(*id) != ended);
    }

    /// Waits for the workers that still run.
    pub(crate) async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How long to wait for work that is due at `next`; `None` on virtual time, which does not pass by itself.
pub(crate) fn time_until(next: Option<Timestamp>, service: &Service) -> Option<Duration> {
    let next = next.filter(|_| !service.writer().is_virtual())?;
    Some(Duration::from_secs((next - service.now()).clamp(1, POLL_INTERVAL_MAX).unsigned_abs()))
}
