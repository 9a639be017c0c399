//! `perennial resources`: lists resources and their stages.

use anyhow::Context as _;
use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use perennial_service::lookup;

use crate::cli::Context;
use crate::cli::choice::Choice;
use crate::cli::filter;
use crate::cli::input;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::list::Zones;
use crate::cli::named;
use crate::cli::on_host::resources as on_host;
use crate::cli::target::TargetArguments;
use crate::cli::validate;
use crate::client::Request;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Tone;
use perennial_service::lookup::ResolvedResource;
use perennial_store::ReadTx;
use perennial_store::bundles::Schedule;
use perennial_store::resource_query;
use perennial_store::resource_query::RenewalRisk;
use perennial_store::resource_query::ResourceFilter;
use perennial_store::resource_query::ResourcePage;

/// The stages that `--stage` takes.
const STAGE: Choice<Stage> = Choice { what: "stage", all: &Stage::ALL, name: Stage::name };

/// The risks that `--risk` takes.
const RISK: Choice<RenewalRisk> = Choice { what: "risk", all: &RenewalRisk::ALL, name: RenewalRisk::name };

/// Lists the resources of the database, also while `perennial run` works on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial resources
  perennial resources --account acme-hw --stage grace
  perennial resources --expires-before 2026-12-01 --time-zone Asia/Shanghai
  perennial resources --provider huawei --format csv
  perennial resources --account acme-hw --risk unprotected
  perennial resources --tag env=prod
  perennial resources --server http://127.0.0.1:8420 --token-file token")]
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
    #[arg(long, value_parser = STAGE)]
    stage: Option<Stage>,
    /// Only what will be lost: `unprotected` is what nothing renews, `orphaned` what expires before what it is attached to.
    #[arg(long, value_parser = RISK)]
    risk: Option<RenewalRisk>,
    /// Only with this tag: NAME, or NAME=VALUE.
    #[arg(long, value_name = "TAG", value_parser = filter::tag)]
    tag: Option<String>,
    /// Only what expires before this instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_before: Option<Timestamp>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    target: TargetArguments,
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
    let Arguments { account, provider, kind, stage, risk, tag, expires_before, limit, list, target } =
        arguments;
    if let Some(client) = context.host_client(target)? {
        let request = arguments.request();
        named::check_account(&client, account.as_deref())?;
        named::check_provider(&client, provider.as_deref())?;
        named::check_kind(&client, kind.as_deref())?;
        return on_host::list(context, &client, &request, *limit, list, arguments.nothing());
    }
    let db = ReadTx::open(&context.db)?;
    validate::check_account(&db, account.as_deref())?;
    validate::check_provider(context, &db, provider.as_deref())?;
    validate::check_kind(context, &db, kind.as_deref())?;
    let tag = tag
        .as_deref()
        .map(|tag| tag.split_once('=').map_or((tag, None), |(name, value)| (name, Some(value))));
    let filter = ResourceFilter {
        account: account.clone(),
        provider: provider.clone(),
        kinds: kind.iter().cloned().collect(),
        stages: (*stage).into_iter().collect(),
        risk: *risk,
        tag: tag.map(|(name, _)| name.to_owned()),
        tag_value: tag.and_then(|(_, value)| value).map(str::to_owned),
        expires_before: *expires_before,
        ..ResourceFilter::default()
    };
    let zones = context.zones(list.zone.time_zone)?;
    let page = ResourcePage::by_account(limit.saturating_add(1));
    let mut listed = Vec::new();
    for found in resource_query::find(&db, &filter, page)?.resources {
        let resource =
            lookup::find_resource(&db, &found.id)?.context("a resource vanished while it was read")?;
        let problem = lookup::plugin_problem(&db, &resource)?;
        listed.push((resource, problem));
    }
    list::cut_off(&mut listed, *limit);
    let rows = listed.iter().map(|resource| row(resource, &zones)).collect();
    context.write_list(&Listing { columns: &COLUMNS, rows }, list.format, arguments.nothing())
}

impl Arguments {
    /// What a running host is asked.
    fn request(&self) -> Request {
        Request::new("GET", "/v1/resources", &[])
            .to("list resources")
            .query("account", self.account.as_ref())
            .query("provider", self.provider.as_ref())
            .query("kind", self.kind.as_ref())
            .query("stage", self.stage.map(Stage::name))
            .query("risk", self.risk.map(RenewalRisk::name))
            .query("tag", self.tag.as_ref())
            .query("expires_before", self.expires_before)
    }

    /// What people read when there is none.
    fn nothing(&self) -> &'static str {
        let has_conditions = self.account.is_some()
            || self.provider.is_some()
            || self.kind.is_some()
            || self.stage.is_some()
            || self.risk.is_some()
            || self.tag.is_some()
            || self.expires_before.is_some();
        list::nothing(has_conditions, "there are no resources yet; take some in with `perennial import FILE`")
    }
}

/// A row; a resource that is attached to another one stands below it, set in. It comes with the last failure of its
/// plugin, until the plugin succeeds.
fn row((resolved, problem): &(ResolvedResource, Option<String>), zones: &Zones) -> Row {
    let (account, listed) = (&resolved.account.account, resolved.resource());
    let schedule = &resolved.stored.schedule;
    let primary = listed.attached_to.map(|primary| resolved.stored.bundle[primary].id.clone());
    let indent = if primary.is_some() { "  " } else { "" };
    let price =
        listed.price.map_or(Value::None, |price| Value::Amount(price, Some(account.currency.clone())));
    let (on_expiry, wake) = (Cell::new(listed.on_expiry.name()), Cell::new(schedule.known_wake()));
    let cells: [Cell; COLUMNS.len()] = [
        Cell::new(account.id.as_str()),
        Cell::new(account.provider.as_str()),
        Cell::new(listed.id.as_str()).shown(format!("{indent}{}", listed.id)),
        Cell::new(primary),
        Cell::new(listed.kind.as_str()),
        Cell::new(listed.stage.name()).tone(Tone::for_stage(listed.stage)),
        Cell::new(listed.expires_at),
        if listed.expires_at.is_some() { on_expiry } else { on_expiry.shown("-") },
        Cell::new(price),
        Cell::new(account.currency.as_str()),
        if schedule.wake_at == Some(Schedule::AT_ONCE) { wake.shown("at once") } else { wake },
        Cell::new(problem.clone()).or("").tone(Tone::Bad),
    ];
    Row { zone: zones.of(Some(&account.provider)), cells: cells.into() }
}
