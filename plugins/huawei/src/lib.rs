//! Huawei Cloud's renewal rules, as its documents of 2023 to 2026 give them.
//!
//! Implements the contract of `wit/provider`. Start with the README, which states every rule with its document;
//! `lifecycle` and `renewal` are the heart. The rules are plain functions, so they compile natively as well: tests and
//! benchmarks call them through [`Huawei`], as the sandbox does.

pub mod auto_renewal;
pub mod condition;
pub mod connector;
pub mod conversion;
pub mod extension;
pub mod family;
pub mod lifecycle;
pub mod notices;
pub mod package;
pub mod paths;
pub mod payment;
pub mod profile;
pub mod provider_api;
pub mod refund;
pub mod refusals;
pub mod renewal;
pub(crate) mod reset;
pub mod settings;
pub mod specification;
pub mod unsubscription;

use plugin_sdk::Account;
use plugin_sdk::Allocation;
use plugin_sdk::Command;
use plugin_sdk::Consumption;
use plugin_sdk::Manifest;
use plugin_sdk::Occurrence;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::TimelineRequest;
use plugin_sdk::commands;
use plugin_sdk::lifecycle as clock;
use plugin_sdk::profile as about;
use plugin_sdk::usage;

use crate::settings::Settings;

/// The plugin, as the contract has it.
#[derive(Debug)]
pub struct Huawei;

impl about::Guest for Huawei {
    fn describe() -> Manifest {
        profile::manifest()
    }

    fn check_settings(values: Vec<(String, String)>) -> Vec<String> {
        settings::problems(&values)
    }
}

impl clock::Guest for Huawei {
    fn timeline(accounts: Vec<Account>, requests: Vec<TimelineRequest>) -> Vec<Vec<Occurrence>> {
        let settings = read(&accounts);
        let timeline = |request: &TimelineRequest| {
            lifecycle::timeline(&settings[request.account as usize], request.after, &request.bundle)
        };
        requests.iter().map(timeline).collect()
    }
}

impl commands::Guest for Huawei {
    fn make_plans(accounts: Vec<Account>, requests: Vec<PlanRequest>) -> Vec<Result<Plan, Refusal>> {
        let settings = read(&accounts);
        requests.iter().map(|request| plan(&settings[request.account as usize], request)).collect()
    }
}

impl usage::Guest for Huawei {
    fn allocate(accounts: Vec<Account>, consumptions: Vec<Consumption>) -> Vec<Vec<Allocation>> {
        let settings = read(&accounts);
        let allocation = |use_: &Consumption| package::allocate(&settings[use_.account as usize], use_);
        consumptions.iter().map(allocation).collect()
    }
}

/// The settings of every account, read once for a call.
fn read(accounts: &[Account]) -> Vec<Settings> {
    accounts.iter().map(|account| Settings::of(&account.settings)).collect()
}

/// Plans a command.
pub fn plan(settings: &Settings, request: &PlanRequest) -> Result<Plan, Refusal> {
    let (at, bundle, named) = (request.at, request.bundle.as_slice(), request.member as usize);
    match &request.command {
        Command::Renew(renewal) => renewal::renew(settings, at, bundle, named, renewal),
        Command::SetAutoRenew(wanted) => auto_renewal::set(settings, at, bundle, named, wanted),
        Command::CancelAutoRenew => auto_renewal::cancel(bundle, named),
        Command::Unsubscribe(scope) => unsubscription::unsubscribe(settings, request, named, *scope),
        Command::ConvertOnExpiry => conversion::set(bundle, named),
        Command::CancelConversion => conversion::cancel(bundle, named),
        Command::ConvertNow => Err(refusals::NO_PAY_PER_USE.refusal()),
        Command::Change(change) => specification::change(settings, request, named, change),
        Command::Subscribe(subscribe) => specification::subscribe(settings, at, bundle, named, subscribe),
        Command::PayOrder(_) | Command::CancelOrder(_) => Err(refusals::BAD_PARAMETER.refusal()),
        Command::BuyAgain(purchase) => package::buy_again(at, bundle, named, purchase),
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, missing_docs, reason = "the calls from outside, generated from wit/provider")]
mod export {
    use super::Huawei;

    plugin_sdk::export_provider!(Huawei with_types_in plugin_sdk);
}
