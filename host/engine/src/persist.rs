//! What a batch decided, as changes that any store can carry out, and as events. Decides nothing and writes nothing.

use std::sync::Arc;
use std::sync::PoisonError;

use perennial_domain::apply::PlanEffects;
use perennial_domain::approval::State;
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

use crate::Retention;
use crate::account_names::AccountNames;
use crate::batch::Batch;
use crate::batch_approval::BatchApproval;
use crate::batch_entry::BatchAccount;
use crate::batch_entry::BatchEntry;
use crate::batch_entry::DecisionRecord;
use crate::orders as unpaid_orders;
use crate::parallel;
use crate::revision_shadow::ShadowLog;
use crate::shadow_difference::ShadowDifference;
use perennial_formats as formats;
use perennial_store::approvals::NewApproval;
use perennial_store::bundles::Schedule;
use perennial_store::calls::StoredCall;
use perennial_store::change::AccountChange;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::change::PurchaseChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::events;
use perennial_store::policy_differences::NewPolicyDifference;
use perennial_store::revision_differences::NewRevisionDifference;

/// An event and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The account's id; `None` when the event is about the host.
    pub account: Option<Arc<str>>,
    /// What happened, and when.
    pub event: Event,
}

impl RecordedEvent {
    /// The event as clients see it; it has no number yet.
    pub fn view(&self) -> EventView {
        EventView::new(&self.event, self.account.as_deref())
    }
}

/// What there is to commit, and what happened.
pub(crate) struct Changes {
    pub(crate) list: Vec<Change>,
    /// What happened, in the order in which it did.
    pub(crate) events: Vec<RecordedEvent>,
    retention: Retention,
}

impl Changes {
    /// Starts without a change.
    pub(crate) fn new(retention: Retention) -> Changes {
        Changes { list: Vec::new(), events: Vec::new(), retention }
    }

    /// Adds something that happened; `account` is whose it is, if that is known.
    pub(crate) fn add_event(&mut self, account: Option<(AccountKey, Arc<str>)>, event: Event) {
        let (key, id) = account.unzip();
        if self.retention == Retention::Everything {
            self.list.push(event_change(key, &event));
        }
        self.events.push(RecordedEvent { account: id, event });
    }

    /// Adds everything that `batch` decided.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when orders cannot be read or a bundle is damaged.
    pub(crate) fn add_batch(&mut self, db: &dyn EngineReads, mut batch: Batch) -> Result<(), StoreError> {
        batch.entries.iter_mut().for_each(BatchEntry::expire_obsolete);
        batch.entries.iter_mut().for_each(BatchEntry::end_deferrals);
        batch.entries.iter_mut().for_each(BatchEntry::end_parking);
        let (breakers, of_host) = std::mem::take(&mut batch.breakers).into_changes();
        let breakers = breakers.into_iter().map(|(digest, breaker)| Change::SetBreaker { digest, breaker });
        self.list.extend(breakers);
        of_host.into_iter().for_each(|event| self.add_event(None, event));
        batch.entries.iter_mut().try_for_each(|item| unpaid_orders::close_ended(db, item))?;
        let accounts = batch.accounts.iter().map(AccountNames::new).collect::<Vec<_>>();
        let keeps_events = self.retention == Retention::Everything;
        let bodies = parallel::map(if keeps_events { batch.entries.len() } else { 0 }, |index| {
            batch.entries[index].walk.events.iter().map(event_body).collect()
        });
        let mut bodies: std::vec::IntoIter<Vec<(&'static str, String)>> = bodies.into_iter();
        let shadows = batch.shadows.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.add_shadows(shadows, &batch.accounts, &batch.entries);
        for item in batch.entries {
            let index = item.account.get();
            let (account_in_batch, names) = (&batch.accounts[index], &accounts[index]);
            self.add_entry(db, account_in_batch, names, item, bodies.next().unwrap_or_default())?;
        }
        let balance = |account_in_batch: &BatchAccount| {
            let balance = account_in_batch.account.balance;
            Change::Account(account_in_batch.row, AccountChange::Balance(balance))
        };
        self.list.extend(batch.accounts.iter().map(balance));
        Ok(())
    }

    /// Adds what shadow revisions of plugins answered otherwise, and how often they were asked.
    fn add_shadows(&mut self, shadows: ShadowLog, accounts: &[BatchAccount], entries: &[BatchEntry]) {
        let (trials, differences) = shadows.into_parts();
        self.list.extend(trials.map(|trial| Change::AddRevisionTrial(Box::new(trial))));
        self.list.extend(differences.into_iter().map(|found| {
            let item = &entries[found.entry.get()];
            Change::RecordRevisionDifference(Box::new(NewRevisionDifference {
                at: found.at,
                digest: found.digest,
                followed: found.followed,
                account: accounts[item.account.get()].row,
                resource: item.original.rows[found.member],
                question: found.question,
                kind: found.kind,
                expires_before: found.expires_before,
                followed_answer: found.followed_answer,
                answer: found.answer,
                followed_cost: found.followed_cost,
                cost: found.cost,
            }))
        }));
    }

    fn add_entry(
        &mut self,
        db: &dyn EngineReads,
        account_in_batch: &BatchAccount,
        names: &AccountNames,
        mut item: BatchEntry,
        bodies: Vec<(&'static str, String)>,
    ) -> Result<(), StoreError> {
        for attempt in std::mem::take(&mut item.declined_attempts) {
            let resource = item.resource_row(&attempt.id.key.resource)?;
            self.list.push(Change::RecordAttempt { resource, attempt });
        }
        for record in std::mem::take(&mut item.reserved) {
            let resource = item.resource_row(&record.named().resource)?;
            let call = Box::new(StoredCall::new(account_in_batch.row, resource, record));
            self.list.push(Change::RecordCall { call, at: item.instant });
        }
        for effects in std::mem::take(&mut item.effects) {
            self.add_effects(db, account_in_batch, &item, effects)?;
        }
        if item.deferrals != item.deferrals_before {
            self.list.push(Change::SetDeferrals {
                account: account_in_batch.row,
                members: item.original.rows.clone(),
                deferrals: std::mem::take(&mut item.deferrals),
            });
        }
        for approval in std::mem::take(&mut item.approvals) {
            self.add_approval(account_in_batch, &item, approval)?;
        }
        let decisions = std::mem::take(&mut item.decisions);
        self.add_decisions(names, &item, decisions);
        for difference in std::mem::take(&mut item.differences) {
            self.list.push(difference_change(account_in_batch.row, &item, difference));
        }
        let mut bodies = bodies.into_iter();
        for event in std::mem::take(&mut item.walk.events) {
            self.list.extend(bodies.next().map(|(kind, body)| Change::InsertEvent {
                account: Some(account_in_batch.row),
                at: event.at,
                resource: event.resource.clone(),
                kind,
                body,
            }));
            self.events.push(RecordedEvent { account: Some(names.id.clone()), event });
        }
        self.list.push(Change::UpdateBundle {
            original: item.original,
            bundle: item.walk.bundle,
            schedule: item.schedule,
            failing: item.failing,
        });
        Ok(())
    }

    fn add_decisions(&mut self, names: &AccountNames, item: &BatchEntry, decisions: Vec<DecisionRecord>) {
        for decided in decisions {
            let (revision, contract) = match &decided.interpreter {
                Some(interpreter) => (Some(interpreter), formats::decision::ruling::CONTRACT),
                None => (names.revision.as_ref(), formats::decision::CONTRACT),
            };
            self.list.extend(revision.map(|revision| Change::InsertDecision {
                resource: item.original.rows[decided.member],
                revision: revision.clone(),
                at: decided.at,
                contract,
                request: decided.request,
                response: decided.response,
                fuel: decided.fuel,
            }));
        }
    }

    fn add_effects(
        &mut self,
        db: &dyn EngineReads,
        account_in_batch: &BatchAccount,
        item: &BatchEntry,
        mut effects: PlanEffects,
    ) -> Result<(), StoreError> {
        let rows = &item.original.rows;
        unpaid_orders::rename_taken(db, item, &mut effects)?;
        if !effects.refunded.is_empty() {
            let (members, refunds) = (rows.clone(), effects.refunded);
            self.list.push(Change::Order(OrderChange::Refund { members, refunds, at: item.instant }));
        }
        if let Some(attempt) = effects.attempt {
            let resource = item.resource_row(&attempt.id.key.resource)?;
            self.list.push(Change::RecordAttempt { resource, attempt });
        }
        for order in effects.orders {
            self.list.push(Change::Order(OrderChange::Insert {
                resource: rows[order.member],
                resource_id: item.walk.bundle[order.member].id.clone(),
                order,
                waited: effects.paid.is_some(),
            }));
        }
        if let Some(order) = effects.placed {
            self.list.push(unpaid_orders::placement(item, order));
        }
        // What an order was for and is left alone now is not paid.
        let left = effects.paid.map(|order| (order, OrderState::Cancelled));
        for (order, state) in left.into_iter().chain(effects.closed) {
            self.list.extend(unpaid_orders::closures(item, &order, state));
        }
        let account = account_in_batch.row;
        self.list.extend(effects.entries.into_iter().map(|entry| Change::InsertEntry { account, entry }));
        for package in effects.bought {
            self.list.push(purchase(&account_in_batch.account.id, package, item.instant));
        }
        for (member, details) in effects.deferred {
            self.list.push(Change::Purchase(PurchaseChange::Defer {
                resource: rows[member],
                pay_at: details.pay_at,
                effective_at: details.effective_at,
            }));
        }
        Ok(())
    }

    /// Adds what became of an approval, if anything did.
    fn add_approval(
        &mut self,
        account_in_batch: &BatchAccount,
        item: &BatchEntry,
        approval: BatchApproval,
    ) -> Result<(), StoreError> {
        let state = approval.summary.state;
        let closing = approval.closing.map(|resolution| (state, resolution));
        if let Some(row) = approval.row {
            let (required, expires_at) = (approval.required, approval.expires_at);
            let extension = Change::SetRequired { approval: row, required, expires_at };
            self.list.extend(Some(extension).filter(|_| approval.is_extended));
            self.list.extend(closing.map(|(state, resolution)| Change::CloseApproval {
                approval: row,
                state,
                resolution,
            }));
            return Ok(());
        }
        let Some(request) = approval.request else { return Ok(()) };
        let summary = approval.summary;
        // What ended at once does not wait: its attempt is written with what was done, if anything was.
        let awaited = summary.attempt.filter(|_| state == State::Pending);
        let attempt = awaited.map(|id| item.resource_row(&id.key.resource).map(|row| (row, id)));
        self.list.push(Change::InsertApproval(Box::new(NewApproval {
            id: approval.id,
            account: account_in_batch.row,
            resource: item.original.rows[summary.member],
            cause: summary.cause,
            priced: request.priced,
            attempt: attempt.transpose()?,
            expires_before: summary.expires_before,
            requested_at: request.requested_at,
            requested_by: approval.requested_by,
            expires_at: approval.expires_at,
            required: approval.required,
            closing,
        })));
        Ok(())
    }

    /// The ids of the orders among these changes that are made at `at`, each once, in the order in which they are made.
    pub(crate) fn orders_made(&self, at: Timestamp) -> Vec<String> {
        let mut ids = Vec::<String>::new();
        for change in &self.list {
            for id in orders_of(change, at) {
                if !ids.contains(id) {
                    ids.push(id.clone());
                }
            }
        }
        ids
    }
}

/// The ids of the orders that `change` makes at `at`.
fn orders_of(change: &Change, at: Timestamp) -> Vec<&String> {
    if let Change::Order(OrderChange::Insert { order, waited: false, .. }) = change {
        Vec::from_iter((order.paid_at == at).then_some(&order.id))
    } else if let Change::Order(OrderChange::Place { order, .. }) = change {
        Vec::from_iter((order.created_at == at).then_some(&order.id))
    } else if let Change::InsertBundle { orders, .. } = change {
        orders.iter().filter(|order| order.paid_at == at).map(|order| &order.id).collect()
    } else {
        Vec::new()
    }
}

fn event_body(event: &Event) -> (&'static str, String) {
    let (kind, body) = formats::event::body(event);
    (kind, body.to_text())
}

fn difference_change(account: AccountKey, item: &BatchEntry, difference: ShadowDifference) -> Change {
    let ShadowDifference { ruling, member, at, command, cause, expires_before, followed, cost } = difference;
    Change::RecordPolicyDifference(Box::new(NewPolicyDifference {
        at,
        policy: ruling.policy,
        digest: ruling.digest,
        account,
        resource: item.original.rows[member],
        command,
        cause,
        expires_before,
        ruling: ruling.effect,
        followed,
        reason: ruling.reason,
        until: ruling.until,
        cost,
        amended_cost: ruling.amended_cost,
    }))
}

fn event_change(account: Option<AccountKey>, event: &Event) -> Change {
    let (kind, body) = event_body(event);
    Change::InsertEvent { account, at: event.at, resource: event.resource.clone(), kind, body }
}

/// Writes an event down.
pub fn event(db: &WriteTx, account: Option<AccountKey>, event: &Event) -> Result<(), StoreError> {
    let (kind, body) = event_body(event);
    let mut events = events::EventInserter::new(db)?;
    events.insert(event.at, account, event.resource.as_deref(), kind, &body)
}

/// Adds a package that was just bought. It wakes at once, so that the clock finds out when it really wakes.
fn purchase(account: &str, package: Resource, at: Timestamp) -> Change {
    let order = Order {
        id: order::purchase_id(&package.id),
        member: MemberIndex::PRIMARY,
        starts_at: package.started_at,
        ends_at: package.expires_at.unwrap_or(package.started_at),
        paid: package.price.unwrap_or_default(),
        paid_at: at,
        kind: OrderKind::Purchase,
        reduces: None,
        undo: Undo::default(),
    };
    Change::InsertBundle {
        account: account.to_owned(),
        bundle: Bundle { members: vec![package] },
        schedule: Schedule { cursor_at: at, wake_at: Some(at), failures: 0 },
        orders: vec![order],
    }
}
