//! Shared state for request handlers: the running host, and how many requests it takes on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;

use perennial_service::service::Service;
use perennial_store::ReadTx;
use tokio::sync::Semaphore;

use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::request_metrics::RequestMetrics;

/// Tokens' ids with their idempotency keys.
type KeysInFlight = BTreeSet<(Arc<str>, String)>;

/// The running host as request handlers see it. Clones share everything.
#[derive(Clone)]
pub struct AppState {
    service: Service,
    inner: Arc<Inner>,
}

struct Inner {
    requests: RequestMetrics,
    request_permits: Arc<Semaphore>,
    forecast_permits: Arc<Semaphore>,
    calendar_permits: Arc<Semaphore>,
    slots: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
    in_flight: Arc<Mutex<KeysInFlight>>,
}

impl Deref for AppState {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl AppState {
    /// State for the handlers of `host`, within its limits. All listeners of one process share one.
    pub fn new(service: Service) -> AppState {
        let inner = Inner {
            requests: RequestMetrics::default(),
            request_permits: Arc::new(Semaphore::new(service.limits().concurrency_max)),
            forecast_permits: Arc::new(Semaphore::new(1)),
            calendar_permits: Arc::new(Semaphore::new(1)),
            slots: Arc::default(),
            in_flight: Arc::default(),
        };
        AppState { service, inner: Arc::new(inner) }
    }

    /// The running host, for what does not answer with a [`Problem`].
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Reads the database, on a thread of the readers.
    ///
    /// # Errors
    ///
    /// Those of `work`, and [`ProblemType::Internal`] when the read panics.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.service.read(work).await
    }

    /// What is counted of requests.
    pub fn requests(&self) -> &RequestMetrics {
        &self.inner.requests
    }

    /// How many more requests the host takes on.
    pub fn request_permits(&self) -> &Arc<Semaphore> {
        &self.inner.request_permits
    }

    /// How many more forecasts the host makes at once; each takes a processor and a copy of the database.
    pub fn forecast_permits(&self) -> &Arc<Semaphore> {
        &self.inner.forecast_permits
    }

    /// How many more calendars the host refreshes at once: one, so that what is shown of an entry changes in one place.
    pub fn calendar_permits(&self) -> &Arc<Semaphore> {
        &self.inner.calendar_permits
    }

    /// Takes one of the requests that a token may have under way; it is free again when the slot is dropped.
    ///
    /// # Errors
    ///
    /// [`ProblemType::TooManyRequests`] when there is none left.
    pub fn acquire_slot(&self, token: &Arc<str>) -> Result<RequestSlot, Problem> {
        let mut slots = self.inner.slots.lock().expect("no holder of the slots panics");
        let taken = slots.entry(Arc::clone(token)).or_default();
        if *taken >= self.service.limits().concurrency_per_token_max {
            let detail = format!("a token has at most {taken} requests under way");
            return Err(Problem::new(ProblemType::TooManyRequests, detail).retry_after(1));
        }
        *taken += 1;
        Ok(RequestSlot { slots: Arc::clone(&self.inner.slots), token: Arc::clone(token) })
    }

    /// Claims an idempotency key of a token until the claim is dropped.
    ///
    /// # Errors
    ///
    /// [`ProblemType::KeyInFlight`] when a request with the same key is in flight.
    pub fn claim_key(&self, token: &Arc<str>, key: &str) -> Result<InFlightKey, Problem> {
        let entry = (Arc::clone(token), key.to_owned());
        let mut in_flight = self.inner.in_flight.lock().expect("no holder of the keys panics");
        if !in_flight.insert(entry.clone()) {
            return Err(
                Problem::new(ProblemType::KeyInFlight, "wait for its answer, then ask again").retry_after(1)
            );
        }
        Ok(InFlightKey { in_flight: Arc::clone(&self.inner.in_flight), entry })
    }
}

/// One of the requests that a token may have under way.
#[derive(Debug)]
pub struct RequestSlot {
    slots: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
    token: Arc<str>,
}

impl Drop for RequestSlot {
    fn drop(&mut self) {
        let mut slots = self.slots.lock().expect("no holder of the slots panics");
        if let Some(taken) = slots.get_mut(&self.token) {
            *taken -= 1;
            if *taken == 0 {
                slots.remove(&self.token);
            }
        }
    }
}

/// The claim on an idempotency key of a request in flight.
#[derive(Debug)]
pub struct InFlightKey {
    in_flight: Arc<Mutex<KeysInFlight>>,
    entry: (Arc<str>, String),
}

impl InFlightKey {
    /// The idempotency key.
    pub fn key(&self) -> &str {
        &self.entry.1
    }
}

impl Drop for InFlightKey {
    fn drop(&mut self) {
        self.in_flight.lock().expect("no holder of the keys panics").remove(&self.entry);
    }
}
