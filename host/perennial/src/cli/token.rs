//! `perennial token`: the tokens of the admin API.

use std::collections::BTreeSet;

use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record;
use crate::cli::audit_record::CLI;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::database;
use crate::cli::input;
use crate::cli::list::ListArguments;
use crate::cli::on_host::tokens;
use crate::cli::on_host::tokens::NewToken;
use crate::cli::output;
use crate::cli::target::TargetArguments;
use crate::cli::validate;
use perennial_engine::clock;
use perennial_service::admin_tokens as auth;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_store::audit;

/// The roles that `--role` takes.
const ROLE: Choice<Role> = Choice { what: "role", all: &Role::ALL, name: Role::name };

/// What to do instead when a server has the database.
const WHILE_IT_SERVES: &str = "while `perennial serve` runs, tokens are made and revoked through it: name it with `--server`, \
                               and with `--token-file` a token of the role `admin`";

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

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a token and writes it to the standard output. It is shown once and kept nowhere.
    Create {
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
    },
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

pub(super) fn token(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::Create { name, role, accounts, expires_at, owner, approves } => {
            if let Some(client) = context.host_client(&arguments.target)? {
                if owner.is_some() {
                    let message = "`--owner` is for the database: a token that a host makes belongs to the person whose token asks for it";
                    return Err(UserError::Argument(message.to_owned()).into());
                }
                let new = NewToken { name, role: role.name(), accounts, expires_at: *expires_at, approves };
                return tokens::create(&client, &new);
            }
            if !approves.is_empty() && *role < Role::Approver {
                let message = "`--approves` is for the roles approver and admin; the others do not approve";
                return Err(UserError::Argument(message.to_owned()).into());
            }
            let accounts = accounts.iter().cloned().collect::<BTreeSet<_>>();
            let accounts = (!accounts.is_empty()).then_some(accounts);
            create(
                context,
                CreateToken {
                    name: name.clone(),
                    role: *role,
                    accounts,
                    expires_at: *expires_at,
                    owner: owner.clone(),
                    approves: approves.iter().cloned().collect(),
                },
            )
        }
        Action::List(list) => {
            let nothing = "there are no tokens yet; make one with `perennial token create`";
            tokens::list(context, &context.client(&arguments.target)?, list, nothing)
        }
        Action::Revoke { id, cascade, end } => {
            tokens::revoke(&context.client(&arguments.target)?, id, *cascade, *end)
        }
    }
}

/// Makes a token of a database, for somebody who may have none yet to ask with.
fn create(context: &Context, spec: CreateToken) -> anyhow::Result<()> {
    let mut store = open(context, &spec)?;
    let at = database::now(store.db())?;
    for account in spec.accounts.iter().flatten() {
        validate::check_account(store.db(), Some(account))?;
    }
    database::check_expiry(spec.expires_at, at)?;
    let issued = auth::issue(spec, CLI, at).map_err(|error| anyhow::anyhow!("no random bits: {error}"))?;
    store.write(|tx| {
        api_tokens::insert(tx, &issued.stored)?;
        let operation = format!("token create {}", issued.stored.id);
        audit::insert(tx, &audit_record::audit_record(at, &operation, None))?;
        // Before it is committed: a token that nobody saw is of no use, and nobody would know that it is there.
        Ok(output::secret(&issued.secret)?)
    })
}

/// Opens the database for a new token, or makes it, unless what is asked for cannot be had of a new one.
fn open(context: &Context, spec: &CreateToken) -> anyhow::Result<Store> {
    if spec.accounts.is_some() {
        return database::open_existing(context, WHILE_IT_SERVES);
    }
    if !context.db.exists() {
        database::check_expiry(spec.expires_at, clock::now())?;
    }
    Store::open(&context.db).map_err(|error| database::explain(error, WHILE_IT_SERVES))
}
