//! The interpreter, loaded, and its calls: looks at scripts, and asks them about plans.
//!
//! The plans of one account are asked in order, because each sees the money that the ones before it left. What is asked in
//! one call has a sandbox of its own. A call that fails is repeated plan by plan, then policy by policy, so that a script
//! which escapes the interpreter's own limits hurts only the plans that it is asked about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use perennial_domain::index::PolicyIndex;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::figures::Figures;
use perennial_domain::policy::figures::RunningFigures;
use wasmtime::Store;
use wasmtime::component::Linker;

use crate::policy::bindings::PolicyPre;
use crate::policy::bindings::rulings;
use crate::policy::bindings::types;
use crate::policy::decode;
use crate::policy::encode;
use crate::policy::encode::Encoder;
use crate::policy::spending;
use crate::policy::stop::Asking;
use crate::policy::unusable::NAME;
use crate::policy::unusable::check_count;
use crate::policy::unusable::count;
use crate::policy::unusable::failure;
use crate::policy::unusable::nonsense;
use crate::provider::contract::Interfaces;
use crate::provider::load::Plugins;
use crate::runtime::batch;
use crate::runtime::batch::BatchLimits;
use crate::runtime::call;
use crate::runtime::call::Failure;
use crate::runtime::call::StoreLimits;
use crate::runtime::engine::Runtime;
use crate::runtime::error::LoadError;
use crate::runtime::error::PluginError;
use crate::runtime::limits::Limits;

/// The component, which the build script compiles.
const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plugin-script.wasm"));
/// The most plans of one account in one call: with three policies each, some ten milliseconds.
const PLANS_MAX: usize = 128;

/// What the interpreter makes of a script without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptReport {
    /// Why it cannot be a policy; empty when it can. A line of 0 is the script as a whole.
    pub problems: Vec<ScriptFailure>,
    /// What may fail for some plans.
    pub warnings: Vec<ScriptFailure>,
    /// The lines that have something to run, in order.
    pub lines: Vec<u32>,
}

/// What the policies that were asked about a plan say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAnswers {
    /// The money that the plan was shown. When it turns out otherwise, ask again from this plan on.
    pub figures: Figures,
    /// In the order of [`PlanFacts::policies`].
    pub answers: Vec<PolicyAnswer>,
    /// The fuel that they took: the plan's part of what the call took, in equal parts, rounded up.
    pub fuel: u64,
}

/// Runs policies in the sandbox.
pub struct Interpreter {
    runtime: Arc<Runtime>,
    limits: Limits,
    pre: PolicyPre<StoreLimits>,
    digest: String,
    interfaces: Interfaces,
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interpreter {}", self.digest)
    }
}

/// Consecutive plans of one account, by their places.
struct Segment<'a> {
    account: &'a AccountFacts,
    left: RunningFigures,
    plans: Vec<&'a PlanFacts>,
}

impl Interpreter {
    /// Loads it into the sandbox that `plugins` have.
    ///
    /// # Errors
    ///
    /// A [`LoadError`] when it cannot be compiled, or is not of the contract that this host was built with.
    pub fn load(plugins: &Plugins) -> Result<Interpreter, LoadError> {
        let loader = plugins.loader();
        let (component, digest) = loader.component(NAME, COMPONENT)?;
        let interfaces = Interfaces::of(loader.runtime.engine(), &component);
        let wrong = |error: wasmtime::Error| interfaces.wrong(NAME, format!("{error:#}"));
        let pre = Linker::new(loader.runtime.engine()).instantiate_pre(&component).map_err(wrong)?;
        let pre = PolicyPre::new(pre).map_err(wrong)?;
        let limits = spending::limits(loader.limits);
        Ok(Interpreter { runtime: Arc::clone(&loader.runtime), limits, pre, digest, interfaces })
    }

    /// Its name in messages and records.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// The SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it exports and imports.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// What it makes of the script of each policy of `set`.
    pub fn check(&self, set: &PolicySet) -> Vec<ScriptReport> {
        let scripts = encode::scripts(set);
        let calendars = set.calendars.iter().map(|calendar| calendar.name.as_str()).collect::<Vec<_>>();
        match self.check_together(&scripts, &calendars) {
            Ok(reports) => reports,
            // One of them is too much; the others have their reports.
            Err(_) => scripts.iter().map(|script| self.check_alone(script, &calendars)).collect(),
        }
    }

    /// The problems of the scripts of `set` where the policy file cannot be read: nobody knows its calendars, so one that is
    /// missing is no problem yet.
    pub fn check_without_calendars(&self, set: &PolicySet) -> Vec<ScriptFailure> {
        let problems = self.check(set).into_iter().flat_map(|report| report.problems);
        problems.filter(|problem| !problem.message.starts_with("there is no calendar")).collect()
    }

    fn check_together(
        &self,
        scripts: &[types::Script<'_>],
        calendars: &[&str],
    ) -> Result<Vec<ScriptReport>, PluginError> {
        let reports = self.call("check", scripts.len(), |store, pre| {
            let policy = pre.instantiate(&mut *store)?;
            policy.perennial_policy_scripts().call_check(store, scripts, calendars)
        });
        let (reports, _) = reports.map_err(|failure| failure.error)?;
        count("check", scripts.len(), reports.len())?;
        let findings = |list: Vec<_>| list.into_iter().map(decode::finding).collect();
        let report = reports.into_iter().map(|report| ScriptReport {
            problems: findings(report.problems),
            warnings: findings(report.warnings),
            lines: report.lines,
        });
        Ok(report.collect())
    }

    /// The report of one script; that it cannot be looked at is its problem.
    fn check_alone(&self, script: &types::Script<'_>, calendars: &[&str]) -> ScriptReport {
        let report = self.check_together(std::slice::from_ref(script), calendars);
        report.map(|mut reports| reports.remove(0)).unwrap_or_else(|error| ScriptReport {
            problems: vec![ScriptFailure::whole(format!("it is too much for one script: {error}"))],
            warnings: Vec::new(),
            lines: Vec::new(),
        })
    }

    /// Asks about each plan the policies that it names, in the order of the plans within each account.
    ///
    /// A policy that gives no usable answer has failed on that plan, and its answer says why.
    pub fn ask(
        &self,
        set: &PolicySet,
        accounts: &[AccountFacts],
        plans: &[&PlanFacts],
    ) -> Vec<PolicyAnswers> {
        self.ask_unless_stopped(set, accounts, plans, &Arc::default())
    }

    /// The same until `stop` is set: within some milliseconds, whatever the scripts do. Every policy has failed then on the
    /// plans that are left, so what it answers is of no use to anybody.
    pub fn ask_unless_stopped(
        &self,
        set: &PolicySet,
        accounts: &[AccountFacts],
        plans: &[&PlanFacts],
        stop: &Arc<AtomicBool>,
    ) -> Vec<PolicyAnswers> {
        let asking = Asking { set, stop };
        let mut of_account = BTreeMap::<usize, Vec<usize>>::new();
        for (place, plan) in plans.iter().enumerate() {
            of_account.entry(plan.account.get()).or_default().push(place);
        }
        let running = accounts.iter().map(RunningFigures::new);
        let mut running = running.collect::<Vec<_>>();
        let mut answered = plans.iter().map(|_| None).collect::<Vec<_>>();
        let longest = of_account.values().map(Vec::len).max().unwrap_or(0);
        for round in 0..longest.div_ceil(PLANS_MAX) {
            let rounds = of_account.iter().filter_map(|(account, places)| {
                let rest = places.get(round * PLANS_MAX..)?;
                (!rest.is_empty()).then(|| (*account, &rest[..rest.len().min(PLANS_MAX)]))
            });
            let rounds = rounds.collect::<Vec<_>>();
            let segments = rounds.iter().map(|(account, places)| Segment {
                account: &accounts[*account],
                left: running[*account],
                plans: places.iter().map(|place| plans[*place]).collect(),
            });
            let segments = segments.collect::<Vec<_>>();
            for ((account, places), answers) in rounds.iter().zip(self.ask_segments(asking, &segments)) {
                for (place, answers) in places.iter().zip(answers) {
                    running[*account].before(plans[*place]);
                    running[*account].after_answers(plans[*place], &answers.answers);
                    answered[*place] = Some(answers);
                }
            }
        }
        answered.into_iter().map(|answers| answers.expect("every plan is in a segment")).collect()
    }

    /// Asks about the plans of one call, and says which lines of each script were run. Slow: for tests of policies.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when it gives no usable answer.
    pub fn trace(
        &self,
        set: &PolicySet,
        account: &AccountFacts,
        plan: &PlanFacts,
    ) -> Result<(Vec<PolicyAnswer>, Vec<Vec<u32>>), PluginError> {
        let mut encoder = Encoder::default();
        let number = encoder.account(account, RunningFigures::new(account).before(plan));
        encoder.plan(number, plan, &plan.policies);
        let (scripts, calendars) = (encode::scripts(set), encode::calendars(&set.calendars));
        let results = self.call("trace", plan.policies.len(), |store, pre| {
            let policy = pre.instantiate(&mut *store)?;
            policy.perennial_policy_rulings().call_trace(store, &scripts, &calendars, encoder.batch())
        });
        let ((results, lines), _) = results.map_err(|failure| failure.error)?;
        count("trace", plan.policies.len(), results.answers.len())?;
        count("trace", scripts.len(), lines.len())?;
        let answers = results.answers.into_iter().map(decode::answer).collect::<Result<_, _>>();
        Ok((answers.map_err(|problem| nonsense("trace", problem))?, lines))
    }

    /// Asks about segments of different accounts, side by side.
    fn ask_segments(&self, asking: Asking<'_>, segments: &[Segment<'_>]) -> Vec<Vec<PolicyAnswers>> {
        let Limits { requests_max, items_max, failing_fuel_max, .. } = self.limits;
        let limits =
            BatchLimits { requests_max, items_max, threads: self.runtime.threads(), failing_fuel_max };
        let items =
            segments.iter().map(|segment| segment.plans.iter().map(|plan| 1 + plan.policies.len()).sum());
        let answers = batch::ask_all(items, limits, |range| self.rule(asking, &segments[range]));
        let pairs = segments.iter().zip(answers);
        pairs
            .map(|(segment, answers)| answers.unwrap_or_else(|error| self.isolate(asking, segment, error)))
            .collect()
    }

    /// Asks about the plans of a segment one by one, because all together failed with `error`. Once that has cost more
    /// than failing may, the rest fails unasked.
    fn isolate(&self, asking: Asking<'_>, segment: &Segment<'_>, error: PluginError) -> Vec<PolicyAnswers> {
        let (mut left, mut failed_fuel, mut last) = (segment.left, 0_u64, error);
        let mut one = |left, plan: &PlanFacts, policies: &[PolicyIndex]| {
            if failed_fuel > self.limits.failing_fuel_max || asking.is_stopped() {
                return Err(last.clone());
            }
            let answered = self.rule_one(asking, segment.account, left, plan, policies);
            answered.map_err(|failure| {
                failed_fuel = failed_fuel.saturating_add(failure.fuel);
                last = failure.error.clone();
                failure.error
            })
        };
        let mut answered = Vec::with_capacity(segment.plans.len());
        for plan in &segment.plans {
            let figures = left.before(plan);
            let mut fuel = 0_u64;
            let answers = match one(figures, plan, &plan.policies) {
                Ok((answers, used)) => {
                    fuel = used;
                    answers
                }
                Err(_) => plan
                    .policies
                    .iter()
                    .map(|policy| match one(figures, plan, &[*policy]) {
                        Ok((mut answers, used)) if answers.len() == 1 => {
                            fuel = fuel.saturating_add(used);
                            answers.remove(0)
                        }
                        Ok(_) => failure("it gave no answer".to_owned()),
                        Err(error) => failure(error.to_string()),
                    })
                    .collect(),
            };
            left.after_answers(plan, &answers);
            answered.push(PolicyAnswers { figures, answers, fuel });
        }
        answered
    }

    fn rule_one(
        &self,
        asking: Asking<'_>,
        account: &AccountFacts,
        left: Figures,
        plan: &PlanFacts,
        policies: &[PolicyIndex],
    ) -> Result<(Vec<PolicyAnswer>, u64), Failure> {
        let mut encoder = Encoder::default();
        let number = encoder.account(account, left);
        encoder.plan(number, plan, policies);
        let (results, fuel) = self.rule_batch(asking, &encoder, 1 + policies.len())?;
        check_count(1, policies.len(), &results)?;
        let answers = results.answers.into_iter().map(decode::answer).collect::<Result<_, _>>();
        let answers = answers.map_err(|problem| Failure { error: nonsense("rule", problem), fuel: 0 })?;
        Ok((answers, fuel))
    }

    /// One call about several segments.
    fn rule(
        &self,
        asking: Asking<'_>,
        segments: &[Segment<'_>],
    ) -> Result<batch::Answers<Vec<PolicyAnswers>>, Failure> {
        if asking.is_stopped() {
            let limit = self.limits.time_max;
            let error = PluginError::OutOfTime { plugin: NAME.to_owned(), function: "rule", limit };
            return Err(Failure { error, fuel: self.limits.failing_fuel_max.saturating_add(1) });
        }
        let mut encoder = Encoder::default();
        let (mut plans, mut asked) = (0, 0);
        for segment in segments {
            let first = segment.plans.first().map(|plan| { segment.left }.before(plan));
            let number = encoder.account(segment.account, first.unwrap_or_default());
            for plan in &segment.plans {
                encoder.plan(number, plan, &plan.policies);
                (plans, asked) = (plans + 1, asked + plan.policies.len());
            }
        }
        let (results, fuel) = self.rule_batch(asking, &encoder, plans + asked)?;
        check_count(plans, asked, &results)?;
        let fuel = fuel.div_ceil(u64::try_from(plans).unwrap_or(u64::MAX).max(1));
        let (mut figures, mut answers) = (results.figures.into_iter(), results.answers.into_iter());
        let mut answers_of = |plan: &&PlanFacts| -> Result<PolicyAnswers, PluginError> {
            let answers = answers.by_ref().take(plan.policies.len()).map(decode::answer);
            let answers = answers.collect::<Result<Vec<_>, _>>();
            Ok(PolicyAnswers {
                figures: figures.next().map(decode::figures).unwrap_or_default(),
                answers: answers.map_err(|problem| nonsense("rule", problem))?,
                fuel,
            })
        };
        Ok(segments.iter().map(|segment| segment.plans.iter().map(&mut answers_of).collect()).collect())
    }

    fn rule_batch(
        &self,
        asking: Asking<'_>,
        encoder: &Encoder<'_>,
        items: usize,
    ) -> Result<(rulings::Results, u64), Failure> {
        let Asking { set, .. } = asking;
        let (scripts, calendars) = (encode::scripts(set), encode::calendars(&set.calendars));
        self.call("rule", items, |store, pre| {
            asking.watch(store, self.limits.time_max);
            let policy = pre.instantiate(&mut *store)?;
            policy.perennial_policy_rulings().call_rule(store, &scripts, &calendars, encoder.batch())
        })
    }

    /// Calls it; returns the answer and the fuel that it took.
    fn call<A>(
        &self,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &PolicyPre<StoreLimits>) -> wasmtime::Result<A>,
    ) -> Result<(A, u64), Failure> {
        call::invoke(&self.runtime, &self.limits, (NAME, function), items, |store| call(store, &self.pre))
    }
}
