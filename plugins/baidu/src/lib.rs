//! The renewal rules of Baidu AI Cloud.
//!
//! Knows the provider's rules and the contract of `wit/provider`; knows no host, no price and no clock. The README
//! states every rule with its document. Start with `lifecycle` for the rules of time, and with `commands` for the rules
//! of commands.

mod auto_renewal;
mod command_target;
mod commands;
mod connector;
mod conversion;
mod following;
mod kinds;
mod lifecycle;
mod members;
mod options;
mod pending_conversion;
mod profile;
mod provider_api;
mod purchase;
mod refusals;
mod related;
mod renewal;
mod settings;
mod tries;
mod unsubscription;

use plugin_sdk::Allocation;
use plugin_sdk::Attributes;
use plugin_sdk::Consumption;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Rules;
use plugin_sdk::Timestamp;

use crate::settings::Settings;

/// The plugin: it implements every interface of the contract, natively as well as in a component.
#[derive(Clone, Copy, Debug)]
pub struct Baidu;

impl plugin_sdk::profile::Guest for Baidu {
    fn describe() -> Manifest {
        profile::manifest()
    }

    fn check_settings(settings: Attributes) -> Vec<String> {
        settings::problems(&settings)
    }
}

impl Rules for Baidu {
    type Settings = Settings;

    fn settings(values: &[(String, String)]) -> Settings {
        Settings::of(values)
    }

    fn timeline(settings: &Settings, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
        lifecycle::timeline(settings, after, bundle)
    }

    fn plan(settings: &Settings, request: &PlanRequest) -> Result<Plan, Refusal> {
        commands::plan(settings, request)
    }

    /// Allocates nothing: Baidu sells packages, but no document at hand states how usage is allocated to them.
    fn allocate(_settings: &Settings, _consumption: &Consumption) -> Vec<Allocation> {
        Vec::new()
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "exported functions have names that the linker sees")]
mod exports {
    use crate::Baidu;

    plugin_sdk::export_provider!(Baidu with_types_in plugin_sdk);
}
