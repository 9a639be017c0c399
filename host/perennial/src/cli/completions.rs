//! `perennial completions`: what a shell needs to complete this program's words.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::output::Output;

/// Writes a script that completes commands, options and their values in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial completions bash > ~/.local/share/bash-completion/completions/perennial
  perennial completions zsh > \"${fpath[1]}/_perennial\"
  perennial completions fish > ~/.config/fish/completions/perennial.fish")]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn completions(arguments: &Arguments) -> anyhow::Result<()> {
    let mut command = crate::cli::Arguments::command();
    // Into memory, because the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "perennial", &mut script);
    let mut out = Output::standard();
    std::io::Write::write_all(&mut out, &script)?;
    Ok(out.finish()?)
}
