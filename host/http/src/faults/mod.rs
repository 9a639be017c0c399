//! Faults in front of a provider's own API, for a sandbox: requests that are lost, late, refused or answered with nonsense.
//!
//! [`Faults`] decides which request goes wrong, by a list of rules or by a seed; `layer` makes it go wrong, and answers
//! the routes below `/sandbox` that show and change the rules while it runs. It is no part of a host that serves: only
//! the command `sandbox` puts it in front of the APIs, and only on loopback.

mod broken_body;
mod layer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use perennial_formats::Problems;
use perennial_formats::faults;
use perennial_formats::faults::Fault;
use perennial_formats::faults::FaultRule;

pub use layer::wrap;

/// The seconds that a fault of a seed takes.
const SEED_SECONDS: u32 = 2;

/// Which requests go wrong. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Arc<Mutex<FaultPlan>>,
}

/// Rules with how often each was met, and a seed.
#[derive(Debug, Default)]
struct FaultPlan {
    rules: Vec<(FaultRule, RuleCount)>,
    /// The state of the stream of numbers, and of how many requests one goes wrong.
    seed: Option<(u64, u32)>,
    /// How often each fault was met, by its name.
    met: BTreeMap<&'static str, u64>,
    requests: u64,
}

/// How many requests a rule was asked about, and how many it met.
#[derive(Clone, Copy, Debug, Default)]
struct RuleCount {
    asked: u32,
    met: u32,
}

impl Faults {
    /// Faults by rules: each request meets the first one that is left for it.
    pub fn of_rules(rules: Vec<FaultRule>) -> Faults {
        let faults = Faults::default();
        faults.set_rules(rules);
        faults
    }

    /// Faults by a seed: one of `one_in` requests goes wrong, each way as often as the others.
    pub fn of_seed(seed: u64, one_in: u32) -> Faults {
        let faults = Faults::default();
        faults.lock().seed = Some((seed, one_in.max(1)));
        faults
    }

    fn lock(&self) -> MutexGuard<'_, FaultPlan> {
        // A thread that panicked left a plan that is whole: each change is one assignment.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_rules(&self, rules: Vec<FaultRule>) {
        let mut plan = self.lock();
        plan.rules = rules.into_iter().map(|rule| (rule, RuleCount::default())).collect();
        plan.seed = None;
    }

    /// Replaces the rules by those of a file.
    ///
    /// # Errors
    ///
    /// Every problem of the file; nothing has changed then.
    fn set_file(&self, text: &str) -> Result<(), Problems> {
        self.set_rules(faults::read(text)?);
        Ok(())
    }

    /// What goes wrong with the next request, and for how many seconds.
    fn next(&self, method: &str, path: &str) -> Option<(Fault, u32)> {
        let mut plan = self.lock();
        plan.requests += 1;
        let fault = plan.by_rule(method, path).or_else(|| plan.by_seed());
        if let Some((fault, _)) = &fault {
            *plan.met.entry(fault.name()).or_default() += 1;
        }
        fault
    }

    /// What it has done so far, as JSON.
    fn report(&self) -> serde_json::Value {
        let plan = self.lock();
        let left = |(rule, count): &(FaultRule, RuleCount)| {
            let path = match &rule.method {
                Some(method) => format!("{method} {}", rule.path),
                None => rule.path.clone(),
            };
            serde_json::json!({"fault": rule.fault.name(), "on": path, "met": count.met, "times": rule.times})
        };
        let rules = plan.rules.iter().map(left).collect::<Vec<_>>();
        serde_json::json!({"requests": plan.requests, "met": plan.met, "rules": rules})
    }
}

impl FaultPlan {
    fn by_rule(&mut self, method: &str, path: &str) -> Option<(Fault, u32)> {
        for (rule, count) in &mut self.rules {
            let is_meant =
                rule.method.as_deref().is_none_or(|name| name == method) && path.starts_with(&rule.path);
            if !is_meant || rule.times > 0 && count.met >= rule.times {
                continue;
            }
            count.asked = count.asked.saturating_add(1);
            if count.asked > rule.skip {
                count.met = count.met.saturating_add(1);
                return Some((rule.fault.clone(), rule.seconds));
            }
        }
        None
    }

    fn by_seed(&mut self) -> Option<(Fault, u32)> {
        let (state, one_in) = self.seed?;
        // SplitMix64: one number for each request.
        let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        self.seed = Some((state, one_in));
        let (draw, rest) = (mixed % u64::from(one_in), mixed / u64::from(one_in));
        let index = usize::try_from(rest % 10).unwrap_or_default();
        (draw == 0)
            .then(|| faults::NAMES.get(index))
            .flatten()
            .map(|(_, fault)| (fault.clone(), SEED_SECONDS))
    }
}

#[cfg(test)]
mod tests;
