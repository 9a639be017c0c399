//! Writes to the `resource` and `schedule` tables: new bundles, and what changed of a bundle.

use std::collections::BTreeMap;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;
use rusqlite::named_params;

use crate::bundles::OriginalBundle;
use crate::bundles::Schedule;
use crate::bundles::package_used;
use crate::bundles::schedule_columns;
use crate::bundles::term_columns;
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
        insert_terms(db, row, account, member, attached_to)?;
        insert_schedule(db, row, rows.bundle(), member, schedule)?;
        if let Some(package) = &member.package {
            packages::insert(db, row, account, package)?;
        }
    }
    Ok(rows)
}

pub(crate) fn insert_terms(
    db: &WriteTx,
    row: ResourceKey,
    account: AccountKey,
    member: &Resource,
    attached_to: Option<ResourceKey>,
) -> Result<(), StoreError> {
    let (term_count, term_unit) = codec::term_columns(member.term);
    let (renewal_term_count, renewal_term_unit) = codec::term_columns(member.renewal_term);
    db.connection().prepare_cached(
        "insert into resource (row, id, account, kind, region, attached_to, started_at, anchor_day, term_count, term_unit,
             price, renewal_term_count, renewal_term_unit, attributes, tags)
         values (:row, :id, :account, :kind, :region, :attached_to, :started_at, :anchor_day, :term_count, :term_unit,
             :price, :renewal_term_count, :renewal_term_unit, :attributes, :tags)",
    )?
    .execute(named_params! {
        ":row": row,
        ":id": member.id,
        ":account": account,
        ":kind": member.kind,
        ":region": member.region,
        ":attached_to": attached_to,
        ":started_at": member.started_at.as_second(),
        ":anchor_day": member.anchor_day,
        ":term_count": term_count,
        ":term_unit": term_unit,
        ":price": member.price.map(Micros::as_micros),
        ":renewal_term_count": renewal_term_count,
        ":renewal_term_unit": renewal_term_unit,
        ":attributes": codec::strings_text(&member.attributes),
        ":tags": codec::strings_text(&member.tags),
    })?;
    Ok(())
}

pub(crate) fn insert_schedule(
    db: &WriteTx,
    row: ResourceKey,
    bundle: BundleKey,
    member: &Resource,
    agenda: Schedule,
) -> Result<(), StoreError> {
    let wake_at = agenda.wake_at.filter(|_| row == bundle.primary());
    db.connection().prepare_cached(
        "insert into schedule (resource, bundle, charging, stage, expires_at, on_expiry, renewals_left, cursor_at, wake_at,
             consecutive_failures)
         values (:resource, :bundle, :charging, :stage, :expires_at, :on_expiry, :renewals_left, :cursor_at, :wake_at,
             :failures)",
    )?
    .execute(named_params! {
        ":resource": row,
        ":bundle": bundle,
        ":charging": member.charging.code(),
        ":stage": member.stage.code(),
        ":expires_at": member.expires_at.map(Timestamp::as_second),
        ":on_expiry": member.on_expiry.code(),
        ":renewals_left": member.renewals_left,
        ":cursor_at": agenda.cursor_at.as_second(),
        ":wake_at": wake_at.map(Timestamp::as_second),
        ":failures": agenda.failures,
    })?;
    Ok(())
}

/// Writes what became of bundles, as long as a transaction lasts.
pub struct BundleUpdater<'c> {
    db: &'c WriteTx,
    primary: CachedStatement<'c>,
    attached: CachedStatement<'c>,
}

impl<'c> BundleUpdater<'c> {
    /// Finds the statements.
    pub fn new(db: &'c WriteTx) -> Result<BundleUpdater<'c>, StoreError> {
        let primary = db.connection().prepare_cached(
            "update schedule set charging = ?2, stage = ?3, expires_at = ?4, on_expiry = ?5, renewals_left = ?6,
                 cursor_at = ?7, wake_at = ?8, consecutive_failures = ?9
             where resource = ?1",
        )?;
        let attached = db.connection().prepare_cached(
            "update schedule set charging = ?2, stage = ?3, expires_at = ?4, on_expiry = ?5, renewals_left = ?6
             where resource = ?1",
        )?;
        Ok(BundleUpdater { db, primary, attached })
    }

    /// Writes what became of a bundle: only the rows that changed, and always the agenda.
    pub fn update(
        &mut self,
        original: &OriginalBundle,
        after: &Bundle,
        schedule: Schedule,
    ) -> Result<(), StoreError> {
        for ((index, row), was) in original.rows.iter().zip(&original.members) {
            let is = &after[index];
            if index == MemberIndex::PRIMARY {
                self.update_primary(row, is, schedule)?;
            } else if was.schedule != schedule_columns(is) {
                self.update_attached(row, is)?;
            }
            if was.terms != term_columns(is) || was.attributes != is.attributes {
                update_terms(self.db, row, is)?;
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
        member: &Resource,
        schedule: Schedule,
    ) -> Result<(), StoreError> {
        self.primary.execute((
            row,
            member.charging.code(),
            member.stage.code(),
            member.expires_at.map(Timestamp::as_second),
            member.on_expiry.code(),
            member.renewals_left,
            schedule.cursor_at.as_second(),
            schedule.wake_at.map(Timestamp::as_second),
            schedule.failures,
        ))?;
        Ok(())
    }

    fn update_attached(&mut self, row: ResourceKey, member: &Resource) -> Result<(), StoreError> {
        self.attached.execute((
            row,
            member.charging.code(),
            member.stage.code(),
            member.expires_at.map(Timestamp::as_second),
            member.on_expiry.code(),
            member.renewals_left,
        ))?;
        Ok(())
    }
}

fn update_terms(db: &WriteTx, row: ResourceKey, member: &Resource) -> Result<(), StoreError> {
    let (term_count, term_unit) = codec::term_columns(member.term);
    let (renewal_term_count, renewal_term_unit) = codec::term_columns(member.renewal_term);
    db.connection().prepare_cached(
        "update resource set anchor_day = :anchor_day, term_count = :term_count, term_unit = :term_unit, price = :price,
             renewal_term_count = :renewal_term_count, renewal_term_unit = :renewal_term_unit,
             attributes = :attributes
         where row = :row",
    )?
    .execute(named_params! {
        ":row": row,
        ":anchor_day": member.anchor_day,
        ":term_count": term_count,
        ":term_unit": term_unit,
        ":price": member.price.map(Micros::as_micros),
        ":renewal_term_count": renewal_term_count,
        ":renewal_term_unit": renewal_term_unit,
        ":attributes": codec::strings_text(&member.attributes),
    })?;
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

/// Why a bundle's plugin gives no usable answer, and since when: written while that is so, struck once it is not.
pub(crate) fn set_problem(
    db: &WriteTx,
    bundle: BundleKey,
    problem: Option<(Timestamp, &str)>,
) -> Result<(), StoreError> {
    match problem {
        Some((at, message)) => db
            .connection()
            .prepare_cached(
                "insert into plugin_failure (bundle, at, message) values (?1, ?2, ?3)
                 on conflict (bundle) do update set message = excluded.message",
            )?
            .execute((bundle, at.as_second(), message))?,
        None => db
            .connection()
            .prepare_cached("delete from plugin_failure where bundle = ?1")?
            .execute([bundle])?,
    };
    Ok(())
}
