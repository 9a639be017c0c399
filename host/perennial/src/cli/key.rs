//! `perennial key`: the keys with which a managed account's own tools sign requests to their provider's API.

use std::path::PathBuf;

use anyhow::Context as _;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record;
use crate::cli::audit_record::CLI;
use crate::cli::confirm::EndArguments;
use crate::cli::database;
use crate::cli::input;
use crate::cli::input::is_standard;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::on_host::keys as on_host;
use crate::cli::output;
use crate::cli::secrets_key;
use crate::cli::target::TargetArguments;
use crate::cli::validate;
use perennial_service::provider_keys as keys;
use perennial_service::provider_keys::CreateKey;
use perennial_service::provider_keys::IssuedKey;
use perennial_service::provider_keys::OVERLAP_SECONDS;
use perennial_service::provider_keys::OVERLAP_SECONDS_MAX;
use perennial_service::secrets;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_store::accounts;
use perennial_store::audit;
use perennial_store::provider_keys;

/// What to do instead when a server has the database.
const WHILE_IT_SERVES: &str = "while `perennial serve` runs, keys are made, replaced and ended through it: name it with \
                               `--server`, and with `--token-file` a token of the role `admin`";

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

#[derive(Debug, clap::Subcommand)]
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
            value_parser = clap::value_parser!(u32).range(..=i64::from(OVERLAP_SECONDS_MAX)))]
        overlap_seconds: u32,
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

pub(super) fn key(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = || context.client(&arguments.target);
    match &arguments.action {
        Action::Create { account, name, expires_at } => match context.host_client(&arguments.target)? {
            Some(client) => on_host::create(&client, account, name, *expires_at),
            None => create(context, arguments, account, name, *expires_at),
        },
        Action::List { account, list } => {
            let none = "there are no keys yet; make one with `perennial key create`";
            let nothing = list::nothing(account.is_some(), none);
            on_host::list(context, &client()?, account.as_deref(), list, nothing)
        }
        Action::Rotate { access_key, overlap_seconds } => match context.host_client(&arguments.target)? {
            Some(client) => on_host::rotate(&client, access_key, *overlap_seconds),
            None => rotate(context, arguments, access_key, *overlap_seconds),
        },
        Action::Revoke { access_key, end } => on_host::revoke(&client()?, access_key, *end),
        Action::NewSecretsKey { file } => {
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
            secrets::write_new_key(file).map_err(|error| {
                UserError::Argument(format!("{error}; is its folder there and writable?"))
            })?;
            let file = file.display();
            output::done(format_args!("wrote {file}; keep a copy where the database is not"))
        }
    }
}

fn required_secret_box(context: &Context, arguments: &Arguments) -> anyhow::Result<SecretBox> {
    let file = arguments.secrets_key_file.as_ref().or(context.config()?.secrets_key_file.as_ref());
    let found = secrets_key::load_secret_box(file)
        .and_then(|found| found.ok_or(SecretsError::NoKey))
        .map_err(|error| UserError::Argument(error.to_string()))?;
    Ok(found)
}

/// Makes a key of a database. Its secret is shown before it is kept, which only who has the database can do.
fn create(
    context: &Context,
    arguments: &Arguments,
    account: &str,
    name: &str,
    expires_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let secret_box = required_secret_box(context, arguments)?;
    let mut store = database::open_existing(context, WHILE_IT_SERVES)?;
    let at = database::now(store.db())?;
    validate::check_account(store.db(), Some(account))?;
    database::check_expiry(expires_at, at)?;
    let found = accounts::get(store.db(), account)?.context("the account is gone")?;
    let spec = CreateKey {
        account: found.account.id,
        provider: found.account.provider,
        name: name.to_owned(),
        expires_at,
    };
    let issued = keys::issue(&secret_box, spec, CLI, at).context("cannot make a key")?;
    store.write(|tx| {
        provider_keys::insert(tx, found.row, &issued.stored)?;
        let operation = format!("key create {}", issued.stored.access_key);
        audit::insert(tx, &audit_record::audit_record(at, &operation, Some(account)))?;
        show(&issued)
    })
}

/// Shows both halves of a key. This comes before it is committed: a key that nobody saw is of no use to anybody.
fn show(issued: &IssuedKey) -> anyhow::Result<()> {
    let IssuedKey { stored, secret } = issued;
    Ok(output::secret(&format!("access key: {}\nsecret key: {secret}", stored.access_key))?)
}

fn rotate(
    context: &Context,
    arguments: &Arguments,
    access_key: &str,
    overlap_seconds: u32,
) -> anyhow::Result<()> {
    let secret_box = required_secret_box(context, arguments)?;
    let mut store = database::open_existing(context, WHILE_IT_SERVES)?;
    let at = database::now(store.db())?;
    let old = provider_keys::get(store.db(), access_key)?.filter(|key| key.is_in_force(at));
    let old = old.ok_or_else(|| not_active(access_key))?;
    let all = provider_keys::list(store.db(), None)?;
    let successor = keys::successor(&all, &old);
    if let Some(successor) = successor.filter(|successor| successor.revoked_at.is_none()) {
        let successor = &successor.access_key;
        let message = format!(
            "`{access_key}` was replaced by `{successor}` already, and is honoured for a while only; rotate that one, or \
             make another with `perennial key create`"
        );
        return Err(UserError::Argument(message).into());
    }
    let account = accounts::get(store.db(), &old.account)?.context("the key's account is gone")?;
    let spec = CreateKey {
        account: old.account.clone(),
        provider: old.provider,
        name: old.name,
        expires_at: successor.map_or(old.expires_at, |successor| successor.expires_at),
    };
    let issued = keys::issue(&secret_box, spec, CLI, at).context("cannot make a key")?;
    store.write(|tx| {
        provider_keys::expire(tx, access_key, at + i64::from(overlap_seconds))?;
        provider_keys::insert(tx, account.row, &issued.stored)?;
        let operation = format!("key rotate {access_key}");
        audit::insert(tx, &audit_record::audit_record(at, &operation, Some(&old.account)))?;
        show(&issued)
    })
}

fn not_active(access_key: &str) -> UserError {
    UserError::Argument(format!("there is no key `{access_key}` that is in force; see `perennial key list`"))
}
