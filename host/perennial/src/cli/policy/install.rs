//! `perennial policy install`: has the policies of a file hold, on a running host or for a database.

use std::path::PathBuf;

use crate::cli::Context;
use crate::cli::on_host::policies as host;
use crate::cli::on_host::policies::Installation;
use crate::cli::policy::load::LoadedPolicies;
use crate::client::Client;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy file.
    file: PathBuf,
    /// Also remove the policies and calendars that are not in the file.
    #[arg(long)]
    replace: bool,
    /// Only say what would change; exit code 3 when something would.
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Arguments {
    /// Installs a policy file that `policy check` finds no problem with.
    pub(super) fn install(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let loaded = LoadedPolicies::read(context, &self.file)?;
        let Arguments { file, replace, dry_run, reason } = self;
        let scripts = loaded.set.policies.iter().map(|policy| (policy.script.clone(), policy.text.clone()));
        let (text, scripts) = (loaded.text(), scripts.collect());
        let (replace, dry_run, reason) = (*replace, *dry_run, reason.as_deref());
        host::install(client, &Installation { file, text, scripts, replace, dry_run, reason })
    }
}
