//! `perennial policy check`.

use std::io::Write;
use std::path::Path;

use crate::cli::Context;
use crate::cli::output::Output;
use crate::cli::policy::counted;
use crate::cli::policy::load;
use crate::cli::policy::load::LoadedPolicies;

/// Prints a line for each policy, with the warnings of its script.
pub fn check(context: &Context, file: &Path) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, file)?;
    let mut out = Output::standard();
    for (policy, report) in loaded.set.policies.iter().zip(&loaded.reports) {
        let (order, mode) = (policy.rank, policy.mode.name());
        writeln!(out, "{:<24} ok       order {order}, {mode}, `{}`", policy.name, policy.script)?;
        for warning in &report.warnings {
            writeln!(out, "  warning\n{}", load::finding(&loaded.script_path(policy), warning))?;
        }
    }
    let (policies, warnings) =
        (loaded.set.policies.len(), loaded.reports.iter().map(|report| report.warnings.len()).sum::<usize>());
    writeln!(
        out,
        "{}, {}, {}",
        counted(policies, "policy", "policies"),
        counted(loaded.set.calendars.len(), "calendar", "calendars"),
        counted(warnings, "warning", "warnings")
    )?;
    Ok(out.finish()?)
}
