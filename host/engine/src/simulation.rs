//! Simulation: the clock on virtual time, over a copy, with what people and the world do in between.
//!
//! Uses the same engine and the same plugins as the real thing. Holds back only the events of the instant it is at, so
//! that they come out ordered by time, then by account and resource, whatever the number of days.

pub mod parts;

use std::sync::Arc;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::error::EngineError;
use crate::persist::RecordedEvent;
use perennial_formats::scenario::ScenarioAction;
use perennial_formats::scenario::ScenarioEntry;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

/// What takes the events of a simulation, in order.
pub type Observer<'a> = dyn FnMut(RecordedEvent) + 'a;

/// Plays `scenario`, whose entries are in time order, from `from` until `until`, both included. Entries outside are
/// passed over.
///
/// What people do at an instant comes before what the clock does then. During an outage nothing happens and commands are
/// lost; what the world did meanwhile (money paid in, attributes, use) is recorded when the host starts again.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn run_scenario<S: EngineStore>(
    engine: &mut Engine<S>,
    scenario: &[ScenarioEntry],
    from: Timestamp,
    until: Timestamp,
    observe: &mut Observer<'_>,
) -> Result<(), EngineError> {
    let mut play = Simulation { engine, sorter: EventSorter { buffer: Vec::new(), observe }, outage: None };
    // What had expired before is caught up on first, in whatever order; then everything comes in the order of time.
    let buffer = &mut play.sorter.buffer;
    play.engine.start_new(from, &mut |events, _| buffer.extend(events))?;
    play.engine.run_to(from - 1, &mut |events, _| buffer.extend(events))?;
    for entry in scenario.iter().filter(|entry| from <= entry.at && entry.at <= until) {
        play.end_outage(entry.at)?;
        if play.outage.is_none() {
            play.run_to(entry.at - 1)?;
        }
        play.run_entry(entry)?;
    }
    play.end_outage(until)?;
    if play.outage.is_none() {
        play.run_to(until)?;
    }
    play.sorter.flush(Timestamp::MAX);
    Ok(())
}

/// An outage under way.
struct OutageInProgress {
    since: Timestamp,
    until: Timestamp,
    /// What the world did meanwhile.
    deferred_actions: Vec<ScenarioAction>,
}

struct Simulation<'a, 'b, S> {
    engine: &'a mut Engine<S>,
    sorter: EventSorter<'a, 'b>,
    outage: Option<OutageInProgress>,
}

impl<S: EngineStore> Simulation<'_, '_, S> {
    fn run_to(&mut self, until: Timestamp) -> Result<(), EngineError> {
        let outbox = &mut self.sorter;
        self.engine.run_to(until, &mut |events, floor| {
            outbox.flush(floor);
            outbox.buffer.extend(events);
        })
    }

    fn run_entry(&mut self, entry: &ScenarioEntry) -> Result<(), EngineError> {
        match (&mut self.outage, &entry.action) {
            (Some(_), ScenarioAction::Command { .. } | ScenarioAction::Outage { .. }) => Ok(()),
            (
                Some(down),
                action @ (ScenarioAction::TopUp { .. }
                | ScenarioAction::SetAttribute { .. }
                | ScenarioAction::Use { .. }),
            ) => {
                down.deferred_actions.push(action.clone());
                Ok(())
            }
            (down @ None, ScenarioAction::Outage { until }) => {
                *down =
                    Some(OutageInProgress { since: entry.at, until: *until, deferred_actions: Vec::new() });
                Ok(())
            }
            (None, action) => self.run_action(entry.at, action),
        }
    }

    fn run_action(&mut self, at: Timestamp, action: &ScenarioAction) -> Result<(), EngineError> {
        self.sorter.flush(at);
        let events = match action {
            ScenarioAction::TopUp { account, amount } => self.engine.top_up(at, account, *amount)?,
            ScenarioAction::SetAttribute { resource, name, value } => {
                self.engine.set_attribute(at, resource, name, value)?
            }
            ScenarioAction::Use { account, resource_type, amount } => {
                match self.engine.record_use(at, account, resource_type, *amount) {
                    Err(EngineError::Plugin(error)) => {
                        vec![failure(at, Some(account), None, error.to_string())]
                    }
                    result => result?,
                }
            }
            ScenarioAction::Command { account, resource, command } => {
                let problem = match self.engine.command(at, account.as_deref(), resource, command) {
                    Ok(answer) => {
                        self.sorter.buffer.extend(answer.events);
                        return Ok(());
                    }
                    Err(EngineError::Plugin(error)) => error.to_string(),
                    Err(EngineError::Overdue(problem)) => problem,
                    Err(error) => return Err(error),
                };
                let stored = self.engine.reads().find_bundle(resource)?;
                let account =
                    stored.map(|(stored, _)| self.engine.reads().account(stored.account)).transpose()?;
                let account = account.map(|account| account.account.id);
                vec![failure(at, account.as_deref(), Some(resource), problem)]
            }
            ScenarioAction::Outage { .. } => Vec::new(),
        };
        self.sorter.buffer.extend(events);
        Ok(())
    }

    /// Starts again if an outage ends by `at`.
    fn end_outage(&mut self, at: Timestamp) -> Result<(), EngineError> {
        let Some(down) = self.outage.take_if(|down| down.until <= at) else { return Ok(()) };
        // Money and attributes first: they decide how the missed tries end.
        let (uses, facts): (Vec<_>, Vec<_>) =
            down.deferred_actions.iter().partition(|action| matches!(action, ScenarioAction::Use { .. }));
        for action in facts {
            self.run_action(down.until, action)?;
        }
        let outbox = &mut self.sorter;
        self.engine.catch_up(down.since, down.until, &mut |events, _| outbox.buffer.extend(events))?;
        uses.into_iter().try_for_each(|action| self.run_action(down.until, action))
    }
}

/// A plugin gave no usable answer to what a scenario does, which changes nothing; the simulation goes on.
fn failure(at: Timestamp, account: Option<&str>, resource: Option<&str>, message: String) -> RecordedEvent {
    let what = EventKind::PluginFailed { message, next_try_at: None };
    let event = Event { at, resource: resource.map(str::to_owned), what };
    RecordedEvent { account: account.map(Arc::from), event }
}

/// Events on their way out, put in order.
struct EventSorter<'a, 'b> {
    buffer: Vec<RecordedEvent>,
    observe: &'a mut Observer<'b>,
}

impl EventSorter<'_, '_> {
    /// Lets everything out that is earlier than `floor`, in order; events of one resource at one instant stay in the order
    /// in which they happened.
    fn flush(&mut self, floor: Timestamp) {
        if !self.buffer.iter().any(|recorded| recorded.event.at < floor) {
            return;
        }
        let all = std::mem::take(&mut self.buffer).into_iter();
        let (mut ready, later): (Vec<_>, Vec<_>) = all.partition(|recorded| recorded.event.at < floor);
        self.buffer = later;
        ready.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        ready.into_iter().for_each(&mut *self.observe);
    }
}

fn sort_key(recorded: &RecordedEvent) -> (Timestamp, Option<&str>, Option<&str>) {
    (recorded.event.at, recorded.account.as_deref(), recorded.event.resource.as_deref())
}
