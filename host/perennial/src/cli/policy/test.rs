//! `perennial policy test`: runs the cases beside each script, and says which lines they reach.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use perennial_domain::index::PolicyIndex;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyAnswer;
use perennial_formats::policy::case;
use perennial_formats::policy::case::Case;
use perennial_sandbox::ScriptReport;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output::Output;
use crate::cli::policy::counted;
use crate::cli::policy::load::LoadedPolicies;
use crate::report::text::printable;

/// Cases that do not hold: exit code 1.
#[derive(Debug, thiserror::Error)]
struct FailedCases {
    failed: usize,
    cases: usize,
}

impl fmt::Display for FailedCases {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.failed == 1 { "does" } else { "do" };
        write!(out, "{} of {} {does} not hold", self.failed, counted(self.cases, "case", "cases"))
    }
}

/// Runs every case of every policy of the file.
pub fn test(context: &Context, file: &Path) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, file)?;
    let mut suites = Vec::new();
    for policy in &loaded.set.policies {
        suites.push(read(&loaded, policy)?);
    }
    let mut out = Output::standard();
    let (mut cases, mut failed) = (0, 0);
    for (number, (policy, suite)) in loaded.set.policies.iter().zip(&suites).enumerate() {
        let Some(suite) = suite else {
            writeln!(out, "{}: no tests; write them into `{}`", policy.name, tests_of(&policy.script))?;
            continue;
        };
        let mut lines = BTreeSet::new();
        for case in suite {
            cases += 1;
            match case.check(&ask(&loaded, PolicyIndex::new(number), case, &mut lines)?) {
                Ok(()) => writeln!(out, "ok      {}: {}", policy.name, printable(&case.name))?,
                Err(difference) => {
                    failed += 1;
                    let (name, difference) = (printable(&case.name), printable(&difference));
                    writeln!(out, "FAILED  {}: {name}\n        {difference}", policy.name)?;
                }
            }
        }
        writeln!(out, "        {}: {}", policy.name, coverage(&loaded.reports[number], &lines))?;
    }
    writeln!(out, "{}, {failed} failed", counted(cases, "case", "cases"))?;
    out.finish()?;
    if failed > 0 { Err(FailedCases { failed, cases }.into()) } else { Ok(()) }
}

/// The cases beside a policy's script, if there are any.
fn read(loaded: &LoadedPolicies, policy: &Policy) -> Result<Option<Vec<Case>>, UserError> {
    let path = loaded.script_path(policy).with_file_name(tests_of(&policy.script));
    if !path.exists() {
        return Ok(None);
    }
    let cases = case::read(&input::read(&path)?, &loaded.manifests());
    cases.map(Some).map_err(|problems| UserError::File { path, problems })
}

/// `approve-large.test.toml` for `approve-large.rhai`.
fn tests_of(script: &str) -> String {
    let stem = Path::new(script).file_stem().unwrap_or_default();
    format!("{}.test.toml", stem.to_string_lossy())
}

/// Asks the policy at `index` about the plan of `case`, and notes the lines that were run.
fn ask(
    loaded: &LoadedPolicies,
    index: PolicyIndex,
    case: &Case,
    lines: &mut BTreeSet<u32>,
) -> anyhow::Result<PolicyAnswer> {
    let mut facts = case.plan.facts.clone();
    facts.policies = vec![index];
    let (answers, run) = loaded.interpreter.trace(&loaded.set, &case.plan.account, &facts)?;
    lines.extend(run.into_iter().nth(index.get()).unwrap_or_default());
    answers.into_iter().next().context("the interpreter gave no answer")
}

/// Such as `5 of 6 lines (83 %); never run: 7`.
fn coverage(report: &ScriptReport, run: &BTreeSet<u32>) -> String {
    let missed =
        report.lines.iter().filter(|line| !run.contains(line)).map(u32::to_string).collect::<Vec<_>>();
    let all = report.lines.len();
    let reached = all - missed.len();
    let percent = reached * 100 / all.max(1);
    let rest = if missed.is_empty() { String::new() } else { format!("; never run: {}", missed.join(", ")) };
    format!("{reached} of {all} lines ({percent} %){rest}")
}
