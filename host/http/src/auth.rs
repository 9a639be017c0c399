//! Who calls: the token of a request's `Authorization` header, and what its caller may see.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;
use perennial_service::admin_tokens::Tokens;

use crate::problem::Problem;
use crate::problem::ProblemType;

/// Whose token a request carries.
///
/// # Errors
///
/// [`ProblemType::Unauthorized`] when it carries none that is known and in force.
pub fn authenticate(tokens: &Tokens, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Problem> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(bearer) else {
        return Err(unauthorized("send a token in the header `Authorization: Bearer …`"));
    };
    tokens.authenticate(token, now).ok_or_else(|| unauthorized("the token is not known, expired or revoked"))
}

/// Refuses a caller that does not see the account.
///
/// # Errors
///
/// [`ProblemType::NotFound`], the same as when there is no such account.
pub fn require_account(caller: &Caller, account: &str) -> Result<(), Problem> {
    if caller.can_access(account) { Ok(()) } else { Err(Problem::not_found("account", account)) }
}

/// Refuses a caller that is bound to accounts.
///
/// # Errors
///
/// [`ProblemType::Forbidden`], if so.
pub fn require_all_accounts(caller: &Caller) -> Result<(), Problem> {
    if caller.can_access_all() {
        return Ok(());
    }
    Err(Problem::new(
        ProblemType::Forbidden,
        "the token is bound to accounts; this concerns the host as a whole",
    ))
}

/// The token of `Bearer …`; the word may be written in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized(detail: &str) -> Problem {
    let mut problem = Problem::new(ProblemType::Unauthorized, detail);
    problem.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    problem
}
