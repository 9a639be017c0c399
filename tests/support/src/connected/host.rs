//! The host of a simulation: the production engine, dispatcher and store over a model, with a clock that plans, people who
//! look, a sync, and crashes.

mod commands;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::SendingLimits;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::connected::CallId;
use perennial_engine::connected::Cloud as _;
use perennial_engine::connected::run;
use perennial_engine::connected::run::Decision;
use perennial_engine::connected::run::Progress;
use perennial_engine::error::EngineError;
use perennial_store::calls::StoredCall;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::keys::AccountKey;
use perennial_store::memory::MemoryStore;

use crate::connected::bug::Bug;
use crate::connected::check::Checker;
use crate::connected::cloud::Cloud;
use crate::connected::random::Random;
use crate::connected::store::CountingStore;
use crate::connected::store::Crashes;
use crate::connected::wire::Wire;
use crate::world;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// How far ahead an incremental sync looks for what expires.
const SOON: i64 = 5 * DAY;
/// The days that a renewal lasts.
const TERM_DAYS: u32 = 10;
/// The days before the expiry on which the clock tries.
const TRY_DAYS: i64 = 6;
/// How long a storm may have effects: what expires later than that into the calm must not lapse.
const AFTERMATH: i64 = 3 * DAY;
/// After so many steps at one instant something is wrong.
const STEPS_MAX: u32 = 2_000;
/// When it begins: 2026-01-01.
const START: Timestamp = Timestamp::from_second(1_767_225_600);

/// What a simulation is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What everything follows from.
    pub seed: u64,
    /// How the host is broken; `None` for as it is.
    pub bug: Option<Bug>,
    /// How long the storm lasts, in days.
    pub storm_days: i64,
    /// How long it is calm after it, in days.
    pub calm_days: i64,
    /// In how many of nine calls something goes wrong during the storm.
    pub faults: i64,
    /// In how many of a thousand commits and calls the process ends during the storm.
    pub crash_rate: i64,
    /// The points at which it ends beside those.
    pub crashes_at: Vec<u64>,
    /// The bundles: how many resources each has, the primary included.
    pub bundles: Vec<usize>,
    /// Whether people and other programs use the cloud too.
    pub has_others: bool,
    /// Whether the cloud takes idempotency tokens; then there are hasty people, too.
    pub takes_tokens: bool,
    /// Whether the cloud shows orders.
    pub lists_orders: bool,
    /// Whether the cloud is out of money during the storm, now and then.
    pub is_poor: bool,
    /// How many of the first renewals leave out what is attached.
    pub partials: u32,
    /// Whether people also switch what happens on expiry, and give something back.
    pub has_commands: bool,
}

impl Setup {
    /// What a seed stands for: a third of all calls go wrong.
    pub fn of_seed(seed: u64) -> Setup {
        let mut random = Random::new(seed ^ 0x5e7);
        let bundles = (0..2 + random.below(5)).map(|_| if random.happens(1, 3) { 3 } else { 1 }).collect();
        let takes_tokens = random.happens(1, 2);
        Setup {
            seed,
            bug: None,
            storm_days: 30,
            calm_days: 20,
            faults: 3,
            crash_rate: random.below(30),
            crashes_at: Vec::new(),
            bundles,
            has_others: random.happens(2, 3),
            takes_tokens,
            lists_orders: random.happens(4, 5),
            is_poor: random.happens(1, 3),
            partials: 0,
            has_commands: random.happens(1, 2),
        }
    }
}

/// What a simulation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Renewals and commands that were sent.
    pub attempts: u64,
    /// Calls that arrived at the cloud.
    pub calls: u64,
    /// Renewals that were settled.
    pub settled: u64,
    /// Other commands that were settled.
    pub commands: u64,
    /// Calls and readings that went wrong.
    pub faults: u64,
    /// How often the process ended.
    pub crashes: u64,
    /// Renewals that a person had to look at.
    pub with_person: u64,
    /// Commits and calls.
    pub points: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { attempts, calls, settled, commands, faults, crashes, with_person, .. } = self;
        write!(
            f,
            "{attempts} attempts in {calls} calls, {settled} renewals and {commands} commands settled, {faults} faults, {crashes} \
             crashes, {with_person} looked at by a person"
        )
    }
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.attempts += other.attempts;
        self.calls += other.calls;
        self.settled += other.settled;
        self.commands += other.commands;
        self.faults += other.faults;
        self.crashes += other.crashes;
        self.with_person += other.with_person;
        self.points += other.points;
    }
}

/// A promise that was broken, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the promise, and what is broken.
    pub what: String,
    /// The instant at which it was found.
    pub at: Timestamp,
    /// The seed that leads there.
    pub seed: u64,
}

impl fmt::Display for Violation {
    /// One line that says how to see it again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { what, at, seed } = self;
        write!(f, "promise {what} (at {at}); again: cargo run --release --example connected -- --seed {seed}")
    }
}

/// Runs what `setup` says over a store in memory.
///
/// # Errors
///
/// The first promise that was broken.
pub fn simulate(setup: &Setup) -> Result<Figures, Violation> {
    simulate_over(setup, MemoryStore::default(), |store| Some(store.clone()))
}

/// The same over any empty store; `copy` copies it, for bugs that lose a commit.
///
/// # Errors
///
/// The first promise that was broken.
pub fn simulate_over<S: EngineStore>(
    setup: &Setup,
    store: S,
    copy: fn(&S) -> Option<S>,
) -> Result<Figures, Violation> {
    let mut host = Host::new(setup.clone(), store, copy);
    host.run().map_err(|what| Violation { what, at: host.now, seed: setup.seed })
}

struct Host<S> {
    setup: Setup,
    engine: Option<Engine<CountingStore<S>>>,
    dispatcher: Dispatcher,
    wire: Wire,
    crashes: Rc<Crashes>,
    random: Random,
    checker: Checker,
    schedule: Schedule,
    now: Timestamp,
    calm_from: Timestamp,
    lapsed: BTreeSet<(String, Timestamp)>,
    figures: Figures,
    /// What the host and the cloud had done when the promises were checked last.
    checked: Option<(u64, u64, u64)>,
}

impl<S: EngineStore> Host<S> {
    fn new(setup: Setup, store: S, copy: fn(&S) -> Option<S>) -> Host<S> {
        let mut random = Random::new(setup.seed);
        let mut cloud = Cloud::default();
        (cloud.bank, cloud.takes_tokens) = (100_000_000, setup.takes_tokens);
        let mut bundles = Vec::new();
        for (number, size) in setup.bundles.iter().enumerate() {
            let expiry = START + 2 * DAY + random.below(8 * DAY);
            bundles.push(bundle(number, *size, expiry));
            let ids = bundles[number].members.iter().map(|member| member.id.clone()).collect::<Vec<_>>();
            for (index, id) in ids.iter().enumerate() {
                let attached = if index == 0 { &ids[1..] } else { &[] };
                cloud.add(id, expiry, i64::try_from(index).unwrap() + 1, attached);
            }
        }
        let account = world::account("acme", "100000000");
        let mut engine = Engine::new(store, world::providers(), Retention::State);
        engine.import(START, &[account], bundles.iter().map(|bundle| ("acme", bundle))).unwrap();
        let crashes = Rc::new(Crashes {
            at: RefCell::new(setup.crashes_at.clone()),
            rate: Cell::new(setup.crash_rate),
            random: RefCell::new(Some(Random::new(setup.seed ^ 0xc4a5))),
            ..Crashes::default()
        });
        let store = CountingStore::new(engine.into_store(), Rc::clone(&crashes), setup.bug, copy);
        let wire = Wire {
            cloud: Rc::new(RefCell::new(cloud)),
            random: Random::new(setup.seed ^ 0x31e),
            faults: setup.faults,
            lists_orders: setup.lists_orders,
            bug: setup.bug,
            crashes: Rc::clone(&crashes),
            faults_met: 0,
            sent: 0,
            partials: setup.partials,
            lost_until: START,
        };
        let calm_from = START + setup.storm_days * DAY;
        Host {
            engine: Some(Engine::new(store, world::providers(), Retention::State)),
            dispatcher: Dispatcher::new(SendingLimits::DEFAULT),
            wire,
            crashes,
            random,
            checker: Checker::default(),
            schedule: Schedule::DEFAULT,
            now: START,
            calm_from,
            lapsed: BTreeSet::new(),
            figures: Figures::default(),
            checked: None,
            setup,
        }
    }

    fn run(&mut self) -> Result<Figures, String> {
        let end = self.calm_from + self.setup.calm_days * DAY;
        let mut next_hour = START;
        while self.now < end {
            if self.now >= self.calm_from {
                self.wire.faults = 0;
                self.wire.lost_until = START;
                self.crashes.rate.set(0);
                self.wire.cloud.borrow_mut().bank = 100_000_000;
            }
            self.wire.cloud.borrow_mut().run(self.now);
            if self.now >= next_hour {
                next_hour = self.now + HOUR;
                self.hour()?;
            }
            self.work()?;
            self.hasty_people()?;
            let call = self.reads().next_call_act().map_err(text)?;
            let cloud = self.wire.cloud.borrow().next_event();
            let next = [Some(next_hour), call, cloud].into_iter().flatten().min().unwrap();
            self.now = next.max(self.now + 1);
        }
        self.check_end()?;
        self.figures.faults = self.wire.faults_met;
        self.figures.attempts = self.wire.sent;
        self.figures.calls = self.wire.cloud.borrow().received;
        self.figures.points = self.crashes.points.get();
        Ok(self.figures)
    }

    fn store(&self) -> &CountingStore<S> {
        self.engine.as_ref().unwrap().store()
    }

    fn reads(&self) -> &S::Reads {
        self.store().reads()
    }

    /// Checks every promise, unless neither the host nor the cloud has done anything since the last time.
    fn check(&mut self) -> Result<(), String> {
        let cloud = self.wire.cloud.borrow();
        let stamp = (self.crashes.points.get(), cloud.events, self.figures.crashes);
        if self.checked.replace(stamp) == Some(stamp) {
            return Ok(());
        }
        self.checker.check(self.engine.as_ref().unwrap().store(), &cloud)
    }

    /// Runs one thing on the engine. If the process ended meanwhile, it starts again: `None`.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Engine<CountingStore<S>>) -> Result<T, EngineError>,
    ) -> Result<Option<T>, String> {
        let result = work(self.engine.as_mut().unwrap());
        if self.crashes.has_crashed.get() {
            self.restart()?;
            return Ok(None);
        }
        result.map(Some).map_err(text)
    }

    /// The process has ended, and what it had in memory is gone.
    fn restart(&mut self) -> Result<(), String> {
        loop {
            self.figures.crashes += 1;
            self.crashes.has_crashed.set(false);
            let store = self.engine.take().unwrap().into_store().after_crash();
            self.engine = Some(Engine::new(store, world::providers(), Retention::State));
            self.dispatcher = Dispatcher::new(SendingLimits::DEFAULT);
            // It takes a moment until somebody has started it.
            self.now = self.now + 1 + self.random.below(600);
            self.wire.cloud.borrow_mut().run(self.now);
            let (now, schedule) = (self.now, self.schedule);
            let engine = self.engine.as_mut().unwrap();
            let resumed = engine.resume_calls(&mut self.dispatcher, now, schedule);
            if !self.crashes.has_crashed.get() {
                return resumed.map(drop).map_err(text);
            }
        }
    }

    /// Does everything that is due now.
    fn work(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            let sent = self.crashes.points.get();
            let (now, schedule) = (self.now, self.schedule);
            let engine = self.engine.as_mut().unwrap();
            let progress = run::step(engine, &mut self.dispatcher, &mut self.wire, now, schedule);
            let has_crashed = self.crashes.has_crashed.get();
            if has_crashed {
                self.restart()?;
            }
            self.check()?;
            if has_crashed {
                continue;
            }
            match progress.map_err(text)? {
                Progress::Worked => {}
                Progress::Idle | Progress::Waiting(..) | Progress::Stopped => return Ok(()),
            }
            assert!(self.crashes.points.get() > sent, "a step that worked neither committed nor called");
            self.sabotage()?;
        }
        Err("2: the same is done again and again".to_owned())
    }

    /// What the clock, other people and a person who looks do once an hour.
    fn hour(&mut self) -> Result<(), String> {
        self.others();
        self.operate();
        self.plan()?;
        self.commands()?;
        self.people()?;
        let hours = (self.now - START) / HOUR;
        self.sync(hours % 6 == 0)?;
        self.note_lapses()
    }

    /// An operator pauses sending for some hours, for the account or for all.
    fn operate(&mut self) {
        let is_storm = self.now < self.calm_from;
        let is_paused = is_storm && self.setup.has_others && self.random.happens(1, 20);
        self.dispatcher.pause_all(is_paused);
        self.dispatcher.pause("acme", is_storm && self.setup.has_others && self.random.happens(1, 20));
    }

    /// Other people use the console during the storm.
    fn others(&mut self) {
        let is_storm = self.now < self.calm_from;
        let mut cloud = self.wire.cloud.borrow_mut();
        if self.setup.is_poor && is_storm {
            let hour = (self.now - START) / HOUR;
            cloud.bank = if (hour / 24) % 4 == 3 { 5 } else { 100_000_000 };
        }
        if !self.setup.has_others || !is_storm {
            return;
        }
        let single = self.setup.bundles.iter().position(|size| *size == 1);
        if let Some(number) = single.filter(|_| self.random.happens(1, 150)) {
            cloud.move_in_console(&id(number, 0), DAY * (1 + self.random.below(6)) + 1, self.now);
        }
        let number =
            usize::try_from(self.random.below(i64::try_from(self.setup.bundles.len()).unwrap())).unwrap();
        if self.random.happens(1, 100) {
            cloud.order_in_console(&id(number, 0), self.now);
        }
    }

    /// The clock tries what expires within some days and is not under way.
    fn plan(&mut self) -> Result<(), String> {
        let hour_of_day = (self.now - START) / HOUR % 24;
        if hour_of_day != 3 {
            return Ok(());
        }
        for number in 0..self.setup.bundles.len() {
            for renewal in self.renewals_of(number)? {
                let (now, schedule) = (self.now, self.schedule);
                self.attempt(|engine| engine.reserve_call(renewal, now, schedule))?;
            }
        }
        Ok(())
    }

    /// The renewals of a bundle that are due: its primary with what expires with it, and what expires alone by itself.
    fn renewals_of(&self, number: usize) -> Result<Vec<CallRecord>, String> {
        let (stored, _) = self.reads().find_bundle(&id(number, 0)).map_err(text)?.unwrap();
        let members = stored.bundle.members;
        if members[0].stage.is_final() {
            return Ok(Vec::new());
        }
        let expiry = |member: &Resource| member.expires_at.unwrap();
        let primary = expiry(&members[0]);
        let (along, alone) = members.iter().partition::<Vec<_>, _>(|member| expiry(member) == primary);
        let groups = std::iter::once(along).chain(alone.into_iter().map(|member| vec![member]));
        let due = groups.filter(|group| {
            let left = expiry(group[0]) - self.now;
            0 < left && left <= TRY_DAYS * DAY
        });
        Ok(due.map(|group| renewal(&group, TERM_DAYS, self.now)).collect())
    }

    /// Where the cloud takes tokens, somebody says at once that nothing was applied, and is right by chance only: the
    /// token, which stays the same, saves the day.
    fn hasty_people(&mut self) -> Result<(), String> {
        if !self.setup.takes_tokens || self.now >= self.calm_from {
            return Ok(());
        }
        for call in self.reads().calls_sent_since(self.now - 900).map_err(text)? {
            let is_renewal = call.record.renewal().is_some();
            if is_renewal && call.record.state == State::InDoubt && self.random.happens(1, 12) {
                self.checker.misjudged.extend(call.record.extensions.iter().map(Extension::key));
                let (now, schedule, id) = (self.now, self.schedule, CallId::of(&call));
                self.attempt(|engine| engine.resolve_call(id, Decision::NotApplied, now, schedule))?;
            }
        }
        Ok(())
    }

    /// The row of the only account.
    fn account(&self) -> Result<AccountKey, String> {
        let accounts = self.reads().accounts().map_err(text)?;
        Ok(accounts[0].row)
    }

    /// People look at what was handed to them.
    fn people(&mut self) -> Result<(), String> {
        let account = self.account()?;
        // What waits for a person is looked at by the host again and again, so it is due at some instant.
        for call in self.reads().due_calls_of(account, Timestamp::MAX, u32::MAX).map_err(text)? {
            let renewal = &call.record;
            let key = (renewal.key().resource, renewal.key().expires_before);
            let identity = renewal.call_identity().to_string();
            let is_applied = match renewal.renewal() {
                Some(_) => self.wire.cloud.borrow().applied.contains_key(&key),
                None => self.wire.cloud.borrow().switched.contains_key(&identity),
            };
            let waited = renewal.called_at.map_or(0, |called_at| self.now - called_at);
            let is_working = self.wire.cloud.borrow().is_working(&key.0, self.now);
            let decision = if renewal.state == State::WithPerson && waited > 2 * HOUR && !is_working {
                // By then everything that was under way has arrived or never will.
                self.figures.with_person += 1;
                if is_applied { Decision::Applied } else { Decision::NotApplied }
            } else {
                continue;
            };
            let (now, schedule, id) = (self.now, self.schedule, CallId::of(&call));
            if decision == Decision::Applied && renewal.extensions.len() > 1 {
                self.checker.misjudged.extend(renewal.extensions[1..].iter().map(Extension::key));
            }
            self.attempt(|engine| engine.resolve_call(id, decision, now, schedule))?;
        }
        Ok(())
    }

    /// Takes over expiries that moved otherwise, where nothing of the resource is under way: of everything, or of what expires soon,
    /// as an incremental sync does where the provider does not say what was ordered.
    fn sync(&mut self, is_full: bool) -> Result<(), String> {
        for number in 0..self.setup.bundles.len() {
            let (stored, _) = self.reads().find_bundle(&id(number, 0)).map_err(text)?.unwrap();
            let schedule = stored.schedule;
            let (original, mut bundle) = stored.into_original();
            let mut is_changed = false;
            for (place, member) in bundle.members.iter_mut().enumerate() {
                let is_soon = member.expires_at.is_some_and(|at| at <= self.now + SOON);
                if member.stage.is_final() || !(is_full || is_soon) {
                    continue;
                }
                let key = perennial_domain::attempt::Key {
                    resource: member.id.clone(),
                    expires_before: member.expires_at.unwrap(),
                };
                let shown = self.wire.cloud.borrow().expiry(&member.id, self.now);
                let is_free = self.reads().paying_call(&key).map_err(text)?.is_none();
                if is_free && Some(shown) != member.expires_at {
                    member.expires_at = Some(shown);
                    is_changed = true;
                }
                let row = original.rows[MemberIndex::new(place)];
                let setting = self.reads().newest_setting(row).map_err(text)?;
                let cloud = self.wire.cloud.borrow();
                let on_expiry = cloud.on_expiry(&member.id, self.now);
                // What this host switched itself, it has to know by itself.
                let is_others = cloud.switched_by_others.contains(&member.id);
                let is_free = setting.is_none_or(|call| !call.record.is_open());
                if is_others && is_free && on_expiry != member.on_expiry {
                    member.on_expiry = on_expiry;
                    is_changed = true;
                }
            }
            if is_changed {
                let mut store = self.engine.take().unwrap().into_store();
                let change = Change::UpdateBundle { original, bundle, schedule, failing: None };
                store.inner.commit([change]).map_err(text)?;
                self.checked = None;
                self.engine = Some(Engine::new(store, world::providers(), Retention::State));
            }
        }
        Ok(())
    }

    /// What expires has an attempt by then; and long into the calm nothing does expire.
    fn note_lapses(&mut self) -> Result<(), String> {
        let ids = self.wire.cloud.borrow().ids();
        for id in ids {
            let expiry = self.wire.cloud.borrow().expiry(&id, self.now);
            let is_ended = self.wire.cloud.borrow().is_ended(&id, self.now);
            if is_ended || expiry > self.now || !self.lapsed.insert((id.clone(), expiry)) {
                continue;
            }
            if expiry > self.calm_from + AFTERMATH && !self.was_called_in_storm(&id, expiry)? {
                return Err(format!("2: {id} lapsed at {expiry}, long after everything was well"));
            }
        }
        Ok(())
    }

    /// Whether a call of the storm is about this period: it may be in doubt until a person decides, however calm it is by then.
    fn was_called_in_storm(&self, id: &str, expiry: Timestamp) -> Result<bool, String> {
        let calls = self.reads().calls_sent_since(Timestamp::MIN).map_err(text)?;
        let is_about = |one: &Extension| one.resource == id && one.expires_before == expiry;
        Ok(calls.iter().any(|call| {
            let renewal = &call.record;
            renewal.called_at.is_some_and(|at| at < self.calm_from) && renewal.extensions.iter().any(is_about)
        }))
    }

    /// At the end everything is settled or explained, and what was paid is what was spent.
    fn check_end(&mut self) -> Result<(), String> {
        self.check()?;
        let calls = self.reads().calls_sent_since(Timestamp::MIN).map_err(text)?;
        let mut paid = Micros::ZERO;
        for StoredCall { record, .. } in &calls {
            if record.state.is_uncertain() || record.state == State::Reserved {
                let key = record.key();
                return Err(format!(
                    "2: {} from {} is still {:?}",
                    key.resource, key.expires_before, record.state
                ));
            }
            if record.state == State::Settled && record.renewal().is_some() {
                self.figures.settled += 1;
                paid += record.cost();
            } else if record.state == State::Settled {
                self.figures.commands += 1;
            }
        }
        {
            let cloud = self.wire.cloud.borrow();
            self.checker.check_settings(self.engine.as_ref().unwrap().store(), &cloud, self.now)?;
        }
        let spent = Micros::new(self.wire.cloud.borrow().spent * 1_000_000);
        if self.checker.misjudged.is_empty() && paid != spent {
            return Err(format!("4: {paid} was paid here, and the cloud took {spent}"));
        }
        Ok(())
    }

    /// Does what a broken host would do, where that is not in its store or on its wire.
    fn sabotage(&mut self) -> Result<(), String> {
        let calls = match self.setup.bug {
            Some(Bug::BlindRetry | Bug::SecondTerm) => {
                self.reads().calls_sent_since(Timestamp::MIN).map_err(text)?
            }
            Some(_) | None => return Ok(()),
        };
        let in_doubt =
            calls.into_iter().filter(|call| call.record.state == State::InDoubt && call.record.queries == 0);
        for call in in_doubt {
            let (now, schedule) = (self.now, self.schedule);
            if self.setup.bug == Some(Bug::BlindRetry) {
                let _ = self.wire.change("acme", &[call.record], now);
                if self.crashes.has_crashed.get() {
                    self.restart()?;
                }
                continue;
            }
            let id = CallId::of(&call);
            self.attempt(|engine| engine.resolve_call(id, Decision::NotApplied, now, schedule))?;
            let mut other = call.record.clone();
            other = CallRecord::new(longer(other.extensions), days(2 * TERM_DAYS), other.deadline, now);
            self.attempt(|engine| engine.reserve_call(other, now, schedule))?;
        }
        Ok(())
    }
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

fn id(bundle: usize, member: usize) -> String {
    if member == 0 { format!("vm-{bundle}") } else { format!("vm-{bundle}-disk-{member}") }
}

fn days(count: u32) -> Term {
    Term::new(count, TermUnit::Day).unwrap()
}

fn bundle(number: usize, size: usize, expiry: Timestamp) -> Bundle {
    let member = |index: usize| Resource {
        id: id(number, index),
        kind: "vm".to_owned(),
        started_at: START - 30 * DAY,
        expires_at: Some(expiry),
        anchor_day: Some(1),
        term: Some(days(TERM_DAYS)),
        price: Some(Micros::new(1_000_000)),
        attached_to: (index > 0).then(|| MemberIndex::new(0)),
        ..Resource::default()
    };
    Bundle { members: (0..size).map(member).collect() }
}

/// The renewal of a group for so many days: what each costs is in the model's prices.
fn renewal(group: &[&Resource], count: u32, now: Timestamp) -> CallRecord {
    let extension = |member: &&Resource| {
        let price = member.id.rsplit_once("-disk-").map_or(1, |(_, index)| index.parse::<i64>().unwrap() + 1);
        let expires_before = member.expires_at.unwrap();
        Extension {
            resource: member.id.clone(),
            expires_before,
            expires_planned: expires_before + i64::from(count) * DAY,
            cost: Micros::new(price * i64::from(count) * 1_000_000),
        }
    };
    let extensions = group.iter().map(extension).collect::<Vec<_>>();
    let deadline = extensions[0].expires_before;
    CallRecord::new(extensions, days(count), deadline, now)
}

/// The same for twice as long.
fn longer(extensions: Vec<Extension>) -> Vec<Extension> {
    let longer = |extension: Extension| Extension {
        expires_planned: extension.expires_before + i64::from(2 * TERM_DAYS) * DAY,
        cost: extension.cost + extension.cost,
        ..extension
    };
    extensions.into_iter().map(longer).collect()
}
