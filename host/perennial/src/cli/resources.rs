//! `perennial resources`: lists resources and their stages.

use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::known;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::list::Zones;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Tone;
use perennial_store::ReadTx;
use perennial_store::bundles::Schedule;
use perennial_store::listing;
use perennial_store::listing::ListedResource;

/// Lists the resources of the database, also while `perennial run` works on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial resources
  perennial resources --account acme-hw --stage grace
  perennial resources --expires-before 2026-12-01 --time-zone Asia/Shanghai
  perennial resources --provider huawei --format csv")]
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
    /// Only what expires before this instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_before: Option<Timestamp>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

const COLUMNS: [Column; 12] = [
    Column::new("account", "account"),
    Column::new("provider", ""),
    Column::new("id", "resource"),
    Column::new("attached_to", ""),
    Column::new("kind", "kind"),
    Column::new("stage", "stage"),
    Column::new("expires_at", "expires"),
    Column::new("on_expiry", "on expiry"),
    Column::number("price", "price"),
    Column::new("currency", ""),
    Column::new("next_wake_at", "next"),
    Column::sentence("problem", "problem"),
];

pub(super) fn resources(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { account, provider, kind, stage, expires_before, limit, list } = arguments;
    let db = ReadTx::open(&context.db)?;
    known::check_account(&db, account.as_deref())?;
    known::check_provider(context, &db, provider.as_deref())?;
    known::check_kind(context, &db, kind.as_deref())?;
    let filter = listing::Filter {
        account: account.clone(),
        provider: provider.clone(),
        kind: kind.clone(),
        stage: *stage,
        expires_before: *expires_before,
    };
    let zones = context.zones(list.zone.time_zone)?;
    let mut listed = listing::resources(&db, &filter, limit.saturating_add(1))?;
    list::cut_off(&mut listed, *limit);
    let rows = listed.iter().map(|resource| row(resource, &zones)).collect();
    let has_conditions = account.is_some()
        || provider.is_some()
        || kind.is_some()
        || stage.is_some()
        || expires_before.is_some();
    let nothing = list::nothing(
        has_conditions,
        "there are no resources yet; take some in with `perennial import FILE`",
    );
    context.write_list(&Listing { columns: &COLUMNS, rows }, list.format, nothing)
}

/// A row; a resource that is attached to another one stands below it, set in.
fn row(listed: &ListedResource, zones: &Zones) -> Row {
    let indent = if listed.attached_to.is_some() { "  " } else { "" };
    let price = listed.price.map_or(Value::None, |price| Value::Amount(price, Some(listed.currency.clone())));
    let (on_expiry, wake) = (Cell::new(listed.on_expiry.name()), Cell::new(listed.wake_at));
    let cells: [Cell; COLUMNS.len()] = [
        Cell::new(listed.account.as_str()),
        Cell::new(listed.provider.as_str()),
        Cell::new(listed.id.as_str()).shown(format!("{indent}{}", listed.id)),
        Cell::new(listed.attached_to.clone()),
        Cell::new(listed.kind.as_str()),
        Cell::new(listed.stage.name()).tone(Tone::for_stage(listed.stage)),
        Cell::new(listed.expires_at),
        if listed.expires_at.is_some() { on_expiry } else { on_expiry.shown("-") },
        Cell::new(price),
        Cell::new(listed.currency.as_str()),
        if listed.wake_at == Some(Schedule::AT_ONCE) { wake.shown("at once") } else { wake },
        Cell::new(listed.problem.clone()).or("").tone(Tone::Bad),
    ];
    Row { zone: zones.of(Some(&listed.provider)), cells: cells.into() }
}

fn stage(text: &str) -> Result<Stage, String> {
    let names = Stage::ALL.map(Stage::name).join(", ");
    let found = Stage::ALL.into_iter().find(|stage| stage.name() == text);
    found.ok_or_else(|| format!("there is no such stage; there are {names}"))
}
