//! Bundles to ask about, and plugins loaded from bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::ledger::Balance;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::LoadError;
use perennial_sandbox::Options;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;
use tempfile::TempDir;

/// When every question of these tests is asked.
pub const NOW: Timestamp = Timestamp::from_second(1_800_000_000);

/// The limits of every plugin here. A busy machine stops nothing by time, so that what stops a plugin is what it did.
pub const LIMITS: Limits = Limits { time_max: Duration::from_secs(300), ..Limits::DEFAULT };

/// A folder for the compiled code of all tests but those about it, so that each plugin is compiled once.
fn shared_cache() -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| TempDir::new().unwrap()).path().to_owned()
}

/// A folder with one component in it, and the component's path.
pub fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Every plugin there is when `files` are loaded, too.
pub fn load(files: &[PathBuf], limits: Limits) -> Result<Plugins, LoadError> {
    Plugins::load(&Options {
        files: files.iter().cloned().map(PluginFile::from).collect(),
        cache_dir: Some(shared_cache()),
        limits,
        trust: Trust::default(),
        grants: Grants::new(package_manifest::limits),
    })
}

/// The plugin with these bytes, which calls itself `id`.
pub fn plugin(id: &str, bytes: &[u8], limits: Limits) -> Arc<Plugin> {
    let (_folder, path) = file("guest.wasm", bytes);
    Arc::clone(load(&[path], limits).unwrap().get(id).unwrap())
}

/// An account of the provider `hostile`.
pub fn account() -> Account {
    Account {
        id: "account-1".to_owned(),
        provider: "hostile".to_owned(),
        mode: Mode::Managed,
        currency: "EUR".to_owned(),
        balance: Balance::default(),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    }
}

/// A bundle of one resource that expires in a thousand seconds, and over which the hostile plugin does `does`.
pub fn bundle(id: &str, does: &str) -> Bundle {
    let attributes =
        [("unread", "x"), ("does", does)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let member = Resource {
        id: id.to_owned(),
        kind: "thing".to_owned(),
        region: "far-away".to_owned(),
        started_at: NOW - 1_000_000,
        expires_at: Some(NOW + 1_000),
        anchor_day: Some(1),
        term: Term::new(1, TermUnit::Month),
        attributes: attributes.into_iter().collect(),
        ..Resource::default()
    };
    Bundle { members: vec![member] }
}
