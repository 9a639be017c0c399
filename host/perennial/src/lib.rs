//! The program: the command line, reports, and the composition of the host from its parts.

pub mod cli;
mod client;
pub mod config;
mod outbound_config;
mod profile;
mod registry;
pub mod report;
