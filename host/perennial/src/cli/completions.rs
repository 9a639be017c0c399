//! `perennial completions`: what a shell needs to complete this program's words.

use clap::Command;
use clap::CommandFactory;
use clap::ValueHint;
use clap_complete::Shell;

use crate::cli::output::Output;

/// Writes a script that completes commands, options and their values in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial completions bash > ~/.local/share/bash-completion/completions/perennial
  perennial completions zsh > \"${fpath[1]}/_perennial\"
  perennial completions fish > ~/.config/fish/completions/perennial.fish")]
pub(super) struct Arguments {
    /// The shell that completes commands.
    shell: Shell,
}

/// The command, whose options are completed with names of files only where they name one.
fn without_files(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let is_known = argument.get_value_hint() != ValueHint::Unknown;
        let takes_values = argument.get_action().takes_values();
        if is_known || !takes_values { argument } else { argument.value_hint(ValueHint::Other) }
    });
    command.mut_subcommands(without_files)
}

pub(super) fn completions(arguments: &Arguments) -> anyhow::Result<()> {
    let mut command = without_files(crate::cli::Arguments::command());
    // Into memory, because the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "perennial", &mut script);
    let mut out = Output::standard();
    std::io::Write::write_all(&mut out, &script)?;
    Ok(out.finish()?)
}
