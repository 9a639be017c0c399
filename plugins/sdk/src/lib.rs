//! The kit of the Rust plugins: the bindings of `wit/provider`, bundles as rules see them, provider days, paid periods,
//! settings, what renewals leave out and, with the feature `provider-api`, the plumbing of a provider's own API; with the
//! feature `connector`, that of calls to it.
//!
//! Knows the contract, the calendar and HTTP's encodings; knows no provider. A plugin implements [`Rules`] and
//! [`profile::Guest`] on a type of its own and passes that type to [`export_provider!`]. It does so under
//! `#[cfg(target_family = "wasm")]`, so that the same rules also compile natively for tests, which [`testing`] makes short. With the feature
//! `provider-api`, it also implements `provider_api::Guest`; with the feature `connector`, `connector::Guest`.

#[cfg(target_family = "wasm")]
mod allocator;
mod answer;
pub mod calendar;
#[cfg(feature = "connector")]
pub mod connector;
mod crossing;
pub mod left_out;
#[cfg(target_family = "wasm")]
mod panic_message;
pub mod periods;
#[cfg(feature = "provider-api")]
pub mod provider_api;
mod request;
mod resource;
mod rules;
pub mod settings;
pub mod testing;

#[allow(
    missing_docs,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    unsafe_code,
    reason = "generated from wit/provider"
)]
mod bindings {
    #[cfg(not(any(feature = "provider-api", feature = "connector")))]
    wit_bindgen::generate!({
        path: "wit",
        world: "provider",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(feature = "provider-api", not(feature = "connector")))]
    wit_bindgen::generate!({
        path: "wit",
        world: "provider-with-api",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(not(feature = "provider-api"), feature = "connector"))]
    wit_bindgen::generate!({
        path: "wit",
        world: "provider-with-connector",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(feature = "provider-api", feature = "connector"))]
    wit_bindgen::generate!({
        path: "wit",
        world: "provider-with-api-and-connector",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
}

pub use answer::{Action, Cancellation, Occurrence, Operation, Plan, SkippedMember, Specification, Step};
pub use bindings::exports::perennial::provider::commands::{
    Adjustment, AutoRenewal, Change, Command, Extension, Order, OrderKind, Purchase, PurchaseDetails, Refund,
    Renewal, Scope, Subscribe, Subscription,
};
pub use bindings::exports::perennial::provider::profile::{
    CommandName, CommandRefusal, Idempotency, Kind, Manifest, Notice, PolicyRefusal, Setting,
};
#[cfg(feature = "provider-api")]
pub use bindings::exports::perennial::provider::provider_api::Account;
pub use bindings::exports::perennial::provider::types::{
    Attributes, Charging, MemberIndex, Micros, OnExpiry, Refusal, Stage, Term, TermUnit, Timestamp,
};
pub use bindings::exports::perennial::provider::usage::{Alert, Allocation, Package};
pub use bindings::exports::perennial::provider::{commands, lifecycle, profile, usage};
#[doc(hidden)]
pub use bindings::*;
pub use request::{Consumption, PlanRequest};
pub use resource::{Resource, Text};
pub use rules::Rules;
