//! The configuration: one TOML file, with overrides from the environment. `serve` reads all of it; every command that
//! asks rules reads `[plugins]`.
//!
//! `[limits] body_bytes_max` is `PERENNIAL_LIMITS_BODY_BYTES_MAX` in the environment. Everything that is wrong is said at
//! once, in the file or in the environment; nothing that is not known is passed over. `listen` is the admin API's address
//! or, to serve providers' own APIs as well, a section: `admin`, and an address for each provider.

mod environment;
mod plugins;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::environment::ADMIN;
pub(crate) use crate::config::environment::PROVIDER_SECRET_VARIABLE;
use crate::config::environment::UnknownVariable;
use crate::config::plugins::PluginsSection;
use crate::config::plugins::plugins;
use crate::config::plugins::trust;
use crate::outbound_config;
use crate::profile;
pub use crate::profile::Profile;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_engine::revisions::Upgrade;
use perennial_formats::Problems;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_http::server::Tls;
use perennial_sandbox::GrantBounds;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Trust;
use perennial_service::channels::email::MailServer;
use perennial_service::connections::Connections;
use perennial_service::limits::Limit;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;

pub(crate) use crate::config::plugins::plugin_file;

/// How the host is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the admin API listens.
    pub listen: SocketAddr,
    /// Where providers' own APIs listen, by provider.
    pub endpoints: BTreeMap<String, SocketAddr>,
    /// How it proves who it is; `None` is plain HTTP.
    pub tls: Option<Tls>,
    /// What requests may take.
    pub limits: Limits,
    /// How the log is written.
    pub log: LogFormat,
    /// How events are sent to webhooks.
    pub webhooks: Webhooks,
    /// How providers of connected accounts are called.
    pub connections: Connections,
    /// The server that e-mail is sent over; `None` sends none.
    pub email: Option<MailServer>,
    /// Where the key is that secrets are kept with.
    pub secrets_key_file: Option<PathBuf>,
    /// The plugins to load, beside or instead of the bundled ones.
    pub plugins: Vec<PluginFile>,
    /// What becomes of accounts that follow the bundled revision of a plugin when another version of the host brings another.
    pub upgrade: Upgrade,
    /// The keys by one of which a plugin has to be signed; none is asked for without any.
    pub trust: Trust,
    /// What plugins are granted beyond what every plugin has: by their files, or `sha256:` and their digest.
    pub grants: BTreeMap<String, PluginLimits>,
    /// How much may be granted.
    pub grant_bounds: GrantBounds,
    /// Whether the host starts although there are accounts whose provider has no plugin.
    pub allow_missing_plugins: bool,
    /// Whether there is a database already, so that none is made.
    pub database_must_exist: bool,
    /// The hosts that commands can be sent to, by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Both formats, for parsing and for the message that lists them.
    pub const ALL: [LogFormat; 2] = [LogFormat::Text, LogFormat::Json];

    /// `text` or `json`.
    pub const fn name(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

impl Config {
    /// What holds when nothing is said: plain HTTP on the loopback interface.
    pub const DEFAULT: Config = Config {
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420),
        endpoints: BTreeMap::new(),
        tls: None,
        limits: Limits::DEFAULT,
        log: LogFormat::Text,
        webhooks: Webhooks::DEFAULT,
        connections: Connections::DEFAULT,
        email: None,
        secrets_key_file: None,
        plugins: Vec::new(),
        grants: BTreeMap::new(),
        grant_bounds: GrantBounds::DEFAULT,
        allow_missing_plugins: false,
        upgrade: Upgrade::Follow,
        trust: Trust { keys: Vec::new() },
        database_must_exist: false,
        profiles: BTreeMap::new(),
    };
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML.
    #[error("it is not TOML: {0}")]
    NotToml(String),
    /// Something in the environment is no key.
    #[error(
        "`{name}` in the environment is no key of the configuration{meant}; unset it, or look its name up in README.md"
    )]
    UnknownVariable {
        /// The name of the variable.
        name: String,
        /// Such as `(did you mean …?)`; empty when nothing there is comes close.
        meant: String,
    },
    /// Something does not make sense.
    #[error("{0}")]
    Wrong(Problems),
}

/// Reads a configuration: the file's text, and the environment.
///
/// # Errors
///
/// [`ConfigError`] with everything that is wrong.
pub fn read(
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| ConfigError::NotToml(error.to_string()))?;
    environment::overlay(&mut table, environment)
        .map_err(|UnknownVariable { name, meant }| ConfigError::UnknownVariable { name, meant })?;
    // Files of every format are read the same way, with the same words for what is wrong.
    let json = serde_json::to_string(&table).map_err(|error| ConfigError::NotToml(error.to_string()))?;
    body::read_as("the file", &json, config).map_err(|failure| match failure {
        body::Failure::NotJson(problems) | body::Failure::Wrong(problems) => ConfigError::Wrong(problems),
    })
}

fn config(spot: JsonCursor<'_, '_>) -> Option<Config> {
    let fields = spot.object(&[
        "listen",
        "tls",
        "limits",
        "log",
        "webhooks",
        "connections",
        "email",
        "secrets",
        "plugins",
        "trust",
        "database",
        "profiles",
    ])?;
    let default = Config::DEFAULT;
    let listen = fields.optional("listen", listen).or((default.listen, default.endpoints));
    let tls = fields.optional("tls", tls).option();
    let limits = fields.optional("limits", limits).or(default.limits);
    let log = fields.optional("log", log_format);
    let webhooks = fields.optional("webhooks", outbound_config::webhooks).or(default.webhooks);
    let connections = fields.optional("connections", outbound_config::connections).or(default.connections);
    let email = fields.optional("email", outbound_config::mail_server).option();
    let secrets_key_file = fields.optional("secrets", |spot| {
        let fields = spot.object(&["key_file"])?;
        fields.optional("key_file", |spot| spot.name().map(PathBuf::from)).option()
    });
    let plugins = fields.optional("plugins", plugins).or(PluginsSection::default());
    let trust = fields.optional("trust", trust).or(default.trust);
    let must_exist = fields.optional("database", |spot| {
        let fields = spot.object(&["must_exist"])?;
        fields.optional("must_exist", |spot| spot.flag()).or(default.database_must_exist)
    });
    let profiles = fields.optional("profiles", |spot| spot.named(profile::read)).or(BTreeMap::new());
    let (listen, endpoints) = listen?;
    let tls = tls?;
    check_addresses(spot, listen, &endpoints, tls.is_some());
    let plugins = plugins?;
    Some(Config {
        listen,
        endpoints,
        tls,
        limits: limits?,
        log: log.or(default.log)?,
        webhooks: webhooks?,
        connections: connections?,
        email: email?,
        secrets_key_file: secrets_key_file.option()?.flatten(),
        plugins: plugins.files,
        grants: plugins.grants,
        grant_bounds: plugins.grant_bounds,
        allow_missing_plugins: plugins.allow_missing,
        upgrade: plugins.upgrade,
        trust: trust?,
        database_must_exist: must_exist.or(default.database_must_exist)?,
        profiles: profiles?,
    })
}

fn log_format(spot: JsonCursor<'_, '_>) -> Option<LogFormat> {
    let fields = spot.object(&["format"])?;
    fields.optional("format", |spot| spot.one_of(&LogFormat::ALL, LogFormat::name)).or(LogFormat::Text)
}

/// Notes two that listen at one address, and a provider's own API that the world could reach without TLS.
fn check_addresses(
    spot: JsonCursor<'_, '_>,
    admin: SocketAddr,
    endpoints: &BTreeMap<String, SocketAddr>,
    has_tls: bool,
) {
    let addresses =
        || [(ADMIN, &admin)].into_iter().chain(endpoints.iter().map(|(name, at)| (name.as_str(), at)));
    for (provider, address) in endpoints {
        let first = addresses().find(|(_, taken)| *taken == address && address.port() != 0);
        if let Some((first, _)) = first.filter(|(first, _)| first != provider) {
            spot.report(format!("`listen.{provider}` is {address}, and so is `listen.{first}`"));
        }
        if !has_tls && !address.ip().is_loopback() {
            spot.report(format!(
                "`listen.{provider}` is {address}, which can be reached from outside: that takes [tls]"
            ));
        }
    }
}

/// The admin API's address, and those of providers' own APIs.
fn listen(spot: JsonCursor<'_, '_>) -> Option<(SocketAddr, BTreeMap<String, SocketAddr>)> {
    let default = Config::DEFAULT;
    if spot.is_text() {
        return Some((address(spot)?, default.endpoints));
    }
    let mut endpoints = spot.named(address)?;
    let admin = endpoints.remove(ADMIN).unwrap_or(default.listen);
    Some((admin, endpoints))
}

fn address(spot: JsonCursor<'_, '_>) -> Option<SocketAddr> {
    let address = spot.text()?.parse().ok();
    address.or_else(|| spot.report_type("an address and port such as \"127.0.0.1:8420\""))
}

fn tls(spot: JsonCursor<'_, '_>) -> Option<Tls> {
    let fields = spot.object(&["certificate", "key"])?;
    let certificate = fields.required("certificate", |spot| spot.name().map(PathBuf::from));
    let key = fields.required("key", |spot| spot.name().map(PathBuf::from));
    Some(Tls { certificate: certificate?, key: key? })
}

fn limits(spot: JsonCursor<'_, '_>) -> Option<Limits> {
    let fields = spot.object(Limits::NAMES)?;
    let given =
        Limits::ALL.iter().map(|limit| fields.optional(limit.name, |spot| limit_value(limit, spot)).option());
    // Every one is read before the first that is wrong ends this, so that all that is wrong is said.
    let given = given.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    let mut limits = Limits::DEFAULT;
    for (limit, value) in Limits::ALL.iter().zip(given) {
        match value {
            Some(LimitValue::Number(number)) => (limit.set)(&mut limits, number),
            Some(LimitValue::Milliseconds(number)) => (limit.set_milliseconds)(&mut limits, number),
            None => {}
        }
    }
    Some(limits)
}

/// What the configuration says of a limit.
enum LimitValue {
    Number(u32),
    Milliseconds(u32),
}

/// Reads a whole number or, where the limit is a time, milliseconds such as `"50ms"`.
fn limit_value(limit: &Limit, spot: JsonCursor<'_, '_>) -> Option<LimitValue> {
    if !limit.is_time || !spot.is_text() {
        return spot.integer(limit.least, limit.most).map(LimitValue::Number);
    }
    let most = limit.most.saturating_mul(1000);
    let number = spot.text()?.strip_suffix("ms").and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| (1..=most).contains(number)).map(LimitValue::Milliseconds);
    let (least, most) = (limit.least, limit.most);
    number.or_else(|| spot.report_type(&format!("whole seconds from {least} to {most}, or such as \"50ms\"")))
}
