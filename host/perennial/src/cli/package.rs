//! `perennial package`: resource packages, and the use that they cover.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use crate::cli::Context;
use crate::cli::act::ActArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::event_lines;
use crate::cli::events;
use crate::cli::filter::Filter;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::on_host::events as on_host;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// Lists packages, and writes down what was used of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial package list --account acme-hw
  perennial package use acme-hw cci 8.5 --idempotency-key 2026-01-12")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists packages, and what is left of each.
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
        limit: u32,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Writes down what an account used, which its packages cover in the provider's order.
    Use {
        /// The ID of the account.
        account: String,
        /// What was used, such as `cci`.
        resource_type: String,
        /// How much of it was used.
        #[arg(value_parser = input::amount_above_zero)]
        amount: String,
        #[command(flatten)]
        act: ActArguments,
        #[command(flatten)]
        list: ListArguments,
    },
}

const PACKAGE: [Field; 11] = [
    Field::text("account", "account"),
    Field::text("provider", ""),
    Field::text("id", "package"),
    Field::text("stage", "stage"),
    Field::text("resource_type", "covers").at("/package/resource_type"),
    Field::number("left", "left").at("/package/left"),
    Field::number("quota", "of").at("/package/quota"),
    Field::text("unit", "unit").at("/package/unit"),
    Field::instant("expires_at", "expires"),
    Field::amount("price", "price", "/currency"),
    Field::text("currency", ""),
];

const USE: [Field; 3] = [
    Field::text("account", "account"),
    Field::text("resource_type", "used"),
    Field::number("amount", "amount"),
];

pub(super) fn package(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List { filter, limit, list } => {
            let request = filter.of(Request::new("GET", "/v1/packages", &[]).to("list packages"));
            filter.check(&client)?;
            let found = items::pages(&client, &request, *limit)?;
            let nothing = list::nothing(!filter.is_empty(), "there are no packages yet");
            context.write_items(&client, &PACKAGE, &found, list, nothing)
        }
        Action::Use { account, resource_type, amount, act, list } => {
            let what = format!("write down what `{account}` used");
            if act.dry_run {
                let request = Request::new("GET", "/v1/accounts/{id}", &[account]).to(&what);
                let known = client.send(&request)?.json()?;
                let report =
                    json!({ "account": known["id"], "resource_type": resource_type, "amount": amount });
                context.write_item(&client, &USE, &report, list)?;
                return Err(WouldChange::with(list.format).into());
            }
            let request = Request::new("POST", "/v1/accounts/{id}:use", &[account])
                .to(&what)
                .body(json!({ "resource_type": resource_type, "amount": amount }))
                .once(&act.key()?)
                .reason(act.reason.as_deref());
            let result = client.send(&request)?.json()?;
            if list.format == ListFormat::Csv {
                let recorded = result["events"].as_array().map_or(&[][..], Vec::as_slice);
                let how = (&events::COLUMNS[..], list.format, list.zone.time_zone);
                return on_host::write(context, &client, how, recorded, false);
            }
            let mut out = Output::standard();
            if list.format == ListFormat::Json {
                writeln!(out, "{result:#}")?;
                return Ok(out.finish()?);
            }
            let zones = context.item_zones(&client, list.zone.time_zone)?;
            for event in result["events"].as_array().into_iter().flatten() {
                event_lines::write(event, "", zones.of(event), context.stdout_style(), &mut out)?;
            }
            Ok(out.finish()?)
        }
    }
}
