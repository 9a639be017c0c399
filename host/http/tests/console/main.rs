//! The console, as a browser without script sees it: in one process, on a clock that only the test moves.
//!
//! [`browser`] signs in, reads pages and sends forms; the other modules say what pages show, and what they do not.

#[path = "../api/harness.rs"]
#[allow(dead_code, reason = "the API's tests use the rest")]
mod harness;

mod accounts;
mod browser;
mod flood;
mod hostile;
mod pages;
mod plugins;
mod risk;
mod sessions;
mod work;
