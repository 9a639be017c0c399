//! The generated types and calls of `wit/table`.

#![allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    reason = "generated from wit/table"
)]

wasmtime::component::bindgen!({
    path: "../../wit/table",
    world: "interpreter",
});

pub use exports::perennial::table::tables;
