//! `perennial plugin build`: the component of a folder, with whatever its language takes.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;
use wit_component::ComponentEncoder;

use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output;
use crate::cli::plugin::scripts;

/// The target that plugins are compiled for. It has no system underneath, so a plugin has nothing to import.
const TARGET: &str = "wasm32-unknown-unknown";

/// How Rust is got.
const INSTALL: &str = "install Rust (https://rustup.rs), then run `rustup target add wasm32-unknown-unknown`";

/// Builds what is in the folder.
pub(super) fn build(folder: &Path, wasi: bool) -> anyhow::Result<()> {
    if folder.join("Cargo.toml").is_file() {
        return rust(folder);
    }
    if folder.join(scripts::JAVASCRIPT).is_file() {
        let (path, size) = scripts::javascript(folder, wasi)?;
        return tell(&path, size);
    }
    if folder.join(scripts::PYTHON).is_file() {
        let (path, size) = scripts::python(folder, wasi)?;
        return tell(&path, size);
    }
    if let Some(table) = table(folder) {
        let path = folder.join(table);
        output::done(format_args!("{} is a table, and needs no build", path.display()))?;
        output::done(format_args!("next: perennial plugin check {}", path.display()))?;
        return Ok(());
    }
    let message = format!(
        "`{}` is no folder of a plugin: it has no `Cargo.toml`, no `provider.js`, no `rules.py` and no table; `perennial plugin new NAME` makes one",
        folder.display()
    );
    Err(UserError::Argument(message).into())
}

/// The file of the folder that is a table, by its first key.
fn table(folder: &Path) -> Option<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let is_table = |entry: &std::fs::DirEntry| {
        let path = entry.path();
        path.extension().is_some_and(|end| end == "toml")
            && std::fs::read_to_string(&path)
                .is_ok_and(|text| text.lines().any(|line| line.starts_with("table = ")))
    };
    entries.filter(is_table).map(|entry| entry.file_name()).min()
}

fn rust(folder: &Path) -> anyhow::Result<()> {
    let name = package(&folder.join("Cargo.toml"))?;
    let target_dir = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder).args(["build", "--release", "--lib", "--target", TARGET]);
    cargo.args(["--target-dir", "target"]);
    let output = match cargo.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(UserError::Argument(format!("cannot find `cargo`: {INSTALL}")).into());
        }
        Err(error) => return Err(error).context("cannot run `cargo`"),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        if let Some(missing) = missing(&said) {
            let message = format!("cannot build `{}`: {missing}; `cargo` says:\n{said}", folder.display());
            return Err(UserError::Argument(message).into());
        }
        bail!("`cargo build --release --lib --target {TARGET}` in `{}` failed:\n{said}", folder.display());
    }
    let module = target_dir.join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_")));
    let bytes = std::fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let component =
        encode(&bytes).with_context(|| format!("cannot make a component of `{}`", module.display()))?;
    let path = folder.join(format!("{name}.wasm"));
    std::fs::write(&path, &component).with_context(|| format!("cannot write `{}`", path.display()))?;
    tell(&path, component.len())
}

/// What of the tools is not there, by what `cargo` says, and how to get it; `None` when it is the plugin that does not build.
fn missing(said: &str) -> Option<String> {
    let lacks_target =
        ["target may not be installed", "can't find crate for `core`", "can't find crate for `std`"];
    if lacks_target.iter().any(|words| said.contains(words)) {
        return Some(format!("the compiler has no target `{TARGET}`: run `rustup target add {TARGET}`"));
    }
    said.contains("could not execute process `rustc").then(|| format!("`cargo` finds no compiler: {INSTALL}"))
}

fn tell(path: &Path, bytes: usize) -> anyhow::Result<()> {
    output::done(format_args!("wrote {}, {bytes} bytes", path.display()))?;
    output::done(format_args!("next: perennial plugin check {}", path.display()))
}

/// The bindings put a component's exports into its module.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}

/// The name of the package in a `Cargo.toml`.
fn package(path: &Path) -> Result<String, UserError> {
    let wrong =
        |problem: String| UserError::Argument(format!("`{}` cannot be used: {problem}", path.display()));
    let manifest = input::read(path)?.parse::<toml::Table>().map_err(|error| wrong(error.to_string()))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).ok_or_else(|| wrong("it has no `package.name`; is it a workspace?".to_owned()))
}
