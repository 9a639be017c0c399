//! The admin API, as a client sees it: whole answers, in one process, on a clock that only the test moves.
//!
//! [`harness`] has the server and how answers are written out; the other modules mirror the routes.

mod access;
mod accounts;
mod commands;
mod config;
mod forecast;
mod harness;
mod idempotency;
mod lists;
mod problems;
mod provider_keys;
mod resources;
mod stream;
mod tokens;
mod year;
