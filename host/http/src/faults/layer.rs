//! Makes requests go wrong, and answers the routes below `/sandbox`.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::term::Term;
use perennial_formats::faults::Fault;
use perennial_service::error::ServiceError;
use sha2::Digest;
use sha2::Sha256;

use crate::faults::Faults;
use crate::faults::broken_body::broken_body;
use crate::provider_api::serve::ClockSkew;
use crate::state::AppState;

/// The route that shows the faults, takes other ones, and removes them.
const ROUTE: &str = "/sandbox/faults";
/// The most answers that are remembered for stale readings.
const ANSWERS_MAX: usize = 1_000;
/// Currencies that a response may name, and one that no account has.
const CURRENCIES: [&str; 5] = ["CNY", "USD", "EUR", "HKD", "SGD"];
const NO_CURRENCY: &str = "XTS";
/// The header of what is JSON.
const JSON: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// What the layer works with. Clones share everything.
#[derive(Clone)]
struct Sandbox {
    app: AppState,
    faults: Faults,
    answers: Arc<Mutex<HashMap<[u8; 32], StoredResponse>>>,
}

/// An answer that was given once.
#[derive(Clone)]
struct StoredResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Puts `faults` in front of a provider's API.
pub fn wrap(app: &AppState, faults: Faults, router: Router) -> Router {
    let sandbox = Sandbox { app: app.clone(), faults, answers: Arc::default() };
    router.layer(middleware::from_fn_with_state(sandbox, handle))
}

async fn handle(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes_max = sandbox.app.limits().provider_body_bytes_max;
    let most = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let Ok(body) = axum::body::to_bytes(body, most).await else {
        let detail = format!("a sandbox reads at most {bytes_max} bytes (`limits.provider_body_bytes_max`)");
        return (StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    if parts.uri.path() == ROUTE {
        return sandbox.control(&parts.method, &body);
    }
    let digest = digest_of(&parts, &body);
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let Some((fault, seconds)) = sandbox.faults.next(method, path) else {
        return sandbox.run(digest, parts, body, next).await.into_response();
    };
    tracing::info!(fault = fault.name(), %method, path, "a request goes wrong");
    sandbox.go_wrong(fault, seconds, digest, (parts, body), next).await
}

impl Sandbox {
    /// Has the request answered, and remembers the first answer to it.
    async fn run(&self, digest: [u8; 32], parts: Parts, body: Bytes, next: Next) -> StoredResponse {
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        let answer = StoredResponse::read(response).await;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() < ANSWERS_MAX {
            answers.entry(digest).or_insert_with(|| answer.clone());
        }
        answer
    }

    /// Lets a request go wrong: it is turned away, handled later, or handled and answered wrongly.
    async fn go_wrong(
        &self,
        fault: Fault,
        seconds: u32,
        digest: [u8; 32],
        (mut parts, body): (Parts, Bytes),
        next: Next,
    ) -> Response {
        let wait = Duration::from_secs(u64::from(seconds));
        if let Some(answer) = self.first_answer(&digest).filter(|_| fault == Fault::Stale) {
            return answer.into_response();
        }
        match fault {
            Fault::Late => {
                let sandbox = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    sandbox.run(digest, parts, body, next).await;
                });
                broken_body(Bytes::new()).into_response()
            }
            Fault::Throttle => {
                let headers = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
                (StatusCode::TOO_MANY_REQUESTS, headers, "{}").into_response()
            }
            Fault::FailBefore => (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response(),
            Fault::Reject { status, body } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                (status, [JSON], body).into_response()
            }
            Fault::SomebodyRenews { resource, term, options } => {
                self.renew(resource, term, options).await;
                self.run(digest, parts, body, next).await.into_response()
            }
            Fault::TimeOut
            | Fault::FailAfter
            | Fault::Cut
            | Fault::Garbage
            | Fault::Stale
            | Fault::WrongCurrency
            | Fault::Skew => {
                if fault == Fault::Skew {
                    parts.extensions.insert(ClockSkew(i64::from(seconds)));
                }
                let answer = self.run(digest, parts, body, next).await;
                if fault == Fault::TimeOut {
                    tokio::time::sleep(wait).await;
                }
                answer_wrongly(&fault, answer)
            }
        }
    }

    fn first_answer(&self, digest: &[u8; 32]) -> Option<StoredResponse> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Somebody renews a resource behind the client's back.
    async fn renew(&self, resource: String, term: Option<Term>, options: BTreeMap<String, String>) {
        let command = Command::Renew(Renewal { term, cause: Cause::Command, options });
        let done = self.app.writer().call(move |context| {
            let (now, publisher) = (context.now(), context.publisher());
            let outcome = context.engine.command(now, None, &resource, &command)?;
            publisher.publish(&outcome.events);
            Ok::<_, ServiceError>(())
        });
        if let Err(error) = done.await {
            tracing::warn!(%error, "what somebody else should have renewed was not");
        }
    }

    /// Shows, replaces or removes the faults.
    fn control(&self, method: &Method, body: &[u8]) -> Response {
        if method == Method::DELETE {
            self.faults.set_rules(Vec::new());
        } else if method == Method::PUT {
            let text = String::from_utf8_lossy(body);
            if let Err(problems) = self.faults.set_file(&text) {
                return (StatusCode::UNPROCESSABLE_ENTITY, problems.to_string()).into_response();
            }
        } else if method != Method::GET {
            return (StatusCode::METHOD_NOT_ALLOWED, "GET, PUT or DELETE").into_response();
        }
        ([JSON], self.faults.report().to_string()).into_response()
    }
}

impl StoredResponse {
    async fn read(response: Response) -> StoredResponse {
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        // A changed body has another length.
        headers.remove(header::CONTENT_LENGTH);
        // What the host itself answers is whole and within its limits.
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        StoredResponse { status: parts.status, headers, body }
    }
}

impl IntoResponse for StoredResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        *response.headers_mut() = self.headers;
        response
    }
}

/// What a client sees of the answer to a request that was handled.
fn answer_wrongly(fault: &Fault, mut answer: StoredResponse) -> Response {
    match fault {
        Fault::TimeOut => broken_body(Bytes::new()).into_response(),
        Fault::FailAfter => (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response(),
        Fault::Cut => {
            let half = answer.body.len() / 2;
            (answer.status, broken_body(answer.body.slice(..half))).into_response()
        }
        Fault::Garbage => {
            let garbage = answer.body.iter().rev().copied().collect::<Vec<_>>();
            (answer.status, [&b"\xff{"[..], &garbage].concat()).into_response()
        }
        Fault::WrongCurrency => {
            answer.body = with_other_currency(&answer.body);
            answer.into_response()
        }
        Fault::Late
        | Fault::Throttle
        | Fault::FailBefore
        | Fault::Reject { .. }
        | Fault::Stale
        | Fault::Skew
        | Fault::SomebodyRenews { .. } => answer.into_response(),
    }
}

/// What makes two requests the same question: everything but their headers, which have dates and signatures; and who asks.
fn digest_of(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let head = format!("{} {} {}\n", parts.method, parts.uri, signer(&parts.headers));
    Sha256::new().chain_update(head).chain_update(body).finalize().into()
}

/// The access key of a signature, with the name of its scheme: `SDK-HMAC-SHA256 Access=KEY, …` or `bce-auth-v1/KEY/…`.
fn signer(headers: &HeaderMap) -> String {
    let signature = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let begins = signature.and_then(|signature| signature.split(',').next()).unwrap_or_default();
    begins.split('/').take(2).collect::<Vec<_>>().join("/")
}

fn with_other_currency(body: &Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
    let mut text = text.to_owned();
    for currency in CURRENCIES {
        text = text.replace(&format!("\"{currency}\""), &format!("\"{NO_CURRENCY}\""));
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_told_by_its_key_and_not_by_its_time() {
        let of = |text: &'static str| {
            signer(&HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(text))]))
        };
        let huawei = "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=host;x-sdk-date, Signature=0a";
        assert_eq!(of(huawei), "SDK-HMAC-SHA256 Access=AK1");
        assert_eq!(of("bce-auth-v1/AK2/2026-03-01T00:00:00Z/1800/host/0b"), "bce-auth-v1/AK2");
        assert_eq!(signer(&HeaderMap::new()), "");
    }
}
