//! A package in a file: its bytes, its signature beside it, and what it says of itself. Nothing of it is run.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use perennial_formats::package::PackageManifest;
use perennial_sandbox::PluginFile;
use perennial_sandbox::signature_path;
use sha2::Digest as _;
use sha2::Sha256;

use crate::cli::UserError;
use crate::cli::input;
use crate::registry::Package;

/// A file that may be a package.
pub(super) struct PackageFile {
    /// What is in it, and beside it.
    pub(super) package: Package,
    /// Everything that is wrong with what it says of itself.
    pub(super) problems: Vec<String>,
}

impl PackageFile {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or its signature cannot.
    pub(super) fn read(path: &Path) -> Result<PackageFile, UserError> {
        let bytes = input::read_bytes(path)?;
        let is_table = PluginFile::is_table(path, &bytes);
        let signature = read_signature(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (manifest, problems) = PackageManifest::read(&bytes, is_table);
        Ok(PackageFile { package: Package { bytes, is_table, signature, manifest }, problems })
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

/// The signature beside a file, if there is one; there is nothing beside the standard input.
///
/// # Errors
///
/// When it is there and cannot be read.
pub(super) fn read_signature(path: &Path) -> Result<Option<Vec<u8>>, UserError> {
    let signature = signature_path(path);
    let is_there = !input::is_standard(path) && signature.exists();
    is_there.then(|| input::read_bytes(&signature)).transpose()
}

/// Everything that is wrong with a package.
pub(super) fn wrong(path: &Path, problems: &[String]) -> UserError {
    let listed = problems.iter().map(|problem| format!("\n  {problem}")).collect::<String>();
    UserError::Argument(format!("`{}` cannot be a package; nothing was changed:{listed}", path.display()))
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
