//! What a caller in this process does with a secret before what it belongs to is kept.

use std::fmt;
use std::sync::Arc;

/// Is shown the body of a response with a secret that is shown once, in the transaction that keeps what the secret belongs to:
/// what it does not take, is not kept. It is an extension of the request, which nothing that comes over a connection can have.
#[derive(Clone)]
pub struct BeforeCommit(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl BeforeCommit {
    /// Asks `takes`, on the thread that writes and at most once; where it returns false, the request fails and nothing is kept of
    /// it, in the audit log neither.
    pub fn new(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> BeforeCommit {
        BeforeCommit(Arc::new(takes))
    }

    /// Whether the body is taken.
    pub(super) fn takes(&self, body: &str) -> bool {
        (self.0)(body)
    }
}

impl fmt::Debug for BeforeCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeCommit")
    }
}
