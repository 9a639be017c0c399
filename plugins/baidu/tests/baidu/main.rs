//! The rules, called through the contract's interfaces and printed as tables.

mod auto_renewals;
mod calendar;
mod commands;
mod disks;
mod harness;
mod left_out;
mod profile;
mod refund_days;
mod related;
mod renewals;
mod timelines;
mod unsubscriptions;
