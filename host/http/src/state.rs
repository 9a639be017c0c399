//! Shared state for request handlers: the running host, and the permits of requests in flight.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;

use perennial_service::limits::Limit;
use perennial_service::service::Service;
use perennial_store::ReadTx;
use tokio::sync::Semaphore;

use crate::asked_limits::AskedLimits;
use crate::body_budget::BodyBudget;
use crate::health_probe::HealthProbe;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::refusal_budget::RefusalBudget;
use crate::request_metrics::RequestMetrics;
use crate::server::ClientAddress;

/// How many large bodies are read at once, each with up to ten times its size in memory.
const LARGE_BODIES_MAX: usize = 2;

/// The IDs of tokens with their idempotency keys.
type KeysInFlight = BTreeSet<(Arc<str>, String)>;

/// How many there are of something, by whose they are.
type Counts<K> = Arc<Mutex<BTreeMap<K, usize>>>;

/// The state of request handlers. Clones share everything.
#[derive(Clone)]
pub struct AppState {
    service: Service,
    inner: Arc<Inner>,
}

struct Inner {
    requests: RequestMetrics,
    asked_limits: AskedLimits,
    health: HealthProbe,
    request_permits: Arc<Semaphore>,
    /// By provider, since their listeners have places of their own.
    provider_permits: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    forecast_permits: Arc<Semaphore>,
    /// By the person who asks.
    forecasts: Counts<Arc<str>>,
    /// By the accounts that the token is bound to, as a JSON list.
    forecasts_of_accounts: Counts<Arc<str>>,
    calendar_permits: Arc<Semaphore>,
    body_permits: Arc<Semaphore>,
    body_budget: BodyBudget,
    refusal_budget: RefusalBudget,
    requests_per_token: Counts<Arc<str>>,
    requests_per_person: Counts<Arc<str>>,
    unauthenticated: Counts<ClientAddress>,
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
            asked_limits: AskedLimits::default(),
            health: HealthProbe::default(),
            request_permits: Arc::new(Semaphore::new(service.limits().concurrency_max)),
            provider_permits: Mutex::default(),
            forecast_permits: Arc::new(Semaphore::new(service.limits().forecasts_max)),
            forecasts: Arc::default(),
            forecasts_of_accounts: Arc::default(),
            calendar_permits: Arc::new(Semaphore::new(1)),
            body_permits: Arc::new(Semaphore::new(LARGE_BODIES_MAX)),
            body_budget: BodyBudget::new(service.limits().bodies_bytes_max),
            refusal_budget: RefusalBudget::new(service.limits().recorded_refusals_per_minute_max),
            requests_per_token: Arc::default(),
            requests_per_person: Arc::default(),
            unauthenticated: Arc::default(),
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

    /// What watches the host is told of it.
    pub(crate) fn health(&self) -> &HealthProbe {
        &self.inner.health
    }

    /// What the packages of revisions ask for.
    pub(crate) fn asked_limits(&self) -> &AskedLimits {
        &self.inner.asked_limits
    }

    /// The metrics of requests.
    pub fn requests(&self) -> &RequestMetrics {
        &self.inner.requests
    }

    /// The permits for requests of the admin API; each request in flight whose body has come holds one.
    pub fn request_permits(&self) -> &Arc<Semaphore> {
        &self.inner.request_permits
    }

    /// The permits for requests of a provider's own API, which are apart from those of all others.
    pub fn provider_permits(&self, provider: &str) -> Arc<Semaphore> {
        let mut permits = self.inner.provider_permits.lock().expect("no holder of the permits panics");
        let new = || Arc::new(Semaphore::new(self.service.limits().concurrency_max));
        Arc::clone(permits.entry(provider.to_owned()).or_insert_with(new))
    }

    /// The permits for forecasts, each of which takes a processor and a copy of the database.
    pub fn forecast_permits(&self) -> &Arc<Semaphore> {
        &self.inner.forecast_permits
    }

    /// The permit to refresh a calendar. There is one, so that two refreshes do not change the same entries.
    pub(crate) fn calendar_permits(&self) -> &Arc<Semaphore> {
        &self.inner.calendar_permits
    }

    /// What may still be recorded of refused requests.
    pub(crate) fn refusal_budget(&self) -> &RefusalBudget {
        &self.inner.refusal_budget
    }

    /// The permits to read a large body.
    pub(crate) fn body_permits(&self) -> &Arc<Semaphore> {
        &self.inner.body_permits
    }

    /// The room for large bodies.
    pub(crate) fn body_budget(&self) -> &BodyBudget {
        &self.inner.body_budget
    }

    /// How many large bodies are being read.
    pub fn large_bodies(&self) -> usize {
        LARGE_BODIES_MAX - self.inner.body_permits.available_permits()
    }

    /// Takes one of a token's slots for requests in flight, and one of those of the person behind it, so that one who makes
    /// many tokens has no more. Dropping the slots frees them.
    ///
    /// # Errors
    ///
    /// [`ProblemType::TooManyRequests`] when the token or the person has no free slot.
    pub fn acquire_slots(&self, token: &Arc<str>, person: &Arc<str>) -> Result<Vec<RequestSlot>, Problem> {
        let limits = self.service.limits();
        let take = |counts, key: &Arc<str>, limit: Limit, whose| {
            let most = limit.value(limits);
            RequestSlot::take(counts, Arc::clone(key), most).ok_or_else(|| {
                let detail = format!(
                    "{whose} has at most {most} requests in flight: wait for some of them, or raise {limit}"
                );
                Problem::new(ProblemType::TooManyRequests, detail).retry_after(1)
            })
        };
        let of_token =
            take(&self.inner.requests_per_token, token, Limit::concurrency_per_token_max(), "a token")?;
        let of_person =
            take(&self.inner.requests_per_person, person, Limit::concurrency_per_person_max(), "a person")?;
        Ok(vec![of_token, of_person])
    }

    /// Takes the slots for a forecast: that of the person and, for a token that is bound to accounts, that of these
    /// accounts, so that a tenant of many people takes no more than one. `accounts` is a JSON list. Dropping the slots frees
    /// them. `None` while another forecast has one of them.
    pub fn acquire_forecast(&self, person: &Arc<str>, accounts: Option<&str>) -> Option<Vec<RequestSlot>> {
        let mut slots = vec![RequestSlot::take(&self.inner.forecasts, Arc::clone(person), 1)?];
        if let Some(accounts) = accounts {
            slots.push(RequestSlot::take(&self.inner.forecasts_of_accounts, accounts.into(), 1)?);
        }
        Some(slots)
    }

    /// Takes one of an address's slots for requests that prove nothing yet. Dropping the slot frees it. `None` when the
    /// address has no free slot.
    pub(crate) fn acquire_unauthenticated(
        &self,
        address: ClientAddress,
    ) -> Option<RequestSlot<ClientAddress>> {
        let most = self.service.limits().unproved_per_address_max;
        RequestSlot::take(&self.inner.unauthenticated, address, most)
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

/// A slot for one request in flight of a token or an address.
#[derive(Debug)]
pub struct RequestSlot<K: Ord = Arc<str>> {
    counts: Counts<K>,
    key: K,
}

impl<K: Ord + Clone> RequestSlot<K> {
    /// A slot of `key`, which has at most so many.
    fn take(counts: &Counts<K>, key: K, most: usize) -> Option<RequestSlot<K>> {
        let mut taken = counts.lock().expect("no holder of the slots panics");
        let count = taken.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(RequestSlot { counts: Arc::clone(counts), key })
    }
}

impl<K: Ord> Drop for RequestSlot<K> {
    fn drop(&mut self) {
        let mut taken = self.counts.lock().expect("no holder of the slots panics");
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
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
