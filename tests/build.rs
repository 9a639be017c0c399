//! Builds the guests that tests load: three compiled like a plugin, one written by hand.

use std::process::ExitCode;

use plugin_builder::Folders;

fn main() -> ExitCode {
    plugin_builder::script(|folders| {
        plugin_builder::build("guest-hostile", folders)?;
        plugin_builder::build("guest-lantern", folders)?;
        plugin_builder::build("guest-system", folders)?;
        assemble("tables", folders)
    })
}

/// Makes a component of the module that `guests/<guest>.wat` writes out.
fn assemble(guest: &str, folders: &Folders) -> anyhow::Result<()> {
    let text = folders.workspace.join("tests/guests").join(guest).with_extension("wat");
    println!("cargo:rerun-if-changed={}", text.display());
    let module = wat::parse_file(&text)?;
    let component = plugin_builder::bind(&module, &folders.workspace.join("wit/provider"), "provider")?;
    std::fs::write(folders.out_dir.join(format!("guest-{guest}.wasm")), component)?;
    Ok(())
}
