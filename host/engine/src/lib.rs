//! The engine: asks the store what is due, asks the rules what that means, and writes down what was decided. Time is an argument.
//!
//! Everything is a batch in one transaction: a crash between two loses nothing. Begin with [`Engine::run_to`] and [`Engine::catch_up`].

mod account_names;
pub mod adoption;
mod application;
pub mod approval;
mod approval_decision;
pub mod approval_parts;
mod approval_requests;
mod approvals_of_period;
pub mod backtest;
mod batch;
mod batch_approval;
mod batch_entry;
mod batch_requests;
pub mod bind_error;
mod breaker_pass;
mod breakers;
mod client_token;
pub mod clock;
mod clock_batch;
mod cloud_balance;
pub mod command;
mod command_ruling;
pub mod connected;
pub mod connector;
mod deferred_purchases;
mod due;
pub mod error;
pub mod explanation;
mod first_walk;
pub mod forecast;
pub mod housekeeping;
pub mod import;
pub mod import_document;
pub mod import_report;
mod kept_revisions;
pub mod kinds_in_use;
mod load_batch;
mod loaded_revisions;
mod order_expiry;
mod orders;
mod own_changes;
pub mod parallel;
pub mod persist;
pub mod plan_facts;
mod plan_view;
mod planner;
pub mod plugin_releases;
pub mod policies;
mod policy_case;
pub mod policy_changes;
pub mod policy_comparison;
mod policy_digest;
mod policy_facts;
mod policy_prices;
pub mod policy_trial;
pub mod preconditions;
pub mod proposal;
pub mod replay;
mod reservations;
pub mod revision_backtest;
pub mod revision_changes;
mod revision_checks;
mod revision_shadow;
pub mod revisions;
pub mod rules;
mod ruling;
mod ruling_approvals;
mod ruling_records;
mod ruling_subject;
mod set_back;
pub mod settings;
mod shadow_difference;
pub mod simulation;
pub mod start;
mod token_admission;
mod top_up;
mod tries;
pub mod upcoming;
pub mod usage;
mod usage_shadow;
mod wake_budget;

use std::ops::Deref;
use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::answer_limits::WAKES_PER_HOUR_MAX;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::WriteTx;

use crate::due::Due;
use crate::due::wake_instant;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;
use crate::rules::Providers;
use crate::wake_budget::WakeBudget;
use perennial_store::Store;
use perennial_store::clock::ClockKind;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;

pub use crate::housekeeping::Retention;

/// Bundles in one transaction. Larger ones write fewer pages per bundle and hold more in memory.
pub const BATCH_MAX: u32 = 8_192;
/// How far apart the wakes of one batch may lie, in seconds: less than a day, because many things come again the next.
const SPAN_MAX: i64 = 86_399;

/// The engine of one store.
pub struct Engine<S = Store> {
    store: S,
    providers: Providers,
    retention: Retention,
    record_limits: housekeeping::RecordLimits,
    clock: ClockKind,
    batch_max: u32,
    batch_size: u32,
    span: i64,
    stop: Arc<AtomicBool>,
    grants_approvals: bool,
    /// Whether somebody who changed how a resource renews does not decide on its renewals.
    takes_two_people: bool,
    wake_budget: WakeBudget,
    wakes_per_hour_max: usize,
    failure_limits: FailureLimits,
    review_until: Option<Timestamp>,
    /// The bindings of revisions by which every account's bundles were scheduled.
    scheduled_for: Option<String>,
}

/// The engine within a transaction: the only place from which others write to its database.
pub struct EngineTx<'e> {
    engine: &'e mut Engine,
}

impl EngineTx<'_> {
    /// The same transaction, lent for a part of it.
    pub fn reborrow(&mut self) -> EngineTx<'_> {
        EngineTx { engine: self.engine }
    }

    /// The database, for writing what the engine knows nothing of.
    pub fn tx(&self) -> &WriteTx {
        self.engine.store.tx()
    }
}

impl Deref for EngineTx<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.engine
    }
}

impl DerefMut for EngineTx<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        self.engine
    }
}

impl Engine {
    /// The database, for reading: what is committed, and what the transaction under way has written.
    pub fn db(&self) -> &ReadTx {
        self.store.db()
    }

    /// Runs `work` in one transaction: everything that it does through the engine, and what it writes to the database
    /// itself, is written together or not at all.
    ///
    /// # Errors
    ///
    /// Those of `work`; nothing of it is written then.
    pub fn in_transaction<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut EngineTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store.begin()?;
        let result = work(&mut EngineTx { engine: self });
        self.store.end(result)
    }

    /// Runs `work` as [`Engine::in_transaction`] does and undoes it: what it returns is what would have come of it.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn preview<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut EngineTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store.begin()?;
        let result = work(&mut EngineTx { engine: self });
        self.store.undo();
        result
    }
}

/// What takes the events of a run. `floor` says that no later call brings an event of an earlier instant.
pub type Sink<'a> = dyn FnMut(Vec<RecordedEvent>, Timestamp) + 'a;

impl<S: EngineStore> Engine<S> {
    /// An engine over a store, with the rules of each provider.
    pub fn new(store: S, providers: Providers, keep: Retention) -> Engine<S> {
        Engine {
            store,
            providers,
            retention: keep,
            record_limits: housekeeping::RecordLimits::DEFAULT,
            clock: ClockKind::Real,
            batch_max: BATCH_MAX,
            batch_size: BATCH_MAX,
            span: SPAN_MAX,
            stop: Arc::default(),
            grants_approvals: false,
            takes_two_people: true,
            wake_budget: WakeBudget::default(),
            wakes_per_hour_max: WAKES_PER_HOUR_MAX,
            failure_limits: FailureLimits::DEFAULT,
            review_until: None,
            scheduled_for: None,
        }
    }

    /// The same engine with at most `bundles` in one transaction, at least 1.
    pub fn with_batch_size(mut self, bundles: u32) -> Engine<S> {
        self.batch_max = bundles.max(1);
        self.batch_size = self.batch_max;
        self
    }

    /// The same engine, which stops between two transactions once `stop` is set; what it had not done stays due.
    pub fn with_stop_flag(mut self, stop: Arc<AtomicBool>) -> Engine<S> {
        self.stop = stop;
        self
    }

    /// Whether it was told to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The store, for reading what the engine has committed.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, without the engine.
    pub fn into_store(self) -> S {
        self.store
    }

    /// What reads the store: what is committed, and what the transaction under way has written.
    pub(crate) fn reads(&self) -> &S::Reads {
        self.store.reads()
    }

    /// Commits `changes`, and returns what happened.
    pub(crate) fn commit(&mut self, changes: Changes) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.commit(changes.list)?;
        Ok(changes.events)
    }

    /// What is kept of events.
    pub(crate) fn retention(&self) -> Retention {
        self.retention
    }

    /// The rules of each provider, as they were loaded.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// The rules of each provider as they are bound to accounts at present.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub(crate) fn bound(&self) -> Result<Providers, StoreError> {
        self.providers.as_bound(self.store.reads())
    }

    /// Does everything that is due by `until`, each thing at the instant at which it is due: the host was up all along.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails. Batches before the failing one are written.
    pub fn run_to(&mut self, until: Timestamp, sink: &mut Sink<'_>) -> Result<(), EngineError> {
        while !self.is_stopped() && self.step(until, sink)? {}
        Ok(())
    }

    /// Does the next batch of what is due by `until`, as [`Engine::run_to`] does; returns whether more may be.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn step(&mut self, until: Timestamp, sink: &mut Sink<'_>) -> Result<bool, EngineError> {
        if self.start_some(until, sink)? {
            return Ok(true);
        }
        let due = self.next_due(until)?;
        let by = due.map_or(until, Due::at);
        if let Some(wake) = self.reads().next_wake()?.filter(|wake| *wake <= by) {
            let last = by.min(wake + self.span);
            let events = self.decide_and_write(last, wake_instant)?.unwrap_or_default();
            sink(events, wake);
            return Ok(true);
        }
        let Some(due) = due else {
            self.record_tick(until)?;
            return Ok(false);
        };
        let events = match due {
            Due::Payment(payment) => self.pay_deferred(payment, payment.pay_at)?,
            Due::ApprovalExpiry(at) => self.expire_approvals(at)?,
            Due::OrderDeadline(at) => self.expire_orders(at)?,
        };
        sink(events, due.at());
        Ok(true)
    }

    /// Does everything that was missed up to `now`: stages at the instants at which they were due, money now.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails. Batches before the failing one are written.
    pub fn catch_up(
        &mut self,
        down_since: Timestamp,
        now: Timestamp,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        self.resume(down_since, now, sink)?;
        while !self.is_stopped() && self.late_step(now, sink)? {}
        Ok(())
    }

    /// Says that the clock starts again at `now`, after which `Engine::late_step` does what was missed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn resume(
        &mut self,
        down_since: Timestamp,
        now: Timestamp,
        sink: &mut Sink<'_>,
    ) -> Result<(), EngineError> {
        let events = self.record_resume(down_since, now)?;
        sink(events, Timestamp::MIN);
        Ok(())
    }

    /// Does the next batch of what was missed up to `now`, as [`Engine::catch_up`] does; returns whether more may be.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub(crate) fn late_step(&mut self, now: Timestamp, sink: &mut Sink<'_>) -> Result<bool, EngineError> {
        if self.start_some(now, sink)? {
            return Ok(true);
        }
        // First, because an approval that expired must not stop what is tried now.
        if let Some(expiry) = self.reads().next_approval_expiry(now)? {
            let events = self.expire_approvals(expiry)?;
            sink(events, Timestamp::MIN);
            return Ok(true);
        }
        if let Some((deadline, _)) = self.reads().next_order_deadline(now)? {
            let events = self.expire_orders_late(deadline)?;
            sink(events, Timestamp::MIN);
            return Ok(true);
        }
        if let Some(events) = self.decide_and_write(now, |_| now)? {
            sink(events, Timestamp::MIN);
            return Ok(true);
        }
        if let Some(payment) = self.reads().next_deferred_purchase(now)? {
            let events = self.pay_deferred(payment, now)?;
            sink(events, Timestamp::MIN);
            return Ok(true);
        }
        self.record_tick(now)?;
        Ok(false)
    }
}
