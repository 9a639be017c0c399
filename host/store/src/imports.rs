//! What imports change of bundles that exist, and how bundles wait for a clock to look at them.

use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;

use crate::bundles;
use crate::bundles::Schedule;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::ResourceKey;
use crate::packages;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

impl Schedule {
    /// The wake of a bundle that was changed from outside: whatever the clock says, it is due.
    pub const AT_ONCE: Timestamp = Timestamp::MIN;
    /// The cursor of a bundle that no clock has looked at.
    pub const NOT_STARTED: Timestamp = Timestamp::MIN;

    /// When something next happens to the bundle, for people: `None` also while it waits for a clock to look at it.
    pub fn known_wake(&self) -> Option<Timestamp> {
        self.wake_at.filter(|wake_at| *wake_at != Schedule::AT_ONCE)
    }

    /// Whether no clock has looked at the bundle.
    pub fn is_not_started(&self) -> bool {
        self.cursor_at == Schedule::NOT_STARTED
    }
}

/// The newest account and the newest resource: as long as neither changes, nothing was imported.
pub fn newest(db: &ReadTx) -> Result<(AccountKey, ResourceKey), StoreError> {
    let newest =
        "select (select coalesce(max(row), 0) from account), (select coalesce(max(row), 0) from resource)";
    Ok(db.connection().prepare_cached(newest)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Adds a member to the bundle whose primary is at `primary`, attached to the member at `attached_to`; returns its row.
pub fn insert_member(
    db: &WriteTx,
    account: AccountKey,
    primary: BundleKey,
    member: &Resource,
    attached_to: ResourceKey,
) -> Result<ResourceKey, StoreError> {
    let row: ResourceKey = db
        .connection()
        .prepare_cached("select coalesce(max(row), 0) + 1 from resource")?
        .query_row([], |row| row.get(0))?;
    let schedule = Schedule { cursor_at: Schedule::NOT_STARTED, wake_at: None, failures: 0 };
    bundles::insert_resource(db, row, account, member, Some(attached_to))?;
    bundles::insert_schedule(db, row, primary, member, schedule)?;
    if let Some(package) = &member.package {
        packages::insert(db, row, account, package)?;
    }
    Ok(row)
}

/// Has the bundle whose primary is at `row` looked at as soon as a clock runs, and its timeline asked for anew.
pub fn wake_at_once(db: &WriteTx, row: BundleKey) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update schedule set wake_at = ?2 where resource = ?1")?
        .execute((row, Schedule::AT_ONCE.as_second()))?;
    Ok(())
}

/// Has every bundle of an account whose plugin did not fail looked at as soon as a clock runs.
pub fn wake_account_at_once(db: &WriteTx, account: AccountKey) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update schedule set wake_at = ?2 where wake_at is not null and consecutive_failures = 0
             and resource in (select row from resource where account = ?1)",
        )?
        .execute((account, Schedule::AT_ONCE.as_second()))?;
    Ok(())
}

/// The ids of an account's resources that are not at their end, in their order.
pub fn unfinished_ids(db: &ReadTx, account: AccountKey) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select r.id, h.stage from resource r join schedule h on h.resource = r.row where r.account = ?1 order by r.id",
    )?;
    let rows = statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<Result<Vec<(String, i64)>, _>>()?;
    let is_unfinished = |code: i64| Stage::from_code(code).is_some_and(|stage| !stage.is_final());
    Ok(rows.into_iter().filter(|(_, stage)| is_unfinished(*stage)).map(|(id, _)| id).collect())
}
