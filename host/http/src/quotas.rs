//! How much one person, token or account may have the host keep: one that is used up is a 429, and nothing else suffers.

use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits;
use perennial_service::limits::Limits;
use perennial_service::writer::WriterContext;
use perennial_store::ReadTx;
use perennial_store::keys::AccountKey;
use perennial_store::quotas;
use perennial_store::quotas::PolicyUsage;

use crate::problem::Problem;
use crate::problem::ProblemType;

/// Something that a person creates and may have only so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// A job of so many items.
    Job(usize),
    /// A calendar with an address of its own.
    Calendar,
    /// A webhook that events are sent to.
    Webhook,
    /// A channel that people are told of events through.
    Channel,
    /// An admin token.
    Token,
}

/// Checks that the caller may make one more.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when the person has as many as they may.
pub(crate) fn check_person(
    db: &ReadTx,
    caller: &Caller,
    limits: &Limits,
    creation: Creation,
) -> Result<(), Problem> {
    let usage = quotas::person_usage(db, &caller.owner)?;
    match creation {
        Creation::Job(items) => {
            let items = i64::try_from(items).unwrap_or(i64::MAX);
            check("jobs that are kept", usage.jobs + 1, limits.jobs_per_person_max)?;
            let items = usage.job_items.saturating_add(items);
            check("items of jobs that are kept", items, limits.job_items_per_person_max)
        }
        Creation::Calendar => check("calendars", usage.calendars + 1, limits.calendars_per_person_max),
        Creation::Webhook => check("webhooks", usage.webhooks + 1, limits.webhooks_per_person_max),
        Creation::Channel => check("channels", usage.channels + 1, limits.channels_per_person_max),
        Creation::Token => check("tokens", usage.tokens + 1, limits.tokens_per_person_max),
    }
}

/// Checks that an account may have one more key.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when it has as many as it may.
pub(crate) fn check_keys(
    db: &ReadTx,
    account: AccountKey,
    limits: &Limits,
    at: Timestamp,
) -> Result<(), Problem> {
    check("keys of the account", quotas::keys(db, account, at)? + 1, limits.keys_per_account_max)
}

/// Checks that an account has not become too large.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when it has more resources than it may.
pub(crate) fn check_resources(db: &ReadTx, account: AccountKey, limits: &Limits) -> Result<(), Problem> {
    check("resources of the account", quotas::resources(db, account)?, limits.resources_per_account_max)
}

/// Checks that the policies that would hold are not too many, and their scripts and calendars not too long.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when they are.
pub(crate) fn check_policies(usage: PolicyUsage, limits: &Limits) -> Result<(), Problem> {
    let problem = limits.policy_problem(usage);
    problem.map_or(Ok(()), |detail| Err(Problem::new(ProblemType::QuotaExceeded, detail)))
}

/// Checks that one more response may be kept for a token.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when as many are kept as may be.
pub(crate) fn check_answers(writer: &mut WriterContext, token: &str, most: i64) -> Result<(), Problem> {
    check("responses that are kept under idempotency keys", writer.stored_responses(token)? + 1, most)
}

fn check(what: &str, would_be: i64, most: i64) -> Result<(), Problem> {
    let problem = limits::quota_problem(what, would_be, most);
    problem.map_or(Ok(()), |detail| Err(Problem::new(ProblemType::QuotaExceeded, detail)))
}
