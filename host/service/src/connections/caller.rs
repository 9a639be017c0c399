//! Calls to providers: a request is made up by a plugin, permitted, signed and sent here, and its response given back.
//!
//! Nothing is signed that may not leave. No redirect is followed; a response is read within bounds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header;
use perennial_domain::account::Account;
use perennial_domain::connector;
use perennial_domain::connector::CallContext;
use perennial_domain::connector::Driver;
use perennial_domain::connector::Mutation;
use perennial_domain::connector::NotPermitted;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::connector::ReceivedResponse;
use perennial_domain::connector::SignatureEncoding;
use perennial_domain::connector::UnsignedRequest;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::connector::Connector;
use perennial_engine::rules::Rules;
use perennial_sandbox::PluginError;

use crate::connections::Connections;
use crate::connections::quota::Buckets;
use crate::connections::secret_source::Secret;
use crate::outbound::Reach;
use crate::outbound::client::BodyLimit;
use crate::outbound::client::HttpClient;
use crate::outbound::client::Reception;
use crate::outbound::client::SendFailure;
use crate::outbound::client::USER_AGENT;
use crate::outbound::target::Target;
use crate::signatures;
use crate::tls::CertificatesError;

/// The time limit of a call, from the resolution of the name to the response.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much of a response is read.
const BODY: BodyLimit = BodyLimit { bytes: 8 << 20, timeout: TIMEOUT };

/// A connected account, with what calling its provider takes.
#[derive(Clone)]
pub struct ConnectedAccount {
    /// The account at the provider.
    pub account: Account,
    /// The provider's plugin.
    pub rules: Arc<dyn Rules>,
    /// What signs, by its name.
    pub access_key: String,
    /// The secret that signs.
    pub secret: Secret,
    /// The URL to call instead of the provider's own hosts.
    pub endpoint: Option<String>,
    /// The reads that were granted.
    pub grants: BTreeSet<String>,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin has no connector.
    #[error("the plugin of `{0}` does not call its provider's API: it has no connector")]
    NoConnector(String),
    /// The plugin gave no usable answer.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The provider's API has no such question, or no such change.
    #[error("the provider's API has no such call: {}: {}", .0.code, .0.message)]
    NoQuestion(Refusal),
    /// The request may not leave.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// The request goes elsewhere, or could be read as another one on the way.
    #[error("the plugin made up a request that is not sent: {0}")]
    Misaddressed(String),
    /// The account's endpoint cannot be called.
    #[error("the endpoint cannot be called: {0}")]
    Endpoint(String),
    /// Nothing was sent.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// There is no whole response.
    #[error("there is no answer: {0}")]
    NoResponse(String),
    /// The provider did not answer the question.
    #[error("the provider says {}: {} ({})", .0.refusal.code, .0.refusal.message, .0.reason.name())]
    Failed(QueryFailure),
}

impl CallError {
    /// Whether the same question will be refused the next time, too.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            CallError::NoQuestion(_) | CallError::NotPermitted(_) => true,
            CallError::Failed(failure) => {
                [QueryFailureReason::Refused, QueryFailureReason::Permission].contains(&failure.reason)
            }
            CallError::NoConnector(_)
            | CallError::Plugin(_)
            | CallError::Misaddressed(_)
            | CallError::Endpoint(_)
            | CallError::NotSent(_)
            | CallError::NoResponse(_) => false,
        }
    }

    /// In how many seconds to try again, where the provider says so.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            CallError::Failed(failure) => failure.retry_after,
            CallError::NoConnector(_)
            | CallError::Plugin(_)
            | CallError::NoQuestion(_)
            | CallError::NotPermitted(_)
            | CallError::Misaddressed(_)
            | CallError::Endpoint(_)
            | CallError::NotSent(_)
            | CallError::NoResponse(_) => None,
        }
    }
}

/// What came back for a request, and which host it named instead of the provider's own.
struct Exchange {
    authority: Option<String>,
    response: ReceivedResponse,
}

/// Calls providers. One for a host, because it counts calls.
pub struct Caller {
    http: HttpClient,
    buckets: Buckets,
    is_unmetered: bool,
}

impl Caller {
    /// A caller that trusts the root certificates that browsers trust, and those of the configuration.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the file of the configuration cannot be used.
    pub fn new(settings: &Connections) -> Result<Caller, CertificatesError> {
        let reach = Reach::connections(settings.allow_private);
        let http = HttpClient::new(reach, settings.certificates.as_deref())?;
        Ok(Caller { http, buckets: Buckets::default(), is_unmetered: settings.is_unmetered })
    }

    fn endpoint(&self, endpoint: &str) -> Result<Target, CallError> {
        let target = Target::read(endpoint, self.http.reach).map_err(CallError::Endpoint)?;
        if target.path != "/" {
            let why = format!("`{}` is a path, and paths are the plugin's; leave it out", target.path);
            return Err(CallError::Endpoint(why));
        }
        Ok(target)
    }

    /// Asks a provider at `at`, within its quota.
    ///
    /// # Errors
    ///
    /// [`CallError`] when there is no answer.
    pub async fn ask(
        &self,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
        query: &Query,
    ) -> Result<QueryAnswer, CallError> {
        let (asked, answered) = (query.clone(), query.clone());
        let exchange = self.exchange(of, at, move |of, connector, context| {
            let request = connector.encode_query(context, &asked)?.map_err(CallError::NoQuestion)?;
            check_address(connector, context, &request)?;
            connector::check_query(connector.capabilities(), &of.grants, &request)?;
            Ok(request)
        });
        let Exchange { authority, response } = exchange.await?;
        let of = Arc::clone(of);
        blocking(move || {
            let context = of.context(at, authority.as_deref());
            let answer = connector_of(&of)?.decode_query(&context, &answered, &response)?;
            answer.map_err(CallError::Failed)
        })
        .await
    }

    /// Has a provider make a change, signed with the instant `at`, within its quota; returns one outcome for each target. It
    /// is sent at most once.
    ///
    /// # Errors
    ///
    /// [`CallError::NoResponse`] when nobody knows what became of it; every other one when nothing was sent.
    pub async fn change(
        &self,
        of: &Arc<ConnectedAccount>,
        driver: Driver,
        at: Timestamp,
        mutation: &Mutation,
    ) -> Result<Vec<Outcome>, CallError> {
        let (wanted, answered) = (mutation.clone(), mutation.clone());
        let exchange = self.exchange(of, at, move |_, connector, context| {
            connector::check_change(connector.capabilities(), driver, wanted.change.mutation())?;
            let request = connector.encode_mutation(context, &wanted)?.map_err(CallError::NoQuestion)?;
            check_address(connector, context, &request)?;
            Ok(request)
        });
        let Exchange { authority, response } = exchange.await?;
        let of = Arc::clone(of);
        let outcomes = blocking(move || {
            let context = of.context(at, authority.as_deref());
            Ok(connector_of(&of)?.decode_mutation(&context, &answered, &response)?)
        });
        // It was sent: whatever fails from here on proves nothing.
        outcomes.await.map_err(|error| CallError::NoResponse(error.to_string()))
    }

    /// Sends what `encode` makes up, and returns what comes back.
    async fn exchange(
        &self,
        of: &Arc<ConnectedAccount>,
        at: Timestamp,
        encode: impl FnOnce(
            &ConnectedAccount,
            &dyn Connector,
            &CallContext<'_>,
        ) -> Result<UnsignedRequest, CallError>
        + Send
        + 'static,
    ) -> Result<Exchange, CallError> {
        let override_target = of.endpoint.as_deref().map(|url| self.endpoint(url)).transpose()?;
        let authority = override_target.as_ref().map(Target::host);
        let (request, api) = {
            let (of, authority) = (Arc::clone(of), authority.clone());
            blocking(move || {
                let connector = connector_of(&of)?;
                let request = encode(&of, connector, &of.context(at, authority.as_deref()))?;
                let api = connector.capabilities().apis[request.api.get()].clone();
                Ok::<_, CallError>((request, api))
            })
            .await?
        };
        if !self.is_unmetered {
            let wait = self.buckets.take(&of.account.id, request.api, &api, Instant::now());
            tokio::time::sleep(wait).await;
        }
        let target = match override_target {
            Some(target) => target,
            None => Target::read(&format!("https://{}/", request.host), self.http.reach)
                .map_err(CallError::Endpoint)?,
        };
        let response = self.send(of, &target, request).await?;
        Ok(Exchange { authority, response })
    }

    async fn send(
        &self,
        of: &ConnectedAccount,
        target: &Target,
        request: UnsignedRequest,
    ) -> Result<ReceivedResponse, CallError> {
        let (method, path) = (request.method.clone(), request.path.clone());
        let signed = signed(&of.secret, target, request)
            .map_err(|error| CallError::NotSent(format!("the request cannot be written: {error}")))?;
        let sent = tokio::time::timeout(TIMEOUT, self.http.send(target, signed, BODY)).await;
        let received = match sent {
            Ok(Ok(received)) => received,
            Ok(Err(SendFailure::NotSent(why))) => return Err(CallError::NotSent(why)),
            Ok(Err(SendFailure::NoResponse(why))) => return Err(CallError::NoResponse(why)),
            Err(_) => {
                return Err(CallError::NoResponse(format!("there was no answer within {TIMEOUT:?}")));
            }
        };
        let account = &of.account.id;
        tracing::debug!(account, method, path, status = received.status, "a provider was called");
        response(received)
    }
}

impl ConnectedAccount {
    fn context<'a>(&'a self, at: Timestamp, endpoint: Option<&'a str>) -> CallContext<'a> {
        CallContext { at, account: &self.account, access_key: &self.access_key, endpoint }
    }
}

fn check_address(
    connector: &dyn Connector,
    context: &CallContext<'_>,
    request: &UnsignedRequest,
) -> Result<(), CallError> {
    connector::check_request(connector.capabilities(), context, request).map_err(CallError::Misaddressed)
}

fn connector_of(of: &ConnectedAccount) -> Result<&dyn Connector, CallError> {
    of.rules.connector().ok_or_else(|| CallError::NoConnector(of.account.provider.clone()))
}

/// Runs what may take a while on a thread that may wait: a plugin, for one.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CallError> + Send + 'static,
) -> Result<T, CallError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(CallError::NotSent("the host is stopping".to_owned())))
}

/// A request with its signature.
fn signed(
    secret: &Secret,
    target: &Target,
    request: UnsignedRequest,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let signing = &request.signing;
    let mac = signatures::signature(secret.bytes(), &signing.derivations, signing.key, &signing.message);
    let mac = match signing.encoding {
        SignatureEncoding::Hexadecimal => hex::encode(mac),
        SignatureEncoding::Base64 => STANDARD.encode(mac),
    };
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(format!("{}{query}", request.path))
        .header(header::HOST, target.host())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONNECTION, "close");
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder = builder.header(&signing.header, format!("{}{mac}{}", signing.prefix, signing.suffix));
    builder.body(Full::from(request.body))
}

/// A response in words of the contract. One that is too long, or was cut off, proves nothing.
fn response(received: Reception) -> Result<ReceivedResponse, CallError> {
    let body = received.body.ok_or_else(|| {
        CallError::NoResponse(format!("the answer is longer than {} bytes, or was cut off", BODY.bytes))
    })?;
    let headers = received.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok(ReceivedResponse { status: received.status, headers: headers.collect(), body: body.to_vec() })
}
