//! How much a person or an account has the host keep. Decides nothing.

use perennial_domain::timestamp::Timestamp;
use rusqlite::ToSql;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;

/// What a person has the host keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonUsage {
    /// Jobs, ended ones included.
    pub jobs: i64,
    /// The items of those.
    pub job_items: i64,
    /// The number of calendars that are in force, or were within the last day.
    pub calendars: i64,
    /// The number of webhooks.
    pub webhooks: i64,
    /// The number of channels.
    pub channels: i64,
    /// The number of tokens that are not revoked, or were so within the last day.
    pub tokens: i64,
}

/// How long something that was revoked counts, in seconds: a day, so that nobody makes and revokes without end.
const REVOKED_COUNTS: i64 = 86_400;

/// What the tokens of `person` have made and is still kept, `at` being the present.
pub fn person_usage(db: &ReadTx, person: &str, at: Timestamp) -> Result<PersonUsage, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "with mine as (select id from api_token where owner = ?1)
         select (select count(*) from job where api_token in mine),
                (select coalesce(sum(item_count), 0) from job where api_token in mine),
                (select count(*) from calendar
                 where created_by in mine and (revoked_at is null or revoked_at > ?2)),
                (select count(*) from webhook where created_by in mine),
                (select count(*) from channel where created_by in mine),
                (select count(*) from api_token where owner = ?1 and (revoked_at is null or revoked_at > ?2))",
    )?;
    Ok(statement.query_row((person, (at - REVOKED_COUNTS).as_second()), |row| {
        Ok(PersonUsage {
            jobs: row.get(0)?,
            job_items: row.get(1)?,
            calendars: row.get(2)?,
            webhooks: row.get(3)?,
            channels: row.get(4)?,
            tokens: row.get(5)?,
        })
    })?)
}

/// How many jobs of a person run; the command line is a person, too.
pub fn running_jobs(db: &ReadTx, person: &str) -> Result<i64, StoreError> {
    let sql = "select count(*) from job where state = 'running'
               and (api_token = ?1 or api_token in (select id from api_token where owner = ?1))";
    count(db, sql, person)
}

/// How many responses are kept under the idempotency keys of a token.
pub fn stored_responses(db: &ReadTx, token: &str) -> Result<i64, StoreError> {
    count(db, "select count(*) from idempotency_key where api_token = ?1", token)
}

/// How many keys of its provider's own API an account has that are in force at `at`, or were revoked within the day before.
pub fn keys(db: &ReadTx, account: AccountKey, at: Timestamp) -> Result<i64, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select count(*) from provider_key
         where account = ?1 and (revoked_at > ?3 or revoked_at is null and (expires_at is null or expires_at > ?2))",
    )?;
    let since = (at - REVOKED_COUNTS).as_second();
    Ok(statement.query_row((account, at.as_second(), since), |row| row.get(0))?)
}

/// How many resources an account has.
pub fn resources(db: &ReadTx, account: AccountKey) -> Result<i64, StoreError> {
    count(db, "select count(*) from resource where account = ?1", account)
}

/// What the policies that hold take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyUsage {
    /// How many there are, shadow policies included.
    pub policies: i64,
    /// The bytes of their scripts, and of the names and days of the calendars that they ask for.
    pub bytes: i64,
}

/// What the policies that hold take.
pub fn policies(db: &ReadTx) -> Result<PolicyUsage, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select (select count(*) from policy),
                (select coalesce(sum(octet_length(source)), 0) from policy join policy_script using (digest))
                + (select coalesce(sum(octet_length(name) + octet_length(days)), 0) from policy_calendar)",
    )?;
    Ok(statement.query_row([], |row| Ok(PolicyUsage { policies: row.get(0)?, bytes: row.get(1)? }))?)
}

/// What the revisions of plugins that are kept take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionUsage {
    /// How many there are.
    pub revisions: i64,
    /// The bytes of their components, each once, and of their tables.
    pub bytes: i64,
}

/// What the revisions of plugins that are kept take.
pub fn revisions(db: &ReadTx) -> Result<RevisionUsage, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select (select count(*) from plugin_revision),
                (select coalesce(sum(length(bytes)), 0) from plugin_component)
                + (select coalesce(sum(octet_length(source)), 0) from plugin_revision)",
    )?;
    Ok(statement.query_row([], |row| Ok(RevisionUsage { revisions: row.get(0)?, bytes: row.get(1)? }))?)
}

fn count(db: &ReadTx, sql: &str, of: impl ToSql) -> Result<i64, StoreError> {
    Ok(db.connection().prepare_cached(sql)?.query_row([of], |row| row.get(0))?)
}
