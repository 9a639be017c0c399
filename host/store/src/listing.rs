//! What people are shown of resources: across tables, for reading only.

use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::named_params;

use crate::codec;
use crate::error::StoreError;
use crate::tx::ReadTx;

/// Which resources are asked for; an absent condition lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only at this stage.
    pub stage: Option<Stage>,
    /// Only what expires before this instant.
    pub expires_before: Option<Timestamp>,
}

/// A resource as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedResource {
    /// Its account's id.
    pub account: String,
    /// Its provider.
    pub provider: String,
    /// Its id.
    pub id: String,
    /// What it is attached to.
    pub attached_to: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Where it is.
    pub stage: Stage,
    /// When what was paid for ends.
    pub expires_at: Option<Timestamp>,
    /// What is set to happen then.
    pub on_expiry: perennial_domain::bundle::OnExpiry,
    /// What one term costs.
    pub price: Option<Micros>,
    /// The account's currency.
    pub currency: String,
    /// When something next happens to its bundle.
    pub wake_at: Option<Timestamp>,
    /// Why its plugin gave no usable answer, while that is so.
    pub problem: Option<String>,
}

/// The resources that pass `filter`, by account and bundle, a primary before what is attached to it, at most `limit`.
pub fn resources(db: &ReadTx, filter: &Filter, limit: u32) -> Result<Vec<ListedResource>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select a.id, a.provider, r.id, parent.id, r.kind, h.stage, h.expires_at, h.on_expiry, r.price, a.currency,
                primary_schedule.wake_at, plugin_failure.message
         from schedule h
         join resource r on r.row = h.resource
         join account a on a.row = r.account
         join resource p on p.row = h.bundle
         join schedule primary_schedule on primary_schedule.resource = h.bundle
         left join resource parent on parent.row = r.attached_to
         left join plugin_failure on plugin_failure.bundle = h.bundle
         where (:account is null or a.id = :account) and (:provider is null or a.provider = :provider)
           and (:kind is null or r.kind = :kind) and (:stage is null or h.stage = :stage)
           and (:expires_before is null or h.expires_at < :expires_before)
         order by a.id, p.id, h.resource <> h.bundle, r.id limit :limit",
    )?;
    let listed = statement.query_and_then(
        named_params! {
            ":account": filter.account,
            ":provider": filter.provider,
            ":kind": filter.kind,
            ":stage": filter.stage.map(|stage| stage.code()),
            ":expires_before": filter.expires_before.map(Timestamp::as_second),
            ":limit": limit,
        },
        |row| {
            Ok(ListedResource {
                account: row.get(0)?,
                provider: row.get(1)?,
                id: row.get(2)?,
                attached_to: row.get(3)?,
                kind: row.get(4)?,
                stage: codec::coded(Stage::from_code, row.get(5)?, "a stage")?,
                expires_at: codec::instant(row, 6)?,
                on_expiry: codec::coded(
                    perennial_domain::bundle::OnExpiry::from_code,
                    row.get(7)?,
                    "what happens on expiry",
                )?,
                price: row.get::<_, Option<i64>>(8)?.map(Micros::new),
                currency: row.get(9)?,
                wake_at: codec::instant(row, 10)?,
                problem: row.get(11)?,
            })
        },
    )?;
    listed.collect()
}

/// The kinds of the resources that there are, in order.
pub fn kinds(db: &ReadTx) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached("select distinct kind from resource order by kind")?;
    let kinds = statement.query_map([], |row| row.get(0))?;
    Ok(kinds.collect::<Result<_, _>>()?)
}
