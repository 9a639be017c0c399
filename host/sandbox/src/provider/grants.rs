//! What packages ask for beyond what every plugin has, and what they are granted.
//!
//! Knows where a package says it, and compares. Who grants what, and how a package is read, is told by the caller.

use std::collections::BTreeMap;
use std::path::Path;

use perennial_domain::plugin_limits::PluginLimits;
use sha2::Digest as _;
use sha2::Sha256;
use wasmparser::Parser;
use wasmparser::Payload;

use crate::provider::parts::PluginParts;
use crate::provider::plugin_file::PluginFile;
use crate::runtime::error::LoadError;
use crate::runtime::loader::Loader;

/// The custom section of a component in which a package says what it is.
pub const PACKAGE_SECTION: &str = "perennial-package";

/// Reads what a package asks for of its section; what is wrong with it otherwise, in words.
pub type ReadLimits = fn(&[u8]) -> Result<PluginLimits, String>;

/// How much may be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantBounds {
    /// The most that one plugin may be granted.
    pub most: PluginLimits,
    /// The memory of all sandboxes of such plugins together, in bytes.
    pub memory_total_bytes: usize,
}

impl GrantBounds {
    /// Two million units of fuel an item, 256 MiB of memory, and files of 64 MiB; 512 MiB of memory for all of them together.
    pub const DEFAULT: GrantBounds = GrantBounds {
        most: PluginLimits {
            fuel_per_item: Some(2_000_000),
            memory_bytes: Some(256 << 20),
            file_bytes: Some(64 << 20),
            wasi: true,
        },
        memory_total_bytes: 512 << 20,
    };
}

/// Who may have more than every plugin has.
#[derive(Clone, Debug)]
pub struct Grants {
    /// Reads what a package asks for.
    pub read: ReadLimits,
    /// How much may be granted.
    pub bounds: GrantBounds,
    /// What files are granted: by their paths, or `sha256:` and the digest of the file.
    pub of_files: BTreeMap<String, PluginLimits>,
    /// Whether each package is granted what it asks for, as far as it may be: for the tools of authors.
    pub whatever_is_asked: bool,
}

impl Grants {
    /// No file is granted anything, and what is granted one by one has the default bounds.
    pub fn new(read: ReadLimits) -> Grants {
        Grants { read, bounds: GrantBounds::DEFAULT, of_files: BTreeMap::new(), whatever_is_asked: false }
    }

    /// What the file at `path` with these bytes is granted.
    pub(crate) fn of_file(&self, file: &PluginFile, bytes: &[u8]) -> PluginLimits {
        let by_path = self.of_files.iter().find(|(name, _)| Path::new(name) == file.path);
        let found = by_path.map(|(_, granted)| granted);
        let found =
            found.or_else(|| self.of_files.get(&format!("sha256:{}", hex::encode(Sha256::digest(bytes)))));
        found.copied().unwrap_or_default()
    }

    /// What a package asks for; nothing where it says nothing.
    pub(crate) fn asked(&self, origin: &str, parts: &PluginParts) -> Result<PluginLimits, LoadError> {
        // A table is interpreted by a component of ours, which asks for nothing.
        let section = if parts.table.is_some() { None } else { package_section(&parts.component) };
        let wrong = |problem| LoadError::WrongPackage { origin: origin.to_owned(), problem };
        section.map_or(Ok(PluginLimits::NONE), |section| (self.read)(section).map_err(wrong))
    }

    /// What a package has beyond every plugin, and the loader for it.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it asks for more than it is granted, or is granted more than it may be.
    pub(crate) fn apply(
        &self,
        loader: &Loader,
        origin: &str,
        parts: &mut PluginParts,
    ) -> Result<Option<Loader>, LoadError> {
        let standard = loader.limits.standard();
        let asked = self.asked(origin, parts)?;
        if self.whatever_is_asked && parts.granted.is_none() {
            parts.granted = asked.beyond(standard).at_most(self.bounds.most);
        }
        let mut above = parts.granted.above(self.bounds.most);
        if above.is_empty() && self.whatever_is_asked {
            // Nobody can grant that.
            above = asked.beyond(standard).above(self.bounds.most);
        }
        if !above.is_empty() {
            let (origin, above) = (origin.to_owned(), above.join("; "));
            return Err(LoadError::TooMuchGranted { origin, above });
        }
        let missing = asked.missing(parts.granted, standard);
        if !missing.is_empty() {
            let grant = asked.beyond(standard).to_string();
            return Err(LoadError::NotGranted {
                origin: origin.to_owned(),
                missing: missing.join("; "),
                grant,
            });
        }
        if parts.granted.is_none() {
            return Ok(None);
        }
        let (memory_bytes, total) =
            (loader.limits.with(parts.granted).memory_max_bytes, self.bounds.memory_total_bytes);
        if memory_bytes > total {
            let above = format!(
                "{memory_bytes} bytes of memory, and all that are granted anything have {total} bytes together \
                 (`grants_memory_bytes`)"
            );
            return Err(LoadError::TooMuchGranted { origin: origin.to_owned(), above });
        }
        loader.with(parts.granted, total).map(Some)
    }
}

/// What a component says of itself as a package, if it says anything.
pub fn package_section(component: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.ok()?;
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        } else if let Payload::CustomSection(section) = payload
            && depth == 0
            && section.name() == PACKAGE_SECTION
        {
            return Some(section.data());
        }
    }
    None
}
