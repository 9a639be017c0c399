//! An engine over a world, on virtual time, with a database that is looked into.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::OnceLock;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::inventory;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::scenario;
use perennial_formats::scenario::ScenarioEntry;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Plugins;
use perennial_store::Store;
use proptest::test_runner::Config;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::world::FROM;
use crate::world::World;

/// The bundled plugins in their sandbox: loaded once.
pub fn providers() -> Providers {
    static PROVIDERS: OnceLock<Providers> = OnceLock::new();
    PROVIDERS
        .get_or_init(|| {
            let plugins =
                Plugins::load(&Options { files: Vec::new(), cache_dir: None, limits: Limits::DEFAULT })
                    .unwrap();
            plugins
                .iter()
                .map(|plugin| (plugin.manifest().id.clone(), plugin.clone() as Arc<dyn Rules>))
                .collect()
        })
        .clone()
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

/// An engine, its database, and what it said happened.
pub struct Host {
    /// The engine.
    pub engine: Engine,
    /// What happened, in order, as lines.
    pub lines: Vec<String>,
    scenario: Vec<ScenarioEntry>,
    _folder: TempDir,
}

impl Host {
    /// A host that keeps everything, has taken the world in and has not begun.
    pub fn new(world: &World) -> Host {
        Host::with(world, providers(), 8_192, Retention::Everything)
    }

    /// Likewise, with other rules, batches or data kept.
    pub fn with(world: &World, providers: Providers, batch: u32, keep: Retention) -> Host {
        let (inventory, scenario) = read(world, &providers);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::scratch(&folder.path().join("host.db")).unwrap();
        let mut engine = Engine::new(store, providers, keep).with_batch_size(batch);
        let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        engine.import(at(FROM), &inventory.accounts, bundles).unwrap();
        Host { engine, lines: Vec::new(), scenario, _folder: folder }
    }

    /// Plays the world between two instants, both included; what people do then included.
    pub fn play(&mut self, from: i64, until: i64) {
        let lines = &mut self.lines;
        let mut observe =
            |recorded: RecordedEvent| lines.push(event::line(recorded.account.as_deref(), &recorded.event));
        simulation::run_scenario(&mut self.engine, &self.scenario, at(from), at(until), &mut observe)
            .unwrap();
    }

    /// Takes in what happened besides.
    pub fn record(&mut self, happened: Vec<RecordedEvent>) {
        let line = |recorded: &RecordedEvent| event::line(recorded.account.as_deref(), &recorded.event);
        self.lines.extend(happened.iter().map(line));
    }

    /// The rows of a query as text, one line each.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.engine.db().inspect().rows(sql).unwrap().iter().map(|row| row.join(" ")).collect()
    }

    /// Everything that can be told of the host's state but its rows' numbers.
    pub fn state(&self) -> Vec<String> {
        let queries = [
            "select 'account', id, available, held from account order by id",
            "select 'resource', r.id, r.anchor_day, r.term_count, r.price, r.renewal_term_count, r.attributes, h.charging,
                 h.stage, h.expires_at, h.on_expiry, h.renewals_left, h.wake_at, h.consecutive_failures
             from resource r join schedule h on h.resource = r.row order by r.id",
            "select 'package', r.id, p.used, p.quota, p.bought_at from package p join resource r on r.row = p.resource
             order by r.id",
            "select 'order', r.id, o.id, o.starts_at, o.ends_at, o.paid, o.paid_at, o.refunded_at
             from orders o join resource r on r.row = o.resource order by r.id, o.starts_at, o.refunded_at, o.paid_at",
            "select 'attempt', r.id, a.expires_before, a.term_count, a.term_unit, a.state, a.decline_class, a.changed_at, a.tries
             from attempt a join resource r on r.row = a.resource order by r.id, a.expires_before, a.term_count, a.state",
            "select 'entry', a.id, e.at, e.from_book, e.to_book, e.amount, e.reason, e.resource
             from ledger_entry e join account a on a.row = e.account order by a.id, e.at, e.resource, e.amount, e.from_book",
            "select 'approval', p.id, p.state, p.cause, p.command, p.plan_hash, p.cost, p.available, p.expires_before, p.requested_at,
                 p.expires_at, p.closed_at, p.expiry_reason
             from approval p order by p.id",
            "select 'deferred', r.id, d.pay_at, d.effective_at
             from deferred_purchase d join resource r on r.row = d.resource order by r.id, d.pay_at",
        ];
        queries.iter().flat_map(|sql| self.rows(sql)).collect()
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
