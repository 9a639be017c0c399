//! Loads plugins: checks size and kind, compiles the code, checks the contract, and reads the manifest.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::component::Linker;

use crate::provider::bindings;
use crate::provider::bindings::ProviderPre;
use crate::provider::bindings::connector::ProviderWithConnectorPre;
use crate::provider::bindings::profile;
use crate::provider::bindings::provider_api::ProviderWithApiPre;
use crate::provider::bundled::BUNDLED;
use crate::provider::connector::PluginConnector;
use crate::provider::contract::Interfaces;
use crate::provider::grants::Grants;
use crate::provider::manifest;
use crate::provider::parts::PluginParts;
use crate::provider::plugin::Plugin;
use crate::provider::plugin_file;
use crate::provider::plugin_file::PluginFile;
use crate::provider::signature::Trust;
use crate::provider::table::Table;
use crate::provider::table::TableSource;
use crate::runtime::call;
use crate::runtime::error::LoadError;
use crate::runtime::limits::Limits;
use crate::runtime::loader::Loader;
use crate::runtime::wasi;

/// What to load, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Components on disk, beside the bundled ones.
    pub files: Vec<PluginFile>,
    /// Where compiled code is kept; `None` compiles each plugin at every start, which takes about a second.
    pub cache_dir: Option<PathBuf>,
    /// What each plugin may spend.
    pub limits: Limits,
    /// Whose files are loaded. The signature of a file is beside it, with `.sig` behind its name.
    pub trust: Trust,
    /// Which of them may have more than every plugin has.
    pub grants: Grants,
}

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Bundled(&'static str),
    /// It was read from a file.
    File(PathBuf),
    /// It is kept in the database, or is to be: the name that it goes by.
    Kept(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Bundled(id) => write!(f, "`{id}` (bundled)"),
            Origin::File(path) => write!(f, "`{}`", path.display()),
            Origin::Kept(name) => write!(f, "`{name}`"),
        }
    }
}

impl Origin {
    /// What the plugin is called before it has said who it is.
    fn name(&self) -> String {
        match self {
            Origin::Bundled(id) => (*id).to_owned(),
            Origin::File(path) => path.display().to_string(),
            Origin::Kept(name) => name.clone(),
        }
    }
}

/// Every plugin there is, by the provider that accounts name.
#[derive(Debug)]
pub struct Plugins {
    loader: Loader,
    trust: Trust,
    grants: Grants,
    by_id: BTreeMap<String, Arc<Plugin>>,
}

impl Plugins {
    /// The bundled plugins and those of the files. A file's plugin takes the place of a bundled one with its id.
    ///
    /// # Errors
    ///
    /// The first plugin that cannot be used, as a [`LoadError`]; two files for one provider are an error, too.
    pub fn load(options: &Options) -> Result<Plugins, LoadError> {
        let grants = &options.grants;
        let loader = Loader::start(options.cache_dir.as_deref(), options.limits)?;
        let mut by_id = BTreeMap::new();
        for file in &options.files {
            let bytes = plugin_file::read(&file.path)?;
            let origin = Origin::File(file.path.clone());
            let signed_by = options.trust.check(
                &origin.to_string(),
                &bytes,
                plugin_file::signature_beside(&file.path)?.as_deref(),
            )?;
            let plugin = match PluginFile::is_table(&file.path, &bytes) {
                true => {
                    let parts = PluginParts { signed_by, ..PluginParts::of_table(bytes) };
                    let plugin = load((&loader, grants), origin, parts)?;
                    file.check_digest(plugin.parts().written(), Some(plugin.digest()))?;
                    plugin
                }
                false => {
                    file.check_digest(&bytes, None)?;
                    let granted = grants.of_file(file, &bytes);
                    let parts = PluginParts { signed_by, granted, ..PluginParts::of_component(bytes) };
                    load((&loader, grants), origin, parts)?
                }
            };
            let second = plugin.origin().to_string();
            if let Some(first) = by_id.insert(plugin.manifest().id.clone(), Arc::new(plugin)) {
                let id = first.manifest().id.clone();
                return Err(LoadError::Twice { id, first: first.origin().to_string(), second });
            }
        }
        for bundled in BUNDLED {
            if !by_id.contains_key(bundled.id) {
                let origin = Origin::Bundled(bundled.id);
                let parts = match bundled.table {
                    Some(table) => PluginParts::of_table(table.as_bytes()),
                    None => PluginParts::of_component(bundled.component),
                };
                let plugin = load((&loader, grants), origin, parts)?;
                by_id.insert(plugin.manifest().id.clone(), Arc::new(plugin));
            }
        }
        Ok(Plugins { loader, trust: options.trust.clone(), grants: grants.clone(), by_id })
    }

    /// The plugin that has the rules of `provider`.
    pub fn get(&self, provider: &str) -> Option<&Arc<Plugin>> {
        self.by_id.get(provider)
    }

    /// Loads a plugin beside them that is kept as its parts, and is called `name` in messages.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it cannot be used; [`LoadError::stage`] says how far it came.
    pub fn load_parts(&self, name: &str, parts: PluginParts) -> Result<Plugin, LoadError> {
        load((&self.loader, &self.grants), Origin::Kept(name.to_owned()), parts)
    }

    /// Whose plugins are loaded.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What loaded them, for components of other contracts: they share its engine.
    pub(crate) fn loader(&self) -> &Loader {
        &self.loader
    }

    /// Every plugin, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.by_id.values()
    }
}

fn load(
    (loader, grants): (&Loader, &Grants),
    origin: Origin,
    mut parts: PluginParts,
) -> Result<Plugin, LoadError> {
    contain(&origin.clone(), || {
        let shown = origin.to_string();
        let granted = grants.apply(loader, &shown, &mut parts)?;
        let loader = granted.as_ref().unwrap_or(loader);
        let (component, digest) = match &parts.table {
            Some(table) => {
                let source = TableSource::of(loader, &shown, &parts.component, table)?;
                (source.component, source.revision)
            }
            None => loader.component(&shown, &parts.component)?,
        };
        load_contained(loader, origin, (component, digest), parts)
    })
}

/// The result of `work`; a panic over the plugin of `origin` is an error like any other.
fn contain<T>(origin: &Origin, work: impl FnOnce() -> Result<T, LoadError>) -> Result<T, LoadError> {
    // What a panic interrupted is dropped: a component that was not finished, and a sandbox.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        let reason = text.unwrap_or("a panic without a message").to_owned();
        Err(LoadError::Unloadable { origin: origin.to_string(), reason })
    })
}

fn load_contained(
    loader: &Loader,
    origin: Origin,
    (component, digest): (Component, String),
    parts: PluginParts,
) -> Result<Plugin, LoadError> {
    let (shown, name) = (origin.to_string(), origin.name());
    let interfaces = Interfaces::of(loader.runtime.engine(), &component);
    let wasi = parts.granted.wasi;
    interfaces.check(&shown, wasi)?;
    let pre = bind(loader, (&shown, &name), (&component, wasi), &interfaces)?;
    let provider_api = match interfaces.has_provider_api() {
        true => Some(bind_provider_api(loader, (&shown, &name), &pre, &interfaces)?),
        false => None,
    };
    let wrong = |error: wasmtime::Error| interfaces.wrong(&shown, format!("{error:#}"));
    let table = parts.table_text().map(|text| Table::of(text, &pre)).transpose().map_err(wrong)?;
    let described = describe(loader, (&shown, &name), &pre, table.as_ref())?;
    let manifest = manifest::receive(described).map_err(|problems| LoadError::WrongManifest {
        origin: shown.clone(),
        problems: problems.join("; "),
    })?;
    let runtime = Arc::clone(&loader.runtime);
    let connector = match interfaces.has_connector() {
        true => {
            let functions = bind_connector(loader, (&shown, &name), &pre, &interfaces)?;
            let names = (shown.as_str(), manifest.id.as_str());
            Some(PluginConnector::load(Arc::clone(&runtime), loader.limits, functions, names)?)
        }
        false => None,
    };
    let functions = (pre, provider_api, table, connector);
    Ok(Plugin::new(runtime, loader.limits, functions, manifest, origin, digest, interfaces, parts))
}

/// What the plugin says of itself; of a table, first whether it is one.
fn describe(
    loader: &Loader,
    (origin, name): (&str, &str),
    pre: &ProviderPre<call::StoreLimits>,
    table: Option<&Table>,
) -> Result<profile::Manifest, LoadError> {
    let described = call::invoke(&loader.runtime, &loader.limits, (name, "describe"), 0, |store| {
        let (provider, problems) = match table {
            Some(table) => table.start(pre, store)?,
            None => (pre.instantiate(&mut *store)?, Vec::new()),
        };
        match problems.is_empty() {
            true => provider.perennial_provider_profile().call_describe(store).map(Ok),
            false => Ok(Err(problems)),
        }
    });
    let silent =
        |failure: call::Failure| LoadError::Silent { origin: origin.to_owned(), source: failure.error };
    let (described, _) = described.map_err(silent)?;
    let shown = |problems: Vec<_>| table.map(|table| table.shown(name, &problems)).unwrap_or_default();
    described
        .map_err(|problems| LoadError::WrongTable { origin: origin.to_owned(), problems: shown(problems) })
}

/// Finds the contract's functions in the component, and makes sure that they have its types.
fn bind(
    loader: &Loader,
    (origin, name): (&str, &str),
    (component, wasi): (&Component, bool),
    interfaces: &Interfaces,
) -> Result<ProviderPre<call::StoreLimits>, LoadError> {
    let wrong = |error: wasmtime::Error| interfaces.wrong(origin, format!("{error:#}"));
    let mut linker = Linker::new(loader.runtime.engine());
    if wasi {
        wasi::define(loader.runtime.engine(), component, &mut linker).map_err(wrong)?;
    }
    let pre = linker.instantiate_pre(component).map_err(wrong)?;
    let pre = ProviderPre::new(pre).map_err(wrong)?;
    let bound = call::bind(&loader.runtime, &loader.limits, pre.instance_pre(), name, |store, instance| {
        bindings::check_types(pre.instance_pre(), store, instance)
    });
    match bound {
        Ok(Ok(())) => Ok(pre),
        Ok(Err(error)) => Err(wrong(error)),
        Err(source) => Err(LoadError::Silent { origin: origin.to_owned(), source }),
    }
}

/// The same for the functions of `provider_api`, which not every plugin has.
fn bind_provider_api(
    loader: &Loader,
    (origin, name): (&str, &str),
    pre: &ProviderPre<call::StoreLimits>,
    interfaces: &Interfaces,
) -> Result<ProviderWithApiPre<call::StoreLimits>, LoadError> {
    let wrong = |error: wasmtime::Error| interfaces.wrong(origin, format!("{error:#}"));
    let pre = ProviderWithApiPre::new(pre.instance_pre().clone()).map_err(wrong)?;
    let bound = call::bind(&loader.runtime, &loader.limits, pre.instance_pre(), name, |store, instance| {
        bindings::provider_api::check_types(pre.instance_pre(), store, instance)
    });
    match bound {
        Ok(Ok(())) => Ok(pre),
        Ok(Err(error)) => Err(wrong(error)),
        Err(source) => Err(LoadError::Silent { origin: origin.to_owned(), source }),
    }
}

/// The same for the functions of `connector`, which not every plugin has.
fn bind_connector(
    loader: &Loader,
    (origin, name): (&str, &str),
    pre: &ProviderPre<call::StoreLimits>,
    interfaces: &Interfaces,
) -> Result<ProviderWithConnectorPre<call::StoreLimits>, LoadError> {
    let wrong = |error: wasmtime::Error| interfaces.wrong(origin, format!("{error:#}"));
    let pre = ProviderWithConnectorPre::new(pre.instance_pre().clone()).map_err(wrong)?;
    let bound = call::bind(&loader.runtime, &loader.limits, pre.instance_pre(), name, |store, instance| {
        bindings::connector::check_types(pre.instance_pre(), store, instance)
    });
    match bound {
        Ok(Ok(())) => Ok(pre),
        Ok(Err(error)) => Err(wrong(error)),
        Err(source) => Err(LoadError::Silent { origin: origin.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_over_a_file_is_an_error_that_names_it() {
        let origin = Origin::File("plugin.wasm".into());
        for (panic, reason) in [
            ((|| panic!("no memory {}", 7)) as fn() -> Result<(), LoadError>, "no memory 7"),
            (|| panic!("a fixed text"), "a fixed text"),
            (|| std::panic::panic_any(7), "a panic without a message"),
        ] {
            let error = contain(&origin, panic).unwrap_err().to_string();
            assert!(error.starts_with("the plugin `plugin.wasm` makes the host fail"), "{error}");
            assert!(error.contains(reason), "{error}");
        }
    }
}
