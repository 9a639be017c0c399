//! Reads the deliveries that are due from the database.

use std::collections::BTreeSet;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::keys::EventKey;

use crate::webhooks::dispatcher::shared::DeliveryTask;
use crate::webhooks::dispatcher::shared::Queue;
use perennial_store::deliveries;
use perennial_store::error::StoreError;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;
use perennial_store::webhooks;
use perennial_store::webhooks::StoredWebhook;

/// The most events of one task.
const FIRST_TRIES_MAX: u32 = 64;
/// The most retries of one task.
const RETRIES_MAX: u32 = 16;
/// The most deliveries of one webhook that wait for a retry; with that many, first attempts wait.
const PENDING_MAX: u32 = 1000;
/// The number of events outside a webhook's filter after which its cursor is moved without a delivery.
const CURSOR_LAG_MAX: i64 = 1000;

/// The deliveries that are due.
pub(super) struct PendingWork {
    /// The webhooks and their work.
    pub(super) tasks: Vec<(StoredWebhook, DeliveryTask)>,
    /// The instant at which the next retry is due.
    pub(super) next_retry_at: Option<Timestamp>,
}

/// Reads the deliveries that are due at `now`, for enabled webhooks and for queues that have no running worker.
pub(super) fn pending_work(
    db: &ReadTx,
    now: Timestamp,
    running: &BTreeSet<(String, Queue)>,
) -> Result<PendingWork, StoreError> {
    let mut pending_work = PendingWork { tasks: Vec::new(), next_retry_at: None };
    let last = list_queries::last_event(db)?;
    for webhook in webhooks::list(db)?.into_iter().filter(|webhook| webhook.disabled.is_none()) {
        let is_free = |kind| !running.contains(&(webhook.id.clone(), kind));
        let (pending, first) = deliveries::pending(db, webhook.row)?;
        if is_free(Queue::Retry) {
            match deliveries::due(db, webhook.row, now, RETRIES_MAX)? {
                due if due.is_empty() => {
                    pending_work.next_retry_at = pending_work.next_retry_at.into_iter().chain(first).min()
                }
                due => pending_work.tasks.push((webhook.clone(), DeliveryTask::Retry(due))),
            }
        }
        if is_free(Queue::First)
            && pending < PENDING_MAX
            && let Some(work) = first_attempts(db, &webhook, last)?
        {
            pending_work.tasks.push((webhook, work));
        }
    }
    Ok(pending_work)
}

fn first_attempts(
    db: &ReadTx,
    webhook: &StoredWebhook,
    last: EventKey,
) -> Result<Option<DeliveryTask>, StoreError> {
    if last <= webhook.cursor {
        return Ok(None);
    }
    let json = |list: &Vec<String>| serde_json::to_string(list);
    let filter = EventFilter {
        accounts: webhook.accounts.as_ref().map(json).transpose()?,
        kinds: webhook.types.as_ref().map(json).transpose()?,
        ..EventFilter::default()
    };
    let events = list_queries::events(db, &filter, webhook.cursor, FIRST_TRIES_MAX)?;
    let is_full = u32::try_from(events.len()).is_ok_and(|count| count >= FIRST_TRIES_MAX);
    let to = match events.last() {
        Some(end) if is_full => end.row,
        Some(_) | None => last,
    };
    let is_worthwhile = !events.is_empty() || last.distance_from(webhook.cursor) >= CURSOR_LAG_MAX;
    Ok(is_worthwhile.then_some(DeliveryTask::First { events, to }))
}
