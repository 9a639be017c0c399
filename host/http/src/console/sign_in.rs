//! `/sign-in` and `/sign-out`: a token becomes a session, and a session ends.

use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_engine::clock;

use crate::console::address;
use crate::console::address::Address;
use crate::console::address::Parameters;
use crate::console::failure::Failure;
use crate::console::layout;
use crate::console::session;
use crate::console::session::Session;
use crate::console::texts as t;
use crate::console::visit;
use crate::console::visit::Console;
use crate::console::visit::Visit;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::refusals;
use crate::request_place;
use crate::server::ClientAddress;
use perennial_formats::language::Language;
use perennial_formats::language::Text;

/// `GET /sign-in`: the form.
pub(super) async fn show(request: Request) -> Response {
    let query = Parameters::read(request.uri().query().unwrap_or_default());
    let language = query.get("language").and_then(Language::of_tag);
    let language = language.unwrap_or_else(|| visit::language(request.headers()));
    form(language, query.get("next"), None)
}

/// `POST /sign-in`: the token begins a session.
pub(super) async fn sign_in(State(console): State<Console>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let language = visit::language(&parts.headers);
    let refuse = |status: StatusCode, text: Text, next: Option<&str>| {
        let mut response = form(language, next, Some(text));
        *response.status_mut() = status;
        response
    };
    if !visit::is_own_origin(&parts.headers) {
        return refuse(StatusCode::FORBIDDEN, t::FOREIGN_FORM, None);
    }
    let sent = match read(&console, &parts, body).await {
        Ok(sent) => sent,
        Err(status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) => {
            let mut response = refuse(status, t::TOO_MANY_FORMS, None);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        }
        Err(status) => return refuse(status, t::UNREADABLE_FORM, None),
    };
    let next = sent.get("next").map(str::to_owned);
    let app = &console.app;
    let Some(caller) = app.tokens().authenticate(sent.get("token").unwrap_or_default(), app.now()) else {
        let problem = Problem::new(ProblemType::Unauthorized, "the token is not known, expired or revoked");
        let request = Request::from_parts(parts, Body::empty());
        refusals::record(app, &request, "POST /sign-in".to_owned(), None, problem).await;
        return refuse(StatusCode::UNAUTHORIZED, t::UNKNOWN_TOKEN, next.as_deref());
    };
    let session = Session::begin(&caller.id, clock::now()).ok();
    let sealed = session.and_then(|session| session.seal(console.secret_box()).ok());
    match sealed {
        Some(sealed) => {
            let mut response = visit::see_other(&address::local(next.as_deref()));
            let cookie = cookie(visit::SESSION_COOKIE, &sealed, session::SECONDS, &parts.headers, true);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, t::HOST_FAILED, next.as_deref()),
    }
}

/// Reads the form of somebody who has proved nothing yet, of which an address has few at once; then takes a place.
async fn read(console: &Console, parts: &Parts, body: Body) -> Result<Parameters, StatusCode> {
    let address = parts.extensions.get::<ClientAddress>();
    let slot = address
        .map(|address| console.app.acquire_unauthenticated(*address).ok_or(StatusCode::TOO_MANY_REQUESTS));
    let slot = slot.transpose()?;
    let form = visit::read_form(console, body).await?;
    drop(slot);
    request_place::take(&parts.extensions).map_err(|problem| problem.kind.status())?;
    Ok(form)
}

/// `POST /sign-out`: the session ends, in this browser and wherever its cookie is.
pub(super) async fn sign_out(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    visit.end_session().await?;
    tracing::info!(token = &*frame.caller.id, "signed out of the console");
    let mut response = visit::see_other("/sign-in");
    let cookie = cookie(visit::SESSION_COOKIE, "", 0, &HeaderMap::new(), true);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// A cookie of the console, which a browser shows to nobody else, and over TLS only when it came over TLS.
pub(super) fn cookie(
    name: &str,
    value: &str,
    seconds: i64,
    request: &HeaderMap,
    is_secret: bool,
) -> HeaderValue {
    let has = |name: &str, start: &str| {
        request.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with(start))
    };
    let secure = if has("origin", "https:") || has("x-forwarded-proto", "https") { "; Secure" } else { "" };
    let hidden = if is_secret { "; HttpOnly" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Strict{hidden}{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn form(language: Language, next: Option<&str>, problem: Option<Text>) -> Response {
    let say = |text: Text| text.of(language);
    let content = html! {
        main.sign-in id="main" tabindex="-1" {
            h1 { (layout::mark()) "Perennial" }
            p { (say(t::SIGN_IN_LEAD)) }
            @if let Some(problem) = problem {
                p.problem role="alert" id="problem" { (say(problem)) }
            }
            form method="post" action="/sign-in" {
                @if let Some(next) = next {
                    input type="hidden" name="next" value=(next);
                }
                label for="token" { (say(t::TOKEN)) }
                input id="token" name="token" type="password" required autocomplete="current-password"
                    spellcheck="false" placeholder="pn_…" autofocus aria-describedby=[problem.map(|_| "problem")];
                button type="submit" { (say(t::SIGN_IN)) }
            }
            p.note { (say(t::TOKEN_HINT)) " " code { "perennial token create --name me --role operator" } }
            (languages(language, next))
        }
    };
    layout::html_response(layout::document(language, say(t::SIGN_IN), content)).into_response()
}

fn languages(language: Language, next: Option<&str>) -> Markup {
    html! {
        p.languages {
            @for other in Language::ALL.into_iter().filter(|other| *other != language) {
                @let address = Address::new("/sign-in", &[]).with("language", Some(other.tag())).with("next", next);
                a href=(address.text()) lang=(other.tag()) { (other.own_name()) }
            }
        }
    }
}
