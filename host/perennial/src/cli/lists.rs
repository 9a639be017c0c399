//! Lists that are only looked at: `perennial orders`, `attempts`, `prices` and `audit`.

use perennial_domain::order::OrderState;

use crate::cli::Context;
use crate::cli::choice::Choice;
use crate::cli::filter::Filter;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::resource::ORDERS;
use crate::cli::target::TargetArguments;
use crate::client::Request;

/// The states of an order.
const STATE: Choice<OrderState> = Choice { what: "state", all: &OrderState::ALL, name: OrderState::name };

/// How many of a list, and how.
#[derive(Debug, clap::Args)]
struct ListPage {
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    target: TargetArguments,
}

impl ListPage {
    fn write(
        &self,
        context: &Context,
        (request, account, resource): (&Request, Option<&str>, Option<&str>),
        fields: &[Field],
        nothing: &str,
    ) -> anyhow::Result<()> {
        let client = context.client(&self.target)?;
        named::check_account(&client, account)?;
        named::check_resource(&client, resource)?;
        let found = items::pages(&client, request, self.limit)?;
        context.write_items(&client, fields, &found, &self.list, nothing)
    }
}

/// Lists drift: what providers say of connected accounts that differed from what was known here, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial drift
  perennial drift --format csv")]
pub(super) struct Drift {
    #[command(flatten)]
    page: ListPage,
}

const DRIFT: [Field; 6] = [
    Field::instant("found_at", "found"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("kind", "kind"),
    Field::text("here", "known here"),
    Field::text("there", "the provider says"),
];

pub(super) fn drift(context: &Context, drift: &Drift) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/drift", &[]).to("list drift");
    drift.page.write(
        context,
        (&request, None, None),
        &DRIFT,
        "nothing differs from what was known; `perennial sync` looks again",
    )
}

/// Lists orders: what was bought, what it cost, and what still waits to be paid.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial orders --state unpaid
  perennial orders --account acme-hw --format csv")]
pub(super) struct Orders {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Only the order with this id.
    #[arg(long, value_name = "ORDER")]
    id: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = STATE)]
    state: Option<OrderState>,
    #[command(flatten)]
    listed: ListPage,
}

pub(super) fn orders(context: &Context, arguments: &Orders) -> anyhow::Result<()> {
    let Orders { account, resource, id, state, listed } = arguments;
    let request = Request::new("GET", "/v1/orders", &[])
        .to("list orders")
        .query("account", account.as_ref())
        .query("resource", resource.as_ref())
        .query("id", id.as_ref())
        .query("state", state.map(OrderState::name));
    let has_conditions = account.is_some() || resource.is_some() || id.is_some() || state.is_some();
    listed.write(
        context,
        (&request, account.as_deref(), resource.as_deref()),
        &ORDERS,
        list::nothing(has_conditions, "nothing was bought yet"),
    )
}

/// Lists attempts: the renewals that were tried, and what became of each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial attempts --resource ecs-1
  perennial attempts --account acme-hw --format csv")]
pub(super) struct Attempts {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    #[command(flatten)]
    listed: ListPage,
}

const ATTEMPTS: [Field; 9] = [
    Field::text("id", "attempt"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("state", "state"),
    Field::text("class", "class"),
    Field::number("tries", "tries"),
    Field::term("term", "term"),
    Field::instant("expires_before", "expires"),
    Field::instant("at", "at"),
];

pub(super) fn attempts(context: &Context, arguments: &Attempts) -> anyhow::Result<()> {
    let Attempts { account, resource, listed } = arguments;
    let request = Request::new("GET", "/v1/attempts", &[])
        .to("list attempts")
        .query("account", account.as_ref())
        .query("resource", resource.as_ref());
    let has_conditions = account.is_some() || resource.is_some();
    listed.write(
        context,
        (&request, account.as_deref(), resource.as_deref()),
        &ATTEMPTS,
        list::nothing(has_conditions, "no renewal was tried yet"),
    )
}

/// Lists prices: what each resource costs, and what its next renewal will.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial prices --account acme-hw
  perennial prices --tag env=prod --format csv")]
pub(super) struct Prices {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    listed: ListPage,
}

const PRICES: [Field; 10] = [
    Field::text("account", "account"),
    Field::text("provider", ""),
    Field::text("resource", "resource"),
    Field::text("kind", "kind"),
    Field::text("region", "region"),
    Field::term("term", "term"),
    Field::amount("price", "price", "/currency"),
    Field::text("currency", ""),
    Field::term("renewal_term", "renewal"),
    Field::amount("renewal_cost", "renewal cost", "/currency"),
];

pub(super) fn prices(context: &Context, arguments: &Prices) -> anyhow::Result<()> {
    let Prices { filter, listed } = arguments;
    let request = filter.of(Request::new("GET", "/v1/prices", &[]).to("list prices"));
    let nothing = list::nothing(!filter.is_empty(), "there are no resources yet");
    let client = context.client(&listed.target)?;
    filter.check(&client)?;
    let found = items::pages(&client, &request, listed.limit)?;
    context.write_items(&client, &PRICES, &found, &listed.list, nothing)
}

/// Counts what expires on each day, and what one term of it costs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial expiries --expires-before 2026-03-01
  perennial expiries --account acme-hw --format csv")]
pub(super) struct Expiries {
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    list: ListArguments,
}

const EXPIRIES: [Field; 4] = [
    Field::day("day", "day (UTC)"),
    Field::number("resources", "resources"),
    Field::amount("price", "price", "/currency"),
    Field::text("currency", ""),
];

pub(super) fn expiries(context: &Context, arguments: &Expiries) -> anyhow::Result<()> {
    let Expiries { target, filter, list } = arguments;
    let client = context.client(target)?;
    filter.check(&client)?;
    let request = filter.of(Request::new("GET", "/v1/expiries", &[]).to("count what expires"));
    let found = items::whole(&client, &request)?;
    context.write_items(
        &client,
        &EXPIRIES,
        &found,
        list,
        list::nothing(!filter.is_empty(), "nothing expires"),
    )
}

/// Lists the audit log: who did what and why, and what became of it; newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial audit
  perennial audit --limit 20 --format json")]
pub(super) struct Audit {
    #[command(flatten)]
    listed: ListPage,
}

const RECORDS: [Field; 11] = [
    Field::instant("at", "at"),
    Field::text("name", "name"),
    Field::text("token", "token"),
    Field::text("operation", "what"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("revision", ""),
    Field::text("outcome", "outcome"),
    Field::number("status", ""),
    Field::text("request", ""),
    Field::sentence("reason", "reason"),
];

pub(super) fn audit(context: &Context, arguments: &Audit) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/audit", &[]).to("read the audit log");
    arguments.listed.write(context, (&request, None, None), &RECORDS, "nobody has changed anything yet")
}
