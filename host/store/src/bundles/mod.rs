//! The `resource` and `schedule` tables, read and written a bundle at a time.

mod columns;
mod write;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::resource_fields::Changes;
use perennial_domain::timestamp::Timestamp;
use rusqlite::OptionalExtension;
use rusqlite::Row;

use crate::codec;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;

use columns::Cell;
use columns::Cells;
pub use write::BundleUpdater;
pub use write::insert;
pub(crate) use write::insert_resource;
pub(crate) use write::insert_schedule;
pub use write::set_tags;
pub(crate) use write::wake_account;

/// A bundle as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBundle {
    /// Its account's row.
    pub account: AccountKey,
    /// Its members' rows.
    pub rows: MemberKeys,
    /// The resources of the bundle.
    pub bundle: Bundle,
    /// What the clock knows of it.
    pub schedule: Schedule,
}

/// What a stored bundle was before it was decided on, as far as any of it can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalBundle {
    /// Its members' rows.
    pub rows: MemberKeys,
    /// What the clock knew of it.
    pub schedule: Schedule,
    /// Whether auto-renew of each member was on.
    renewing: Vec<bool>,
    members: Vec<MutableColumns>,
}

impl OriginalBundle {
    /// Whether auto-renew was on, of each member.
    pub fn renewing(&self) -> &[bool] {
        &self.renewing
    }
}

/// The columns of a member that can change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MutableColumns {
    often: Vec<Cell>,
    rarely: Vec<Cell>,
    attributes: BTreeMap<String, String>,
    used: Option<Micros>,
}

impl StoredBundle {
    /// What it is now, to be decided on, and what it will have been, to compare that with.
    pub fn into_original(self) -> (OriginalBundle, Bundle) {
        let changeable = |member: &Resource| MutableColumns {
            often: columns::values(member, Changes::Often),
            rarely: columns::values(member, Changes::Rarely),
            attributes: member.attributes.clone(),
            used: package_used(member),
        };
        let members = self.bundle.members.iter().map(changeable).collect();
        let renewing = self.bundle.members.iter().map(|member| member.on_expiry == OnExpiry::Renew).collect();
        (OriginalBundle { rows: self.rows, schedule: self.schedule, renewing, members }, self.bundle)
    }
}

fn package_used(member: &Resource) -> Option<Micros> {
    member.package.as_ref().map(|package| package.used)
}

/// What the clock knows of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Everything up to and including this instant has been done.
    pub cursor_at: Timestamp,
    /// When something next happens; `None` once nothing ever does.
    pub wake_at: Option<Timestamp>,
    /// Times in a row that the plugin gave no usable answer.
    pub failures: u32,
}

/// A query for members, with all their columns in the order in which [`BundleAssembler::add`] reads them: `r` is
/// `resource`, `h` is `schedule`, `p` is `package`.
static SELECT_MEMBERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select h.bundle, h.resource, r.account, r.attached_to, h.cursor_at, h.wake_at, h.consecutive_failures,
             r.attributes, r.tags, p.resource_type, p.quota, p.used, p.unit, p.bought_at,
             exists (select 1 from orders o where o.resource = h.resource and o.state <> 1 and o.state = 0)
                 as has_unpaid_order,
             {}
         from",
        columns::qualified_names()
    )
});
/// Where the first column of a plain field is.
const FIRST_PLAIN: usize = 15;
const MEMBER_TABLES: &str =
    "schedule h join resource r on r.row = h.resource left join package p on p.resource = h.resource";

/// The members of the bundle `?1`.
pub(crate) static SELECT_BUNDLE: LazyLock<String> =
    LazyLock::new(|| format!("{} {MEMBER_TABLES} where h.bundle = ?1 order by h.resource", *SELECT_MEMBERS));

/// The members of the bundles of the account `?1`.
static SELECT_ACCOUNT: LazyLock<String> = LazyLock::new(|| {
    format!("{} {MEMBER_TABLES} where r.account = ?1 order by h.bundle, h.resource", *SELECT_MEMBERS)
});

/// The members of the first `?2` bundles whose wake has come by `?1`.
static SELECT_DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with due as materialized (
             select resource as due_row from schedule where wake_at <= ?1 order by wake_at, resource limit ?2
         )
         {} due cross join {MEMBER_TABLES} where h.bundle = due.due_row",
        *SELECT_MEMBERS
    )
});

/// Bundles whose wake has come by `until`, earliest first and then in the order they were added, at most `limit`.
pub fn due(db: &ReadTx, until: Timestamp, limit: u32) -> Result<Vec<StoredBundle>, StoreError> {
    let mut statement = db.connection().prepare_cached(&SELECT_DUE)?;
    let mut bundles = BundleAssembler::default();
    let mut rows = statement.query((until.as_second(), limit))?;
    while let Some(row) = rows.next()? {
        bundles.add(row)?;
    }
    let mut bundles = bundles.finish()?;
    bundles.sort_by_key(|stored| (stored.schedule.wake_at, stored.rows.bundle()));
    Ok(bundles)
}

/// When the next bundle wakes; `None` when none ever does.
pub fn next_wake(db: &ReadTx) -> Result<Option<Timestamp>, StoreError> {
    let second: Option<i64> = db
        .connection()
        .prepare_cached("select min(wake_at) from schedule where wake_at is not null")?
        .query_row([], |row| row.get(0))?;
    Ok(second.map(Timestamp::from_second))
}

/// The bundle that the resource called `id` belongs to, and which member it is; `None` if there is none.
pub fn find_by_resource(db: &ReadTx, id: &str) -> Result<Option<(StoredBundle, MemberIndex)>, StoreError> {
    let row: Option<ResourceKey> = db
        .connection()
        .prepare_cached("select row from resource where id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    row.map(|row| find_by_resource_row(db, row)).transpose()
}

/// The bundle that the resource at `row` belongs to, and which member it is.
pub(crate) fn find_by_resource_row(
    db: &ReadTx,
    row: ResourceKey,
) -> Result<(StoredBundle, MemberIndex), StoreError> {
    let bundle = db
        .connection()
        .prepare_cached("select bundle from schedule where resource = ?1")?
        .query_row([row], |row| row.get(0))?;
    let stored = get(db, bundle)?;
    let member = stored.rows.position(row);
    let member = member.ok_or_else(|| StoreError::Damaged { what: "a member", found: row.to_string() })?;
    Ok((stored, member))
}

/// The bundle with this key.
pub fn get(db: &ReadTx, key: BundleKey) -> Result<StoredBundle, StoreError> {
    let mut statement = db.connection().prepare_cached(&SELECT_BUNDLE)?;
    let mut bundles = BundleAssembler::default();
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        bundles.add(row)?;
    }
    let damaged = || StoreError::Damaged { what: "a bundle", found: key.to_string() };
    bundles.finish()?.pop().ok_or_else(damaged)
}

/// The bundles of an account, in the order in which they were added.
pub fn list_for_account(db: &ReadTx, account: AccountKey) -> Result<Vec<StoredBundle>, StoreError> {
    let mut statement = db.connection().prepare_cached(&SELECT_ACCOUNT)?;
    let mut bundles = BundleAssembler::default();
    let mut rows = statement.query([account])?;
    while let Some(row) = rows.next()? {
        bundles.add(row)?;
    }
    bundles.finish()
}

/// Whether some resource is called `id`.
pub fn exists(db: &ReadTx, id: &str) -> Result<bool, StoreError> {
    Ok(db.connection().prepare_cached("select 1 from resource where id = ?1")?.exists([id])?)
}

/// The id of the account that has the resource called `id`, if there is one.
pub fn account_of(db: &ReadTx, id: &str) -> Result<Option<String>, StoreError> {
    let account = db
        .connection()
        .prepare_cached("select a.id from resource r join account a on a.row = r.account where r.id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(account)
}

/// Bundles on their way out of a query that gives their members one by one, a bundle's together.
#[derive(Default)]
struct BundleAssembler {
    bundles: Vec<StoredBundle>,
    rows: Vec<ResourceKey>,
    attached_to: Vec<Option<ResourceKey>>,
}

impl BundleAssembler {
    fn add(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let bundle: BundleKey = row.get(0)?;
        let resource: ResourceKey = row.get(1)?;
        if self.rows.first().is_none_or(|primary| *primary != bundle.primary()) {
            self.attach()?;
            let schedule = Schedule {
                cursor_at: Timestamp::from_second(row.get(4)?),
                wake_at: codec::instant(row, 5)?,
                failures: row.get(6)?,
            };
            let members = Bundle { members: Vec::new() };
            self.bundles.push(StoredBundle {
                account: row.get(2)?,
                rows: MemberKeys::new(Vec::new()),
                bundle: members,
                schedule,
            });
        }
        let last = self.bundles.last_mut().expect("one was just made sure of");
        self.rows.push(resource);
        last.bundle.members.push(member(row)?);
        self.attached_to.push(row.get(3)?);
        Ok(())
    }

    /// Gives the last bundle its keys, and each member the place of the one that it is attached to.
    fn attach(&mut self) -> Result<(), StoreError> {
        let attached_to = std::mem::take(&mut self.attached_to);
        let rows = MemberKeys::new(std::mem::take(&mut self.rows));
        let Some(last) = self.bundles.last_mut() else { return Ok(()) };
        for (member, row) in last.bundle.members.iter_mut().zip(attached_to) {
            let Some(row) = row else { continue };
            let damaged = || StoreError::Damaged { what: "an attachment", found: member.id.clone() };
            member.attached_to = Some(rows.position(row).ok_or_else(damaged)?);
        }
        last.rows = rows;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<StoredBundle>, StoreError> {
        self.attach()?;
        Ok(self.bundles)
    }
}

fn member(row: &Row<'_>) -> Result<Resource, StoreError> {
    let attributes = row.get_ref(7)?.as_str().map_err(rusqlite::Error::from)?;
    let tags = row.get_ref(8)?.as_str().map_err(rusqlite::Error::from)?;
    let resource_type: Option<String> = row.get(9)?;
    let package = match resource_type {
        Some(resource_type) => Some(Package {
            resource_type,
            quota: Micros::new(row.get(10)?),
            used: Micros::new(row.get(11)?),
            unit: row.get(12)?,
            bought_at: Timestamp::from_second(row.get(13)?),
        }),
        None => None,
    };
    Ok(Resource {
        has_unpaid_order: row.get(14)?,
        package,
        attributes: codec::strings(attributes)?,
        tags: codec::strings(tags)?,
        ..columns::read(&mut Cells::new(row, FIRST_PLAIN))?
    })
}
