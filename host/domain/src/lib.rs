//! The rules of renewals that hold for every provider, as pure functions. This crate decides; it never acts.
//!
//! No clock, no storage, no network, no async: an instant is an argument and an effect is a value. Start with
//! [`bundle`] (what is decided on), [`plan`] (what a decision looks like), [`timeline_walk`] (how the clock walks a timeline)
//! and [`apply`] (how a plan meets the money).

pub mod account;
pub mod account_settings;
pub mod answer_limits;
pub mod apply;
pub mod approval;
mod approval_state;
pub mod attempt;
pub mod bundle;
pub mod channel;
pub mod connected;
pub mod connector;
pub mod event;
mod event_kinds;
pub mod event_payment;
pub mod field;
pub mod index;
pub mod inventory_diff;
pub mod ledger;
pub mod manifest;
pub mod micros;
pub mod order;
pub mod plan;
pub mod plugin_failure;
pub mod plugin_limits;
pub mod policy;
pub mod provider_api;
pub mod resource_fields;
pub mod revision;
pub mod ruling_kind;
#[cfg(test)]
#[path = "../tests/support/sample.rs"]
mod sample;
pub mod severity;
pub mod term;
pub mod timeline;
pub mod timeline_walk;
pub mod timestamp;
pub mod unpaid_order;
pub mod usage;
