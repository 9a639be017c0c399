//! Rules that give no usable answer about some bundles, in front of those that would.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_engine::connector::Connector;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::ProviderApi;
use perennial_sandbox::TimelineRequest;

/// Whether rules fail about a bundle.
type Breaks = Arc<dyn Fn(&Bundle) -> bool + Send + Sync>;

/// Rules in front of which others fail.
struct Fragile {
    rules: Arc<dyn Rules>,
    breaks: Breaks,
    is_broken: Arc<AtomicBool>,
}

/// The same rules, which give no usable answer about the bundles that `breaks` names while the flag is set, which it is at first.
pub fn fragile(
    providers: Providers,
    breaks: impl Fn(&Bundle) -> bool + Send + Sync + 'static,
) -> (Providers, Arc<AtomicBool>) {
    let (is_broken, breaks): (_, Breaks) = (Arc::new(AtomicBool::new(true)), Arc::new(breaks));
    let flag = Arc::clone(&is_broken);
    let wrap = move |rules| {
        Arc::new(Fragile { rules, breaks: Arc::clone(&breaks), is_broken: Arc::clone(&flag) })
            as Arc<dyn Rules>
    };
    (providers.map(wrap), is_broken)
}

impl Fragile {
    fn answer<A>(
        &self,
        bundle: &Bundle,
        answer: Result<A, PluginError>,
        function: &'static str,
    ) -> Result<A, PluginError> {
        if !self.is_broken.load(Ordering::Relaxed) || !(self.breaks)(bundle) {
            return answer;
        }
        let plugin = self.manifest().id.clone();
        Err(PluginError::Crashed { plugin, function, reason: "wasm `unreachable`".to_owned() })
    }
}

impl Rules for Fragile {
    fn manifest(&self) -> &Manifest {
        self.rules.manifest()
    }

    fn digest(&self) -> &str {
        self.rules.digest()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.rules.check_settings(settings)
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        let answers = self.rules.timelines(accounts, requests).into_iter().zip(requests);
        answers.map(|(answer, request)| self.answer(request.bundle, answer, "timeline")).collect()
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        let answers = self.rules.make_plans(accounts, requests).into_iter().zip(requests);
        answers.map(|(answer, request)| self.answer(request.bundle, answer, "make-plans")).collect()
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.rules.allocate(accounts, consumptions)
    }

    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        self.rules.provider_api()
    }

    fn connector(&self) -> Option<&dyn Connector> {
        self.rules.connector()
    }
}
