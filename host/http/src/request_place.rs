//! The place of a request among those in flight: one with a body takes it once the body has come, so that bodies that do not
//! come keep nobody out.

use std::sync::Arc;
use std::sync::OnceLock;

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::Extensions;
use axum::http::Method;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::problem::Problem;
use crate::problem::ProblemType;

/// The place of one request, which is free again when every clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct RequestPlace {
    permits: Arc<Semaphore>,
    permit: Arc<OnceLock<OwnedSemaphorePermit>>,
}

impl RequestPlace {
    /// A place that is not taken yet, of those that `permits` has.
    pub(crate) fn new(permits: &Arc<Semaphore>) -> RequestPlace {
        RequestPlace { permits: Arc::clone(permits), permit: Arc::default() }
    }

    /// Takes the place, unless that was done.
    ///
    /// # Errors
    ///
    /// [`ProblemType::Unavailable`] when there is none.
    pub(crate) fn take(&self) -> Result<(), Problem> {
        if self.permit.get().is_some() {
            return Ok(());
        }
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => {
                // One that was taken meanwhile stays, and this one is free again.
                let _ = self.permit.set(permit);
                Ok(())
            }
            Err(_) => {
                let detail = "too many requests are in flight (`limits.concurrency_max`)";
                Err(Problem::new(ProblemType::Unavailable, detail).retry_after(1))
            }
        }
    }
}

/// Whether a request has a body that its handler reads.
pub(crate) fn has_body(request: &Request) -> bool {
    let is_read = ![Method::GET, Method::HEAD].contains(request.method());
    is_read && !request.body().is_end_stream()
}

/// Takes the place of a request whose body has come. A request in this process has that of the request that it is made for.
///
/// # Errors
///
/// [`ProblemType::Unavailable`] when there is none.
pub(crate) fn take(extensions: &Extensions) -> Result<(), Problem> {
    extensions.get::<RequestPlace>().map_or(Ok(()), RequestPlace::take)
}
