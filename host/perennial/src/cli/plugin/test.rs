//! `perennial plugin test`: asks the cases of a file, and shows where answers differ.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use perennial_domain::index::AccountIndex;
use perennial_formats::plugin_case;
use perennial_formats::plugin_case::Case;
use perennial_formats::plugin_case::CaseRequest;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::TimelineRequest;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::plugin::CaseArguments;
use crate::cli::plugin::record;
use crate::cli::plugin::record::RecordArguments;
use crate::cli::target::TargetArguments;
use crate::report::text::printable;

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cases: CaseArguments,
    /// Take the answers as they are now: write them into the file of cases, whose difference is then the change in behaviour.
    #[arg(long)]
    bless: bool,
    #[command(flatten)]
    record: RecordArguments,
}

impl Arguments {
    /// Whether it looks at files only.
    pub(super) fn asks_no_host(&self) -> bool {
        !self.record.record
    }
}

/// Cases that do not hold: exit code 1.
#[derive(Debug, thiserror::Error)]
struct FailedCases {
    failed: usize,
    cases: usize,
}

impl fmt::Display for FailedCases {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plural, does) =
            (if self.cases == 1 { "" } else { "s" }, if self.failed == 1 { "does" } else { "do" });
        write!(out, "{} of {} case{plural} {does} not hold", self.failed, self.cases)
    }
}

pub(super) fn test(context: &Context, target: &TargetArguments, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.bless || arguments.record.record {
        input::refuse_standard(&arguments.cases.path(), "`--cases`", "is read and written")?;
    }
    let mut out = Output::standard();
    if arguments.record.record {
        let (plugin, path) = (context.load_plugin("test", &arguments.cases.plugin)?, arguments.cases.path());
        let tally = record::record(&context.client(target)?, &plugin, &path, &arguments.record)?;
        let (recorded, known, skipped) = (tally.recorded, tally.known, tally.skipped);
        writeln!(
            out,
            "recorded {recorded} decisions; {known} were there already, and {skipped} are about what no case states"
        )?;
        if !path.exists() {
            return Ok(out.finish()?);
        }
    }
    let (plugin, path, text, cases) = arguments.cases.read(context, "test")?;
    let (mut failed, mut blessed) = (0, BTreeMap::new());
    for case in &cases {
        let name = printable(&case.name);
        let lines = match answer(&plugin, case) {
            Ok(lines) => lines,
            Err(error) => {
                failed += 1;
                writeln!(out, "FAILED  {name}\n        {}", printable(&error.to_string()))?;
                continue;
            }
        };
        match case.difference(&lines) {
            None => writeln!(out, "ok      {name}")?,
            Some(_) if arguments.bless => {
                writeln!(out, "blessed {name}")?;
                blessed.insert(case.name.clone(), lines);
            }
            Some(difference) => {
                failed += 1;
                writeln!(out, "FAILED  {name}: `-` is what the case says, `+` what the plugin answers")?;
                for line in difference.lines() {
                    writeln!(out, "        {}", printable(line))?;
                }
            }
        }
    }
    let plural = if cases.len() == 1 { "" } else { "s" };
    writeln!(out, "{} case{plural}, {failed} failed", cases.len())?;
    if !blessed.is_empty() {
        let text = plugin_case::with_answers(&text, &blessed);
        output::write_file(&path, text.as_bytes())?;
        writeln!(out, "wrote {} into `{}`", counted(blessed.len()), path.display())?;
    }
    out.finish()?;
    if failed > 0 { Err(FailedCases { failed, cases: cases.len() }.into()) } else { Ok(()) }
}

fn counted(answers: usize) -> String {
    format!("{answers} answer{}", if answers == 1 { "" } else { "s" })
}

/// What the plugin answers to the question of a case, as cases have it.
///
/// # Errors
///
/// When it gives no usable answer.
pub(super) fn answer(plugin: &Plugin, case: &Case) -> anyhow::Result<Vec<String>> {
    let (accounts, account) = ([&case.account], AccountIndex::new(0));
    match &case.question {
        CaseRequest::Timeline { after } => {
            let request = TimelineRequest { after: *after, account, bundle: &case.bundle };
            let answers = plugin.timelines(&accounts, &[request]);
            let timeline = answers.into_iter().next().transpose()?.unwrap_or_default();
            Ok(plugin_case::timeline_lines(&timeline, &case.bundle, plugin.manifest()))
        }
        CaseRequest::Plan { at, member, command, orders } => {
            let (at, member, bundle) = (*at, *member, &case.bundle);
            let request = PlanRequest { at, account, command, member, bundle, orders };
            let answers = plugin.make_plans(&accounts, &[request]);
            let answer = answers.into_iter().next().transpose()?;
            let lines = answer.map(|answer| plugin_case::plan_lines(&answer.plan, bundle, orders));
            Ok(lines.unwrap_or_default())
        }
    }
}
