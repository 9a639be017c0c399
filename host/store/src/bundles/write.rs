//! Writes to the `resource` and `schedule` tables: new bundles, and what changed of a bundle.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::resource_fields::Changes;
use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;
use rusqlite::ToSql;

use crate::bundles::OriginalBundle;
use crate::bundles::Schedule;
use crate::bundles::columns;
use crate::bundles::columns::Cell;
use crate::bundles::package_used;
use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::keys::RowKey;
use crate::packages;
use crate::tx::WriteTx;

/// Adds a bundle to an account and returns its members' rows.
pub fn insert(
    db: &WriteTx,
    account: AccountKey,
    bundle: &Bundle,
    schedule: Schedule,
) -> Result<MemberKeys, StoreError> {
    // Rows are given out here, because a member may be attached to one that comes after it. They are never used again:
    // no resource is ever deleted.
    let last: i64 = db
        .connection()
        .prepare_cached("select coalesce(max(row), 0) from resource")?
        .query_row([], |row| row.get(0))?;
    let rows = (last + 1..).take(bundle.members.len()).map(ResourceKey::from_number);
    let rows = MemberKeys::new(rows.collect());
    for (index, row) in rows.iter() {
        let member = &bundle[index];
        let attached_to = member.attached_to.map(|to| rows[to]);
        insert_resource(db, row, account, member, attached_to)?;
        insert_schedule(db, row, rows.bundle(), member, schedule)?;
        if let Some(package) = &member.package {
            packages::insert(db, row, account, package)?;
        }
    }
    Ok(rows)
}

/// Adds the row of `resource` for a member.
pub(crate) fn insert_resource(
    db: &WriteTx,
    row: ResourceKey,
    account: AccountKey,
    member: &Resource,
    attached_to: Option<ResourceKey>,
) -> Result<(), StoreError> {
    let (attributes, tags) = (codec::strings_text(&member.attributes), codec::strings_text(&member.tags));
    let never = columns::values(member, Changes::Never);
    let rarely = columns::values(member, Changes::Rarely);
    let mut values: Vec<&dyn ToSql> = vec![&row, &account, &attached_to, &attributes, &tags];
    values.extend(never.iter().chain(&rarely).map(|value| value as &dyn ToSql));
    db.connection().prepare_cached(&INSERT_RESOURCE)?.execute(&*values)?;
    Ok(())
}

/// Adds the row of `schedule` for a member; only that of a primary has the wake.
pub(crate) fn insert_schedule(
    db: &WriteTx,
    row: ResourceKey,
    bundle: BundleKey,
    member: &Resource,
    schedule: Schedule,
) -> Result<(), StoreError> {
    let wake_at = schedule.wake_at.filter(|_| row == bundle.primary()).map(Timestamp::as_second);
    let cursor_at = schedule.cursor_at.as_second();
    let often = columns::values(member, Changes::Often);
    let mut values: Vec<&dyn ToSql> = vec![&row, &bundle, &cursor_at, &wake_at, &schedule.failures];
    values.extend(often.iter().map(|value| value as &dyn ToSql));
    db.connection().prepare_cached(&INSERT_SCHEDULE)?.execute(&*values)?;
    Ok(())
}

static INSERT_RESOURCE: LazyLock<String> = LazyLock::new(|| {
    let names = [columns::names(Changes::Never), columns::names(Changes::Rarely)].concat();
    insert_into("resource", "row, account, attached_to, attributes, tags", 5, &names)
});

static INSERT_SCHEDULE: LazyLock<String> = LazyLock::new(|| {
    let first = "resource, bundle, cursor_at, wake_at, consecutive_failures";
    insert_into("schedule", first, 5, &columns::names(Changes::Often))
});

/// Inserts a row: the `count` columns that `first` lists, and then `names`.
fn insert_into(table: &str, first: &str, count: usize, names: &[String]) -> String {
    let values = (1..=count + names.len()).map(|place| format!("?{place}")).collect::<Vec<_>>();
    format!("insert into {table} ({first}, {}) values ({})", names.join(", "), values.join(", "))
}

/// Sets columns from the values after the first `before`.
fn assignments(before: usize, names: &[String]) -> String {
    let numbered = names.iter().enumerate();
    numbered.map(|(place, name)| format!("{name} = ?{}", place + before + 1)).collect::<Vec<_>>().join(", ")
}

static UPDATE_PRIMARY: LazyLock<String> = LazyLock::new(|| {
    let often = assignments(4, &columns::names(Changes::Often));
    format!(
        "update schedule set cursor_at = ?2, wake_at = ?3, consecutive_failures = ?4, {often} where resource = ?1"
    )
});

static UPDATE_ATTACHED: LazyLock<String> = LazyLock::new(|| {
    format!("update schedule set {} where resource = ?1", assignments(1, &columns::names(Changes::Often)))
});

static UPDATE_RESOURCE: LazyLock<String> = LazyLock::new(|| {
    let rarely = assignments(2, &columns::names(Changes::Rarely));
    format!("update resource set attributes = ?2, {rarely} where row = ?1")
});

/// Writes what became of bundles, as long as a transaction lasts.
pub struct BundleUpdater<'c> {
    db: &'c WriteTx,
    primary: CachedStatement<'c>,
    attached: CachedStatement<'c>,
}

impl<'c> BundleUpdater<'c> {
    /// Finds the statements.
    pub fn new(db: &'c WriteTx) -> Result<BundleUpdater<'c>, StoreError> {
        let primary = db.connection().prepare_cached(&UPDATE_PRIMARY)?;
        let attached = db.connection().prepare_cached(&UPDATE_ATTACHED)?;
        Ok(BundleUpdater { db, primary, attached })
    }

    /// Writes what became of a bundle: only the rows that changed, and always the schedule.
    pub fn update(
        &mut self,
        original: &OriginalBundle,
        after: &Bundle,
        schedule: Schedule,
    ) -> Result<(), StoreError> {
        for ((index, row), was) in original.rows.iter().zip(&original.members) {
            let is = &after[index];
            let often = columns::values(is, Changes::Often);
            if index == MemberIndex::PRIMARY {
                self.update_primary(row, &often, schedule)?;
            } else if was.often != often {
                let values =
                    [&row as &dyn ToSql].into_iter().chain(often.iter().map(|value| value as &dyn ToSql));
                self.attached.execute(&*values.collect::<Vec<_>>())?;
            }
            let rarely = columns::values(is, Changes::Rarely);
            if was.rarely != rarely || was.attributes != is.attributes {
                update_resource(self.db, row, &rarely, &is.attributes)?;
            }
            match package_used(is) {
                Some(now_used) if was.used != Some(now_used) => packages::set_used(self.db, row, now_used)?,
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn update_primary(
        &mut self,
        row: ResourceKey,
        often: &[Cell],
        schedule: Schedule,
    ) -> Result<(), StoreError> {
        let (cursor_at, wake_at) =
            (schedule.cursor_at.as_second(), schedule.wake_at.map(Timestamp::as_second));
        let mut values: Vec<&dyn ToSql> = vec![&row, &cursor_at, &wake_at, &schedule.failures];
        values.extend(often.iter().map(|value| value as &dyn ToSql));
        self.primary.execute(&*values)?;
        Ok(())
    }
}

fn update_resource(
    db: &WriteTx,
    row: ResourceKey,
    rarely: &[Cell],
    attributes: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let attributes = codec::strings_text(attributes);
    let mut values: Vec<&dyn ToSql> = vec![&row, &attributes];
    values.extend(rarely.iter().map(|value| value as &dyn ToSql));
    db.connection().prepare_cached(&UPDATE_RESOURCE)?.execute(&*values)?;
    Ok(())
}

/// Sets what people sort a resource by. No rule reads it, so nothing else changes.
pub fn set_tags(db: &WriteTx, row: ResourceKey, tags: &BTreeMap<String, String>) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update resource set tags = ?2 where row = ?1")?
        .execute((row, codec::strings_text(tags)))?;
    Ok(())
}

/// Has the timelines of an account's bundles asked for anew at `at`: they wake then, with everything before it done.
/// Bundles with something to be done before, or whose plugin failed, are asked about anyway.
pub(crate) fn wake_account(db: &WriteTx, account: AccountKey, at: Timestamp) -> Result<(), StoreError> {
    db.connection().prepare_cached(
        "update schedule set cursor_at = max(cursor_at, ?2 - 1), wake_at = ?2
         where wake_at >= ?2 and consecutive_failures = 0 and resource in (select row from resource where account = ?1)",
    )?
    .execute((account, at.as_second()))?;
    Ok(())
}
