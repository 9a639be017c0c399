//! The `client_token` table: client tokens of commands, and the result of each command.

use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A command that carried a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOutcome {
    /// Equal for equal commands.
    pub fingerprint: String,
    /// Why it was not carried out; `None` when it was.
    pub refusal: Option<Refusal>,
    /// The ids of the orders that it made, which its first answer named.
    pub orders: Vec<String>,
}

const OUTCOME_COLUMNS: &str = "fingerprint, refusal_code, refusal_message, orders";

/// What an account sent under `token` at `since` or later.
pub fn get(
    db: &ReadTx,
    account: AccountKey,
    token: &str,
    since: Timestamp,
) -> Result<Option<StoredOutcome>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "select {OUTCOME_COLUMNS} from client_token where account = ?1 and token = ?2 and used_at >= ?3"
    ))?;
    let mut rows = statement.query((account, token, since.as_second()))?;
    rows.next()?.map(outcome).transpose()
}

/// What an account sent under a token, and when it last did.
pub(crate) struct StoredToken {
    pub(crate) account: AccountKey,
    pub(crate) token: String,
    pub(crate) used_at: Timestamp,
    pub(crate) outcome: StoredOutcome,
}

/// What every account sent.
pub(crate) fn all(db: &ReadTx) -> Result<Vec<StoredToken>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached(&format!("select {OUTCOME_COLUMNS}, account, token, used_at from client_token"))?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(StoredToken {
            account: row.get(4)?,
            token: row.get(5)?,
            used_at: Timestamp::from_second(row.get(6)?),
            outcome: outcome(row)?,
        });
    }
    Ok(tokens)
}

fn outcome(row: &Row<'_>) -> Result<StoredOutcome, StoreError> {
    let (code, message): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let refusal = code.map(|code| Refusal { code, message: message.unwrap_or_default() });
    let orders = serde_json::from_str(&row.get::<_, String>(3)?)?;
    Ok(StoredOutcome { fingerprint: row.get(0)?, refusal, orders })
}

/// How many tokens of an account are remembered.
pub fn count(db: &ReadTx, account: AccountKey) -> Result<i64, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select count(*) from client_token where account = ?1")?;
    Ok(statement.query_row([account], |row| row.get(0))?)
}

/// Whether tokens have run out before `now`.
pub fn has_expired(db: &ReadTx, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached("select exists (select 1 from client_token where valid_until < ?1)")?;
    Ok(statement.query_row([now.as_second()], |row| row.get(0))?)
}

/// Forgets the tokens that have run out before `now`, the oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn delete_expired(db: &WriteTx, now: Timestamp, limit: u32) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "delete from client_token where (account, token) in
                 (select account, token from client_token where valid_until < ?1 order by valid_until limit ?2)",
        )?
        .execute((now.as_second(), limit))?;
    Ok(())
}

/// Remembers until `valid_until` what an account sent under `token` at `at`.
pub fn upsert(
    db: &WriteTx,
    account: AccountKey,
    token: &str,
    stored: &StoredOutcome,
    (at, valid_until): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert or replace into client_token
             (account, token, fingerprint, refusal_code, refusal_message, used_at, orders, valid_until)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            account,
            token,
            &stored.fingerprint,
            stored.refusal.as_ref().map(|refusal| &refusal.code),
            stored.refusal.as_ref().map(|refusal| &refusal.message),
            at.as_second(),
            serde_json::to_string(&stored.orders)?,
            valid_until.as_second(),
        ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use perennial_domain::account::Account;
    use perennial_domain::account::Mode;
    use perennial_domain::ledger::Balance;
    use perennial_domain::micros::Micros;
    use rusqlite::Connection;

    use super::*;
    use crate::Store;
    use crate::accounts;

    const USED_AT: Timestamp = Timestamp::from_second(1_700_000_000);

    #[test]
    fn a_token_of_schema_19_is_kept_for_longer_than_any_provider_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("perennial.db");
        let mut store = Store::open(&path).unwrap();
        let account = Account {
            id: "a".to_owned(),
            provider: "baidu".to_owned(),
            mode: Mode::Managed,
            currency: "CNY".to_owned(),
            balance: Balance::new(Micros::ZERO, Micros::ZERO),
            settings: BTreeMap::new(),
            approval_above: None,
            budget: None,
        };
        let stored = StoredOutcome { fingerprint: "f".to_owned(), refusal: None, orders: Vec::new() };
        let row = store
            .write(|tx| {
                let row = accounts::insert(tx, &account)?;
                upsert(tx, row, "t", &stored, (USED_AT, USED_AT + 1))?;
                Ok::<_, StoreError>(row)
            })
            .unwrap();
        drop(store);
        // As it was before.
        let old = "drop index client_token_end; alter table client_token drop column valid_until; \
                   drop index event_time; alter table plugin_failure drop column is_changed; \
                   alter table plugin_binding_change drop column is_roll_back; \
                   alter table sync drop column changes_since; alter table sync drop column expires_until; \
                   alter table sync drop column requests; drop table renewal_author; \
                   drop table ended_session; alter table audit drop column revision; \
                   pragma user_version = 19;";
        Connection::open(&path).unwrap().execute_batch(old).unwrap();

        let mut store = Store::open(&path).unwrap();
        assert_eq!(get(store.db(), row, "t", USED_AT).unwrap(), Some(stored));
        let year = USED_AT + 366 * 86_400;
        assert!(!has_expired(store.db(), year).unwrap() && has_expired(store.db(), year + 1).unwrap());
        store.write(|tx| delete_expired(tx, year + 1, 10)).unwrap();
        assert_eq!(count(store.db(), row).unwrap(), 0);
    }
}
