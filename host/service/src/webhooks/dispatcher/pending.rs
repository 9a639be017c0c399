//! What is to be sent now, as the database has it.

use std::collections::BTreeSet;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;

use crate::webhooks::dispatcher::Queue;
use perennial_store::deliveries;
use perennial_store::deliveries::StoredDelivery;
use perennial_store::error::StoreError;
use perennial_store::events::StoredEvent;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;
use perennial_store::webhooks;
use perennial_store::webhooks::StoredWebhook;

/// The most events that a lane is given at once.
const FIRST_TRIES_MAX: u32 = 64;
/// The most later tries that a lane is given at once.
const RETRIES_MAX: u32 = 16;
/// The most deliveries of one webhook that wait for a later try; with that many, first tries wait.
const PENDING_MAX: u32 = 1000;
/// How many events may pass a webhook by until its cursor is moved for that alone.
const CURSOR_LAG_MAX: i64 = 1000;

/// What a lane is to do.
pub(super) enum DeliveryTask {
    /// Try these events for the first time. Then the webhook is at `to`: what is between is not for it.
    First { events: Vec<StoredEvent>, to: i64 },
    /// Try these again, or tests for the first time.
    Retry(Vec<(StoredDelivery, Option<StoredEvent>)>),
}

/// What there is to do.
pub(super) struct PendingWork {
    /// For which webhook, what.
    pub(super) tasks: Vec<(StoredWebhook, DeliveryTask)>,
    /// When the first of the later tries is due that are not due yet.
    pub(super) next_retry_at: Option<Timestamp>,
}

/// What is to be sent at `now`, for webhooks that are enabled, but for what is being done.
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
            && let Some(work) = first_tries(db, &webhook, last)?
        {
            pending_work.tasks.push((webhook, work));
        }
    }
    Ok(pending_work)
}

fn first_tries(db: &ReadTx, webhook: &StoredWebhook, last: i64) -> Result<Option<DeliveryTask>, StoreError> {
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
    let is_worthwhile = !events.is_empty() || last - webhook.cursor >= CURSOR_LAG_MAX;
    Ok(is_worthwhile.then_some(DeliveryTask::First { events, to }))
}
