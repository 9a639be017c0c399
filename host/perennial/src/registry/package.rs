//! A package in memory, on its way to or from a registry.

use perennial_formats::package::PackageManifest;

/// A package as a registry has it.
#[derive(Debug)]
pub(crate) struct Package {
    /// The component or the table.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is a table.
    pub(crate) is_table: bool,
    /// Its signature, as its file has it.
    pub(crate) signature: Option<String>,
    /// What it says of itself.
    pub(crate) manifest: PackageManifest,
}
