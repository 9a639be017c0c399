//! Deciding on many bundles at once: walking their timelines, trying their renewals, meeting the money.
//!
//! Knows bundles, rules and balances in memory. Does not read or write anything: [`crate::persist`] does.
//!
//! The bundles of a batch come in the order in which their time comes, and meet the money in that order. Rules are
//! asked in rounds, a question for every bundle that has one: timelines, then plans for the tries that are due, then
//! the timelines of what was renewed, until every bundle is asleep.

use std::sync::Mutex;

use perennial_domain::apply;
use perennial_domain::apply::ExecutionContext;
use perennial_domain::connector::Driver;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Shortfall;
use perennial_domain::plan::Command;
use perennial_domain::plan::Refusal;
use perennial_domain::plugin_failure::Failure;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::policy::deferral;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline_walk::Yield;
use perennial_domain::timestamp::Timestamp;

use crate::application::PlanApplication;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::breakers::BatchBreakers;
use crate::policies::ActivePolicies;
use crate::revision_shadow::ShadowLog;

/// The most rounds in one batch. A bundle that has more to catch up on is due again at once, in the next batch.
const ROUNDS_MAX: usize = 64;

/// Bundles that are decided on together.
pub struct Batch {
    /// The accounts of the bundles.
    pub accounts: Vec<BatchAccount>,
    /// The bundles, in the order in which their time comes.
    pub entries: Vec<BatchEntry>,
    /// Whether requests and answers are kept.
    pub records_decisions: bool,
    /// The token that asks; `None` for the clock.
    pub requested_by: Option<String>,
    /// The person behind it.
    pub(crate) requester: Option<String>,
    /// The policies that rule on plans; `None` when there are none.
    pub(crate) policies: Option<ActivePolicies>,
    /// Whether every approval is given as soon as it is requested.
    pub(crate) grants_approvals: bool,
    /// Whether tries are only made that the rules refuse: the others wait for another batch.
    pub(crate) refuses_only: bool,
    /// Whether a provider's own API asks, which cannot amend what its client asked for.
    pub(crate) is_provider_api: bool,
    /// What shadow revisions of plugins answered.
    pub(crate) shadows: Mutex<ShadowLog>,
    /// What keeps revisions of plugins from being asked.
    pub(crate) breakers: BatchBreakers,
    /// What follows from failures of plugins.
    pub(crate) failure_limits: FailureLimits,
}

/// A renewal try that a walk paused for.
pub(crate) struct RenewalTry {
    /// The bundle that is tried.
    pub(crate) entry: EntryIndex,
    /// The member that is to be renewed.
    pub(crate) member: MemberIndex,
    /// The next try, if this one fails.
    pub(crate) next_try_at: Option<Timestamp>,
    /// What lies ahead of the bundle, by the rules.
    pub(crate) timeline: Vec<Occurrence>,
}

impl Batch {
    /// No bundles yet.
    pub fn new(keeps_decisions: bool) -> Batch {
        Batch {
            accounts: Vec::new(),
            entries: Vec::new(),
            records_decisions: keeps_decisions,
            requested_by: None,
            requester: None,
            policies: None,
            grants_approvals: false,
            refuses_only: false,
            is_provider_api: false,
            shadows: Mutex::default(),
            breakers: BatchBreakers::default(),
            failure_limits: FailureLimits::DEFAULT,
        }
    }

    /// The bundle at this place.
    pub(crate) fn entry(&self, index: EntryIndex) -> &BatchEntry {
        &self.entries[index.get()]
    }

    pub(crate) fn entry_mut(&mut self, index: EntryIndex) -> &mut BatchEntry {
        &mut self.entries[index.get()]
    }

    /// The account at this place.
    pub(crate) fn account(&self, index: BatchAccountIndex) -> &BatchAccount {
        &self.accounts[index.get()]
    }

    /// How many of the bundles, from the first one on, were rightly decided on together; at least one.
    ///
    /// A bundle that is due again within the batch comes before whatever is due then. So does a bundle's second try
    /// before a later bundle's first, though rounds make them the other way round: where the balance suffices for all of
    /// them and no policy is asked nobody can tell, else they must not be decided on together.
    pub(crate) fn valid_prefix(&self) -> usize {
        let next_wakes = |(index, item): (usize, &BatchEntry)| {
            let wake_at = item.schedule.wake_at?;
            Some(self.entries.partition_point(|later| later.instant < wake_at).max(index + 1))
        };
        let next_wakes = self.entries.iter().enumerate().filter_map(next_wakes);
        let short = self
            .accounts
            .iter()
            .filter(|account_in_batch| account_in_batch.has_insufficient_funds || account_in_batch.is_ruled);
        let out_of_order = short
            .filter_map(|account_in_batch| account_in_batch.first_out_of_order)
            .map(|index| index.get() + 1);
        next_wakes.chain(out_of_order).chain([self.entries.len()]).min().unwrap_or_default()
    }

    /// Tells balances as they are when the bundles meet the money one after the other, whatever rounds did.
    pub(crate) fn recompute_balances(&mut self) {
        let mut balances = self
            .accounts
            .iter()
            .map(|account_in_batch| account_in_batch.initial_available)
            .collect::<Vec<_>>();
        for item in &mut self.entries {
            for event in &mut item.walk.events {
                if let EventKind::BalanceChanged { amount, balance, .. } = &mut event.what {
                    balances[item.account.get()] += *amount;
                    *balance = balances[item.account.get()];
                }
            }
        }
    }

    /// Decides on every bundle, up to its instant.
    pub fn decide(&mut self) {
        let everything = (0..self.entries.len()).map(EntryIndex::new).collect();
        self.decide_entries(everything);
    }

    /// Decides on the bundles at these places.
    pub(crate) fn decide_entries(&mut self, mut pending: Vec<EntryIndex>) {
        for _ in 0..ROUNDS_MAX {
            if pending.is_empty() {
                return;
            }
            let (tries, rewound) = self.walk_timelines(&pending);
            pending = self.attempt_renewals(tries);
            pending.extend(rewound);
            pending.sort_unstable();
        }
        for index in pending {
            self.entry_mut(index).pause();
        }
    }

    /// Walks these bundles along their timelines; returns the tries they paused for, and the bundles that went back for tries
    /// that they missed, or came back from there.
    fn walk_timelines(&mut self, pending: &[EntryIndex]) -> (Vec<RenewalTry>, Vec<EntryIndex>) {
        let timelines = self.request_timelines(pending);
        let (mut tries, mut rewound) = (Vec::new(), Vec::new());
        for (index, timeline) in pending.iter().copied().zip(timelines) {
            let timeline = match timeline {
                Ok(timeline) => timeline,
                Err(failure) => {
                    self.fail(index, failure);
                    continue;
                }
            };
            if self.entry_mut(index).walk.rewind_to_missed_tries(&timeline) {
                rewound.push(index);
                continue;
            }
            match self.walk_to_try(index, &timeline) {
                Yield::Idle { .. } if self.entry_mut(index).walk.leave_missed_tries() => rewound.push(index),
                Yield::Idle { wake } => self.entry_mut(index).idle_until(wake),
                Yield::Renewal { member, next_try_at } => {
                    tries.push(RenewalTry { entry: index, member, next_try_at, timeline });
                }
            }
        }
        (tries, rewound)
    }

    /// The plugin gave no usable answer about the bundle at `index`.
    pub(crate) fn fail(&mut self, index: EntryIndex, failure: Failure) {
        let limits = self.failure_limits;
        self.entry_mut(index).record_failure(failure, &limits);
    }

    /// Walks the bundle at `index` along `timeline` up to a try that this host makes. For an account that its provider keeps,
    /// what the provider did is read back.
    fn walk_to_try(&mut self, index: EntryIndex, timeline: &[Occurrence]) -> Yield {
        loop {
            let yielded = self.walk_along(index, timeline);
            match yielded {
                Yield::Renewal { member, .. } if !self.makes_try(index, member) => {}
                Yield::Renewal { .. } | Yield::Idle { .. } => return yielded,
            }
            self.entry_mut(index).walk.decline();
        }
    }

    /// Walks the bundle at `index` along `timeline`, with its tries as the host makes them.
    pub(crate) fn walk_along(&mut self, index: EntryIndex, timeline: &[Occurrence]) -> Yield {
        let extra = self.undecided_tries(index);
        let timeline = &*self.tries_of_driver(index, timeline);
        let item = &mut self.entries[index.get()];
        let notices = &self.accounts[item.account.get()].notices;
        let made = deferral::tries_as_made(timeline, &item.walk.bundle, &item.deferrals, &extra);
        item.walk.walk(&made, item.instant, notices)
    }

    /// Notes that policies were asked about the bundle at `index`, which they must not be after a later one was paid for.
    pub(crate) fn note_ruled(&mut self, index: EntryIndex) {
        let account = self.entries[index.get()].account;
        let account_in_batch = &mut self.accounts[account.get()];
        account_in_batch.is_ruled = true;
        account_in_batch.note_order(index);
    }

    /// Carries a plan out on the bundle at `index`, or makes the order for it.
    ///
    /// # Errors
    ///
    /// The provider's word for it when the balance does not suffice; nothing has changed then.
    pub(crate) fn apply(
        &mut self,
        index: EntryIndex,
        application: &PlanApplication<'_>,
    ) -> Result<(), Refusal> {
        match self.driver(index) {
            None => {}
            // Whether something renews itself is this host's to know where it renews. What is switched off here, the provider
            // does not renew either.
            Some(Driver::Host)
                if matches!(application.command, Command::SetAutoRenew(_) | Command::CancelAutoRenew) =>
            {
                self.cancel_at_provider(index, application);
            }
            Some(_) => {
                let timeline = self.request_timelines(&[index]).pop().and_then(Result::ok);
                return self.reserve(index, application, &timeline.unwrap_or_default());
            }
        }
        self.note_charge(index);
        let item = &mut self.entries[index.get()];
        let account_in_batch = &mut self.accounts[item.account.get()];
        let PlanApplication { named, command, plan, orders, new_id, order_id, paying } = *application;
        let context = ExecutionContext { at: item.instant, named, command, orders, new_id, order_id, paying };
        match apply::apply(plan, &mut item.walk.bundle, &mut account_in_batch.account.balance, &context) {
            Ok(mut effects) => {
                item.walk.events.append(&mut effects.events);
                if let Some(spending) = &mut account_in_batch.spending {
                    spending.add(item.instant, &effects.entries);
                }
                item.effects.push(effects);
                Ok(())
            }
            Err(shortfall) => {
                let account = item.account;
                Err(self.short_of_money(account, shortfall))
            }
        }
    }

    /// Notes that a plan of the bundle at `index` meets the balance of its account.
    pub(crate) fn note_charge(&mut self, index: EntryIndex) {
        let account = self.entries[index.get()].account;
        let account_in_batch = &mut self.accounts[account.get()];
        account_in_batch.note_order(index);
        account_in_batch.last_charged = account_in_batch.last_charged.max(index);
    }

    /// The provider's word for a balance that does not suffice, which is noted.
    pub(crate) fn short_of_money(&mut self, account: BatchAccountIndex, shortfall: Shortfall) -> Refusal {
        let account_in_batch = &mut self.accounts[account.get()];
        account_in_batch.has_insufficient_funds = true;
        let rules = account_in_batch.rules.as_ref().expect("a plan came from the account's rules");
        let refusal = &rules.manifest().insufficient_balance;
        let currency = &account_in_batch.account.currency;
        let message = format!(
            "{}: {} {currency} needed, {} available",
            refusal.message, shortfall.needed, shortfall.available
        );
        Refusal { code: refusal.code.clone(), message }
    }
}
