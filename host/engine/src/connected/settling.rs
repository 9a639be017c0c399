//! What a settled renewal leaves: orders for the paid periods, the new expiries, and what happened.

use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::renewal::Extension;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::Undo;
use perennial_domain::plan::Cause;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::connected::batch::CallBatch;
use crate::connected::batch::attempt_id;
use crate::connected::batch::damaged;

/// Adds what a settled `call` leaves.
pub(super) fn settle<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &StoredCall,
) -> Result<(), StoreError> {
    let at = batch.at;
    let account = batch.account(call.account)?.account.id.clone();
    for extension in &call.renewal.extensions {
        let changed = batch.bundle(call.resource)?;
        let found = changed.bundle.iter().find(|(_, member)| member.id == extension.resource);
        let index = found.map(|(index, _)| index).ok_or_else(|| damaged("a member", &extension.resource))?;
        let member = changed
            .bundle
            .members
            .get_mut(index.get())
            .ok_or_else(|| damaged("a member", &extension.resource))?;
        let events = extend(member, extension, call, at);
        let resource = changed.original.rows[index];
        for event in events {
            batch.changes.add_event(Some((call.account, account.as_str().into())), event);
        }
        let (resource_id, order) = (extension.resource.clone(), order(extension, index, call, at));
        let insert = OrderChange::Insert { resource, resource_id, order, waited: false };
        batch.changes.list.push(Change::Order(insert));
    }
    Ok(())
}

/// Gives a member the expiry that was read back; returns what happened to it.
fn extend(member: &mut Resource, extension: &Extension, call: &StoredCall, at: Timestamp) -> Vec<Event> {
    let named = &call.renewal.named().resource;
    let resource = Some(extension.resource.clone());
    member.expires_at = Some(extension.expires_planned);
    let what = EventKind::RenewalSettled {
        cost: extension.cost,
        expires_before: extension.expires_before,
        expires_at: extension.expires_planned,
        term: call.renewal.term,
        cause: Cause::Auto,
        primary: (extension.resource != *named).then(|| named.clone()),
        attempt: attempt_id(call),
        extra_days: 0,
    };
    let mut events = vec![Event { at, resource: resource.clone(), what }];
    if extension.expires_planned > at && matches!(member.stage, Stage::Grace | Stage::Retention) {
        let from = std::mem::replace(&mut member.stage, Stage::Active);
        let what = EventKind::StageChanged { from, to: Stage::Active };
        events.push(Event { at, resource, what });
    }
    events
}

/// The order that a settled renewal of one resource is.
fn order(extension: &Extension, member: MemberIndex, call: &StoredCall, at: Timestamp) -> Order {
    Order {
        id: attempt_id(call),
        member,
        kind: OrderKind::Renewal,
        starts_at: extension.expires_before,
        ends_at: extension.expires_planned,
        paid: extension.cost,
        paid_at: at,
        reduces: None,
        undo: Undo::default(),
    }
}
