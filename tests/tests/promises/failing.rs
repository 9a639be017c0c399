//! Promise 6, for the engine: a plugin that gives no usable answer hurts only the bundles that it was asked about; they
//! keep their state, are asked about again with back-off, and show the reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;
use perennial_store::testing;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::host::Host;
use crate::host::at;
use crate::host::check;
use crate::host::providers;
use crate::invariants;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::World;
use crate::world::quiet;

/// When the rules of a test fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    /// Asked for a timeline.
    Timelines,
    /// Asked for a plan.
    Plans,
}

/// A provider's real rules, which fail about every bundle whose number is odd, while they are broken.
struct Fragile {
    rules: Arc<dyn Rules>,
    fails: Fails,
    is_broken: Arc<AtomicBool>,
}

/// Whether the rules fail about a bundle: the world numbers its bundles.
fn is_victim(bundle: &Bundle) -> bool {
    bundle.primary().id.ends_with(['1', '3', '5', '7', '9'])
}

impl Fragile {
    fn breaks(&self, fails: Fails, bundle: &Bundle) -> bool {
        self.fails == fails && self.is_broken.load(Ordering::Relaxed) && is_victim(bundle)
    }

    fn crash<T>(&self, function: &'static str) -> Result<T, PluginError> {
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
        outlooks: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        let answers = self.rules.timelines(accounts, outlooks).into_iter().zip(outlooks);
        let broken = |outlook: &TimelineRequest<'_>| self.breaks(Fails::Timelines, outlook.bundle);
        answers
            .map(|(answer, outlook)| if broken(outlook) { self.crash("timeline") } else { answer })
            .collect()
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        questions: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        let answers = self.rules.make_plans(accounts, questions).into_iter().zip(questions);
        let broken = |question: &PlanRequest<'_>| self.breaks(Fails::Plans, question.bundle);
        answers
            .map(|(answer, question)| if broken(question) { self.crash("make-plans") } else { answer })
            .collect()
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.rules.allocate(accounts, consumptions)
    }
}

/// A host whose plugins fail while the flag is set.
fn fragile(world: &World, fails: Fails) -> (Host, Arc<AtomicBool>) {
    let is_broken = Arc::new(AtomicBool::new(true));
    let fragile = |(id, rules): (String, Arc<dyn Rules>)| {
        (id, Arc::new(Fragile { rules, fails, is_broken: is_broken.clone() }) as Arc<dyn Rules>)
    };
    let broken: Providers =
        providers().iter().map(|(id, rules)| fragile((id.clone(), rules.clone()))).collect();
    let mut host = Host::with(world, broken, 8_192, Retention::Everything);
    // What a revision that fails over one bundle after another is spared is promised elsewhere.
    let limits = FailureLimits { breaker_bundles: u32::MAX, ..FailureLimits::DEFAULT };
    host.engine = host.engine.with_failure_limits(limits);
    (host, is_broken)
}

/// A host whose plugins give no plans while the flag is set.
pub fn fragile_plans(world: &World) -> (Host, Arc<AtomicBool>) {
    fragile(world, Fails::Plans)
}

/// The lines about bundles that the rules fail about, or about the others.
fn lines_of(host: &Host, victims: bool) -> Vec<String> {
    let members = testing::members(host.db()).into_iter();
    let of = members.map(|(id, primary)| (id, primary.ends_with(['1', '3', '5', '7', '9'])));
    let of = of.collect::<BTreeMap<_, _>>();
    let about = |line: &&String| {
        let event = serde_json::from_str::<serde_json::Value>(line).unwrap();
        let is_money = event["type"] == "balance_changed";
        !is_money && event["resource"].as_str().is_some_and(|id| of[id] == victims)
    };
    host.lines.iter().filter(about).cloned().collect()
}

const FAILURES: [Fails; 2] = [Fails::Timelines, Fails::Plans];

#[test]
fn a_failing_plugin_hurts_only_the_bundles_that_it_fails_about() {
    check(15, quiet(Money::Plenty), |world| {
        let mut well = Host::new(&world);
        well.play(FROM, UNTIL);
        for fails in FAILURES {
            let (mut host, _) = fragile(&world, fails);
            host.play(FROM, UNTIL);
            prop_assert_eq!(lines_of(&well, false), lines_of(&host, false));
            invariants::no_period_is_paid_twice(&host)?;
            invariants::money_adds_up(&host)?;
        }
        Ok(())
    });
}

#[test]
fn bundles_of_a_failing_plugin_keep_their_state_and_are_retried() {
    check(15, quiet(Money::Plenty), |world| {
        for fails in FAILURES {
            let (mut host, _) = fragile(&world, fails);
            host.play(FROM, UNTIL);
            keep_their_state(&host)?;
            back_off(&host)?;
        }
        Ok(())
    });
}

fn keep_their_state(host: &Host) -> Result<(), TestCaseError> {
    let failing = testing::failing(host.db());
    let shown = testing::plugin_failures(host.db()).into_iter();
    let shown = shown.filter(|(_, message)| message.contains("crashed in")).map(|(id, _)| id);
    prop_assert_eq!(&failing, &shown.collect::<Vec<_>>(), "every failing bundle shows why");
    for line in lines_of(host, true) {
        let event = serde_json::from_str::<serde_json::Value>(&line).unwrap();
        let is_renewed = event["type"] == "renewal_settled";
        let id = event["resource"].as_str().unwrap();
        prop_assert!(!is_renewed || !failing.iter().any(|failing| failing == id), "{line}");
    }
    Ok(())
}

/// The waits between failures grow from a minute, doubling, to six hours.
fn back_off(host: &Host) -> Result<(), TestCaseError> {
    let mut last = BTreeMap::<String, i64>::new();
    for event in host.events("plugin_failed") {
        let instant = |name: &str| {
            let text = event[name].as_str().unwrap();
            perennial_domain::timestamp::Timestamp::as_second(text.parse().unwrap())
        };
        let wait = instant("next_try_at") - instant("at");
        let resource = event["resource"].as_str().unwrap().to_owned();
        let expected = last.get(&resource).map_or(60, |last| (last * 2).min(6 * 3600));
        prop_assert!(
            wait == expected || wait == 60,
            "`{resource}` waits {wait} s after {:?}",
            last.get(&resource)
        );
        last.insert(resource, wait);
    }
    Ok(())
}

#[test]
fn bundles_recover_with_their_plugin_and_end_as_if_it_never_failed() {
    check(20, (quiet(Money::Plenty), 1..25_i64), |(world, days)| {
        let mut well = Host::new(&world);
        well.play(FROM, UNTIL);
        for fails in FAILURES {
            let (mut host, is_broken) = fragile(&world, fails);
            let mended = FROM + days * DAY;
            host.play(FROM, mended);
            is_broken.store(false, Ordering::Relaxed);
            host.engine.run_to(at(UNTIL), &mut |_, _| {}).unwrap();
            let problems = testing::plugin_failures(host.db());
            prop_assert!(problems.is_empty(), "still there: {problems:?}");
            prop_assert_eq!(testing::failing(host.db()), [""; 0]);
            prop_assert_eq!(testing::schedules(well.db()), testing::schedules(host.db()));
        }
        Ok(())
    });
}
