//! `perennial plugin build` for JavaScript and Python: the tools of each language make the component, and what the plugin asks
//! for is written into it.
//!
//! Each tool runs the program once while it builds, and the component starts where that ended.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;
use perennial_domain::plugin_limits::PluginLimits;
use perennial_formats::package;
use perennial_formats::package_manifest;

use crate::cli::UserError;
use crate::cli::input;

/// The file by which a folder is known to be one of JavaScript.
pub(super) const JAVASCRIPT: &str = "provider.js";
/// The file by which a folder is known to be one of Python.
pub(super) const PYTHON: &str = "rules.py";
/// The world that a plugin is built for.
const WORLD: &str = "provider";
/// What the plugin asks for, in its folder.
const LIMITS: &str = "limits.json";

/// Makes a component of `provider.js` with `componentize-qjs`, which `npm install` puts there; its file, and how many bytes it has.
pub(super) fn javascript(folder: &Path, wasi: bool) -> anyhow::Result<(PathBuf, usize)> {
    let tool = Path::new("node_modules").join(".bin").join("componentize-qjs");
    if !folder.join(&tool).exists() {
        let message = format!(
            "`{}` is not there: install Node.js 18 or later (https://nodejs.org; Debian has it as `nodejs` and `npm`), then run \
             `npm install` in `{}`",
            folder.join(tool).display(),
            folder.display()
        );
        return Err(UserError::Argument(message).into());
    }
    let name = name(folder, "package.json")?;
    let mut command = Command::new(folder.join(tool).canonicalize()?);
    command.args(["--wit", "wit", "--world", WORLD, "--js", JAVASCRIPT, "--module-root", ".", "--sync"]);
    if !wasi {
        command.arg("--stub-wasi");
    }
    finish(folder, &name, command, wasi)
}

/// Makes a component of `app.py` with `componentize-py`, which `pip install` puts into `.venv`, or wherever the path leads; its
/// file, and how many bytes it has.
pub(super) fn python(folder: &Path, wasi: bool) -> anyhow::Result<(PathBuf, usize)> {
    let name = name(folder, PYTHON)?;
    let own = folder.join(".venv").join("bin").join("componentize-py");
    let tool = if own.exists() { own.canonicalize()? } else { PathBuf::from("componentize-py") };
    let begin = || {
        let mut command = Command::new(&tool);
        command.args(["--quiet", "--wit-path", "wit", "--world", WORLD]);
        command
    };
    // The types for editors and for tests without a sandbox.
    let bindings = folder.join("bindings");
    if bindings.exists() {
        std::fs::remove_dir_all(&bindings)
            .with_context(|| format!("cannot remove `{}`", bindings.display()))?;
    }
    let mut command = begin();
    command.args(["bindings", "bindings"]);
    run(folder, command)?;
    let mut command = begin();
    command.args(["componentize", "app", "--python-path", ".", "--python-path", "bindings"]);
    if !wasi {
        command.arg("--stub-wasi");
    }
    finish(folder, &name, command, wasi)
}

/// Runs the tool, and writes into its component what the plugin asks for.
fn finish(folder: &Path, name: &str, mut command: Command, wasi: bool) -> anyhow::Result<(PathBuf, usize)> {
    let file = format!("{name}.wasm");
    command.args(["--output", &file]);
    let asked = PluginLimits { wasi, ..asked(folder)? };
    run(folder, command)?;
    let path = folder.join(file);
    let mut bytes = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    if !asked.is_none() {
        bytes = package::asking_for(&bytes, asked);
        std::fs::write(&path, &bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok((path, bytes.len()))
}

fn run(folder: &Path, mut command: Command) -> anyhow::Result<()> {
    let shown = command.get_program().to_owned();
    let output = match command.current_dir(folder).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!(
                "cannot find `{}`: install Python 3.10 or later (Debian has it as `python3` and `python3-venv`), then run `python3 \
                 -m venv .venv && .venv/bin/pip install -r requirements.txt` in `{}`",
                Path::new(&shown).display(),
                folder.display()
            );
            return Err(UserError::Argument(message).into());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot run `{}`", Path::new(&shown).display()));
        }
    };
    if !output.status.success() {
        let words = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        let said = [output.stdout, output.stderr].concat();
        bail!(
            "`{} {words}` in `{}` failed:\n{}",
            Path::new(&shown).display(),
            folder.display(),
            String::from_utf8_lossy(&said)
        );
    }
    Ok(())
}

/// What the folder's plugin is called: as its `package.json` says, or else like the folder.
fn name(folder: &Path, file: &str) -> anyhow::Result<String> {
    if file.ends_with(".json") {
        let path = folder.join(file);
        let text = input::read(&path)?;
        let read = serde_json::from_str::<serde_json::Value>(&text).ok();
        let name = read.as_ref().and_then(|read| read["name"].as_str());
        let is_plain = |name: &&str| !name.is_empty() && !name.contains(['/', '\\']);
        let name = name.filter(is_plain).map(str::to_owned);
        let message =
            || UserError::Argument(format!("`{}` has no `name` that a file can have", path.display()));
        return Ok(name.ok_or_else(message)?);
    }
    let folder = folder.canonicalize().with_context(|| format!("cannot open `{}`", folder.display()))?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(name.unwrap_or_else(|| "plugin".to_owned()))
}

/// What the plugin asks for; nothing where its folder does not say.
fn asked(folder: &Path) -> anyhow::Result<PluginLimits> {
    let path = folder.join(LIMITS);
    if !path.exists() {
        return Ok(PluginLimits::NONE);
    }
    let text = input::read(&path)?;
    let wrong =
        |problem: String| UserError::Argument(format!("`{}` cannot be used: {problem}", path.display()));
    let limits =
        serde_json::from_str::<serde_json::Value>(&text).map_err(|error| wrong(error.to_string()))?;
    let section = serde_json::json!({ "limits": limits }).to_string();
    Ok(package_manifest::limits(section.as_bytes()).map_err(wrong)?)
}

#[cfg(test)]
mod tests {
    use perennial_sandbox::package_section;

    use super::*;

    #[test]
    fn what_a_plugin_asks_for_is_found_in_its_component() {
        let asked = PluginLimits::read("fuel-per-item=400000,size=24MiB,wasi").unwrap();
        // A section of 300 bytes stands before it, whose length takes two bytes.
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(package_section(&component), None);
        component.extend([&[0, 0xb1, 0x02, 4][..], b"name", &[0; 300]].concat());
        component = package::asking_for(&component, asked);
        let found = package_section(&component).expect("the section is there");
        assert_eq!(package_manifest::limits(found), Ok(asked));
    }
}
