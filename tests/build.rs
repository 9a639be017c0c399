//! Compiles the guests that the tests of the sandbox load.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("cargo sets `{name}`"));
    let workspace = variable("CARGO_MANIFEST_DIR")?.join("..").canonicalize()?;
    plugin_builder::build("guest-hostile", &workspace, &variable("OUT_DIR")?)
        .map_err(|error| format!("{error:#}"))?;
    Ok(())
}
