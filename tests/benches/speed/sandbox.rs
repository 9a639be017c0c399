//! A rule asked in the sandbox against the same rule compiled natively.
//!
//! One call is asked about 256 bundles of three, as the engine does. The sandbox's side is everything from domain values
//! to domain values that were checked, a fresh sandbox included; the native side gets its input ready-made, and is
//! measured with a deep copy of it and without.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::rules::automatic_renewal;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::TimelineRequest;

use crate::arguments::Arguments;
use crate::figures;
use crate::native;
use crate::native::Native;
use crate::world;
use crate::world::Provider;

/// Bundles in one call.
const BATCH: u32 = 256;
/// Calls in one round.
const CALLS: u32 = 40;

/// What one question took.
struct Times {
    sandboxed: Duration,
    copied: Duration,
    in_place: Duration,
}

impl Times {
    fn worst() -> Times {
        Times { sandboxed: Duration::MAX, copied: Duration::MAX, in_place: Duration::MAX }
    }

    fn print(&self, provider: &str, question: &str) {
        let each = |time: Duration| figures::share(time, BATCH);
        let what = format!("{provider}: {question}, in the sandbox");
        figures::row(
            &what,
            each(self.sandboxed),
            "native, with a deep copy of its input",
            each(self.copied),
            Some(1.2),
        );
        figures::row(&what, each(self.sandboxed), "native, without the copy", each(self.in_place), None);
    }
}

/// Measures both questions of both providers, and prints them.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plugins = world::plugins(folder.path())?;
    let how =
        format!("per bundle of three, in one call of {BATCH}; best of {} x {CALLS} calls", arguments.rounds);
    figures::title("One bundle decided", &how);
    for (provider, native) in [(world::HUAWEI, native::HUAWEI), (world::BAIDU, native::BAIDU)] {
        let plugin = plugins.get(provider.id).expect("it is bundled");
        let case = Case::new(plugin, native, provider);
        let (mut timelines, mut plans) = (Times::worst(), Times::worst());
        for _ in 0..arguments.rounds * CALLS {
            case.timelines(&mut timelines);
            case.plans(&mut plans);
        }
        timelines.print(provider.id, "timeline");
        plans.print(provider.id, "make-plans");
    }
    Ok(())
}

/// A provider's rules, twice, and what they are asked about.
struct Case<'a> {
    plugin: &'a Arc<Plugin>,
    native: Native,
    account: Account,
    bundles: Vec<Bundle>,
    at: Timestamp,
}

impl Case<'_> {
    fn new(plugin: &Arc<Plugin>, native: Native, provider: Provider) -> Case<'_> {
        let bundle = |number| world::bundle(provider, number, 3, world::EXPIRY, OnExpiry::Renew);
        let account = world::accounts(1, |_| provider).remove(0);
        Case {
            plugin,
            native,
            account,
            bundles: (0..BATCH).map(bundle).collect(),
            at: world::EXPIRY - 6 * 86_400,
        }
    }

    fn timelines(&self, best: &mut Times) {
        let outlook = |bundle| TimelineRequest { after: world::START, account: AccountIndex::new(0), bundle };
        let outlooks = self.bundles.iter().map(outlook).collect::<Vec<_>>();
        let (taken, answers) = figures::time(|| self.plugin.timelines(&[&self.account], &outlooks));
        figures::keep_best(&mut best.sandboxed, taken);
        assert!(answers.iter().all(Result::is_ok), "the plugin answers");

        let settings = native::settings(&self.account);
        let input = |bundle| native::outlook(bundle, self.plugin.manifest(), world::START);
        let input = self.bundles.iter().map(input).collect::<Vec<_>>();
        let ask = self.native.timeline;
        let (taken, _) = figures::time(|| black_box(ask(settings.clone(), black_box(&input).clone())));
        figures::keep_best(&mut best.copied, taken);
        let (taken, _) = figures::time(|| black_box(ask(settings, black_box(input))));
        figures::keep_best(&mut best.in_place, taken);
    }

    fn plans(&self, best: &mut Times) {
        let command = automatic_renewal();
        let question = |bundle| PlanRequest {
            at: self.at,
            account: AccountIndex::new(0),
            command: &command,
            member: MemberIndex::new(0),
            bundle,
            orders: &[],
        };
        let questions = self.bundles.iter().map(question).collect::<Vec<_>>();
        let (taken, answers) = figures::time(|| self.plugin.make_plans(&[&self.account], &questions));
        figures::keep_best(&mut best.sandboxed, taken);
        assert!(
            answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.plan.is_ok())),
            "the plugin plans"
        );

        let settings = native::settings(&self.account);
        let input = |bundle| native::question(bundle, self.plugin.manifest(), self.at);
        let input = self.bundles.iter().map(input).collect::<Vec<_>>();
        let ask = self.native.make_plans;
        let (taken, _) = figures::time(|| black_box(ask(settings.clone(), black_box(&input).clone())));
        figures::keep_best(&mut best.copied, taken);
        let (taken, _) = figures::time(|| black_box(ask(settings, black_box(input))));
        figures::keep_best(&mut best.in_place, taken);
    }
}
