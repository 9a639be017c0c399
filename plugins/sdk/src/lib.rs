//! The kit of the Rust plugins: the bindings of `wit/provider`, provider days, paid periods, settings and, with the feature
//! `provider-api`, the plumbing of a provider's own API; with the feature `connector`, that of calls to it.
//!
//! Knows the contract, the calendar and HTTP's encodings; knows no provider. A plugin implements the four `Guest`
//! traits of [`exports`] on a type of its own and passes that type to [`export_provider!`]. It does so under
//! `#[cfg(target_family = "wasm")]`, so that the same rules also compile natively for tests. With the feature
//! `provider-api`, it also implements `provider_api::Guest`; with the feature `connector`, `connector::Guest`.

#[cfg(target_family = "wasm")]
mod allocator;
pub mod calendar;
#[cfg(feature = "connector")]
pub mod connector;
#[cfg(target_family = "wasm")]
mod panic_message;
pub mod periods;
#[cfg(feature = "provider-api")]
pub mod provider_api;
pub mod settings;

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
        path: "../../wit/provider",
        world: "provider",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(feature = "provider-api", not(feature = "connector")))]
    wit_bindgen::generate!({
        path: "../../wit/provider",
        world: "provider-with-api",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(not(feature = "provider-api"), feature = "connector"))]
    wit_bindgen::generate!({
        path: "../../wit/provider",
        world: "provider-with-connector",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
    #[cfg(all(feature = "provider-api", feature = "connector"))]
    wit_bindgen::generate!({
        path: "../../wit/provider",
        world: "provider-with-api-and-connector",
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "plugin_sdk",
        additional_derives: [Clone, PartialEq],
        generate_all,
    });
}

pub use bindings::exports::perennial::provider::commands::{
    Adjustment, AutoRenewal, Cancellation, Change, Command, Extension, Operation, Order, OrderKind, Plan,
    PlanRequest, Purchase, PurchaseDetails, Refund, Renewal, Scope, SkippedMember, Specification, Step,
    Subscribe, Subscription,
};
pub use bindings::exports::perennial::provider::lifecycle::{Action, Occurrence, TimelineRequest};
pub use bindings::exports::perennial::provider::profile::{
    CommandName, CommandRefusal, Idempotency, Kind, Manifest, Notice, PolicyRefusal, Setting,
};
pub use bindings::exports::perennial::provider::types::*;
pub use bindings::exports::perennial::provider::usage::{Alert, Allocation, Consumption, Package};
pub use bindings::exports::perennial::provider::{commands, lifecycle, profile, usage};
#[doc(hidden)]
pub use bindings::*;
