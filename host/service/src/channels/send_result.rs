//! What became of one message to people. Knows no receiver.

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendResult {
    /// The receiver took it, with this status of HTTP or SMTP.
    Delivered(u16),
    /// The receiver did not take it; it may later.
    Refused { status: Option<u16>, why: String, retry_after: Option<i64> },
    /// The receiver did not take it and never will.
    Rejected { status: Option<u16>, why: String },
    /// Nothing reached the receiver.
    NotSent(String),
    /// It may have arrived, and nobody knows.
    InDoubt(String),
}
