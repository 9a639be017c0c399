//! How much expires on each day, of the resources that pass a filter. Knows no page.

use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::resource_query::ResourceFilter;
use crate::resource_query::Statement;
use crate::tx::ReadTx;

/// What expires on one day, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryDay {
    /// The first instant of the day, in UTC.
    pub day: Timestamp,
    /// The currency of the price.
    pub currency: String,
    /// How many resources expire.
    pub count: u32,
    /// What one term of each costs, together.
    pub price: Micros,
}

/// What expires on each day, of the live resources that pass `filter`, whatever its `ids`; by day and currency.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn expiry_days(db: &ReadTx, filter: &ResourceFilter) -> Result<Vec<ExpiryDay>, StoreError> {
    let mut statement = Statement { sql: String::new(), conditions: Vec::new(), parameters: Vec::new() };
    let live = [Stage::Active, Stage::Grace, Stage::Retention];
    let is_live = |stage: &Stage| live.contains(stage);
    let stages = match filter.stages.is_empty() {
        true => live.to_vec(),
        false => filter.stages.iter().copied().filter(is_live).collect(),
    };
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    statement.add_account(filter);
    statement.add_resource(&ResourceFilter { stages, ..filter.clone() })?;
    statement.add_expiry(filter);
    statement.conditions.push("h.expires_at is not null");
    statement.sql.push_str(
        "select h.expires_at - (h.expires_at % 86400 + 86400) % 86400 as day, a.currency, count(*),
                sum(coalesce(r.price, 0))
         from resource r join schedule h on h.resource = r.row join account a on a.row = r.account",
    );
    statement.add_conditions();
    statement.sql.push_str(" group by day, a.currency order by day, a.currency");
    let mut prepared = db.connection().prepare_cached(&statement.sql)?;
    let days = prepared.query_map(statement.bound().as_slice(), |row| {
        Ok(ExpiryDay {
            day: Timestamp::from_second(row.get(0)?),
            currency: row.get(1)?,
            count: row.get(2)?,
            price: Micros::new(row.get(3)?),
        })
    })?;
    Ok(days.collect::<Result<_, _>>()?)
}
