//! What the engine asks of a provider's rules. The sandbox answers; so can rules that were compiled natively.

mod deciding;
mod failed_requests;
mod providers;

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;

use crate::connector::Connector;
use perennial_formats::package::PackageManifest;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginError;
use perennial_sandbox::ProviderApi;
use perennial_sandbox::TimelineRequest;

pub use crate::rules::deciding::DecidingReason;
pub use crate::rules::deciding::DecidingRevision;
pub use crate::rules::providers::Providers;

/// One provider's rules. Every answer was checked: it makes sense, whatever the plugin is.
///
/// A function that takes requests gives exactly one answer per request, in their order; a request whose answer is an error
/// hurts no other. Several threads may call at once, and the same call gives the same answer.
///
/// Whatever implements it can stand between the engine and a plugin:
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicUsize;
/// use std::sync::atomic::Ordering;
///
/// use perennial_domain::account::Account;
/// use perennial_domain::index::AccountIndex;
/// use perennial_domain::manifest::Manifest;
/// use perennial_domain::timeline::Occurrence;
/// use perennial_domain::usage::Allocation;
/// use perennial_domain::usage::Consumption;
/// use perennial_engine::rules::Providers;
/// use perennial_engine::rules::Rules;
/// use perennial_sandbox::PlanAnswer;
/// use perennial_sandbox::PlanRequest;
/// use perennial_sandbox::PluginError;
/// use perennial_sandbox::TimelineRequest;
///
/// /// Counts the plans that the rules behind it are asked for.
/// struct Counter {
///     rules: Arc<dyn Rules>,
///     plans: AtomicUsize,
/// }
///
/// impl Rules for Counter {
///     fn manifest(&self) -> &Manifest {
///         self.rules.manifest()
///     }
///     fn digest(&self) -> &str {
///         self.rules.digest()
///     }
///     fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
///         self.rules.check_settings(settings)
///     }
///     fn timelines(
///         &self,
///         accounts: &[&Account],
///         requests: &[TimelineRequest<'_>],
///     ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
///         self.rules.timelines(accounts, requests)
///     }
///     fn make_plans(
///         &self,
///         accounts: &[&Account],
///         requests: &[PlanRequest<'_>],
///     ) -> Vec<Result<PlanAnswer, PluginError>> {
///         self.plans.fetch_add(requests.len(), Ordering::Relaxed);
///         self.rules.make_plans(accounts, requests)
///     }
///     fn allocate(
///         &self,
///         accounts: &[&Account],
///         consumptions: &[(AccountIndex, &Consumption)],
///     ) -> Vec<Result<Vec<Allocation>, PluginError>> {
///         self.rules.allocate(accounts, consumptions)
///     }
/// }
///
/// let counted = |rules| Arc::new(Counter { rules, plans: AtomicUsize::new(0) }) as Arc<dyn Rules>;
/// let providers = Providers::default().map(counted);
/// assert!(providers.is_empty());
/// ```
pub trait Rules: Send + Sync {
    /// What the plugin says of itself. Called at any time; the same for as long as the rules are loaded.
    fn manifest(&self) -> &Manifest;
    /// The digest of the revision that answers, in hexadecimal. Called at any time; the same for as long as the rules are
    /// loaded.
    fn digest(&self) -> &str;
    /// The version that the package says it has, such as `1.0.0`, if it says one. Called when people look at what decides.
    fn version(&self) -> Option<String> {
        None
    }
    /// Everything wrong with an account's settings, in words. Called before an account is added or its settings change:
    /// nothing is written if there is a problem.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer.
    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError>;
    /// Everything that will happen to each bundle if nobody does anything. Called for the bundles of a batch when their wakes
    /// have come, and again for those that were renewed or otherwise changed, until nothing of them is due.
    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>>;
    /// What each command would do. Called for the renewals that are due, after the timelines said so, and for commands and
    /// their dry runs; before policies rule and before the plan meets the money. A command that an approval held is asked
    /// about again when it is approved.
    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>>;
    /// Which packages cover each use; a use comes with its account. Called when use is recorded, before anything is taken
    /// from a package.
    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>>;
    /// The provider's own API, if the plugin answers it. Called when its listener starts, and for each request that it
    /// accepts.
    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        None
    }
    /// The translation to the provider's API, if the plugin has it. Called when an account is connected, and for each call
    /// of a connected account.
    fn connector(&self) -> Option<&dyn Connector> {
        None
    }
}

impl Rules for Plugin {
    fn manifest(&self) -> &Manifest {
        self.manifest()
    }

    fn digest(&self) -> &str {
        self.digest()
    }

    fn version(&self) -> Option<String> {
        PackageManifest::read(self.parts().written(), self.is_table()).0.version
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.check_settings(settings)
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        let answers = self.timelines(accounts, requests);
        failed_requests::log_timelines(accounts, requests, &answers);
        answers
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        let answers = self.make_plans(accounts, requests);
        failed_requests::log_plans(accounts, requests, &answers);
        answers
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        let answers = self.allocate(accounts, consumptions);
        failed_requests::log_uses(accounts, consumptions, &answers);
        answers
    }

    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        self.provider_api()
    }

    fn connector(&self) -> Option<&dyn Connector> {
        self.connector().map(|connector| connector as &dyn Connector)
    }
}

/// What the clock asks for when a try is due.
pub fn automatic_renewal() -> Command {
    Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() })
}
