//! The generated types and calls of `wit/policy`. Arguments are borrowed, so that no text is copied twice.

#![allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    reason = "generated from wit/policy"
)]

wasmtime::component::bindgen!({
    path: "../../wit/policy",
    world: "policy",
    ownership: Borrowing { duplicate_if_necessary: true },
});

pub use exports::perennial::policy::rulings;
pub use exports::perennial::policy::scripts;
pub use exports::perennial::policy::types;
