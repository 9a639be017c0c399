//! The commands that act: on a database, and on a running host through the same client.

#[path = "../cli/sample.rs"]
#[allow(dead_code, reason = "each test program uses a part")]
mod sample;
#[path = "../serve/server.rs"]
#[allow(dead_code, reason = "each test program uses a part")]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod dry_runs;
mod endings;
mod hosts;
mod lists;
mod plans;
mod policies;
mod targets;
mod world;
