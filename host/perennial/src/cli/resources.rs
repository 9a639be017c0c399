//! `perennial resources`: lists resources and their stages.

use anyhow::Context as _;
use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use perennial_service::lookup;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::output;
use crate::report;
use perennial_store::ReadTx;
use perennial_store::resource_query;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;

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
    let filter = ResourceFilter {
        account: arguments.account.clone(),
        provider: arguments.provider.clone(),
        kinds: arguments.kind.iter().cloned().collect(),
        stages: arguments.stage.into_iter().collect(),
        expires_before: arguments.expires_before,
        ..ResourceFilter::default()
    };
    let found = resource_query::find(&db, &filter, ResourcePage::by_account(arguments.limit))?.resources;
    let mut listed = Vec::with_capacity(found.len());
    for found in found {
        let resource =
            lookup::find_resource(&db, &found.id)?.context("a resource vanished while it was read")?;
        let problem = lookup::plugin_problem(&db, &resource)?;
        listed.push((resource, problem));
    }
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
