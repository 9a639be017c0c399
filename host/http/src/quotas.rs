//! How much one person, token or account may have the host keep: one that is used up is a 429, and nothing else suffers.

use perennial_domain::bundle::Resource;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::import_report::ImportReport;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits::Limit;
use perennial_service::limits::Limits;
use perennial_service::writer::WriterContext;
use perennial_store::ReadTx;
use perennial_store::keys::AccountKey;
use perennial_store::quotas;
use perennial_store::quotas::PolicyUsage;
use perennial_store::quotas::RevisionUsage;

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
    (limits, at): (&Limits, Timestamp),
    creation: Creation,
) -> Result<(), Problem> {
    let usage = quotas::person_usage(db, &caller.owner, at)?;
    match creation {
        Creation::Job(items) => {
            let items = i64::try_from(items).unwrap_or(i64::MAX);
            check(limits, Limit::jobs_per_person_max(), "jobs that are kept", usage.jobs + 1)?;
            let items = usage.job_items.saturating_add(items);
            check(limits, Limit::job_items_per_person_max(), "items of jobs that are kept", items)
        }
        Creation::Calendar => check(
            limits,
            Limit::calendars_per_person_max(),
            "calendars, those revoked within a day among them",
            usage.calendars + 1,
        ),
        Creation::Webhook => check(limits, Limit::webhooks_per_person_max(), "webhooks", usage.webhooks + 1),
        Creation::Channel => check(limits, Limit::channels_per_person_max(), "channels", usage.channels + 1),
        Creation::Token => check(
            limits,
            Limit::tokens_per_person_max(),
            "tokens, those revoked within a day among them",
            usage.tokens + 1,
        ),
    }
}

/// Checks that one more job of the caller's person may run.
///
/// # Errors
///
/// [`ProblemType::TooManyRequests`] when as many run as may.
pub(crate) fn check_running_jobs(db: &ReadTx, caller: &Caller, limits: &Limits) -> Result<(), Problem> {
    let limit = Limit::running_jobs_per_person_max();
    let running = quotas::running_jobs(db, &caller.owner)?;
    if running < limits.running_jobs_per_person_max {
        return Ok(());
    }
    let detail =
        format!("a person has at most {running} jobs running: wait for one to end, or raise {limit}");
    Err(Problem::new(ProblemType::TooManyRequests, detail).retry_after(10))
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
    check(
        limits,
        Limit::keys_per_account_max(),
        "keys of the account, those revoked within a day among them",
        quotas::keys(db, account, at)? + 1,
    )
}

/// Checks that an account has not become too large.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when it has more resources than it may.
pub(crate) fn check_resources(db: &ReadTx, account: AccountKey, limits: &Limits) -> Result<(), Problem> {
    let found = quotas::resources(db, account)?;
    check(limits, Limit::resources_per_account_max(), "resources of the account", found)
}

/// Checks that a resource which is given tags or attributes has no more of them than it may.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when it has.
pub(crate) fn check_named(limits: &Limits, before: &Resource, after: &Resource) -> Result<(), Problem> {
    let grown = |before: usize, after: usize| if after > before { after } else { 0 };
    let tags = grown(before.tags.len(), after.tags.len());
    let attributes = grown(before.attributes.len(), after.attributes.len());
    refuse(limits.named_problem(&after.id, tags, attributes))
}

/// Checks that an import gives no resource more tags or attributes than it may have.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when it does.
pub(crate) fn check_import(limits: &Limits, report: &ImportReport) -> Result<(), Problem> {
    refuse(limits.import_problem(report))
}

/// Checks that the policies that would hold are not too many, and their scripts and calendars not too long.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when they are.
pub(crate) fn check_policies(usage: PolicyUsage, limits: &Limits) -> Result<(), Problem> {
    refuse(limits.policy_problem(usage))
}

/// Checks that one more revision of a plugin, of so many bytes, may be kept beside those that are.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when there would be too many, or too many bytes of them.
pub(crate) fn check_revision(kept: RevisionUsage, size_bytes: i64, limits: &Limits) -> Result<(), Problem> {
    let (revisions, bytes) = (kept.revisions.saturating_add(1), kept.bytes.saturating_add(size_bytes));
    let problem = limits.revision_problem(RevisionUsage { revisions, bytes });
    refuse(problem)
}

/// Checks that one more response may be kept for a token.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when as many are kept as may be.
pub(crate) fn check_answers(writer: &mut WriterContext, token: &str, limits: &Limits) -> Result<(), Problem> {
    let would_be = writer.stored_responses(token)? + 1;
    let what = "responses that are kept under idempotency keys";
    check(limits, Limit::responses_per_token_max(), what, would_be)
}

/// Checks that there would not be more of something than the limit says.
///
/// # Errors
///
/// [`ProblemType::QuotaExceeded`] when there would, with the limit's key.
pub(crate) fn check(limits: &Limits, limit: Limit, what: &str, would_be: i64) -> Result<(), Problem> {
    refuse(limit.problem(limits, what, would_be))
}

fn refuse(problem: Option<String>) -> Result<(), Problem> {
    problem.map_or(Ok(()), |detail| Err(Problem::new(ProblemType::QuotaExceeded, detail)))
}
