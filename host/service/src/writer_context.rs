//! The state that tasks of the writer's thread use: the engine, the clock, and what is published. Knows no thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::clock;
use perennial_engine::error::EngineError;
use perennial_store::api_tokens;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockState;
use perennial_store::error::StoreError;
use perennial_store::idempotency_keys;
use perennial_store::jobs;
use perennial_store::keys::JobKey;
use perennial_store::provider_keys;
use perennial_store::quotas;

use crate::admin_tokens::Tokens;
use crate::event_publisher::EventPublisher;
use crate::memory;
use crate::provider_keys::KeyUsage;
use crate::storage_state::SharedState;
use crate::storage_state::StorageState;

/// How long a response is kept under its idempotency key, in seconds: a week.
const IDEMPOTENCY_RETENTION: i64 = 7 * 86_400;
/// How long a job is kept after its end, in seconds: thirty days.
const JOB_RETENTION: i64 = 30 * 86_400;

/// The source of the present instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// The system's clock.
    Real,
    /// The system's clock, with nobody who does the clock's work: for commands on a database that no host works on.
    Idle,
    /// A clock that stands at this instant until it is advanced. Work that is due at the instant itself is not done
    /// yet.
    Virtual(Timestamp),
}

/// The state that tasks of the writer's thread use.
pub struct WriterContext {
    /// The engine, which only this thread uses.
    pub engine: Engine,
    pub(crate) time: ClockMode,
    pub(crate) now: Arc<AtomicI64>,
    /// How many move a virtual clock at present.
    pub(crate) advances: Arc<AtomicUsize>,
    pub(crate) publisher: EventPublisher,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) stop: Arc<AtomicBool>,
    /// Whether the host is to end once its requests are answered.
    pub(crate) is_ending: Arc<AtomicBool>,
    /// The row of the job that ran the last slice.
    pub(crate) last_job: JobKey,
    pub(crate) key_usage: Arc<KeyUsage>,
    pub(crate) storage: Arc<SharedState>,
    /// How many responses are kept for a token, as counted since the last maintenance.
    pub(crate) stored_responses: BTreeMap<String, i64>,
}

impl WriterContext {
    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match self.time {
            ClockMode::Real | ClockMode::Idle => clock::now(),
            ClockMode::Virtual(now) => now,
        }
    }

    /// Up to when the database's clock has come. A virtual clock that was started ahead of that is not past what lies between
    /// before it has moved there: nothing ends in that time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub fn reached(&self) -> Result<Timestamp, StoreError> {
        let now = self.now();
        Ok(match (self.time, ticks::state(self.engine.db())?) {
            (ClockMode::Virtual(_), ClockState { ticked_at: Some(ticked_at), .. }) => now.min(ticked_at + 1),
            (ClockMode::Virtual(_) | ClockMode::Real | ClockMode::Idle, ClockState { .. }) => now,
        })
    }

    /// The publisher for events that were committed.
    pub fn publisher(&self) -> EventPublisher {
        self.publisher.clone()
    }

    /// Notes whether the last write could be written, and logs it when that has changed.
    pub fn set_storage_state(&self, state: StorageState) {
        let is_unnoted = state == StorageState::Writable && !self.engine.is_progress_noted();
        let state = if is_unnoted { StorageState::Unnoted } else { state };
        let before = self.storage.set(state);
        match state.problem() {
            // The store has said it.
            Some(_) if state == StorageState::Unnoted => {}
            Some(problem) if before != state => tracing::error!("nothing is written any more: {problem}"),
            None if before != state => tracing::info!("the database can be written to again"),
            Some(_) | None => {}
        }
    }

    /// Looks whether the database can still be written to. It does not find out whether there is space again: that takes a
    /// write.
    ///
    /// # Errors
    ///
    /// That of the database, unless it was moved or is full.
    pub fn watch_storage(&mut self) -> Result<(), StoreError> {
        let begun = self.engine.in_transaction(|_| Ok::<(), StoreError>(()));
        let state = begun.as_ref().err().map(StorageState::of).unwrap_or_default();
        let was_moved = matches!(self.storage.get(), StorageState::Moved | StorageState::LogMoved);
        if state != StorageState::Writable || was_moved {
            self.set_storage_state(state);
        }
        if state == StorageState::Writable { begun } else { Ok(()) }
    }

    /// How many responses are kept under the idempotency keys of a token: counted once between two maintenances.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub fn stored_responses(&mut self, token: &str) -> Result<i64, StoreError> {
        if let Some(kept) = self.stored_responses.get(token) {
            return Ok(*kept);
        }
        let kept = quotas::stored_responses(self.engine.db(), token)?;
        self.stored_responses.insert(token.to_owned(), kept);
        Ok(kept)
    }

    /// Notes that another response is kept for a token.
    pub fn note_stored_response(&mut self, token: &str) {
        if let Some(kept) = self.stored_responses.get_mut(token) {
            *kept += 1;
        }
    }

    /// Whether the thread is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The admin tokens.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn set_now(&mut self, to: Timestamp) {
        self.time = ClockMode::Virtual(to);
        self.now.store(to.as_second(), Ordering::SeqCst);
    }

    /// Stores when tokens and keys were last used, deletes expired records, and gives unused memory back.
    pub(crate) fn run_maintenance(&mut self) -> Result<(), EngineError> {
        memory::give_back();
        self.stored_responses.clear();
        let now = self.reached()?;
        let (used, key_usage) = (self.tokens.take_usage(), self.key_usage.take());
        self.engine.in_transaction(|engine| {
            for (id, at) in &used {
                api_tokens::set_last_used(engine.tx(), id, *at)?;
            }
            jobs::delete_oldest(engine.tx(), now - JOB_RETENTION)?;
            for (access_key, at) in &key_usage {
                provider_keys::set_last_used(engine.tx(), access_key, *at)?;
            }
            provider_keys::delete_expired(engine.tx(), now)?;
            idempotency_keys::delete_before(engine.tx(), now - IDEMPOTENCY_RETENTION)
        })?;
        self.engine.note_progress();
        Ok(self.engine.delete_old_records(now)?)
    }
}
