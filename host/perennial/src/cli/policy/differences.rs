//! `perennial policy differences`: what a shadow policy would have done otherwise. Reads only, also while a host runs.

use crate::cli::Context;
use crate::cli::list::ListArguments;
use crate::cli::on_host::policies as host;
use crate::client::Client;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy's name.
    name: String,
    /// Only of this version of its script, by its digest.
    #[arg(long)]
    digest: Option<String>,
    /// Only the totals by kind.
    #[arg(long)]
    totals: bool,
    #[command(flatten)]
    list: ListArguments,
}

impl Arguments {
    /// The plans on which the policy would have ruled otherwise or, with `--totals`, how many of each kind there are.
    pub(super) fn ask(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let Arguments { name, digest, totals, list } = self;
        host::differences(context, client, (name, digest.as_deref(), *totals), list)
    }
}
