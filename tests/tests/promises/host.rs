//! An engine over a world, on virtual time, with a database that is looked into.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::inventory;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::scenario;
use perennial_formats::scenario::ScenarioEntry;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::engine_store::EngineStore;
use perennial_store::memory::MemoryStore;
use perennial_store::testing;
use perennial_test_support::plugins;
use proptest::test_runner::Config;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::world::FROM;
use crate::world::World;

/// The bundled plugins in their sandbox: loaded once.
pub fn providers() -> Providers {
    plugins::bundled()
}

/// Runs `test` over so many worlds, always the same ones, and shrinks the one it fails on.
pub fn check<S: proptest::strategy::Strategy>(
    cases: u32,
    strategy: S,
    test: impl Fn(S::Value) -> Result<(), proptest::test_runner::TestCaseError>,
) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(failure) = TestRunner::new_with_rng(config, rng).run(&strategy, test) {
        panic!("{failure}");
    }
}

/// So many seconds after 1970.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second)
}

/// An engine, its store, and what it said happened.
pub struct Host<S = Store> {
    /// The engine that is tested.
    pub engine: Engine<S>,
    /// What happened, in order, as lines.
    pub lines: Vec<String>,
    /// What people and the world do to it.
    pub scenario: Vec<ScenarioEntry>,
    _folder: Option<TempDir>,
}

impl Host<MemoryStore> {
    /// A host whose store is in memory, which has taken the world in and has not begun.
    pub fn in_memory(world: &World) -> Host<MemoryStore> {
        Host::over(MemoryStore::default(), world, providers(), 8_192, Retention::State)
    }
}

impl<S: EngineStore> Host<S> {
    fn over(store: S, world: &World, providers: Providers, batch: u32, keep: Retention) -> Host<S> {
        let (inventory, scenario) = read(world, &providers);
        let mut engine = Engine::new(store, providers, keep).with_batch_size(batch);
        let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        engine.import(at(FROM), &inventory.accounts, bundles).unwrap();
        Host { engine, lines: Vec::new(), scenario, _folder: None }
    }

    /// Plays the world between two instants, both included; what people do then included.
    pub fn play(&mut self, from: i64, until: i64) {
        let lines = &mut self.lines;
        let mut observe =
            |recorded: RecordedEvent| lines.push(event::line(recorded.account.as_deref(), &recorded.event));
        simulation::run_scenario(&mut self.engine, &self.scenario, at(from), at(until), &mut observe)
            .unwrap();
    }
}

impl Host {
    /// A host that keeps everything, has taken the world in and has not begun.
    pub fn new(world: &World) -> Host {
        Host::with(world, providers(), 8_192, Retention::Everything)
    }

    /// The same, with other rules, batches or data kept.
    pub fn with(world: &World, providers: Providers, batch: u32, keep: Retention) -> Host {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::scratch(&folder.path().join("host.db")).unwrap();
        Host { _folder: Some(folder), ..Host::over(store, world, providers, batch, keep) }
    }

    /// The same, in a database that outlives it.
    pub fn at(path: &Path, world: &World) -> Host {
        Host::ruled_at(path, world, providers())
    }

    /// The same with other rules.
    pub fn ruled_at(path: &Path, world: &World, providers: Providers) -> Host {
        Host::over(Store::open(path).unwrap(), world, providers, 8_192, Retention::Everything)
    }

    /// A host that goes on in memory from where this one is.
    pub fn in_memory_from_here(&self) -> Host<MemoryStore> {
        let store = MemoryStore::load(self.db(), None).unwrap();
        let engine = Engine::new(store, providers(), Retention::State);
        Host { engine, lines: Vec::new(), scenario: self.scenario.clone(), _folder: None }
    }

    /// Takes in what happened besides.
    pub fn record(&mut self, happened: Vec<RecordedEvent>) {
        let line = |recorded: &RecordedEvent| event::line(recorded.account.as_deref(), &recorded.event);
        self.lines.extend(happened.iter().map(line));
    }

    /// The database, for what is read or changed behind the engine's back.
    pub fn db(&self) -> &ReadTx {
        self.engine.db()
    }

    /// Everything that can be told of the host's state but its rows' numbers.
    pub fn state(&self) -> Vec<String> {
        testing::state(self.db())
    }

    /// The kept events, in the order of files.
    pub fn kept(&self) -> Vec<String> {
        let filter = perennial_store::events::Filter::default();
        let listed = perennial_store::events::list(self.engine.db(), &filter, u32::MAX).unwrap();
        let lines = listed.into_iter().map(|stored| {
            let what = event::read_body(&stored.kind, &stored.body).unwrap();
            let happened = perennial_domain::event::Event { at: stored.at, resource: stored.resource, what };
            event::line(stored.account.as_deref(), &happened)
        });
        lines.collect()
    }

    /// What happened of one type, as JSON.
    pub fn events(&self, kind: &str) -> Vec<serde_json::Value> {
        let parsed = self.lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        parsed.filter(|event| event["type"] == kind).collect()
    }
}

/// A world's files, read for these providers.
pub fn read(world: &World, providers: &Providers) -> (Inventory, Vec<ScenarioEntry>) {
    let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
    let check = |provider: &str, settings: &BTreeMap<String, String>| {
        providers[provider].check_settings(settings).map_err(|error| error.to_string())
    };
    let inventory = inventory::read(&world.inventory, &manifests, &check, &NoRecords)
        .unwrap_or_else(|problems| panic!("{problems}\n{world:?}"));
    let accounts = inventory.accounts.iter().map(|account| account.id.as_str()).collect::<BTreeSet<_>>();
    let scenario =
        scenario::read(&world.scenario, &accounts).unwrap_or_else(|problems| panic!("{problems}\n{world:?}"));
    (inventory, scenario)
}
