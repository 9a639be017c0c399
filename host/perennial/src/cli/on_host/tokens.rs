//! Tokens of a running host.

use std::collections::BTreeSet;

use perennial_domain::timestamp::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::EndArguments;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

const TOKEN: [Field; 11] = [
    Field::text("id", "id"),
    Field::text("role", "role"),
    Field::texts("accounts", "accounts").or("all"),
    Field::instant("expires_at", "expires").or("never"),
    Field::instant("revoked_at", "revoked"),
    Field::instant("last_used_at", "last used").or("never"),
    Field::instant("created_at", ""),
    Field::text("created_by", ""),
    Field::text("owner", ""),
    Field::texts("approves", ""),
    Field::sentence("name", "name"),
];

pub(in crate::cli) fn list(
    context: &Context,
    client: &Client,
    list: &ListArguments,
    nothing: &str,
) -> anyhow::Result<()> {
    let tokens = items::whole(client, &Request::new("GET", "/v1/tokens", &[]).to("list tokens"))?;
    context.write_items(client, &TOKEN, &tokens, list, nothing)
}

/// What a token is made with.
pub(in crate::cli) struct NewToken<'a> {
    pub(in crate::cli) name: &'a str,
    pub(in crate::cli) role: &'static str,
    pub(in crate::cli) accounts: &'a [String],
    pub(in crate::cli) expires_at: Option<Timestamp>,
    pub(in crate::cli) approves: &'a [String],
}

pub(in crate::cli) fn create(client: &Client, new: &NewToken<'_>) -> anyhow::Result<()> {
    let mut body =
        Map::from_iter([("name".to_owned(), json!(new.name)), ("role".to_owned(), json!(new.role))]);
    for (field, values) in [("accounts", new.accounts), ("approves", new.approves)] {
        if !values.is_empty() {
            body.insert(field.to_owned(), json!(values));
        }
    }
    if let Some(expires_at) = new.expires_at {
        body.insert("expires_at".to_owned(), json!(expires_at.to_string()));
    }
    let request = Request::new("POST", "/v1/tokens", &[]).to("make a token").body(body.into());
    secret::show(client, &request, ListFormat::Table, |made| {
        Unshown::End(revocation(made["token"]["id"].as_str().unwrap_or_default(), false), String::new())
    })
}

/// The tokens that would end with one, a line each: it, and with `cascade` those that it made, those that they made, and so on.
fn ending(all: &[Value], id: &str, cascade: bool) -> Vec<String> {
    let text = |token: &Value, name: &str| token[name].as_str().unwrap_or_default().to_owned();
    let mut ids = BTreeSet::from([id.to_owned()]);
    loop {
        let made = all
            .iter()
            .filter(|token| cascade && ids.contains(&text(token, "created_by")))
            .map(|token| text(token, "id"));
        let made = made.filter(|made| !ids.contains(made)).collect::<Vec<_>>();
        if made.is_empty() {
            break;
        }
        ids.extend(made);
    }
    let ended = all.iter().filter(|token| ids.contains(&text(token, "id")) && token["revoked_at"].is_null());
    let line = |token: &Value| {
        format!(
            "token {}, {}, {}: would be revoked",
            text(token, "id"),
            text(token, "name"),
            text(token, "role")
        )
    };
    ended.map(line).collect()
}

fn revocation(id: &str, cascade: bool) -> Request {
    let request =
        Request::new("POST", "/v1/tokens/{id}:revoke", &[id]).to(format!("revoke the token `{id}`"));
    request.body(json!({ "cascade": cascade }))
}

pub(in crate::cli) fn revoke(
    client: &Client,
    id: &str,
    cascade: bool,
    end: EndArguments,
) -> anyhow::Result<()> {
    let all = items::whole(client, &Request::new("GET", "/v1/tokens", &[]).to("list tokens"))?;
    let lines = ending(&all, id, cascade);
    if lines.is_empty() {
        let message = format!("there is no token `{id}` that is in force; see `perennial token list`");
        return Err(UserError::Argument(message).into());
    }
    if !end.agree(&lines, "Revoke this?")? {
        return Ok(());
    }
    let revoked = client.send(&revocation(id, cascade))?.json()?;
    let ids = [&revoked["token"]].into_iter().chain(revoked["cascaded"].as_array().into_iter().flatten());
    for id in ids.filter_map(|token: &Value| token["id"].as_str()) {
        output::done(format_args!("revoked {id}"))?;
    }
    Ok(())
}
