//! How a clock begins: the kind of time that a database lives on, and the bundles that no clock has looked at.
//!
//! What is imported waits for a clock, whatever the importing machine's own says: it is looked at as of the instant at
//! which the clock first ticks. So only what has ticked is past.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::Sink;
use crate::clock::OUTAGE_AFTER;
use crate::error::ClockError;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::set_back;
use perennial_store::ReadTx;
use perennial_store::bundles::Schedule;
use perennial_store::change::Change;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::scheduling_revision;
use perennial_store::scheduling_revision::ScheduledAccount;

/// Checks that a clock of `kind` can go on from where the database is, `now` being what it says at first.
///
/// # Errors
///
/// [`ClockError`] when the database lives on the other kind of time, or a virtual clock would have to go back; and
/// [`EngineError::Store`] when the database cannot be read.
pub fn check_clock(db: &ReadTx, kind: ClockKind, now: Timestamp) -> Result<(), EngineError> {
    let ClockState { ticked_at, kind: lives_on } = ticks::state(db)?;
    let Some(ticked_at) = ticked_at else {
        return match (lives_on, kind) {
            (Some(ClockKind::Real), ClockKind::Virtual) => {
                Err(ClockError::RealCommands { requested: now }.into())
            }
            (_, ClockKind::Real | ClockKind::Virtual) => Ok(()),
        };
    };
    match (lives_on, kind) {
        (Some(ClockKind::Virtual), ClockKind::Real) => {
            Err(ClockError::VirtualDatabase { next: ticked_at + 1, now }.into())
        }
        (Some(ClockKind::Real), ClockKind::Virtual) => {
            Err(ClockError::RealDatabase { ticked_at, now }.into())
        }
        (_, ClockKind::Virtual) if now <= ticked_at => {
            Err(ClockError::Passed { requested: now, next: ticked_at + 1 }.into())
        }
        (_, ClockKind::Real) if ticked_at - now > OUTAGE_AFTER => {
            tracing::warn!(
                %ticked_at,
                %now,
                "the system's clock is behind the database, whose clock was ahead or whose machine is wrong: what is due \
                 by the present time is done, but what was done ahead of it stays done; check the system's clock"
            );
            Ok(())
        }
        (_, ClockKind::Real | ClockKind::Virtual) => Ok(()),
    }
}

/// Says on which kind of time the store lives, because something was decided at `at` by a clock of it. What a virtual clock
/// decides while it stands is past, as though it had ticked; a real one ticks by itself, and does what is due then.
pub(crate) fn claim(kind: ClockKind, at: Timestamp) -> Change {
    match kind {
        ClockKind::Virtual => Change::Tick { kind, at: at - 1 },
        ClockKind::Real => Change::SetClockKind(kind),
    }
}

impl<S: EngineStore> Engine<S> {
    /// The same engine on the other kind of time; it is real unless somebody says otherwise.
    pub fn with_clock(mut self, kind: ClockKind) -> Engine<S> {
        self.clock = kind;
        self
    }

    /// Looks for the first time at what was imported or changed by an import, as of `now`: what is due at `now` itself is
    /// still to come.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn start_new(&mut self, now: Timestamp, sink: &mut Sink<'_>) -> Result<(), EngineError> {
        let mut has_started = false;
        while !self.is_stopped() && self.start_some(now, sink)? {
            has_started = true;
        }
        if has_started {
            self.store.commit([claim(self.clock, now)])?;
        }
        Ok(())
    }

    /// Does the next batch of that; returns whether there was one.
    pub(crate) fn start_some(&mut self, now: Timestamp, sink: &mut Sink<'_>) -> Result<bool, EngineError> {
        match self.decide_and_write(Schedule::AT_ONCE, |_| now - 1)? {
            Some(events) => {
                sink(events, Timestamp::MIN);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Tells every account that the clock starts again.
    pub(crate) fn record_resume(
        &mut self,
        down_since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let event = Event { at: now, resource: None, what: EventKind::HostResumed { down_since } };
        let mut changes = Changes::new(self.retention);
        for stored in self.reads().accounts()? {
            changes.add_event(Some((stored.row, stored.account.id.into())), event.clone());
        }
        Ok(self.commit(changes)?)
    }

    /// Says that everything up to `at` is done, unless somebody stopped the engine before it was. The clock of a database
    /// never goes back.
    pub(crate) fn record_tick(&mut self, at: Timestamp) -> Result<(), EngineError> {
        if self.is_stopped() {
            return Ok(());
        }
        Ok(self.store.commit([Change::Tick { kind: self.clock, at }])?)
    }
}

impl Engine {
    /// Says loudly that the database was set back, if it was, and begins a generation of it, `now` being the present. From then on,
    /// renewals that were due while the lost part was lived are not paid without an approval: they may have been paid.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn notice_set_back(&mut self, now: Timestamp) -> Result<(), EngineError> {
        if let Some(lost) = self.store.set_back()? {
            self.store.begin_generation(now, &set_back::approval())?;
            let (ticked_at, had_ticked_at) =
                (lost.ticked_at.map(|at| at.to_string()), lost.had_ticked_at.map(|at| at.to_string()));
            if lost.events.is_none() {
                tracing::error!(
                    "the file beside the database that says how far it had come, its name with `.generation`, cannot be read: nobody \
                     knows whether the database was set back, so it is treated as one that was"
                );
            }
            tracing::error!(
                generation = self.store.generation(),
                events = lost.events,
                ticked_at = ticked_at.unwrap_or_default(),
                had_ticked_at = had_ticked_at.unwrap_or_default(),
                "the database was set back: it is a backup, or another file than before. What happened since is lost, and was sent \
                 and paid all the same: automatic renewals and purchases that were due until then wait for an approval, jobs that were running are cancelled, and tokens and keys that \
                 were revoked since must be revoked again"
            );
        }
        self.review_until = self.store.review_until();
        Ok(())
    }

    /// Says that the database lives on virtual time, if it is a clock that stands under which something was written at `at`, be
    /// it no more than a tag: what was acknowledged then is past.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn claim_time(&mut self, at: Timestamp) -> Result<(), EngineError> {
        if self.clock == ClockKind::Virtual && ticks::state(self.db())?.kind.is_none() {
            self.store.commit([claim(self.clock, at)])?;
        }
        Ok(())
    }

    /// Notes beside the database how far it has come, so that it is noticed if it is set back.
    pub fn note_progress(&mut self) {
        self.store.note_progress();
    }

    /// Whether that is noted, as far as it was tried.
    pub fn is_progress_noted(&self) -> bool {
        self.store.is_progress_noted()
    }

    /// How often the database was set back, as far as it was noticed.
    pub fn generation(&self) -> i64 {
        self.store.generation()
    }

    /// Has the bundles of an account that another revision decides for than the one that their wakes are from asked about anew:
    /// as of the second after the last tick, because everything until then is done. A plugin that was missing is another one
    /// when it is back. Looks only when what is bound has changed since the last time.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn reschedule(&mut self) -> Result<(), EngineError> {
        let digest = self.reads().plugin_binding_digest()?;
        if self.scheduled_for.as_ref() == Some(&digest) {
            return Ok(());
        }
        let bound = self.bound()?;
        let at = ticks::ticked_at(self.db())?.map(|ticked_at| ticked_at + 1);
        let of_account = |account: &ScheduledAccount| {
            bound.of_account(&account.id, &account.provider).map(|rules| rules.digest())
        };
        let mut others = scheduling_revision::list(self.db())?;
        others.retain(|account| of_account(account) != account.digest.as_deref());
        if !others.is_empty() {
            self.store.write(|tx| {
                others.iter().try_for_each(|account| match of_account(account) {
                    Some(digest) => scheduling_revision::set(tx, account.row, digest, at),
                    None => scheduling_revision::forget(tx, account.row),
                })
            })?;
        }
        self.scheduled_for = Some(digest);
        Ok(())
    }
}
