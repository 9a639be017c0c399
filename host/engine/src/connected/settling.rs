//! What a settled renewal leaves: orders for the paid periods, the new expiries, and what happened.

use perennial_domain::attempt::AttemptId;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::Undo;
use perennial_domain::plan::Cause;
use perennial_store::bundles::Schedule;
use perennial_store::calls::StoredCall;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::connected::batch::CallBatch;
use crate::connected::batch::damaged;

/// Adds what a settled `call` leaves. Its bundle wakes at once, so that the rules say what comes next.
pub(super) fn settle<R: EngineReads>(batch: &mut CallBatch<'_, R>, call: &StoredCall) -> Result<(), StoreError> {
    let at = batch.at;
    let (stored, _) = batch.reads.bundle(call.resource)?;
    let (account, schedule) = (stored.account, stored.schedule);
    let id = batch.account(account)?.account.id.clone();
    let (original, mut bundle) = stored.into_original();
    let attempt = AttemptId { key: call.renewal.key(), term: call.renewal.term }.to_string();
    let named = &call.renewal.named().resource;
    for extension in &call.renewal.extensions {
        let found = bundle.iter().find(|(_, member)| member.id == extension.resource).map(|(index, _)| index);
        let index = found.ok_or_else(|| damaged("a member", &extension.resource))?;
        let member = &mut bundle.members[index.get()];
        let is_back = extension.expires_planned > at && matches!(member.stage, Stage::Grace | Stage::Retention);
        member.expires_at = Some(extension.expires_planned);
        let what = EventKind::RenewalSettled {
            cost: extension.cost,
            expires_before: extension.expires_before,
            expires_at: extension.expires_planned,
            term: call.renewal.term,
            cause: Cause::Auto,
            primary: (extension.resource != *named).then(|| named.clone()),
            attempt: attempt.clone(),
            extra_days: 0,
        };
        let resource = Some(extension.resource.clone());
        let owner = Some((account, id.as_str().into()));
        batch.changes.add_event(owner.clone(), Event { at, resource: resource.clone(), what });
        if is_back {
            let from = std::mem::replace(&mut member.stage, Stage::Active);
            let what = EventKind::StageChanged { from, to: Stage::Active };
            batch.changes.add_event(owner, Event { at, resource, what });
        }
        let order = Order {
            id: attempt.clone(),
            member: index,
            kind: OrderKind::Renewal,
            starts_at: extension.expires_before,
            ends_at: extension.expires_planned,
            paid: extension.cost,
            paid_at: at,
            reduces: None,
            undo: Undo::default(),
        };
        batch.changes.list.push(Change::Order(OrderChange::Insert {
            resource: original.rows[index],
            resource_id: extension.resource.clone(),
            order,
            waited: false,
        }));
    }
    let wake_at = Some(at.max(schedule.cursor_at + 1));
    let schedule = Schedule { wake_at, ..schedule };
    batch.changes.list.push(Change::UpdateBundle { original, bundle, schedule, failure: None });
    Ok(())
}
