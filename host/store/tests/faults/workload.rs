//! Two weeks of a small host: renewals on time and after an outage, with people who pay in and renew by hand.
//!
//! Knows what is done in which order, and how to go on with it from wherever a disk left it. Rules are native, and every
//! instant is an argument, so each run leads to the same databases.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::clock::LastActive;
use perennial_engine::error::EngineError;
use perennial_store::Store;
use perennial_store::error::StoreError;
use perennial_store::testing;
use perennial_test_support::world;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::renewing;

/// The log is moved into the database whenever it has so many pages, so that a short run sees it often.
const LOG_PAGES: u32 = 24;

/// Something that is done.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The clock ticks, after an outage or not.
    Tick { now: &'static str, is_late: bool },
    /// Somebody tops an account up.
    TopUp { now: &'static str, amount: &'static str },
    /// Somebody renews by hand.
    Renew { now: &'static str, resource: &'static str },
}

const ACTS: [Act; 9] = [
    Act::Tick { now: "2026-03-07T23:59:00", is_late: false },
    Act::Tick { now: "2026-03-08T00:00:00", is_late: false },
    Act::TopUp { now: "2026-03-08T01:00:00", amount: "45.00" },
    Act::Renew { now: "2026-03-08T02:00:00", resource: "web" },
    Act::Tick { now: "2026-03-08T12:00:00", is_late: true },
    Act::Tick { now: "2026-03-20T09:00:00", is_late: true },
    Act::TopUp { now: "2026-03-20T10:00:00", amount: "70.00" },
    Act::Renew { now: "2026-03-20T11:00:00", resource: "db" },
    Act::Tick { now: "2026-03-20T11:00:30", is_late: false },
];

/// The name of the database in its folder.
pub const NAME: &str = "test.db";

/// A database, equal for equal contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u64);

impl State {
    fn of(engine: &Engine) -> State {
        let mut hasher = DefaultHasher::new();
        testing::contents(engine.db()).hash(&mut hasher);
        State(hasher.finish())
    }
}

/// Makes the database that everything begins with.
pub fn make(folder: &Path) {
    let mut engine = open(folder).unwrap();
    let attached = |resource: Resource| Resource { attached_to: Some(MemberIndex::PRIMARY), ..resource };
    let bundles = [
        ("a", vec![renewing("vm", "2026-03-10"), attached(renewing("disk", "2026-03-10"))]),
        ("a", vec![renewing("web", "2026-03-12")]),
        ("a", vec![lapsing("old", "2026-03-08T00:00:00")]),
        ("b", vec![renewing("db", "2026-03-10T06:00:00"), attached(renewing("log", "2026-03-14"))]),
        ("b", vec![renewing("poor", "2026-03-11")]),
    ];
    let bundles = bundles.map(|(account, members)| (account, Bundle { members }));
    let accounts = [world::account("a", "100.00"), world::account("b", "35.00")];
    engine
        .import(at("2026-03-01"), &accounts, bundles.iter().map(|(account, bundle)| (*account, bundle)))
        .unwrap();
    engine.reschedule().unwrap();
}

/// Opens the database, as a host does when it starts.
pub fn open(folder: &Path) -> Result<Engine, StoreError> {
    let store = Store::open(&folder.join(NAME))?;
    testing::checkpoint_every(store.db(), LOG_PAGES);
    Ok(Engine::new(store, world::providers(), Retention::Everything).with_batch_size(1))
}

/// A step of the workload that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The state of the database after the step.
    pub state: State,
    /// The act that goes on after it.
    next_act: usize,
}

/// A run of the workload: what of it is acknowledged.
pub struct Run {
    next_act: usize,
    /// How many steps were acknowledged.
    pub acknowledged: usize,
}

impl Run {
    /// A run from the beginning.
    pub fn new() -> Run {
        Run { next_act: 0, acknowledged: 0 }
    }

    /// From after the step at `index` of `steps`.
    pub fn after(steps: &[Step], index: usize) -> Run {
        Run { next_act: steps[index].next_act, acknowledged: index }
    }

    /// Goes on to the end or to the first failure. After one, the same may be tried again.
    pub fn go_on(&mut self, engine: &mut Engine) -> Result<(), EngineError> {
        self.go_on_noting(engine, &mut |_, _| {})
    }

    fn go_on_noting(
        &mut self,
        engine: &mut Engine,
        note: &mut dyn FnMut(&Engine, usize),
    ) -> Result<(), EngineError> {
        while let Some(act) = ACTS.get(self.next_act) {
            match *act {
                Act::TopUp { now, amount } => {
                    engine.top_up(at(now), if amount.starts_with('4') { "a" } else { "b" }, money(amount))?;
                }
                Act::Renew { now, resource } => {
                    engine.command(at(now), None, resource, &world::renew())?;
                }
                Act::Tick { now, is_late } => {
                    let last_active = if is_late { LastActive::default() } else { LastActive::at(at(now)) };
                    let resumed = &mut 0;
                    let sink = &mut |events: Vec<_>, _| *resumed += events.len();
                    let due = clock::start_tick(engine, at(now), last_active, sink)?;
                    if *resumed > 0 {
                        self.acknowledge(self.next_act, engine, note);
                    }
                    while let Some(due) = due
                        && due.step(engine, &mut |_, _| {})?
                    {
                        self.acknowledge(self.next_act, engine, note);
                    }
                }
            }
            self.acknowledge(self.next_act + 1, engine, note);
        }
        Ok(())
    }

    fn acknowledge(&mut self, next_act: usize, engine: &Engine, note: &mut dyn FnMut(&Engine, usize)) {
        self.acknowledged += 1;
        self.next_act = next_act;
        note(engine, next_act);
    }
}

/// Every step on a disk that does not fail, the state before the first one among them.
pub fn reference(folder: &Path) -> Vec<Step> {
    let mut engine = open(folder).unwrap();
    let mut steps = vec![Step { state: State::of(&engine), next_act: 0 }];
    let note = &mut |engine: &Engine, next_act| steps.push(Step { state: State::of(engine), next_act });
    Run::new().go_on_noting(&mut engine, note).unwrap();
    steps
}

/// What a database is now.
pub fn state(engine: &Engine) -> State {
    State::of(engine)
}
