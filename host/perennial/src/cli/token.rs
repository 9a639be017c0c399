//! `perennial token`: the tokens of the admin API.

use std::collections::BTreeSet;
use std::io::Write;

use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record;
use crate::cli::audit_record::CLI;
use crate::cli::input;
use crate::cli::output;
use perennial_engine::clock;
use perennial_service::admin_tokens as auth;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_store::audit;
use perennial_store::error::StoreError;

/// What to do instead when a server has the database.
const WHILE_IT_SERVES: &str = "while `perennial serve` runs, make tokens with `POST /v1/tokens` and revoke them with \
                               `POST /v1/tokens/{id}:revoke`, as a token of the role `admin`";

/// Makes, lists and revokes tokens for the admin API.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial token create --name ops --role admin
  perennial token create --name acme-portal --role operator --account acme-hw --expires-at 2027-01-01T00:00:00Z
  perennial token list
  perennial token revoke 0a1b2c3d4e5f

While `perennial serve` runs, tokens are made and revoked through it: POST /v1/tokens.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a token and writes it to the standard output. It is shown once and kept nowhere.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do: viewer, operator, approver or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// An account that it sees; may be given again. Without, it sees all of them.
        #[arg(long = "account", value_name = "ID")]
        accounts: Vec<String>,
        /// From when on it is refused, in RFC 3339.
        #[arg(long, value_name = "T", value_parser = input::instant)]
        expires_at: Option<Timestamp>,
    },
    /// Lists tokens, also expired and revoked ones.
    List,
    /// Refuses a token from now on.
    Revoke {
        /// The token's id, the part between `pn_` and the next `_`.
        id: String,
        /// Also refuse the tokens that it made, those that they made, and so on.
        #[arg(long)]
        cascade: bool,
    },
}

pub(super) fn token(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::Create { name, role, accounts, expires_at } => {
            let accounts = accounts.iter().cloned().collect::<BTreeSet<_>>();
            let accounts = (!accounts.is_empty()).then_some(accounts);
            create(
                context,
                CreateToken { name: name.clone(), role: *role, accounts, expires_at: *expires_at },
            )
        }
        Action::List => list(context),
        Action::Revoke { id, cascade } => revoke(context, id, *cascade),
    }
}

fn create(context: &Context, spec: CreateToken) -> anyhow::Result<()> {
    let at = clock::now();
    let issued = auth::issue(spec, CLI, at).map_err(|error| anyhow::anyhow!("no random bits: {error}"))?;
    open(context)?.write(|tx| {
        api_tokens::insert(tx, &issued.stored)?;
        audit::insert(
            tx,
            &audit_record::audit_record(at, &format!("token create {}", issued.stored.id), None),
        )
    })?;
    println!("{}", issued.secret);
    Ok(())
}

/// Opens the database for writing. A server that has it open has another way to be told.
fn open(context: &Context) -> anyhow::Result<Store> {
    Store::open(&context.db).map_err(|error| {
        let is_in_use = matches!(error, StoreError::InUse { .. });
        let error = anyhow::Error::from(error);
        if is_in_use { error.context(WHILE_IT_SERVES) } else { error }
    })
}

fn list(context: &Context) -> anyhow::Result<()> {
    let tokens = api_tokens::list(&ReadTx::open(&context.db)?)?;
    let mut out = output::writer(None)?;
    writeln!(
        out,
        "{:<12}  {:<8}  {:<20}  {:<20}  {:<20}  name",
        "id", "role", "accounts", "expires", "last used"
    )?;
    for token in tokens {
        let accounts = token.accounts.map_or("all".to_owned(), |accounts| accounts.join(","));
        let shown = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
        let expires = if token.revoked_at.is_some() { "revoked".to_owned() } else { shown(token.expires_at) };
        let used = shown(token.last_used_at);
        let (id, role, name) = (token.id, token.role, token.name);
        writeln!(out, "{id:<12}  {role:<8}  {accounts:<20}  {expires:<20}  {used:<20}  {name}")?;
    }
    out.flush()?;
    Ok(())
}

fn revoke(context: &Context, id: &str, cascade: bool) -> anyhow::Result<()> {
    let at = clock::now();
    let revoked = open(context)?.write(|tx| {
        let mut ids = vec![id.to_owned()];
        if cascade {
            ids.extend(auth::descendants(api_tokens::list(tx)?, id).into_iter().map(|token| token.id));
        }
        let mut revoked = Vec::new();
        for id in ids {
            if api_tokens::revoke(tx, &id, at)? {
                audit::insert(tx, &audit_record::audit_record(at, &format!("token revoke {id}"), None))?;
                revoked.push(id);
            }
        }
        Ok::<_, StoreError>(revoked)
    })?;
    if revoked.is_empty() {
        return Err(UserError::Argument(format!(
            "there is no token `{id}` that is in force; see `perennial token list`"
        ))
        .into());
    }
    for id in revoked {
        println!("revoked {id}");
    }
    Ok(())
}

fn role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| format!("there is no such role; there are {}", Role::ALL.map(Role::name).join(", ")))
}
