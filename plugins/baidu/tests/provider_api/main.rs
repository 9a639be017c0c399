//! Baidu's own API, called through the contract's interface: credentials, responses and effects.
//!
//! The real rules decide; `world.rs` is a fake host.

mod arbitrary;
mod codes;
mod desk;
mod finance;
mod hostile;
mod lists;
mod recycle_bin;
mod releases;
mod renewals;
mod rules;
mod shifts;
mod signatures;
mod wire;
mod world;
