//! Failures of the host itself, which a client hears of without their reason.

use perennial_domain::provider_api::Failure;

/// Logs why the host failed, and returns what the client hears.
pub(super) fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a request to a provider's API failed");
    Failure::Internal
}
