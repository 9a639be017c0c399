//! `perennial token`: the tokens of the admin API.

use std::collections::BTreeSet;

use clap::Subcommand;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock;
use perennial_service::admin_tokens::Role;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::database;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output;
use crate::cli::secret;
use crate::cli::secret::Unshown;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// The roles that `--role` takes.
const ROLE: Choice<Role> = Choice { what: "role", all: &Role::ALL, name: Role::name };

/// Makes, lists and revokes tokens for the admin API.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial token create --name ops --role admin
  perennial token create --name acme-portal --role operator --account acme-hw --expires-at 2027-01-01T00:00:00Z
  perennial token create --name controller --role approver --owner lin --approves finance
  perennial token list
  perennial token revoke 0a1b2c3d4e5f
  perennial token create --name shop --role viewer --server http://127.0.0.1:8420 --token-file token

While `perennial serve` runs, tokens are made and revoked through it, with `--server`: a token that a host makes belongs to the
person whose token asked for it.

A token expires by the clock of the database: the system's or, where it lives on virtual time, the one that stands until it
is moved. `serve` goes by the same clock.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a token and writes it to the standard output. It is shown once and kept nowhere.
    Create(Create),
    /// Lists tokens, also expired and revoked ones.
    List(ListArguments),
    /// Refuses a token from now on.
    Revoke {
        /// The token's id, the part between `pn_` and the next `_`.
        id: String,
        /// Also refuse the tokens that it made, those that they made, and so on.
        #[arg(long)]
        cascade: bool,
        #[command(flatten)]
        end: EndArguments,
    },
}

/// A token to make.
#[derive(Debug, clap::Args)]
struct Create {
    /// A name for people, such as that of the program that uses the token.
    #[arg(long, value_parser = input::name)]
    name: String,
    /// The role of the token; each role may do what the ones before it may.
    #[arg(long, value_parser = ROLE)]
    role: Role,
    /// An account that it sees; may be given again. Without, it sees all of them.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// From when on it is refused, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    expires_at: Option<Timestamp>,
    /// The person who uses the token, by a name of your own: nobody approves of what another token of theirs asked for.
    /// Without, somebody who has no other token.
    #[arg(long, value_name = "PERSON", value_parser = input::name)]
    owner: Option<String>,
    /// A label by which policies ask for approvers, such as `finance`; may be given again. Tokens that it makes have some of
    /// its labels.
    #[arg(long, value_name = "LABEL", value_parser = input::name)]
    approves: Vec<String>,
}

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

pub(super) fn token(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::Create(create) => create.run(context, &client),
        Action::List(list) => {
            let tokens = items::whole(&client, &Request::new("GET", "/v1/tokens", &[]).to("list tokens"))?;
            let nothing = "there are no tokens yet; make one with `perennial token create`";
            context.write_items(&client, &TOKEN, &tokens, list, nothing)
        }
        Action::Revoke { id, cascade, end } => revoke(&client, id, *cascade, *end),
    }
}

impl Create {
    fn run(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        if self.owner.is_some() && client.is_host() {
            let message = "`--owner` is for the database: a token that a host makes belongs to the person whose token asks for it";
            return Err(UserError::Argument(message.to_owned()).into());
        }
        if !self.approves.is_empty() && self.role < Role::Approver {
            let message = "`--approves` is for the roles approver and admin; the others do not approve";
            return Err(UserError::Argument(message.to_owned()).into());
        }
        // The first token of a database that is not there yet, which has no account that a token could be bound to.
        if !client.is_host() && self.accounts.is_empty() && !context.db.exists() {
            output::can_show_secrets()?;
            database::check_expiry(self.expires_at, clock::now())?;
            database::ensure(context)?;
        }
        let request = Request::new("POST", "/v1/tokens", &[]).to("make a token").body(self.body().into());
        secret::show(client, &request, ListFormat::Table, |made| {
            Unshown::End(revocation(made["token"]["id"].as_str().unwrap_or_default(), false), String::new())
        })
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = Map::from_iter([
            ("name".to_owned(), json!(self.name)),
            ("role".to_owned(), json!(self.role.name())),
        ]);
        for (field, values) in [("accounts", &self.accounts), ("approves", &self.approves)] {
            if !values.is_empty() {
                body.insert(field.to_owned(), json!(values));
            }
        }
        let expires_at = self.expires_at.map(|expires_at| expires_at.to_string());
        for (field, value) in [("expires_at", expires_at), ("owner", self.owner.clone())] {
            if let Some(value) = value {
                body.insert(field.to_owned(), json!(value));
            }
        }
        body
    }
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

fn revoke(client: &Client, id: &str, cascade: bool, end: EndArguments) -> anyhow::Result<()> {
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
