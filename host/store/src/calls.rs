//! The `call` table: calls to clouds that renew or change, one row for each expiry and slot of a resource that was tried, and
//! what each changes.
//!
//! Knows rows. That no two of them pay for one period, or end it, is a unique index, whatever the terms and whichever resource
//! is named.

mod columns;
pub mod gates;
pub mod listing;

use std::collections::BTreeMap;

use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::record::Slot;
use perennial_domain::connector::Change;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::timestamp::Timestamp;
use rusqlite::ErrorCode;
use rusqlite::OptionalExtension;
use rusqlite::Params;
use rusqlite::Row;
use rusqlite::named_params;

use crate::attempts;
use crate::calls::columns::ChangeColumns;
use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::CallKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A call to a cloud as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    /// The account that it is made for.
    pub account: AccountKey,
    /// The resource that it names.
    pub resource: ResourceKey,
    /// The record of the protocol.
    pub record: CallRecord,
    /// The orders that the provider named in its response.
    pub orders: Vec<String>,
    /// What the provider said last, or why its response proves nothing.
    pub said: Option<Refusal>,
}

impl StoredCall {
    /// A call of which the provider has said nothing.
    pub fn new(account: AccountKey, resource: ResourceKey, record: CallRecord) -> StoredCall {
        StoredCall { account, resource, record, orders: Vec::new(), said: None }
    }

    /// The attempt that lists show of a renewal, as of `at`; `None` for another change.
    pub(crate) fn attempt(&self, at: Timestamp) -> Option<Attempt> {
        let state = self.record.state.of_attempt();
        self.record.attempt_id().map(|id| Attempt { id, state, at })
    }

    /// Whether no other call may pay for what it changes, or end it: it is under way, unclear, or was carried out.
    pub fn locks_its_keys(&self) -> bool {
        let is_for_good = matches!(self.record.change, Change::Renew(_) | Change::Unsubscribe(Scope::All));
        self.record.locks_its_keys() || self.record.state == State::Settled && is_for_good
    }
}

/// The columns of a call, with its resource's key.
const SELECT: &str =
    "select c.row, c.account, c.resource, c.term_count, c.term_unit, c.state, c.declines, c.called_at,
    c.queries, c.act_at, c.deadline, c.options, c.orders, c.said_code, c.said_message, c.change, c.renewals, c.is_automatic
    from call c";

/// Writes a call as it is now, with the attempt that it stands for.
///
/// # Errors
///
/// [`StoreError::PaidTwice`] when another one that is under way, unclear or settled pays for one of its periods.
pub(crate) fn record(db: &WriteTx, call: &StoredCall, at: Timestamp) -> Result<(), StoreError> {
    let StoredCall { account, resource, record, orders, said } = call;
    let before = state_of(db, *resource, record)?;
    let columns = ChangeColumns::of(&record.change);
    let damaged = || StoreError::Damaged { what: "the change of a call", found: record.name() };
    let ChangeColumns { code, term, options, renewals } = columns.ok_or_else(damaged)?;
    let (term_count, term_unit) = codec::term_columns(term);
    let key: CallKey = db
        .connection()
        .prepare_cached(
            "insert into call (account, resource, expires_before, slot, change, is_automatic, term_count, term_unit, renewals,
                 state, declines, called_at, queries, act_at, deadline, options, orders, said_code, said_message)
             values (:account, :resource, :expires_before, :slot, :change, :is_automatic, :term_count, :term_unit, :renewals,
                 :state, :declines, :called_at, :queries, :act_at, :deadline, :options, :orders, :said_code, :said_message)
             on conflict (resource, expires_before, slot) do update set change = :change, is_automatic = :is_automatic,
                 term_count = :term_count, term_unit = :term_unit, renewals = :renewals, state = :state, declines = :declines, called_at = :called_at, queries = :queries, act_at = :act_at,
                 deadline = :deadline, options = :options, orders = :orders, said_code = :said_code,
                 said_message = :said_message
             returning row",
        )?
        .query_row(
            named_params! {
                ":account": account,
                ":resource": resource,
                ":expires_before": record.key().expires_before.as_second(),
                ":slot": record.slot().code(),
                ":change": code,
                ":is_automatic": record.cause == Cause::Auto,
                ":term_count": term_count,
                ":term_unit": term_unit,
                ":renewals": renewals,
                ":state": record.state.code(),
                ":declines": record.declines,
                ":called_at": record.called_at.map(Timestamp::as_second),
                ":queries": record.queries,
                ":act_at": record.act_at.map(Timestamp::as_second),
                ":deadline": record.deadline.as_second(),
                ":options": codec::strings_text(&options),
                ":orders": serde_json::to_string(orders)?,
                ":said_code": said.as_ref().map(|said| &said.code),
                ":said_message": said.as_ref().map(|said| &said.message),
            },
            |row| row.get(0),
        )?;
    db.connection().prepare_cached("delete from call_extension where call = ?1")?.execute([key])?;
    for (position, extension) in record.extensions.iter().enumerate() {
        insert_extension(db, key, position, extension, call.locks_its_keys())?;
    }
    if before != Some(record.state.code()) {
        insert_step(db, key, call, at)?;
    }
    match call.attempt(at) {
        Some(attempt) => attempts::set(db, *resource, &attempt),
        None => Ok(()),
    }
}

/// The state of a call as it is stored.
fn state_of(db: &WriteTx, resource: ResourceKey, record: &CallRecord) -> Result<Option<i64>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select state from call where resource = ?1 and expires_before = ?2 and slot = ?3")?;
    let key = (resource, record.key().expires_before.as_second(), record.slot().code());
    Ok(statement.query_row(key, |row| row.get(0)).optional()?)
}

fn insert_step(db: &WriteTx, key: CallKey, call: &StoredCall, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("insert into call_step (call, at, state, code, message) values (?1, ?2, ?3, ?4, ?5)")?
        .execute((
            key,
            at.as_second(),
            call.record.state.code(),
            call.said.as_ref().map(|said| &said.code),
            call.said.as_ref().map(|said| &said.message),
        ))?;
    Ok(())
}

fn insert_extension(
    db: &WriteTx,
    call: CallKey,
    position: usize,
    extension: &Extension,
    is_locked: bool,
) -> Result<(), StoreError> {
    let inserted = db
        .connection()
        .prepare_cached(
            "insert into call_extension (call, position, resource, expires_before, expires_planned, cost, is_locked)
             select ?1, ?2, row, ?4, ?5, ?6, ?7 from resource where id = ?3",
        )?
        .execute((
            call,
            i64::try_from(position).unwrap_or(i64::MAX),
            &extension.resource,
            extension.expires_before.as_second(),
            extension.expires_planned.as_second(),
            extension.cost.as_micros(),
            is_locked,
        ));
    match inserted {
        Ok(1) => Ok(()),
        Ok(_) => Err(StoreError::Damaged { what: "a resource", found: extension.resource.clone() }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(StoreError::PaidTwice {
                resource: extension.resource.clone(),
                starts_at: extension.expires_before.to_string(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// The accounts of calls about which something is to be done by `until`, in ascending order.
pub(crate) fn due_accounts(db: &ReadTx, until: Timestamp) -> Result<Vec<AccountKey>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select distinct account from call where act_at <= ?1 order by 1")?;
    let rows = statement.query_map([until.as_second()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The calls of an account about which something is to be done by `until`: at most `limit` that are queried or tried again, then
/// at most `limit` that are to be paid for, both by their deadlines.
pub(crate) fn due_of_account(
    db: &ReadTx,
    account: AccountKey,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<StoredCall>, StoreError> {
    // What is due is few of the calls that an account ever had, which its own index would read, hence the `+`.
    let due = |is_payment: bool| {
        let condition = "where +c.account = ?1 and c.act_at <= ?2 and (c.state = ?4) = ?5
            order by c.deadline, c.resource, c.expires_before, c.slot limit ?3";
        list(db, condition, (account, until.as_second(), limit, State::Reserved.code(), is_payment))
    };
    let mut found = due(false)?;
    found.append(&mut due(true)?);
    Ok(found)
}

/// How many renewals of an account that are reserved have each deadline, the earliest first.
pub(crate) fn backlog(db: &ReadTx, account: AccountKey) -> Result<Vec<(Timestamp, u64)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select deadline, count(*) from call where account = ?1 and state = 2 and slot = 0 group by deadline order by deadline",
    )?;
    let rows = statement.query_map([account], |row| {
        Ok((Timestamp::from_second(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The orders that calls of an account sent at `since` or later have, and the resource that each call names.
pub fn orders_since(
    db: &ReadTx,
    account: AccountKey,
    since: Timestamp,
) -> Result<BTreeMap<String, ResourceKey>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select o.value, c.resource from call c, json_each(c.orders) o where +c.account = ?1 and c.called_at >= ?2",
    )?;
    let rows = statement.query_map((account, since.as_second()), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When something is to be done about a call next; `None` when nothing ever is.
pub(crate) fn next_act(db: &ReadTx) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select min(act_at) from call where act_at is not null")?;
    Ok(statement.query_row([], |row| codec::instant(row, 0))?)
}

/// The call for a slot of a resource's expiry, if it was ever tried.
pub(crate) fn find(
    db: &ReadTx,
    resource: ResourceKey,
    expires_before: Timestamp,
    slot: Slot,
) -> Result<Option<StoredCall>, StoreError> {
    let condition = "where c.resource = ?1 and c.expires_before = ?2 and c.slot = ?3";
    let found = list(db, condition, (resource, expires_before.as_second(), slot.code()))?;
    Ok(found.into_iter().next())
}

/// The newest call about what happens when a resource expires, whatever its expiry was then.
pub(crate) fn newest_setting(db: &ReadTx, resource: ResourceKey) -> Result<Option<StoredCall>, StoreError> {
    let condition = "where c.resource = ?1 and c.slot = ?2 order by c.expires_before desc limit 1";
    Ok(list(db, condition, (resource, Slot::OnExpiry.code()))?.into_iter().next())
}

/// The call that is under way, unclear or settled and pays for this period, whichever resource it names.
pub(crate) fn paying(db: &ReadTx, period: &Key) -> Result<Option<StoredCall>, StoreError> {
    let condition = "where c.row = (select e.call from call_extension e join resource r on r.row = e.resource
        where r.id = ?1 and e.expires_before = ?2 and e.is_locked = 1)";
    let found = list(db, condition, (&period.resource, period.expires_before.as_second()))?;
    Ok(found.into_iter().next())
}

/// The calls that were under way when the host ended.
pub(crate) fn interrupted(db: &ReadTx) -> Result<Vec<StoredCall>, StoreError> {
    list(db, "where c.state = ?1 order by c.resource, c.expires_before, c.slot", [State::Calling.code()])
}

/// The calls that were sent at `since` or later.
pub(crate) fn sent_since(db: &ReadTx, since: Timestamp) -> Result<Vec<StoredCall>, StoreError> {
    list(
        db,
        "where c.called_at >= ?1 order by c.called_at, c.resource, c.expires_before, c.slot",
        [since.as_second()],
    )
}

/// Every call of an account, oldest first.
pub(crate) fn of_account(db: &ReadTx, account: AccountKey) -> Result<Vec<StoredCall>, StoreError> {
    list(db, "where c.account = ?1 order by c.row", [account])
}

fn list(db: &ReadTx, condition: &str, parameters: impl Params) -> Result<Vec<StoredCall>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{SELECT} {condition}"))?;
    let rows = statement.query_and_then(parameters, |row| read(db, row))?;
    rows.collect()
}

fn read(db: &ReadTx, row: &Row<'_>) -> Result<StoredCall, StoreError> {
    let key: CallKey = row.get(0)?;
    let damaged = || StoreError::Damaged { what: "a call", found: key.to_string() };
    let columns = ChangeColumns {
        code: row.get(15)?,
        term: codec::term(row.get(3)?, row.get(4)?)?,
        options: codec::strings(&row.get::<_, String>(11)?)?,
        renewals: row.get(16)?,
    };
    let record = CallRecord {
        extensions: extensions(db, key)?,
        change: columns.change()?,
        cause: if row.get(17)? { Cause::Auto } else { Cause::Command },
        state: codec::coded(State::from_code, row.get(5)?, "a call's state")?,
        declines: row.get(6)?,
        called_at: codec::instant(row, 7)?,
        token_since: token_since(db, key)?,
        queries: row.get(8)?,
        act_at: codec::instant(row, 9)?,
        deadline: Timestamp::from_second(row.get(10)?),
    };
    if record.extensions.is_empty() {
        return Err(damaged());
    }
    let said = row.get::<_, Option<String>>(13)?;
    let message = row.get::<_, Option<String>>(14)?.unwrap_or_default();
    Ok(StoredCall {
        account: row.get(1)?,
        resource: row.get(2)?,
        record,
        orders: serde_json::from_str(&row.get::<_, String>(12)?)?,
        said: said.map(|code| Refusal { code, message }),
    })
}

/// Since when the token of a call counts, as its history tells.
fn token_since(db: &ReadTx, call: CallKey) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select state, at from call_step where call = ?1 order by row")?;
    let steps = statement.query_and_then([call], |row| {
        let state = codec::coded(State::from_code, row.get(0)?, "a call's state")?;
        Ok::<_, StoreError>((state, Timestamp::from_second(row.get(1)?)))
    })?;
    Ok(record::token_since(steps.collect::<Result<Vec<_>, _>>()?))
}

fn extensions(db: &ReadTx, call: CallKey) -> Result<Vec<Extension>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select r.id, e.expires_before, e.expires_planned, e.cost from call_extension e
         join resource r on r.row = e.resource where e.call = ?1 order by e.position",
    )?;
    let rows = statement.query_map([call], |row| {
        Ok(Extension {
            resource: row.get(0)?,
            expires_before: Timestamp::from_second(row.get(1)?),
            expires_planned: Timestamp::from_second(row.get(2)?),
            cost: Micros::new(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
