//! Huawei Cloud's rules, called as the sandbox calls them, and printed.
//!
//! To change a rule, change it, run `UPDATE_EXPECT=1 cargo test --release -p plugin-huawei`, and read the diff of the
//! tables, which is the whole change in behaviour. All times in them are UTC+8.

mod calendar;
mod cascade;
mod changed_refunds;
mod commands;
mod dependents;
mod left_out;
mod packages;
mod paths;
mod profile;
mod refund_counts;
mod refunds;
mod resets;
mod specification;
mod timelines;
mod world;
