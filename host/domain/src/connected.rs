//! Renewals and commands on connected accounts: a cloud is the system of record, and this host pays through its API exactly once.
//!
//! [`protocol`] is the state machine as a table, [`record`] the record, [`advance`] how a signal moves it, [`read_back`] what a cloud's
//! answer proves, and [`schedule`] when something is asked or tried again. [`dispatch`] decides which calls leave when:
//! quotas, breakers, pauses and a ceiling on spending. All of it is decided here and none of it is done here.

pub mod advance;
pub mod dispatch;
pub mod protocol;
pub mod read_back;
pub mod record;
pub mod schedule;
