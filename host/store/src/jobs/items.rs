//! The `job_item` and `job_tally` tables: the items of a job, and how many have which outcome.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::ItemPosition;
use crate::keys::JobKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An item as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// The id that was asked for.
    pub resource: String,
    /// What its plan has to be, a hash.
    pub plan_hash: Option<String>,
    /// Its answer, if nothing is to be done about it.
    pub answered: Option<ItemResult>,
}

/// What became of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemResult {
    /// The outcome: one of the words in FORMATS.md.
    pub outcome: String,
    /// The code of a refusal or the type of a problem.
    pub code: Option<String>,
    /// The reason, in words.
    pub message: Option<String>,
    /// What it cost, in the account's currency.
    pub cost: Option<ItemCost>,
    /// Of a dry run, what its plan is, a hash.
    pub plan_hash: Option<String>,
    /// Of a dry run, its plan as clients are shown it.
    pub plan: Option<String>,
}

/// Money of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemCost {
    /// The currency of the amount.
    pub currency: String,
    /// The amount that was paid.
    pub cost: Micros,
    /// The amount that was given back.
    pub refund: Micros,
}

/// An item as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its position in the job, from 0.
    pub position: ItemPosition,
    /// The id that was asked for.
    pub resource: String,
    /// What its plan has to be or, of a dry run, is: a hash.
    pub plan_hash: Option<String>,
    /// What became of it, and when; `None` as long as nothing has.
    pub answered: Option<(Timestamp, ItemResult)>,
}

/// How many items of a job have an answer, and what they cost in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeCount {
    /// The name of the outcome.
    pub outcome: String,
    /// The currency; empty when nothing was paid.
    pub currency: String,
    /// The number of items.
    pub items: u32,
    /// The amount that the items cost.
    pub cost: Micros,
    /// The amount that was given back.
    pub refund: Micros,
}

/// Writes down what became of an item.
pub fn record_result(
    db: &WriteTx,
    job: JobKey,
    position: ItemPosition,
    at: Timestamp,
    answered: &ItemResult,
) -> Result<(), StoreError> {
    let spent = answered.cost.as_ref();
    let currency = spent.map(|spent| spent.currency.as_str());
    let cost = spent.map_or(Micros::ZERO, |spent| spent.cost).as_micros();
    let refund = spent.map_or(Micros::ZERO, |spent| spent.refund).as_micros();
    db.connection().prepare_cached(
        "update job_item set outcome = :outcome, finished_at = :finished_at, code = :code, message = :message, currency = :currency,
             cost = :cost, refund = :refund, plan_hash = coalesce(:plan_hash, plan_hash), plan = :plan
         where job = :job and position = :position",
    )?
    .execute(named_params! {
        ":job": job,
        ":position": position,
        ":outcome": answered.outcome,
        ":finished_at": at.as_second(),
        ":code": answered.code,
        ":message": answered.message,
        ":currency": currency,
        ":cost": cost,
        ":refund": refund,
        ":plan_hash": answered.plan_hash,
        ":plan": answered.plan,
    })?;
    db.connection()
        .prepare_cached(
            "insert into job_tally (job, outcome, currency, items, cost, refund)
         values (:job, :outcome, :currency, 1, :cost, :refund)
         on conflict (job, outcome, currency)
         do update set items = items + 1, cost = cost + excluded.cost, refund = refund + excluded.refund",
        )?
        .execute(named_params! {
            ":job": job,
            ":outcome": answered.outcome,
            ":currency": currency.unwrap_or_default(),
            ":cost": cost,
            ":refund": refund,
        })?;
    Ok(())
}

/// A job's items from the position `from` on, at most `limit`. With an answer, only those that have it; those that have none
/// count as having the one that stands beside it.
pub fn items(
    db: &ReadTx,
    job: JobKey,
    outcome: Option<(&str, &str)>,
    from: ItemPosition,
    limit: u32,
) -> Result<Vec<StoredItem>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from job_item
         where job = :job and position >= :from and (:outcome is null or coalesce(outcome, :otherwise) = :outcome)
         order by position limit :limit",
    )?;
    let items = statement.query_map(
        named_params! {
            ":job": job,
            ":outcome": outcome.map(|(outcome, _)| outcome),
            ":otherwise": outcome.map(|(_, otherwise)| otherwise),
            ":from": from,
            ":limit": limit,
        },
        item,
    )?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// How many items of a job have which answer.
pub fn outcome_counts(db: &ReadTx, job: JobKey) -> Result<Vec<OutcomeCount>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from job_tally where job = ?1 order by outcome, currency")?;
    let tallies = statement.query_map([job], |row| {
        Ok(OutcomeCount {
            outcome: row.get("outcome")?,
            currency: row.get("currency")?,
            items: row.get("items")?,
            cost: Micros::new(row.get("cost")?),
            refund: Micros::new(row.get("refund")?),
        })
    })?;
    Ok(tallies.collect::<Result<_, _>>()?)
}

fn item(row: &Row<'_>) -> rusqlite::Result<StoredItem> {
    let currency: Option<String> = row.get("currency")?;
    let plan_hash: Option<String> = row.get("plan_hash")?;
    let (cost, refund) = (Micros::new(row.get("cost")?), Micros::new(row.get("refund")?));
    let outcome: Option<String> = row.get("outcome")?;
    let answered = match outcome {
        Some(outcome) => Some((
            Timestamp::from_second(row.get("finished_at")?),
            ItemResult {
                outcome,
                code: row.get("code")?,
                message: row.get("message")?,
                cost: currency.map(|currency| ItemCost { currency, cost, refund }),
                plan_hash: plan_hash.clone(),
                plan: row.get("plan")?,
            },
        )),
        None => None,
    };
    Ok(StoredItem { position: row.get("position")?, resource: row.get("resource")?, plan_hash, answered })
}

/// How many items of a job have which answer, in whatever currency.
pub fn counts(tallies: &[OutcomeCount]) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for tally in tallies {
        *counts.entry(tally.outcome.as_str()).or_default() += tally.items;
    }
    counts
}
