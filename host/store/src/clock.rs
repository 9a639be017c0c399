//! The `clock` table: how far the clock has come.

use perennial_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Everything up to here has been done; `None` before the first tick.
pub fn ticked_at(db: &ReadTx) -> Result<Option<Timestamp>, StoreError> {
    let second: Option<i64> = db
        .connection()
        .prepare_cached("select ticked_at from clock where id = 1")?
        .query_row([], |row| row.get(0))?;
    Ok(second.map(Timestamp::from_second))
}

/// Says that everything up to `at` has been done.
pub fn set_ticked_at(db: &WriteTx, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update clock set ticked_at = ?1 where id = 1")?
        .execute([at.as_second()])?;
    Ok(())
}
