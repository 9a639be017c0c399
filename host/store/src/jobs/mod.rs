//! The `job`, `job_item` and `job_tally` tables: commands over many resources, and what became of each.

mod items;

use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::ItemPosition;
use crate::keys::JobKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

pub use items::ItemCost;
pub use items::ItemResult;
pub use items::NewItem;
pub use items::OutcomeCount;
pub use items::StoredItem;
pub use items::counts;
pub use items::items;
pub use items::outcome_counts;
pub use items::record_result;

/// A job as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The command, as decisions have it.
    pub command: String,
    /// Whether it is only looked at.
    pub is_dry_run: bool,
    /// The row of the dry run whose plans are carried out.
    pub from_dry_run: Option<JobKey>,
    /// How many items it has.
    pub total: u32,
    /// Whether more passed the filter than it takes.
    pub has_more: bool,
    /// How many more ids of unknown resources it named.
    pub unknown_ids: u32,
    /// The id of the token whose it is.
    pub token: String,
    /// What the token is called.
    pub name: String,
    /// The accounts that the token sees, a JSON list; `None` is all of them.
    pub accounts: Option<String>,
    /// The id of the request that asked for it.
    pub request: String,
    /// Why, if they said.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A job as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// The row of the job.
    pub row: JobKey,
    /// The job as it was created.
    pub began: NewJob,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// The position of the next item to look at.
    pub next_position: ItemPosition,
    /// When its first item was looked at.
    pub started_at: Option<Timestamp>,
    /// Since when it is not running.
    pub ended_at: Option<Timestamp>,
}

/// Adds a job with its items, and returns its row.
pub fn insert(db: &WriteTx, job: &NewJob, items: &[NewItem]) -> Result<JobKey, StoreError> {
    db.connection().prepare_cached(
        "insert into job (command, is_dry_run, from_dry_run, state, item_count, next_position, has_more, api_token, token_name,
             accounts, request_id, reason, created_at, unknown_ids)
         values (:command, :is_dry_run, :from_dry_run, 'running', :item_count, 0, :has_more, :api_token, :token_name,
             :accounts, :request_id, :reason, :created_at, :unknown_ids)",
    )?
    .execute(named_params! {
        ":command": job.command,
        ":is_dry_run": job.is_dry_run,
        ":from_dry_run": job.from_dry_run,
        ":item_count": job.total,
        ":has_more": job.has_more,
        ":unknown_ids": job.unknown_ids,
        ":api_token": job.token,
        ":token_name": job.name,
        ":accounts": job.accounts,
        ":request_id": job.request,
        ":reason": job.reason,
        ":created_at": job.created_at.as_second(),
    })?;
    let row: JobKey = db.last_key();
    let mut insert = db.connection().prepare_cached(
        "insert into job_item (job, position, resource, plan_hash) values (?1, ?2, ?3, ?4)",
    )?;
    for (position, item) in (0..).map(ItemPosition::new).zip(items) {
        insert.execute((row, position, &item.resource, &item.plan_hash))?;
        if let Some(answered) = &item.answered {
            record_result(db, row, position, job.created_at, answered)?;
        }
    }
    Ok(row)
}

/// Says that every item before `next_position` has its answer. When that is all of them, the job is done.
pub fn advance(
    db: &WriteTx,
    job: JobKey,
    next_position: ItemPosition,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "update job set next_position = :next_position, started_at = coalesce(started_at, :at),
             state = iif(:next_position = item_count, 'done', state), ended_at = iif(:next_position = item_count, :at, null)
         where row = :job",
    )?
    .execute(named_params! { ":job": job, ":next_position": next_position, ":at": at.as_second() })?;
    Ok(())
}

/// Cancels a job if it is running, and says why.
pub fn cancel(db: &WriteTx, job: JobKey, reason: &str, at: Timestamp) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "update job set state = 'cancelled', cancel_reason = ?2, ended_at = ?3 where row = ?1 and state = 'running'",
    )?
    .execute((job, reason, at.as_second()))?;
    Ok(())
}

/// Cancels all running jobs, and says why.
pub(crate) fn cancel_running(db: &WriteTx, reason: &str, at: Timestamp) -> Result<(), StoreError> {
    db.connection().execute(
        "update job set state = 'cancelled', cancel_reason = ?1, ended_at = ?2 where state = 'running'",
        (reason, at.as_second()),
    )?;
    Ok(())
}

/// The job at `row`.
pub fn get(db: &ReadTx, row: JobKey) -> Result<Option<StoredJob>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from job where row = ?1")?;
    Ok(statement.query_row([row], stored).optional()?)
}

/// The first running job above the row `after`, else the first one of all.
pub fn next_running(db: &ReadTx, after: JobKey) -> Result<Option<StoredJob>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from job where state = 'running' order by row <= ?1, row limit 1")?;
    Ok(statement.query_row([after], stored).optional()?)
}

/// How many jobs are running.
pub(crate) fn running(db: &ReadTx) -> Result<u32, StoreError> {
    let mut statement = db.connection().prepare_cached("select count(*) from job where state = 'running'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// How many items of running jobs have no answer yet.
pub(crate) fn count_waiting(db: &ReadTx) -> Result<i64, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select coalesce(sum(item_count - next_position), 0) from job where state = 'running'",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Jobs below `before` in rows, newest first, at most `limit`; only those of tokens that see nothing outside `accounts`,
/// a JSON list, unless that is `None`.
pub fn list(
    db: &ReadTx,
    accounts: Option<&str>,
    before: JobKey,
    limit: u32,
) -> Result<Vec<StoredJob>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from job j
         where row < :before and (:accounts is null or j.accounts is not null and not exists (
             select 1 from json_each(j.accounts) a where a.value not in (select value from json_each(:accounts))))
         order by row desc limit :limit",
    )?;
    let jobs = statement
        .query_map(named_params! { ":accounts": accounts, ":before": before, ":limit": limit }, stored)?;
    Ok(jobs.collect::<Result<_, _>>()?)
}

/// The ids of the accounts whose resources a job names.
pub fn accounts(db: &ReadTx, job: JobKey) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select distinct a.id
         from job_item i join resource r on r.id = i.resource join account a on a.row = r.account
         where i.job = ?1 order by a.id",
    )?;
    let accounts = statement.query_map([job], |row| row.get(0))?;
    Ok(accounts.collect::<Result<_, _>>()?)
}

/// Deletes the oldest job if it ended before `before`: one at a time, so that nobody waits long.
pub fn delete_oldest(db: &WriteTx, before: Timestamp) -> Result<(), StoreError> {
    let row: Option<JobKey> = db
        .connection()
        .prepare_cached("select row from job where ended_at < ?1 order by row limit 1")?
        .query_row([before.as_second()], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(()) };
    for statement in [
        "delete from job_item where job = ?1",
        "delete from job_tally where job = ?1",
        "delete from job where row = ?1",
    ] {
        db.connection().prepare_cached(statement)?.execute([row])?;
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredJob> {
    Ok(StoredJob {
        row: row.get("row")?,
        began: NewJob {
            command: row.get("command")?,
            is_dry_run: row.get("is_dry_run")?,
            from_dry_run: row.get("from_dry_run")?,
            total: row.get("item_count")?,
            has_more: row.get("has_more")?,
            unknown_ids: row.get("unknown_ids")?,
            token: row.get("api_token")?,
            name: row.get("token_name")?,
            accounts: row.get("accounts")?,
            request: row.get("request_id")?,
            reason: row.get("reason")?,
            created_at: Timestamp::from_second(row.get("created_at")?),
        },
        state: row.get("state")?,
        cancel_reason: row.get("cancel_reason")?,
        next_position: row.get("next_position")?,
        started_at: codec::instant(row, "started_at")?,
        ended_at: codec::instant(row, "ended_at")?,
    })
}
