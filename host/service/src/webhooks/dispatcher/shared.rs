//! What the dispatcher, its workers and the reader of due work have in common: a worker's state, its queue and its task.
//!
//! Sends nothing and reads nothing.

use perennial_store::keys::EventKey;
use tokio::sync::Semaphore;

use crate::service::Service;
use crate::webhooks::client::Client;
use perennial_store::deliveries::StoredDelivery;
use perennial_store::events::StoredEvent;

/// The state that workers share.
pub(super) struct DispatcherState {
    /// The running host.
    pub(super) service: Service,
    /// The client that sends messages.
    pub(super) client: Client,
    /// Draws a number from 0 to [`crate::webhooks::retry::JITTER_MAX`].
    pub(super) jitter: fn() -> u32,
    /// The permits for messages in flight, to all receivers.
    pub(super) send_permits: Semaphore,
}

/// The queue that a worker sends from. A webhook has at most one worker per queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Queue {
    /// First attempts, one after the other in the order of events.
    First,
    /// Deliveries that failed before and are due again.
    Retry,
}

/// The work of one worker.
pub(super) enum DeliveryTask {
    /// Send these events for the first time, then move the cursor to `to`: the events between do not pass the filter.
    First { events: Vec<StoredEvent>, to: EventKey },
    /// Send these again. A test, which has no event, is sent for the first time.
    Retry(Vec<(StoredDelivery, Option<StoredEvent>)>),
}
