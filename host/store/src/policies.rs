//! The tables `policy`, `policy_script`, `policy_calendar` and `policy_set`: the policies that hold. Knows no ruling.

use perennial_domain::policy::Calendar;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::policy::binding;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::named_params;

use crate::error::StoreError;
use crate::policy_changes;
use crate::policy_changes::UnconfirmedChange;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// A policy that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPolicy {
    /// Its name, script and selector.
    pub policy: Policy,
    /// The digest of its script.
    pub digest: String,
    /// Since when it holds as it is.
    pub installed_at: Timestamp,
    /// By which token; `cli` for the command line.
    pub installed_by: String,
}

/// A calendar that scripts ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCalendar {
    /// Its name and days.
    pub calendar: Calendar,
    /// Since when it is as it is.
    pub installed_at: Timestamp,
    /// By which token; `cli` for the command line.
    pub installed_by: String,
}

/// The policies and calendars that hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPolicies {
    /// In the order of the chain.
    pub policies: Vec<StoredPolicy>,
    /// The calendars, sorted by name.
    pub calendars: Vec<StoredCalendar>,
    /// The changes that nobody else has confirmed, by subject and name.
    pub unconfirmed: Vec<UnconfirmedChange>,
}

/// The digest of everything that holds; empty while nothing was ever installed.
pub fn set_digest(db: &ReadTx) -> Result<String, StoreError> {
    let mut statement = db.connection().prepare_cached("select digest from policy_set")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Says what the digest is from now on.
pub fn update_set_digest(db: &WriteTx, digest: &str) -> Result<(), StoreError> {
    db.connection().prepare_cached("update policy_set set digest = ?1")?.execute([digest])?;
    Ok(())
}

/// The policies and calendars that hold.
pub fn all(db: &ReadTx) -> Result<StoredPolicies, StoreError> {
    Ok(StoredPolicies {
        policies: list(db)?,
        calendars: calendars(db)?,
        unconfirmed: policy_changes::unconfirmed(db)?,
    })
}

const ALL: &str = "select p.*, s.source from policy p join policy_script s on s.digest = p.digest";

/// The policies that hold, in the order of the chain.
pub fn list(db: &ReadTx) -> Result<Vec<StoredPolicy>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} order by p.rank, p.name"))?;
    let policies = statement.query_and_then([], stored)?;
    policies.collect()
}

/// The policy called `name`, if it holds.
pub fn get(db: &ReadTx, name: &str) -> Result<Option<StoredPolicy>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!("{ALL} where p.name = ?1"))?;
    let mut policies = statement.query_and_then([name], stored)?;
    policies.next().transpose()
}

/// The source of the script with this digest, if it was ever installed.
pub fn script(db: &ReadTx, digest: &str) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select source from policy_script where digest = ?1")?;
    Ok(statement.query_row([digest], |row| row.get(0)).optional()?)
}

/// The calendars, by name.
pub fn calendars(db: &ReadTx) -> Result<Vec<StoredCalendar>, StoreError> {
    let mut statement = db.connection().prepare_cached("select * from policy_calendar order by name")?;
    let calendars = statement.query_and_then([], |row| {
        let days: String = row.get("days")?;
        Ok(StoredCalendar {
            calendar: Calendar { name: row.get("name")?, days: serde_json::from_str(&days)? },
            installed_at: Timestamp::from_second(row.get("installed_at")?),
            installed_by: row.get("installed_by")?,
        })
    })?;
    calendars.collect()
}

/// Has a policy hold, in place of the one of its name. Its script is kept for good.
pub fn upsert(db: &WriteTx, stored: &StoredPolicy) -> Result<(), StoreError> {
    let policy = &stored.policy;
    db.connection()
        .prepare_cached(
            "insert into policy_script (digest, source) values (?1, ?2) on conflict (digest) do update set source = excluded.source
             where policy_script.source <> excluded.source",
        )?
        .execute((&stored.digest, &policy.text))?;
    db.connection()
        .prepare_cached(
            "insert into policy (name, script, digest, rank, mode, selector, on_failure, installed_at, installed_by)
             values (:name, :script, :digest, :rank, :mode, :selector, :on_failure, :installed_at, :installed_by)
             on conflict (name) do update set script = excluded.script, digest = excluded.digest, rank = excluded.rank,
                 mode = excluded.mode, selector = excluded.selector, on_failure = excluded.on_failure,
                 installed_at = excluded.installed_at, installed_by = excluded.installed_by",
        )?
        .execute(named_params! {
            ":name": policy.name,
            ":script": policy.script,
            ":digest": stored.digest,
            ":rank": policy.rank,
            ":mode": policy.mode.name(),
            ":selector": binding::selector_text(&policy.selector),
            ":on_failure": policy.on_failure.name(),
            ":installed_at": stored.installed_at.as_second(),
            ":installed_by": stored.installed_by,
        })?;
    Ok(())
}

/// Has a policy hold no longer.
pub fn delete(db: &WriteTx, name: &str) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from policy where name = ?1")?.execute([name])?;
    Ok(())
}

/// Adds a calendar, in place of the one of its name.
pub fn upsert_calendar(db: &WriteTx, stored: &StoredCalendar) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "insert into policy_calendar (name, days, installed_at, installed_by)
             values (:name, :days, :installed_at, :installed_by)
             on conflict (name) do update set days = excluded.days, installed_at = excluded.installed_at,
                 installed_by = excluded.installed_by",
        )?
        .execute(named_params! {
            ":name": stored.calendar.name,
            ":days": serde_json::to_string(&stored.calendar.days)?,
            ":installed_at": stored.installed_at.as_second(),
            ":installed_by": stored.installed_by,
        })?;
    Ok(())
}

/// Removes a calendar.
pub fn delete_calendar(db: &WriteTx, name: &str) -> Result<(), StoreError> {
    db.connection().prepare_cached("delete from policy_calendar where name = ?1")?.execute([name])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredPolicy, StoreError> {
    let selector: String = row.get("selector")?;
    let damaged = |found: String| StoreError::Damaged { what: "a policy", found };
    Ok(StoredPolicy {
        policy: Policy {
            name: row.get("name")?,
            script: row.get("script")?,
            text: row.get("source")?,
            rank: row.get("rank")?,
            mode: word(&PolicyMode::ALL, PolicyMode::name, row.get("mode")?)?,
            selector: binding::read_selector(&selector).ok_or_else(|| damaged(selector))?,
            on_failure: word(&OnFailure::ALL, OnFailure::name, row.get("on_failure")?)?,
        },
        digest: row.get("digest")?,
        installed_at: Timestamp::from_second(row.get("installed_at")?),
        installed_by: row.get("installed_by")?,
    })
}

fn word<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: String) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|word| name(*word) == text);
    found.ok_or(StoreError::Damaged { what: "a word of a policy", found: text })
}
