//! The providers' own APIs, as existing SDKs speak them: a listener for each, and the plugin's word for every answer.
//!
//! Knows connections, keys, proofs and time; what a request means and what an answer looks like is the plugin's
//! ([`perennial_sandbox::ProviderApi`]). A request is taken off the wire by [`mod@serve`], its sender is proved by [`proof`],
//! what the plugin wants to know is looked up by `look` and what it wants done is done by `perform`, all through the
//! same engine as every other command.

mod look;
mod perform;
pub mod proof;
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
use perennial_store::Connection;

use crate::provider_api::proof::Sender;
use crate::state::AppState;
use perennial_engine::clock::Stopwatch;
use perennial_engine::rules::Providers;
use perennial_sandbox::PluginError;
use perennial_service::error::ServiceError;
use perennial_service::secrets::Sealer;
use perennial_store::accounts;

/// The most steps that a plugin may take before it answers.
const STEPS_MAX: usize = 8;

/// One provider's own API, ready to be served.
#[derive(Clone)]
pub struct Endpoint {
    host: AppState,
    provider: Arc<str>,
    sealer: Sealer,
    /// The provider's word for a failure of the host, for when its plugin is what failed.
    last_resort: Arc<Response>,
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
    pub fn new(host: &AppState, provider: &str, sealer: Sealer) -> Result<Endpoint, StartError> {
        let endpoint = find(host.providers(), provider)?;
        let last_resort = endpoint.fail(host.now(), &Request::default(), Failure::Internal)?;
        Ok(Endpoint {
            host: host.clone(),
            provider: provider.into(),
            sealer,
            last_resort: Arc::new(last_resort),
        })
    }

    /// Asks the plugin, and counts that it was asked.
    fn ask<T>(
        &self,
        function: &'static str,
        ask: impl FnOnce(perennial_sandbox::ProviderApi<'_>) -> Result<T, PluginError>,
    ) -> Result<T, Failure> {
        let rules = self.host.providers().get(&*self.provider);
        let endpoint = rules.and_then(|rules| rules.provider_api()).ok_or(Failure::Internal)?;
        let watch = Stopwatch::start();
        let answer = ask(endpoint);
        let failures = u64::from(answer.is_err());
        self.host.metrics().decided(&self.provider, function, watch.seconds(), failures);
        answer.map_err(|error| {
            tracing::warn!(%error, "a plugin gave no usable answer to a request");
            Failure::Internal
        })
    }

    /// The provider's word for a failure.
    fn failed(&self, request: &Request, failure: Failure) -> Response {
        let at = self.host.now();
        self.ask("fail", |endpoint| endpoint.fail(at, request, failure))
            .unwrap_or_else(|_| self.last_resort.as_ref().clone())
    }

    /// Answers a request.
    async fn answer(&self, request: Request) -> Response {
        // What is asked goes with the work; what fails is told about without its body.
        let head = request.head();
        match self.converse(request).await {
            Ok(response) => response,
            Err(failure) => {
                let endpoint = self.clone();
                let failed = tokio::task::spawn_blocking(move || endpoint.failed(&head, failure));
                failed.await.unwrap_or_else(|_| self.last_resort.as_ref().clone())
            }
        }
    }

    async fn converse(&self, request: Request) -> Result<Response, Failure> {
        let at = self.host.now();
        let endpoint = self.clone();
        let next =
            self.host.service().read(move |db| Ok::<_, ServiceError>(endpoint.begin(db, at, request))).await;
        let (conversation, transaction) = match next.map_err(failure)?? {
            Progress::Respond(response) => return Ok(response),
            Progress::Execute(conversation, transaction) => (*conversation, transaction),
        };
        let conversation = self.perform(conversation, transaction).await?;
        let endpoint = self.clone();
        let next = self
            .host
            .service()
            .read(move |db| Ok::<_, ServiceError>(endpoint.go_on(db, at, conversation)))
            .await;
        match next.map_err(failure)?? {
            Progress::Respond(response) => Ok(response),
            Progress::Execute(..) => {
                tracing::warn!(provider = %self.provider, "a plugin wanted to act twice for one request");
                Err(Failure::Internal)
            }
        }
    }

    /// Finds out who sent a request, and goes on from there.
    fn begin(&self, db: &Connection, at: Timestamp, request: Request) -> Result<Progress, Failure> {
        let authentication = match self.ask("identify", |endpoint| endpoint.identify(at, &request))? {
            Ok(authentication) => authentication,
            Err(response) => return Ok(Progress::Respond(response)),
        };
        let sender = proof::prove(db, &self.sealer, &self.provider, &authentication, at)?;
        self.host.keys_used().note(&sender.access_key, at);
        let conversation = ProviderRequest { request, sender, outcomes: Vec::new(), steps: 0 };
        self.go_on(db, at, conversation)
    }

    /// Asks the plugin what to do until it answers, or wants something done.
    fn go_on(
        &self,
        db: &Connection,
        at: Timestamp,
        mut conversation: ProviderRequest,
    ) -> Result<Progress, Failure> {
        while conversation.steps < STEPS_MAX {
            conversation.steps += 1;
            let stored = accounts::get(db, &conversation.sender.account).map_err(internal)?;
            let stored = stored.ok_or(Failure::Internal)?;
            let ProviderRequest { request, outcomes, .. } = &conversation;
            let context = Context { at, request, account: &stored.account, outcomes };
            match self.ask("handle", |endpoint| endpoint.handle(&context))? {
                NextStep::Respond(response) => return Ok(Progress::Respond(response)),
                NextStep::Query(queries) => {
                    let providers = self.host.providers();
                    for query in &queries {
                        let found = look::look(db, providers, at, &stored, query).map_err(failure)?;
                        conversation.outcomes.push(found);
                    }
                }
                NextStep::Execute(transaction) => {
                    return Ok(Progress::Execute(Box::new(conversation), transaction));
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
pub fn find<'p>(
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
fn failure(error: ServiceError) -> Failure {
    match error.retry_after_seconds() {
        Some(seconds) => Failure::Busy(seconds),
        None => internal(error),
    }
}

fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a request of a provider's API could not be answered");
    Failure::Internal
}
