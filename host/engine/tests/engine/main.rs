//! The engine over native rules: what it does with answers, not what providers answer.

mod approvals;
mod approvals_of_orders;
mod clock;
mod commands;
mod failures;
mod imports;
mod orders;
mod packages;
mod real_clock;
mod simulation;
