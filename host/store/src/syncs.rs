//! The `sync` and `sync_item` tables: readings of providers' inventories, and what one under way has read so far.

use std::collections::BTreeSet;

use perennial_domain::connector::SyncScope;
use perennial_domain::connector::SyncState;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::SyncKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A reading of a provider's inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// How much it reads.
    pub scope: SyncScope,
    /// How far it has come.
    pub state: SyncState,
    /// Where the list goes on.
    pub cursor: Option<String>,
    /// How many resources were listed.
    pub listed: u32,
    /// How many there are, as the provider says.
    pub total: Option<u32>,
    /// Why it stopped, or what is suspicious.
    pub problem: Option<String>,
    /// The instant at which it began ...
    pub started_at: Timestamp,
    /// ... and the one of its last step.
    pub changed_at: Timestamp,
    /// Whether the account was never read before, so that what is new is no drift.
    pub is_first: bool,
    /// What the rules have no kind for: id, and the provider's word for its kind.
    pub unknown: Vec<(String, String)>,
    /// How many requests it took to find out what is there; prices are not counted.
    pub requests: u32,
}

/// Something that a sync has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncItem {
    /// The provider's id.
    pub id: String,
    /// What was read, as JSON.
    pub item: String,
    /// Whether its price was asked for, or need not be.
    pub is_quoted: bool,
}

const fn changes_since(scope: SyncScope) -> Option<i64> {
    match scope {
        SyncScope::Full | SyncScope::Incremental { changes_since: None, .. } => None,
        SyncScope::Incremental { changes_since: Some(at), .. } => Some(at.as_second()),
    }
}

const fn expires_until(scope: SyncScope) -> Option<i64> {
    match scope {
        SyncScope::Full => None,
        SyncScope::Incremental { expires_until, .. } => Some(expires_until.as_second()),
    }
}

/// Begins a reading of an account's inventory.
pub fn insert(db: &WriteTx, account: AccountKey, sync: &Sync) -> Result<SyncKey, StoreError> {
    db.connection()
        .prepare_cached(
            "insert into sync (account, state, cursor, listed, total, problem, started_at, changed_at, is_first, unknown,
             changes_since, expires_until, requests)
             values (:account, :state, :cursor, :listed, :total, :problem, :started_at, :changed_at, :is_first, :unknown,
             :changes_since, :expires_until, :requests)",
        )?
        .execute(named_params! {
            ":account": account,
            ":state": sync.state.name(),
            ":cursor": sync.cursor,
            ":listed": sync.listed,
            ":total": sync.total,
            ":problem": sync.problem,
            ":started_at": sync.started_at.as_second(),
            ":changed_at": sync.changed_at.as_second(),
            ":is_first": sync.is_first,
            ":unknown": serde_json::to_string(&sync.unknown)?,
            ":changes_since": changes_since(sync.scope),
            ":expires_until": expires_until(sync.scope),
            ":requests": sync.requests,
        })?;
    Ok(db.last_key())
}

/// Notes how far a reading has come.
pub fn update(db: &WriteTx, row: SyncKey, sync: &Sync) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update sync set state = :state, cursor = :cursor, listed = :listed, total = :total, problem = :problem,
             changed_at = :changed_at, unknown = :unknown, changes_since = :changes_since, expires_until = :expires_until,
             requests = :requests where row = :row",
        )?
        .execute(named_params! {
            ":row": row,
            ":state": sync.state.name(),
            ":cursor": sync.cursor,
            ":listed": sync.listed,
            ":total": sync.total,
            ":problem": sync.problem,
            ":changed_at": sync.changed_at.as_second(),
            ":unknown": serde_json::to_string(&sync.unknown)?,
            ":changes_since": changes_since(sync.scope),
            ":expires_until": expires_until(sync.scope),
            ":requests": sync.requests,
        })?;
    Ok(())
}

/// The newest reading of an account, if there was one.
pub fn newest(db: &ReadTx, account: AccountKey) -> Result<Option<(SyncKey, Sync)>, StoreError> {
    db.connection()
        .prepare_cached("select * from sync where account = ?1 order by row desc limit 1")?
        .query_row([account], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// The newest reading of everything that an account has, if there was one.
pub fn newest_full(db: &ReadTx, account: AccountKey) -> Result<Option<Sync>, StoreError> {
    let found = db
        .connection()
        .prepare_cached(
            "select * from sync where account = ?1 and expires_until is null order by row desc limit 1",
        )?
        .query_row([account], |row| Ok(stored(row)))
        .optional()?
        .transpose()?;
    Ok(found.map(|(_, sync)| sync))
}

/// When the newest reading began that was done and would have found whatever was ordered before it.
pub fn orders_read_at(db: &ReadTx, account: AccountKey) -> Result<Option<Timestamp>, StoreError> {
    let found = db
        .connection()
        .prepare_cached(
            "select max(started_at) from sync where account = ?1 and state = ?2
             and (expires_until is null or changes_since is not null)",
        )?
        .query_row((account, SyncState::Done.name()), |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.map(Timestamp::from_second))
}

/// Forgets the incremental readings of an account that were done before another one.
pub fn forget_incremental(db: &WriteTx, account: AccountKey, before: SyncKey) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from sync where account = ?1 and row < ?2 and state = ?3 and expires_until is not null",
        )?
        .execute((account, before, SyncState::Done.name()))?;
    Ok(())
}

/// Whether an account was ever read to the end.
pub fn has_done(db: &ReadTx, account: AccountKey) -> Result<bool, StoreError> {
    let done = SyncState::Done.name();
    let found = db
        .connection()
        .prepare_cached("select exists (select 1 from sync where account = ?1 and state = ?2)")?
        .query_row((account, done), |row| row.get(0))?;
    Ok(found)
}

/// Keeps what was read; what was read before under the same id is replaced.
pub fn put_items(db: &WriteTx, sync: SyncKey, items: &[SyncItem]) -> Result<(), StoreError> {
    let mut statement = db.connection().prepare_cached(
        "insert into sync_item (sync, id, item, is_quoted) values (?1, ?2, ?3, ?4)
         on conflict (sync, id) do update set item = excluded.item, is_quoted = excluded.is_quoted",
    )?;
    for item in items {
        statement.execute((sync, &item.id, &item.item, item.is_quoted))?;
    }
    Ok(())
}

/// Everything that was read, by id.
pub fn items(db: &ReadTx, sync: SyncKey) -> Result<Vec<SyncItem>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select * from sync_item where sync = ?1 order by id")?;
    let items = statement.query_map([sync], item)?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// The ids of everything that was read.
pub fn item_ids(db: &ReadTx, sync: SyncKey) -> Result<BTreeSet<String>, StoreError> {
    let mut statement = db.connection().prepare_cached("select id from sync_item where sync = ?1")?;
    let ids = statement.query_map([sync], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The first of what was read whose price is still to be asked for, by id, behind the id `after`.
pub fn unquoted(db: &ReadTx, sync: SyncKey, after: &str, limit: u32) -> Result<Vec<SyncItem>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select * from sync_item where sync = ?1 and id > ?2 and not is_quoted order by id limit ?3",
    )?;
    let items = statement.query_map((sync, after, limit), item)?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// Forgets what was read.
pub fn clear_items(db: &WriteTx, sync: SyncKey) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from sync_item where sync = ?1")?.execute([sync])?;
    Ok(())
}

fn item(row: &Row<'_>) -> rusqlite::Result<SyncItem> {
    Ok(SyncItem { id: row.get("id")?, item: row.get("item")?, is_quoted: row.get("is_quoted")? })
}

fn stored(row: &Row<'_>) -> Result<(SyncKey, Sync), StoreError> {
    let state: String = row.get("state")?;
    let known = SyncState::ALL.into_iter().find(|known| known.name() == state);
    let second = |column| Ok::<_, StoreError>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_second));
    let scope = match second("expires_until")? {
        None => SyncScope::Full,
        Some(expires_until) => {
            SyncScope::Incremental { changes_since: second("changes_since")?, expires_until }
        }
    };
    let sync = Sync {
        scope,
        state: known.ok_or(StoreError::Damaged { what: "the state of a sync", found: state })?,
        cursor: row.get("cursor")?,
        listed: row.get("listed")?,
        total: row.get("total")?,
        problem: row.get("problem")?,
        started_at: Timestamp::from_second(row.get("started_at")?),
        changed_at: Timestamp::from_second(row.get("changed_at")?),
        is_first: row.get("is_first")?,
        unknown: serde_json::from_str(&row.get::<_, String>("unknown")?)?,
        requests: row.get("requests")?,
    };
    Ok((row.get("row")?, sync))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::keys::RowKey;

    #[test]
    fn prices_are_asked_for_in_order_and_none_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::scratch(&folder.path().join("test.db")).unwrap();
        let items = ["a", "b", "c", "d"].map(|id| SyncItem {
            id: id.to_owned(),
            item: "{}".to_owned(),
            is_quoted: id == "c",
        });
        let sync = SyncKey::from_number(1);
        store.write(|tx| put_items(tx, sync, &items)).unwrap();
        let after = |id: &str, limit| {
            let found = unquoted(store.db(), sync, id, limit).unwrap();
            found.into_iter().map(|item| item.id).collect::<Vec<_>>()
        };
        assert_eq!(after("", 10), ["a", "b", "d"]);
        assert_eq!(after("", 1), ["a"]);
        assert_eq!(after("a", 10), ["b", "d"], "those before were asked for");
    }
}
