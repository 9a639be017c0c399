//! The table `plugin_failure`: the bundles over which their plugins fail, since when and why, and which of them are parked.

use perennial_domain::micros::Micros;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A parked bundle as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedBundle {
    /// The row of its primary.
    pub row: ResourceKey,
    /// The row of its account.
    pub account: AccountKey,
    /// The account's id.
    pub account_id: String,
    /// The account's currency.
    pub currency: String,
    /// The id of the provider.
    pub provider: String,
    /// The id of its primary.
    pub resource_id: String,
    /// The price of a term of its primary, if it has one.
    pub price: Option<Micros>,
    /// When its primary expires.
    pub expires_at: Option<Timestamp>,
    /// The digest of the revision that fails over it.
    pub revision: String,
    /// How many times in a row that failed over it alone.
    pub failures: u32,
    /// What it is parked for.
    pub reason: String,
    /// Since when its plugin gives no usable answer.
    pub failing_since: Timestamp,
    /// When it was parked.
    pub parked_at: Timestamp,
    /// When it is asked about next.
    pub next_try_at: Option<Timestamp>,
}

/// What is known of a bundle over which its plugin fails; `None` where it does not.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn get(db: &ReadTx, bundle: BundleKey) -> Result<Option<FailingBundle>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from plugin_failure where bundle = ?1")?;
    let found = statement.query_row([bundle], |row| {
        Ok(FailingBundle {
            since: Timestamp::from_second(row.get("at")?),
            message: row.get("message")?,
            revision: row.get("revision")?,
            failures_alone: row.get("failures_alone")?,
            parked_at: row.get::<_, Option<i64>>("parked_at")?.map(Timestamp::from_second),
            is_changed: row.get("is_changed")?,
        })
    });
    Ok(found.optional()?)
}

/// Writes down that the plugin fails over a bundle, or that it does no more.
pub(crate) fn set(
    db: &WriteTx,
    bundle: BundleKey,
    failing: Option<&FailingBundle>,
) -> Result<(), StoreError> {
    let Some(failing) = failing else {
        db.connection().prepare_cached("delete from plugin_failure where bundle = ?1")?.execute([bundle])?;
        return Ok(());
    };
    db.connection()
        .prepare_cached(
            "insert or replace into plugin_failure
                 (bundle, at, message, revision, failures_alone, parked_at, is_changed)
             values (:bundle, :since, :message, :revision, :alone, :parked_at, :is_changed)",
        )?
        .execute(named_params! {
            ":bundle": bundle,
            ":since": failing.since.as_second(),
            ":message": failing.message,
            ":revision": failing.revision,
            ":alone": failing.failures_alone,
            ":parked_at": failing.parked_at.map(Timestamp::as_second),
            ":is_changed": failing.is_changed,
        })?;
    Ok(())
}

/// The parked bundles whose primaries have rows above `after`, in the order in which those were added, at most `limit`; only the
/// one of the resource called `resource` if it is given, and only of these accounts, a JSON list of ids.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn parked(
    db: &ReadTx,
    (provider, resource, accounts): (Option<&str>, Option<&str>, Option<&str>),
    after: ResourceKey,
    limit: u32,
) -> Result<Vec<ParkedBundle>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select f.bundle, f.revision, f.failures_alone, f.message, f.at, f.parked_at, r.id as resource_id, r.price,
             h.expires_at, h.wake_at, a.row as account, a.id as account_id, a.currency, a.provider
         from plugin_failure f join resource r on r.row = f.bundle join schedule h on h.resource = f.bundle
             join account a on a.row = r.account
         where f.parked_at is not null and f.bundle > :after and (:provider is null or a.provider = :provider)
             and (:accounts is null or a.id in (select value from json_each(:accounts)))
             and (:resource is null or f.bundle = (
                 select s.bundle from schedule s join resource n on n.row = s.resource where n.id = :resource))
         order by f.bundle limit :limit",
    )?;
    let found = statement.query_map(
        named_params! {
            ":after": after,
            ":provider": provider,
            ":resource": resource,
            ":accounts": accounts,
            ":limit": limit,
        },
        parked_bundle,
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// How many bundles a revision fails over at present, and how many of them are parked.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn count_of(db: &ReadTx, revision: &str) -> Result<(u32, u32), StoreError> {
    let count = "select count(*), count(parked_at) from plugin_failure where revision = ?1";
    Ok(db.connection().prepare_cached(count)?.query_row([revision], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// How many bundles are parked.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn count_parked(db: &ReadTx) -> Result<i64, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select count(*) from plugin_failure where parked_at is not null")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Releases a parked bundle: it is asked about at `at`, and what its plugin failed at before counts no more. That it fails stays
/// known until it answers.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn release(db: &WriteTx, bundle: ResourceKey, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update plugin_failure set failures_alone = 0, parked_at = null where bundle = ?1")?
        .execute([bundle])?;
    db.connection()
        .prepare_cached("update schedule set wake_at = ?2, consecutive_failures = 1 where resource = ?1")?
        .execute((bundle, at.as_second()))?;
    Ok(())
}

/// Counts nothing any more that a revision failed over alone, but of the bundles that are parked.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn count_anew(db: &WriteTx, revision: &str) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update plugin_failure set failures_alone = 0 where revision = ?1 and parked_at is null",
        )?
        .execute([revision])?;
    Ok(())
}

/// Has the bundles asked about at `at` that wait for an answer of this revision and are not parked.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be written.
pub fn wake_waiting(db: &WriteTx, revision: &str, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update schedule set wake_at = ?2 where wake_at > ?2 and consecutive_failures > 0 and resource in (
                 select bundle from plugin_failure where revision = ?1 and parked_at is null)",
        )?
        .execute((revision, at.as_second()))?;
    Ok(())
}

fn parked_bundle(row: &Row<'_>) -> rusqlite::Result<ParkedBundle> {
    let instant =
        |name| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_second));
    Ok(ParkedBundle {
        row: row.get("bundle")?,
        account: row.get("account")?,
        account_id: row.get("account_id")?,
        currency: row.get("currency")?,
        provider: row.get("provider")?,
        resource_id: row.get("resource_id")?,
        price: row.get::<_, Option<i64>>("price")?.map(Micros::new),
        expires_at: instant("expires_at")?,
        revision: row.get::<_, Option<String>>("revision")?.unwrap_or_default(),
        failures: row.get("failures_alone")?,
        reason: row.get("message")?,
        failing_since: Timestamp::from_second(row.get("at")?),
        parked_at: Timestamp::from_second(row.get("parked_at")?),
        next_try_at: instant("wake_at")?,
    })
}
