//! Installing a revision of a plugin: everything that is looked at before it is kept, stage by stage.
//!
//! Writes nothing. What fails says at which stage: `read`, `digest`, `signature`, `package`, `limits`, `size`, `contract`, `compile`,
//! `describe`, `purity`, `kinds` (of resources that are still there) or `settings`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_engine::kinds_in_use;
use perennial_engine::rules::Providers;
use perennial_formats::package::PackageManifest;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginParts;
use perennial_sandbox::purity;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::error::StoreError;
use sha2::Digest;
use sha2::Sha256;

/// The most accounts of which a message says what is wrong with their settings.
const ACCOUNTS_MAX: usize = 10;
/// The most questions with two answers that a message lists.
const DIFFERENCES_MAX: usize = 5;

/// What somebody wants to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What it is called in messages, such as the name of its file.
    pub name: String,
    /// The component in base64, or the text of a table.
    pub content: PackageContent,
    /// What the SHA-256 of the file, or the revision, has to be, in hexadecimal.
    pub digest: Option<String>,
    /// The signature of the file, in base64.
    pub signature: Option<String>,
    /// What it is granted beyond every plugin.
    pub granted: PluginLimits,
}

/// The file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageContent {
    /// A component, in base64.
    Component(String),
    /// A table, in TOML.
    Table(String),
}

/// Why a package is not installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {problem}")]
pub struct InstallError {
    /// The stage at which it failed.
    pub stage: &'static str,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl InstallError {
    fn at(stage: &'static str, problem: impl fmt::Display) -> InstallError {
        InstallError { stage, problem: problem.to_string() }
    }
}

/// A package that can be kept.
#[derive(Clone, Debug)]
pub struct CheckedPackage {
    /// The plugin, loaded.
    pub plugin: Arc<Plugin>,
    /// The name of its file.
    pub origin: String,
}

/// Looks at a package, and loads it: what binds it later compiles nothing.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read; within, why it is not installed.
pub fn check(
    db: &ReadTx,
    providers: &Providers,
    package: Package,
) -> Result<Result<CheckedPackage, InstallError>, StoreError> {
    let plugin = match load(providers, &package) {
        Ok(plugin) => plugin,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(missing) = kinds_in_use::missing(db, plugin.manifest())? {
        let problem = format!(
            "the plugin `{}` does not know resources of `{}`: {missing}; add what is missing, or end those resources first",
            package.name,
            plugin.manifest().id
        );
        return Ok(Err(InstallError::at("kinds", problem)));
    }
    let problems = settings_problems(db, &plugin)?;
    Ok(match problems.is_empty() {
        true => Ok(CheckedPackage { plugin, origin: package.name }),
        false => {
            let problem = format!(
                "the plugin `{}` does not take the settings of accounts of `{}`: {}; change them, or the plugin",
                package.name,
                plugin.manifest().id,
                problems.join("; ")
            );
            Err(InstallError::at("settings", problem))
        }
    })
}

fn load(providers: &Providers, package: &Package) -> Result<Arc<Plugin>, InstallError> {
    let Some(revisions) = providers.revisions() else {
        return Err(InstallError::at("read", "this host has no sandbox that loads plugins"));
    };
    let name = &package.name;
    let parts = match &package.content {
        PackageContent::Table(text) => PluginParts::of_table(text.clone().into_bytes()),
        PackageContent::Component(text) => {
            let bytes = BASE64_STANDARD.decode(text.trim());
            let wrong = |error| {
                InstallError::at(
                    "read",
                    format!("the plugin `{name}` is not in base64: {error}; send it again"),
                )
            };
            PluginParts::of_component(bytes.map_err(wrong)?)
        }
    };
    if let Some(expected) = &package.digest {
        let (found, revision) = (hex::encode(Sha256::digest(parts.written())), parts.digest());
        if *expected != found && *expected != revision {
            let problem = format!(
                "the plugin `{name}` has the digest {found}, and {expected} was asked for; send that one, or name the other \
                 digest if the new one is meant"
            );
            return Err(InstallError::at("digest", problem));
        }
    }
    let quoted = format!("`{name}`");
    let signature = package.signature.as_deref().map(str::as_bytes);
    let signed_by = revisions.plugins().trust().check(&quoted, parts.written(), signature);
    let signed_by = signed_by.map_err(|error| InstallError::at(error.stage(), error))?;
    let (manifest, problems) = PackageManifest::read(parts.written(), parts.table.is_some());
    if manifest.is_package() {
        let missing = manifest.missing();
        refuse("package", name, "is no package that is believed", [problems, missing].concat())?;
    }
    let loaded = revisions.load(name, PluginParts { signed_by, granted: package.granted, ..parts });
    let plugin = loaded.map_err(|error| InstallError::at(error.stage(), error))?;
    let contradictions = manifest.contradictions(&plugin.manifest().id);
    refuse("package", name, "is no package that is believed", contradictions)?;
    let differences = purity::differences(&plugin, DIFFERENCES_MAX);
    refuse("purity", name, "does not answer the same question the same way; tell its author", differences)?;
    Ok(plugin)
}

/// An error when there are problems, with all of them.
fn refuse(stage: &'static str, name: &str, what: &str, problems: Vec<String>) -> Result<(), InstallError> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(InstallError::at(stage, format!("the plugin `{name}` {what}: {}", problems.join("; ")))),
    }
}

/// What is wrong with the settings of the accounts of the plugin's provider.
fn settings_problems(db: &ReadTx, plugin: &Plugin) -> Result<Vec<String>, StoreError> {
    let mut known = BTreeMap::new();
    let mut problems = Vec::new();
    let accounts = accounts::list(db)?.into_iter().map(|stored| stored.account);
    for account in accounts.filter(|account| account.provider == plugin.manifest().id) {
        let found = known.entry(account.settings).or_insert_with_key(|settings| {
            plugin.check_settings(settings).unwrap_or_else(|error| vec![error.to_string()])
        });
        if !found.is_empty() {
            problems.push(format!("`{}`: {}", account.id, found.join(", ")));
        }
    }
    let more = problems.len().saturating_sub(ACCOUNTS_MAX);
    problems.truncate(ACCOUNTS_MAX);
    if more > 0 {
        problems.push(format!("and {more} more accounts"));
    }
    Ok(problems)
}
