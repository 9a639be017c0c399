//! Shared state for request handlers: the running host, and the permits of requests in flight.

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

/// The IDs of tokens with their idempotency keys.
type KeysInFlight = BTreeSet<(Arc<str>, String)>;

/// The state of request handlers. Clones share everything.
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
    requests_per_token: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
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
            requests_per_token: Arc::default(),
            in_flight: Arc::default(),
        };
        AppState { service, inner: Arc::new(inner) }
    }

    /// The running host, for code whose error is not a [`Problem`].
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Runs `work` on one snapshot of the database, on a reader's thread.
    ///
    /// # Errors
    ///
    /// The error of `work`, or [`ProblemType::Internal`] when the read panics.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.service.read(work).await
    }

    /// The metrics of requests.
    pub fn requests(&self) -> &RequestMetrics {
        &self.inner.requests
    }

    /// The permits for requests; each request in flight holds one.
    pub fn request_permits(&self) -> &Arc<Semaphore> {
        &self.inner.request_permits
    }

    /// The permit for a forecast. There is one, because a forecast takes a processor and a copy of the database.
    pub(crate) fn forecast_permits(&self) -> &Arc<Semaphore> {
        &self.inner.forecast_permits
    }

    /// The permit to refresh a calendar. There is one, so that two refreshes do not change the same entries.
    pub(crate) fn calendar_permits(&self) -> &Arc<Semaphore> {
        &self.inner.calendar_permits
    }

    /// Takes one of a token's slots for requests in flight. Dropping the slot frees it.
    ///
    /// # Errors
    ///
    /// [`ProblemType::TooManyRequests`] when the token has no free slot.
    pub fn acquire_slot(&self, token: &Arc<str>) -> Result<RequestSlot, Problem> {
        let mut requests = self.inner.requests_per_token.lock().expect("no holder of the slots panics");
        let taken = requests.entry(Arc::clone(token)).or_default();
        if *taken >= self.service.limits().concurrency_per_token_max {
            let detail = format!("a token has at most {taken} requests in flight");
            return Err(Problem::new(ProblemType::TooManyRequests, detail).retry_after(1));
        }
        *taken += 1;
        Ok(RequestSlot {
            requests_per_token: Arc::clone(&self.inner.requests_per_token),
            token: Arc::clone(token),
        })
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
            return Err(Problem::new(
                ProblemType::KeyInFlight,
                "wait for its response, then repeat the request",
            )
            .retry_after(1));
        }
        Ok(InFlightKey { in_flight: Arc::clone(&self.inner.in_flight), entry })
    }
}

/// A slot for one request of a token in flight.
#[derive(Debug)]
pub struct RequestSlot {
    requests_per_token: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
    token: Arc<str>,
}

impl Drop for RequestSlot {
    fn drop(&mut self) {
        let mut requests = self.requests_per_token.lock().expect("no holder of the slots panics");
        if let Some(taken) = requests.get_mut(&self.token) {
            *taken -= 1;
            if *taken == 0 {
                requests.remove(&self.token);
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
