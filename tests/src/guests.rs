//! Plugins that are only there to be tested with.

/// A plugin that does wrong what the attribute `does` of a bundle's primary resource says; see its source.
pub const HOSTILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-hostile.wasm"));

/// A plugin of a made-up provider with an API like no other; see its source.
pub const LANTERN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-lantern.wasm"));

/// A plugin that does what no compiler emits, by the last bits of the second that a bundle is asked about; see its source.
pub const TABLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-tables.wasm"));

/// A plugin that imports WASI and asks it for what the attribute `does` says; see its source.
pub const SYSTEM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-system.wasm"));
