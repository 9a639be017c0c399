//! Simulation: the clock on virtual time, over a copy, with what people and the world do in between.
//!
//! Uses the same engine and the same plugins as the real thing. Holds back only the events of the instant it is at, so
//! that they come out ordered by time, then by account and resource, whatever the number of days.

use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::error::EngineError;
use crate::write::Recorded;
use perennial_formats::scenario::Act;
use perennial_formats::scenario::Entry;

/// What takes the events of a simulation, in order.
pub type Observer<'a> = dyn FnMut(Recorded) + 'a;

/// Plays `scenario`, whose entries are in time order, from `from` until `until`, both included. Entries outside are
/// passed over.
///
/// What people do at an instant comes before what the clock does then. During an outage nothing happens and commands are
/// lost; what the world did meanwhile (money paid in, attributes, use) is recorded when the host starts again.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn play(
    engine: &mut Engine,
    scenario: &[Entry],
    from: Timestamp,
    until: Timestamp,
    observe: &mut Observer<'_>,
) -> Result<(), EngineError> {
    let mut play = Play { engine, outbox: Outbox { held: Vec::new(), observe }, down: None };
    // What had expired before is caught up on first, in whatever order; then everything comes in the order of time.
    let held = &mut play.outbox.held;
    play.engine.run_to(from - 1, &mut |happened, _| held.extend(happened))?;
    for entry in scenario.iter().filter(|entry| from <= entry.at && entry.at <= until) {
        play.resume_by(entry.at)?;
        if play.down.is_none() {
            play.run_to(entry.at - 1)?;
        }
        play.act(entry)?;
    }
    play.resume_by(until)?;
    if play.down.is_none() {
        play.run_to(until)?;
    }
    play.outbox.flush(Timestamp::MAX);
    Ok(())
}

/// An outage under way.
struct Down {
    since: Timestamp,
    until: Timestamp,
    /// What the world did meanwhile.
    meanwhile: Vec<Act>,
}

struct Play<'a, 'b> {
    engine: &'a mut Engine,
    outbox: Outbox<'a, 'b>,
    down: Option<Down>,
}

impl Play<'_, '_> {
    fn run_to(&mut self, until: Timestamp) -> Result<(), EngineError> {
        let outbox = &mut self.outbox;
        self.engine.run_to(until, &mut |happened, floor| {
            outbox.flush(floor);
            outbox.held.extend(happened);
        })
    }

    fn act(&mut self, entry: &Entry) -> Result<(), EngineError> {
        match (&mut self.down, &entry.what) {
            (Some(_), Act::Command { .. } | Act::Outage { .. }) => Ok(()),
            (Some(down), act @ (Act::TopUp { .. } | Act::SetAttribute { .. } | Act::Use { .. })) => {
                down.meanwhile.push(act.clone());
                Ok(())
            }
            (down @ None, Act::Outage { until }) => {
                *down = Some(Down { since: entry.at, until: *until, meanwhile: Vec::new() });
                Ok(())
            }
            (None, act) => self.carry_out(entry.at, act),
        }
    }

    fn carry_out(&mut self, at: Timestamp, act: &Act) -> Result<(), EngineError> {
        self.outbox.flush(at);
        let happened = match act {
            Act::TopUp { account, amount } => self.engine.top_up(at, account, *amount)?,
            Act::SetAttribute { resource, name, value } => {
                self.engine.set_attribute(at, resource, name, value)?
            }
            Act::Use { account, resource_type, amount } => {
                match self.engine.record_use(at, account, resource_type, *amount) {
                    Err(EngineError::Plugin(error)) => return self.undecided(at, &error.to_string()),
                    result => result?,
                }
            }
            Act::Command { account, resource, command } => {
                match self.engine.command(at, account.as_deref(), resource, command) {
                    Ok(answer) => answer.happened,
                    Err(EngineError::Plugin(error)) => return self.undecided(at, &error.to_string()),
                    Err(EngineError::Behind(problem)) => return self.undecided(at, &problem),
                    Err(error) => return Err(error),
                }
            }
            Act::Outage { .. } => Vec::new(),
        };
        self.outbox.held.extend(happened);
        Ok(())
    }

    /// A plugin that gives no usable answer to a command changes nothing; a simulation goes on.
    fn undecided(&mut self, at: Timestamp, problem: &str) -> Result<(), EngineError> {
        tracing::warn!(%at, problem, "the command was not decided");
        Ok(())
    }

    /// Starts again if an outage ends by `at`.
    fn resume_by(&mut self, at: Timestamp) -> Result<(), EngineError> {
        let Some(down) = self.down.take_if(|down| down.until <= at) else { return Ok(()) };
        // Money and attributes first: they decide how the missed tries end.
        let (uses, facts): (Vec<_>, Vec<_>) =
            down.meanwhile.iter().partition(|act| matches!(act, Act::Use { .. }));
        for act in facts {
            self.carry_out(down.until, act)?;
        }
        let outbox = &mut self.outbox;
        self.engine.catch_up(down.since, down.until, &mut |happened, _| outbox.held.extend(happened))?;
        uses.into_iter().try_for_each(|act| self.carry_out(down.until, act))
    }
}

/// Events on their way out, put in order.
struct Outbox<'a, 'b> {
    held: Vec<Recorded>,
    observe: &'a mut Observer<'b>,
}

impl Outbox<'_, '_> {
    /// Lets everything out that is earlier than `floor`, in order; events of one resource at one instant stay in the order
    /// in which they happened.
    fn flush(&mut self, floor: Timestamp) {
        if !self.held.iter().any(|recorded| recorded.event.at < floor) {
            return;
        }
        let all = std::mem::take(&mut self.held).into_iter();
        let (mut ready, held): (Vec<_>, Vec<_>) = all.partition(|recorded| recorded.event.at < floor);
        self.held = held;
        ready.sort_by(|one, other| order(one).cmp(&order(other)));
        ready.into_iter().for_each(&mut *self.observe);
    }
}

fn order(recorded: &Recorded) -> (Timestamp, Option<&str>, Option<&str>) {
    (recorded.event.at, recorded.account.as_deref(), recorded.event.resource.as_deref())
}
