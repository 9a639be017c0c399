//! The `attempt` table: one row for each attempt that is not void.
//!
//! Attempts with one key differ in their term. At most one of them is beyond a decline and an approval that it awaits.

use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State;
use perennial_domain::timestamp::Timestamp;
use rusqlite::CachedStatement;

use crate::codec;
use crate::error::StoreError;
use crate::keys::ApprovalKey;
use crate::keys::AttemptKey;
use crate::keys::ResourceKey;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

/// Records attempts, as long as a transaction lasts.
pub struct AttemptRecorder<'c>(CachedStatement<'c>);

impl<'c> AttemptRecorder<'c> {
    /// Finds the statement.
    pub fn new(db: &'c WriteTx) -> Result<AttemptRecorder<'c>, StoreError> {
        Ok(AttemptRecorder(db.connection().prepare_cached(
            "insert into attempt (resource, expires_before, term_count, term_unit, state, decline_class, changed_at, tries)
             select ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1 where not exists
                 (select 1 from attempt where resource = ?1 and expires_before = ?2 and state <> 'void'
                  and state not in ('declined', 'awaiting_approval'))
             on conflict (resource, expires_before, term_unit, term_count) where state <> 'void'
             do update set state = ?5, decline_class = ?6, changed_at = ?7, tries = tries + (state = 'declined')",
        )?))
    }

    /// Writes the state of an attempt on `resource`. A declined one with the same id is tried again, and one that awaits
    /// an approval goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError::PaidTwice`] when an attempt with the same key, of whatever term, is in any other state but void.
    pub fn record(&mut self, resource: ResourceKey, attempt: &Attempt) -> Result<(), StoreError> {
        let class = decline_class(attempt.state);
        let (term_count, term_unit) = codec::term_columns(Some(attempt.id.term));
        let written = self.0.execute((
            resource,
            attempt.id.key.expires_before.as_second(),
            term_count,
            term_unit,
            attempt.state.name(),
            class,
            attempt.at.as_second(),
        ))?;
        match written {
            1 => Ok(()),
            _ => Err(StoreError::PaidTwice {
                resource: attempt.id.key.resource.clone(),
                starts_at: attempt.id.key.expires_before.to_string(),
            }),
        }
    }
}

/// Writes the state of the attempt that a call to a cloud stands for. Who may be tried is decided by the table of calls.
pub(crate) fn set(db: &WriteTx, resource: ResourceKey, attempt: &Attempt) -> Result<(), StoreError> {
    let (term_count, term_unit) = codec::term_columns(Some(attempt.id.term));
    let is_void = attempt.state == State::Void;
    let expires_before = attempt.id.key.expires_before.as_second();
    let changed = db
        .connection()
        .prepare_cached(
            "update attempt set state = ?5, decline_class = ?6, changed_at = ?7,
                 tries = tries + (state in ('declined', 'awaiting_approval') and ?5 not in ('declined', 'void'))
             where resource = ?1 and expires_before = ?2 and term_unit = ?4 and term_count = ?3 and state <> 'void'",
        )?
        .execute((
            resource,
            expires_before,
            term_count,
            term_unit,
            attempt.state.name(),
            decline_class(attempt.state),
            attempt.at.as_second(),
        ))?;
    if changed > 0 || is_void {
        return Ok(());
    }
    db.connection()
        .prepare_cached(
            "insert into attempt (resource, expires_before, term_count, term_unit, state, decline_class, changed_at, tries)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
        )?
        .execute((
            resource,
            expires_before,
            term_count,
            term_unit,
            attempt.state.name(),
            decline_class(attempt.state),
            attempt.at.as_second(),
        ))?;
    Ok(())
}

/// The word of a decline's class; `None` in other states.
const fn decline_class(state: State) -> Option<&'static str> {
    match state {
        State::Declined(class) => Some(class.name()),
        State::Planned
        | State::AwaitingApproval
        | State::Reserved
        | State::Calling
        | State::Submitted
        | State::Settled
        | State::InDoubt
        | State::Void => None,
    }
}

/// Voids the attempt that paid for the period of `resource` that begins at `starts_at`: its key is free again.
pub fn void(
    db: &WriteTx,
    resource: ResourceKey,
    starts_at: Timestamp,
    at: Timestamp,
) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update attempt set state = 'void', decline_class = null, changed_at = ?3
         where resource = ?1 and expires_before = ?2 and state <> 'void'",
        )?
        .execute((resource, starts_at.as_second(), at.as_second()))?;
    Ok(())
}

/// The row of the attempt on `resource` that has this id and is not void.
pub(crate) fn find(db: &ReadTx, resource: ResourceKey, id: &AttemptId) -> Result<AttemptKey, StoreError> {
    let (term_count, term_unit) = codec::term_columns(Some(id.term));
    let found = db
        .connection()
        .prepare_cached(
            "select row from attempt
             where resource = ?1 and expires_before = ?2 and term_unit = ?4 and term_count = ?3 and state <> 'void'",
        )?
        .query_row((resource, id.key.expires_before.as_second(), term_count, term_unit), |row| row.get(0));
    Ok(found?)
}

/// Voids the attempt that awaits an approval that will not come, unless it awaits another one besides: its key is free again.
pub(crate) fn void_awaiting(db: &WriteTx, approval: ApprovalKey, at: Timestamp) -> Result<(), StoreError> {
    db.connection()
        .prepare_cached(
            "update attempt set state = 'void', changed_at = ?2
             where row = (select attempt from approval where row = ?1) and state = 'awaiting_approval' and not exists
                 (select 1 from approval other where other.attempt = attempt.row and other.state = 'pending' and other.row <> ?1)",
        )?
        .execute((approval, at.as_second()))?;
    Ok(())
}

/// The attempts on `resource`, called `id`, that are not void.
pub(crate) fn list(db: &ReadTx, resource: ResourceKey, id: &str) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = db.connection().prepare_cached(
        "select expires_before, term_count, term_unit, state, decline_class, changed_at from attempt
         where resource = ?1 and state <> 'void' order by row",
    )?;
    let attempts = statement.query_and_then([resource], |row| {
        let damaged = || StoreError::Damaged { what: "an attempt", found: id.to_owned() };
        let term = codec::term(row.get(1)?, row.get(2)?)?.ok_or_else(damaged)?;
        let (name, class): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        let is_it = |state: &State| {
            let declined = if let State::Declined(class) = state { Some(class.name()) } else { None };
            state.name() == name && declined == class.as_deref()
        };
        let key = Key { resource: id.to_owned(), expires_before: Timestamp::from_second(row.get(0)?) };
        Ok(Attempt {
            id: AttemptId { key, term },
            state: State::ALL.into_iter().find(is_it).ok_or_else(damaged)?,
            at: Timestamp::from_second(row.get(5)?),
        })
    })?;
    attempts.collect()
}
