//! What the engine asks of a provider's rules. The sandbox answers; so can rules that were compiled natively.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;

use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginError;
use perennial_sandbox::ProviderApi;
use perennial_sandbox::TimelineRequest;

/// One provider's rules. Every answer was checked: it makes sense, whatever the plugin is.
///
/// Each function gives exactly one answer per question, in the order asked; a question whose answer is an error hurts
/// no other.
pub trait Rules: Send + Sync {
    /// What the plugin says of itself.
    fn manifest(&self) -> &Manifest;
    /// The digest of the revision that answers, in hexadecimal.
    fn digest(&self) -> &str;
    /// Everything wrong with an account's settings, in words.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer.
    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError>;
    /// Everything that will happen to each bundle if nobody does anything.
    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>>;
    /// What each command would do.
    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<Result<Plan, Refusal>, PluginError>>;
    /// Which packages cover each use; a use comes with its account.
    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>>;
    /// The provider's own API, if the plugin answers it.
    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        None
    }
}

/// The rules of each provider, by its id.
pub type Providers = BTreeMap<String, Arc<dyn Rules>>;

impl Rules for Plugin {
    fn manifest(&self) -> &Manifest {
        self.manifest()
    }

    fn digest(&self) -> &str {
        self.digest()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.check_settings(settings)
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        self.timelines(accounts, requests)
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<Result<Plan, Refusal>, PluginError>> {
        self.make_plans(accounts, requests)
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.allocate(accounts, consumptions)
    }

    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        self.provider_api()
    }
}
