//! A folder to run the program in, and what tests that run it have in common.
//!
//! Each test program uses a part of it.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod memory_registry;
pub mod overdue;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_formats::inventory;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_store::Store;
use perennial_test_support::plugins;
use tempfile::TempDir;

/// A folder that goes away with its test.
pub struct Folder(TempDir);

/// Where compiled plugins are kept, for all tests of one program.
fn cache() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

impl Folder {
    /// An empty one.
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program, to be run in the folder.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
        command.current_dir(self.0.path()).env_clear().arg("--cache").arg(cache().join("plugins"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// The same with more in its environment.
    pub fn program_with(&self, environment: &[(&str, &str)]) -> Command {
        let mut command = self.program();
        command.envs(environment.iter().copied());
        command
    }

    /// Runs the program with these words to its end.
    pub fn run(&self, words: &[&str]) -> Ran {
        Ran(self.program().args(words).output().unwrap())
    }

    /// Runs the program with this on its standard input.
    pub fn run_with_input(&self, words: &[&str], input: &[u8]) -> Ran {
        let mut program = self.program();
        program.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        // Read from another thread: the program need not read everything before it writes.
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        // A program that has read enough closes its input.
        drop(writer.join().unwrap());
        Ran(output)
    }

    /// Runs the program with this as its standard output; what it wrote there is not in the result.
    pub fn run_into(&self, words: &[&str], stdout: impl Into<Stdio>) -> Ran {
        Ran(self
            .program()
            .args(words)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap())
    }

    /// The bundled rules.
    pub fn providers(&self) -> Providers {
        plugins::bundled()
    }

    /// An engine over a database of that name with an inventory that was taken in at the start of 2026-01-10.
    pub fn engine(&self, name: &str, inventory: &str) -> Engine {
        let providers = self.providers();
        let inventory = self.read_inventory(inventory, &providers);
        let store = Store::scratch(&self.path(name)).unwrap();
        let mut engine = Engine::new(store, providers, Retention::Everything);
        let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        engine.import("2026-01-10T00:00:00Z".parse().unwrap(), &inventory.accounts, bundles).unwrap();
        engine
    }

    /// An inventory for these providers.
    pub fn read_inventory(&self, text: &str, providers: &Providers) -> Inventory {
        let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
        let check = |provider: &str, settings: &BTreeMap<String, String>| {
            providers[provider].check_settings(settings).map_err(|error| error.to_string())
        };
        inventory::read(text, &manifests, &check, &NoRecords).unwrap_or_else(|problems| panic!("{problems}"))
    }
}

/// A program that ended.
pub struct Ran(Output);

impl Ran {
    /// Its exit code.
    pub fn code(&self) -> i32 {
        self.0.status.code().expect("it was not killed")
    }

    /// What it wrote, if that is no text.
    pub fn stdout_bytes(&self) -> &[u8] {
        &self.0.stdout
    }

    /// The standard output, as text.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// What it complained of.
    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// It did what it was asked.
    pub fn succeeded(self) -> Ran {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self
    }
}

/// Runs a program to its end.
pub fn ran(mut program: Command) -> Ran {
    Ran(program.output().unwrap())
}

/// What the program says when it refuses to go on. One that goes on for longer than `patience` instead is ended.
pub fn refusal(mut command: Command, patience: Duration) -> String {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} was not refused");
        }
        std::thread::yield_now();
    }
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{command:?}: {told}");
    told
}

/// Runs a command line with a terminal, at which somebody types `keys`: everything that is on the screen afterwards.
///
/// The terminal is that of `script`, of util-linux.
#[cfg(target_os = "linux")]
pub fn at_a_terminal(folder: &Folder, words: &str, keys: &str) -> (i32, String) {
    let program = folder.program();
    let mut line = vec![program.get_program().to_str().unwrap().to_owned()];
    line.extend(program.get_args().map(|word| word.to_str().unwrap().to_owned()));
    line.push(words.to_owned());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    script.current_dir(program.get_current_dir().unwrap()).env("TERM", "dumb");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().expect("this test takes `script`, of util-linux");
    child.stdin.take().unwrap().write_all(keys.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap().replace('\r', ""))
}
