//! What tests of several crates share: worlds, a native provider and ways to write what is in them.

pub mod world;
