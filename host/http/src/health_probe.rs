//! What `/readyz` and `/metrics` look at: one look at a time, whose result is good for a while, however many ask.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use tokio::sync::watch;

use crate::problem::Problem;
use perennial_engine::clock::Stopwatch;
use perennial_engine::clock::seconds_behind;
use perennial_engine::rules::Providers;
use perennial_service::error::ServiceError;
use perennial_service::service::Service;
use perennial_service::storage_state::StorageState;
use perennial_store::channels;
use perennial_store::clock;
use perennial_store::error::StoreError;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::stats;
use perennial_store::stats::Stats as Stored;
use perennial_store::webhooks;
use perennial_store::webhooks::WebhookStats;

/// Gauges of the host's work.
#[derive(Clone, Debug)]
pub(crate) struct HealthStats {
    /// Bundles that are due.
    pub(crate) due: i64,
    /// The delay of the bundle that has been due longest, in seconds; also when the clock did its part and the plugin fails
    /// or is missing.
    pub(crate) overdue_seconds: i64,
    /// The same of those that wait for the clock.
    pub(crate) late_seconds: i64,
    /// The time since the last tick of the clock, in seconds.
    pub(crate) clock_lag_seconds: i64,
    /// How far the database's clock is ahead of the present, in seconds.
    pub(crate) clock_behind_seconds: i64,
    /// Attempts with an unknown outcome.
    pub(crate) in_doubt: i64,
    /// The number of running jobs.
    pub(crate) jobs: i64,
    /// Items of running jobs without an outcome.
    pub(crate) items: i64,
    /// The number of pending approvals.
    pub(crate) approvals_pending: i64,
    /// Whether every account has the plugin of its provider.
    pub(crate) has_plugins: bool,
    /// How things stand with all webhooks.
    pub(crate) webhooks: WebhookStats,
    /// Enabled channels that deliver nothing.
    pub(crate) channels_failing: i64,
    /// Bundles that are parked.
    pub(crate) parked: i64,
    /// Revisions of plugins that are not asked for a while.
    pub(crate) breakers_open: i64,
}

/// What the writer came to when it was asked to begin a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriterHealth {
    /// Whether it began one.
    pub(crate) has_begun: bool,
    /// What kept it from that, as far as that was the storage.
    pub(crate) storage: StorageState,
}

/// The last looks, and those that are under way.
#[derive(Default)]
pub(crate) struct HealthProbe {
    writer: Arc<Look<WriterHealth>>,
    stats: Arc<Look<Result<HealthStats, Problem>>>,
}

impl HealthProbe {
    /// Whether the writer begins a transaction. It is asked once, however many want to know, and no one else's task waits
    /// behind more than that. `None` when looking failed.
    pub(crate) async fn writer(&self, service: &Service) -> Option<WriterHealth> {
        let writer = service.writer().clone();
        let look = async move {
            let begun = writer.call(|context| context.engine.in_transaction(|_| Ok::<(), ServiceError>(())));
            let begun = begun.await;
            let storage = begun.as_ref().err().map(ServiceError::storage_state).unwrap_or_default();
            WriterHealth { has_begun: begun.is_ok(), storage }
        };
        self.writer.get(service.limits().health_seconds, look).await
    }

    /// The gauges, read on the thread for what watches the host.
    ///
    /// # Errors
    ///
    /// The problem of reading them; [`ServiceError::ReadFailed`] when it panicked.
    pub(crate) async fn stats(&self, service: &Service) -> Result<HealthStats, Problem> {
        let (host, now) = (service.clone(), service.now());
        let look = async move {
            let providers = host.providers().clone();
            host.read_watched(move |db| Ok::<_, Problem>(read_stats(db, &providers, now)?)).await
        };
        let found = self.stats.get(service.limits().health_seconds, look).await;
        found.unwrap_or_else(|| Err(ServiceError::ReadFailed.into()))
    }
}

fn read_stats(db: &ReadTx, providers: &Providers, now: Timestamp) -> Result<HealthStats, StoreError> {
    let Stored { due, first_wake, failing_since, in_doubt, jobs, items, approvals_pending } =
        stats::get(db, now - 1)?;
    let ticked_at = clock::ticked_at(db)?;
    let seconds_since = |since: Option<Timestamp>| since.map_or(0, |since| (now - since).max(0));
    let late_seconds = seconds_since(first_wake);
    let (used, bound) = (stats::providers(db)?, providers.as_bound(db)?);
    Ok(HealthStats {
        due,
        overdue_seconds: late_seconds.max(seconds_since(failing_since)),
        late_seconds,
        clock_lag_seconds: ticked_at.map_or(0, |ticked_at| (now - ticked_at).max(0)),
        clock_behind_seconds: seconds_behind(ticked_at, now),
        in_doubt,
        jobs,
        items,
        approvals_pending,
        has_plugins: used.iter().all(|provider| bound.contains_key(provider)),
        webhooks: webhooks::stats(db)?,
        channels_failing: channels::failing(db)?,
        parked: plugin_failures::count_parked(db)?,
        breakers_open: plugin_breakers::count_open(db)?,
    })
}

/// Something that many want to know and one finds out.
struct Look<T> {
    state: Mutex<LookState<T>>,
}

struct LookState<T> {
    /// What was found last, and since when it is known.
    latest: Option<(Stopwatch, T)>,
    /// What the look that is under way will tell.
    running: Option<watch::Receiver<Option<T>>>,
}

impl<T> Default for Look<T> {
    fn default() -> Look<T> {
        Look { state: Mutex::new(LookState { latest: None, running: None }) }
    }
}

impl<T: Clone + Send + Sync + 'static> Look<T> {
    /// What was found within `good_for`, or what the look under way finds; with neither, `look` begins, and goes on also
    /// when the caller stops waiting. `None` when the look panicked.
    async fn get(
        self: &Arc<Look<T>>,
        good_for: Duration,
        look: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut running = {
            let mut state = self.lock();
            if let Some((since, found)) = &state.latest
                && since.seconds() < good_for.as_secs_f64()
            {
                return Some(found.clone());
            }
            // A look that panicked tells nothing any more.
            let under_way = state.running.clone().filter(|running| running.has_changed().is_ok());
            under_way.unwrap_or_else(|| self.begin(&mut state, look))
        };
        running.wait_for(Option::is_some).await.ok()?.clone()
    }

    fn begin(
        self: &Arc<Look<T>>,
        state: &mut LookState<T>,
        look: impl Future<Output = T> + Send + 'static,
    ) -> watch::Receiver<Option<T>> {
        let (sender, receiver) = watch::channel(None);
        state.running = Some(receiver.clone());
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let found = look.await;
            {
                let mut state = shared.lock();
                state.latest = Some((Stopwatch::start(), found.clone()));
                state.running = None;
            }
            sender.send_replace(Some(found));
        });
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, LookState<T>> {
        self.state.lock().expect("nobody panics while holding a look")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;
    use std::task::Context;
    use std::task::Waker;

    use super::*;

    /// A look that counts itself and lets others run first.
    async fn counted(looks: Arc<AtomicU32>) -> u32 {
        let number = looks.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::task::yield_now().await;
        number
    }

    async fn failing() -> u32 {
        panic!("on purpose")
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    #[test]
    fn however_many_ask_one_look_tells_all_of_them() {
        let (look, looks) = (Arc::<Look<u32>>::default(), Arc::<AtomicU32>::default());
        run(async {
            let ask = |_| {
                let (look, looks) = (Arc::clone(&look), Arc::clone(&looks));
                tokio::spawn(async move { look.get(Duration::ZERO, counted(looks)).await })
            };
            for asked in (0..100).map(ask).collect::<Vec<_>>() {
                assert_eq!(asked.await.unwrap(), Some(1));
            }
            assert_eq!(look.get(Duration::MAX, counted(Arc::clone(&looks))).await, Some(1), "it is good yet");
            assert_eq!(look.get(Duration::ZERO, counted(Arc::clone(&looks))).await, Some(2), "and now not");
        });
    }

    #[test]
    fn a_look_that_failed_or_that_nobody_waits_for_keeps_nobody_waiting() {
        let (look, looks) = (Arc::<Look<u32>>::default(), Arc::<AtomicU32>::default());
        run(async {
            assert_eq!(look.get(Duration::MAX, failing()).await, None);
            let mut asked = Box::pin(look.get(Duration::MAX, counted(Arc::clone(&looks))));
            // It begins to look, and is given up.
            assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(asked);
            assert_eq!(look.get(Duration::MAX, counted(looks)).await, Some(1));
        });
    }
}
