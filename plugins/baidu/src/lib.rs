//! Baidu AI Cloud: when it tries to renew, what is renewed along with what, what it refuses, and what becomes of an
//! expired resource.
//!
//! Knows the provider's rules and the contract of `wit/provider`; knows no host, no price and no clock. The README
//! gives every rule in prose with the document that it comes from. Start reading at `lifecycle` for what time does and
//! at `commands` for what people do.

mod auto_renewal;
mod commands;
mod conversion;
mod following;
mod kinds;
mod lifecycle;
mod members;
mod options;
mod profile;
mod provider_api;
mod refusals;
mod related;
mod renewal;
mod settings;
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

/// The provider: every interface of the contract, compiled natively as well as to a component.
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
    /// Baidu sells packages too, but no document at hand says how use allocations on them: none is offered, none covers.
    fn allocate(_accounts: Vec<Account>, consumptions: Vec<Consumption>) -> Vec<Vec<Allocation>> {
        consumptions.iter().map(|_| Vec::new()).collect()
    }
}

/// Settings are read once per batch, not once per bundle.
fn settings_of(accounts: &[Account]) -> Vec<Settings> {
    accounts.iter().map(|account| Settings::of(&account.settings)).collect()
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "exported functions have names that the linker sees")]
mod exports {
    use crate::Baidu;

    plugin_sdk::export_provider!(Baidu with_types_in plugin_sdk);
}
