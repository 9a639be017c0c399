//! Installs the compiler's target for plugins with rustup; downloads nothing when the target is installed.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::TARGET;
use crate::cargo;

/// Makes sure that the active compiler has the standard library of [`TARGET`].
///
/// A toolchain file's `targets` do not suffice: rustup brings them only together with a toolchain that it installs,
/// and not at all where `RUSTUP_AUTO_INSTALL=0`.
pub fn ensure(workspace: &Path, target_dir: &Path) -> Result<()> {
    if is_there(workspace)? {
        return Ok(());
    }
    // Build scripts run side by side, and rustup does not wait for another rustup.
    std::fs::create_dir_all(target_dir)
        .with_context(|| format!("cannot make the folder `{}`", target_dir.display()))?;
    let path = target_dir.join("rustup.lock");
    let lock = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    lock.lock().with_context(|| format!("cannot lock `{}`", path.display()))?;
    if is_there(workspace)? {
        return Ok(());
    }
    add(workspace)?;
    if is_there(workspace)? {
        return Ok(());
    }
    bail!(
        "rustup says that the target `{TARGET}` is installed, but `rustc` does not have it: the two do not belong \
         together; put rustup's `rustc` and `cargo` first in `PATH`"
    )
}

/// Whether the compiler's own library folder for the target holds a `core`.
fn is_there(workspace: &Path) -> Result<bool> {
    let mut rustc = Command::new(cargo::program("RUSTC", "rustc"));
    rustc.current_dir(workspace).args(["--print", "target-libdir", "--target", TARGET]);
    let output = rustc.output().with_context(|| format!("cannot run `{}`", cargo::show(&rustc)))?;
    if !output.status.success() {
        bail!("`{}` failed:\n{}", cargo::show(&rustc), String::from_utf8_lossy(&output.stderr));
    }
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    // So that a target removed, or brought, between two builds is noticed.
    println!("cargo:rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(false) };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    Ok(names.into_iter().any(|name| name.to_string_lossy().starts_with("libcore-")))
}

fn add(workspace: &Path) -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.current_dir(workspace).args(["target", "add", TARGET]).env_remove("RUST_BACKTRACE");
    let output = match rustup.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "plugins are compiled for `{TARGET}`, which the compiler does not have, and there is no `rustup` to bring \
             it; install rustup (https://rustup.rs), or the target's standard library (`rust-std-{TARGET}`) the way \
             the compiler was installed"
        ),
        Err(error) => return Err(error).with_context(|| format!("cannot run `{}`", cargo::show(&rustup))),
    };
    if !output.status.success() {
        bail!(
            "plugins are compiled for `{TARGET}`, which the compiler does not have, and `{}` failed; run it by hand \
             once it can reach the network:\n{}",
            cargo::show(&rustup),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
