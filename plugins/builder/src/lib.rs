//! Builds a plugin crate into a WebAssembly component, from a build script.
//!
//! Knows cargo, the compiler's targets and how a module becomes a component. Knows no plugin and no contract: the
//! plugin's bindings put a component's exports into its module. Start with [`build`].

mod cargo;
mod target;
mod watch;

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::Result;
use wit_component::ComponentEncoder;
use wit_component::StringEncoding;
use wit_parser::Resolve;

/// The target that plugins are compiled for. It has no system underneath, so a plugin has nothing to import.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The folders of a build script.
#[derive(Debug)]
pub struct Folders {
    /// The folder of the workspace's `Cargo.toml`.
    pub workspace: PathBuf,
    /// The build script's own folder.
    pub out_dir: PathBuf,
}

/// Runs a build script, and prints its error for people: complete, line by line, causes after consequences.
pub fn script(body: impl FnOnce(&Folders) -> Result<()>) -> ExitCode {
    match folders().and_then(|folders| body(&folders)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn folders() -> Result<Folders> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .with_context(|| format!("`{name}` is not set: cargo sets it"))
    };
    let package = variable("CARGO_MANIFEST_DIR")?;
    let is_workspace = |folder: &&Path| folder.join("Cargo.lock").exists();
    let workspace = package.ancestors().find(is_workspace);
    let workspace = workspace.with_context(|| format!("no `Cargo.lock` above `{}`", package.display()))?;
    Ok(Folders { workspace: workspace.to_owned(), out_dir: variable("OUT_DIR")? })
}

/// Compiles the workspace's package `package` with its profile `plugin`, writes it as the component
/// `<package>.wasm` into the build script's folder, and tells cargo its sources. Returns the component's path.
///
/// `rustup` installs the compiler target if it is missing. The code that plugins share is compiled once: every build
/// script of one cargo target folder uses the same folder beneath it, and they wait for one another.
///
/// # Errors
///
/// A message for the person who ran the build: the target is missing and cannot be installed, the package does not
/// compile (with the compiler's own messages), or its module is no component, for example because it imports something.
pub fn build(package: &str, folders: &Folders) -> Result<PathBuf> {
    let Folders { workspace, out_dir } = folders;
    let target_dir = target_dir(out_dir);
    target::ensure(workspace, &target_dir)?;
    let module = cargo::compile(package, workspace, &target_dir)?;
    let component = out_dir.join(format!("{package}.wasm"));
    let bytes = std::fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let encoded = encode(&bytes).with_context(|| format!("cannot make a component of `{package}`"))?;
    std::fs::write(&component, encoded).with_context(|| format!("cannot write `{}`", component.display()))?;
    for file in watch::inputs(&module, workspace)? {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    Ok(component)
}

/// Makes a component of a module without bindings, such as one written by hand: `world` of the contract in the folder
/// `wit` gives the types of its exports.
///
/// # Errors
///
/// When the contract cannot be read, or the module's exports do not match it.
pub fn bind(module: &[u8], wit: &Path, world: &str) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut module = module.to_vec();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    encode(&module)
}

/// Where plugins are compiled: beside the `build` folder that `out_dir` (`<profile>/build/<package>/out`) is in, never
/// in the outer cargo's own folders, which are locked while a build script runs.
fn target_dir(out_dir: &Path) -> PathBuf {
    out_dir.ancestors().nth(3).unwrap_or(out_dir).join("plugins")
}

fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}
