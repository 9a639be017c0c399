//! Orders whose time to be paid is over.

use perennial_domain::order::OrderState;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::Engine;
use crate::batch::Batch;
use crate::batch_entry::BatchEntry;
use crate::error::EngineError;
use crate::orders;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Expires the orders of the bundle of which one could last be paid at `at`.
    pub(super) fn expire_orders(&mut self, at: Timestamp) -> Result<Vec<RecordedEvent>, EngineError> {
        self.close_expired(at, |_| {})
    }

    /// The same after an outage: tries that were missed while the order waited are refused as they would have been then. What
    /// the rules refuse no more, or never did, is tried by the present.
    pub(super) fn expire_orders_late(&mut self, at: Timestamp) -> Result<Vec<RecordedEvent>, EngineError> {
        self.close_expired(at, |batch| {
            batch.refuses_only = true;
            batch.decide();
            batch.entries.iter_mut().for_each(BatchEntry::look_again);
        })
    }

    fn close_expired(
        &mut self,
        at: Timestamp,
        before: impl FnOnce(&mut Batch),
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let Some((_, row)) = self.reads().next_order_deadline(at)? else { return Ok(Vec::new()) };
        let (stored, _) = self.reads().bundle(row)?;
        let mut batch = self.load_batch(vec![stored], |_| at)?;
        before(&mut batch);
        let item = &mut batch.entries[0];
        for order in
            orders::load(self.reads(), &item.original.rows)?.into_iter().filter(|order| order.pay_until <= at)
        {
            let pay_until = order.pay_until;
            orders::close(item, order, OrderState::Expired, pay_until);
        }
        self.write(batch)
    }
}
