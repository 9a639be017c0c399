//! A provider's error codes, as one table that says what each proves.
//!
//! A code that the provider's documents do not name proves nothing: nobody may assume that nothing was done.

use crate::Refusal;
use crate::connector::Decline;
use crate::connector::DeclineClass;
use crate::connector::Outcome;
use crate::connector::QueryFailure;
use crate::connector::QueryFailureReason;
use crate::connector::ReceivedResponse;
use crate::connector::response;

/// What a code says of the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing was done, for this class of reason.
    Declined(DeclineClass),
    /// The same, and an order waits to be paid, or may.
    Unpaid(DeclineClass),
    /// What was asked for is so already.
    Done,
    /// The key or its signature is not accepted.
    Credentials,
    /// The key may not do this.
    Permission,
    /// Too many requests.
    Throttled,
    /// It failed inside the provider, and nobody knows how far it had come.
    Unknown,
}

/// A code, and what it means.
pub type Row = (&'static str, Meaning);

/// What a code means in a table; `None` when the documents do not name it.
pub fn find(table: &[Row], code: &str) -> Option<Meaning> {
    table.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// What a refusal proves about a mutation.
pub fn outcome(meaning: Option<Meaning>, refusal: Refusal, retry_after: Option<u32>) -> Outcome {
    let decline = |class, refusal, has_unpaid_order| {
        Outcome::Declined(Decline { class, refusal, retry_after, has_unpaid_order })
    };
    match meaning {
        Some(Meaning::Declined(class)) => decline(class, refusal, false),
        Some(Meaning::Unpaid(class)) => decline(class, refusal, true),
        Some(Meaning::Done) => Outcome::Applied(crate::connector::Receipt { orders: Vec::new() }),
        Some(Meaning::Credentials | Meaning::Permission) => decline(DeclineClass::Provider, refusal, false),
        Some(Meaning::Throttled) => decline(DeclineClass::Throttled, refusal, false),
        Some(Meaning::Unknown) | None => Outcome::InDoubt(format!("{}: {}", refusal.code, refusal.message)),
    }
}

/// Why a query has no answer.
pub fn query_failure(meaning: Option<Meaning>, refusal: Refusal, retry_after: Option<u32>) -> QueryFailure {
    let reason = match meaning {
        Some(Meaning::Credentials) => QueryFailureReason::Credentials,
        Some(Meaning::Permission) => QueryFailureReason::Permission,
        Some(Meaning::Throttled | Meaning::Declined(DeclineClass::Throttled)) => {
            QueryFailureReason::Throttled
        }
        Some(Meaning::Unknown | Meaning::Declined(DeclineClass::Provider)) => QueryFailureReason::Provider,
        Some(Meaning::Declined(_) | Meaning::Unpaid(_) | Meaning::Done) | None => QueryFailureReason::Refused,
    };
    QueryFailure { reason, refusal, retry_after }
}

/// Checks that a response answers a query; `refusal` is what the provider says in it, in its own shape.
///
/// # Errors
///
/// Why it has no answer: by the code, where there is one, and else by the status.
pub fn check(
    table: &[Row],
    refusal: Option<Refusal>,
    response: &ReceivedResponse,
) -> Result<(), QueryFailure> {
    let retry_after = response::retry_after(response);
    match refusal {
        Some(refusal) => Err(query_failure(find(table, &refusal.code), refusal, retry_after)),
        None if response::is_success(response) => Ok(()),
        None => {
            let reason = match response.status {
                401 => QueryFailureReason::Credentials,
                403 => QueryFailureReason::Permission,
                429 => QueryFailureReason::Throttled,
                500.. => QueryFailureReason::Provider,
                _ => QueryFailureReason::Unreadable,
            };
            let refusal = Refusal { code: response.status.to_string(), message: response::shown(response) };
            Err(QueryFailure { reason, refusal, retry_after })
        }
    }
}
