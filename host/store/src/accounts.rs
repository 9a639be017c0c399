//! The `account` table: one function per statement.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// An account as stored.
#[derive(Clone, Debug)]
pub struct StoredAccount {
    /// The row of the account.
    pub row: AccountKey,
    /// The account with its settings and balance.
    pub account: Account,
    /// A raise of its approval limit that waits for a second person.
    pub limit_raise: Option<LimitRaise>,
}

/// A raise of an account's approval limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRaise {
    /// The limit that is asked for; `None` is none.
    pub approval_above: Option<Micros>,
    /// The id of the token that asks.
    pub requested_by: String,
    /// The instant of the request.
    pub requested_at: Timestamp,
}

/// What stands for no limit.
const NO_LIMIT: &str = "none";

/// Adds an account and returns its row.
pub fn insert(db: &WriteTx, account: &Account) -> Result<AccountKey, StoreError> {
    db.connection()
        .prepare_cached(
            "insert into account (id, provider, mode, currency, available, held, settings, approval_above,
             budget)
         values (:id, :provider, :mode, :currency, :available, :held, :settings, :approval_above, :budget)",
        )?
        .execute(named_params! {
            ":id": account.id,
            ":provider": account.provider,
            ":mode": account.mode.name(),
            ":currency": account.currency,
            ":available": account.balance.available().as_micros(),
            ":held": account.balance.held().as_micros(),
            ":settings": codec::strings_text(&account.settings),
            ":approval_above": account.approval_above.map(Micros::as_micros),
            ":budget": account.budget.map(Micros::as_micros),
        })?;
    Ok(db.last_key())
}

/// The account at `row`, which was read from another table.
pub fn get_by_row(db: &ReadTx, row: AccountKey) -> Result<StoredAccount, StoreError> {
    let found = db
        .connection()
        .prepare_cached("select * from account where row = ?1")?
        .query_row([row], |row| Ok(stored(row)));
    found
        .optional()?
        .unwrap_or_else(|| Err(StoreError::Damaged { what: "an account", found: row.to_string() }))
}

/// The account called `id`, if there is one.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredAccount>, StoreError> {
    db.connection()
        .prepare_cached("select * from account where id = ?1")?
        .query_row([id], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// Every account, by id.
pub fn list(db: &ReadTx) -> Result<Vec<StoredAccount>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from account order by id")?;
    let accounts = statement.query_and_then([], stored)?;
    accounts.collect()
}

/// Sets what the rules are told about the account.
pub(crate) fn set_settings(
    db: &WriteTx,
    row: AccountKey,
    settings: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set settings = ?2 where row = ?1")?
        .execute((row, codec::strings_text(settings)))?;
    Ok(())
}

/// Sets what the account has.
pub(crate) fn set_balance(db: &WriteTx, row: AccountKey, balance: Balance) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set available = ?2, held = ?3 where row = ?1")?
        .execute((row, balance.available().as_micros(), balance.held().as_micros()))?;
    Ok(())
}

/// Sets the cost above which an account's plans need an approval; `None`: none does.
pub fn set_approval_above(db: &WriteTx, row: AccountKey, limit: Option<Micros>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set approval_above = ?2 where row = ?1")?
        .execute((row, limit.map(Micros::as_micros)))?;
    Ok(())
}

/// Sets what may be spent in a month; `None`: there is no budget.
pub(crate) fn set_budget(db: &WriteTx, row: AccountKey, budget: Option<Micros>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update account set budget = ?2 where row = ?1")?
        .execute((row, budget.map(Micros::as_micros)))?;
    Ok(())
}

/// Sets the raise of the account's approval limit that waits, or says that none does.
pub fn set_limit_raise(db: &WriteTx, row: AccountKey, raise: Option<&LimitRaise>) -> Result<(), StoreError> {
    let to = raise.map(|raise| match raise.approval_above {
        Some(limit) => limit.as_micros().to_string(),
        None => NO_LIMIT.to_owned(),
    });
    let by = raise.map(|raise| &raise.requested_by);
    let at = raise.map(|raise| raise.requested_at.as_second());
    db.connection()
        .prepare_cached("update account set raise_to = ?2, raise_by = ?3, raise_at = ?4 where row = ?1")?
        .execute((row, to, by, at))?;
    Ok(())
}

fn limit_raise(row: &Row<'_>) -> Result<Option<LimitRaise>, StoreError> {
    let Some(to) = row.get::<_, Option<String>>("raise_to")? else { return Ok(None) };
    let approval_above = match to.parse() {
        Ok(micros) => Some(Micros::new(micros)),
        Err(_) if to == NO_LIMIT => None,
        Err(_) => return Err(StoreError::Damaged { what: "a raise of an approval limit", found: to }),
    };
    let requested_at = Timestamp::from_second(row.get("raise_at")?);
    Ok(Some(LimitRaise { approval_above, requested_by: row.get("raise_by")?, requested_at }))
}

fn stored(row: &Row<'_>) -> Result<StoredAccount, StoreError> {
    let settings: String = row.get("settings")?;
    let mode: String = row.get("mode")?;
    let known = Mode::ALL.into_iter().find(|known| known.name() == mode);
    let mode = known.ok_or(StoreError::Damaged { what: "an account's mode", found: mode })?;
    let account = Account {
        id: row.get("id")?,
        provider: row.get("provider")?,
        mode,
        currency: row.get("currency")?,
        balance: Balance::new(Micros::new(row.get("available")?), Micros::new(row.get("held")?)),
        settings: codec::strings(&settings)?,
        approval_above: row.get::<_, Option<i64>>("approval_above")?.map(Micros::new),
        budget: row.get::<_, Option<i64>>("budget")?.map(Micros::new),
    };
    Ok(StoredAccount { row: row.get("row")?, account, limit_raise: limit_raise(row)? })
}
