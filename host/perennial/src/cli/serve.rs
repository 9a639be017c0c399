//! `perennial serve`: the clock, the admin API and the providers' own APIs in one process.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::disk_space;
use crate::cli::file_modes::warn_if_wide;
use crate::cli::host_process;
use crate::cli::host_process::ProviderListener;
use crate::cli::host_process::RunOptions;
use crate::cli::host_process::Setup;
use crate::cli::input;
use crate::cli::output;
use crate::cli::run;
use crate::cli::secrets_key;
use crate::cli::start;
use crate::config::Config;
use perennial_engine::rules::Providers;
use perennial_http::faults::Faults;
use perennial_http::provider_api as endpoint;
use perennial_http::server::listener as serve;
use perennial_service::channels;
use perennial_service::channels::dispatcher::ChannelSender;
use perennial_service::secrets;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_service::service::Service;
use perennial_service::webhooks::client::Client;
use perennial_service::webhooks::seal;
use perennial_service::webhooks::seal::SealError;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_store::provider_keys;

/// Runs the clock and an HTTP server through which programs, and people in a browser, look and act. The console is at `/`.
///
/// Makes the database if there is none, and says so, unless `--must-exist` or `[database] must_exist` says that there is one. Stops on SIGTERM or Ctrl-C, after requests that are under way; nothing is lost,
/// however it ends. `/openapi.json` describes every route.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial token create --name ops --role admin
  perennial serve
  perennial serve --config perennial.toml --check-config
  perennial serve --virtual-clock 2026-01-01T00:00:00Z")]
pub(super) struct Arguments {
    /// Only say whether the configuration can be used.
    #[arg(long)]
    check_config: bool,
    /// Let the clock stand at this instant, in RFC 3339, until `POST /v1/clock:advance` moves it: for trying things out. A
    /// database that has lived on virtual time goes on from where it is when the instant is left out.
    #[arg(long, value_name = "T", num_args = 0..=1, value_parser = input::clock_instant)]
    virtual_clock: Option<Option<Timestamp>>,
    /// Refuse to start where there is no database, or an empty file, instead of making one.
    #[arg(long)]
    must_exist: bool,
    #[command(flatten)]
    start: start::Arguments,
}

pub(super) fn serve(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    serve_with(context, arguments, None)
}

/// The same with faults in front of the providers' own APIs.
pub(super) fn serve_with(
    context: &Context,
    arguments: &Arguments,
    faults: Option<Faults>,
) -> anyhow::Result<()> {
    let setup = configure(context)?;
    if arguments.check_config {
        let described = describe(&setup.config);
        return Ok(output::line(format_args!("the configuration can be used: {described}"))?);
    }
    context.log(setup.config.log, "info");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    // A new database is made only when nothing else keeps the host from starting.
    let mut listeners = match context.db.exists() {
        true => None,
        false => {
            check_new(arguments, &setup.config)?;
            Some(runtime.block_on(setup.bind())?)
        }
    };
    let signals =
        run::stop_on_signals(Arc::new(AtomicBool::new(false))).context("cannot listen for signals")?;
    let begun = disk_space::wait(&signals, disk_space::PATIENCE, || {
        let store = open(context, arguments, &setup)?;
        let clock = virtual_start(store.db(), arguments.virtual_clock)?;
        if listeners.is_none() {
            listeners = Some(runtime.block_on(setup.bind())?);
        }
        let limits = setup.config.limits.clone();
        Ok((clock, Service::start(store, &context.db, setup.providers.clone(), clock, limits)?))
    });
    let (Some((clock, started)), Some(listeners)) = (begun?, listeners) else { return Ok(()) };
    let options = RunOptions { clock, listeners, signals, faults };
    host_process::run_host(&runtime, &context.db, started, setup, options)
}

/// Refuses what a database that is still to be made would be refused for.
fn check_new(arguments: &Arguments, config: &Config) -> Result<(), UserError> {
    if arguments.must_exist || config.database_must_exist {
        // Said when it is opened.
        return Ok(());
    }
    if arguments.virtual_clock == Some(None) {
        return Err(missing_instant());
    }
    if config.listen.ip().is_loopback() { Ok(()) } else { Err(missing_token(config.listen)) }
}

fn missing_instant() -> UserError {
    let message = "no clock has ticked in this database: say where it starts, such as `--virtual-clock \
                   2026-01-01T00:00:00Z`";
    UserError::Argument(message.to_owned())
}

fn missing_token(listen: SocketAddr) -> UserError {
    UserError::Argument(format!(
        "`{listen}` can be reached from outside, and there is no token yet; make one with `perennial token create`"
    ))
}

/// Reads the configuration and everything that it names, and checks that it can be used.
fn configure(context: &Context) -> anyhow::Result<Setup> {
    let argument = |error: &dyn std::fmt::Display| UserError::Argument(error.to_string());
    let config = context.config()?.clone();
    check_files(&config)?;
    let tls = config.tls.as_ref().map(serve::tls_acceptor).transpose().map_err(|error| argument(&error))?;
    let client = Client::new(config.webhooks.allow_private, config.webhooks.certificates.as_deref())
        .map_err(|error| argument(&error))?;
    let sender = ChannelSender::new(
        config.webhooks.allow_private,
        config.webhooks.certificates.as_deref(),
        config.email.as_ref(),
    );
    let sender = sender.map_err(|error| argument(&error))?;
    let secret_box =
        secrets_key::load_secret_box(config.secrets_key_file.as_ref()).map_err(|error| argument(&error))?;
    let providers = context.providers_with_policies()?;
    let endpoints = endpoints(&config, &providers, secret_box.as_ref())?;
    Ok(Setup { config, tls, client, sender, secret_box, providers, endpoints })
}

/// Refuses files that are named and cannot be read, all of them together. What is wrong with one alone is said where it is used.
fn check_files(config: &Config) -> Result<(), UserError> {
    let (tls, email) = (config.tls.as_ref(), config.email.as_ref());
    let has_key = std::env::var_os(secrets::KEY_VARIABLE).is_some();
    let files = [
        ("`certificate` of [tls]", tls.map(|tls| &tls.certificate)),
        ("`key` of [tls]", tls.map(|tls| &tls.key)),
        ("`certificates` of [webhooks]", config.webhooks.certificates.as_ref()),
        ("`password_file` of [email]", email.and_then(|email| email.password_file.as_ref())),
        ("`key_file` of [secrets]", config.secrets_key_file.as_ref().filter(|_| !has_key)),
    ];
    let named = files.into_iter().filter_map(|(name, file)| Some((name, file?)));
    let named = named.chain(config.plugins.iter().map(|plugin| ("`files` of [plugins]", &plugin.path)));
    let unreadable = named.filter(|(_, file)| !input::is_standard(file)).filter_map(|(name, file)| {
        let error = File::open(file).err()?;
        Some(format!("{name}: cannot read `{}`: {error}", file.display()))
    });
    let unreadable = unreadable.collect::<Vec<_>>();
    match unreadable.len() {
        0 | 1 => Ok(()),
        _ => Err(UserError::Argument(format!(
            "the configuration names files that cannot be read:\n  {}",
            unreadable.join("\n  ")
        ))),
    }
}

/// Opens the database and checks that it can be served: its keys can be read, its accounts have plugins, it lives on the
/// time that it is to be served on, and somebody has a token.
fn open(context: &Context, arguments: &Arguments, setup: &Setup) -> anyhow::Result<Store> {
    let listen = setup.config.listen;
    let mut store = if arguments.must_exist || setup.config.database_must_exist {
        Store::open_existing(&context.db)?
    } else {
        Store::open(&context.db)?
    };
    can_read_keys(&store, &setup.endpoints)?;
    let allows_missing = setup.config.allow_missing_plugins;
    arguments.start.check_plugins(store.db(), &setup.providers, allows_missing)?;
    if !listen.ip().is_loopback() && api_tokens::list(store.db())?.is_empty() {
        return Err(missing_token(listen).into());
    }
    let sealed = seal::seal_all(&mut store, setup.secret_box.as_ref()).map_err(|error| match error {
        SealError::Store(error) => anyhow::Error::from(error),
        error @ SealError::Secret { .. } => UserError::Argument(error.to_string()).into(),
    })?;
    if sealed > 0 {
        tracing::info!(sealed, "secrets of webhooks that were in clear text are sealed now");
    }
    seal_channels(&mut store, setup.secret_box.as_ref())?;
    warn_of_wide_files(context, &setup.config);
    if is_in_clear(&setup.config) {
        tracing::warn!(address = %listen, "{IN_CLEAR}");
    }
    if store.is_new() {
        tracing::warn!(db = %context.db.display(), "there was no database here: a new one was made, with nothing in it");
    }
    Ok(store)
}

/// Seals the credentials of channels that are in clear text, and checks that all can be opened.
fn seal_channels(store: &mut Store, secret_box: Option<&SecretBox>) -> anyhow::Result<()> {
    let sealed = channels::seal::seal_all(store, secret_box).map_err(|error| match error {
        channels::seal::SealError::Store(error) => anyhow::Error::from(error),
        error @ channels::seal::SealError::Credentials { .. } => {
            UserError::Argument(error.to_string()).into()
        }
    })?;
    if sealed > 0 {
        tracing::info!(sealed, "URLs of channels that were in clear text are sealed now");
    }
    Ok(())
}

fn warn_of_wide_files(context: &Context, config: &Config) {
    warn_if_wide(&context.db, "the database, which has the secrets of webhooks and channels");
    if let Some(file) = &config.secrets_key_file {
        warn_if_wide(file, "the key that secrets are kept with");
    }
    if let Some(file) = config.email.as_ref().and_then(|email| email.password_file.as_ref()) {
        warn_if_wide(file, "the password of the mail server");
    }
    if let Some(tls) = &config.tls {
        warn_if_wide(&tls.key, "the private key of TLS");
    }
}

/// Where a virtual clock starts; `None` for the real one.
fn virtual_start(
    db: &ReadTx,
    requested: Option<Option<Timestamp>>,
) -> Result<Option<Timestamp>, anyhow::Error> {
    match requested {
        Some(None) => match perennial_store::clock::ticked_at(db)? {
            Some(ticked_at) => Ok(Some(ticked_at + 1)),
            None => Err(missing_instant().into()),
        },
        Some(start) => Ok(start),
        None => Ok(None),
    }
}

/// The providers' own APIs that the configuration names.
///
/// # Errors
///
/// When a provider has no API of its own, or no key file is configured.
fn endpoints(
    config: &Config,
    providers: &Providers,
    secret_box: Option<&SecretBox>,
) -> Result<Vec<ProviderListener>, UserError> {
    let wrong = |provider: &str, error: &dyn std::fmt::Display| {
        UserError::Argument(format!("`listen.{provider}` cannot be served: {error}"))
    };
    let served = config.endpoints.iter().map(|(provider, address)| {
        endpoint::find_api(providers, provider).map_err(|error| wrong(provider, &error))?;
        let secret_box = secret_box.cloned().ok_or_else(|| wrong(provider, &SecretsError::NoKey))?;
        Ok((provider.clone(), *address, secret_box))
    });
    served.collect()
}

/// Checks that the present key opens the stored secrets of the providers' keys that are not revoked.
fn can_read_keys(store: &Store, endpoints: &[ProviderListener]) -> anyhow::Result<()> {
    for key in provider_keys::list(store.db(), None)? {
        let served = endpoints.iter().find(|(provider, ..)| *provider == key.provider);
        let Some((provider, _, secret_box)) = served.filter(|_| key.revoked_at.is_none()) else { continue };
        if let Err(error) = secret_box.open(&key.sealed, &key.access_key) {
            let message = format!(
                "`listen.{provider}` cannot be served: the secret of {0}: {error} Name that one, or revoke the key: \
                 `perennial key revoke {0}`",
                key.access_key
            );
            return Err(UserError::Argument(message).into());
        }
    }
    Ok(())
}

fn describe(config: &Config) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let endpoints = config.endpoints.iter().map(|(provider, address)| format!(", {provider} at {address}"));
    let warning = if is_in_clear(config) { format!("; {IN_CLEAR}") } else { String::new() };
    format!("{scheme}://{}{}{warning}", config.listen, endpoints.collect::<String>())
}

/// What is said of a host that takes tokens in clear text from outside.
const IN_CLEAR: &str =
    "without [tls], whoever is on the way can read tokens: let only a proxy with TLS reach it";

/// Whether the admin API can be reached from outside in clear text.
fn is_in_clear(config: &Config) -> bool {
    config.tls.is_none() && !config.listen.ip().is_loopback()
}
