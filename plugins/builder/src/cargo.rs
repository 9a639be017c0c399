//! Runs cargo from within cargo, without the parts of the outer cargo's environment that must not reach the inner one.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::TARGET;

/// The variables that the outer cargo, `cargo clippy` or a developer's shell sets for the host's own code. They would
/// change the plugin, or only check it instead of compiling it.
const NOT_FOR_PLUGINS: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
];

/// The initial memory and the stack of a plugin. The memory is enough for a full batch, because each growth would stop
/// every thread of the host for a moment; the stack is enough for rules, because the default takes most of the memory.
const LINKED: [&str; 2] = ["-Clink-arg=--initial-memory=1048576", "-Clink-arg=-zstack-size=131072"];

/// Compiles `package` for [`TARGET`] and returns the path of the module.
///
/// The outer cargo's job slots are shared (`CARGO_MAKEFLAGS` stays), so `-j` limits both together.
pub fn compile(package: &str, workspace: &Path, target_dir: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(program("CARGO", "cargo"));
    cargo
        .current_dir(workspace)
        .args(["build", "--locked", "--lib", "--profile", "plugin", "--target", TARGET, "--package", package])
        .arg("--target-dir")
        .arg(target_dir);
    for name in NOT_FOR_PLUGINS {
        cargo.env_remove(name);
    }
    // What a crate draws at random while it is compiled is the same on every machine, like the digest that follows.
    cargo.env("CONST_RANDOM_SEED", package);
    let flags = LINKED.map(str::to_owned).into_iter().chain(unplaced(workspace));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.collect::<Vec<_>>().join("\x1f"));
    let output = cargo.output().with_context(|| format!("cannot run `{}`", show(&cargo)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` in `{}` failed:\n{said}", show(&cargo), workspace.display());
    }
    let module = format!("{}.wasm", package.replace('-', "_"));
    Ok(target_dir.join(TARGET).join("plugin").join(module))
}

/// Removes the folders of this machine from the messages of panics, so that the same sources give the same plugin, and
/// the same digest, on every machine.
fn unplaced(workspace: &Path) -> impl Iterator<Item = String> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    let folders = [(Some(workspace.to_owned()), "/plugin"), (cargo_home, "/cargo")];
    folders
        .into_iter()
        .filter_map(|(folder, name)| Some(format!("--remap-path-prefix={}={name}", folder?.display())))
}

/// The program that cargo names in the variable `name` for its build scripts, or `fallback` outside of one.
pub fn program(name: &str, fallback: &str) -> std::ffi::OsString {
    println!("cargo:rerun-if-env-changed={name}");
    std::env::var_os(name).unwrap_or_else(|| fallback.into())
}

/// A command as it would be typed in a shell.
pub fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
