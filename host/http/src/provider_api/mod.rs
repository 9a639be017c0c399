//! The providers' own APIs, as existing SDKs speak them, with a listener for each.
//!
//! The host handles connections, keys, credentials and time; the plugin ([`perennial_sandbox::ProviderApi`]) gives
//! requests their meaning and responses their shape. [`mod@serve`] reads a request, [`authentication`] verifies its
//! sender, `query` answers the plugin's queries and `execute` runs its transaction, through the same engine as every
//! other command.

pub mod authentication;
mod execute;
mod internal_failure;
mod query;
pub mod serve;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use perennial_domain::provider_api::Context;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::NextStep;
use perennial_domain::provider_api::Outcome;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::Response;
use perennial_domain::provider_api::Transaction;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use tokio::sync::Semaphore;

use crate::middleware::loggable_path;
use crate::provider_api::authentication::Sender;
use crate::provider_api::internal_failure::internal;
use crate::refusals;
use crate::state::AppState;
use perennial_engine::clock::Stopwatch;
use perennial_engine::rules::Providers;
use perennial_sandbox::PluginError;
use perennial_service::error::ServiceError;
use perennial_service::secrets::SecretBox;
use perennial_store::accounts;

/// The most steps of a plugin for one request.
const STEPS_MAX: usize = 8;
/// The longest path of a refused request that is in the audit log, in characters.
const RECORDED_PATH_MAX: usize = 200;
/// The most responses to failures that are made at once: they take no reader, and most are to who proves nothing.
const FAILURES_MAX: usize = 2;
/// The status of a request that names nobody.
const UNAUTHORIZED: u16 = 401;

/// The API of one provider. Clones share everything.
#[derive(Clone)]
pub struct ProviderApiServer {
    app: AppState,
    provider: Arc<str>,
    secret_box: SecretBox,
    /// The response to an internal failure, for when the plugin itself fails.
    fallback_response: Arc<Response>,
    /// For requests that read: half of the readers.
    work: Arc<Semaphore>,
    /// For responses to failures.
    failures: Arc<Semaphore>,
    /// How many seconds its clock is ahead of the host's.
    skew_seconds: i64,
}

/// Why a provider's API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no plugin for the provider.
    #[error("there is no plugin for `{0}`; there are {1}")]
    NoPlugin(String, String),
    /// The plugin has rules only.
    #[error("the plugin for `{0}` does not answer its provider's own API")]
    NoProviderApi(String),
    /// The plugin cannot make the response to an internal failure.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

/// A request and the outcomes so far.
struct ProviderRequest {
    request: Request,
    sender: Sender,
    outcomes: Vec<Outcome>,
    steps: usize,
}

/// The next step of a request.
enum Progress {
    /// The request is done.
    Respond(Response),
    /// The plugin wants a transaction, which needs the writer.
    Execute(Box<ProviderRequest>, Transaction),
}

impl ProviderApiServer {
    /// The API of `provider`. `secret_box` opens the secrets of its keys.
    ///
    /// # Errors
    ///
    /// [`StartError`] when no plugin implements it.
    pub fn new(
        app: &AppState,
        provider: &str,
        secret_box: SecretBox,
    ) -> Result<ProviderApiServer, StartError> {
        let endpoint = find_api(app.providers(), provider)?;
        let fallback_response = endpoint.fail(app.now(), &Request::default(), Failure::Internal)?;
        Ok(ProviderApiServer {
            app: app.clone(),
            provider: provider.into(),
            secret_box,
            fallback_response: Arc::new(fallback_response),
            work: Arc::new(Semaphore::new(app.limits().readers.div_ceil(2))),
            failures: Arc::new(Semaphore::new(FAILURES_MAX)),
            skew_seconds: 0,
        })
    }

    /// The same, whose clock is so many seconds ahead of the host's.
    pub(crate) fn with_skew(mut self, seconds: i64) -> ProviderApiServer {
        self.skew_seconds = seconds;
        self
    }

    /// The present instant of the provider's clock.
    fn now(&self) -> Timestamp {
        self.app.now() + self.skew_seconds
    }

    /// Calls the plugin, and counts the call.
    fn call_plugin<T>(
        &self,
        function: &'static str,
        call: impl FnOnce(perennial_sandbox::ProviderApi<'_>) -> Result<T, PluginError>,
    ) -> Result<T, Failure> {
        let rules = self.app.providers().get(&*self.provider);
        let endpoint = rules.and_then(|rules| rules.provider_api()).ok_or(Failure::Internal)?;
        let watch = Stopwatch::start();
        let result = call(endpoint);
        let failures = u64::from(result.is_err());
        self.app.metrics().record_plugin_call(&self.provider, function, watch.seconds(), failures);
        result.map_err(|error| {
            tracing::warn!(%error, "a plugin failed a request");
            Failure::Internal
        })
    }

    /// The provider's response to a failure.
    fn failure_response(&self, request: &Request, failure: Failure) -> Response {
        let at = self.now();
        self.call_plugin("fail", |endpoint| endpoint.fail(at, request, failure))
            .unwrap_or_else(|_| self.fallback_response.as_ref().clone())
    }

    /// Runs `work`, which calls the plugin, on one snapshot of the database. Few requests of a provider do so at once: a
    /// client that proves nothing takes a reader as well, and must not fill the queue that all readers share.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.work).acquire_owned().await.map_err(internal)?;
        // The permit goes with the work, which goes on when nobody waits for it any more.
        let work = move |db: &ReadTx| {
            let _permit = permit;
            Ok::<_, ServiceError>(work(db))
        };
        self.app.service().read(work).await.map_err(failure_of_error)?
    }

    /// The provider's response to a failure, made beside the threads that serve connections, for few requests at once.
    async fn fail(&self, head: Request, failure: Failure) -> Response {
        let handler = self.clone();
        let permit = Arc::clone(&self.failures).acquire_owned().await;
        let failed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            handler.failure_response(&head, failure)
        });
        failed.await.unwrap_or_else(|_| self.fallback_response.as_ref().clone())
    }

    /// Responds to a request. Every failure has a response in the provider's shape.
    async fn respond(&self, request: Request) -> Response {
        // The work takes the request; the response to a failure needs the head only.
        let head = request.head();
        let (response, is_unproved) = match self.run(request).await {
            Ok(response) => (response, false),
            Err(failure) => {
                let is_unproved = matches!(
                    failure,
                    Failure::UnknownAccessKey | Failure::WrongCredentials | Failure::InvalidToken
                );
                let failed = self.fail(head.head(), failure).await;
                (failed, is_unproved)
            }
        };
        if is_unproved || response.status == UNAUTHORIZED {
            let path = loggable_path(&head.path).chars().take(RECORDED_PATH_MAX).collect::<String>();
            let operation = format!("{}: {} {path}", self.provider, head.method);
            refusals::record_unproved(&self.app, head.id, operation, response.status).await;
        }
        response
    }

    async fn run(&self, request: Request) -> Result<Response, Failure> {
        let at = self.now();
        let endpoint = self.clone();
        let next = self.read(move |db| endpoint.authenticate(db, at, request)).await;
        let (in_progress, transaction) = match next? {
            Progress::Respond(response) => return Ok(response),
            Progress::Execute(in_progress, transaction) => (*in_progress, transaction),
        };
        let in_progress = self.execute(in_progress, transaction).await?;
        let endpoint = self.clone();
        match self.read(move |db| endpoint.resume(db, at, in_progress)).await? {
            Progress::Respond(response) => Ok(response),
            Progress::Execute(..) => {
                tracing::warn!(provider = %self.provider, "a plugin asked for two transactions in one request");
                Err(Failure::Internal)
            }
        }
    }

    /// Verifies the sender of a request, then calls [`ProviderApiServer::resume`].
    fn authenticate(&self, db: &ReadTx, at: Timestamp, request: Request) -> Result<Progress, Failure> {
        let authentication = match self.call_plugin("identify", |endpoint| endpoint.identify(at, &request))? {
            Ok(authentication) => authentication,
            Err(response) => return Ok(Progress::Respond(response)),
        };
        let sender = authentication::verify(db, &self.secret_box, &self.provider, &authentication, at)?;
        self.app.key_usage().record(&sender.access_key, at);
        let in_progress = ProviderRequest { request, sender, outcomes: Vec::new(), steps: 0 };
        self.resume(db, at, in_progress)
    }

    /// Calls the plugin and answers its queries until it responds or asks for a transaction.
    fn resume(
        &self,
        db: &ReadTx,
        at: Timestamp,
        mut in_progress: ProviderRequest,
    ) -> Result<Progress, Failure> {
        while in_progress.steps < STEPS_MAX {
            in_progress.steps += 1;
            let stored = accounts::get(db, &in_progress.sender.account).map_err(internal)?;
            let stored = stored.ok_or(Failure::Internal)?;
            let ProviderRequest { request, outcomes, .. } = &in_progress;
            let context = Context { at, request, account: &stored.account, outcomes };
            match self.call_plugin("handle", |endpoint| endpoint.handle(&context))? {
                NextStep::Respond(response) => return Ok(Progress::Respond(response)),
                NextStep::Query(queries) => {
                    let providers = self.app.providers();
                    let access_key = in_progress.sender.access_key.clone();
                    for query in &queries {
                        let outcome = query::query(db, providers, at, (&stored, &access_key), query);
                        let outcome = outcome.map_err(failure_of_error)?;
                        in_progress.outcomes.push(outcome);
                    }
                }
                NextStep::Execute(transaction) => {
                    return Ok(Progress::Execute(Box::new(in_progress), transaction));
                }
            }
        }
        tracing::warn!(provider = %self.provider, "a plugin took too many steps without a response");
        Err(Failure::Internal)
    }
}

/// Finds the implementation of the API of `provider`.
///
/// # Errors
///
/// [`StartError`] when there is none.
pub fn find_api<'p>(
    providers: &'p Providers,
    provider: &str,
) -> Result<perennial_sandbox::ProviderApi<'p>, StartError> {
    let rules = providers.get(provider).ok_or_else(|| {
        let known = providers.keys().map(|id| format!("`{id}`")).collect::<Vec<_>>();
        StartError::NoPlugin(provider.to_owned(), known.join(", "))
    })?;
    rules.provider_api().ok_or_else(|| StartError::NoProviderApi(provider.to_owned()))
}

/// The failure that a client of the provider's API sees for an error of the host.
fn failure_of_error(error: ServiceError) -> Failure {
    match error.retry_after_seconds() {
        Some(seconds) => Failure::Busy(seconds),
        None => internal(error),
    }
}
