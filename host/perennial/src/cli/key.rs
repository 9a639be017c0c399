//! `perennial key`: the keys with which a managed account's own tools sign requests to their provider's API.

use std::path::Path;
use std::path::PathBuf;

use clap::Subcommand;
use perennial_domain::timestamp::Timestamp;
use perennial_service::provider_keys::OVERLAP_SECONDS;
use perennial_service::provider_keys::OVERLAP_SECONDS_MAX;
use perennial_service::secrets;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::EndArguments;
use crate::cli::input;
use crate::cli::input::is_standard;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::output;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

/// Makes, lists, rotates and revokes the access keys with which the tools of a managed account sign requests of its
/// provider's own API.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial key new-secrets-key secrets.key
  export PERENNIAL_SECRETS_KEY_FILE=secrets.key
  perennial key create --account acme-hw --name terraform
  perennial key list
  perennial key rotate PN0123456789ABCDEF01 --overlap-seconds 3600
  perennial key revoke PN0123456789ABCDEF01

While `perennial serve` runs, keys are made, rotated and revoked through it, with `--server`.

A key expires by the clock of the database: the system's or, where it lives on virtual time, the one that stands until it is
moved. `serve` goes by the same clock.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The key that secrets are kept with, `-` being the standard input; or the key itself, in PERENNIAL_SECRETS_KEY.
    #[arg(long, global = true, value_name = "FILE", env = secrets::KEY_FILE_VARIABLE)]
    secrets_key_file: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a key and writes its two halves to the standard output. The secret is shown once.
    Create {
        /// The account that the key signs requests for.
        #[arg(long, value_name = "ID")]
        account: String,
        /// A name for people, such as that of the tool that uses the key.
        #[arg(long, value_parser = input::name)]
        name: String,
        /// From when on it is refused, in RFC 3339; a date alone is midnight UTC.
        #[arg(long, value_name = "T", value_parser = input::instant)]
        expires_at: Option<Timestamp>,
    },
    /// Lists keys, also expired and revoked ones.
    List {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Replaces a key by a new one; the old one is honoured for a while, and is not replaced again.
    Rotate {
        /// The access key.
        access_key: String,
        /// For how many seconds more the old one is honoured.
        #[arg(long, value_name = "SECONDS", default_value_t = OVERLAP_SECONDS,
            value_parser = input::whole::<u32>(0..=i64::from(OVERLAP_SECONDS_MAX)))]
        overlap_seconds: u32,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Refuses a key, and the tokens it asked for, from now on.
    Revoke {
        /// The access key.
        access_key: String,
        #[command(flatten)]
        end: EndArguments,
    },
    /// Makes a key to keep secrets with, in a file that nobody else can read. Without it, what is kept cannot be read.
    NewSecretsKey {
        /// The file; there must be none yet. `-` is the standard output.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

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

pub(super) fn key(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = || context.client(&arguments.target);
    let sealing = || context.sealing_client(&arguments.target, arguments.secrets_key_file.as_ref());
    match &arguments.action {
        Action::Create { account, name, expires_at } => create(&sealing()?, account, name, *expires_at),
        Action::List { account, list } => keys(context, &client()?, account.as_deref(), list),
        Action::Rotate { access_key, overlap_seconds, end } => {
            rotate(&sealing()?, access_key, *overlap_seconds, *end)
        }
        Action::Revoke { access_key, end } => revoke(&client()?, access_key, *end),
        Action::NewSecretsKey { file } => new_secrets_key(file),
    }
}

fn keys(
    context: &Context,
    client: &Client,
    account: Option<&str>,
    list: &ListArguments,
) -> anyhow::Result<()> {
    named::check_account(client, account)?;
    let mut keys = items::whole(client, &Request::new("GET", "/v1/provider-keys", &[]).to("list keys"))?;
    keys.retain(|key| account.is_none_or(|account| key["account"] == account));
    let none = "there are no keys yet; make one with `perennial key create`";
    context.write_items(client, &KEY, &keys, list, list::nothing(account.is_some(), none))
}

fn create(client: &Client, account: &str, name: &str, expires_at: Option<Timestamp>) -> anyhow::Result<()> {
    let mut body = Map::from_iter([("account".to_owned(), json!(account)), ("name".to_owned(), json!(name))]);
    if let Some(expires_at) = expires_at {
        body.insert("expires_at".to_owned(), json!(expires_at.to_string()));
    }
    let request = Request::new("POST", "/v1/provider-keys", &[]).to(format!("make a key of `{account}`"));
    show(client, &request.body(body.into()), |_| String::new())
}

fn rotate(client: &Client, access_key: &str, overlap_seconds: u32, end: EndArguments) -> anyhow::Result<()> {
    let key = find(client, access_key, &format!("rotate `{access_key}`"))?;
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let line = format!(
        "key {access_key} of `{}`, {}: would be replaced, and honoured for {overlap_seconds} seconds more at most",
        text("account"),
        text("name")
    );
    if !end.agree(&[line], "Replace it?")? {
        return Ok(());
    }
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

/// The key that is in force and has this access key, for what messages call `what`.
fn find(client: &Client, access_key: &str, what: &str) -> anyhow::Result<Value> {
    let all = items::whole(client, &Request::new("GET", "/v1/provider-keys", &[]).to("list keys"))?;
    let found = all.into_iter().find(|key| key["access_key"] == access_key && key["revoked_at"].is_null());
    Ok(found.ok_or_else(|| {
        UserError::Argument(format!(
            "cannot {what}: there is no key `{access_key}` that is in force; see `perennial key list`"
        ))
    })?)
}

fn revoke(client: &Client, access_key: &str, end: EndArguments) -> anyhow::Result<()> {
    let key = find(client, access_key, &format!("revoke `{access_key}`"))?;
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let line = format!("key {access_key} of `{}`, {}: would be revoked", text("account"), text("name"));
    if !end.agree(&[line], "Revoke it, with the tokens that it asked for?")? {
        return Ok(());
    }
    client.send(&revocation(access_key))?;
    output::done(format_args!("revoked {access_key}"))
}

fn new_secrets_key(file: &Path) -> anyhow::Result<()> {
    if is_standard(file) {
        return Ok(output::secret(&secrets::new_key()?)?);
    }
    if file.exists() {
        let message = format!(
            "`{}` exists already, and what was kept with it cannot be read without it; name another file",
            file.display()
        );
        return Err(UserError::Argument(message).into());
    }
    secrets::write_new_key(file)
        .map_err(|error| UserError::Argument(format!("{error}; is its folder there and writable?")))?;
    let file = file.display();
    output::done(format_args!("wrote {file}; keep a copy where the database is not"))
}
