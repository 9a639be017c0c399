//! The tone in which a terminal shows an event. Knows categories, and no words.

use perennial_domain::event::Event;

use crate::report::style::Tone;
use perennial_picture::event_category::EventCategory;

/// Good, bad, or something that somebody should look at.
pub(crate) fn tone(event: &Event) -> Tone {
    let Some(category) = EventCategory::for_event(&event.what) else { return Tone::Plain };
    match category {
        EventCategory::Renewed | EventCategory::RenewedByCommand | EventCategory::Revived => Tone::Good,
        EventCategory::Declined
        | EventCategory::InDoubt
        | EventCategory::Ruled
        | EventCategory::PendingApproval
        | EventCategory::ExpiredApproval
        | EventCategory::Grace
        | EventCategory::Low
        | EventCategory::Uncovered
        | EventCategory::Resumed => Tone::Warning,
        EventCategory::Refused
        | EventCategory::PluginFailed
        | EventCategory::Retention
        | EventCategory::Released
        | EventCategory::Depleted => Tone::Bad,
        EventCategory::Notice | EventCategory::PolicyNote | EventCategory::Setting | EventCategory::Used => {
            Tone::Faint
        }
        EventCategory::Decided
        | EventCategory::Unsubscribed
        | EventCategory::Converted
        | EventCategory::Order
        | EventCategory::Bought
        | EventCategory::Refilled
        | EventCategory::TopUp => Tone::Plain,
    }
}
