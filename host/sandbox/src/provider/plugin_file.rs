//! Files of plugins: their bytes, the signature beside them, and which revision is meant. Loads nothing.

use std::path::Path;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;

use crate::bounded_file;
use crate::bounded_file::PLUGIN_MAX;
use crate::runtime::error::LoadError;

/// A plugin on disk: a component or, where the name ends in `.toml`, a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The file of the component or the table.
    pub path: PathBuf,
    /// The only revision of it that may be loaded, in lower-case hexadecimal: the SHA-256 of the file or, of a table, also
    /// its revision, which is of the interpreter, too; `None` loads any.
    pub digest: Option<String>,
}

impl PluginFile {
    /// Whether a file with this name and these bytes is a table: its name says so and, of the standard input, that the bytes
    /// are no component.
    pub fn is_table(path: &Path, bytes: &[u8]) -> bool {
        match path == Path::new("-") {
            true => !bytes.starts_with(b"\0asm"),
            false => path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")),
        }
    }

    /// Before anything of a component is compiled: the file may be another one than the operator looked at.
    pub(crate) fn check_digest(&self, bytes: &[u8], revision: Option<&str>) -> Result<(), LoadError> {
        let found = hex::encode(Sha256::digest(bytes));
        match &self.digest {
            Some(expected) if *expected != found && revision != Some(expected) => {
                Err(LoadError::OtherDigest { path: self.path.clone(), expected: expected.clone(), found })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl From<PathBuf> for PluginFile {
    /// A file in which any revision will do.
    fn from(path: PathBuf) -> PluginFile {
        PluginFile { path, digest: None }
    }
}

/// A file's bytes; `-` is the standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let bytes = match path == Path::new("-") {
        true => bounded_file::read_from(std::io::stdin(), PLUGIN_MAX),
        false => bounded_file::read(path, PLUGIN_MAX),
    };
    bytes.map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })
}

/// The signature beside a file, if there is one.
pub(crate) fn signature_beside(path: &Path) -> Result<Option<Vec<u8>>, LoadError> {
    let path = signature_path(path);
    match bounded_file::read(&path, PLUGIN_MAX) {
        Ok(signature) => Ok(Some(signature)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LoadError::Unreadable { path, source }),
    }
}

/// Where the signature of a plugin's file is: beside it, with `.sig` behind its name.
pub fn signature_path(plugin: &Path) -> PathBuf {
    let mut name = plugin.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}
