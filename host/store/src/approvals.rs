//! The `approval` table: plans that were held, and what became of them.

use perennial_domain::approval::Held;
use perennial_domain::approval::Lapse;
use perennial_domain::approval::State;
use perennial_domain::attempt::Key;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::words;

/// A plan that was held, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// Its row; later ones have larger ones.
    pub row: i64,
    /// What people call it by.
    pub id: String,
    /// The account's row ...
    pub account: i64,
    /// ... and id.
    pub account_id: String,
    /// The row of the resource that was named ...
    pub resource: i64,
    /// ... and its id.
    pub resource_id: String,
    /// What became of it.
    pub state: State,
    /// Who asked.
    pub cause: Cause,
    /// What is held.
    pub priced: Priced,
    /// The attempt's row and key, for a renewal.
    pub attempt: Option<(i64, Key)>,
    /// The resource's expiry then.
    pub expires_before: Option<Timestamp>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By which token; `None` for the clock.
    pub asked_by: Option<String>,
    /// When it lapses, or would have.
    pub lapses_at: Timestamp,
    /// What ended it.
    pub closing: Option<Closing>,
}

/// A held plan and what it costs, as it was made last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// Equal for equal commands.
    pub command: String,
    /// What the plugin was asked, as [`perennial_formats::decision`] writes it.
    pub question: String,
    /// Its plan, likewise.
    pub answer: String,
    /// The digest of the revision that answered.
    pub revision: String,
    /// Equal as long as it would do the same for the same money.
    pub hash: String,
    /// What it costs, with what is to be paid later.
    pub cost: Micros,
    /// What the account had then.
    pub available: Micros,
}

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// The token that decided; `None` when nobody did.
    pub by: Option<String>,
    /// Why, if they said.
    pub reason: Option<String>,
    /// Why it lapsed, if it did.
    pub lapse: Option<Lapse>,
}

/// An approval that is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApproval<'a> {
    /// What people call it by.
    pub id: &'a str,
    /// The account's row.
    pub account: i64,
    /// The row of the resource that was named.
    pub resource: i64,
    /// Who asked.
    pub cause: Cause,
    /// What is held.
    pub priced: &'a Priced,
    /// The attempt's row, for a renewal.
    pub attempt: Option<i64>,
    /// The resource's expiry.
    pub expires_before: Option<Timestamp>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By which token; `None` for the clock.
    pub asked_by: Option<&'a str>,
    /// When it lapses.
    pub lapses_at: Timestamp,
}

/// Adds an open approval and returns its row.
pub fn insert(db: &Connection, new: &NewApproval<'_>) -> Result<i64, StoreError> {
    db.prepare_cached(
        "insert into approval (id, account, resource, state, cause, command, question, answer, revision, hash, cost,
             available, attempt, expires_before, asked_at, asked_by, lapses_at)
         values (:id, :account, :resource, 'open', :cause, :command, :question, :answer, :revision, :hash, :cost,
             :available, :attempt, :expires_before, :asked_at, :asked_by, :lapses_at)",
    )?
    .execute(named_params! {
        ":id": new.id,
        ":account": new.account,
        ":resource": new.resource,
        ":cause": new.cause.name(),
        ":command": new.priced.command,
        ":question": new.priced.question,
        ":answer": new.priced.answer,
        ":revision": new.priced.revision,
        ":hash": new.priced.hash,
        ":cost": new.priced.cost.as_micros(),
        ":available": new.priced.available.as_micros(),
        ":attempt": new.attempt,
        ":expires_before": new.expires_before.map(Timestamp::as_second),
        ":asked_at": new.asked_at.as_second(),
        ":asked_by": new.asked_by,
        ":lapses_at": new.lapses_at.as_second(),
    })?;
    Ok(db.last_insert_rowid())
}

/// Says what the plan of an open approval costs by now, and which attempt it would be.
pub fn price_anew(
    db: &Connection,
    row: i64,
    priced: &Priced,
    attempt: Option<i64>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "update approval set question = :question, answer = :answer, revision = :revision, hash = :hash, cost = :cost,
             available = :available, attempt = :attempt
         where row = :row and state = 'open'",
    )?
    .execute(named_params! {
        ":row": row,
        ":question": priced.question,
        ":answer": priced.answer,
        ":revision": priced.revision,
        ":hash": priced.hash,
        ":cost": priced.cost.as_micros(),
        ":available": priced.available.as_micros(),
        ":attempt": attempt,
    })?;
    Ok(())
}

/// Says how the open approval at `row` ended.
pub fn close(db: &Connection, row: i64, state: State, closing: &Closing) -> Result<(), StoreError> {
    db.prepare_cached(
        "update approval set state = :state, closed_at = :at, decided_by = :by, reason = :reason, lapse = :lapse
         where row = :row and state = 'open'",
    )?
    .execute(named_params! {
        ":row": row,
        ":state": state.name(),
        ":at": closing.at.as_second(),
        ":by": closing.by,
        ":reason": closing.reason,
        ":lapse": closing.lapse.map(Lapse::name),
    })?;
    Ok(())
}

/// The rows of the accounts that have open approvals.
pub fn open_accounts(db: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement =
        db.prepare_cached("select distinct account from approval where state = 'open' order by account")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first instant at which an open approval lapses, if that comes by `until`.
pub fn next_lapse(db: &Connection, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let second: Option<i64> = db
        .prepare_cached("select min(lapses_at) from approval where state = 'open' and lapses_at <= ?1")?
        .query_row([until.as_second()], |row| row.get(0))?;
    Ok(second.map(Timestamp::from_second))
}

const ALL: &str =
    "select p.*, a.id as account_id, r.id as resource_id, t.expires_before as attempt_expires_before,
        t.term_count, t.term_unit, n.id as attempt_resource
    from approval p join account a on a.row = p.account join resource r on r.row = p.resource
    left join attempt t on t.row = p.attempt left join resource n on n.row = t.resource";

/// The open approvals that lapse at `at`, in the order in which they were asked for, at most `limit`.
pub fn lapsing(db: &Connection, at: Timestamp, limit: u32) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "{ALL} where p.state = 'open' and p.lapses_at = ?1 order by p.row limit ?2"
    ))?;
    let approvals = statement.query_and_then((at.as_second(), limit), stored)?;
    approvals.collect()
}

/// The approval called `id`, if there is one.
pub fn get(db: &Connection, id: &str) -> Result<Option<StoredApproval>, StoreError> {
    db.prepare_cached(&format!("{ALL} where p.id = ?1"))?
        .query_row([id], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// Every approval that a resource was named in, oldest first; `row` is the resource's.
pub fn of_resource(db: &Connection, row: i64) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{ALL} where p.resource = ?1 order by p.row"))?;
    let approvals = statement.query_and_then([row], stored)?;
    approvals.collect()
}

/// Which approvals are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these accounts, a JSON list of ids.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
}

/// The approvals that pass `filter`, above the row `after`, in the order in which they were asked for, at most `limit`.
pub fn list(
    db: &Connection,
    filter: &Filter,
    after: i64,
    limit: u32,
) -> Result<Vec<StoredApproval>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "{ALL} where p.row > :after
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account) and (:resource is null or r.id = :resource)
           and (:state is null or p.state = :state)
         order by p.row limit :limit"
    ))?;
    let approvals = statement.query_and_then(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":state": filter.state.map(State::name),
            ":limit": limit,
        },
        stored,
    )?;
    approvals.collect()
}

impl StoredApproval {
    /// The same, as far as it matters whether it still waits; `member` is the place of the resource in its bundle.
    pub fn held(&self, member: usize) -> Held {
        Held {
            member,
            cause: self.cause,
            command: self.priced.command.clone(),
            expires_before: self.expires_before,
            key: self.attempt.as_ref().map(|(_, key)| key.clone()),
            state: self.state,
            lapse: self.closing.as_ref().and_then(|closing| closing.lapse),
        }
    }
}

fn stored(row: &Row<'_>) -> Result<StoredApproval, StoreError> {
    let state = named(&State::ALL, State::name, row.get("state")?)?;
    let cause = named(&[Cause::Auto, Cause::Command], Cause::name, row.get("cause")?)?;
    let lapse: Option<String> = row.get("lapse")?;
    let lapse = lapse.map(|lapse| named(&Lapse::ALL, Lapse::name, lapse)).transpose()?;
    let closing = match words::instant(row, "closed_at")? {
        Some(at) => Some(Closing { at, by: row.get("decided_by")?, reason: row.get("reason")?, lapse }),
        None => None,
    };
    Ok(StoredApproval {
        row: row.get("row")?,
        id: row.get("id")?,
        account: row.get("account")?,
        account_id: row.get("account_id")?,
        resource: row.get("resource")?,
        resource_id: row.get("resource_id")?,
        state,
        cause,
        priced: Priced {
            command: row.get("command")?,
            question: row.get("question")?,
            answer: row.get("answer")?,
            revision: row.get("revision")?,
            hash: row.get("hash")?,
            cost: Micros::new(row.get("cost")?),
            available: Micros::new(row.get("available")?),
        },
        attempt: attempt(row)?,
        expires_before: words::instant(row, "expires_before")?,
        asked_at: Timestamp::from_second(row.get("asked_at")?),
        asked_by: row.get("asked_by")?,
        lapses_at: Timestamp::from_second(row.get("lapses_at")?),
        closing,
    })
}

fn attempt(row: &Row<'_>) -> Result<Option<(i64, Key)>, StoreError> {
    let Some(attempt) = row.get("attempt")? else { return Ok(None) };
    let damaged = || StoreError::Damaged { what: "an attempt's term", found: "none".to_owned() };
    let term = words::term(row.get("term_count")?, row.get("term_unit")?)?.ok_or_else(damaged)?;
    let expires_before = Timestamp::from_second(row.get("attempt_expires_before")?);
    Ok(Some((attempt, Key { resource: row.get("attempt_resource")?, expires_before, term })))
}

fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: String) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|word| name(*word) == text);
    found.ok_or(StoreError::Damaged { what: "a word of an approval", found: text })
}
