//! Tokens of a running host.

use perennial_domain::timestamp::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
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

fn revocation(id: &str, cascade: bool) -> Request {
    let request =
        Request::new("POST", "/v1/tokens/{id}:revoke", &[id]).to(format!("revoke the token `{id}`"));
    request.body(json!({ "cascade": cascade }))
}

pub(in crate::cli) fn revoke(client: &Client, id: &str, cascade: bool) -> anyhow::Result<()> {
    let revoked = client.send(&revocation(id, cascade))?.json()?;
    let ids = [&revoked["token"]].into_iter().chain(revoked["cascaded"].as_array().into_iter().flatten());
    for id in ids.filter_map(|token: &Value| token["id"].as_str()) {
        output::done(format_args!("revoked {id}"))?;
    }
    Ok(())
}
