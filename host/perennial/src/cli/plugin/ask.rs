//! `perennial plugin ask`: one question, its answer, its fuel.

use std::io::Write;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::output::Output;
use crate::cli::plugin::CaseArguments;
use crate::cli::plugin::test;
use crate::report::text::printable;

/// The arguments of `ask`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cases: CaseArguments,
    /// The name of the case whose question is asked.
    #[arg(long, value_name = "NAME")]
    case: String,
}

pub(super) fn ask(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let (plugin, path, _, cases) = arguments.cases.read(context, "ask")?;
    let Some(case) = cases.iter().find(|case| case.name == arguments.case) else {
        let names = cases.iter().map(|case| format!("\n  {}", printable(&case.name))).collect::<String>();
        let message =
            format!("`{}` has no case `{}`; it has{names}", path.display(), printable(&arguments.case));
        return Err(UserError::Argument(message).into());
    };
    let before = plugin.fuel_used();
    let answer = test::answer(&plugin, case)?;
    let fuel = plugin.fuel_used() - before;
    let mut out = Output::standard();
    for line in &answer {
        writeln!(out, "{}", printable(line))?;
    }
    writeln!(out, "fuel {fuel}")?;
    Ok(out.finish()?)
}
