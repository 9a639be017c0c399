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

use plugin_sdk::Account;
use plugin_sdk::Allocation;
use plugin_sdk::Attributes;
use plugin_sdk::Consumption;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::TimelineRequest;

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

impl plugin_sdk::lifecycle::Guest for Baidu {
    fn timeline(accounts: Vec<Account>, requests: Vec<TimelineRequest>) -> Vec<Vec<Occurrence>> {
        let settings = settings_of(&accounts);
        let timeline = |request: &TimelineRequest| {
            lifecycle::timeline(&settings[request.account as usize], request.after, &request.bundle)
        };
        requests.iter().map(timeline).collect()
    }
}

impl plugin_sdk::commands::Guest for Baidu {
    fn make_plans(accounts: Vec<Account>, requests: Vec<PlanRequest>) -> Vec<Result<Plan, Refusal>> {
        let settings = settings_of(&accounts);
        requests.iter().map(|request| commands::plan(&settings[request.account as usize], request)).collect()
    }
}

impl plugin_sdk::usage::Guest for Baidu {
    /// Allocates nothing: Baidu sells packages, but no document at hand states how usage is allocated to them.
    fn allocate(_accounts: Vec<Account>, consumptions: Vec<Consumption>) -> Vec<Vec<Allocation>> {
        consumptions.iter().map(|_| Vec::new()).collect()
    }
}

/// The settings of every account, read once for a call.
fn settings_of(accounts: &[Account]) -> Vec<Settings> {
    accounts.iter().map(|account| Settings::of(&account.settings)).collect()
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "exported functions have names that the linker sees")]
mod exports {
    use crate::Baidu;

    plugin_sdk::export_provider!(Baidu with_types_in plugin_sdk);
}
