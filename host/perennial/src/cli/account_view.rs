//! What is shown of an account, and what became of it.

use std::io::Write;

use serde_json::Map;
use serde_json::Value;

use crate::cli::Context;
use crate::cli::event_lines;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::client::Response;
use crate::report::listing::ListFormat;
use perennial_formats::dates;

/// How many digits of a digest are shown.
const DIGEST_SHOWN: usize = 12;

/// The fields of an account.
pub(super) const ACCOUNT: [Field; 13] = [
    Field::text("id", "account"),
    Field::text("provider", "provider"),
    Field::text("mode", "mode"),
    Field::amount("balance", "balance", "/currency").or("unknown"),
    Field::amount("held", "held", "/currency"),
    Field::text("currency", ""),
    Field::amount("approval_above", "approval above", "/currency"),
    Field::worded("limit_raise", "limit raise", limit_raise_text),
    Field::amount("budget", "budget", "/currency"),
    Field::amount("budget_spent", "budget spent", "/currency"),
    Field::amount("budget_left", "budget left", "/currency"),
    Field::json("settings", "settings"),
    Field::worded("revision", "decided by", revision_text).or("no plugin is loaded"),
];

/// The fields of an account among many: people read there who has how much, and programs everything.
pub(super) const LISTED: [Field; ACCOUNT.len()] = {
    let mut fields = ACCOUNT;
    fields[ACCOUNT.len() - 1] = Field::worded("revision", "", revision_text);
    fields
};

/// The revision of a plugin that decides for an account, and why it does.
fn revision_text(revision: &Value) -> String {
    let unusable = match revision["is_usable"].as_bool() {
        Some(false) => "; it cannot be loaded, so nothing is decided: bind another one",
        Some(true) | None => "",
    };
    let shadow = Some(&revision["shadow"]).filter(|shadow| !shadow.is_null());
    let shadow =
        shadow.map(|shadow| format!("; {} is asked beside it in shadow", asked_revision_text(shadow)));
    let shadow = shadow.unwrap_or_default();
    format!("{}{unusable}{shadow}", asked_revision_text(revision))
}

/// A revision, such as `Huawei Cloud 1.2.0, revision 0123456789ab (bound to the pattern acme-*)`.
fn asked_revision_text(revision: &Value) -> String {
    let text = |field: &str| revision[field].as_str();
    let name = [text("name"), text("version")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { name } else { format!("{name}, ") };
    let digest = text("digest").unwrap_or_default();
    let digest = digest.get(..DIGEST_SHOWN).unwrap_or(digest);
    let bound = text("accounts").map(|accounts| format!(" {accounts}")).unwrap_or_default();
    let why = match text("reason").unwrap_or_default() {
        "bundled" => "part of the program".to_owned(),
        "loaded" => "loaded from a file".to_owned(),
        "all_accounts" => "bound to all accounts".to_owned(),
        "pattern" => format!("bound to the pattern{bound}"),
        _ => "bound to this account".to_owned(),
    };
    format!("{name}revision {digest} ({why})")
}

/// A raise of a limit that waits for a second person.
pub(super) fn limit_raise_text(raise: &Value) -> String {
    let limit = match items::amount(&raise["approval_above"]) {
        Some(limit) => format!("to {}", dates::amount(limit)),
        None => "to no limit".to_owned(),
    };
    let by = raise["requested_by"].as_str().unwrap_or("somebody");
    format!("{limit}, which {by} requested, waits for a second person")
}

/// What a change of an account would change, a line each.
pub(super) fn differences(account: &Value, change: &Map<String, Value>) -> Vec<String> {
    let said = |value: &Value, none: &'static str| value.as_str().map_or(none.to_owned(), str::to_owned);
    let line = |name: &str, before: &Value, after: &Value, none| {
        format!("{name}: from {} to {}", said(before, none), said(after, none))
    };
    // Amounts are the same however many decimals they are written with; settings are texts.
    let limits = ["approval_above", "budget"].into_iter();
    let limits = limits.filter_map(|name| Some((name, &account[name], change.get(name)?)));
    let limits = limits.filter(|(_, before, after)| items::amount(before) != items::amount(after));
    let limits = limits.map(|(name, before, after)| line(name, before, after, "none"));
    let settings = change.get("settings").and_then(Value::as_object).into_iter().flatten();
    let settings = settings.map(|(name, after)| (name, &account["settings"][name], after));
    let settings = settings.filter(|(_, before, after)| before != after);
    let settings = settings.map(|(name, before, after)| line(name, before, after, "its default"));
    limits.chain(settings).collect()
}

pub(super) fn get(client: &Client, id: &str) -> anyhow::Result<Value> {
    get_to(client, id, &format!("show the account `{id}`"))
}

/// The same, as a part of what messages call `what`.
pub(super) fn get_to(client: &Client, id: &str, what: &str) -> anyhow::Result<Value> {
    client.send(&Request::new("GET", "/v1/accounts/{id}", &[id]).to(what))?.json()
}

/// What became of an account: its events and, for programs, the whole answer.
pub(super) fn tell(
    context: &Context,
    client: &Client,
    response: &Response,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let changed = response.json()?;
    let account = &changed["account"];
    if list.format != ListFormat::Table {
        return context.write_item(client, &ACCOUNT, account, list);
    }
    let zone = context.item_zones(client, list.zone.time_zone)?.of(account);
    let mut out = Output::standard();
    let currency = account["currency"].as_str().unwrap_or_default();
    for event in changed["events"].as_array().into_iter().flatten() {
        event_lines::write(event, currency, zone, context.stdout_style(), &mut out)?;
    }
    if changed["events"].as_array().is_none_or(Vec::is_empty) {
        match &account["limit_raise"] {
            raise if response.is_accepted() && !raise.is_null() => {
                writeln!(out, "nothing has changed yet: a limit raise {}", limit_raise_text(raise))?;
            }
            _ => writeln!(out, "nothing has changed")?,
        }
    }
    Ok(out.finish()?)
}
