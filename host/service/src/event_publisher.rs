//! Publishes committed events to the metrics, the log and everything that waits for changes.

use std::sync::Arc;

use tokio::sync::watch;

use crate::event_log;
use crate::metrics::Metrics;
use perennial_engine::persist::RecordedEvent;

/// Publishes committed events. Clones share the watchers.
#[derive(Clone)]
pub struct EventPublisher {
    metrics: Arc<Metrics>,
    changes: watch::Sender<u64>,
}

impl EventPublisher {
    /// A publisher without watchers yet.
    pub fn new(metrics: Arc<Metrics>) -> EventPublisher {
        EventPublisher { metrics, changes: watch::Sender::new(0) }
    }

    /// Counts the events, logs them and wakes the watchers. Call it after the commit.
    pub fn publish(&self, events: &[RecordedEvent]) {
        if events.is_empty() {
            return;
        }
        for recorded in events {
            self.metrics.record_event(&recorded.event);
            event_log::write(recorded);
        }
        self.wake();
    }

    /// Wakes the watchers without an event.
    pub fn wake(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A receiver that changes after every commit with events, and on every wake.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Counts the attempts among the events of late work.
    pub(crate) fn record_late_attempts(&self, events: &[RecordedEvent]) {
        self.metrics.record_late_attempts(events);
    }
}
