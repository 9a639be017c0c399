//! Writing down what a batch decided, in the transaction of the caller. Decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::apply::PlanEffects;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::event::Event;
use perennial_domain::index::MemberIndex;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::order::Undo;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::event_view::EventView;
use perennial_store::WriteTx;
use perennial_store::keys::AccountKey;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RevisionKey;

use crate::batch::Batch;
use crate::batch_approval::BatchApproval;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchEntry;
use crate::orders as unpaid_orders;
use crate::parallel;
use crate::rules::Rules;
use perennial_formats as formats;
use perennial_store::accounts;
use perennial_store::approvals;
use perennial_store::approvals::NewApproval;
use perennial_store::attempts;
use perennial_store::bundles;
use perennial_store::bundles::Schedule;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::events;
use perennial_store::ledger;
use perennial_store::orders;
use perennial_store::packages;

/// An event and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The account's id; `None` when the event is about the host.
    pub account: Option<Arc<str>>,
    /// What happened.
    pub event: Event,
}

impl RecordedEvent {
    /// The event as clients see it; it has no number yet.
    pub fn view(&self) -> EventView {
        EventView::new(&self.event, self.account.as_deref())
    }
}

/// Writes down everything that `batch` decided, and returns what happened in the order in which it did.
///
/// # Errors
///
/// [`StoreError`] when something cannot be written; the caller's transaction must not be committed then.
pub(crate) fn write_batch(
    db: &WriteTx,
    mut batch: Batch,
    keeps_events: bool,
) -> Result<Vec<RecordedEvent>, StoreError> {
    batch.entries.iter_mut().for_each(BatchEntry::expire_obsolete);
    batch.entries.iter_mut().try_for_each(|item| unpaid_orders::close_ended(db, item))?;
    let mut events = Vec::new();
    let ids = batch
        .accounts
        .iter()
        .map(|account_in_batch| Arc::from(account_in_batch.account.id.as_str()))
        .collect::<Vec<Arc<str>>>();
    let bodies = parallel::map(if keeps_events { batch.entries.len() } else { 0 }, |index| {
        batch.entries[index].walk.events.iter().map(|event| formats::event::body(event).1.to_text()).collect()
    });
    let mut bodies: std::vec::IntoIter<Vec<String>> = bodies.into_iter();
    let mut writer = BatchWriter::new(db)?;
    for item in batch.entries {
        let account_in_batch = &batch.accounts[item.account.get()];
        writer.write_entry(account_in_batch, &item)?;
        for (event, body) in item.walk.events.iter().zip(bodies.next().unwrap_or_default()) {
            writer.insert_event(account_in_batch.row, event, &body)?;
        }
        for event in item.walk.events {
            events.push(RecordedEvent { account: Some(ids[item.account.get()].clone()), event });
        }
    }
    for account_in_batch in &batch.accounts {
        accounts::set_balance(db, account_in_batch.row, account_in_batch.account.balance)?;
    }
    Ok(events)
}

/// Writes an event down.
pub fn event(db: &WriteTx, account: Option<AccountKey>, event: &Event) -> Result<(), StoreError> {
    let (kind, body) = formats::event::body(event);
    let mut events = events::EventInserter::new(db)?;
    events.insert(event.at, account, event.resource.as_deref(), kind, &body.to_text())
}

/// What writes a batch: the statements that nearly every bundle takes, found once.
struct BatchWriter<'c> {
    db: &'c WriteTx,
    bundles: bundles::BundleUpdater<'c>,
    attempts: attempts::AttemptRecorder<'c>,
    orders: orders::OrderInserter<'c>,
    entries: ledger::EntryInserter<'c>,
    events: events::EventInserter<'c>,
    decisions: decisions::DecisionInserter<'c>,
    /// The rows of the revisions that decided, by digest.
    revisions: BTreeMap<String, RevisionKey>,
}

impl<'c> BatchWriter<'c> {
    fn new(db: &'c WriteTx) -> Result<BatchWriter<'c>, StoreError> {
        Ok(BatchWriter {
            db,
            bundles: bundles::BundleUpdater::new(db)?,
            attempts: attempts::AttemptRecorder::new(db)?,
            orders: orders::OrderInserter::new(db)?,
            entries: ledger::EntryInserter::new(db)?,
            events: events::EventInserter::new(db)?,
            decisions: decisions::DecisionInserter::new(db)?,
            revisions: BTreeMap::new(),
        })
    }

    fn insert_event(&mut self, account: AccountKey, event: &Event, body: &str) -> Result<(), StoreError> {
        let kind = event.what.name();
        self.events.insert(event.at, Some(account), event.resource.as_deref(), kind, body)
    }

    fn write_entry(&mut self, account_in_batch: &BatchAccount, item: &BatchEntry) -> Result<(), StoreError> {
        self.bundles.update(&item.original, &item.walk.bundle, item.schedule)?;
        if item.failure.is_some() || item.original.schedule.failures > 0 {
            let problem = item.failure.as_deref().map(|message| (item.instant, message));
            bundles::set_problem(self.db, item.original.rows.bundle(), problem)?;
        }
        for attempt in &item.declined_attempts {
            self.attempts.record(resource_row(item, &attempt.key.resource)?, attempt)?;
        }
        for effects in &item.effects {
            self.plan_effects(account_in_batch, item, effects)?;
        }
        for approval in &item.approvals {
            write_approval(self.db, account_in_batch, item, approval)?;
        }
        if let Some(rules) = account_in_batch.rules.as_ref().filter(|_| !item.decisions.is_empty()) {
            let revision = self.revision_row(rules.as_ref())?;
            for decided in &item.decisions {
                let row = item.original.rows[decided.member];
                self.decisions.insert(decided.at, row, revision, &decided.request, &decided.response)?;
            }
        }
        Ok(())
    }

    fn revision_row(&mut self, rules: &dyn Rules) -> Result<RevisionKey, StoreError> {
        match self.revisions.get(rules.digest()) {
            Some(row) => Ok(*row),
            None => {
                let row = decisions::find_or_insert_revision(self.db, &rules.manifest().id, rules.digest())?;
                self.revisions.insert(rules.digest().to_owned(), row);
                Ok(row)
            }
        }
    }

    fn plan_effects(
        &mut self,
        account_in_batch: &BatchAccount,
        item: &BatchEntry,
        effects: &PlanEffects,
    ) -> Result<(), StoreError> {
        for refunded in &effects.refunded {
            let (row, period) = (item.original.rows[refunded.member], &refunded.period);
            orders::refund(self.db, row, refunded, item.instant)?;
            attempts::void(self.db, row, period.starts_at, item.instant)?;
        }
        if let Some(attempt) = &effects.attempt {
            self.attempts.record(resource_row(item, &attempt.key.resource)?, attempt)?;
        }
        for order in &effects.orders {
            let (row, resource) = (item.original.rows[order.member], &item.walk.bundle[order.member].id);
            let is_settled = effects.paid.is_some() && orders::settle(self.db, row, order)?;
            if !is_settled {
                self.orders.insert(row, resource, order)?;
            }
        }
        if let Some(order) = &effects.placed {
            unpaid_orders::write_placed(self.db, item, order)?;
        }
        // What an order was for and is left alone now is not paid.
        let left = effects.paid.as_ref().map(|order| (order, OrderState::Cancelled));
        for (order, state) in
            left.into_iter().chain(effects.closed.as_ref().map(|(order, state)| (order, *state)))
        {
            unpaid_orders::write_closed(self.db, item, order, state)?;
        }
        for entry in &effects.entries {
            self.entries.insert(account_in_batch.row, entry)?;
        }
        for purchased in &effects.bought {
            insert_purchased(self.db, account_in_batch, purchased, item.instant)?;
        }
        for (member, details) in &effects.deferred {
            packages::defer(self.db, item.original.rows[*member], details.pay_at, details.effective_at)?;
        }
        Ok(())
    }
}

/// Adds a package that was just bought. It wakes at once, so that the clock finds out when it really wakes.
fn insert_purchased(
    db: &WriteTx,
    account_in_batch: &BatchAccount,
    purchased: &Resource,
    at: Timestamp,
) -> Result<(), StoreError> {
    let agenda = Schedule { cursor_at: at, wake_at: Some(at), failures: 0 };
    let bundle = Bundle { members: vec![purchased.clone()] };
    let rows = bundles::insert(db, account_in_batch.row, &bundle, agenda)?;
    let order = Order {
        id: order::purchase_id(&purchased.id),
        member: MemberIndex::PRIMARY,
        starts_at: purchased.started_at,
        ends_at: purchased.expires_at.unwrap_or(purchased.started_at),
        paid: purchased.price.unwrap_or_default(),
        paid_at: at,
        kind: OrderKind::Purchase,
        reduces: None,
        undo: Undo::default(),
    };
    orders::insert(db, rows[MemberIndex::PRIMARY], &purchased.id, &order)
}

/// Writes what became of an approval, if anything did.
fn write_approval(
    db: &WriteTx,
    account_in_batch: &BatchAccount,
    item: &BatchEntry,
    approval: &BatchApproval,
) -> Result<(), StoreError> {
    let (row, attempt) = match (approval.row, &approval.request) {
        (Some(row), _) => (row, approval.attempt),
        (None, None) => return Ok(()),
        (None, Some(request)) => {
            let summary = &approval.summary;
            let attempt = match &summary.key {
                Some(key) => Some(attempts::await_approval(
                    db,
                    resource_row(item, &key.resource)?,
                    key.clone(),
                    request.requested_at,
                )?),
                None => None,
            };
            let new = NewApproval {
                id: &approval.id,
                account: account_in_batch.row,
                resource: item.original.rows[summary.member],
                cause: summary.cause,
                priced: &request.priced,
                attempt,
                expires_before: summary.expires_before,
                requested_at: request.requested_at,
                requested_by: request.requested_by.as_deref(),
                expires_at: request.expires_at,
            };
            (approvals::insert(db, &new)?, attempt)
        }
    };
    if let Some(closing) = &approval.closing {
        approvals::close(db, row, approval.summary.state, closing)?;
        if let Some(attempt) = attempt {
            attempts::void_awaiting(db, attempt, closing.at)?;
        }
    }
    Ok(())
}

/// The row of the resource called `resource`, which is a member of the bundle.
pub(super) fn resource_row(item: &BatchEntry, resource: &str) -> Result<ResourceKey, StoreError> {
    let member = item.walk.bundle.position(resource);
    let damaged = || StoreError::Damaged { what: "a member of the bundle", found: resource.to_owned() };
    Ok(item.original.rows[member.ok_or_else(damaged)?])
}
