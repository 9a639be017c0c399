//! `perennial serve` as a process: what it refuses to start with, how it is reached, what it takes on, how it keeps time,
//! and how it ends.

#[path = "../support/mod.rs"]
mod support;

mod clock;
mod connected;
#[cfg(unix)]
mod console;
mod limits;
mod log;
#[cfg(unix)]
mod permissions;
mod plugins;
mod secrets;
mod server;
mod set_back;
mod smuggling;
mod start;
mod storage;
mod tls;
mod tokens;
mod two_clocks;
