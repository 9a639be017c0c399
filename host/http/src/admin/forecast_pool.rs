//! Where months are played on a copy of the database: one play at a time for each person, a few on the host, each within the
//! time limit of forecasts.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_engine::error::EngineError;
use perennial_service::admin_tokens::Caller;
use perennial_service::either::first_ready;

use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::state::AppState;

/// What a play holds while it runs.
pub(super) type Slots = Box<dyn Send>;

/// Takes the slots for a play of a caller.
///
/// # Errors
///
/// [`Problem`] when the caller, or the host, plays as many as it may.
pub(super) fn acquire(app: &AppState, caller: &Caller) -> Result<Slots, Problem> {
    let Some(slots) = app.acquire_forecast(&caller.owner, caller.accounts_json().as_deref()) else {
        let detail = "a forecast of yours, or of a token with the same accounts, is in progress; wait for it";
        return Err(Problem::new(ProblemType::TooManyRequests, detail).retry_after(5));
    };
    let Ok(permit) = Arc::clone(app.forecast_permits()).try_acquire_owned() else {
        let detail = "as many forecasts as the host makes at once (`limits.forecasts_max`) are in progress";
        return Err(Problem::new(ProblemType::Unavailable, detail).retry_after(5));
    };
    Ok(Box::new((permit, slots)))
}

/// Runs `work` on a thread of its own within the time limit, unless the host stops; what it is given is set when nobody waits
/// for it any more.
///
/// # Errors
///
/// [`Problem`] when it fails, takes too long, or the host stops.
pub(super) async fn run<T: Send + 'static>(
    app: &AppState,
    slots: Slots,
    work: impl FnOnce(Arc<AtomicBool>) -> Result<T, EngineError> + Send + 'static,
) -> Result<T, Problem> {
    let stop = Arc::new(AtomicBool::new(false));
    let stop_flag = Arc::clone(&stop);
    let work = tokio::task::spawn_blocking(move || {
        let done = work(stop_flag);
        drop(slots);
        done
    });
    let mut stopping = app.shutdown_signal();
    let stopped = async {
        drop(stopping.wait_for(|stopping| *stopping).await);
        None
    };
    let limit = app.limits().forecast_seconds;
    let done = tokio::time::timeout(limit, first_ready(async { Some(work.await) }, stopped)).await;
    let (kind, detail) = match done {
        Ok(Some(Ok(done))) => return Ok(done?),
        Ok(Some(Err(_))) => (ProblemType::Internal, "the forecast failed; the host's log says why"),
        Ok(None) => (ProblemType::Unavailable, "the host is stopping"),
        Err(_) => {
            (ProblemType::TimedOut, "ask for fewer months or one account, or raise `limits.forecast_seconds`")
        }
    };
    stop.store(true, Ordering::Relaxed);
    Err(Problem::new(kind, detail))
}
