//! What a settled call leaves: expiries that moved, orders, and what was switched or ended, with the events of it.
//!
//! Knows bundles and what was read back. Holds and spends nothing.

use perennial_domain::apply;
use perennial_domain::apply::ExecutionContext;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::record::Extension;
use perennial_domain::connector::Change as CloudChange;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::Undo;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Step;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::connected::batch::CallBatch;
use crate::connected::batch::ChangedBundle;
use crate::connected::batch::damaged;
use crate::connected::giving_back;

/// The setting whose change says whether the provider renews by itself, where this host has it so.
const PROVIDER_AUTO_RENEW: &str = "provider_auto_renew";

/// Adds what a settled `call` leaves.
pub(super) fn settle<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &StoredCall,
) -> Result<(), StoreError> {
    match &call.record.change {
        CloudChange::Renew(renewal) => settle_renewal(batch, call, renewal.term),
        // What this host switches at the provider by itself changes nothing of what is to be renewed.
        CloudChange::SetAutoRenew(_) if call.record.cause == Cause::Auto => switched(batch, call, "on"),
        CloudChange::CancelAutoRenew if call.record.cause == Cause::Auto => switched(batch, call, "off"),
        change @ (CloudChange::SetAutoRenew(_)
        | CloudChange::CancelAutoRenew
        | CloudChange::Unsubscribe(_)
        | CloudChange::ConvertOnExpiry
        | CloudChange::CancelConversion
        | CloudChange::PayOrder(_)
        | CloudChange::CancelOrder(_)) => settle_command(batch, call, change),
    }
}

/// Says that the provider's own auto-renew was read back as it was switched.
fn switched<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &StoredCall,
    value: &str,
) -> Result<(), StoreError> {
    let (setting, value) = (PROVIDER_AUTO_RENEW.to_owned(), Some(value.to_owned()));
    batch.event(call, EventKind::SettingChanged { setting, value })
}

fn settle_renewal<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &StoredCall,
    term: Term,
) -> Result<(), StoreError> {
    let at = batch.at;
    let account = batch.account(call.account)?.account.id.clone();
    for extension in &call.record.extensions {
        let changed = batch.bundle(call.resource)?;
        let index = place_of(changed, &extension.resource)?;
        let member = changed
            .bundle
            .members
            .get_mut(index.get())
            .ok_or_else(|| damaged("a member", &extension.resource))?;
        let (events, undo) = extend(member, extension, call, term, at);
        let resource = changed.original.rows[index];
        for event in events {
            batch.changes.add_event(Some((call.account, account.as_str().into())), event);
        }
        let (resource_id, order) = (extension.resource.clone(), order(extension, index, call, at, undo));
        let insert = OrderChange::Insert { resource, resource_id, order, waited: false };
        batch.changes.list.push(Change::Order(insert));
    }
    Ok(())
}

fn place_of(changed: &ChangedBundle, resource: &str) -> Result<MemberIndex, StoreError> {
    changed.bundle.position(resource).ok_or_else(|| damaged("a member", &resource))
}

/// Does what a command of a person asked for, as on an account that this host keeps; no money of it is this host's to move.
fn settle_command<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &StoredCall,
    change: &CloudChange,
) -> Result<(), StoreError> {
    let at = batch.at;
    let account = batch.account(call.account)?.account.id.clone();
    let changed = batch.bundle(call.resource)?;
    let mut steps = Vec::new();
    for extension in &call.record.extensions {
        let member = place_of(changed, &extension.resource)?;
        steps.extend(operation(change, extension).map(|operation| Step { member, operation }));
    }
    let named = place_of(changed, &call.record.named().resource)?;
    let Some(command) = command(change) else { return Ok(()) };
    let (orders, new_id, order_id) = (&[], "", "");
    let context = ExecutionContext { at, named, command: &command, orders, new_id, order_id, paying: None };
    // None of these operations costs anything.
    let mut balance = Balance::new(Micros::ZERO, Micros::ZERO);
    let applied = apply::apply(&Plan::of(steps), &mut changed.bundle, &mut balance, &context);
    let effects = applied.map_err(|shortfall| damaged("a command without a price", &shortfall))?;
    for event in effects.events {
        batch.changes.add_event(Some((call.account, account.as_str().into())), event);
    }
    if *change == CloudChange::Unsubscribe(Scope::Future) {
        for extension in &call.record.extensions {
            giving_back::give_back(batch, &extension.resource, extension.expires_planned)?;
        }
    }
    Ok(())
}

fn operation(change: &CloudChange, extension: &Extension) -> Option<Operation> {
    Some(match change {
        CloudChange::SetAutoRenew(auto) => Operation::SetAutoRenew(*auto),
        CloudChange::CancelAutoRenew | CloudChange::CancelConversion => {
            Operation::SetOnExpiry(OnExpiry::Lapse)
        }
        CloudChange::ConvertOnExpiry => Operation::SetOnExpiry(OnExpiry::Convert),
        CloudChange::Unsubscribe(scope) => {
            let expires_at = (*scope == Scope::Future).then_some(extension.expires_planned);
            Operation::EndSubscription(Cancellation { scope: *scope, expires_at, refunds: Vec::new() })
        }
        CloudChange::Renew(_) | CloudChange::PayOrder(_) | CloudChange::CancelOrder(_) => return None,
    })
}

/// The command that a call carries; `None` for what is none.
fn command(change: &CloudChange) -> Option<Command> {
    Some(match change {
        CloudChange::SetAutoRenew(auto) => Command::SetAutoRenew(*auto),
        CloudChange::CancelAutoRenew => Command::CancelAutoRenew,
        CloudChange::Unsubscribe(scope) => Command::Unsubscribe(*scope),
        CloudChange::ConvertOnExpiry => Command::ConvertOnExpiry,
        CloudChange::CancelConversion => Command::CancelConversion,
        CloudChange::Renew(_) | CloudChange::PayOrder(_) | CloudChange::CancelOrder(_) => return None,
    })
}

/// Gives a member the expiry that was read back; returns what happened to it, and what giving it back would restore.
fn extend(
    member: &mut Resource,
    extension: &Extension,
    call: &StoredCall,
    term: Term,
    at: Timestamp,
) -> (Vec<Event>, Undo) {
    let named = &call.record.named().resource;
    let resource = Some(extension.resource.clone());
    member.expires_at = Some(extension.expires_planned);
    let what = EventKind::RenewalSettled {
        cost: extension.cost,
        expires_before: extension.expires_before,
        expires_at: extension.expires_planned,
        term,
        cause: call.record.cause,
        primary: (extension.resource != *named).then(|| named.clone()),
        attempt: call.record.name(),
        extra_days: 0,
    };
    let mut events = vec![Event { at, resource: resource.clone(), what }];
    if extension.expires_planned > at && matches!(member.stage, Stage::Grace | Stage::Retention) {
        let from = std::mem::replace(&mut member.stage, Stage::Active);
        let what = EventKind::StageChanged { from, to: Stage::Active };
        events.push(Event { at, resource, what });
    }
    let mut undo = Undo::default();
    if call.record.cause == Cause::Auto {
        apply::count_renewal(member, at, &mut undo, &mut events);
    }
    (events, undo)
}

/// The order that a settled renewal of one resource is.
fn order(extension: &Extension, member: MemberIndex, call: &StoredCall, at: Timestamp, undo: Undo) -> Order {
    Order {
        id: call.record.name(),
        member,
        kind: OrderKind::Renewal,
        starts_at: extension.expires_before,
        ends_at: extension.expires_planned,
        paid: extension.cost,
        paid_at: at,
        reduces: None,
        undo,
    }
}
