//! Renewals on clouds in one process, from one seed, on virtual time: the engine, a store, the dispatcher and a model of a
//! cloud, with storms of faults and crashes after every commit and every call, and then calm.
//!
//! [`cloud`] is the model, which knows its bank, expiries, orders and the calls that it received. [`store`] crashes after
//! commits and counts money a second time. [`host`] drives the production code over both. [`check`] compares them after
//! every step. [`bug`] breaks the host on purpose, to see that each break is found.

pub mod bug;
pub mod check;
pub mod cloud;
pub mod host;
pub mod matrix;
pub mod random;
pub mod store;
pub mod wire;
