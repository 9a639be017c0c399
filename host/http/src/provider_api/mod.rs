//! The providers' own APIs, as existing SDKs speak them: a listener for each, and the plugin's word for every answer.
//!
//! Knows connections, keys, proofs and time; what a request means and what an answer looks like is the plugin's
//! ([`perennial_sandbox::ProviderApi`]). A request is taken off the wire by [`mod@serve`], its sender is proved by [`proof`],
//! what the plugin wants to know is looked up by `look` and what it wants done is done by `perform`, all through the
//! same engine as every other command.

pub mod authentication;
mod execute;
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

use crate::provider_api::authentication::Sender;
use crate::state::AppState;
use perennial_engine::clock::Stopwatch;
use perennial_engine::rules::Providers;
use perennial_sandbox::PluginError;
use perennial_service::error::ServiceError;
use perennial_service::secrets::SecretBox;
use perennial_store::accounts;

/// The most steps that a plugin may take before it answers.
const STEPS_MAX: usize = 8;

/// One provider's own API, ready to be served.
#[derive(Clone)]
pub struct Endpoint {
    app: AppState,
    provider: Arc<str>,
    sealer: SecretBox,
    /// The provider's word for a failure of the host, for when its plugin is what failed.
    fallback_response: Arc<Response>,
}

/// Why an API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody has that provider's rules.
    #[error("there is no plugin for `{0}`; there are {1}")]
    NoPlugin(String, String),
    /// Its plugin has rules only.
    #[error("the plugin for `{0}` does not answer its provider's own API")]
    NoEndpoint(String),
    /// Its plugin cannot even say that something failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

/// A request and what came of it so far.
struct ProviderRequest {
    request: Request,
    sender: Sender,
    outcomes: Vec<Outcome>,
    steps: usize,
}

/// What a conversation needs next.
enum Progress {
    Respond(Response),
    Execute(Box<ProviderRequest>, Transaction),
}

impl Endpoint {
    /// The API of `provider`, for accounts of `host` whose keys `sealer` can read.
    ///
    /// # Errors
    ///
    /// [`StartError`] when there is no plugin that answers it.
    pub fn new(app: &AppState, provider: &str, secret_box: SecretBox) -> Result<Endpoint, StartError> {
        let endpoint = find_api(app.providers(), provider)?;
        let last_resort = endpoint.fail(app.now(), &Request::default(), Failure::Internal)?;
        Ok(Endpoint {
            app: app.clone(),
            provider: provider.into(),
            sealer: secret_box,
            fallback_response: Arc::new(last_resort),
        })
    }

    /// Asks the plugin, and counts that it was asked.
    fn call_plugin<T>(
        &self,
        function: &'static str,
        ask: impl FnOnce(perennial_sandbox::ProviderApi<'_>) -> Result<T, PluginError>,
    ) -> Result<T, Failure> {
        let rules = self.app.providers().get(&*self.provider);
        let endpoint = rules.and_then(|rules| rules.provider_api()).ok_or(Failure::Internal)?;
        let watch = Stopwatch::start();
        let answer = ask(endpoint);
        let failures = u64::from(answer.is_err());
        self.app.metrics().record_plugin_call(&self.provider, function, watch.seconds(), failures);
        answer.map_err(|error| {
            tracing::warn!(%error, "a plugin gave no usable answer to a request");
            Failure::Internal
        })
    }

    /// The provider's word for a failure.
    fn failure_response(&self, request: &Request, failure: Failure) -> Response {
        let at = self.app.now();
        self.call_plugin("fail", |endpoint| endpoint.fail(at, request, failure))
            .unwrap_or_else(|_| self.fallback_response.as_ref().clone())
    }

    /// Answers a request.
    async fn respond(&self, request: Request) -> Response {
        // What is asked goes with the work; what fails is told about without its body.
        let head = request.head();
        match self.run(request).await {
            Ok(response) => response,
            Err(failure) => {
                let endpoint = self.clone();
                let failed = tokio::task::spawn_blocking(move || endpoint.failure_response(&head, failure));
                failed.await.unwrap_or_else(|_| self.fallback_response.as_ref().clone())
            }
        }
    }

    async fn run(&self, request: Request) -> Result<Response, Failure> {
        let at = self.app.now();
        let endpoint = self.clone();
        let next = self
            .app
            .service()
            .read(move |db| Ok::<_, ServiceError>(endpoint.authenticate(db, at, request)))
            .await;
        let (request_in_progress, transaction) = match next.map_err(failure_of_problem)?? {
            Progress::Respond(response) => return Ok(response),
            Progress::Execute(request_in_progress, transaction) => (*request_in_progress, transaction),
        };
        let request_in_progress = self.execute(request_in_progress, transaction).await?;
        let endpoint = self.clone();
        let next = self
            .app
            .service()
            .read(move |db| Ok::<_, ServiceError>(endpoint.resume(db, at, request_in_progress)))
            .await;
        match next.map_err(failure_of_problem)?? {
            Progress::Respond(response) => Ok(response),
            Progress::Execute(..) => {
                tracing::warn!(provider = %self.provider, "a plugin wanted to act twice for one request");
                Err(Failure::Internal)
            }
        }
    }

    /// Finds out who sent a request, and goes on from there.
    fn authenticate(&self, db: &ReadTx, at: Timestamp, request: Request) -> Result<Progress, Failure> {
        let authentication = match self.call_plugin("identify", |endpoint| endpoint.identify(at, &request))? {
            Ok(authentication) => authentication,
            Err(response) => return Ok(Progress::Respond(response)),
        };
        let sender = authentication::verify(db, &self.sealer, &self.provider, &authentication, at)?;
        self.app.key_usage().record(&sender.access_key, at);
        let request_in_progress = ProviderRequest { request, sender, outcomes: Vec::new(), steps: 0 };
        self.resume(db, at, request_in_progress)
    }

    /// Asks the plugin what to do until it answers, or wants something done.
    fn resume(
        &self,
        db: &ReadTx,
        at: Timestamp,
        mut request_in_progress: ProviderRequest,
    ) -> Result<Progress, Failure> {
        while request_in_progress.steps < STEPS_MAX {
            request_in_progress.steps += 1;
            let stored = accounts::get(db, &request_in_progress.sender.account).map_err(internal)?;
            let stored = stored.ok_or(Failure::Internal)?;
            let ProviderRequest { request, outcomes, .. } = &request_in_progress;
            let context = Context { at, request, account: &stored.account, outcomes };
            match self.call_plugin("handle", |endpoint| endpoint.handle(&context))? {
                NextStep::Respond(response) => return Ok(Progress::Respond(response)),
                NextStep::Query(queries) => {
                    let providers = self.app.providers();
                    for query in &queries {
                        let pending_work =
                            query::query(db, providers, at, &stored, query).map_err(failure_of_problem)?;
                        request_in_progress.outcomes.push(pending_work);
                    }
                }
                NextStep::Execute(transaction) => {
                    return Ok(Progress::Execute(Box::new(request_in_progress), transaction));
                }
            }
        }
        tracing::warn!(provider = %self.provider, "a plugin took too many steps without an answer");
        Err(Failure::Internal)
    }
}

/// What answers the API of `provider`.
///
/// # Errors
///
/// [`StartError`] when nothing does.
pub fn find_api<'p>(
    providers: &'p Providers,
    provider: &str,
) -> Result<perennial_sandbox::ProviderApi<'p>, StartError> {
    let rules = providers.get(provider).ok_or_else(|| {
        let known = providers.keys().map(|id| format!("`{id}`")).collect::<Vec<_>>();
        StartError::NoPlugin(provider.to_owned(), known.join(", "))
    })?;
    rules.provider_api().ok_or_else(|| StartError::NoEndpoint(provider.to_owned()))
}

/// What a failure of the host means to a client of the provider's API.
fn failure_of_problem(error: ServiceError) -> Failure {
    match error.retry_after_seconds() {
        Some(seconds) => Failure::Busy(seconds),
        None => internal(error),
    }
}

fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a request of a provider's API could not be answered");
    Failure::Internal
}
