//! Commands that change a database: what they say when a host has it, and what time it is for it.
//!
//! Commands on a database that lives on virtual time work at the instant where its clock stands. Nothing here moves a
//! clock.

use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use perennial_engine::clock;
use perennial_formats::body::LATEST;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;
use perennial_store::error::StoreError;

/// Makes the database, if there is none yet.
pub(super) fn ensure(context: &Context) -> Result<(), StoreError> {
    if context.db.exists() { Ok(()) } else { Store::open(&context.db).map(drop) }
}

/// An error of opening, with what to do instead where a host has the database.
pub(super) fn explain(error: StoreError, instead: &str) -> anyhow::Error {
    let is_host = matches!(error, StoreError::InUse { is_host: true, .. });
    let is_in_use = matches!(error, StoreError::InUse { .. });
    let error = anyhow::Error::from(error);
    match (is_in_use, is_host) {
        (false, _) => error,
        (true, true) => error.context(instead.to_owned()),
        (true, false) => {
            error.context("another command works on the database; run this again when that has ended")
        }
    }
}

/// Where the virtual clock of the database stands, or else, also before its first tick, what the system's clock says.
pub(super) fn now(db: &ReadTx) -> Result<Timestamp, StoreError> {
    Ok(match ticks::state(db)? {
        ClockState { ticked_at: Some(ticked_at), kind: Some(ClockKind::Virtual) } => ticked_at + 1,
        ClockState { .. } => clock::now(),
    })
}

/// Refuses an end of a token or a key that has come already, or that no calendar has.
pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), UserError> {
    if let Some(late) = expires_at.filter(|expires_at| *expires_at >= LATEST) {
        let message = format!(
            "`--expires-at {late}` is not before {LATEST}; name an earlier instant, or leave it out for no end"
        );
        return Err(UserError::Argument(message));
    }
    let Some(past) = expires_at.filter(|expires_at| *expires_at <= now) else { return Ok(()) };
    let message = format!(
        "`--expires-at {past}` has passed by the clock of the database, where it is {now}; name a later instant, or leave \
         it out for no end"
    );
    Err(UserError::Argument(message))
}
