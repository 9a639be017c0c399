//! Makes components of bytes: checks size and kind, compiles, keeps the compiled code. Knows no contract.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;
use wasmtime::component::Component;

use crate::runtime::cache::Cache;
use crate::runtime::code_size;
use crate::runtime::engine::Runtime;
use crate::runtime::error::LoadError;
use crate::runtime::limits::Limits;

/// An engine with its limits, and where compiled code is kept.
pub struct Loader {
    /// The runtime that compiles and runs components.
    pub runtime: Arc<Runtime>,
    /// What each of them may spend.
    pub limits: Limits,
    cache: Option<Cache>,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
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
        Ok(Loader { runtime: Arc::new(runtime), limits, cache: cache_dir.and_then(open_cache) })
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

    /// Whether compiling the component takes no more time and memory than the limits say. One that cannot be read is the
    /// compiler's to refuse.
    fn check_code(&self, origin: &str, bytes: &[u8]) -> Result<(), LoadError> {
        let Ok(size) = code_size::measure(bytes) else { return Ok(()) };
        let Limits { functions_max, function_bytes_max, function_locals_max, code_weight_max, .. } =
            self.limits;
        let sizes = [
            ("functions", size.functions, functions_max),
            ("bytes in one function", size.function_bytes, function_bytes_max),
            ("locals in one function", size.function_locals, function_locals_max),
            ("bytes times locals in its functions", size.weight, code_weight_max),
        ];
        match sizes.into_iter().find(|(_, found, limit)| found > limit) {
            Some((what, found, limit)) => {
                Err(LoadError::TooMuchCode { origin: origin.to_owned(), what, found, limit })
            }
            None => Ok(()),
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
}

/// A cache is a convenience: without it everything works, only slower.
fn open_cache(folder: &Path) -> Option<Cache> {
    Cache::open(folder)
        .inspect_err(|error| {
            tracing::warn!(folder = %folder.display(), %error, "cannot keep compiled plugins here: compiling at every start");
        })
        .ok()
}
