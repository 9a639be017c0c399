//! Builds the guests that the tests of the sandbox load: one compiled like a plugin, one written by hand.

use std::error::Error;
use std::path::Path;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("cargo sets `{name}`"));
    let workspace = variable("CARGO_MANIFEST_DIR")?.join("..").canonicalize()?;
    let out_dir = variable("OUT_DIR")?;
    // `{:#}` puts a cause behind its consequence on one line; cargo would print only the first.
    plugin_builder::build("guest-hostile", &workspace, &out_dir).map_err(|error| format!("{error:#}"))?;
    assemble("tables", &workspace, &out_dir)
}

fn assemble(guest: &str, workspace: &Path, out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let text = workspace.join("tests/guests").join(guest).with_extension("wat");
    println!("cargo:rerun-if-changed={}", text.display());
    let module = wat::parse_file(&text)?;
    let component = plugin_builder::bind(&module, &workspace.join("wit/provider"), "provider")
        .map_err(|error| format!("{error:#}"))?;
    std::fs::write(out_dir.join(format!("guest-{guest}.wasm")), component)?;
    Ok(())
}
