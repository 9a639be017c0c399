//! The `connection` and `connection_grant` tables: how accounts that their provider keeps are called, and what an operator
//! granted. Stores a secret only sealed, or where it is.

pub mod drifts;
mod known;

use std::collections::BTreeSet;

use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::Driver;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

pub use known::KnownResource;
pub use known::has_price;
pub use known::resources;
pub use known::unlisted;

/// Where the secret of an access key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretLocation {
    /// Here, sealed with the host's secrets key.
    Sealed(Vec<u8>),
    /// In the environment variable of this name.
    Environment(String),
    /// In the file at this path.
    File(String),
    /// In what this command writes.
    Command(String),
}

impl SecretLocation {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            SecretLocation::Sealed(_) => "sealed",
            SecretLocation::Environment(_) => "env",
            SecretLocation::File(_) => "file",
            SecretLocation::Command(_) => "command",
        }
    }

    /// The variable, path or command.
    pub fn named(&self) -> Option<&str> {
        match self {
            SecretLocation::Sealed(_) => None,
            SecretLocation::Environment(name)
            | SecretLocation::File(name)
            | SecretLocation::Command(name) => Some(name),
        }
    }

    fn sealed(&self) -> Option<&[u8]> {
        match self {
            SecretLocation::Sealed(sealed) => Some(sealed),
            SecretLocation::Environment(_) | SecretLocation::File(_) | SecretLocation::Command(_) => None,
        }
    }
}

/// How a connected account is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Who renews what it has.
    pub driver: Driver,
    /// The URL to call instead of the provider's own hosts.
    pub endpoint: Option<String>,
    /// What requests call the secret by.
    pub access_key: String,
    /// Where the secret is.
    pub secret: SecretLocation,
    /// When the account was connected ...
    pub created_at: Timestamp,
    /// ... and by which token.
    pub created_by: String,
}

/// A connection as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConnection {
    /// The row of its account ...
    pub account: AccountKey,
    /// ... and the account's id.
    pub id: String,
    /// How it is called.
    pub connection: Connection,
    /// When its secret was last replaced.
    pub rotated_at: Option<Timestamp>,
    /// The most that calls within an hour may cost; `None` for no ceiling.
    pub spending_per_hour: Option<Micros>,
    /// Since when nothing is sent for it, and which token said so; `None` while calls are sent.
    pub paused: Option<(Timestamp, String)>,
    /// What the provider said last of the account's money, and when.
    pub balance: Option<(CloudBalance, Timestamp)>,
}

/// Adds the connection of an account.
pub fn insert(db: &WriteTx, account: AccountKey, connection: &Connection) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into connection (account, driver, endpoint, access_key, secret_source, secret_name, sealed_secret,
             created_at, created_by)
             values (:account, :driver, :endpoint, :access_key, :secret_source, :secret_name, :sealed_secret,
             :created_at, :created_by)",
        )?
        .execute(named_params! {
            ":account": account,
            ":driver": connection.driver.name(),
            ":endpoint": connection.endpoint,
            ":access_key": connection.access_key,
            ":secret_source": connection.secret.name(),
            ":secret_name": connection.secret.named(),
            ":sealed_secret": connection.secret.sealed(),
            ":created_at": connection.created_at.as_second(),
            ":created_by": connection.created_by,
        })?;
    Ok(())
}

/// The connection of the account called `id`, if it has one.
pub fn get(db: &ReadTx, id: &str) -> Result<Option<StoredConnection>, StoreError> {
    db.connection()
        .prepare_cached(
            "select a.id, c.* from connection c join account a on a.row = c.account where a.id = ?1",
        )?
        .query_row([id], |row| Ok(stored(row)))
        .optional()?
        .transpose()
}

/// Every connection, by the ids of the accounts; only those of `accounts`, a JSON list of ids, unless that is `None`.
pub fn list(db: &ReadTx, accounts: Option<&str>) -> Result<Vec<StoredConnection>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select a.id, c.* from connection c join account a on a.row = c.account
         where ?1 is null or a.id in (select value from json_each(?1)) order by a.id",
    )?;
    let connections = statement.query_and_then([accounts], stored)?;
    connections.collect()
}

/// Replaces the key of an account.
pub fn set_secret(
    db: &WriteTx,
    account: AccountKey,
    (access_key, secret): (&str, &SecretLocation),
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update connection set access_key = :access_key, secret_source = :secret_source, secret_name = :secret_name,
             sealed_secret = :sealed_secret, rotated_at = :at where account = :account",
        )?
        .execute(named_params! {
            ":access_key": access_key,
            ":secret_source": secret.name(),
            ":secret_name": secret.named(),
            ":sealed_secret": secret.sealed(),
            ":at": at.as_second(),
            ":account": account,
        })?;
    Ok(())
}

/// Notes what the provider says of an account's money.
pub fn set_balance(
    db: &WriteTx,
    account: AccountKey,
    balance: &CloudBalance,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update connection set balance = ?2, balance_currency = ?3, balance_at = ?4 where account = ?1",
        )?
        .execute((account, balance.available.as_micros(), &balance.currency, at.as_second()))?;
    Ok(())
}

/// Says who renews what an account has.
pub fn set_driver(db: &WriteTx, account: AccountKey, driver: Driver) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update connection set driver = ?2 where account = ?1")?
        .execute((account, driver.name()))?;
    Ok(())
}

/// Pauses the calls of an account, or resumes them: `None`.
pub fn set_paused(
    db: &WriteTx,
    account: AccountKey,
    pause: Option<(Timestamp, &str)>,
) -> Result<(), StoreError> {
    let (at, by) = pause.unzip();
    db.connection()
        .prepare_cached("update connection set paused_at = ?2, paused_by = ?3 where account = ?1")?
        .execute((account, at.map(Timestamp::as_second), by))?;
    Ok(())
}

/// Sets the most that calls of an account within an hour may cost; `None` for no ceiling.
pub fn set_spending_per_hour(
    db: &WriteTx,
    account: AccountKey,
    ceiling: Option<Micros>,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update connection set spending_per_hour = ?2 where account = ?1")?
        .execute((account, ceiling.map(Micros::as_micros)))?;
    Ok(())
}

/// Who renews what an account has; `None` for one that this host keeps itself.
pub(crate) fn driver(db: &ReadTx, account: AccountKey) -> Result<Option<Driver>, StoreError> {
    let mut statement = db.connection().prepare_cached("select driver from connection where account = ?1")?;
    let found = statement.query_row([account], |row| row.get::<_, String>(0)).optional()?;
    found.map(read_driver).transpose()
}

fn read_driver(word: String) -> Result<Driver, StoreError> {
    let known = Driver::ALL.into_iter().find(|known| known.name() == word);
    known.ok_or(StoreError::Damaged { what: "who drives an account", found: word })
}

/// The names of the reads that were granted.
pub fn grants(db: &ReadTx, account: AccountKey) -> Result<BTreeSet<String>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select name from connection_grant where account = ?1")?;
    let names = statement.query_map([account], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Grants these reads and no others. What was granted before keeps its instant.
pub fn set_grants(
    db: &WriteTx,
    account: AccountKey,
    names: &BTreeSet<String>,
    (by, at): (&str, Timestamp),
) -> Result<(), StoreError> {
    let before = grants(db, account)?;
    for name in before.difference(names) {
        db.connection()
            .prepare_cached("delete from connection_grant where account = ?1 and name = ?2")?
            .execute((account, name))?;
    }
    for name in names.difference(&before) {
        db.connection()
            .prepare_cached(
                "insert into connection_grant (account, name, granted_at, granted_by) values (?1, ?2, ?3, ?4)",
            )?
            .execute((account, name, at.as_second(), by))?;
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredConnection, StoreError> {
    let (source, driver): (String, String) = (row.get("secret_source")?, row.get("driver")?);
    let named: Option<String> = row.get("secret_name")?;
    let sealed: Option<Vec<u8>> = row.get("sealed_secret")?;
    let secret = match (source.as_str(), named, sealed) {
        ("sealed", _, Some(sealed)) => SecretLocation::Sealed(sealed),
        ("env", Some(name), _) => SecretLocation::Environment(name),
        ("file", Some(path), _) => SecretLocation::File(path),
        ("command", Some(command), _) => SecretLocation::Command(command),
        _ => return Err(StoreError::Damaged { what: "where a secret is", found: source }),
    };
    let balance = match (row.get("balance")?, row.get("balance_currency")?, row.get("balance_at")?) {
        (Some(available), Some(currency), Some(at)) => {
            Some((CloudBalance { currency, available: Micros::new(available) }, Timestamp::from_second(at)))
        }
        _ => None,
    };
    Ok(StoredConnection {
        account: row.get("account")?,
        id: row.get("id")?,
        connection: Connection {
            driver: read_driver(driver)?,
            endpoint: row.get("endpoint")?,
            access_key: row.get("access_key")?,
            secret,
            created_at: Timestamp::from_second(row.get("created_at")?),
            created_by: row.get("created_by")?,
        },
        rotated_at: row.get::<_, Option<i64>>("rotated_at")?.map(Timestamp::from_second),
        spending_per_hour: row.get::<_, Option<i64>>("spending_per_hour")?.map(Micros::new),
        paused: row
            .get::<_, Option<i64>>("paused_at")?
            .map(Timestamp::from_second)
            .zip(row.get("paused_by")?),
        balance,
    })
}
