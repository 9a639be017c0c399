//! Periods that were paid for through a cloud and are given back, by a command or in the cloud's console: they can be paid for
//! again.
//!
//! Knows calls and orders. What came back for them is the cloud's to say.

use perennial_domain::apply::RefundedPeriod;
use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::Slot;
use perennial_domain::micros::Micros;
use perennial_domain::order::PaidPeriod;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;

use crate::connected::batch::CallBatch;

/// Takes down that the periods of `resource` from `from` on, which calls paid for, were given back.
pub(super) fn give_back<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    resource: &str,
    from: Timestamp,
) -> Result<(), StoreError> {
    let mut next = Some(from);
    while let Some(expires_before) = next {
        let key = Key { resource: resource.to_owned(), expires_before };
        let Some(mut call) = batch.reads.paying_call(&key)? else { return Ok(()) };
        if call.record.state != State::Settled || call.record.slot() != Slot::Period {
            return Ok(());
        }
        let extension = call.record.extensions.iter().find(|one| one.key() == key);
        next = extension.map(|one| one.expires_planned).filter(|planned| *planned > expires_before);
        batch.signal(&mut call, Signal::GiveBack, None)?;
        refund_orders(batch, &call)?;
        batch.record(call);
    }
    Ok(())
}

/// Marks the orders of a call that was settled as given back, for an amount that nobody here knows.
fn refund_orders<R: EngineReads>(batch: &mut CallBatch<'_, R>, call: &StoredCall) -> Result<(), StoreError> {
    let (at, order) = (batch.at, call.record.name());
    let (stored, _) = batch.reads.bundle(call.resource)?;
    let mut refunds = Vec::new();
    for extension in &call.record.extensions {
        let Some(member) = stored.bundle.position(&extension.resource) else { continue };
        let period = PaidPeriod { order: order.clone(), starts_at: extension.expires_before };
        refunds.push(RefundedPeriod { member, period, amount: Micros::ZERO, fee: Micros::ZERO });
    }
    let members = stored.rows;
    batch.changes.list.push(Change::Order(OrderChange::Refund { members, refunds, at }));
    Ok(())
}
