//! `perennial account connect` and its kin: accounts that their provider keeps. A secret never comes from an argument.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::io::Write;
use std::path::PathBuf;

use clap::ValueHint;
use console::Term;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::EndArguments;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::config::PROVIDER_SECRET_VARIABLE;
use crate::report::listing::ListFormat;
use perennial_formats::dates;

/// The key of a connection. The secret is asked for at the terminal unless it is said where it is.
#[derive(Debug, clap::Args)]
pub(super) struct KeyArguments {
    /// The access key, by which requests call the secret.
    #[arg(long, value_name = "KEY")]
    access_key: String,
    /// The file with the secret, `-` being the standard input; it is read now and kept sealed. Or in the environment,
    /// PERENNIAL_PROVIDER_SECRET.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "secret_from")]
    secret_file: Option<PathBuf>,
    /// Where the host finds the secret whenever it needs it: `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENTS`.
    #[arg(long, value_name = "WHERE")]
    secret_from: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Connect {
    /// What the account is called here.
    id: String,
    /// The ID of its provider.
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Its currency, such as CNY; left out, the one that the provider says.
    #[arg(long)]
    currency: Option<String>,
    #[command(flatten)]
    key: KeyArguments,
    /// A URL to call instead of the provider's own hosts.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    endpoint: Option<String>,
    /// A read to grant, by its name; may be given again. Left out, all of them.
    #[arg(long = "read", value_name = "NAME")]
    reads: Vec<String>,
    /// A setting of the provider's rules; may be given again.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = input::pair)]
    settings: Vec<(String, String)>,
    #[command(flatten)]
    end: EndArguments,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    /// The ID of the account.
    id: String,
    #[command(flatten)]
    key: KeyArguments,
    #[command(flatten)]
    end: EndArguments,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
pub(super) struct Grant {
    /// The ID of the account.
    id: String,
    /// A read that is granted, by its name; may be given again. Those that are not named are not granted any more.
    #[arg(long = "read", value_name = "NAME", required = true)]
    reads: Vec<String>,
    #[command(flatten)]
    end: EndArguments,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) const CONNECTION: [Field; 13] = [
    Field::text("account", "account"),
    Field::text("driver", "driver"),
    Field::text("access_key", "access key"),
    Field::text("secret_source", "secret"),
    Field::text("endpoint", "endpoint"),
    Field::text("state", "sync").at("/sync/state"),
    Field::sentence("problem", "problem").at("/sync/problem"),
    Field::number("resources", "resources").at("/summary/resources"),
    Field::number("unprotected", "unprotected").at("/summary/unprotected"),
    Field::text("spending_per_hour", "spending per hour"),
    Field::instant("paused_at", "paused"),
    Field::instant("all_paused_at", "all paused"),
    Field::instant("created_at", "connected"),
];

/// Lists connected accounts.
pub(super) fn list(context: &Context, client: &Client, arguments: &ListArguments) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/connections", &[]).to("list connected accounts");
    let found = items::whole(client, &request)?;
    let nothing = "no account is connected yet; connect one with `perennial account connect`";
    context.write_items(client, &CONNECTION, &found, arguments, nothing)
}

/// A connected account, whole.
pub(super) fn get(client: &Client, id: &str) -> anyhow::Result<Value> {
    let request =
        Request::new("GET", "/v1/connections/{id}", &[id]).to(format!("show the connection `{id}`"));
    client.send(&request)?.json()
}

/// Shows a connected account.
pub(super) fn show(
    context: &Context,
    client: &Client,
    id: &str,
    arguments: &ListArguments,
) -> anyhow::Result<()> {
    context.write_item(client, &CONNECTION, &get(client, id)?, arguments)
}

/// Connects an account: shows what may be read, has it granted, proves the key, and says what comes next.
pub(super) fn connect(context: &Context, client: &Client, connect: &Connect) -> anyhow::Result<()> {
    let reads = reads_of(client, &connect.provider)?;
    let granted = reads.iter().filter(|read| {
        connect.reads.is_empty() || connect.reads.iter().any(|name| read["name"] == name.as_str())
    });
    let granted = granted.collect::<Vec<_>>();
    if let Some(unknown) =
        connect.reads.iter().find(|name| !reads.iter().any(|read| read["name"] == name.as_str()))
    {
        let known = reads.iter().filter_map(|read| read["name"].as_str()).collect::<Vec<_>>().join(", ");
        return Err(UserError::Argument(format!("there is no read `{unknown}`; there are {known}")).into());
    }
    let question = "Grant these reads? Nothing else leaves this host for the account.";
    if !connect.end.agree(&reads_to_grant(&granted), question)? {
        return Ok(());
    }
    let names = granted.iter().map(|read| read["name"].clone()).collect::<Vec<_>>();
    let mut body = key_body(&connect.key)?;
    body.insert("account".to_owned(), json!(connect.id));
    body.insert("provider".to_owned(), json!(connect.provider));
    body.insert("grants".to_owned(), names.into());
    for (name, value) in [("currency", &connect.currency), ("endpoint", &connect.endpoint)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    let settings = connect.settings.iter().map(|(name, value)| (name.clone(), json!(value)));
    body.insert("settings".to_owned(), settings.collect::<Map<_, _>>().into());
    let request = Request::new("POST", "/v1/connections", &[])
        .to(format!("connect the account `{}`", connect.id))
        .body(body.into());
    let made = client.send(&request)?.json()?;
    context.write_item(client, &CONNECTION, &made, &connect.list)?;
    if connect.list.format == ListFormat::Table {
        let mutations = made["mutations"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mutations = mutations.collect::<Vec<_>>().join(", ");
        tracing::warn!(
            "the key may read; whether it may change anything ({mutations}) is unknown until that is first used. A key that \
             may only read is safer. Next: `perennial sync {}`",
            connect.id
        );
    }
    Ok(())
}

/// The reads that a provider's plugin names.
fn reads_of(client: &Client, provider: &str) -> anyhow::Result<Vec<Value>> {
    let plugins = items::whole(client, &Request::new("GET", "/v1/plugins", &[]).to("list plugins"))?;
    let found = plugins.iter().find(|plugin| plugin["id"] == provider);
    match found.and_then(|plugin| plugin["connector_reads"].as_array()) {
        Some(reads) if !reads.is_empty() => Ok(reads.clone()),
        Some(_) | None => {
            let message = format!("no plugin `{provider}` is loaded that calls its provider's API");
            Err(UserError::Argument(message).into())
        }
    }
}

/// What is to be granted, a line each.
fn reads_to_grant(reads: &[&Value]) -> Vec<String> {
    let lead = "The account is only watched. These calls read it, and change nothing:".to_owned();
    let line = |read: &&Value| {
        let text = |name: &str| read[name].as_str().unwrap_or_default().to_owned();
        format!("  {:<16} {} {}: {}", text("name"), text("method"), text("path"), text("label"))
    };
    std::iter::once(lead).chain(reads.iter().map(line)).collect()
}

/// Replaces the key of a connection.
pub(super) fn rotate(context: &Context, client: &Client, rotate: &Rotate) -> anyhow::Result<()> {
    let what = format!("replace the key of `{}`", rotate.id);
    let look = Request::new("GET", "/v1/connections/{id}", &[&rotate.id]).to(&what);
    let before = client.send(&look)?.json()?;
    // Another secret of the same access key is a change, too, which nobody can see.
    let line = format!(
        "key of `{}`: from {} to {}, once that is proven by a harmless call",
        rotate.id,
        before["access_key"].as_str().unwrap_or_default(),
        rotate.key.access_key
    );
    if !rotate.end.agree(&[line], "Replace it?")? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/connections/{id}:rotate", &[&rotate.id])
        .to(what)
        .body(key_body(&rotate.key)?.into());
    let changed = client.send(&request)?.json()?;
    context.write_item(client, &CONNECTION, &changed, &rotate.list)
}

/// Grants reads of a connection.
pub(super) fn grant(context: &Context, client: &Client, grant: &Grant) -> anyhow::Result<()> {
    let what = format!("grant reads of `{}`", grant.id);
    let look = Request::new("GET", "/v1/connections/{id}", &[&grant.id]).to(&what);
    let lines = grant_changes(&client.send(&look)?.json()?["reads"], &grant.reads);
    if !grant.end.agree(&lines, "Grant exactly these reads?")? {
        return Ok(());
    }
    let request = Request::new("POST", "/v1/connections/{id}:grant", &[&grant.id])
        .to(what)
        .body(json!({ "reads": grant.reads }));
    let changed = client.send(&request)?.json()?;
    context.write_item(client, &CONNECTION, &changed, &grant.list)
}

/// What granting exactly `reads` would change of the reads of a connection, a line each.
fn grant_changes(known: &Value, reads: &[String]) -> Vec<String> {
    let known = known.as_array().into_iter().flatten();
    let known = known.filter_map(|read| Some((read["name"].as_str()?, read["granted"] == true)));
    let known = known.collect::<BTreeMap<_, _>>();
    let wanted = reads.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let added = wanted.iter().filter(|name| known.get(**name) != Some(&true));
    let added = added.map(|name| format!("read {name}: would be granted"));
    let ended = known.iter().filter(|(name, is_granted)| **is_granted && !wanted.contains(**name));
    added.chain(ended.map(|(name, _)| format!("read {name}: would not be granted any more"))).collect()
}

/// The fields of a body that say which key, and its secret or where that is.
fn key_body(key: &KeyArguments) -> anyhow::Result<Map<String, Value>> {
    let mut body = Map::new();
    body.insert("access_key".to_owned(), json!(key.access_key));
    let (name, value) = match (&key.secret_from, &key.secret_file) {
        (Some(location), _) => ("secret_from", location.clone()),
        (None, Some(file)) => ("secret", input::read(file)?.trim().to_owned()),
        (None, None) => ("secret", asked_secret()?),
    };
    body.insert(name.to_owned(), json!(value));
    Ok(body)
}

/// The secret of the environment, or the one that is typed without being shown.
fn asked_secret() -> anyhow::Result<String> {
    if let Ok(secret) = std::env::var(PROVIDER_SECRET_VARIABLE) {
        return Ok(secret);
    }
    if !std::io::stdin().is_terminal() {
        let message = format!(
            "nobody can be asked for the secret here; name its file with `--secret-file`, put it into `{PROVIDER_SECRET_VARIABLE}`, or \
             say where the host finds it with `--secret-from`"
        );
        return Err(UserError::Argument(message).into());
    }
    write!(std::io::stderr(), "Secret of the access key (it is not shown): ")?;
    Ok(Term::stderr().read_secure_line()?)
}

/// Writes what a connected account has, and what will become of it: for people, or as JSON.
pub(super) fn write_summary(client: &Client, connection: &Value, format: ListFormat) -> anyhow::Result<()> {
    let mut out = Output::standard();
    if format == ListFormat::Json {
        writeln!(out, "{connection:#}")?;
        return Ok(out.finish()?);
    }
    let summary = &connection["summary"];
    let count = |name: &str| summary[name].as_u64().unwrap_or_default();
    let account = connection["account"].as_str().unwrap_or_default();
    writeln!(
        out,
        "{account}: {}, of which {} renew automatically, {} will lapse, and {} expire before what they are attached to",
        dates::counted(usize::try_from(count("resources"))?, "resource"),
        count("renewing"),
        count("unprotected"),
        count("orphans")
    )?;
    for lapsing in summary["lapsing"].as_array().into_iter().flatten().take(10) {
        let text = |name: &str| lapsing[name].as_str().unwrap_or("-").to_owned();
        writeln!(
            out,
            "  {} {} {}: {}",
            text("expires_at"),
            text("kind"),
            text("resource"),
            text("on_expiry")
        )?;
    }
    let unknown = connection["sync"]["unknown"].as_array().map_or(0, Vec::len);
    if unknown > 0 {
        writeln!(out, "{unknown} more are of kinds that the rules do not know; `--format json` lists them")?;
    }
    let request = Request::new("GET", "/v1/forecast", &[]).to(format!("forecast `{account}`"));
    let forecast =
        client.send(&request.query("account", Some(account)).query("months", Some("12")))?.json()?;
    let forecast = &forecast["accounts"][0];
    let months = forecast["months"].as_array().into_iter().flatten();
    let cost =
        months.filter_map(|month| items::amount(&month["cost"])).sum::<perennial_domain::micros::Micros>();
    let currency = forecast["currency"].as_str().unwrap_or_default();
    let without = count("without_price");
    let unpriced = match without {
        0 => String::new(),
        without => format!(", without {without} whose price nobody knows"),
    };
    writeln!(out, "twelve months of automatic renewals cost {cost} {currency}{unpriced}")?;
    Ok(out.finish()?)
}
