//! Runs components: limits, one call, many requests, compiled code on disk, errors. Knows no world of the contract.

pub mod batch;
pub mod cache;
pub mod call;
pub(crate) mod code_size;
pub mod engine;
pub mod error;
pub mod limits;
pub(crate) mod loader;
mod panic_message;
pub(crate) mod wasi;
