//! What a check says of a plugin that takes more than a call has.

use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;
use perennial_sandbox::samples;

use crate::cli::plugin::check::Examination;

#[test]
fn a_full_call_that_runs_out_of_fuel_is_a_problem() {
    // Enough for any question, and nothing for each item of a call.
    for (fuel_per_item, is_enough) in [(Limits::DEFAULT.fuel_per_item, true), (1, false)] {
        let limits = Limits { fuel: 1_000_000, fuel_per_item, ..Limits::DEFAULT };
        let plugins = Plugins::load(&Options {
            files: Vec::new(),
            cache_dir: None,
            limits,
            trust: Trust::default(),
            grants: Grants::new(package_manifest::limits),
        });
        let plugins = plugins.unwrap();
        let plugin = plugins.get("huawei").unwrap();
        let (account, bundles) = (samples::account(plugin.manifest()), samples::bundles(plugin.manifest()));
        let mut examination = Examination { plugin, account, bundles, shares: Vec::new() };
        let timelines = examination.timelines();
        assert_eq!(timelines.problems.is_empty(), is_enough, "{:?}", timelines.problems);
        if !is_enough {
            assert!(timelines.problems[0].contains("runs out of fuel"), "{:?}", timelines.problems);
        }
    }
}
