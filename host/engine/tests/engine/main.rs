//! The engine over native rules: what it does with answers, not what providers answer.

mod approvals;
mod clock;
mod commands;
mod imports;
mod orders;
mod packages;
mod real_clock;
mod simulation;
