//! `perennial forecast`: what the coming months cost, when money runs short, and the top-up that prevents it.

use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::input;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// Forecasts what the coming months cost, by playing them over a copy with the same plugins.
///
/// `--format csv` has a line for each account and month; `json` has every payment, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial forecast
  perennial forecast --account acme-hw --months 3
  perennial forecast --payments --format csv > payments.csv")]
pub(super) struct Arguments {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// For so many months, the present one being the first.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = input::whole::<u32>(1..=36))]
    months: u32,
    /// List every payment instead of months.
    #[arg(long)]
    payments: bool,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    target: TargetArguments,
}

const MONTHS: [Field; 7] = [
    Field::text("account", "account"),
    Field::text("month", "month"),
    Field::amount("cost", "cost", "/currency"),
    Field::amount("balance_left", "balance left", "/currency"),
    Field::text("currency", ""),
    Field::instant("short_at", "short of money"),
    Field::amount("top_up", "top-up needed", "/currency"),
];

const PAYMENTS: [Field; 7] = [
    Field::instant("at", "at"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("kind", "kind"),
    Field::amount("cost", "cost", "/currency"),
    Field::text("currency", ""),
    Field::instant("expires_at", "expires then"),
];

pub(super) fn forecast(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { account, months, payments, list, target } = arguments;
    let client = context.client(target)?;
    let request = Request::new("GET", "/v1/forecast", &[])
        .to("forecast")
        .query("months", Some(months))
        .query("account", account.as_ref());
    let mut forecast = client.send(&request)?.json()?;
    check_known(&forecast)?;
    if list.format == ListFormat::Json && !payments {
        let mut out = Output::standard();
        writeln!(out, "{forecast:#}")?;
        return Ok(out.finish()?);
    }
    // Rows of nothing would be taken for an answer.
    if let Some(accounts) = forecast["accounts"].as_array_mut() {
        accounts.retain(|account| account["problem"].is_null());
    }
    if let Some(omitted) = forecast["payments_omitted"].as_u64().filter(|omitted| *omitted > 0) {
        tracing::warn!("{omitted} payments are not listed one by one; every sum has them");
    }
    let (fields, rows): (&[Field], _) = if *payments {
        (&PAYMENTS, rows_of_payments(&forecast))
    } else {
        (&MONTHS, rows_of_months(&forecast))
    };
    context.write_items(&client, fields, &rows, list, "nothing will be paid")
}

/// Warns of every account that cannot be forecast. Where none can, there is no forecast.
fn check_known(forecast: &Value) -> anyhow::Result<()> {
    let problems = accounts(forecast).filter_map(|account| account["problem"].as_str()).collect::<Vec<_>>();
    if !problems.is_empty() && problems.len() == accounts(forecast).count() {
        anyhow::bail!("there is no forecast: {}", problems.join("\n"));
    }
    problems.iter().for_each(|problem| tracing::warn!("{problem}"));
    Ok(())
}

fn accounts(forecast: &Value) -> impl Iterator<Item = &Value> {
    forecast["accounts"].as_array().into_iter().flatten()
}

fn months(account: &Value) -> impl Iterator<Item = &Value> {
    account["months"].as_array().into_iter().flatten()
}

/// A line for each account and month. Where the money runs short is said in the first month of each account.
fn rows_of_months(forecast: &Value) -> Vec<Value> {
    let of_account = |account: &Value| {
        let shortfall = account["shortfall"].clone();
        let row = |(number, month): (usize, &Value)| {
            let mut row = month.clone();
            (row["account"], row["currency"]) = (account["account"].clone(), account["currency"].clone());
            row["payments"] = json!(null);
            if number == 0 {
                (row["short_at"], row["top_up"]) = (shortfall["at"].clone(), shortfall["total"].clone());
            }
            row
        };
        months(account).enumerate().map(row).collect::<Vec<_>>()
    };
    accounts(forecast).flat_map(of_account).collect()
}

fn rows_of_payments(forecast: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    for account in accounts(forecast) {
        for payment in months(account).flat_map(|month| month["payments"].as_array().into_iter().flatten()) {
            let mut row = payment.clone();
            (row["account"], row["currency"]) = (account["account"].clone(), account["currency"].clone());
            rows.push(row);
        }
    }
    rows
}
