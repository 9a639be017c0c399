//! The command line, as people and scripts use it: what each command does, and what it says of each wrong input.

mod approvals;
mod backtest;
mod decisions;
mod documents;
mod escapes;
mod failing;
mod formats;
mod help;
mod import;
mod lists;
mod mistakes;
mod output;
mod packages;
mod plugin_refusals;
mod record;
mod registries;
mod revision_evidence;
mod revisions;
mod sample;
mod sandbox;
mod secrets;
mod simulate;
mod simulate_policies;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod virtual_time;
