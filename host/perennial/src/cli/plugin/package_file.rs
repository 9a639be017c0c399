//! A package in a file: its bytes, its signature beside it, and what it says of itself. Nothing of it is run.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use perennial_formats::package::PackageManifest;
use perennial_sandbox::PluginFile;
use perennial_sandbox::PluginParts;
use perennial_sandbox::signature_path;
use sha2::Digest as _;
use sha2::Sha256;

use crate::cli::UserError;
use crate::cli::input;
use crate::cli::plugin_error;
use crate::registry::Package;

/// A file that may be a package.
pub(super) struct PackageFile {
    /// What is in it, and beside it.
    pub(super) package: Package,
    /// Everything that is wrong with what it says of itself.
    pub(super) problems: Vec<String>,
}

impl PackageFile {
    /// Reads the file that `verb` takes, such as `inspect`, whatever it is.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or its signature cannot.
    pub(super) fn open(verb: &str, path: &Path) -> Result<PackageFile, UserError> {
        let bytes = read_bytes(verb, path)?;
        let is_table = PluginFile::is_table(path, &bytes);
        let signature = read_signature(verb, path)?.map(signature_text);
        let (manifest, problems) = PackageManifest::read(&bytes, is_table);
        Ok(PackageFile { package: Package { bytes, is_table, signature, manifest }, problems })
    }

    /// Reads the plugin that `verb` takes, such as `sign`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is no plugin, or is another one than was asked for.
    pub(super) fn of_plugin(verb: &str, plugin: &PluginFile) -> anyhow::Result<PackageFile> {
        let file = PackageFile::open(verb, &plugin.path)?;
        if let Some(why) = file.not_a_plugin() {
            return Err(plugin_error::no_plugin(verb, &plugin.path, &why).into());
        }
        match file.other_digest(plugin) {
            None => Ok(file),
            Some(expected) => {
                let found = hex::encode(Sha256::digest(&file.package.bytes));
                Err(plugin_error::other_digest(verb, &plugin.path, &found, &expected))
            }
        }
    }

    /// Why the file is no plugin, if that can be told without running it.
    pub(super) fn not_a_plugin(&self) -> Option<String> {
        let Package { bytes, is_table, manifest, .. } = &self.package;
        if !is_table {
            let is_no_contract = manifest.contract_of_exports(false).is_none();
            let why = || "it exports nothing of `perennial:provider`, so it is no plugin".to_owned();
            return is_no_contract.then(|| self.problems.first().cloned().unwrap_or_else(why));
        }
        let table = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<toml::Table>().ok());
        match table {
            None => self.problems.first().cloned(),
            Some(table) if table.contains_key("table") => None,
            Some(_) => Some("it has no `table = 1`, so it is no table of a provider".to_owned()),
        }
    }

    /// The digest that was asked for, if the file has another one: neither its own nor, of a table, its revision's is that.
    pub(super) fn other_digest(&self, plugin: &PluginFile) -> Option<String> {
        let Package { bytes, is_table, .. } = &self.package;
        let found = hex::encode(Sha256::digest(bytes));
        let is_asked = |expected: &str| {
            found == expected || (*is_table && PluginParts::of_table(bytes.clone()).digest() == expected)
        };
        plugin.digest.clone().filter(|expected| !is_asked(expected))
    }

    /// What names the file: `sha256:` and the digits.
    pub(super) fn digest(&self) -> String {
        digest(&self.package.bytes)
    }
}

/// What names a file of these bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// The bytes of a plugin's file that `verb` takes.
///
/// # Errors
///
/// When it cannot be read.
pub(super) fn read_bytes(verb: &str, path: &Path) -> Result<Vec<u8>, UserError> {
    input::read_bytes(path).map_err(|error| match error {
        UserError::Unreadable { path, source } => plugin_error::unreadable(verb, &path, &source),
        other @ (UserError::File { .. } | UserError::Argument(_)) => other,
    })
}

/// The signature beside a file, if there is one; there is nothing beside the standard input.
///
/// # Errors
///
/// When it is there and cannot be read.
pub(super) fn read_signature(verb: &str, path: &Path) -> Result<Option<Vec<u8>>, UserError> {
    let signature = signature_path(path);
    let is_there = !input::is_standard(path) && signature.exists();
    is_there.then(|| read_bytes(verb, &signature)).transpose()
}

/// Refuses bytes that are neither a component nor of a table.
pub(super) fn check_kind(verb: &str, path: &Path, bytes: &[u8]) -> Result<(), UserError> {
    let is_component = matches!(bytes, [0, b'a', b's', b'm', _, _, 1, 0, ..]);
    if is_component || PluginFile::is_table(path, bytes) {
        return Ok(());
    }
    let (_, problems) = PackageManifest::read(bytes, false);
    Err(plugin_error::no_plugin(verb, path, &problems.join("; ")))
}

/// A signature as text: base64 stays what it is, and what is no text is the signature itself.
pub(super) fn signature_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| BASE64_STANDARD.encode(error.into_bytes()))
}

/// Everything that is wrong with a package.
pub(super) fn wrong(path: &Path, problems: &[String]) -> UserError {
    UserError::Argument(wrong_text(path, problems))
}

/// The same in words.
pub(super) fn wrong_text(path: &Path, problems: &[String]) -> String {
    let listed = problems.iter().map(|problem| format!("\n  {problem}")).collect::<String>();
    format!("`{}` cannot be a package; nothing was changed:{listed}", path.display())
}

/// Writes a package and its signature, whole or not at all. A file that is there already with the same bytes stays.
///
/// # Errors
///
/// When another file is there, or it cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8], signature: Option<&str>) -> Result<(), UserError> {
    input::refuse_standard(path, "`--output`", "may have a signature beside it")?;
    if let Some(signature) = signature {
        write_one(&signature_path(path), signature.as_bytes(), Some(path))?;
    }
    write_one(path, bytes, None)
}

/// Writes one file; where it belongs to one that is there already, that one has to be ours.
fn write_one(path: &Path, bytes: &[u8], of: Option<&Path>) -> Result<(), UserError> {
    let taken = |path: &Path| {
        UserError::Argument(format!(
            "`{}` is there already, with other bytes; move it away, or name another file with `--output`",
            path.display()
        ))
    };
    if std::fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    if let Some(path) = [Some(path), of].into_iter().flatten().find(|path| path.exists()) {
        return Err(taken(path));
    }
    let wrong =
        |why: std::io::Error| UserError::Argument(format!("cannot write `{}`: {why}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(PathBuf::from);
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| ".".into())).map_err(wrong)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(wrong)?;
    file.persist_noclobber(path).map(drop).map_err(|error| wrong(error.error))
}
