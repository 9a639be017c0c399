//! Which kinds the resources have that are still there, and what those are attached to. Knows no provider's kinds.

use rusqlite::Row;

use crate::ReadTx;
use crate::error::StoreError;

/// Resources of an account that have the same kind, and are attached to what has the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindInUse {
    /// The id of their account.
    pub account: String,
    /// The id of the provider of that account.
    pub provider: String,
    /// The kind that all of them have.
    pub kind: String,
    /// The kind of what they are attached to, if they are.
    pub attached_to: Option<String>,
    /// How many there are, at least 1.
    pub count: u64,
    /// The first of them, by id.
    pub example: String,
}

/// The kinds of everything that is neither released nor unsubscribed, by account.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn list(db: &ReadTx) -> Result<Vec<KindInUse>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select a.id, a.provider, r.kind, p.kind, count(*), min(r.id)
         from schedule h join resource r on r.row = h.resource join account a on a.row = r.account
         left join resource p on p.row = r.attached_to
         where h.stage not in (3, 4) group by a.row, r.kind, p.kind order by a.id, r.kind, p.kind",
    )?;
    let kinds = statement.query_map([], read)?;
    Ok(kinds.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<KindInUse> {
    Ok(KindInUse {
        account: row.get(0)?,
        provider: row.get(1)?,
        kind: row.get(2)?,
        attached_to: row.get(3)?,
        count: u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default(),
        example: row.get(5)?,
    })
}
