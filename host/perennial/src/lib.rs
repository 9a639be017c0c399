//! The program: the command line, reports, and the composition of the host from its parts.

pub mod cli;
pub mod config;
pub mod report;
