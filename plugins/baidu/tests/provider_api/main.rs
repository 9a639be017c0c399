//! Baidu's own API, asked through the contract's interface: who may ask, what is answered, and what it does.
//!
//! The real rules decide; a small world stands in for the host.

mod arbitrary;
mod codes;
mod desk;
mod hostile;
mod lists;
mod renewals;
mod rules;
mod shifts;
mod signatures;
mod wire;
mod world;
