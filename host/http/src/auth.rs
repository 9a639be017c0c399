//! Authentication of the token in `Authorization`, and checks of what its caller can access.

use axum::http::Extensions;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::Tokens;

use crate::problem::Problem;
use crate::problem::ProblemType;

/// Marks a request that the command line makes in its own process, as [`Caller::command_line`]. It is an extension of the
/// request, which nothing that comes over a connection can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLine;

/// Marks a request that the console makes for somebody who is signed in, with whom. It is an extension of the request,
/// which nothing that comes over a connection can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn(pub(crate) Caller);

/// Finds the caller of a request in this process, else authenticates its token.
///
/// # Errors
///
/// [`ProblemType::Unauthorized`] when the request has no token that is known and in force.
pub(crate) fn caller(
    tokens: &Tokens,
    extensions: &Extensions,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Caller, Problem> {
    if extensions.get::<CommandLine>().is_some() {
        return Ok(Caller::command_line());
    }
    if let Some(SignedIn(caller)) = extensions.get::<SignedIn>() {
        let in_force = tokens.active_caller(&caller.id, now);
        return in_force.ok_or_else(|| unauthorized("the token of the session expired or was revoked"));
    }
    authenticate(tokens, headers, now)
}

/// Authenticates the token of a request.
///
/// # Errors
///
/// [`ProblemType::Unauthorized`] when the request has no token that is known and in force.
pub fn authenticate(tokens: &Tokens, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Problem> {
    if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
        return Err(unauthorized("send one header `Authorization`"));
    }
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(bearer) else {
        return Err(unauthorized("send a token in the header `Authorization: Bearer …`"));
    };
    tokens.authenticate(token, now).ok_or_else(|| unauthorized("the token is not known, expired or revoked"))
}

/// Checks that the caller can access the account.
///
/// # Errors
///
/// [`ProblemType::NotFound`], as for an account that does not exist.
pub(crate) fn require_account(caller: &Caller, account: &str) -> Result<(), Problem> {
    if caller.can_access(account) { Ok(()) } else { Err(Problem::not_found("account", account)) }
}

/// Checks that the caller can access every account.
///
/// # Errors
///
/// [`ProblemType::Forbidden`] when the token is bound to accounts.
pub(crate) fn require_all_accounts(caller: &Caller) -> Result<(), Problem> {
    if caller.can_access_all() {
        return Ok(());
    }
    Err(Problem::new(
        ProblemType::Forbidden,
        "the token is bound to accounts; this concerns the host as a whole",
    ))
}

/// The token of `Bearer …`; the scheme is case-insensitive.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized(detail: &str) -> Problem {
    let mut problem = Problem::new(ProblemType::Unauthorized, detail);
    problem.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    problem
}
