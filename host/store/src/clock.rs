//! The `clock` table: how far the clock has come, and which kind of clock it is.

use perennial_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// The kind of time that a database lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The system's clock.
    Real,
    /// That of a clock which stands until somebody moves it.
    Virtual,
}

/// What a database knows of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockState {
    /// Everything up to here has been done; `None` before the first tick.
    pub ticked_at: Option<Timestamp>,
    /// The kind of the clock that ticked, or by which a command was decided before any ticked; `None` before either, and while
    /// no clock has ticked since a version that did not say.
    pub kind: Option<ClockKind>,
}

/// What the database knows of its clock.
pub fn state(db: &ReadTx) -> Result<ClockState, StoreError> {
    let (second, is_virtual): (Option<i64>, Option<bool>) = db
        .connection()
        .prepare_cached("select ticked_at, is_virtual from clock where id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let kind = is_virtual.map(|is_virtual| if is_virtual { ClockKind::Virtual } else { ClockKind::Real });
    Ok(ClockState { ticked_at: second.map(Timestamp::from_second), kind })
}

/// Everything up to here has been done; `None` before the first tick.
pub fn ticked_at(db: &ReadTx) -> Result<Option<Timestamp>, StoreError> {
    Ok(state(db)?.ticked_at)
}

/// Says that everything up to `at` has been done by a clock of this kind. Neither ever changes back.
pub fn set_ticked_at(db: &WriteTx, kind: ClockKind, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update clock set ticked_at = max(coalesce(ticked_at, ?1), ?1), is_virtual = coalesce(is_virtual, ?2)
             where id = 1",
        )?
        .execute((at.as_second(), kind == ClockKind::Virtual))?;
    Ok(())
}

/// Says which kind of time the database lives on, unless that is known. It never changes.
pub(crate) fn set_kind(db: &WriteTx, kind: ClockKind) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached("update clock set is_virtual = ?1 where id = 1 and is_virtual is null")?
        .execute([kind == ClockKind::Virtual])?;
    Ok(())
}
