//! The configuration: one TOML file, with overrides from the environment. `serve` reads all of it; every command that
//! asks rules reads `[plugins]`.
//!
//! `[limits] body_bytes_max` is `PERENNIAL_LIMITS_BODY_BYTES_MAX` in the environment. Everything that is wrong is said at
//! once, in the file or in the environment; nothing that is not known is passed over. `listen` is the admin API's address
//! or, to serve providers' own APIs as well, a section: `admin`, and an address for each provider.

mod plugins;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::plugins::plugins;
use crate::config::plugins::trust;
use crate::outbound_config;
use crate::profile;
pub use crate::profile::Profile;
use perennial_engine::revisions::Upgrade;
use perennial_formats::Problems;
use perennial_formats::body;
use perennial_formats::body::JsonCursor;
use perennial_http::server::Tls;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Trust;
use perennial_service::channels::email::MailServer;
use perennial_service::connections::Connections;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;
use perennial_service::secrets;

pub(crate) use crate::config::plugins::plugin_file;

/// What the environment has in common with everything of this program's.
const PREFIX: &str = "PERENNIAL_";
/// The environment variable with a provider's secret that is to be sealed.
pub(crate) const PROVIDER_SECRET_VARIABLE: &str = "PERENNIAL_PROVIDER_SECRET";
/// What is in the environment for other reasons.
const OTHERS: [&str; 8] = [
    PROVIDER_SECRET_VARIABLE,
    "PERENNIAL_DB",
    "PERENNIAL_CACHE",
    "PERENNIAL_CONFIG",
    secrets::KEY_VARIABLE,
    profile::SERVER_VARIABLE,
    profile::TOKEN_FILE_VARIABLE,
    profile::PROFILE_VARIABLE,
];
/// What the variables of providers' addresses have in common.
const LISTEN: &str = "PERENNIAL_LISTEN_";
/// What the admin API's address is called among those of providers.
const ADMIN: &str = "admin";
/// Every key, section by section; the first section is the top of the file.
const KEYS: [(&str, &[&str]); 11] = [
    ("", &["listen"]),
    ("tls", &["certificate", "key"]),
    ("limits", Limits::NAMES),
    ("log", &["format"]),
    ("webhooks", &["allow_private", "certificates", "source"]),
    ("connections", &["allow_private", "allow_commands", "certificates"]),
    ("email", outbound_config::MAIL_KEYS),
    ("secrets", &["key_file"]),
    ("plugins", &["files", "allow_missing", "upgrade"]),
    ("trust", &["keys"]),
    ("database", &["must_exist"]),
];
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
    #[error("`{name}` in the environment is no key of the configuration; there are {known}")]
    UnknownVariable {
        /// The name of the variable.
        name: String,
        /// Those that there are.
        known: String,
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
    for (name, value) in environment {
        if name.starts_with(PREFIX) && !OTHERS.contains(&name.as_str()) {
            set(&mut table, &name, value)?;
        }
    }
    // Files of every format are read the same way, with the same words for what is wrong.
    let json = serde_json::to_string(&table).map_err(|error| ConfigError::NotToml(error.to_string()))?;
    body::read_as("the file", &json, config).map_err(|failure| match failure {
        body::Failure::NotJson(problems) | body::Failure::Wrong(problems) => ConfigError::Wrong(problems),
    })
}

fn set(table: &mut toml::Table, name: &str, value: String) -> Result<(), ConfigError> {
    if let Some(provider) = name.strip_prefix(LISTEN) {
        let provider = provider.to_lowercase().replace('_', "-");
        listen_table(table).insert(provider, toml::Value::String(value));
        return Ok(());
    }
    let known = || KEYS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)));
    let Some((section, key)) = known().find(|(section, key)| variable(section, key) == name) else {
        let known = known().map(|(section, key)| format!("`{}`", variable(section, key))).collect::<Vec<_>>();
        let known = format!("{}, and `{LISTEN}<PROVIDER>` for a provider's own API", known.join(", "));
        return Err(ConfigError::UnknownVariable { name: name.to_owned(), known });
    };
    let value = match (value.parse::<i64>(), value.parse::<bool>()) {
        _ if [("plugins", "files"), ("trust", "keys")].contains(&(section, key)) => listed(&value),
        (Ok(number), _) => toml::Value::Integer(number),
        (Err(_), Ok(flag)) => toml::Value::Boolean(flag),
        (Err(_), Err(_)) => toml::Value::String(value),
    };
    if key == "listen" && table.get(key).is_some_and(toml::Value::is_table) {
        listen_table(table).insert(ADMIN.to_owned(), value);
        return Ok(());
    }
    if section.is_empty() {
        table.insert(key.to_owned(), value);
        return Ok(());
    }
    let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(inner) = inner.as_table_mut() {
        inner.insert(key.to_owned(), value);
    }
    Ok(())
}

/// What a variable lists with commas between.
fn listed(value: &str) -> toml::Value {
    let files = value.split(',').map(str::trim).filter(|file| !file.is_empty());
    toml::Value::Array(files.map(|file| toml::Value::String(file.to_owned())).collect())
}

/// The section of addresses; an address alone was the admin API's.
fn listen_table(table: &mut toml::Table) -> &mut toml::Table {
    let before = table.remove("listen");
    let section = match before {
        Some(toml::Value::Table(section)) => section,
        Some(admin) => toml::Table::from_iter([(ADMIN.to_owned(), admin)]),
        None => toml::Table::new(),
    };
    let section = table.entry("listen").or_insert(toml::Value::Table(section));
    section.as_table_mut().expect("it was just put there as one")
}

/// What a key is called in the environment.
fn variable(section: &str, key: &str) -> String {
    let name = if section.is_empty() { key.to_owned() } else { format!("{section}_{key}") };
    format!("{PREFIX}{}", name.to_uppercase())
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
    let log = fields.optional("log", |spot| {
        let fields = spot.object(&["format"])?;
        fields.optional("format", |spot| spot.one_of(&LogFormat::ALL, LogFormat::name)).or(LogFormat::Text)
    });
    let webhooks = fields.optional("webhooks", outbound_config::webhooks).or(default.webhooks);
    let connections = fields.optional("connections", outbound_config::connections).or(default.connections);
    let email = fields.optional("email", outbound_config::mail_server).option();
    let secrets_key_file = fields.optional("secrets", |spot| {
        let fields = spot.object(&["key_file"])?;
        fields.optional("key_file", |spot| spot.name().map(PathBuf::from)).option()
    });
    let plugins = fields.optional("plugins", plugins).or((
        default.plugins,
        default.allow_missing_plugins,
        default.upgrade,
    ));
    let trust = fields.optional("trust", trust).or(default.trust);
    let must_exist = fields.optional("database", |spot| {
        let fields = spot.object(&["must_exist"])?;
        fields.optional("must_exist", |spot| spot.flag()).or(default.database_must_exist)
    });
    let profiles = fields.optional("profiles", |spot| spot.named(profile::read)).or(BTreeMap::new());
    let (listen, endpoints) = listen?;
    let tls = tls?;
    check_addresses(spot, listen, &endpoints, tls.is_some());
    let (plugins, allow_missing_plugins, upgrade) = plugins?;
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
        plugins,
        allow_missing_plugins,
        upgrade,
        trust: trust?,
        database_must_exist: must_exist.or(default.database_must_exist)?,
        profiles: profiles?,
    })
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
    let given = Limits::ALL
        .iter()
        .map(|limit| fields.optional(limit.name, |spot| spot.integer(limit.least, limit.most)).option());
    // Every one is read before the first that is wrong ends this, so that all that is wrong is said.
    let given = given.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    let mut limits = Limits::DEFAULT;
    for (limit, number) in Limits::ALL.iter().zip(given) {
        if let Some(number) = number {
            (limit.set)(&mut limits, number);
        }
    }
    Some(limits)
}
