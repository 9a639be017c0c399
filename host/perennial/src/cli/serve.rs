//! `perennial serve`: the clock, the admin API and the providers' own APIs in one process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use anyhow::Context as _;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::key;
use crate::cli::run;
use crate::config;
use crate::config::Config;
use perennial_engine::error::EngineError;
use perennial_engine::rules::Providers;
use perennial_http::admin as api;
use perennial_http::provider_api as endpoint;
use perennial_http::provider_api::ProviderApiServer;
use perennial_http::server::listener as serve;
use perennial_http::server::listener::Listener;
use perennial_http::state::AppState;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_service::service::Service;
use perennial_service::webhooks::client::Client;
use perennial_service::webhooks::dispatcher::WebhookDispatcher;
use perennial_service::writer::WriterHandle;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_store::provider_keys;

/// Runs the clock and an HTTP server through which programs and people do everything that the command line can.
///
/// Makes the database if there is none. Stops on SIGTERM or Ctrl-C, after requests that are under way; nothing is lost,
/// however it ends. `/openapi.json` describes every route.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial token create --name ops --role admin
  perennial serve
  perennial serve --config perennial.toml --check-config
  perennial serve --virtual-clock 2026-01-01T00:00:00Z")]
pub(super) struct Arguments {
    /// The configuration, in TOML. `[limits] readers` is PERENNIAL_LIMITS_READERS in the environment.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only say whether the configuration can be used.
    #[arg(long)]
    check_config: bool,
    /// Let the clock stand at this instant, in RFC 3339, until `POST /v1/clock:advance` moves it: for trying things out.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    virtual_clock: Option<Timestamp>,
}

pub(super) fn serve(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let config = read_config(arguments)?;
    let tls = config
        .tls
        .as_ref()
        .map(serve::tls_acceptor)
        .transpose()
        .map_err(|error| UserError::Argument(error.to_string()))?;
    let client = Client::new(config.webhooks.allow_private, config.webhooks.certificates.as_deref())
        .map_err(|error| UserError::Argument(error.to_string()))?;
    let secret_box = key::load_secret_box(config.secrets_key_file.as_ref());
    let secret_box = secret_box.map_err(|error| UserError::Argument(error.to_string()))?;
    let providers = context.providers()?;
    let endpoints = endpoints(&config, &providers, secret_box.as_ref())?;
    if arguments.check_config {
        println!("the configuration can be used: {}", describe(&config));
        return Ok(());
    }
    context.log(config.log);
    let store = Store::open(&context.db)?;
    can_read_keys(&store, &endpoints)?;
    if !config.listen.ip().is_loopback() && api_tokens::list(store.db())?.is_empty() {
        let message = format!(
            "`{}` can be reached from outside, and there is no token yet; make one with `perennial token create`",
            config.listen
        );
        return Err(UserError::Argument(message).into());
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let signals =
        run::stop_on_signals(Arc::new(AtomicBool::new(false))).context("cannot listen for signals")?;
    let (host, running) =
        Service::start(store, &context.db, providers, arguments.virtual_clock, config.limits.clone())?;
    host.configure_webhooks(config.webhooks.clone());
    if let Some(secret_box) = secret_box {
        host.set_secret_box(secret_box);
    }
    let running = stop_with(running, &host);
    let served = runtime.block_on(async {
        let connections = config.limits.connections_max;
        let mut served = Vec::new();
        let state = AppState::new(host.clone());
        for (provider, address, secret_box) in endpoints {
            let endpoint = ProviderApiServer::new(&state, &provider, secret_box)?;
            // Tools on this machine speak plain HTTP to it.
            let tls = tls.clone().filter(|_| !address.ip().is_loopback());
            let listener = Listener::bind(address, tls, connections).await;
            let listener =
                listener.with_context(|| format!("cannot listen at {address} for `{provider}`"))?;
            tracing::info!(provider, address = %listener.address()?, "the host serves a provider's own API");
            let listener = listener.with_malformed_response(endpoint::serve::malformed_response(&endpoint));
            served.push((listener, endpoint::serve::router(endpoint)));
        }
        let listener = Listener::bind(config.listen, tls, connections).await;
        let listener = listener.with_context(|| format!("cannot listen at {}", config.listen))?;
        tracing::info!(db = %context.db.display(), address = %listener.address()?, "the host serves");
        served.push((listener, api::router(&state)));
        let (told, tell) = (host.clone(), host.clone());
        std::thread::spawn(move || {
            // The channel closes only with the process.
            if signals.recv().is_ok() {
                tell.begin_shutdown();
            }
        });
        let outbox = tokio::spawn(WebhookDispatcher::new(&host, client).run());
        let serving = served.into_iter().map(|(listener, router)| {
            let mut stopping = told.shutdown_signal();
            tokio::spawn(listener.serve(router, async move {
                // The sender lives as long as the host.
                drop(stopping.wait_for(|stopping| *stopping).await);
            }))
        });
        for serving in serving.collect::<Vec<_>>() {
            serving.await.context("a listener panicked; the log says why")?;
        }
        outbox.await.context("sending to webhooks failed; the log says why")
    });
    host.writer().stop();
    let ended = running.join().and_then(|ended| ended);
    let ended = ended.map_err(|_| anyhow::anyhow!("the thread that writes panicked; the log says why"))?;
    served?;
    ended?;
    tracing::info!("the host stopped; nothing was left half done");
    Ok(())
}

/// Has the host stop when the thread that writes ends, whatever ended it: a host whose clock stands must not seem well.
fn stop_with(
    running: WriterHandle,
    host: &Service,
) -> JoinHandle<std::thread::Result<Result<(), EngineError>>> {
    let host = host.clone();
    std::thread::spawn(move || {
        let ended = running.join();
        host.begin_shutdown();
        ended
    })
}

/// The providers' own APIs that are to be served: whose, where, and what reads their keys.
fn endpoints(
    config: &Config,
    providers: &Providers,
    secret_box: Option<&SecretBox>,
) -> Result<Vec<(String, SocketAddr, SecretBox)>, UserError> {
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

/// Makes sure that what signs requests to those APIs was kept with the key that is there now.
fn can_read_keys(store: &Store, endpoints: &[(String, SocketAddr, SecretBox)]) -> anyhow::Result<()> {
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

fn read_config(arguments: &Arguments) -> Result<Config, UserError> {
    let text = arguments.config.as_deref().map(input::read).transpose()?.unwrap_or_default();
    let name = arguments
        .config
        .as_ref()
        .map_or("the environment".to_owned(), |path| format!("`{}`", path.display()));
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    config::read(&text, environment)
        .map_err(|error| UserError::Argument(format!("{name} cannot be used: {error}")))
}

fn describe(config: &Config) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let endpoints = config.endpoints.iter().map(|(provider, address)| format!(", {provider} at {address}"));
    format!("{scheme}://{}{}", config.listen, endpoints.collect::<String>())
}
