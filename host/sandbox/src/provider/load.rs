//! Loads plugins: checks size and kind, compiles the code, checks the contract, and reads the manifest.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;
use wasmtime::component::Component;
use wasmtime::component::Linker;

use crate::provider::bindings;
use crate::provider::bindings::ProviderPre;
use crate::provider::bindings::provider_api::ProviderWithApiPre;
use crate::provider::bundled::BUNDLED;
use crate::provider::contract::Interfaces;
use crate::provider::manifest;
use crate::provider::plugin::Plugin;
use crate::runtime::cache::Cache;
use crate::runtime::call;
use crate::runtime::engine::Runtime;
use crate::runtime::error::LoadError;
use crate::runtime::limits::Limits;

/// What to load, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Components on disk, beside the bundled ones.
    pub files: Vec<PluginFile>,
    /// Where compiled code is kept; `None` compiles each plugin at every start, which takes about a second.
    pub cache_dir: Option<PathBuf>,
    /// What each plugin may spend.
    pub limits: Limits,
}

/// A plugin on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The component.
    pub path: PathBuf,
    /// The only revision of it that may be loaded: the SHA-256 of the file, in lower-case hexadecimal; `None` loads any.
    pub digest: Option<String>,
}

impl From<PathBuf> for PluginFile {
    /// Any revision.
    fn from(path: PathBuf) -> PluginFile {
        PluginFile { path, digest: None }
    }
}

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Bundled(&'static str),
    /// It was read from a file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Bundled(id) => write!(f, "`{id}` (bundled)"),
            Origin::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Origin {
    /// What the plugin is called before it has said who it is.
    fn name(&self) -> String {
        match self {
            Origin::Bundled(id) => (*id).to_owned(),
            Origin::File(path) => path.display().to_string(),
        }
    }
}

/// Every plugin there is, by the provider that accounts name.
#[derive(Debug)]
pub struct Plugins {
    by_id: BTreeMap<String, Arc<Plugin>>,
}

impl Plugins {
    /// The bundled plugins and those of the files. A file's plugin takes the place of a bundled one with its id.
    ///
    /// # Errors
    ///
    /// The first plugin that cannot be used, as a [`LoadError`]; two files for one provider are an error, too.
    pub fn load(options: &Options) -> Result<Plugins, LoadError> {
        let runtime = Runtime::start(&options.limits)
            .map_err(|error| LoadError::NoSandbox { reason: format!("{error:#}") })?;
        let loader = Loader {
            runtime: Arc::new(runtime),
            cache: options.cache_dir.as_deref().and_then(open_cache),
            limits: options.limits,
        };
        let mut by_id = BTreeMap::new();
        for file in &options.files {
            let bytes = read(&file.path)?;
            check_digest(file, &bytes)?;
            let plugin = loader.load(Origin::File(file.path.clone()), &bytes)?;
            let second = plugin.origin().to_string();
            if let Some(first) = by_id.insert(plugin.manifest().id.clone(), Arc::new(plugin)) {
                let id = first.manifest().id.clone();
                return Err(LoadError::Twice { id, first: first.origin().to_string(), second });
            }
        }
        for bundled in BUNDLED {
            if !by_id.contains_key(bundled.id) {
                let plugin = loader.load(Origin::Bundled(bundled.id), bundled.component)?;
                by_id.insert(plugin.manifest().id.clone(), Arc::new(plugin));
            }
        }
        Ok(Plugins { by_id })
    }

    /// The plugin that has the rules of `provider`.
    pub fn get(&self, provider: &str) -> Option<&Arc<Plugin>> {
        self.by_id.get(provider)
    }

    /// Every plugin, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.by_id.values()
    }
}

/// A file's bytes; `-` is the standard input.
fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let bytes = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    bytes.map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })
}

/// Before anything of the file is compiled: it may be another one than the operator looked at.
fn check_digest(file: &PluginFile, bytes: &[u8]) -> Result<(), LoadError> {
    let found = hex::encode(Sha256::digest(bytes));
    match &file.digest {
        Some(expected) if *expected != found => {
            Err(LoadError::OtherDigest { path: file.path.clone(), expected: expected.clone(), found })
        }
        Some(_) | None => Ok(()),
    }
}

/// A cache is a convenience: without it everything works, only slower.
fn open_cache(folder: &Path) -> Option<Cache> {
    Cache::open(folder)
        .inspect_err(|error| {
            tracing::warn!(folder = %folder.display(), %error, "cannot keep compiled plugins here: compiling at every start");
        })
        .ok()
}

struct Loader {
    runtime: Arc<Runtime>,
    cache: Option<Cache>,
    limits: Limits,
}

impl Loader {
    fn load(&self, origin: Origin, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let (shown, name) = (origin.to_string(), origin.name());
        self.recognise(&shown, bytes)?;
        let digest = hex::encode(Sha256::digest(bytes));
        let component = self.compile(&shown, &digest, bytes)?;
        let interfaces = Interfaces::of(self.runtime.engine(), &component);
        interfaces.check(&shown)?;
        let pre = self.bind((&shown, &name), &component, &interfaces)?;
        let provider_api = match interfaces.has_provider_api() {
            true => Some(self.bind_provider_api((&shown, &name), &pre, &interfaces)?),
            false => None,
        };
        let described = call::invoke(&self.runtime, &self.limits, (&name, "describe"), 0, |store| {
            let provider = pre.instantiate(&mut *store)?;
            provider.perennial_provider_profile().call_describe(store)
        });
        let described = described
            .map_err(|failure| LoadError::Silent { origin: shown.clone(), source: failure.error })?;
        let manifest = manifest::receive(described)
            .map_err(|problems| LoadError::WrongManifest { origin: shown, problems: problems.join("; ") })?;
        let runtime = Arc::clone(&self.runtime);
        Ok(Plugin::new(
            runtime,
            self.limits,
            (pre, provider_api),
            manifest,
            origin,
            digest,
            interfaces,
            bytes.len(),
        ))
    }

    /// Whether the bytes are a component of a sensible size, by their first eight.
    fn recognise(&self, origin: &str, bytes: &[u8]) -> Result<(), LoadError> {
        let origin = origin.to_owned();
        let limit_bytes = self.limits.component_max_bytes;
        match bytes {
            _ if bytes.len() > limit_bytes => {
                Err(LoadError::TooLarge { origin, bytes: bytes.len(), limit_bytes })
            }
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule { origin }),
            _ => Err(LoadError::NotWebAssembly { origin }),
        }
    }

    fn compile(&self, origin: &str, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        let engine = self.runtime.engine();
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(engine, digest)) {
            return Ok(component);
        }
        let invalid = |error: wasmtime::Error| LoadError::Invalid {
            origin: origin.to_owned(),
            reason: format!("{error:#}"),
        };
        let component = Component::from_binary(engine, bytes).map_err(invalid)?;
        if let Some(cache) = &self.cache {
            let code = component.serialize().map_err(invalid)?;
            if let Err(error) = cache.put(engine, digest, &code) {
                tracing::warn!(plugin = origin, %error, "cannot keep the compiled plugin");
            }
        }
        Ok(component)
    }

    /// Finds the contract's functions in the component, and makes sure that they have its types.
    fn bind(
        &self,
        (origin, name): (&str, &str),
        component: &Component,
        interfaces: &Interfaces,
    ) -> Result<ProviderPre<call::StoreLimits>, LoadError> {
        let wrong = |error: wasmtime::Error| interfaces.wrong(origin, format!("{error:#}"));
        let linker = Linker::new(self.runtime.engine());
        let pre = linker.instantiate_pre(component).map_err(wrong)?;
        let pre = ProviderPre::new(pre).map_err(wrong)?;
        let bound = call::bind(&self.runtime, &self.limits, pre.instance_pre(), name, |store, instance| {
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
        &self,
        (origin, name): (&str, &str),
        pre: &ProviderPre<call::StoreLimits>,
        interfaces: &Interfaces,
    ) -> Result<ProviderWithApiPre<call::StoreLimits>, LoadError> {
        let wrong = |error: wasmtime::Error| interfaces.wrong(origin, format!("{error:#}"));
        let pre = ProviderWithApiPre::new(pre.instance_pre().clone()).map_err(wrong)?;
        let bound = call::bind(&self.runtime, &self.limits, pre.instance_pre(), name, |store, instance| {
            bindings::provider_api::check_types(pre.instance_pre(), store, instance)
        });
        match bound {
            Ok(Ok(())) => Ok(pre),
            Ok(Err(error)) => Err(wrong(error)),
            Err(source) => Err(LoadError::Silent { origin: origin.to_owned(), source }),
        }
    }
}
