//! What tests and benchmarks of several crates share.

pub mod guests;
