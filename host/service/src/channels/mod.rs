//! Channels: people are told of events by e-mail, or by the robot of their group, in their language and at their hours.
//!
//! [`dispatcher`] composes messages and stores what became of each. The other modules know one message at a time:
//! `schedule` when it may be sent, `compose` and `texts` what it says, `robots` and `email` how it is sent.

mod alarm;
mod compose;
pub mod credentials;
pub mod dispatcher;
pub mod email;
pub mod message;
mod robots;
mod schedule;
pub mod seal;
mod send;
mod send_result;
mod texts;
