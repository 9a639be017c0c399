//! What the environment says over the file of the configuration: `PERENNIAL_LIMITS_READERS` is `[limits] readers`.
//!
//! Knows the names of all keys. Whether a value makes sense is found when the file and the environment are read together.

use perennial_formats::wording::did_you_mean;
use perennial_service::limits::Limits;
use perennial_service::secrets;

use crate::outbound_config;
use crate::profile;
use crate::registry;

/// The secret of a connected account's key, which `account connect` and `account rotate` seal.
pub(crate) const PROVIDER_SECRET_VARIABLE: &str = "PERENNIAL_PROVIDER_SECRET";
/// What the environment has in common with everything of this program's.
const PREFIX: &str = "PERENNIAL_";
/// What is in the environment for other reasons.
const OTHERS: [&str; 11] = [
    "PERENNIAL_DB",
    "PERENNIAL_CACHE",
    "PERENNIAL_CONFIG",
    secrets::KEY_VARIABLE,
    PROVIDER_SECRET_VARIABLE,
    profile::SERVER_VARIABLE,
    profile::TOKEN_FILE_VARIABLE,
    profile::PROFILE_VARIABLE,
    registry::USERNAME_VARIABLE,
    registry::PASSWORD_VARIABLE,
    registry::CREDENTIALS_VARIABLE,
];
/// What the variables of providers' addresses have in common.
const LISTEN: &str = "PERENNIAL_LISTEN_";
/// What the admin API's address is called among those of providers.
pub(super) const ADMIN: &str = "admin";
/// Every key, section by section; the first section is the top of the file.
const KEYS: [(&str, &[&str]); 11] = [
    ("", &["listen"]),
    ("tls", &["certificate", "key"]),
    ("limits", Limits::NAMES),
    ("log", &["format"]),
    ("webhooks", &["allow_private", "certificates", "source"]),
    ("connections", outbound_config::CONNECTION_KEYS),
    ("email", outbound_config::MAIL_KEYS),
    ("secrets", &["key_file"]),
    ("plugins", &["files", "allow_missing", "upgrade", "grants_max", "grants_memory_bytes"]),
    ("trust", &["keys"]),
    ("database", &["must_exist"]),
];

/// The keys that are lists.
const LISTS: [(&str, &str); 2] = [("plugins", "files"), ("trust", "keys")];
/// The keys that are numbers, beside all of `limits`.
const NUMBERS: [(&str, &str); 5] = [
    ("connections", "full_sync_seconds"),
    ("connections", "incremental_sync_seconds"),
    ("email", "port"),
    ("plugins", "grants_max"),
    ("plugins", "grants_memory_bytes"),
];

/// A variable of this program's that is no key.
pub(super) struct UnknownVariable {
    /// The name of the variable.
    pub(super) name: String,
    /// Such as ` (did you mean …?)`; empty when no key comes close.
    pub(super) meant: String,
}

/// Puts what the environment says into the table of the file, in the place of what the file says.
///
/// # Errors
///
/// [`UnknownVariable`] for the first variable of this program's that is no key.
pub(super) fn overlay(
    table: &mut toml::Table,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(), UnknownVariable> {
    for (name, value) in environment {
        if name.starts_with(PREFIX) && !OTHERS.contains(&name.as_str()) {
            set(table, &name, value)?;
        }
    }
    Ok(())
}

fn set(table: &mut toml::Table, name: &str, value: String) -> Result<(), UnknownVariable> {
    if let Some(provider) = name.strip_prefix(LISTEN) {
        let provider = provider.to_lowercase().replace('_', "-");
        listen_table(table).insert(provider, toml::Value::String(value));
        return Ok(());
    }
    let known = || KEYS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)));
    let Some((section, key)) = known().find(|(section, key)| variable(section, key) == name) else {
        let known = known().map(|(section, key)| variable(section, key)).collect::<Vec<_>>();
        let all = known.iter().map(String::as_str).chain(OTHERS);
        return Err(UnknownVariable { meant: did_you_mean(name, all), name: name.to_owned() });
    };
    let is_number = section == "limits" || NUMBERS.contains(&(section, key));
    let value = match (value.parse::<i64>(), value.parse::<bool>()) {
        _ if LISTS.contains(&(section, key)) => listed(&value),
        (Ok(number), _) if is_number => toml::Value::Integer(number),
        (_, Ok(flag)) => toml::Value::Boolean(flag),
        (_, Err(_)) => toml::Value::String(value),
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
