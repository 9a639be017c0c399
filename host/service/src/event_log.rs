//! Writes events to the log, as people read them: at WARN what somebody has to look into.

use perennial_domain::event::EventKind;
use perennial_engine::persist::RecordedEvent;
use perennial_formats::event_text;

/// Writes an event that was committed.
pub fn write(recorded: &RecordedEvent) {
    let at = recorded.event.at;
    let account = recorded.account.as_deref().unwrap_or_default();
    let resource = recorded.event.resource.as_deref().unwrap_or_default();
    let words = event_text::words(&recorded.event);
    if matches!(recorded.event.what, EventKind::PluginFailed { .. }) {
        tracing::warn!(%at, account, resource, "{words}");
    } else {
        tracing::info!(%at, account, resource, "{words}");
    }
}
