//! What tests of several crates share: worlds, a native provider, servers and ways to write what is in them.

pub mod bce;
pub mod connected;
pub mod fragile;
pub mod plugins;
pub mod provider_server;
mod toy;
pub mod world;
