//! The bundled plugins in their sandbox, compiled once for all tests of a program.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::LazyLock;

use perennial_engine::policies::Policies;
use perennial_engine::rules::Providers;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Interpreter;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;

static BUNDLED: LazyLock<Providers> = LazyLock::new(|| load(Vec::new()));

/// The bundled plugins.
pub fn bundled() -> Providers {
    BUNDLED.clone()
}

/// The bundled plugins, or those in `files` when there are any.
pub fn load(files: Vec<PathBuf>) -> Providers {
    let plugins = Arc::new(load_plugins(files));
    let interpreter = Interpreter::load(&plugins).unwrap();
    Providers::of_plugins(plugins).with_policies(Arc::new(Policies::stored(interpreter, 2)))
}

/// The bundled plugins, beside which only revisions are installed that `trust` allows.
pub fn trusting(trust: Trust) -> Providers {
    let options = Options { trust, ..options(Vec::new()) };
    Providers::of_plugins(Arc::new(Plugins::load(&options).unwrap()))
}

/// The interpreter that runs policies.
pub fn interpreter() -> Interpreter {
    Interpreter::load(&load_plugins(Vec::new())).unwrap()
}

fn load_plugins(files: Vec<PathBuf>) -> Plugins {
    Plugins::load(&options(files)).unwrap()
}

fn options(files: Vec<PathBuf>) -> Options {
    Options {
        files: files.into_iter().map(PluginFile::from).collect(),
        cache_dir: Some(cache()),
        limits: Limits::DEFAULT,
        trust: Trust::default(),
        grants: Grants::new(package_manifest::limits),
    }
}

/// Where compiled plugins are kept for all test programs: `tmp` beside the folder of the profile, as Cargo has it.
fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).expect("tests are in target/PROFILE/deps").join("tmp")
}
