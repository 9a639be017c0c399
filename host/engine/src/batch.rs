//! Deciding on many bundles at once: walking their timelines, trying their renewals, meeting the money.
//!
//! Knows bundles, rules and balances in memory. Does not read or write anything: [`crate::persist`] does.
//!
//! The bundles of a batch come in the order in which their time comes, and meet the money in that order. Rules are
//! asked in rounds, a question for every bundle that has one: timelines, then plans for the tries that are due, then
//! the timelines of what was renewed, until every bundle is asleep.

use perennial_domain::apply;
use perennial_domain::apply::ExecutionContext;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::attempt::Key;
use perennial_domain::attempt::State;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline_walk::Yield;
use perennial_domain::timestamp::Timestamp;
use perennial_store::bundles::Schedule;

use crate::application::PlanApplication;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::rules::automatic_renewal;

/// The most rounds in one batch. A bundle that has more to catch up on is due again at once, in the next batch.
const ROUNDS_MAX: usize = 64;

/// Bundles that are decided on together.
pub struct Batch {
    /// Their accounts.
    pub accounts: Vec<BatchAccount>,
    /// The bundles, in the order in which their time comes.
    pub entries: Vec<BatchEntry>,
    /// Whether requests and answers are kept.
    pub records_decisions: bool,
    /// The token that asks; `None` for the clock.
    pub requested_by: Option<String>,
}

/// A renewal try that a walk paused for.
struct RenewalTry {
    entry: EntryIndex,
    member: MemberIndex,
    next_try_at: Option<Timestamp>,
    timeline: Vec<Occurrence>,
}

impl Batch {
    /// No bundles yet.
    pub fn new(keeps_decisions: bool) -> Batch {
        Batch {
            accounts: Vec::new(),
            entries: Vec::new(),
            records_decisions: keeps_decisions,
            requested_by: None,
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
    /// them nobody can tell, else they must not be decided on together.
    pub(crate) fn valid_prefix(&self) -> usize {
        let next_wakes = |(index, item): (usize, &BatchEntry)| {
            let wake_at = item.schedule.wake_at?;
            Some(self.entries.partition_point(|later| later.instant < wake_at).max(index + 1))
        };
        let next_wakes = self.entries.iter().enumerate().filter_map(next_wakes);
        let short = self.accounts.iter().filter(|account_in_batch| account_in_batch.has_insufficient_funds);
        let overtaken = short
            .filter_map(|account_in_batch| account_in_batch.first_out_of_order)
            .map(|index| index.get() + 1);
        next_wakes.chain(overtaken).chain([self.entries.len()]).min().unwrap_or_default()
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
            let tries = self.walk_timelines(&pending);
            pending = self.attempt_renewals(tries);
        }
        for index in pending {
            let item = self.entry_mut(index);
            let (cursor_at, wake_at) = (item.walk.safe_cursor(), Some(item.instant));
            item.schedule = Schedule { cursor_at, wake_at, failures: 0 };
        }
    }

    /// Walks these bundles along their timelines; returns the tries they paused for.
    fn walk_timelines(&mut self, pending: &[EntryIndex]) -> Vec<RenewalTry> {
        let timelines = self.request_timelines(pending);
        let mut tries = Vec::new();
        for (index, timeline) in pending.iter().copied().zip(timelines) {
            let item = &mut self.entries[index.get()];
            let timeline = match timeline {
                Ok(timeline) => timeline,
                Err(message) => {
                    item.record_failure(message);
                    continue;
                }
            };
            match item.walk.walk(&timeline, item.instant, &self.accounts[item.account.get()].notices) {
                Yield::Idle { wake } => item.idle_until(wake),
                Yield::Renewal { member, next_try_at } => {
                    tries.push(RenewalTry { entry: index, member, next_try_at, timeline });
                }
            }
        }
        tries
    }

    /// Makes these tries; returns the bundles that are to be walked on.
    fn attempt_renewals(&mut self, tries: Vec<RenewalTry>) -> Vec<EntryIndex> {
        let command = automatic_renewal();
        let evaluation =
            tries.iter().map(|renewal_try| (renewal_try.entry, renewal_try.member)).collect::<Vec<_>>();
        let plans = self.request_plans(&evaluation, &command);
        let mut record = self.decision_records(&evaluation, &command, &plans).into_iter();
        let mut pending = Vec::new();
        for (renewal_try, plan) in tries.into_iter().zip(plans) {
            let record = record.next().flatten();
            match plan {
                Err(message) => self.entry_mut(renewal_try.entry).record_failure(message),
                Ok(plan) => {
                    self.entry_mut(renewal_try.entry).decisions.extend(record);
                    if self.try_renewal(
                        renewal_try.entry,
                        renewal_try.member,
                        plan,
                        renewal_try.next_try_at,
                        &renewal_try.timeline,
                    ) {
                        self.entry_mut(renewal_try.entry).walk.settle();
                        pending.push(renewal_try.entry);
                    } else if self.resume_after_decline(&renewal_try) {
                        pending.push(renewal_try.entry);
                    }
                }
            }
        }
        pending
    }

    /// Walks a bundle on whose try was declined, along the same timeline: nothing has changed. Returns whether it paused
    /// for another try.
    fn resume_after_decline(&mut self, renewal_try: &RenewalTry) -> bool {
        let item = &mut self.entries[renewal_try.entry.get()];
        item.walk.decline();
        match item.walk.walk(&renewal_try.timeline, item.instant, &self.accounts[item.account.get()].notices)
        {
            Yield::Idle { wake } => {
                item.idle_until(wake);
                false
            }
            Yield::Renewal { .. } => true,
        }
    }

    /// Carries out what a try of `member` would do, or holds it, or writes down why not; returns whether it was carried
    /// out. `timeline` is what lies ahead of the bundle.
    pub(crate) fn try_renewal(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        plan: Result<Plan, Refusal>,
        next_try_at: Option<Timestamp>,
        timeline: &[Occurrence],
    ) -> bool {
        let refusal = match plan {
            Ok(plan) if self.needs_approval(index, &plan) => {
                self.request_for_renewal(index, member, &plan, timeline);
                return false;
            }
            Ok(plan) => {
                match self.apply(index, &PlanApplication::of_try(member, &plan, &automatic_renewal())) {
                    Ok(()) => return true,
                    Err(refusal) => {
                        return self.record_decline(
                            index,
                            member,
                            refusal,
                            DeclineClass::Money,
                            next_try_at,
                            Some(&plan),
                        );
                    }
                }
            }
            Err(refusal) => refusal,
        };
        self.record_decline(index, member, refusal, DeclineClass::Rule, next_try_at, None)
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
        let item = &mut self.entries[index.get()];
        let account_in_batch = &mut self.accounts[item.account.get()];
        if index < account_in_batch.last_charged {
            account_in_batch.first_out_of_order =
                Some(account_in_batch.first_out_of_order.map_or(index, |first| first.min(index)));
        }
        account_in_batch.last_charged = account_in_batch.last_charged.max(index);
        let PlanApplication { named, command, plan, orders, new_id, order_id, paying } = *application;
        let context = ExecutionContext { at: item.instant, named, command, orders, new_id, order_id, paying };
        match apply::apply(plan, &mut item.walk.bundle, &mut account_in_batch.account.balance, &context) {
            Ok(mut effects) => {
                item.walk.events.append(&mut effects.events);
                item.effects.push(effects);
                Ok(())
            }
            Err(shortfall) => {
                account_in_batch.has_insufficient_funds = true;
                let rules = account_in_batch.rules.as_ref().expect("a plan came from the account's rules");
                let refusal = &rules.manifest().insufficient_balance;
                let currency = &account_in_batch.account.currency;
                let message = format!(
                    "{}: {} {currency} needed, {} available",
                    refusal.message, shortfall.needed, shortfall.available
                );
                Err(Refusal { code: refusal.code.clone(), message })
            }
        }
    }

    /// Writes down that a renewal was declined; `plan` is what could not be paid. Always returns false.
    pub(crate) fn record_decline(
        &mut self,
        index: EntryIndex,
        member: MemberIndex,
        refusal: Refusal,
        class: DeclineClass,
        next_try_at: Option<Timestamp>,
        plan: Option<&Plan>,
    ) -> bool {
        let item = self.entry_mut(index);
        let resource = &item.walk.bundle[member];
        let what =
            EventKind::RenewalDeclined { code: refusal.code, message: refusal.message, class, next_try_at };
        item.walk.events.push(Event { at: item.instant, resource: Some(resource.id.clone()), what });
        let planned_key = plan.and_then(|plan| apply::attempt_key(plan, &item.walk.bundle, member));
        let fallback_key = || {
            let term = resource.renewal_term.or(resource.term)?;
            Some(Key { resource: resource.id.clone(), expires_before: resource.expires_at?, term })
        };
        if let Some(key) = planned_key.or_else(fallback_key) {
            item.declined_attempts.push(Attempt { key, state: State::Declined(class), at: item.instant });
        }
        false
    }
}
