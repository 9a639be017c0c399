//! The error of the running host. It knows no HTTP: each API maps it to its own responses.

use perennial_domain::timestamp::Timestamp;
use perennial_engine::error::EngineError;
use perennial_store::error::StoreError;

use crate::storage_state::StorageState;

/// When to retry after the host was busy, in seconds.
const BUSY_SECONDS: u32 = 1;
/// When to retry after the host was stopping, in seconds: another one may have started by then.
const STOPPING_SECONDS: u32 = 5;
/// After how many seconds to send a command again whose account has too many client tokens: some have run out then.
const CLIENT_TOKENS_SECONDS: u32 = 60;
/// When to retry after the disk was full or the database moved, in seconds: somebody has to mend that first.
const STORAGE_SECONDS: u32 = 10;

/// Why the host refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine or a plugin failed.
    #[error(transparent)]
    Engine(EngineError),
    /// The queue of the writer is full.
    #[error("too many writes are waiting")]
    Busy,
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
    /// The host stopped while a virtual clock was advancing.
    #[error(
        "the host is stopping, and its clock came as far as {now}; start it again, then move its clock on"
    )]
    StoppedMidway {
        /// Where the clock stands: what was due before is done.
        now: Timestamp,
    },
    /// A read panicked; the log has the reason.
    #[error("reading failed; the host's log says why")]
    ReadFailed,
    /// The clock runs on real time and cannot be advanced.
    #[error("the host runs on real time; start it with `--virtual-clock`")]
    RealTime,
    /// A virtual clock does not go back.
    #[error("the clock stands at {now}; it does not go back")]
    ClockBackwards {
        /// The present instant of the clock.
        now: Timestamp,
    },
    /// A clock is not moved through so much time at once.
    #[error(
        "the clock stands at {now}, and is moved to {latest} at most at once; name an instant that is not after that"
    )]
    ClockTooFar {
        /// The present instant of the clock.
        now: Timestamp,
        /// The furthest that it is moved at once.
        latest: Timestamp,
    },
    /// There is no such resource, or the caller cannot access it.
    #[error("there is no resource `{0}`")]
    UnknownResource(String),
    /// The plan of the command differs from that of its dry run.
    #[error("the command would now do something else than the dry run said")]
    PlanChanged,
}

impl ServiceError {
    /// What keeps the database from being written to. Nothing was written, and the same may be tried again.
    pub fn storage_state(&self) -> StorageState {
        match self {
            ServiceError::Store(error) | ServiceError::Engine(EngineError::Store(error)) => {
                StorageState::of(error)
            }
            ServiceError::Engine(_)
            | ServiceError::Busy
            | ServiceError::Stopping
            | ServiceError::StoppedMidway { .. }
            | ServiceError::ReadFailed
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::ClockTooFar { .. }
            | ServiceError::UnknownResource(_)
            | ServiceError::PlanChanged => StorageState::Writable,
        }
    }

    /// The stable code for programs, such as `not-found`.
    pub fn code(&self) -> &'static str {
        match self {
            error if error.storage_state() == StorageState::Full => "storage-full",
            error if error.storage_state() != StorageState::Writable => "storage-moved",
            ServiceError::Store(StoreError::PaidTwice { .. })
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::ClockTooFar { .. }
            | ServiceError::Engine(
                EngineError::NoPlugin { .. }
                | EngineError::Watched(_)
                | EngineError::NotSent { .. }
                | EngineError::MissingKinds(_)
                | EngineError::Clock(_),
            ) => "conflict",
            ServiceError::UnknownResource(_) | ServiceError::Engine(EngineError::UnknownAccount(_)) => {
                "not-found"
            }
            ServiceError::PlanChanged | ServiceError::Engine(EngineError::PlanChanged { .. }) => {
                "plan-changed"
            }
            ServiceError::Engine(EngineError::ClientTokens { .. }) => "quota-exceeded",
            // What is due is left undone by a plugin that fails, and by nothing else.
            ServiceError::Engine(EngineError::Plugin(_) | EngineError::Overdue(_)) => "plugin-failed",
            ServiceError::Busy | ServiceError::Stopping | ServiceError::StoppedMidway { .. } => "unavailable",
            ServiceError::Store(_)
            | ServiceError::ReadFailed
            | ServiceError::Engine(EngineError::Store(_)) => "internal",
        }
    }

    /// The number of seconds after which a retry may succeed; `None` when a retry does not help.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            error if error.storage_state() != StorageState::Writable => Some(STORAGE_SECONDS),
            ServiceError::Busy => Some(BUSY_SECONDS),
            ServiceError::Stopping | ServiceError::StoppedMidway { .. } => Some(STOPPING_SECONDS),
            ServiceError::Engine(EngineError::ClientTokens { .. }) => Some(CLIENT_TOKENS_SECONDS),
            ServiceError::Engine(
                EngineError::Store(_)
                | EngineError::Plugin(_)
                | EngineError::Overdue(_)
                | EngineError::MissingKinds(_)
                | EngineError::NoPlugin { .. }
                | EngineError::Watched(_)
                | EngineError::NotSent { .. }
                | EngineError::UnknownAccount(_)
                | EngineError::Clock(_)
                | EngineError::PlanChanged { .. },
            )
            | ServiceError::Store(_)
            | ServiceError::ReadFailed
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::ClockTooFar { .. }
            | ServiceError::UnknownResource(_)
            | ServiceError::PlanChanged => None,
        }
    }

    /// The message for clients. Details of a failed database go to the log only.
    pub fn public_message(&self) -> String {
        if let Some(problem) = self.storage_state().problem() {
            tracing::error!(error = %self, "a write was refused");
            return format!("nothing was written: {problem}, then send it again");
        }
        match self {
            ServiceError::Store(error) if !matches!(error, StoreError::PaidTwice { .. }) => {
                tracing::error!(%error, "the store failed");
                "the store failed; the host's log says why".to_owned()
            }
            ServiceError::Engine(EngineError::Plugin(error)) => {
                tracing::warn!(%error, "a plugin gave no usable answer");
                error.to_string()
            }
            ServiceError::Engine(EngineError::Overdue(why)) => {
                format!("what was due before is not done, so nothing was decided: {why}")
            }
            ServiceError::Engine(EngineError::UnknownAccount(id)) => format!("there is no account `{id}`"),
            ServiceError::Engine(EngineError::PlanChanged { .. }) => {
                "its plan is no longer what it was; look at it again with a dry run".to_owned()
            }
            ServiceError::Store(_)
            | ServiceError::Engine(
                EngineError::Store(_)
                | EngineError::MissingKinds(_)
                | EngineError::NoPlugin { .. }
                | EngineError::Watched(_)
                | EngineError::NotSent { .. }
                | EngineError::ClientTokens { .. }
                | EngineError::Clock(_),
            )
            | ServiceError::Busy
            | ServiceError::Stopping
            | ServiceError::StoppedMidway { .. }
            | ServiceError::ReadFailed
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::ClockTooFar { .. }
            | ServiceError::UnknownResource(_)
            | ServiceError::PlanChanged => self.to_string(),
        }
    }
}

impl From<EngineError> for ServiceError {
    /// Unwraps a failure of the store, so that it is the same error from the engine and from the store.
    fn from(error: EngineError) -> ServiceError {
        match error {
            EngineError::Store(error) => ServiceError::Store(error),
            EngineError::Plugin(_)
            | EngineError::Overdue(_)
            | EngineError::MissingKinds(_)
            | EngineError::NoPlugin { .. }
            | EngineError::Watched(_)
            | EngineError::NotSent { .. }
            | EngineError::ClientTokens { .. }
            | EngineError::UnknownAccount(_)
            | EngineError::Clock(_)
            | EngineError::PlanChanged { .. } => ServiceError::Engine(error),
        }
    }
}
