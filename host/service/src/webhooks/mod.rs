//! Sending to a webhook: what is sent and signed, where to, and what an answer means.
//!
//! Knows one message at a time. Which events are sent when, and what is written down, is [`dispatcher`]'s; beside it the only thing
//! here that acts is [`client`].

pub mod address;
pub mod client;
pub mod dispatcher;
pub mod payload;
pub mod retry;
pub mod secret;
pub mod target;
