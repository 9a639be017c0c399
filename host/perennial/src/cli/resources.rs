//! `perennial resources`: what there is, and where it is.

use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::output;
use crate::report;
use perennial_store::ReadTx;
use perennial_store::listing;

/// Lists the resources of the database, also while `perennial run` works on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial resources
  perennial resources --account acme-hw --stage grace
  perennial resources --expires-before 2026-12-01T00:00:00Z")]
pub(super) struct Arguments {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only of this kind.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only at this stage.
    #[arg(long, value_parser = stage)]
    stage: Option<Stage>,
    /// Only what expires before this instant, in RFC 3339.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_before: Option<Timestamp>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
}

pub(super) fn resources(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let db = ReadTx::open(&context.db)?;
    let filter = listing::Filter {
        account: arguments.account.clone(),
        provider: arguments.provider.clone(),
        kind: arguments.kind.clone(),
        stage: arguments.stage,
        expires_before: arguments.expires_before,
    };
    let listed = listing::resources(&db, &filter, arguments.limit)?;
    let mut out = output::writer(None)?;
    report::listing::write(&listed, context.stdout_style(), &mut out)?;
    if listed.len() == usize::try_from(arguments.limit)? {
        tracing::warn!("only the first {} are shown; see `--limit`", arguments.limit);
    }
    Ok(())
}

fn stage(text: &str) -> Result<Stage, String> {
    let names = Stage::ALL.map(Stage::name).join(", ");
    let found = Stage::ALL.into_iter().find(|stage| stage.name() == text);
    found.ok_or_else(|| format!("there is no such stage; there are {names}"))
}
