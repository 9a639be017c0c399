//! The `job`, `job_item` and `job_tally` tables: commands over many resources, and what became of each.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::words;

/// A job as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The command, as decisions have it.
    pub command: String,
    /// Whether it is only looked at.
    pub is_dry_run: bool,
    /// The row of the dry run whose plans are carried out.
    pub planned_by: Option<i64>,
    /// How many items it has.
    pub total: u32,
    /// Whether more passed the filter than it takes.
    pub has_more: bool,
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
    /// Its row.
    pub row: i64,
    /// As it began.
    pub began: NewJob,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// Why it was cancelled.
    pub why: Option<String>,
    /// The place of the next item to look at.
    pub next_place: u32,
    /// When its first item was looked at.
    pub started_at: Option<Timestamp>,
    /// Since when it is not running.
    pub ended_at: Option<Timestamp>,
}

/// An item as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// The id that was asked for.
    pub resource: String,
    /// What its plan has to be, a hash.
    pub planned: Option<String>,
    /// Its answer, if nothing is to be done about it.
    pub answered: Option<Answered>,
}

/// What became of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// In a word.
    pub answer: String,
    /// The code of a refusal or the type of a problem.
    pub code: Option<String>,
    /// In words.
    pub message: Option<String>,
    /// What it cost, in the account's currency.
    pub spent: Option<Spent>,
    /// Of a dry run, what its plan is, a hash.
    pub planned: Option<String>,
    /// Of a dry run, its plan as clients are shown it.
    pub plan: Option<String>,
}

/// Money of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The currency.
    pub currency: String,
    /// What was paid.
    pub cost: Micros,
    /// What came back.
    pub refund: Micros,
}

/// An item as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its place in the job, from 0.
    pub place: u32,
    /// The id that was asked for.
    pub resource: String,
    /// What its plan has to be or, of a dry run, is: a hash.
    pub planned: Option<String>,
    /// What became of it, and when; `None` as long as nothing has.
    pub answered: Option<(Timestamp, Answered)>,
}

/// How many items of a job have an answer, and what they cost in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The answer.
    pub answer: String,
    /// The currency; empty when nothing was paid.
    pub currency: String,
    /// How many.
    pub items: u32,
    /// What they cost.
    pub cost: Micros,
    /// What came back.
    pub refund: Micros,
}

/// Adds a job with its items, and returns its row.
pub fn insert(db: &Connection, job: &NewJob, items: &[NewItem]) -> Result<i64, StoreError> {
    db.prepare_cached(
        "insert into job (command, is_dry_run, planned_by, state, total, next_place, has_more, token, name, accounts,
             request, reason, created_at)
         values (:command, :is_dry_run, :planned_by, 'running', :total, 0, :has_more, :token, :name, :accounts,
             :request, :reason, :created_at)",
    )?
    .execute(named_params! {
        ":command": job.command,
        ":is_dry_run": job.is_dry_run,
        ":planned_by": job.planned_by,
        ":total": job.total,
        ":has_more": job.has_more,
        ":token": job.token,
        ":name": job.name,
        ":accounts": job.accounts,
        ":request": job.request,
        ":reason": job.reason,
        ":created_at": job.created_at.as_second(),
    })?;
    let row = db.last_insert_rowid();
    let mut insert =
        db.prepare_cached("insert into job_item (job, place, resource, planned) values (?1, ?2, ?3, ?4)")?;
    for (place, item) in (0_u32..).zip(items) {
        insert.execute((row, place, &item.resource, &item.planned))?;
        if let Some(answered) = &item.answered {
            answer(db, row, place, job.created_at, answered)?;
        }
    }
    Ok(row)
}

/// Writes down what became of an item.
pub fn answer(
    db: &Connection,
    job: i64,
    place: u32,
    at: Timestamp,
    answered: &Answered,
) -> Result<(), StoreError> {
    let spent = answered.spent.as_ref();
    let currency = spent.map(|spent| spent.currency.as_str());
    let cost = spent.map_or(Micros::ZERO, |spent| spent.cost).as_micros();
    let refund = spent.map_or(Micros::ZERO, |spent| spent.refund).as_micros();
    db.prepare_cached(
        "update job_item set answer = :answer, at = :at, code = :code, message = :message, currency = :currency,
             cost = :cost, refund = :refund, planned = coalesce(:planned, planned), plan = :plan
         where job = :job and place = :place",
    )?
    .execute(named_params! {
        ":job": job,
        ":place": place,
        ":answer": answered.answer,
        ":at": at.as_second(),
        ":code": answered.code,
        ":message": answered.message,
        ":currency": currency,
        ":cost": cost,
        ":refund": refund,
        ":planned": answered.planned,
        ":plan": answered.plan,
    })?;
    db.prepare_cached(
        "insert into job_tally (job, answer, currency, items, cost, refund)
         values (:job, :answer, :currency, 1, :cost, :refund)
         on conflict (job, answer, currency)
         do update set items = items + 1, cost = cost + excluded.cost, refund = refund + excluded.refund",
    )?
    .execute(named_params! {
        ":job": job,
        ":answer": answered.answer,
        ":currency": currency.unwrap_or_default(),
        ":cost": cost,
        ":refund": refund,
    })?;
    Ok(())
}

/// Says that every item before `next_place` has its answer. When that is all of them, the job is done.
pub fn advance(db: &Connection, job: i64, next_place: u32, at: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "update job set next_place = :next_place, started_at = coalesce(started_at, :at),
             state = iif(:next_place = total, 'done', state), ended_at = iif(:next_place = total, :at, null)
         where row = :job",
    )?
    .execute(named_params! { ":job": job, ":next_place": next_place, ":at": at.as_second() })?;
    Ok(())
}

/// Cancels a job if it is running, and says why.
pub fn cancel(db: &Connection, job: i64, why: &str, at: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "update job set state = 'cancelled', why = ?2, ended_at = ?3 where row = ?1 and state = 'running'",
    )?
    .execute((job, why, at.as_second()))?;
    Ok(())
}

/// The job at `row`.
pub fn get(db: &Connection, row: i64) -> Result<Option<StoredJob>, StoreError> {
    let mut statement = db.prepare_cached("select * from job where row = ?1")?;
    Ok(statement.query_row([row], stored).optional()?)
}

/// The first running job above the row `after`, else the first one of all.
pub fn next_running(db: &Connection, after: i64) -> Result<Option<StoredJob>, StoreError> {
    let mut statement =
        db.prepare_cached("select * from job where state = 'running' order by row <= ?1, row limit 1")?;
    Ok(statement.query_row([after], stored).optional()?)
}

/// How many jobs are running: those of the token called `token`, or all of them.
pub fn running(db: &Connection, token: Option<&str>) -> Result<u32, StoreError> {
    let mut statement =
        db.prepare_cached("select count(*) from job where state = 'running' and (?1 is null or token = ?1)")?;
    Ok(statement.query_row([token], |row| row.get(0))?)
}

/// How many items of running jobs have no answer yet.
pub fn waiting(db: &Connection) -> Result<i64, StoreError> {
    let mut statement =
        db.prepare_cached("select coalesce(sum(total - next_place), 0) from job where state = 'running'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Jobs below `before` in rows, newest first, at most `limit`; only those of tokens that see nothing outside `accounts`,
/// a JSON list, unless that is `None`.
pub fn list(
    db: &Connection,
    accounts: Option<&str>,
    before: i64,
    limit: u32,
) -> Result<Vec<StoredJob>, StoreError> {
    let mut statement = db.prepare_cached(
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
pub fn accounts(db: &Connection, job: i64) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare_cached(
        "select distinct a.id
         from job_item i join resource r on r.id = i.resource join account a on a.row = r.account
         where i.job = ?1 order by a.id",
    )?;
    let accounts = statement.query_map([job], |row| row.get(0))?;
    Ok(accounts.collect::<Result<_, _>>()?)
}

/// A job's items from the place `from` on, at most `limit`. With an answer, only those that have it; those that have none
/// count as having the one that stands beside it.
pub fn items(
    db: &Connection,
    job: i64,
    answer: Option<(&str, &str)>,
    from: i64,
    limit: u32,
) -> Result<Vec<StoredItem>, StoreError> {
    let mut statement = db.prepare_cached(
        "select * from job_item
         where job = :job and place >= :from and (:answer is null or coalesce(answer, :otherwise) = :answer)
         order by place limit :limit",
    )?;
    let items = statement.query_map(
        named_params! {
            ":job": job,
            ":answer": answer.map(|(answer, _)| answer),
            ":otherwise": answer.map(|(_, otherwise)| otherwise),
            ":from": from,
            ":limit": limit,
        },
        item,
    )?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// How many items of a job have which answer.
pub fn tallies(db: &Connection, job: i64) -> Result<Vec<Tally>, StoreError> {
    let mut statement =
        db.prepare_cached("select * from job_tally where job = ?1 order by answer, currency")?;
    let tallies = statement.query_map([job], |row| {
        Ok(Tally {
            answer: row.get("answer")?,
            currency: row.get("currency")?,
            items: row.get("items")?,
            cost: Micros::new(row.get("cost")?),
            refund: Micros::new(row.get("refund")?),
        })
    })?;
    Ok(tallies.collect::<Result<_, _>>()?)
}

/// Deletes the oldest job if it ended before `before`: one at a time, so that nobody waits long.
pub fn delete_oldest(db: &Connection, before: Timestamp) -> Result<(), StoreError> {
    let row: Option<i64> = db
        .prepare_cached("select row from job where ended_at < ?1 order by row limit 1")?
        .query_row([before.as_second()], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(()) };
    for statement in [
        "delete from job_item where job = ?1",
        "delete from job_tally where job = ?1",
        "delete from job where row = ?1",
    ] {
        db.prepare_cached(statement)?.execute([row])?;
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredJob> {
    Ok(StoredJob {
        row: row.get("row")?,
        began: NewJob {
            command: row.get("command")?,
            is_dry_run: row.get("is_dry_run")?,
            planned_by: row.get("planned_by")?,
            total: row.get("total")?,
            has_more: row.get("has_more")?,
            token: row.get("token")?,
            name: row.get("name")?,
            accounts: row.get("accounts")?,
            request: row.get("request")?,
            reason: row.get("reason")?,
            created_at: Timestamp::from_second(row.get("created_at")?),
        },
        state: row.get("state")?,
        why: row.get("why")?,
        next_place: row.get("next_place")?,
        started_at: words::instant(row, "started_at")?,
        ended_at: words::instant(row, "ended_at")?,
    })
}

fn item(row: &Row<'_>) -> rusqlite::Result<StoredItem> {
    let currency: Option<String> = row.get("currency")?;
    let planned: Option<String> = row.get("planned")?;
    let (cost, refund) = (Micros::new(row.get("cost")?), Micros::new(row.get("refund")?));
    let answer: Option<String> = row.get("answer")?;
    let answered = match answer {
        Some(answer) => Some((
            Timestamp::from_second(row.get("at")?),
            Answered {
                answer,
                code: row.get("code")?,
                message: row.get("message")?,
                spent: currency.map(|currency| Spent { currency, cost, refund }),
                planned: planned.clone(),
                plan: row.get("plan")?,
            },
        )),
        None => None,
    };
    Ok(StoredItem { place: row.get("place")?, resource: row.get("resource")?, planned, answered })
}

/// How many items of a job have which answer, in whatever currency.
pub fn counts(tallies: &[Tally]) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for tally in tallies {
        *counts.entry(tally.answer.as_str()).or_default() += tally.items;
    }
    counts
}
