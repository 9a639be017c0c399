//! Keys of providers' own APIs, of a running host.

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
use crate::cli::named;
use crate::cli::output;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::client::Client;
use crate::client::Request;

const KEY: [Field; 9] = [
    Field::text("access_key", "access key"),
    Field::text("account", "account"),
    Field::text("provider", "provider"),
    Field::instant("expires_at", "expires").or("never"),
    Field::instant("revoked_at", "revoked"),
    Field::instant("last_used_at", "last used").or("never"),
    Field::instant("created_at", ""),
    Field::text("created_by", ""),
    Field::sentence("name", "name"),
];

pub(in crate::cli) fn list(
    context: &Context,
    client: &Client,
    account: Option<&str>,
    list: &ListArguments,
    nothing: &str,
) -> anyhow::Result<()> {
    named::check_account(client, account)?;
    let mut keys = items::whole(client, &Request::new("GET", "/v1/provider-keys", &[]).to("list keys"))?;
    keys.retain(|key| account.is_none_or(|account| key["account"] == account));
    context.write_items(client, &KEY, &keys, list, nothing)
}

pub(in crate::cli) fn create(
    client: &Client,
    account: &str,
    name: &str,
    expires_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let mut body = Map::from_iter([("account".to_owned(), json!(account)), ("name".to_owned(), json!(name))]);
    if let Some(expires_at) = expires_at {
        body.insert("expires_at".to_owned(), json!(expires_at.to_string()));
    }
    let request = Request::new("POST", "/v1/provider-keys", &[]).to(format!("make a key of `{account}`"));
    show(client, &request.body(body.into()), |_| String::new())
}

pub(in crate::cli) fn rotate(client: &Client, access_key: &str, overlap_seconds: u32) -> anyhow::Result<()> {
    let request = Request::new("POST", "/v1/provider-keys/{id}:rotate", &[access_key])
        .to(format!("rotate `{access_key}`"))
        .body(json!({ "overlap_seconds": overlap_seconds }));
    show(client, &request, |made| {
        let until = items::instant(&made["key"]["created_at"]).map(|at| at + i64::from(overlap_seconds));
        let until = until.map(|until| format!(", until {until} at the latest")).unwrap_or_default();
        format!("; `{access_key}` is honoured for a while only{until}: rotate it once more before that")
    })
}

/// Shows both halves of a new key, or ends it; `before` says what became of the key before it.
fn show(client: &Client, request: &Request, before: impl FnOnce(&Value) -> String) -> anyhow::Result<()> {
    let halves = |made: &Value| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (access_key, secret) = (text(&made["key"]["access_key"])?, text(&made["secret"])?);
        Some(format!("access key: {access_key}\nsecret key: {secret}"))
    };
    secret::show_as(client, request, halves, |made| {
        Unshown::End(revocation(made["key"]["access_key"].as_str().unwrap_or_default()), before(made))
    })
}

fn revocation(access_key: &str) -> Request {
    Request::new("POST", "/v1/provider-keys/{id}:revoke", &[access_key]).to(format!("revoke `{access_key}`"))
}

pub(in crate::cli) fn revoke(client: &Client, access_key: &str, end: EndArguments) -> anyhow::Result<()> {
    let all = items::whole(client, &Request::new("GET", "/v1/provider-keys", &[]).to("list keys"))?;
    let ended = all.iter().find(|key| key["access_key"] == access_key && key["revoked_at"].is_null());
    let Some(key) = ended else {
        let message = format!("there is no key `{access_key}` that is in force; see `perennial key list`");
        return Err(UserError::Argument(message).into());
    };
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let line = format!("key {access_key} of `{}`, {}: would be revoked", text("account"), text("name"));
    if !end.agree(&[line], "Revoke it, with the tokens that it asked for?")? {
        return Ok(());
    }
    client.send(&revocation(access_key))?;
    output::done(format_args!("revoked {access_key}"))
}
