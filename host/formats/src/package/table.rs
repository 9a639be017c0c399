//! What a table says of itself as a package. The interpreter checks the section's keys; this reads them.

use super::PackageManifest;

/// What can be read of a table, and why nothing can.
pub(super) fn read(bytes: &[u8]) -> (PackageManifest, Vec<String>) {
    let mut manifest = PackageManifest::default();
    let Ok(text) = std::str::from_utf8(bytes) else {
        return (manifest, vec!["it is not UTF-8".to_owned()]);
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => return (manifest, vec![format!("it is not TOML: {}", error.message())]),
    };
    let text = |section: &str, key: &str| Some(table.get(section)?.get(key)?.as_str()?.to_owned());
    manifest.name = text("provider", "id");
    manifest.version = text("package", "version");
    manifest.authors = text("package", "authors");
    manifest.source = text("package", "source");
    manifest.license = text("package", "license");
    manifest.contract = text("package", "contract");
    (manifest, Vec::new())
}
