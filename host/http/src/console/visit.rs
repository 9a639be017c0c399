//! A request of somebody who is signed in: who it is, what was sent, and what the admin API answers to it.
//!
//! Everything that a page shows or does goes through [`Visit::get`] and [`Visit::send`], which ask the router of the admin
//! API in this process in the name of the session's token. So a page can do nothing that the token could not.

use std::sync::Arc;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_engine::clock;
use perennial_formats::time_zone::TimeZone;
use perennial_service::admin_tokens::Caller;
use perennial_service::secrets::SecretBox;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use tower::ServiceExt;

use crate::auth::SignedIn;
use crate::body;
use crate::console::address::Address;
use crate::console::address::Parameters;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::frame::ZoneChoice;
use crate::console::language;
use crate::console::session::EndedSessions;
use crate::console::session::Session;
use crate::console::submission::Submission;
use crate::console::texts;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::request_place;
use crate::state::AppState;
use perennial_formats::language::Language;

/// The cookie of the session.
pub(super) const SESSION_COOKIE: &str = "perennial_session";
/// The cookie with the language, when one was chosen.
pub(super) const LANGUAGE_COOKIE: &str = "perennial_language";
/// The cookie with the time zone, when one was chosen.
pub(super) const ZONE_COOKIE: &str = "perennial_zone";
/// The longest form, in bytes: that of a policy, escaped.
const FORM_MAX: usize = 1 << 20;
/// The longest answer of the API that a page is made of, in bytes.
const ANSWER_MAX: usize = 64 << 20;
/// As many resources as the API lists on one page.
pub(super) const LIST_MAX: usize = 1000;

/// What the pages share.
#[derive(Clone)]
pub(super) struct Console {
    /// The running host.
    pub(super) app: AppState,
    /// The admin API in this process.
    pub(super) api: Router,
    /// What seals sessions where the host has no key; made at start, so that sessions end with the process.
    pub(super) own_box: SecretBox,
    /// The sessions that somebody signed out of.
    pub(super) ended: EndedSessions,
}

impl Console {
    /// What seals sessions.
    pub(super) fn secret_box(&self) -> &SecretBox {
        self.app.secret_box().unwrap_or(&self.own_box)
    }

    /// The session of a request and the caller behind it, if it is in force and its token is.
    async fn session(&self, headers: &HeaderMap) -> Option<(Session, Caller)> {
        let session = Session::open(cookie(headers, SESSION_COOKIE)?, self.secret_box(), clock::now())?;
        if self.ended.contains(&session, &self.app).await {
            return None;
        }
        let caller = self.app.tokens().active_caller(&session.token, self.app.now())?;
        Some((session, caller))
    }

    fn frame(&self, parts: &Parts, session: &Session, caller: Caller, query: &Parameters) -> Frame {
        let zone = cookie(&parts.headers, ZONE_COOKIE).map(|zone| Parameters::read(&format!("z={zone}")));
        let zone = zone.as_ref().and_then(|zone| ZoneChoice::read(zone.get("z")?));
        let providers = self.app.providers();
        let zone_of = |offset| TimeZone::from_offset_minutes(offset);
        Frame {
            caller,
            form_token: session.form_token(),
            language: language(&parts.headers),
            zone: zone.unwrap_or(ZoneChoice::Utc),
            provider_zones: providers
                .iter()
                .map(|(id, rules)| (id.clone(), zone_of(rules.manifest().utc_offset_minutes)))
                .collect(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            now: self.app.now(),
            is_virtual: self.app.writer().is_virtual(),
            done: query.get("done").and_then(texts::done),
            submission: Submission::new(&parts.method, parts.uri.path(), query),
        }
    }
}

/// A request of somebody who is signed in.
pub(super) struct Visit {
    /// What every page knows of its reader.
    pub(super) frame: Arc<Frame>,
    /// The parameters of the address.
    pub(super) query: Parameters,
    /// The fields of the form, which showed its proof.
    pub(super) form: Parameters,
    console: Console,
    request_id: RequestId,
    headers: HeaderMap,
}

/// What the admin API answered to something that it did.
#[derive(Debug)]
pub(super) struct ApiResponse {
    /// The status, which is one of success.
    pub(super) status: StatusCode,
    /// The body of the response.
    pub(super) body: Value,
}

impl FromRequest<Console> for Visit {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Visit, Response> {
        let (parts, body) = request.into_parts();
        let Some((session, caller)) = console.session(&parts.headers).await else {
            return Err(sign_in(&parts));
        };
        let query = Parameters::read(parts.uri.query().unwrap_or_default());
        let mut frame = Arc::new(console.frame(&parts, &session, caller, &query));
        let mut form = Parameters::default();
        if parts.method == Method::POST {
            let refuse = |text| Failure::new(&frame, StatusCode::FORBIDDEN, frame.say(text)).into_response();
            if !is_own_origin(&parts.headers) {
                return Err(refuse(texts::FOREIGN_FORM));
            }
            form = read_signed_in(console, &frame, &parts, body).await.map_err(Failure::into_response)?;
            if !session.made(form.get("proof").unwrap_or_default()) {
                return Err(refuse(texts::OLD_FORM));
            }
            Arc::make_mut(&mut frame).submission = Submission::new(&parts.method, parts.uri.path(), &form);
        }
        let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        Ok(Visit { frame, query, form, console: console.clone(), request_id, headers: parts.headers })
    }
}

/// Leads somebody who is not signed in to where one does, and back afterwards.
fn sign_in(parts: &Parts) -> Response {
    let path = parts.uri.path_and_query().map(ToString::to_string);
    let next = path.filter(|path| parts.method == Method::GET && path != "/");
    see_other(&Address::new("/sign-in", &[]).with("next", next).text())
}

/// Sends a browser on with a `GET`.
pub(super) fn see_other(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response(),
    }
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The language that was chosen, else what the browser likes best.
pub(super) fn language(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::of_tag);
    chosen.unwrap_or_else(|| language::of_browser(headers))
}

/// Whether a form is of this console, as far as the browser says: every browser says so of a form, and no page can have it
/// say something else.
pub(super) fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_own_site = text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site));
    let origin = text("origin").map(|origin| origin.split_once("://").map_or("?", |(_, host)| host));
    let is_own_host =
        origin.is_none_or(|origin| text("host").is_some_and(|host| host.eq_ignore_ascii_case(origin)));
    is_own_site && is_own_host
}

/// Reads the form of somebody who is signed in. It has one of their slots meanwhile, and the request its place afterwards.
async fn read_signed_in(
    console: &Console,
    frame: &Arc<Frame>,
    parts: &Parts,
    body: HttpBody,
) -> Result<Parameters, Failure> {
    let refuse = |problem: Problem| Failure::of_problem(frame, problem.kind.status(), problem.body());
    let slots = console.app.acquire_slots(&frame.caller.id, &frame.caller.owner).map_err(refuse)?;
    let unreadable = |status| Failure::new(frame, status, frame.say(texts::UNREADABLE_FORM));
    let form = read_form(console, body).await.map_err(unreadable)?;
    // The requests to the admin API that follow have slots of their own.
    drop(slots);
    request_place::take(&parts.extensions).map_err(refuse)?;
    Ok(form)
}

/// Reads a form within the limits of size and time.
pub(super) async fn read_form(console: &Console, body: HttpBody) -> Result<Parameters, StatusCode> {
    let patience = console.app.limits().body_seconds;
    let read = tokio::time::timeout(patience, body::read(body, FORM_MAX, 0)).await;
    let bytes = read.map_err(|_| StatusCode::REQUEST_TIMEOUT)?.map_err(|error| match error {
        body::BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        body::BodyError::Broken | body::BodyError::NoRoom => StatusCode::BAD_REQUEST,
    })?;
    Ok(Parameters::read(&String::from_utf8_lossy(&bytes)))
}

/// The key under which a form does one thing once: a form that is sent again with other contents does another thing.
fn key(once: &str, path: &str, body: &Value) -> String {
    hex::encode(&Sha256::digest(format!("{once}\n{path}\n{body}"))[..16])
}

impl Visit {
    /// Signs the reader out: their session is refused from now on, also after a restart.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the reason why it is refused until the host starts again, and no longer.
    pub(super) async fn end_session(&self) -> Result<(), Failure> {
        let ended = self.console.ended.end(&self.frame.form_token, &self.console.app).await;
        ended.map_err(|error| {
            let problem = Problem::from(error);
            Failure::of_problem(&self.frame, problem.kind.status(), problem.body())
        })
    }

    /// What the admin API answers to a `GET`.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the problem that it answers instead.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None, &[]).await.map(|answer| answer.body)
    }

    /// Everything that a list of the API has, or what stands on its first `pages` pages; and whether that is everything.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the problem that it answers instead.
    pub(super) async fn list(&self, address: &Address, pages: usize) -> Result<(Vec<Value>, bool), Failure> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..pages {
            let page = address.clone().with("limit", Some(LIST_MAX)).with("cursor", cursor);
            let mut page = self.get(&page.text()).await?;
            found.extend(page["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    /// Like [`Visit::get`], for a part of a page that not every token may see: `None` when this one may not.
    ///
    /// # Errors
    ///
    /// [`Failure`] with any other problem.
    pub(super) async fn try_get(&self, path: &str) -> Result<Option<Value>, Failure> {
        match self.get(path).await {
            Ok(body) => Ok(Some(body)),
            Err(failure) if failure.hides() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// What the admin API answers to a request that does something: once, with the key and the reason of the form.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the problem that it answers instead.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<ApiResponse, Failure> {
        let once = self.form.get("once").filter(|_| method == Method::POST).map(|once| key(once, path, body));
        let reason = self.reason();
        let headers = [("idempotency-key", once.as_deref()), ("x-reason", reason.as_deref())];
        self.ask(method, path, Some(body), &headers).await
    }

    /// The reason of the form, on one line.
    fn reason(&self) -> Option<String> {
        self.form.get("reason").map(|reason| reason.replace(char::is_control, " "))
    }

    /// What the admin API would do, without doing it.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the problem that it answers instead.
    pub(super) async fn preview(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut body = body.clone();
        body["dry_run"] = json!(true);
        self.ask(Method::POST, path, Some(&body), &[]).await.map(|answer| answer.body)
    }

    /// The stream of events, as the admin API sends it.
    pub(super) async fn stream(&self, path: &str) -> Response {
        let mut request = self.request(Method::GET, path);
        if let Some(last) = self.headers.get("last-event-id") {
            request = request.header("last-event-id", last);
        }
        match request.body(HttpBody::empty()) {
            Ok(request) => match self.console.api.clone().oneshot(request).await {
                Ok(response) => response,
            },
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let caller = SignedIn(self.frame.caller.clone());
        Request::builder().method(method).uri(path).extension(caller).extension(self.request_id.clone())
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, Option<&str>)],
    ) -> Result<ApiResponse, Failure> {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(*name, value.as_bytes());
            }
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let unreadable =
            |_| Failure::new(&self.frame, StatusCode::BAD_REQUEST, self.frame.say(texts::UNREADABLE_FORM));
        let request = request.body(HttpBody::from(body)).map_err(unreadable)?;
        let Ok(response) = self.console.api.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let too_long = |_| {
            Failure::new(&self.frame, StatusCode::INTERNAL_SERVER_ERROR, self.frame.say(texts::NO_ANSWER))
        };
        let bytes = body::read(body, ANSWER_MAX, 0).await.map_err(too_long)?;
        let body = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        match head.status.is_success()
            || head.status == StatusCode::SERVICE_UNAVAILABLE && !body["ready"].is_null()
        {
            true => Ok(ApiResponse { status: head.status, body }),
            false => Err(Failure::of_problem(&self.frame, head.status, body)),
        }
    }

    /// Leads on to a page of the console, which says what was done.
    pub(super) fn go(&self, address: Address, done: &str) -> Response {
        see_other(&address.with("done", Some(done)).text())
    }
}
