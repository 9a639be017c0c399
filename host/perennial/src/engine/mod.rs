//! The engine: asks the store what is due, asks the rules what that means, and writes down what was decided.
//!
//! It runs at its own pace: everything is a batch in one transaction, and a crash between two of them loses nothing.
//! Time is an argument. Start with [`Engine::run_to`], which is the clock's work while the host is up, and
//! [`Engine::catch_up`], which is the clock's work after it was not.

pub mod approval;
pub mod batch;
pub mod command;
mod desk;
pub mod error;
pub mod hold;
pub mod import;
pub mod outlook;
mod parallel;
pub mod proposal;
pub mod rules;
pub mod settings;
#[cfg(test)]
pub(crate) mod tests;
pub mod usage;
pub mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::engine::batch::Batch;
use crate::engine::batch::InPlay;
use crate::engine::batch::Item;
use crate::engine::error::EngineError;
use crate::engine::rules::Providers;
use crate::engine::write::Recorded;
use crate::store::Store;
use crate::store::accounts;
use crate::store::accounts::StoredAccount;
use crate::store::approvals;
use crate::store::bundles;
use crate::store::bundles::StoredBundle;
use crate::store::clock;
use crate::store::error::StoreError;
use crate::store::packages;

/// Bundles in one transaction. Larger ones write fewer pages per bundle and hold more in memory.
pub const BATCH_MAX: u32 = 8_192;
/// How far apart the wakes of one batch may lie, in seconds: less than a day, because many things come again the next.
const SPREAD_MAX: i64 = 86_399;

/// What is kept besides what the clock itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Events and decisions: the host's own data.
    Everything,
    /// Neither: whoever runs a simulation takes the events as they come.
    State,
}

/// The engine of one database.
pub struct Engine {
    store: Store,
    providers: Providers,
    keep: Keep,
    batch_max: u32,
    at_once: u32,
    spread: i64,
    stop: Arc<AtomicBool>,
}

/// What takes the events of a run. `floor` says that no later call brings an event of an earlier instant.
pub type Sink<'a> = dyn FnMut(Vec<Recorded>, Timestamp) + 'a;

impl Engine {
    /// An engine over a store, with the rules of each provider.
    pub fn new(store: Store, providers: Providers, keep: Keep) -> Engine {
        Engine {
            store,
            providers,
            keep,
            batch_max: BATCH_MAX,
            at_once: BATCH_MAX,
            spread: SPREAD_MAX,
            stop: Arc::default(),
        }
    }

    /// The same engine with at most `bundles` in one transaction, at least 1.
    pub fn with_batches_of(mut self, bundles: u32) -> Engine {
        self.batch_max = bundles.max(1);
        self.at_once = self.batch_max;
        self
    }

    /// The same engine, which stops between two transactions once `stop` is set; what it had not done stays due.
    pub fn stopped_by(mut self, stop: Arc<AtomicBool>) -> Engine {
        self.stop = stop;
        self
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The database, for reading what is committed.
    pub fn read(&self) -> &Connection {
        self.store.read()
    }

    /// Runs `work` in one transaction: everything that it does through the engine, and what it writes to the database
    /// itself, is written together or not at all.
    ///
    /// # Errors
    ///
    /// Those of `work`; nothing of it is written then.
    pub fn atomically<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Engine) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store.begin()?;
        let result = work(self);
        self.store.end(result)
    }

    /// The rules of each provider.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// When something next happens by itself; `None` when nothing ever does.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        let wake = bundles::next_wake(self.read())?;
        let payment = packages::next_deferred(self.read(), Timestamp::MAX)?.map(|purchase| purchase.pay_at);
        let lapse = approvals::next_lapse(self.read(), Timestamp::MAX)?;
        Ok([wake, payment, lapse].into_iter().flatten().min())
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
        let payment = packages::next_deferred(self.read(), until)?;
        let payment_at = payment.map_or(Timestamp::MAX, |payment| payment.pay_at);
        let lapse = approvals::next_lapse(self.read(), until)?;
        let by = [Some(until), Some(payment_at), lapse].into_iter().flatten().min().unwrap_or(until);
        if let Some(wake) = bundles::next_wake(self.read())?.filter(|wake| *wake <= by) {
            let last = by.min(wake + self.spread);
            let happened = self.decide_and_write(last, own_wake)?.unwrap_or_default();
            sink(happened, wake);
            return Ok(true);
        }
        match (lapse.filter(|lapse| *lapse < payment_at), payment) {
            (Some(lapse), _) => {
                let happened = self.lapse(lapse)?;
                sink(happened, lapse);
                Ok(true)
            }
            (None, Some(payment)) => {
                let happened = self.pay_deferred(payment, payment.pay_at)?;
                sink(happened, payment.pay_at);
                Ok(true)
            }
            (None, None) => {
                self.ticked(until)?;
                Ok(false)
            }
        }
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

    /// Says that the clock starts again at `now`, after which [`Engine::late_step`] does what was missed.
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
        let happened = self.resumed(down_since, now)?;
        sink(happened, Timestamp::MIN);
        Ok(())
    }

    /// Does the next batch of what was missed up to `now`, as [`Engine::catch_up`] does; returns whether more may be.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn late_step(&mut self, now: Timestamp, sink: &mut Sink<'_>) -> Result<bool, EngineError> {
        // First, because whoever did not decide in time does not hold what is tried now.
        if let Some(lapse) = approvals::next_lapse(self.read(), now)? {
            let happened = self.lapse(lapse)?;
            sink(happened, Timestamp::MIN);
            return Ok(true);
        }
        if let Some(happened) = self.decide_and_write(now, |_| now)? {
            sink(happened, Timestamp::MIN);
            return Ok(true);
        }
        if let Some(payment) = packages::next_deferred(self.read(), now)? {
            let happened = self.pay_deferred(payment, now)?;
            sink(happened, Timestamp::MIN);
            return Ok(true);
        }
        self.ticked(now)?;
        Ok(false)
    }

    /// Tells every account that the clock starts again.
    fn resumed(&mut self, down_since: Timestamp, now: Timestamp) -> Result<Vec<Recorded>, EngineError> {
        let event = Event { at: now, resource: None, what: EventKind::HostResumed { down_since } };
        let accounts = accounts::list(self.read())?;
        if self.keep == Keep::Everything {
            self.store.write(|tx| {
                accounts.iter().try_for_each(|stored| write::event(tx, Some(stored.row), &event))
            })?;
        }
        let recorded = |stored: StoredAccount| Recorded {
            account: Some(stored.account.id.into()),
            event: event.clone(),
        };
        Ok(accounts.into_iter().map(recorded).collect())
    }

    /// Says that everything up to `at` is done, unless somebody stopped the engine before it was.
    fn ticked(&mut self, at: Timestamp) -> Result<(), EngineError> {
        if self.is_stopped() {
            return Ok(());
        }
        Ok(self.store.write(|tx| clock::set_ticked_at(tx, at))?)
    }

    /// Decides on bundles that wake by `until`, on as many from the first one on as go together, and writes that down:
    /// see [`Batch::together`]. What it looks at the next time is as much as went together this time, or twice that.
    /// `None` when nothing is due.
    fn decide_and_write(
        &mut self,
        until: Timestamp,
        instant_of: impl Fn(&StoredBundle) -> Timestamp,
    ) -> Result<Option<Vec<Recorded>>, EngineError> {
        let mut limit = self.at_once;
        loop {
            let due = bundles::due(self.read(), until, limit)?;
            if due.is_empty() {
                return Ok(None);
            }
            let mut batch = self.batch(due, &instant_of)?;
            batch.decide();
            let together = batch.together();
            if together < batch.items.len() {
                // Read again rather than kept: it is rare, and nothing was written in between.
                limit = u32::try_from(together).unwrap_or(limit);
                continue;
            }
            if limit < self.at_once {
                self.spread = (self.spread / 2).max(1);
                self.at_once = (self.at_once / 2).max(1);
            } else {
                self.spread = (self.spread * 2).min(SPREAD_MAX);
                self.at_once = self.at_once.saturating_mul(2).min(self.batch_max);
            }
            batch.tell_balances_in_order();
            return self.write(batch).map(Some);
        }
    }

    fn write(&mut self, batch: Batch) -> Result<Vec<Recorded>, EngineError> {
        let keeps_events = self.keep == Keep::Everything;
        Ok(self.store.write(|tx| write::batch(tx, batch, keeps_events))?)
    }

    /// Bundles with their accounts, each to be decided on at the instant that `instant_of` gives.
    fn batch(
        &self,
        due: Vec<StoredBundle>,
        instant_of: impl Fn(&StoredBundle) -> Timestamp,
    ) -> Result<Batch, StoreError> {
        gather(self.read(), &self.providers, self.keeps_decisions(), due, instant_of)
    }

    fn keeps_decisions(&self) -> bool {
        self.keep == Keep::Everything
    }
}

/// The instant of a bundle that is decided on when it wakes.
fn own_wake(stored: &StoredBundle) -> Timestamp {
    stored.agenda.wake_at.expect("a bundle that is due has a wake")
}

/// Puts bundles in play with their accounts, each to be decided on at the instant that `instant_of` gives.
fn gather(
    db: &Connection,
    providers: &Providers,
    keeps_decisions: bool,
    due: Vec<StoredBundle>,
    instant_of: impl Fn(&StoredBundle) -> Timestamp,
) -> Result<Batch, StoreError> {
    let mut places = HashMap::<i64, usize>::new();
    let mut batch = Batch::new(keeps_decisions);
    batch.items.reserve(due.len());
    let with_open = approvals::open_accounts(db)?;
    for stored in due {
        let account = match places.get(&stored.account) {
            Some(place) => *place,
            None => {
                let account = accounts::at(db, stored.account)?;
                batch.accounts.push(InPlay::new(account, providers));
                places.insert(stored.account, batch.accounts.len() - 1);
                batch.accounts.len() - 1
            }
        };
        let instant = instant_of(&stored);
        let holds = batch.accounts[account].account.approval_above.is_some()
            || with_open.binary_search(&stored.account).is_ok();
        let on_hold = if holds { hold::on_hold(db, &stored.rows)? } else { Vec::new() };
        batch.items.push(Item { on_hold, ..Item::new(stored, account, instant) });
    }
    Ok(batch)
}
