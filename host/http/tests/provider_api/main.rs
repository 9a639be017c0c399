//! The bundled providers' own APIs, as an SDK sees them: whole answers, in one process, on a clock that only the test
//! moves.
//!
//! `perennial_test_support::provider_server` has the host and sends requests; the modules named after providers sign them and have the tests.

mod baidu;
mod cloud_commands;
mod cloud_tokens;
mod connected;
mod contradictions;
mod driving;
mod faults;
mod flood;
mod hostile_connector;
mod hostile_policies;
mod huawei;
mod incremental_syncs;
mod large_accounts;
mod late_auto_renewal;
mod policies;
mod provider_driver;
mod together;
