//! Compiles the bundled plugins to components, for `sandbox::bundled` to embed.

use std::path::Path;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("cargo sets `{name}`"));
    let workspace = variable("CARGO_MANIFEST_DIR")?.join("../..").canonicalize()?;
    let out_dir = variable("OUT_DIR")?;
    for plugin in ["plugin-huawei", "plugin-baidu"] {
        bundle(plugin, &workspace, &out_dir)?;
    }
    Ok(())
}

fn bundle(plugin: &str, workspace: &Path, out_dir: &Path) -> Result<(), String> {
    // `{:#}` puts a cause behind its consequence on one line; cargo would print only the first.
    plugin_builder::build(plugin, workspace, out_dir).map(|_| ()).map_err(|error| format!("{error:#}"))
}
