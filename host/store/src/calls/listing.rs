//! Calls as people list them, with the states that each has been in.

use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::Slot;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::calls;
use crate::calls::StoredCall;
use crate::codec;
use crate::error::StoreError;
use crate::keys::CallKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;

/// A call of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCall {
    /// The row of the call, which is its number.
    pub row: CallKey,
    /// The account's id.
    pub account: String,
    /// When it entered its state.
    pub since: Timestamp,
    /// The call as stored.
    pub call: StoredCall,
}

/// A state that a call entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallStep {
    /// The instant at which it did.
    pub at: Timestamp,
    /// The state that it entered.
    pub state: State,
    /// What the provider said with it, if it said something.
    pub said: Option<Refusal>,
}

/// Which calls are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Only of these accounts, a JSON list of ids.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource, whether it is named or goes along.
    pub resource: Option<String>,
    /// Only in these states, a JSON list of codes.
    pub states: Option<String>,
}

/// The calls that pass `filter`, above the row `after`, at most `limit`.
pub fn calls(
    db: &ReadTx,
    filter: &CallFilter,
    after: CallKey,
    limit: u32,
) -> Result<Vec<ListedCall>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select c.row, a.id, coalesce((select max(s.at) from call_step s where s.call = c.row), c.called_at, 0)
         from call c join account a on a.row = c.account
         where c.row > :after and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account)
           and (:resource is null or exists (select 1 from call_extension e join resource r on r.row = e.resource
                where e.call = c.row and r.id = :resource))
           and (:states is null or c.state in (select value from json_each(:states)))
         order by c.row limit :limit",
    )?;
    let found = statement.query_and_then(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":states": filter.states,
            ":limit": limit,
        },
        |row| listed(db, row),
    )?;
    found.collect()
}

/// The call with this number, if there is one.
pub fn get(db: &ReadTx, call: CallKey) -> Result<Option<ListedCall>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select c.row, a.id, coalesce((select max(s.at) from call_step s where s.call = c.row), c.called_at, 0)
         from call c join account a on a.row = c.account where c.row = ?1",
    )?;
    statement.query_row([call], |row| Ok(listed(db, row))).optional()?.transpose()
}

/// The call for a slot of a resource's expiry, if it was ever tried.
pub fn find(
    db: &ReadTx,
    resource: ResourceKey,
    expires_before: Timestamp,
    slot: Slot,
) -> Result<Option<ListedCall>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select row from call where resource = ?1 and expires_before = ?2 and slot = ?3")?;
    let key = (resource, expires_before.as_second(), slot.code());
    let found: Option<CallKey> = statement.query_row(key, |row| row.get(0)).optional()?;
    found.map(|call| get(db, call)).transpose().map(Option::flatten)
}

/// The states that a call entered, oldest first.
pub fn steps(db: &ReadTx, call: CallKey) -> Result<Vec<CallStep>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select at, state, code, message from call_step where call = ?1 order by row")?;
    let found = statement.query_and_then([call], |row| {
        let code: Option<String> = row.get(2)?;
        let message = row.get::<_, Option<String>>(3)?.unwrap_or_default();
        Ok(CallStep {
            at: Timestamp::from_second(row.get(0)?),
            state: codec::coded(State::from_code, row.get(1)?, "a call's state")?,
            said: code.map(|code| Refusal { code, message }),
        })
    })?;
    found.collect()
}

fn listed(db: &ReadTx, row: &Row<'_>) -> Result<ListedCall, StoreError> {
    let key: CallKey = row.get(0)?;
    let call = calls::list(db, "where c.row = ?1", [key])?.into_iter().next();
    Ok(ListedCall {
        row: key,
        account: row.get(1)?,
        since: Timestamp::from_second(row.get(2)?),
        call: call.ok_or_else(|| StoreError::Damaged { what: "a call", found: key.to_string() })?,
    })
}
