//! The same provider in every language that `perennial plugin new` writes: what its component weighs, what a call takes that asks
//! nothing, and what a timeline and a plan of a bundle take in a full call.
//!
//! A language whose tools are missing, or whose registry cannot be reached, is left out, and the table says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use anyhow::bail;

use crate::figures;
use crate::simulation;

/// What a language takes beside the program.
struct Language {
    name: &'static str,
    /// Programs that have to be there.
    tools: &'static [&'static str],
    /// What is run in the folder before it is built.
    prepare: &'static [&'static [&'static str]],
    /// What comes of it.
    plugin: &'static str,
}

const LANGUAGES: [Language; 4] = [
    Language { name: "table", tools: &[], prepare: &[], plugin: "nimbus.toml" },
    Language { name: "rust", tools: &["cargo"], prepare: &[], plugin: "nimbus.wasm" },
    Language {
        name: "javascript",
        tools: &["node", "npm"],
        prepare: &[&["npm", "install", "--no-audit", "--no-fund", "--silent"]],
        plugin: "nimbus.wasm",
    },
    Language {
        name: "python",
        tools: &["python3"],
        prepare: &[
            &["python3", "-m", "venv", ".venv"],
            &[
                ".venv/bin/pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
                "requirements.txt",
            ],
        ],
        plugin: "nimbus.wasm",
    },
];

/// Builds a plugin in each language, and prints its figures.
pub fn measure() -> anyhow::Result<()> {
    println!(
        "\nPlugins by language\n  what `perennial plugin new` writes; for one bundle of a call of 256, the best of 5 rounds"
    );
    println!(
        "  {:<11} {:>12} {:>12} {:>10} {:>14} {:>10} {:>10} {:>10}",
        "language", "bytes", "start fuel", "start", "timeline fuel", "timeline", "plan fuel", "plan"
    );
    let folder = tempfile::tempdir()?;
    for language in &LANGUAGES {
        match figures_of(language, folder.path()) {
            Ok(row) => println!("  {:<11} {row}", language.name),
            Err(error) => println!("  {:<11} skipped: {error:#}", language.name),
        }
    }
    Ok(())
}

/// The figures of a language's plugin, in the order of the table.
fn figures_of(language: &Language, folder: &Path) -> anyhow::Result<String> {
    let is_there = |tool: &&&str| Command::new(tool).arg("--version").output().is_ok();
    if let Some(missing) = language.tools.iter().find(|tool| !is_there(tool)) {
        bail!("there is no {missing}");
    }
    let folder = folder.join(language.name);
    std::fs::create_dir(&folder)?;
    run(&folder, perennial(&folder, &["plugin", "new", "nimbus", "--language", language.name])?)?;
    for words in language.prepare {
        let (program, arguments) = words.split_first().context("a command has a name")?;
        let inside = folder.join("nimbus");
        // A program of the folder is found from where this one runs.
        let own = inside.join(program);
        let mut command = Command::new(if own.exists() { own.as_os_str() } else { program.as_ref() });
        command.args(arguments);
        run(&inside, command)?;
    }
    run(&folder, perennial(&folder, &["plugin", "build", "nimbus"])?)?;
    let plugin = format!("nimbus/{}", language.plugin);
    run(&folder, perennial(&folder, &["plugin", "bench", &plugin, "--baseline", "bench.json"])?)?;
    let measured = std::fs::read_to_string(folder.join("bench.json"))?;
    let measured: BTreeMap<String, u64> = serde_json::from_str(&measured)?;
    let number = |key: &str| measured.get(key).copied().with_context(|| format!("no figure `{key}`"));
    let time = |key: &str| {
        let nanoseconds = number(&format!("{key}_nanoseconds"))?;
        anyhow::Ok(figures::duration(std::time::Duration::from_nanos(nanoseconds)))
    };
    Ok(format!(
        "{:>12} {:>12} {:>10} {:>14} {:>10} {:>10} {:>10}",
        std::fs::metadata(folder.join(&plugin))?.len(),
        number("start")?,
        time("start")?,
        number("timeline")?,
        time("timeline")?,
        number("plan")?,
        time("plan")?,
    ))
}

/// The `perennial` command in a folder, which keeps what it compiles there.
fn perennial(folder: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = simulation::perennial()?;
    command.arg("--cache").arg(folder.join("cache")).args(arguments).env_remove("RUST_LOG");
    Ok(command)
}

/// Runs a command in a folder; what it said last, when it fails.
fn run(folder: &Path, mut command: Command) -> anyhow::Result<()> {
    let ran = command.current_dir(folder).output().with_context(|| format!("cannot run {command:?}"))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    bail!("{} failed: {last}", command.get_program().to_string_lossy())
}
