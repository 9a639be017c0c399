//! What a batch is made of: accounts and bundles that are being decided on, and what there is to write down about them.
//!
//! Knows how a bundle rests after its plugin failed. Does not decide, read or write.

use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::apply::PlanEffects;
use perennial_domain::attempt::Attempt;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connector::Driver;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::index_types;
use perennial_domain::micros::Micros;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::plugin_failure::Failure;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::policy::figures::MonthSpending;
use perennial_domain::timeline_walk::TimelineWalk;
use perennial_domain::timestamp::Timestamp;
use perennial_store::accounts::StoredAccount;
use perennial_store::bundles::OriginalBundle;
use perennial_store::bundles::Schedule;
use perennial_store::bundles::StoredBundle;
use perennial_store::calls::StoredCall;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::ResourceKey;

use crate::batch_approval::BatchApproval;
use crate::first_walk;
use crate::rules::Providers;
use crate::rules::Rules;
use crate::shadow_difference::ShadowDifference;

index_types! {
    /// The place of a bundle in a batch.
    EntryIndex;
    /// The place of an account in a batch.
    BatchAccountIndex;
}

impl EntryIndex {
    /// The place of the first bundle: of the only one, where a command is decided on.
    pub(crate) const FIRST: EntryIndex = EntryIndex::new(0);
}

/// An account whose bundles are being decided on.
pub struct BatchAccount {
    /// The row of the account.
    pub row: AccountKey,
    /// What it is; its balance changes as plans are carried out.
    pub account: Account,
    /// Its provider's rules, if they are loaded.
    pub rules: Option<Arc<dyn Rules>>,
    /// The revision that is asked the same beside them, if there is one.
    pub shadow: Option<Arc<dyn Rules>>,
    /// Who renews what it has; `None` where this host keeps it itself.
    pub(crate) driver: Option<Driver>,
    pub(crate) notices: Arc<[String]>,
    /// What it had to spend before.
    pub(crate) initial_available: Micros,
    /// The last bundle whose plan met the balance.
    pub(crate) last_charged: EntryIndex,
    /// The first bundle whose plan met the balance only after a later bundle's had.
    pub(crate) first_out_of_order: Option<EntryIndex>,
    /// Whether the balance did not suffice for a plan.
    pub(crate) has_insufficient_funds: bool,
    /// Whether policies were asked about plans of it.
    pub(crate) is_ruled: bool,
    /// What it has spent in the month; `None` where no policy looks, or there is no budget.
    pub(crate) spending: Option<MonthSpending>,
}

impl BatchAccount {
    /// An account as stored, with its provider's rules.
    pub fn new(stored: StoredAccount, providers: &Providers) -> BatchAccount {
        let (id, provider) = (&stored.account.id, &stored.account.provider);
        let rules = providers.of_account(id, provider).cloned();
        let shadow = providers.shadow_of(id, provider).cloned();
        let notices =
            rules.iter().flat_map(|rules| rules.manifest().notices.iter().map(|notice| notice.name.clone()));
        let notices = notices.collect();
        let is_connected = stored.account.mode == Mode::Connected;
        BatchAccount {
            row: stored.row,
            rules,
            shadow,
            driver: is_connected.then_some(Driver::Watch),
            notices,
            initial_available: stored.account.balance.available(),
            account: stored.account,
            last_charged: EntryIndex::FIRST,
            first_out_of_order: None,
            has_insufficient_funds: false,
            is_ruled: false,
            spending: None,
        }
    }

    /// Notes that a plan of the bundle at `index` meets the balance now.
    pub(crate) fn note_order(&mut self, index: EntryIndex) {
        if index < self.last_charged {
            self.first_out_of_order = Some(self.first_out_of_order.map_or(index, |first| first.min(index)));
        }
    }
}

/// A question that a plugin, or policies, were asked, and the answer.
pub struct DecisionRecord {
    /// The instant of the decision.
    pub at: Timestamp,
    /// The member that the command named.
    pub member: MemberIndex,
    /// What the plugin was asked, as it is kept.
    pub request: Vec<u8>,
    /// What it answered, as it is kept.
    pub response: Vec<u8>,
    /// The fuel that it took.
    pub fuel: u64,
    /// What ran the policies, where they were asked: its name, and the digest of its revision. `None` where the account's
    /// plugin was.
    pub interpreter: Option<Arc<(String, String)>>,
}

/// A bundle that is being decided on, and what there is to write down about it.
pub struct BatchEntry {
    /// The bundle before the batch, to find what changed.
    pub original: OriginalBundle,
    /// The place of its account in the batch.
    pub account: BatchAccountIndex,
    /// The instant of whatever is decided: of tries, and of the money they take.
    pub instant: Timestamp,
    /// The bundle in its present state, and what happened to it.
    pub walk: TimelineWalk,
    /// What the clock is to know of it from now on.
    pub schedule: Schedule,
    /// Why its plugin gives no usable answer, if that is how it ended ...
    pub failing: Option<FailingBundle>,
    /// ... and what was known of that before; `None` where the plugin answered the last time.
    pub failing_before: Option<FailingBundle>,
    /// The plans that were carried out.
    pub effects: Vec<PlanEffects>,
    /// The attempts that were declined.
    pub declined_attempts: Vec<Attempt>,
    /// Whether what is due of it may have been paid before the database was set back.
    pub needs_review: bool,
    /// The approvals that its members were named in; not loaded where no plan ever needs one.
    pub approvals: Vec<BatchApproval>,
    /// How often each member was renewed before; empty where no policy looks.
    pub renewals: Vec<u32>,
    /// The renewals that policies put off ...
    pub deferrals: Vec<Deferral>,
    /// ... and those that they had put off before.
    pub deferrals_before: Vec<Deferral>,
    /// The calls of its members for their present expiry; loaded where this host calls the provider.
    pub(crate) calls: Vec<StoredCall>,
    /// The renewals whose calls are to be made.
    pub(crate) reserved: Vec<CallRecord>,
    /// What shadow policies would have done otherwise, if decisions are kept.
    pub(crate) differences: Vec<ShadowDifference>,
    /// What plugins were asked and answered, if decisions are kept.
    pub decisions: Vec<DecisionRecord>,
}

impl BatchEntry {
    /// A bundle as stored, to be decided on at `instant`, and what its plugin has failed at since it last answered.
    pub fn new(
        stored: StoredBundle,
        account: BatchAccountIndex,
        instant: Timestamp,
        failing_before: Option<FailingBundle>,
    ) -> BatchEntry {
        let (stored, bundle) = stored.into_original();
        let walk = first_walk::walk(bundle, stored.schedule, instant, failing_before.as_ref());
        BatchEntry {
            account,
            instant,
            walk,
            schedule: stored.schedule,
            failing: None,
            failing_before,
            effects: Vec::new(),
            declined_attempts: Vec::new(),
            needs_review: false,
            approvals: Vec::new(),
            renewals: Vec::new(),
            deferrals: Vec::new(),
            deferrals_before: Vec::new(),
            calls: Vec::new(),
            reserved: Vec::new(),
            differences: Vec::new(),
            decisions: Vec::new(),
            original: stored,
        }
    }

    /// The row of the resource called `resource`, which is a member of the bundle.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when it is no member.
    pub(crate) fn resource_row(&self, resource: &str) -> Result<ResourceKey, StoreError> {
        let member = self.walk.bundle.position(resource);
        let damaged = || StoreError::Damaged { what: "a member of the bundle", found: resource.to_owned() };
        Ok(self.original.rows[member.ok_or_else(damaged)?])
    }

    /// Ends the deferrals that hold no more.
    pub(crate) fn end_deferrals(&mut self) {
        let bundle = &self.walk.bundle;
        self.deferrals.retain(|deferral| deferral.holds(bundle));
    }

    /// Nothing more is due by the instant; something is at `wake`.
    pub(crate) fn idle_until(&mut self, wake_at: Option<Timestamp>) {
        self.schedule =
            Schedule { cursor_at: self.instant.max(self.original.schedule.cursor_at), wake_at, failures: 0 };
    }

    /// The bundle has changed since its timeline was asked for: it is due at once.
    pub(crate) fn look_again(&mut self) {
        if self.failing.is_none() {
            self.schedule.wake_at = Some(self.instant);
        }
    }

    /// More is due by the instant, and is for another batch.
    pub(crate) fn pause(&mut self) {
        let (cursor_at, wake_at) = (self.walk.safe_cursor(), Some(self.instant));
        self.schedule = Schedule { cursor_at, wake_at, failures: 0 };
    }

    /// The plugin gave no usable answer: the bundle keeps its state and is asked about again, later each time. It is parked once
    /// the plugin has failed over it alone too often.
    pub(crate) fn record_failure(&mut self, failure: Failure, limits: &FailureLimits) {
        let before = self.failing_before.as_ref();
        // Another revision is asked again soon, whatever the one before it failed at.
        let is_same = before.is_none_or(|before| before.revision == failure.revision);
        let failures = if is_same { self.original.schedule.failures.saturating_add(1) } else { 1 };
        let next_try_at = self.instant + limits.retry.rest(failures);
        self.schedule =
            Schedule { cursor_at: self.unanswered_cursor(), wake_at: Some(next_try_at), failures };
        let message = failure.message.clone();
        let failing =
            FailingBundle::after(before, (failure, self.walk.may_have_missed_tries()), self.instant, limits);
        self.add_event(EventKind::PluginFailed { message, next_try_at: Some(next_try_at) });
        if let Some(revision) = failing.revision.clone().filter(|_| failing.parked_at == Some(self.instant)) {
            self.add_event(EventKind::BundleParked { revision, message: failing.message.clone() });
        }
        self.failing = Some(failing);
    }

    /// Leaves the bundle as it is until its turn after `until`, because its revision is not asked before. One that was asked about
    /// for the revision (`failure.is_alone`) has a later turn.
    pub(crate) fn postpone(&mut self, failure: Failure, until: Timestamp, limits: &FailureLimits) {
        let before = self.failing_before.as_ref();
        let failing = match failure.is_alone {
            true => FailingBundle::after_probe,
            false => FailingBundle::after,
        };
        let failing = failing(before, (failure, self.walk.may_have_missed_tries()), self.instant, limits);
        self.schedule = Schedule {
            cursor_at: self.unanswered_cursor(),
            wake_at: Some(until + failing.turn()),
            failures: self.original.schedule.failures.max(1),
        };
        self.failing = Some(failing);
    }

    /// Where the bundle goes on when its plugin answers again. What no plugin has answered about is still looked at for the first
    /// time then: what it missed is made up for.
    fn unanswered_cursor(&self) -> Timestamp {
        if self.original.schedule.is_not_started() && !self.walk.has_begun() {
            self.original.schedule.cursor_at
        } else {
            self.walk.safe_cursor()
        }
    }

    /// Makes of the failure of this bundle one of its revision, which is asked again at `next_try_at`.
    pub(crate) fn take_back_failure(&mut self, next_try_at: Timestamp) {
        self.walk.events.retain(|event| !matches!(event.what, EventKind::BundleParked { .. }));
        for event in &mut self.walk.events {
            if let EventKind::PluginFailed { next_try_at: said, .. } = &mut event.what {
                *said = Some(next_try_at);
            }
        }
    }

    /// Says that a bundle that was parked is so no more, if its plugin has answered or another one failed over it.
    pub(crate) fn end_parking(&mut self) {
        let was_parked = self.failing_before.as_ref().is_some_and(|before| before.parked_at.is_some());
        let is_parked = self.failing.as_ref().is_some_and(|failing| failing.parked_at.is_some());
        if was_parked && !is_parked {
            self.add_event(EventKind::BundleUnparked { changed_by: None });
        }
    }

    fn add_event(&mut self, what: EventKind) {
        let resource = Some(self.walk.bundle.primary().id.clone());
        self.walk.events.push(Event { at: self.instant, resource, what });
    }
}
