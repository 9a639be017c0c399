//! `perennial plugin backtest REVISION --server URL`: the same on a running host, of a revision that is installed there.

use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::compare;
use crate::cli::compare::Sides;
use crate::cli::items::Field;
use crate::cli::plugin::backtest::Arguments;
use crate::cli::plugin::revisions::resolve;
use crate::client::Client;
use crate::client::Request;
use perennial_formats::dates;

const TOTALS: [Field; 5] = [
    Field::text("kind", "difference"),
    Field::number("questions", "plans"),
    Field::amount("followed_cost", "done", "/currency"),
    Field::amount("cost", "would be", "/currency"),
    Field::text("currency", "currency"),
];

const PLANS: [Field; 9] = [
    Field::instant("at", "at"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("command", "command"),
    Field::text("kind", "difference"),
    Field::amount("followed_cost", "done", "/currency"),
    Field::amount("cost", "would be", "/currency"),
    Field::sentence("followed_answer", "answer followed"),
    Field::sentence("answer", "answer of the other"),
];

/// Lists what the revision would have planned otherwise, or what comes otherwise with it.
pub(super) fn backtest(context: &Context, client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let named = arguments.plugin.path.display().to_string();
    if let Some(argument) = arguments.of_database() {
        let message = format!(
            "`{argument}` is for the database of this machine: a running host is asked of all accounts, as they are there"
        );
        return Err(UserError::Argument(message).into());
    }
    let revision = resolve(client, &named)?;
    let until = arguments.ahead.until;
    let body = json!({
        "revision": revision,
        "since": arguments.since.map(|since| since.to_string()),
        "until": until.map(|until| until.to_string()),
    });
    let request = Request::new("POST", "/v1/plugins/revisions:backtest", &[])
        .to(format!("try revision {} of a plugin", &revision[..12]))
        .body(body)
        .look();
    let answer = client.send(&request)?.json()?;
    let list = |field: &str| answer[field].as_array().cloned().unwrap_or_default();
    if until.is_some() {
        let nothing = "nothing: the same is renewed and paid with both";
        let zones = context.item_zones(client, arguments.list.zone.time_zone)?;
        let found = compare::of_host(Sides::Revisions, &answer, &zones);
        context.write_list(&found, arguments.list.format, nothing)?;
        let failing = answer["failing_bundles"].as_u64().unwrap_or(0);
        anyhow::ensure!(
            failing == 0,
            "revision {} gave no usable answer about {}, which kept their state meanwhile, so this says too little; the log of the host \
             says what went wrong",
            &revision[..12],
            dates::counted(usize::try_from(failing).unwrap_or(usize::MAX), "bundle")
        );
        return Ok(());
    }
    if answer["skipped"] != 0 {
        tracing::warn!(plans = %answer["skipped"], "plans of another contract, or damaged ones, were not asked about");
    }
    let nothing = format!("of {} plans none would have been another", answer["asked"]);
    let (fields, found): (&[Field], _) =
        if arguments.each { (&PLANS, list("plans")) } else { (&TOTALS, list("totals")) };
    context.write_items(client, fields, &found, &arguments.list, &nothing)
}
