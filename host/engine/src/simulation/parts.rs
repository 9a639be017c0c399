//! A simulation on several cores: each plays some of the accounts, which share nothing but the clock.
//!
//! Every part has an engine and a thread of its own. Their events are merged as they come, so what is written does not
//! depend on the number of cores, and no part gets further ahead than its channel holds.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::scenario::ScenarioAction;
use perennial_formats::scenario::ScenarioEntry;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::memory::MemoryStore;

use crate::Engine;
use crate::Retention;
use crate::error::EngineError;
use crate::persist::RecordedEvent;
use crate::rules::Providers;
use crate::simulation::Observer;
use crate::simulation::run_scenario;
use crate::simulation::sort_key;

/// How many events go from a part to the merge at once.
const CHUNK: usize = 1_024;
/// How many chunks a part may be ahead.
const CHUNKS_AHEAD: usize = 16;

/// What a simulation plays.
#[derive(Clone, Copy)]
pub struct Play<'a> {
    /// The rules of each provider.
    pub providers: &'a Providers,
    /// What people and the world do, in the order of time.
    pub scenario: &'a [ScenarioEntry],
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
    /// On how many cores, at least 1.
    pub cores: usize,
}

/// Some of the accounts, and what is done to them.
struct Part {
    store: MemoryStore,
    scenario: Vec<ScenarioEntry>,
}

impl Play<'_> {
    /// Plays on from what `store` holds, as [`run_scenario`] does, on several cores where accounts share nothing. What a
    /// failing plugin delayed may come at another place than on one core. Stops once `stop` is set.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the store fails.
    pub fn run(
        &self,
        store: MemoryStore,
        stop: &Arc<AtomicBool>,
        observe: &mut Observer<'_>,
    ) -> Result<(), EngineError> {
        let mut parts = self.parts(store)?;
        if parts.len() == 1 {
            return parts.drain(..).try_for_each(|part| self.play(part, stop, observe));
        }
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            let mut streams = Vec::new();
            for part in parts {
                let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
                streams.push(EventStream::new(receiver));
                threads.push(scope.spawn(move || self.send(part, stop, sender)));
            }
            merge(streams, observe);
            let results = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            results.collect()
        })
    }

    fn play(
        &self,
        part: Part,
        stop: &Arc<AtomicBool>,
        observe: &mut Observer<'_>,
    ) -> Result<(), EngineError> {
        let engine = Engine::new(part.store, self.providers.clone(), Retention::State);
        let mut engine = engine.with_stop_flag(Arc::clone(stop));
        run_scenario(&mut engine, &part.scenario, self.from, self.until, observe)
    }

    /// Plays a part and sends its events; stops everything when it fails, or when nobody takes them any more.
    fn send(
        &self,
        part: Part,
        stop: &Arc<AtomicBool>,
        sender: SyncSender<Vec<RecordedEvent>>,
    ) -> Result<(), EngineError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        let send = |chunk: Vec<RecordedEvent>| {
            if sender.send(chunk).is_err() {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let played = self.play(part, stop, &mut |recorded| {
            chunk.push(recorded);
            if chunk.len() == CHUNK {
                send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
            }
        });
        send(chunk);
        if played.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        played
    }

    /// As many parts as there are cores or accounts; one if accounts cannot be told apart. They share the ids of packages,
    /// so what is bought again is played in one part, and so is a command for a resource that nobody has.
    fn parts(&self, store: MemoryStore) -> Result<Vec<Part>, StoreError> {
        let mut are_apart = self.cores > 1 && !store.has_deferred_purchases();
        for entry in self.scenario {
            are_apart &= match &entry.action {
                ScenarioAction::Command { command: Command::BuyAgain(_), .. } => false,
                ScenarioAction::Command { resource, .. } | ScenarioAction::SetAttribute { resource, .. } => {
                    store.has_resource(resource)?
                }
                ScenarioAction::TopUp { .. } | ScenarioAction::Use { .. } | ScenarioAction::Outage { .. } => {
                    true
                }
            };
        }
        if !are_apart {
            return Ok(vec![Part { store, scenario: self.scenario.to_vec() }]);
        }
        let own_scenario = |store: MemoryStore| {
            let mut scenario = Vec::new();
            for entry in self.scenario {
                if concerns(&entry.action, &store)? {
                    scenario.push(entry.clone());
                }
            }
            Ok(Part { store, scenario })
        };
        store.split(self.cores).into_iter().map(own_scenario).collect()
    }
}

/// Whether something is done to what `store` holds.
fn concerns(action: &ScenarioAction, store: &MemoryStore) -> Result<bool, StoreError> {
    match action {
        ScenarioAction::Outage { .. } => Ok(true),
        ScenarioAction::TopUp { account, .. } | ScenarioAction::Use { account, .. } => {
            Ok(store.find_account(account)?.is_some())
        }
        ScenarioAction::Command { resource, .. } | ScenarioAction::SetAttribute { resource, .. } => {
            store.has_resource(resource)
        }
    }
}

/// The events of a part, as they come.
struct EventStream {
    chunks: Receiver<Vec<RecordedEvent>>,
    chunk: std::vec::IntoIter<RecordedEvent>,
    /// The next event; `None` at the end.
    next: Option<RecordedEvent>,
}

impl EventStream {
    /// The stream, at its first event.
    fn new(chunks: Receiver<Vec<RecordedEvent>>) -> EventStream {
        EventStream { chunks, chunk: Vec::new().into_iter(), next: None }
    }

    /// Takes the present event out and goes on to the next, waiting for it if it is not there yet.
    fn advance(&mut self) -> Option<RecordedEvent> {
        let present = self.next.take();
        self.next = self.chunk.next();
        while self.next.is_none() {
            let Ok(chunk) = self.chunks.recv() else { break };
            self.chunk = chunk.into_iter();
            self.next = self.chunk.next();
        }
        present
    }
}

/// Gives the events of all parts to `observe`, in their order.
fn merge(mut streams: Vec<EventStream>, observe: &mut Observer<'_>) {
    for stream in &mut streams {
        stream.advance();
    }
    loop {
        let first = streams.iter_mut().filter(|stream| stream.next.is_some());
        let first = first
            .min_by(|one, other| one.next.as_ref().map(sort_key).cmp(&other.next.as_ref().map(sort_key)));
        match first.and_then(EventStream::advance) {
            Some(recorded) => observe(recorded),
            None => break,
        }
    }
}
