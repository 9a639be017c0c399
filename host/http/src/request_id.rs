//! The ID of a request, as its response, the log and the audit log have it.

/// The request ID: `X-Request-ID` if it is safe to log, else a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestId(pub(crate) String);
