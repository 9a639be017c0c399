//! Lists in pages, for reading only: what comes after a row, in the order in which rows were added.
//!
//! Nothing that is listed here is ever deleted and rows only grow, so a page is the same whatever was added since.
//! `accounts` is a JSON list of the ids of the accounts that are shown; `None` is all of them.

use perennial_domain::ledger::Entry;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::events;
use crate::events::StoredEvent;
use crate::keys::AccountKey;
use crate::keys::AttemptKey;
use crate::keys::EventKey;
use crate::keys::LedgerEntryKey;
use crate::ledger;
use crate::tx::ReadTx;

/// The rows and ids of the accounts above the row `after`, at most `limit`.
pub fn accounts(
    db: &ReadTx,
    accounts: Option<&str>,
    provider: Option<&str>,
    after: AccountKey,
    limit: u32,
) -> Result<Vec<(AccountKey, String)>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select row, id from account
         where row > :after and (:accounts is null or id in (select value from json_each(:accounts)))
           and (:provider is null or provider = :provider)
         order by row limit :limit",
    )?;
    let found = statement.query_map(
        named_params! { ":after": after, ":accounts": accounts, ":provider": provider, ":limit": limit },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The part of a list that comes behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind<K> {
    /// What was added later, the oldest first.
    Oldest(K),
    /// What was added earlier, the newest first.
    Newest(K),
}

/// An account's entries behind a row, at most `limit`.
pub fn entries(
    db: &ReadTx,
    account: AccountKey,
    behind: Behind<LedgerEntryKey>,
    limit: u32,
) -> Result<Vec<(LedgerEntryKey, Entry)>, StoreError> {
    let (sql, row) = match behind {
        Behind::Oldest(row) => {
            ("select * from ledger_entry where account = ?1 and row > ?2 order by row limit ?3", row)
        }
        Behind::Newest(row) => {
            ("select * from ledger_entry where account = ?1 and row < ?2 order by row desc limit ?3", row)
        }
    };
    let mut statement = db.connection().prepare_cached(sql)?;
    let entries =
        statement.query_and_then((account, row, limit), |row| Ok((row.get("row")?, ledger::entry(row)?)))?;
    entries.collect()
}

/// Which events are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of these accounts, a JSON list of ids; what concerns no account is left out then.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only of this type.
    pub kind: Option<String>,
    /// Only of these types, a JSON list.
    pub kinds: Option<String>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// The events that pass `filter`, above the row `after`, in the order in which they were written down, at most `limit`.
pub fn events(
    db: &ReadTx,
    filter: &EventFilter,
    after: EventKey,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    // What an index answers is a condition of its own, so that the statement is planned with it.
    let begins = match filter.since {
        Some(_) => {
            "e.at >= :since and e.row > max(:after, (select coalesce(min(row) - 1, 9223372036854775807)
                                                     from event indexed by event_time where at >= :since))"
        }
        None => ":since is null and e.row > :after",
    };
    let of_resource = if filter.resource.is_some() { "e.resource = :resource" } else { ":resource is null" };
    let mut statement = db.connection().prepare_cached(&format!(
        "select e.row, e.at, a.id, e.resource, e.type, e.body
         from event e left join account a on a.row = e.account
         where {begins} and {of_resource}
           and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account)
           and (:kind is null or e.type = :kind)
           and (:kinds is null or e.type in (select value from json_each(:kinds)))
           and (:until is null or e.at < :until)
         order by e.row limit :limit",
    ))?;
    let events = statement.query_map(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":kind": filter.kind,
            ":kinds": filter.kinds,
            ":since": filter.since.map(Timestamp::as_second),
            ":until": filter.until.map(Timestamp::as_second),
            ":limit": limit,
        },
        events::stored,
    )?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// The row of the newest event; 0 when there is none.
pub fn last_event(db: &ReadTx) -> Result<EventKey, StoreError> {
    Ok(db
        .connection()
        .prepare_cached("select coalesce(max(row), 0) from event")?
        .query_row([], |row| row.get(0))?)
}

/// The row of the first event that happened at `since` or later, in the order in which they were written down.
pub fn first_event_since(db: &ReadTx, since: Timestamp) -> Result<Option<EventKey>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select min(row) from event indexed by event_time where at >= ?1")?;
    Ok(statement.query_row([since.as_second()], |row| row.get(0))?)
}

/// An attempt as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAttempt {
    /// The row of the attempt.
    pub row: AttemptKey,
    /// Its account's id.
    pub account: String,
    /// The resource that the renewal names.
    pub resource: String,
    /// Its expiry before the renewal.
    pub expires_before: Timestamp,
    /// The term that it pays for.
    pub term: Term,
    /// The name of its state.
    pub state: String,
    /// Of what kind a decline is.
    pub class: Option<String>,
    /// The instant at which it entered the state.
    pub at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
}

/// Which attempts are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptFilter {
    /// Only of these accounts, a JSON list of ids.
    pub accounts: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this resource.
    pub resource: Option<String>,
    /// Only in this state.
    pub state: Option<String>,
}

/// The attempts that pass `filter`, above the row `after`, at most `limit`.
pub fn attempts(
    db: &ReadTx,
    filter: &AttemptFilter,
    after: AttemptKey,
    limit: u32,
) -> Result<Vec<ListedAttempt>, StoreError> {
    // The few that are in doubt have an index, which is found by the word itself.
    let of_state = match filter.state.as_deref() {
        Some("in_doubt") => "t.state = 'in_doubt' and t.state = :state",
        Some(_) => "t.state = :state",
        None => ":state is null",
    };
    let mut statement = db.connection().prepare_cached(&format!(
        "select t.row, a.id, r.id, t.expires_before, t.term_count, t.term_unit, t.state, t.decline_class, t.changed_at, t.tries
         from attempt t join resource r on r.row = t.resource join account a on a.row = r.account
         where t.row > :after and (:accounts is null or a.id in (select value from json_each(:accounts)))
           and (:account is null or a.id = :account) and (:resource is null or r.id = :resource)
           and {of_state}
         order by t.row limit :limit",
    ))?;
    let attempts = statement.query_and_then(
        named_params! {
            ":after": after,
            ":accounts": filter.accounts,
            ":account": filter.account,
            ":resource": filter.resource,
            ":state": filter.state,
            ":limit": limit,
        },
        |row| {
            let damaged = || StoreError::Damaged { what: "a term", found: "none".to_owned() };
            Ok(ListedAttempt {
                row: row.get(0)?,
                account: row.get(1)?,
                resource: row.get(2)?,
                expires_before: Timestamp::from_second(row.get(3)?),
                term: codec::term(row.get(4)?, row.get(5)?)?.ok_or_else(damaged)?,
                state: row.get(6)?,
                class: row.get(7)?,
                at: Timestamp::from_second(row.get(8)?),
                tries: row.get(9)?,
            })
        },
    )?;
    attempts.collect()
}
