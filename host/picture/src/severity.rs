//! How bad an event is for a resource: what the picture draws first, and what "only trouble" shows.

use crate::event_category::EventCategory;

/// How bad it is that such an event happened; 0 is no trouble, and more is worse.
pub(crate) const fn severity(category: EventCategory) -> u8 {
    match category {
        EventCategory::Released => 8,
        EventCategory::Retention => 7,
        EventCategory::InDoubt | EventCategory::PluginFailed => 6,
        EventCategory::Grace => 5,
        EventCategory::ExpiredApproval => 4,
        EventCategory::Declined | EventCategory::Depleted | EventCategory::Uncovered => 3,
        EventCategory::Refused => 2,
        EventCategory::Ruled | EventCategory::PendingApproval | EventCategory::Low => 1,
        EventCategory::Renewed
        | EventCategory::RenewedByCommand
        | EventCategory::Decided
        | EventCategory::Revived
        | EventCategory::Unsubscribed
        | EventCategory::Converted
        | EventCategory::Order
        | EventCategory::Bought
        | EventCategory::Refilled
        | EventCategory::Resumed
        | EventCategory::TopUp
        | EventCategory::Notice
        | EventCategory::PolicyNote
        | EventCategory::Setting
        | EventCategory::Used => 0,
    }
}
