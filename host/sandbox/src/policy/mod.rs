//! The contract of `wit/policy`: runs the interpreter of policies, and turns domain values into its records and back.

pub mod bindings;
pub mod decode;
pub mod encode;
pub mod interpreter;
mod spending;
mod stop;
mod unusable;
