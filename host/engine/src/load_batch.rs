//! Reading what a batch needs: accounts, rules and approvals of the bundles that are to be decided on.

use std::collections::HashMap;

use perennial_domain::bundle::Resource;
use perennial_domain::connector::Driver;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::OrderKind;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_domain::policy::figures::MonthSpending;
use perennial_domain::timestamp::Timestamp;

use crate::approval_requests::load_approvals;
use crate::batch::Batch;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchAccountIndex;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::EntryIndex;
use crate::breakers::BatchBreakers;
use crate::policy_facts::before_period;
use crate::reservations::load_calls;
use crate::rules::Providers;
use perennial_store::bundles::Schedule;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::keys::MemberKeys;

/// The command of the clock.
const RENEW: &str = "renew";

/// How a batch is decided on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchOptions {
    /// Whether requests and answers are kept.
    pub(crate) records_decisions: bool,
    /// Whether every approval is given as soon as it is requested.
    pub(crate) grants_approvals: bool,
    /// Until when what was due may have been paid before the database was set back; it is not paid without an approval.
    pub(crate) review_until: Option<Timestamp>,
    /// What follows from failures of plugins.
    pub(crate) failure_limits: FailureLimits,
}

/// A batch of these bundles with their accounts, each to be decided on at the instant that `instant_of` gives.
pub(crate) fn assemble_batch(
    db: &dyn EngineReads,
    providers: &Providers,
    options: BatchOptions,
    due: Vec<StoredBundle>,
    instant_of: impl Fn(&StoredBundle) -> Timestamp,
) -> Result<Batch, StoreError> {
    let providers = &providers.as_bound(db)?;
    let mut indexes = HashMap::<AccountKey, BatchAccountIndex>::new();
    let mut batch = empty_batch(db, providers, options)?;
    batch.entries.reserve(due.len());
    let with_pending = db.accounts_with_pending_approvals()?;
    let with_deferrals = db.accounts_with_deferrals()?;
    for stored in due {
        let instant = instant_of(&stored);
        let account = match indexes.get(&stored.account) {
            Some(index) => *index,
            None => {
                let account = load_account(db, &batch, providers, stored.account, instant)?;
                let index = BatchAccountIndex::new(batch.accounts.len());
                batch.accounts.push(account);
                indexes.insert(stored.account, index);
                index
            }
        };
        let of = &batch.account(account).account;
        let is_ruled = batch
            .policies
            .as_ref()
            .is_some_and(|policies| !policies.matching(of, &stored.bundle, RENEW).is_empty());
        let needs_review = options.review_until.is_some_and(|until| was_due_by(&stored, until));
        let has_approvals = is_ruled
            || options.review_until.is_some()
            || of.approval_above.is_some()
            || with_pending.binary_search(&stored.account).is_ok();
        let approvals = if has_approvals { load_approvals(db, &stored.rows)? } else { Vec::new() };
        let has_deferrals = with_deferrals.binary_search(&stored.account).is_ok();
        let deferrals = if has_deferrals { db.deferrals(&stored.rows)? } else { Vec::new() };
        let renewals = if is_ruled { count_renewals(db, &stored.rows)? } else { Vec::new() };
        let is_driven = batch.account(account).driver.is_some_and(Driver::sends);
        let calls = if is_driven { load_calls(db, &stored.rows, &stored.bundle)? } else { Vec::new() };
        let has_failed = stored.schedule.failures > 0;
        let failing_before = if has_failed { db.failing_bundle(stored.rows.bundle())? } else { None };
        batch.entries.push(BatchEntry {
            calls,
            needs_review,
            approvals,
            renewals,
            deferrals: deferrals.clone(),
            deferrals_before: deferrals,
            ..BatchEntry::new(stored, account, instant, failing_before)
        });
    }
    if let Some(until) = options.review_until {
        batch.note_reviews(until);
    }
    Ok(batch)
}

/// A batch without bundles, with everything else that it is decided on by.
fn empty_batch(
    db: &dyn EngineReads,
    providers: &Providers,
    options: BatchOptions,
) -> Result<Batch, StoreError> {
    let mut batch = Batch::new(options.records_decisions);
    batch.grants_approvals = options.grants_approvals;
    batch.failure_limits = options.failure_limits;
    batch.breakers = BatchBreakers::new(db.breakers()?);
    if let Some(policies) = providers.policies() {
        batch.policies = policies.current(db)?;
    }
    Ok(batch)
}

impl Batch {
    /// Notes which bundles have a period whose tries began by `until`: it may have been paid, whatever became of the tries since,
    /// for example because a condition of the backup declines them.
    fn note_reviews(&mut self, until: Timestamp) {
        let entries = (0..self.entries.len()).map(EntryIndex::new);
        let members = entries.flat_map(|index| {
            let item = self.entry(index);
            let may_have_begun = |(_, member): &(MemberIndex, &Resource)| {
                !item.needs_review && before_period(member, item.instant) <= until
            };
            item.walk.bundle.iter().filter(may_have_begun).map(move |(member, _)| (index, member))
        });
        let members = members.collect::<Vec<_>>();
        for ((index, _), tries) in members.iter().zip(self.period_tries(&members)) {
            self.entry_mut(*index).needs_review |= tries.first.is_some_and(|at| at <= until);
        }
    }
}

/// Whether something of the bundle was due by `until`; what was just imported was not here then.
fn was_due_by(stored: &StoredBundle, until: Timestamp) -> bool {
    stored.schedule.wake_at.is_some_and(|wake_at| wake_at != Schedule::AT_ONCE && wake_at <= until)
}

/// An account with its rules and, where policies may look, what it has spent in the month of `at`.
fn load_account(
    db: &dyn EngineReads,
    batch: &Batch,
    providers: &Providers,
    row: AccountKey,
    at: Timestamp,
) -> Result<BatchAccount, StoreError> {
    let mut account = BatchAccount::new(db.account(row)?, providers);
    if account.driver.is_some() {
        account.driver = db.driver(row)?.or(account.driver);
    }
    if batch.policies.is_some() && account.account.budget.is_some() {
        let offset = account.utc_offset_minutes();
        let spent = db.spent_since(row, at.month_start(offset))?;
        account.spending = Some(MonthSpending::new(at, offset, spent));
    }
    Ok(account)
}

/// How often each member was renewed, less what was given back of it.
pub(crate) fn count_renewals(db: &dyn EngineReads, rows: &MemberKeys) -> Result<Vec<u32>, StoreError> {
    let mut counts = vec![0; rows.iter().count()];
    for order in db.orders(rows)?.iter().filter(|order| order.kind == OrderKind::Renewal) {
        counts[order.member.get()] += 1;
    }
    Ok(counts)
}
