//! The tables `revision_difference` and `revision_trial`: what shadow revisions answered otherwise, and how often they were asked.

use perennial_domain::micros::Micros;
use perennial_domain::revision::RevisionDifference;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ResourceKey;
use crate::keys::RevisionDifferenceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A difference that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevisionDifference {
    /// When both were asked.
    pub at: Timestamp,
    /// The digest of the shadow ...
    pub digest: String,
    /// ... and of the revision that was followed.
    pub followed: String,
    /// The account in question.
    pub account: AccountKey,
    /// The resource that was named; of a timeline, the primary.
    pub resource: ResourceKey,
    /// `timeline`, or the name of the command.
    pub question: &'static str,
    /// How the answers differ.
    pub kind: RevisionDifference,
    /// The resource's expiry then.
    pub expires_before: Option<Timestamp>,
    /// The answer that was followed, in lines ...
    pub followed_answer: String,
    /// ... and that of the shadow.
    pub answer: String,
    /// What the plan that was followed costs, less what it gives back; `None` where nothing is paid.
    pub followed_cost: Option<Micros>,
    /// What that of the shadow would cost.
    pub cost: Option<Micros>,
}

/// A difference as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRevisionDifference {
    /// Its row; later ones have larger ones.
    pub row: RevisionDifferenceKey,
    /// The digest of the revision that was followed.
    pub followed: String,
    /// The account's id.
    pub account_id: String,
    /// The currency of its amounts.
    pub currency: String,
    /// The resource's id.
    pub resource_id: String,
    /// `timeline`, or the name of the command.
    pub question: String,
    /// How the answers differ.
    pub kind: RevisionDifference,
    /// The answer that was followed, in lines ...
    pub followed_answer: String,
    /// ... and that of the shadow.
    pub answer: String,
    /// What the plan that was followed costs, less what it gives back.
    pub followed_cost: Option<Micros>,
    /// What that of the shadow would cost.
    pub cost: Option<Micros>,
    /// When the question was first asked ...
    pub first_at: Timestamp,
    /// ... and last ...
    pub last_at: Timestamp,
    /// ... and how often.
    pub times: u32,
}

/// The differences of one kind, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionTotal {
    /// How the answers differ.
    pub kind: RevisionDifference,
    /// The currency of the amounts.
    pub currency: String,
    /// The number of questions.
    pub questions: u32,
    /// What the plans that were followed cost, less what they give back.
    pub followed_cost: Micros,
    /// What those of the shadow would cost.
    pub cost: Micros,
}

/// How a shadow was asked beside the revision that was followed, in one batch or in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionTrial {
    /// The digest of the shadow ...
    pub digest: String,
    /// ... and of the revision that was followed.
    pub followed: String,
    /// The number of questions.
    pub asked: u64,
    /// The questions whose answers differ, those that failed among them ...
    pub differed: u64,
    /// ... and those that the shadow gave no usable answer to.
    pub failed: u64,
    /// The fuel that the shadow's plans took ...
    pub fuel: u64,
    /// ... and those that were followed.
    pub fuel_followed: u64,
    /// The time that the shadow's calls took, in microseconds ...
    pub micros: u64,
    /// ... and those that were followed.
    pub micros_followed: u64,
    /// When it was first asked ...
    pub first_at: Timestamp,
    /// ... and last.
    pub last_at: Timestamp,
}

/// Keeps a difference; the same question, asked again, is the same difference.
pub(crate) fn record(db: &WriteTx, new: &NewRevisionDifference) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into revision_difference (digest, followed, account, resource, question, kind, expires_before,
                 followed_answer, answer, followed_cost, cost, first_at, last_at, times)
             values (:digest, :followed, :account, :resource, :question, :kind, :expires_before, :followed_answer, :answer,
                 :followed_cost, :cost, :at, :at, 1)
             on conflict (digest, resource, question, kind, coalesce(expires_before, 0))
             do update set followed = excluded.followed, followed_answer = excluded.followed_answer,
                 answer = excluded.answer, followed_cost = excluded.followed_cost, cost = excluded.cost,
                 last_at = excluded.last_at, times = times + 1",
        )?
        .execute(named_params! {
            ":digest": new.digest,
            ":followed": new.followed,
            ":account": new.account,
            ":resource": new.resource,
            ":question": new.question,
            ":kind": new.kind.code(),
            ":expires_before": new.expires_before.map(Timestamp::as_second),
            ":followed_answer": new.followed_answer,
            ":answer": new.answer,
            ":followed_cost": new.followed_cost.map(Micros::as_micros),
            ":cost": new.cost.map(Micros::as_micros),
            ":at": new.at.as_second(),
        })?;
    Ok(())
}

/// Adds what a batch took to what all of them took.
pub(crate) fn add_trial(db: &WriteTx, trial: &RevisionTrial) -> Result<(), StoreError> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    db.connection()
        .prepare_cached(
            "insert into revision_trial values (:digest, :followed, :asked, :differed, :failed, :fuel, :fuel_followed,
                 :micros, :micros_followed, :first_at, :last_at)
             on conflict (digest, followed) do update set asked = asked + excluded.asked,
                 differed = differed + excluded.differed, failed = failed + excluded.failed, fuel = fuel + excluded.fuel,
                 fuel_followed = fuel_followed + excluded.fuel_followed, micros = micros + excluded.micros,
                 micros_followed = micros_followed + excluded.micros_followed,
                 first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
        )?
        .execute(named_params! {
            ":digest": trial.digest,
            ":followed": trial.followed,
            ":asked": number(trial.asked),
            ":differed": number(trial.differed),
            ":failed": number(trial.failed),
            ":fuel": number(trial.fuel),
            ":fuel_followed": number(trial.fuel_followed),
            ":micros": number(trial.micros),
            ":micros_followed": number(trial.micros_followed),
            ":first_at": trial.first_at.as_second(),
            ":last_at": trial.last_at.as_second(),
        })?;
    Ok(())
}

/// How a revision was asked in shadow, beside each revision that was followed.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn trials(db: &ReadTx, digest: &str) -> Result<Vec<RevisionTrial>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select * from revision_trial where digest = ?1 order by last_at, followed")?;
    let trials = statement.query_map([digest], |row| {
        Ok(RevisionTrial {
            digest: row.get("digest")?,
            followed: row.get("followed")?,
            asked: count(row, "asked")?,
            differed: count(row, "differed")?,
            failed: count(row, "failed")?,
            fuel: count(row, "fuel")?,
            fuel_followed: count(row, "fuel_followed")?,
            micros: count(row, "micros")?,
            micros_followed: count(row, "micros_followed")?,
            first_at: Timestamp::from_second(row.get("first_at")?),
            last_at: Timestamp::from_second(row.get("last_at")?),
        })
    })?;
    Ok(trials.collect::<Result<_, _>>()?)
}

/// The differences of a revision above the row `after`, in the order in which they were first found, at most `limit`.
/// `accounts` is a JSON list of the ids that one may see.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(
    db: &ReadTx,
    digest: &str,
    accounts: Option<&str>,
    after: RevisionDifferenceKey,
    limit: u32,
) -> Result<Vec<StoredRevisionDifference>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select d.*, a.id as account_id, a.currency, r.id as resource_id from revision_difference d
         join account a on a.row = d.account join resource r on r.row = d.resource
         where d.digest = :digest and d.row > :after
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
         order by d.row limit :limit",
    )?;
    let differences = statement.query_and_then(
        named_params! { ":digest": digest, ":after": after, ":accounts": accounts, ":limit": limit },
        stored,
    )?;
    differences.collect()
}

/// The same, by kind and currency, in the order of the kinds.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn totals(db: &ReadTx, digest: &str, accounts: Option<&str>) -> Result<Vec<RevisionTotal>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select d.kind, a.currency, count(*) as questions, sum(d.followed_cost) as followed_cost, sum(d.cost) as cost
         from revision_difference d join account a on a.row = d.account
         where d.digest = :digest and (:accounts is null or a.id in (select value from json_each(:accounts)))
         group by d.kind, a.currency order by d.kind, a.currency",
    )?;
    let totals =
        statement.query_and_then(named_params! { ":digest": digest, ":accounts": accounts }, |row| {
            let sum = |name| Ok::<_, StoreError>(row.get::<_, Option<i64>>(name)?.unwrap_or_default());
            Ok(RevisionTotal {
                kind: codec::coded(RevisionDifference::from_code, row.get("kind")?, "a difference")?,
                currency: row.get("currency")?,
                questions: row.get("questions")?,
                followed_cost: Micros::new(sum("followed_cost")?),
                cost: Micros::new(sum("cost")?),
            })
        })?;
    totals.collect()
}

/// Of each kind and currency at most `each` differences: those whose answers differ by the most money first, then in the order in
/// which they were first found.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn examples(
    db: &ReadTx,
    digest: &str,
    accounts: Option<&str>,
    each: u32,
) -> Result<Vec<StoredRevisionDifference>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from (
             select d.*, a.id as account_id, a.currency, r.id as resource_id, row_number() over (
                 partition by d.kind, a.currency
                 order by abs(coalesce(d.cost, 0) - coalesce(d.followed_cost, 0)) desc, d.row) as place
             from revision_difference d
             join account a on a.row = d.account join resource r on r.row = d.resource
             where d.digest = :digest and (:accounts is null or a.id in (select value from json_each(:accounts))))
         where place <= :each order by kind, currency, place",
    )?;
    let examples = statement
        .query_and_then(named_params! { ":digest": digest, ":accounts": accounts, ":each": each }, stored)?;
    examples.collect()
}

/// Whether a difference was last found before an instant.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn has_before(db: &ReadTx, before: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select exists (select 1 from revision_difference where last_at < ?1)")?;
    Ok(statement.query_row([before.as_second()], |row| row.get(0))?)
}

/// Deletes the differences that were last found before `before`, the oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete_before(db: &WriteTx, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from revision_difference where row in
                 (select row from revision_difference where last_at < ?1 order by last_at limit ?2)",
        )?
        .execute((before.as_second(), limit))?;
    Ok(())
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

fn stored(row: &Row<'_>) -> Result<StoredRevisionDifference, StoreError> {
    let amount = |name| Ok::<_, StoreError>(row.get::<_, Option<i64>>(name)?.map(Micros::new));
    Ok(StoredRevisionDifference {
        row: row.get("row")?,
        followed: row.get("followed")?,
        account_id: row.get("account_id")?,
        currency: row.get("currency")?,
        resource_id: row.get("resource_id")?,
        question: row.get("question")?,
        kind: codec::coded(RevisionDifference::from_code, row.get("kind")?, "a difference")?,
        followed_answer: row.get("followed_answer")?,
        answer: row.get("answer")?,
        followed_cost: amount("followed_cost")?,
        cost: amount("cost")?,
        first_at: Timestamp::from_second(row.get("first_at")?),
        last_at: Timestamp::from_second(row.get("last_at")?),
        times: row.get("times")?,
    })
}
