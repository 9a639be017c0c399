//! What is known of the resources of a connected account: to be compared with what its provider lists.

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Row;

use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ResourceKey;
use crate::keys::SyncKey;
use crate::tx::ReadTx;

/// What is known of a resource of a connected account, as far as it says how it will be renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownResource {
    /// The provider's id.
    pub id: String,
    /// One of the kinds of the plugin's manifest.
    pub kind: String,
    /// Where it is; may be empty.
    pub region: String,
    /// How it is paid for.
    pub charging: Charging,
    /// Where it is in its life.
    pub stage: Stage,
    /// Until when it is paid for.
    pub expires_at: Option<Timestamp>,
    /// What happens when it expires.
    pub on_expiry: OnExpiry,
    /// Whether its price is known.
    pub has_price: bool,
    /// The primary of its bundle, if it is attached: its id ...
    pub primary: Option<String>,
    /// ... and what is known of that one's expiry and what happens then.
    pub primary_expires_at: Option<Timestamp>,
    /// What happens when the primary expires.
    pub primary_on_expiry: OnExpiry,
}

/// The beginning of a statement that reads what is known of resources.
const KNOWN: &str = "select r.row, r.id, r.kind, r.region, h.charging, h.stage, h.expires_at, h.on_expiry,
            r.price is not null as has_price, case when h.bundle <> h.resource then p.id end as primary_id,
            ph.expires_at as primary_expires_at, ph.on_expiry as primary_on_expiry
     from resource r join schedule h on h.resource = r.row
     join resource p on p.row = h.bundle join schedule ph on ph.resource = h.bundle";

/// Whether an account has a resource called `id` whose price is known.
pub fn has_price(db: &ReadTx, account: AccountKey, id: &str) -> Result<bool, StoreError> {
    let found = db
        .connection()
        .prepare_cached(
            "select exists (select 1 from resource where id = ?2 and account = ?1 and price is not null)",
        )?
        .query_row((account, id), |row| row.get(0))?;
    Ok(found)
}

/// The resources of an account that are not at their end, by expiry.
pub fn resources(db: &ReadTx, account: AccountKey) -> Result<Vec<KnownResource>, StoreError> {
    let mut statement = db
        .connection()
        .prepare_cached(&format!("{KNOWN} where r.account = ?1 order by h.expires_at, r.row"))?;
    let found = statement.query_and_then([account], held)?;
    let found = found.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(found.into_iter().filter(|held| !held.stage.is_final()).collect())
}

/// At most `limit` resources of an account that are not at their end and that a sync has not read, in the order in which they
/// were added, behind the row `after`; only those that expire at `expires_until` or before, unless that is `None`. Reads no more
/// than what is between them.
pub fn unlisted(
    db: &ReadTx,
    (account, sync): (AccountKey, SyncKey),
    after: ResourceKey,
    expires_until: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<(ResourceKey, KnownResource)>, StoreError> {
    let mut statement = db.connection().prepare_cached(&format!(
        "{KNOWN} where r.account = ?1 and r.row > ?2
           and not exists (select 1 from sync_item i where i.sync = ?3 and i.id = r.id)
           and (?4 is null or h.expires_at <= ?4) order by r.row"
    ))?;
    let found = statement
        .query_and_then((account, after, sync, expires_until.map(Timestamp::as_second)), |row| {
            Ok::<_, StoreError>((row.get("row")?, held(row)?))
        })?;
    let is_live = |found: &Result<(_, KnownResource), _>| {
        found.as_ref().map_or(true, |(_, held)| !held.stage.is_final())
    };
    found.filter(is_live).take(limit).collect()
}

fn held(row: &Row<'_>) -> Result<KnownResource, StoreError> {
    const EXPIRY: &str = "what happens on expiry";
    let (charging, stage): (i64, i64) = (row.get("charging")?, row.get("stage")?);
    let (on_expiry, primary_on_expiry): (i64, i64) = (row.get("on_expiry")?, row.get("primary_on_expiry")?);
    let unknown = |what: &'static str, code: i64| StoreError::Damaged { what, found: code.to_string() };
    Ok(KnownResource {
        id: row.get("id")?,
        kind: row.get("kind")?,
        region: row.get("region")?,
        charging: Charging::from_code(charging).ok_or_else(|| unknown("a way to pay", charging))?,
        stage: Stage::from_code(stage).ok_or_else(|| unknown("a stage", stage))?,
        expires_at: row.get::<_, Option<i64>>("expires_at")?.map(Timestamp::from_second),
        on_expiry: OnExpiry::from_code(on_expiry).ok_or_else(|| unknown(EXPIRY, on_expiry))?,
        has_price: row.get("has_price")?,
        primary: row.get("primary_id")?,
        primary_expires_at: row.get::<_, Option<i64>>("primary_expires_at")?.map(Timestamp::from_second),
        primary_on_expiry: OnExpiry::from_code(primary_on_expiry)
            .ok_or_else(|| unknown(EXPIRY, primary_on_expiry))?,
    })
}
