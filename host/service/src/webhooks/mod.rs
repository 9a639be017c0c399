//! Webhooks: the payload, the signature, the client and the meaning of a response.
//!
//! [`dispatcher`] chooses the events to send and stores the results; the other modules know one message at a time. Only
//! the dispatcher and [`client`] have side effects.

pub mod client;
pub mod dispatcher;
pub(crate) mod payload;
pub mod retry;
pub mod seal;
pub mod secret;
