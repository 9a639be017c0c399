//! A store that crashes after commits, and that counts the money of each account a second time.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use perennial_domain::connected::protocol::State;
use perennial_domain::ledger::Balance;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::micros::Micros;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;

use crate::connected::bug::Bug;
use crate::connected::random::Random;

/// Commits and calls of one run, and at which of them the process ends.
#[derive(Debug, Default)]
pub struct Crashes {
    /// How many points at which a crash may come have passed.
    pub points: Cell<u64>,
    /// The points at which it comes.
    pub at: RefCell<Vec<u64>>,
    /// In how many of a thousand points it comes, beside those.
    pub rate: Cell<i64>,
    /// What decides about those.
    pub random: RefCell<Option<Random>>,
    /// Whether the process has ended.
    pub has_crashed: Cell<bool>,
}

impl Crashes {
    /// Passes a point; whether the process ends there.
    pub fn pass(&self) -> bool {
        let point = self.points.get() + 1;
        self.points.set(point);
        let by_chance =
            self.random.borrow_mut().as_mut().is_some_and(|random| random.happens(self.rate.get(), 1_000));
        let crashes = by_chance || self.at.borrow().contains(&point);
        self.has_crashed.set(self.has_crashed.get() || crashes);
        crashes
    }
}

/// The store, and what it adds up.
pub struct CountingStore<S> {
    /// The store behind it.
    pub inner: S,
    /// What the entries of each account come to.
    pub sums: BTreeMap<AccountKey, Balance>,
    crashes: Rc<Crashes>,
    bug: Option<Bug>,
    /// What a crash leaves of the store, where that is not everything that was committed.
    remains: Option<Box<S>>,
    copy: fn(&S) -> Option<S>,
}

impl<S: EngineStore> CountingStore<S> {
    /// A store over `inner`, whose accounts have these balances. `copy` copies it, for bugs that lose a commit.
    pub fn new(
        inner: S,
        crashes: Rc<Crashes>,
        bug: Option<Bug>,
        copy: fn(&S) -> Option<S>,
    ) -> CountingStore<S> {
        let accounts = inner.reads().accounts().unwrap();
        let sums = accounts.into_iter().map(|stored| (stored.row, stored.account.balance)).collect();
        CountingStore { inner, sums, crashes, bug, remains: None, copy }
    }

    /// What a crash leaves.
    pub fn after_crash(mut self) -> CountingStore<S> {
        if let Some(remains) = self.remains.take() {
            self.inner = *remains;
            let accounts = self.inner.reads().accounts().unwrap();
            self.sums = accounts.into_iter().map(|stored| (stored.row, stored.account.balance)).collect();
        }
        self
    }

    fn count(&mut self, account: AccountKey, entry: &Entry) {
        let balance = self.sums.entry(account).or_default();
        let moved = Balance::of_entries([entry]);
        *balance = Balance::new(balance.available() + moved.available(), balance.held() + moved.held());
    }

    /// Counts what is called again because nothing moved as declined.
    fn count_up(&self, changes: &mut [Change]) -> Result<(), StoreError> {
        for change in changes {
            let Change::RecordCall { call, .. } = change else { continue };
            let record = &mut call.record;
            let before = self.reads().find_call(call.resource, record.key().expires_before, record.slot())?;
            let is_unproven = before.is_some_and(|before| {
                before.record.state == State::InDoubt && before.record.declines == record.declines
            });
            if record.state == State::Reserved && is_unproven {
                record.declines += 1;
            }
        }
        Ok(())
    }

    /// Takes the releases of holds out.
    fn keep_holds(changes: &mut Vec<Change>) {
        let mut kept = BTreeMap::<AccountKey, Micros>::new();
        changes.retain(|change| {
            let Change::InsertEntry { account, entry } = change else { return true };
            let is_release = entry.from == Book::Held && entry.to == Book::Cash;
            if is_release {
                *kept.entry(*account).or_default() += entry.amount;
            }
            !is_release
        });
        for change in changes {
            if let Change::Account(account, AccountChange::Balance(balance)) = change
                && let Some(amount) = kept.get(account)
            {
                *balance = Balance::new(balance.available() - *amount, balance.held() + *amount);
            }
        }
    }
}

impl<S: EngineStore> EngineStore for CountingStore<S> {
    type Reads = S::Reads;

    fn reads(&self) -> &S::Reads {
        self.inner.reads()
    }

    fn commit(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError> {
        let mut changes = changes.into_iter().collect::<Vec<_>>();
        if self.bug == Some(Bug::HoldKept) {
            Self::keep_holds(&mut changes);
        }
        if self.bug == Some(Bug::TokenCountedUp) {
            self.count_up(&mut changes)?;
        }
        let is_call = |change: &Change, state: State| matches!(change, Change::RecordCall { call, .. } if call.record.state == state);
        if self.bug == Some(Bug::LostTimeout) {
            changes.retain(|change| !is_call(change, State::InDoubt));
        }
        self.remains = None;
        if self.bug == Some(Bug::CallBeforeCommit)
            && changes.iter().any(|change| is_call(change, State::Calling))
        {
            self.remains = (self.copy)(&self.inner).map(Box::new);
        }
        for change in &changes {
            if let Change::InsertEntry { account, entry } = change {
                self.count(*account, entry);
            }
        }
        self.inner.commit(changes)?;
        if self.remains.is_none() && self.crashes.pass() {
            return Err(StoreError::Damaged {
                what: "a process",
                found: "it crashed after a commit".to_owned(),
            });
        }
        Ok(())
    }
}
