//! Why the running host could not do something. Knows no HTTP: whoever answers a client decides what to say.

use perennial_domain::timestamp::Timestamp;
use perennial_engine::error::EngineError;
use perennial_store::error::StoreError;

/// How long to wait before a request is repeated that found the host busy, in seconds.
const BUSY_SECONDS: u32 = 1;
/// The same for a host that is stopping: another one may have started by then.
const STOPPING_SECONDS: u32 = 5;
/// The same when earlier work is still due and failed: the clock tries again after a minute at the earliest.
const BEHIND_SECONDS: u32 = 60;

/// Why the host could not do something.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine or a plugin failed.
    #[error(transparent)]
    Engine(EngineError),
    /// More tasks wait for the writer than it takes on.
    #[error("too many writes are waiting")]
    Busy,
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
    /// The host stopped while a virtual clock was on its way.
    #[error("the host is stopping; start it again, then move its clock")]
    StoppedMidway,
    /// A read panicked; the log has the reason.
    #[error("reading failed; the host's log says why")]
    ReadFailed,
    /// A clock on real time cannot be moved.
    #[error("the host runs on real time; start it with `--virtual-clock`")]
    RealTime,
    /// A virtual clock does not go back.
    #[error("the clock stands at {now}; it does not go back")]
    ClockBackwards {
        /// Where the clock stands.
        now: Timestamp,
    },
    /// There is no such resource, or the caller does not see it.
    #[error("there is no resource `{0}`")]
    UnknownResource(String),
    /// The command would do something else than its dry run said.
    #[error("the command would now do something else than the dry run said")]
    PlanChanged,
}

impl ServiceError {
    /// A stable code for programs: the same one for the same kind of failure.
    pub fn code(&self) -> &'static str {
        match self {
            ServiceError::Store(StoreError::PaidTwice { .. })
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::Engine(EngineError::NoPlugin { .. }) => "conflict",
            ServiceError::UnknownResource(_) | ServiceError::Engine(EngineError::UnknownAccount(_)) => {
                "not-found"
            }
            ServiceError::PlanChanged | ServiceError::Engine(EngineError::PlanChanged { .. }) => {
                "plan-changed"
            }
            ServiceError::Engine(EngineError::Plugin(_)) => "plugin-failed",
            ServiceError::Busy
            | ServiceError::Stopping
            | ServiceError::StoppedMidway
            | ServiceError::Engine(EngineError::Overdue(_)) => "unavailable",
            ServiceError::Store(_)
            | ServiceError::ReadFailed
            | ServiceError::Engine(EngineError::Store(_)) => "internal",
        }
    }

    /// After how many seconds the same request may succeed; `None` when waiting does not help.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            ServiceError::Busy => Some(BUSY_SECONDS),
            ServiceError::Stopping | ServiceError::StoppedMidway => Some(STOPPING_SECONDS),
            ServiceError::Engine(EngineError::Overdue(_)) => Some(BEHIND_SECONDS),
            ServiceError::Engine(
                EngineError::Store(_)
                | EngineError::Plugin(_)
                | EngineError::NoPlugin { .. }
                | EngineError::UnknownAccount(_)
                | EngineError::PlanChanged { .. },
            )
            | ServiceError::Store(_)
            | ServiceError::ReadFailed
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::UnknownResource(_)
            | ServiceError::PlanChanged => None,
        }
    }

    /// What a client may be told. The details of a failed database stay in the log, to which they are written here.
    pub fn public_message(&self) -> String {
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
                "its plan is no longer what it was; ask for it again with `dry_run` and look at it".to_owned()
            }
            ServiceError::Store(_)
            | ServiceError::Engine(EngineError::Store(_) | EngineError::NoPlugin { .. })
            | ServiceError::Busy
            | ServiceError::Stopping
            | ServiceError::StoppedMidway
            | ServiceError::ReadFailed
            | ServiceError::RealTime
            | ServiceError::ClockBackwards { .. }
            | ServiceError::UnknownResource(_)
            | ServiceError::PlanChanged => self.to_string(),
        }
    }
}

impl From<EngineError> for ServiceError {
    /// A failure of the store is the store's, wherever it came up.
    fn from(error: EngineError) -> ServiceError {
        match error {
            EngineError::Store(error) => ServiceError::Store(error),
            EngineError::Plugin(_)
            | EngineError::Overdue(_)
            | EngineError::NoPlugin { .. }
            | EngineError::UnknownAccount(_)
            | EngineError::PlanChanged { .. } => ServiceError::Engine(error),
        }
    }
}
