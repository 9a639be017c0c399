//! How things stand as a whole: what is due, what is in doubt. For reading only.

use perennial_domain::timestamp::Timestamp;

use crate::bundles::Schedule;
use crate::error::StoreError;
use crate::jobs;
use crate::tx::ReadTx;

/// The state of a host in figures, for metrics and health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Bundles whose time has come.
    pub due: i64,
    /// The first wake there is, but for those that no clock has looked at: they are due, and not late.
    pub first_wake: Option<Timestamp>,
    /// Since when the bundle whose plugin has failed longest waits for a usable answer.
    pub failing_since: Option<Timestamp>,
    /// Attempts of which nobody knows whether they happened.
    pub in_doubt: i64,
    /// Jobs that are running.
    pub jobs: i64,
    /// Items of those that have no answer yet.
    pub items: i64,
    /// Approvals that nobody has decided on.
    pub approvals_pending: i64,
}

/// How things stand at `at`.
pub fn get(db: &ReadTx, at: Timestamp) -> Result<Stats, StoreError> {
    let due = db
        .connection()
        .prepare_cached("select count(*) from schedule where wake_at is not null and wake_at <= ?1")?
        .query_row([at.as_second()], |row| row.get(0))?;
    let first_wake: Option<i64> = db
        .connection()
        .prepare_cached("select min(wake_at) from schedule where wake_at > ?1")?
        .query_row([Schedule::AT_ONCE.as_second()], |row| row.get(0))?;
    let failing_since: Option<i64> = db
        .connection()
        .prepare_cached("select min(at) from plugin_failure")?
        .query_row([], |row| row.get(0))?;
    let in_doubt = db
        .connection()
        .prepare_cached("select count(*) from attempt where state = 'in_doubt'")?
        .query_row([], |row| row.get(0))?;
    let approvals_pending = db
        .connection()
        .prepare_cached("select count(*) from approval where state = 'pending'")?
        .query_row([], |row| row.get(0))?;
    let (jobs, items) = (i64::from(jobs::running(db)?), jobs::count_waiting(db)?);
    let first_wake = first_wake.map(Timestamp::from_second);
    let failing_since = failing_since.map(Timestamp::from_second);
    Ok(Stats { due, first_wake, failing_since, in_doubt, jobs, items, approvals_pending })
}

/// The providers of all accounts.
pub fn providers(db: &ReadTx) -> Result<Vec<String>, StoreError> {
    let mut statement =
        db.connection().prepare_cached("select distinct provider from account order by provider")?;
    let providers = statement.query_map([], |row| row.get(0))?;
    Ok(providers.collect::<Result<_, _>>()?)
}
