//! Huawei Cloud's rules, asked the way the sandbox asks them, and printed.
//!
//! To change a rule, change it, run `UPDATE_EXPECT=1 cargo test --release -p plugin-huawei`, and read the diff of the
//! tables: it is the change in behaviour, whole. All times in them are UTC+8.

mod calendar;
mod cascade;
mod commands;
mod packages;
mod profile;
mod refunds;
mod timelines;
mod world;
