//! What a host does that finds its disk full when it starts: it waits for space, as one does that is running.
//!
//! One that ended instead would be down for good where something starts it a few times only, also once there is space again.

use std::io;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use perennial_engine::error::EngineError;
use perennial_service::service::StartError;
use perennial_store::error::StoreError;

/// How long a host waits until it tries to start again.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Says how often a host that waits says so again, in tries: once a minute.
const TRIES_BETWEEN_WORDS: u32 = 12;

/// Does `begin` and, as long as the disk is full, does it again after `patience`, saying so; `None` when `stop` is told to stop
/// meanwhile.
///
/// # Errors
///
/// Any other error of `begin`.
pub(super) fn wait<T>(
    stop: &mpsc::Receiver<()>,
    patience: Duration,
    mut begin: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    for tries in 0_u32.. {
        match begin() {
            Err(error) if is_full(&error) => {
                if tries.is_multiple_of(TRIES_BETWEEN_WORDS) {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the disk that the database is on is full, so the host cannot start: make space, and it starts by itself"
                    );
                }
            }
            begun => return begun.map(Some),
        }
        match stop.recv_timeout(patience) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    tracing::info!("the host was told to stop before there was space to start; nothing was done");
    Ok(None)
}

/// Whether an error is that the disk is full, whatever was written.
fn is_full(error: &anyhow::Error) -> bool {
    let of_engine = |error: &EngineError| {
        if let EngineError::Store(error) = error { error.is_storage_full() } else { false }
    };
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            error.is_storage_full()
        } else if let Some(error) = cause.downcast_ref::<EngineError>() {
            of_engine(error)
        } else if let Some(StartError::Engine(error)) = cause.downcast_ref::<StartError>() {
            of_engine(error)
        } else {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as of a disk that is full.
    fn full() -> anyhow::Error {
        anyhow::Error::from(io::Error::from(io::ErrorKind::StorageFull))
            .context("cannot lock `perennial.db.lock`")
    }

    #[test]
    fn a_host_starts_once_there_is_space() {
        let (_running, stop) = mpsc::channel();
        let mut tries = 0;
        let begun = wait(&stop, Duration::ZERO, || {
            tries += 1;
            if tries < 30 { Err(full()) } else { Ok(tries) }
        });
        assert_eq!(begun.unwrap(), Some(30));
    }

    #[test]
    fn a_host_that_waits_for_space_is_told_to_stop() {
        let (running, stop) = mpsc::channel();
        running.send(()).unwrap();
        assert_eq!(wait::<()>(&stop, Duration::from_secs(3_600), || Err(full())).unwrap(), None);
    }

    #[test]
    fn what_is_no_want_of_space_is_told_at_once() {
        let (_running, stop) = mpsc::channel();
        let refused = wait::<()>(&stop, Duration::from_secs(3_600), || Err(anyhow::anyhow!("no")));
        assert_eq!(refused.unwrap_err().to_string(), "no");
    }
}
