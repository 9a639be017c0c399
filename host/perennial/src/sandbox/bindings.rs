//! The types and calls of `wit/provider`, as the host has them: what goes in is borrowed, so no text is copied twice.

#![allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    reason = "generated from wit/provider"
)]

wasmtime::component::bindgen!({
    path: "../../wit/provider",
    world: "provider",
    ownership: Borrowing { duplicate_if_necessary: false },
});

pub use exports::perennial::provider::commands;
pub use exports::perennial::provider::lifecycle;
pub use exports::perennial::provider::profile;
pub use exports::perennial::provider::types;
pub use exports::perennial::provider::usage;

/// The same with `provider_api`. Its copies of the other interfaces' types are used by nobody else.
pub mod provider_api {
    wasmtime::component::bindgen!({
        path: "../../wit/provider",
        world: "provider-with-api",
        ownership: Borrowing { duplicate_if_necessary: true },
    });

    pub use exports::perennial::provider::commands;
    pub use exports::perennial::provider::provider_api::*;
    pub use exports::perennial::provider::types;
}
