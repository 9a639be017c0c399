//! What a command asks: a running host, or the database. Chooses; asks nothing.
//!
//! What the command line names goes before what the environment names, and a host before the database.

use std::path::Path;
use std::path::PathBuf;

use clap::ValueHint;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::file_modes::warn_if_wide;
use crate::cli::input;
use crate::cli::secrets_key;
use crate::client::Client;
use crate::client::address::Address;
use crate::client::local::Local;
use crate::client::local::Setup;
use crate::client::remote::Remote;
use crate::config::Profile;
use crate::profile::PROFILE_VARIABLE;
use crate::profile::SERVER_VARIABLE;
use crate::profile::TOKEN_FILE_VARIABLE;
use perennial_service::secrets::SecretsError;

/// Which running host a command asks, if it asks one.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Running host")]
pub(super) struct TargetArguments {
    /// A running host to ask instead of the database, such as http://127.0.0.1:8420; in the environment,
    /// PERENNIAL_SERVER.
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    server: Option<String>,
    /// The file with the token to send, `-` being the standard input; in the environment, PERENNIAL_TOKEN_FILE.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// A host of the configuration, with its token: the name of a section of `[profiles]`; in the environment,
    /// PERENNIAL_PROFILE.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "server")]
    profile: Option<String>,
}

impl TargetArguments {
    /// Has nobody take what a command reads here for what a host has.
    ///
    /// # Errors
    ///
    /// [`UserError`] when a host is named.
    pub(super) fn refuse_host(&self) -> Result<(), UserError> {
        if self.server.is_none() && self.profile.is_none() {
            return Ok(());
        }
        let message = "this command asks no host: it reads files and the database that `--db` names; leave out `--server` and `--profile`";
        Err(UserError::Argument(message.to_owned()))
    }
}

impl Context {
    /// Has nobody take what a command reads in a database of this machine for what the host of the environment has.
    ///
    /// # Errors
    ///
    /// [`UserError`] when the environment names a host, and the command line no database.
    pub(super) fn refuse_host_of_environment(&self) -> Result<(), UserError> {
        let named = [SERVER_VARIABLE, PROFILE_VARIABLE].into_iter().find(|name| variable(name).is_some());
        match named.filter(|_| !self.is_db_named) {
            None => Ok(()),
            Some(name) => Err(UserError::Argument(format!(
                "`{name}` names a host, and this command reads a database: name that with `--db FILE`, or unset `{name}`"
            ))),
        }
    }
}

impl Context {
    /// The client for what a command asks.
    ///
    /// # Errors
    ///
    /// [`UserError`] when what was named cannot be used; nothing was asked then.
    pub(super) fn client(&self, target: &TargetArguments) -> anyhow::Result<Client> {
        match self.host(target)? {
            Some(profile) => self.client_of(&profile),
            None => Client::of_database(Local::new(self.local_setup()?), self.written.clone()),
        }
    }

    /// The same for what is sealed: a database takes the key that `secrets_key_file` has, or the configuration names.
    ///
    /// # Errors
    ///
    /// As [`Context::client`]; also when a database is asked and there is no key.
    pub(super) fn sealing_client(
        &self,
        target: &TargetArguments,
        secrets_key_file: Option<&PathBuf>,
    ) -> anyhow::Result<Client> {
        if let Some(profile) = self.host(target)? {
            return self.client_of(&profile);
        }
        let file = secrets_key_file.or(self.config()?.secrets_key_file.as_ref());
        let setup = self.setup_with(file)?;
        if setup.secret_box.is_none() {
            return Err(UserError::Argument(SecretsError::NoKey.to_string()).into());
        }
        Client::of_database(Local::new(setup), self.written.clone())
    }

    /// The client of the running host that was named; `None` when a command is to ask the database itself.
    ///
    /// # Errors
    ///
    /// [`UserError`] when what was named cannot be used; nothing was asked then.
    pub(super) fn host_client(&self, target: &TargetArguments) -> anyhow::Result<Option<Client>> {
        self.host(target)?.map(|profile| self.client_of(&profile)).transpose()
    }

    /// The host that was named, with the token file that goes with it.
    fn host(&self, target: &TargetArguments) -> Result<Option<Profile>, UserError> {
        let is_named = target.server.is_some() || target.profile.is_some();
        if is_named && self.is_db_named {
            let message = "`--db` names a database, and `--server` or `--profile` a host that has one; name one of them";
            return Err(UserError::Argument(message.to_owned()));
        }
        let from_environment = |name| variable(name).filter(|_| !is_named && !self.is_db_named);
        let (server, profile) = match (&target.server, &target.profile) {
            (None, None) => (from_environment(SERVER_VARIABLE), from_environment(PROFILE_VARIABLE)),
            (server, profile) => (server.clone(), profile.clone()),
        };
        let mut chosen = match (server, profile) {
            // A token goes to the host that it was kept for, and to no other.
            (Some(server), None) => {
                Profile { server, token_file: None, certificates: None, allow_plain_http: false }
            }
            (None, Some(name)) => self.profile(&name)?,
            (Some(_), Some(_)) => {
                let message =
                    format!("`{SERVER_VARIABLE}` and `{PROFILE_VARIABLE}` are both set; unset one of them");
                return Err(UserError::Argument(message));
            }
            (None, None) if target.token_file.is_some() => {
                let message =
                    "`--token-file` goes with a running host; name it with `--server` or `--profile`";
                return Err(UserError::Argument(message.to_owned()));
            }
            (None, None) => return Ok(None),
        };
        let kept = chosen.token_file.take();
        chosen.token_file =
            target.token_file.clone().or(kept).or_else(|| variable(TOKEN_FILE_VARIABLE).map(PathBuf::from));
        Ok(Some(chosen))
    }

    fn profile(&self, name: &str) -> Result<Profile, UserError> {
        let profiles = &self.config()?.profiles;
        profiles.get(name).cloned().ok_or_else(|| {
            let known = profiles.keys().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            let there = match known.is_empty() {
                true => "the configuration has none; write one below `[profiles]`".to_owned(),
                false => format!("there are {known}"),
            };
            UserError::Argument(format!("there is no profile `{name}`: {there}"))
        })
    }

    fn client_of(&self, profile: &Profile) -> anyhow::Result<Client> {
        let argument = |problem: String| UserError::Argument(problem);
        let address = profile.server.parse::<Address>().map_err(argument)?;
        let file = profile.token_file.as_deref().ok_or_else(|| {
            argument(format!(
                "`{address}` takes a token: name the file that holds it, with `--token-file` or `{TOKEN_FILE_VARIABLE}`"
            ))
        })?;
        let token = read_token(file)?;
        let certificates = profile.certificates.as_deref();
        let remote = Remote::new(address, token, certificates, profile.allow_plain_http).map_err(argument)?;
        Client::of_host(remote, self.written.clone())
    }

    fn local_setup(&self) -> anyhow::Result<Setup> {
        self.setup_with(self.config()?.secrets_key_file.as_ref())
    }

    fn setup_with(&self, secrets_key_file: Option<&PathBuf>) -> anyhow::Result<Setup> {
        let config = self.config()?;
        let secret_box = secrets_key::load_secret_box(secrets_key_file)
            .map_err(|error| UserError::Argument(error.to_string()))?;
        Ok(Setup {
            db: self.db.clone(),
            providers: self.providers_with_policies()?,
            limits: config.limits.clone(),
            webhooks: config.webhooks.clone(),
            connections: config.connections.clone(),
            secret_box,
        })
    }
}

/// What the environment says, unless that is nothing.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The token of a file, which has nothing else in it.
fn read_token(file: &Path) -> Result<String, UserError> {
    let text = input::read(file)?;
    if !input::is_standard(file) {
        warn_if_wide(file, "a token");
    }
    let token = text.trim();
    let is_token =
        token.starts_with("pn_") && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_token {
        return Ok(token.to_owned());
    }
    Err(UserError::Argument(format!(
        "{} holds no token alone; write into it what `perennial token create` shows",
        input::shown(file)
    )))
}
