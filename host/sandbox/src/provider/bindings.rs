//! The generated types and calls of `wit/provider`. Arguments are borrowed, so that no text is copied twice.

#![allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    reason = "generated from wit/provider"
)]

use wasmtime::Store;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;

wasmtime::component::bindgen!({
    path: "../../wit/provider",
    world: "provider",
    ownership: Borrowing { duplicate_if_necessary: false },
});

pub use exports::perennial::provider::commands;
pub use exports::perennial::provider::lifecycle;
pub use exports::perennial::provider::profile;
pub use exports::perennial::provider::types;
pub use exports::perennial::provider::usage;

/// Checks that the functions of the rules have the contract's types.
///
/// # Errors
///
/// Every interface whose functions differ, with its first difference.
pub(crate) fn check_types<T: 'static>(
    pre: &InstancePre<T>,
    store: &mut Store<T>,
    instance: &Instance,
) -> wasmtime::Result<()> {
    let mut load = |interface, check: &mut dyn FnMut(&mut Store<T>) -> wasmtime::Result<()>| {
        check(store).err().map(|error| format!("the functions of `{interface}` have other types: {error:#}"))
    };
    let differences = [
        load("profile", &mut |store| profile::GuestIndices::new(pre)?.load(store, instance).map(drop)),
        load("lifecycle", &mut |store| lifecycle::GuestIndices::new(pre)?.load(store, instance).map(drop)),
        load("commands", &mut |store| commands::GuestIndices::new(pre)?.load(store, instance).map(drop)),
        load("usage", &mut |store| usage::GuestIndices::new(pre)?.load(store, instance).map(drop)),
    ];
    match differences.into_iter().flatten().collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        differences => Err(wasmtime::Error::msg(differences.join("; "))),
    }
}

/// The same with `provider_api`. Its copies of the other interfaces' types are used by nobody else.
pub mod provider_api {
    wasmtime::component::bindgen!({
        path: "../../wit/provider",
        world: "provider-with-api",
        ownership: Borrowing { duplicate_if_necessary: true },
    });

    pub use exports::perennial::provider::commands;
    pub use exports::perennial::provider::provider_api::*;
    pub use exports::perennial::provider::types;

    use exports::perennial::provider::provider_api::GuestIndices;
    use wasmtime::Store;
    use wasmtime::component::Instance;
    use wasmtime::component::InstancePre;

    /// Checks that the functions of `provider-api` have the contract's types.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub(crate) fn check_types<T: 'static>(
        pre: &InstancePre<T>,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> wasmtime::Result<()> {
        let functions = GuestIndices::new(pre).and_then(|indices| indices.load(store, instance));
        functions.map(drop).map_err(|error| error.context("the functions of `provider-api` have other types"))
    }
}

/// The same with `connector`. Its copies of the other interfaces' types are used by nobody else.
pub mod connector {
    wasmtime::component::bindgen!({
        path: "../../wit/provider",
        world: "provider-with-connector",
        ownership: Borrowing { duplicate_if_necessary: true },
    });

    pub use exports::perennial::provider::commands;
    pub use exports::perennial::provider::connector::*;
    pub use exports::perennial::provider::types;

    use exports::perennial::provider::connector::GuestIndices;
    use wasmtime::Store;
    use wasmtime::component::Instance;
    use wasmtime::component::InstancePre;

    /// Checks that the functions of `connector` have the contract's types.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub(crate) fn check_types<T: 'static>(
        pre: &InstancePre<T>,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> wasmtime::Result<()> {
        let functions = GuestIndices::new(pre).and_then(|indices| indices.load(store, instance));
        functions.map(drop).map_err(|error| error.context("the functions of `connector` have other types"))
    }
}
