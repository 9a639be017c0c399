//! The plumbing of a connector: what the translations to two providers' APIs would otherwise both write.
//!
//! Knows the contract, JSON and HTTP's headers; knows no provider's paths, fields, codes or signatures.

pub mod amount;
pub mod codes;
pub mod cursor;
pub mod response;

pub use crate::bindings::exports::perennial::provider::connector::*;
