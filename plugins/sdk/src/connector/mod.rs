//! The plumbing of a connector: what the translations to two providers' APIs would otherwise both write.
//!
//! Knows the contract and JSON; knows no provider's paths, fields, codes or signatures.

pub use crate::bindings::exports::perennial::provider::connector::*;
