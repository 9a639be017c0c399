//! Makes components of bytes: checks size and kind, compiles, keeps the compiled code. Knows no contract.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use perennial_domain::plugin_limits::PluginLimits;
use sha2::Digest;
use sha2::Sha256;
use wasmtime::component::Component;

use crate::runtime::cache::Cache;
use crate::runtime::code_size;
use crate::runtime::code_size::Most;
use crate::runtime::engine::Runtime;
use crate::runtime::error::LoadError;
use crate::runtime::limits::Limits;

/// An engine with its limits, and where compiled code is kept.
pub struct Loader {
    /// The runtime that compiles and runs components.
    pub runtime: Arc<Runtime>,
    /// What each of them may spend.
    pub limits: Limits,
    cache: Option<Arc<Cache>>,
    /// The runtime without a pool, once a plugin needed it.
    without_pool: Arc<Mutex<Option<Arc<Runtime>>>>,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
}

/// Why a component cannot be compiled, and what helps where the pool is too small for it.
fn compile_problem(error: &wasmtime::Error) -> String {
    let reason = format!("{error:#}");
    if reason.contains("pooling allocator") {
        return format!(
            "{reason}. A plugin that is granted limits of its own runs outside of the pool: have it ask for them, as in \
             `perennial plugin pack --ask memory=64MiB`"
        );
    }
    reason
}

impl Loader {
    /// Starts an engine; compiled code is kept in `cache_dir`, if there is one.
    ///
    /// # Errors
    ///
    /// [`LoadError::NoSandbox`] when the machine cannot run one.
    pub fn start(cache_dir: Option<&Path>, limits: Limits) -> Result<Loader, LoadError> {
        let runtime =
            Runtime::start(&limits).map_err(|error| LoadError::NoSandbox { reason: format!("{error:#}") })?;
        let cache = cache_dir.and_then(open_cache).map(Arc::new);
        Ok(Loader { runtime: Arc::new(runtime), limits, cache, without_pool: Arc::default() })
    }

    /// The loader of a plugin that was granted `limits` beyond those of every plugin. Its runtime is made when the first such
    /// plugin is loaded; all of their sandboxes together have at most `memory_max_bytes`.
    ///
    /// # Errors
    ///
    /// [`LoadError::NoSandbox`] when the machine cannot run one.
    pub fn with(&self, limits: PluginLimits, memory_max_bytes: usize) -> Result<Loader, LoadError> {
        let mut without_pool = self.without_pool.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match without_pool.as_ref() {
            Some(runtime) => Arc::clone(runtime),
            None => {
                let runtime = Runtime::start_without_pool(memory_max_bytes);
                let runtime =
                    runtime.map_err(|error| LoadError::NoSandbox { reason: format!("{error:#}") })?;
                Arc::clone(without_pool.insert(Arc::new(runtime)))
            }
        };
        drop(without_pool);
        Ok(Loader {
            runtime,
            limits: self.limits.with(limits),
            cache: self.cache.clone(),
            without_pool: Arc::clone(&self.without_pool),
        })
    }

    /// The component and the digest of its bytes; `origin` is for messages.
    ///
    /// # Errors
    ///
    /// When the bytes are too many, no component, or cannot be compiled.
    pub fn component(&self, origin: &str, bytes: &[u8]) -> Result<(Component, String), LoadError> {
        self.recognise(origin, bytes)?;
        self.check_code(origin, bytes)?;
        let digest = hex::encode(Sha256::digest(bytes));
        let component = self.compile(origin, &digest, bytes)?;
        Ok((component, digest))
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

    /// Whether compiling the component takes no more time and memory than the limits say. One that cannot be read to its end
    /// is refused: what it begins with would be compiled before the compiler comes to where it is broken.
    fn check_code(&self, origin: &str, bytes: &[u8]) -> Result<(), LoadError> {
        let origin = || origin.to_owned();
        let size = code_size::measure(bytes)
            .map_err(|error| LoadError::Invalid { origin: origin(), reason: error.to_string() })?;
        let above = size.against(&self.limits).into_iter().find(|(_, found, limit, _)| found > limit);
        let Some((what, found, limit, most)) = above else { return Ok(()) };
        let what = match most {
            Some(Most { module, function, .. }) => {
                format!("{what} in function {function} of its module {module}")
            }
            None => what.to_owned(),
        };
        Err(LoadError::TooMuchCode { origin: origin(), what, found, limit })
    }

    fn compile(&self, origin: &str, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        let engine = self.runtime.engine();
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(engine, digest)) {
            return Ok(component);
        }
        let invalid = |error: wasmtime::Error| LoadError::Invalid {
            origin: origin.to_owned(),
            reason: compile_problem(&error),
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
}

/// A cache is a convenience: without it everything works, only slower.
fn open_cache(folder: &Path) -> Option<Cache> {
    Cache::open(folder)
        .inspect_err(|error| {
            tracing::warn!(folder = %folder.display(), %error, "cannot keep compiled plugins here: compiling at every start");
        })
        .ok()
}
