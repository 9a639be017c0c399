//! Topics: what sort of happening an event is, for counting and for the marks of the picture. Knows no shapes.

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::plan::Cause;

/// A sort of happening, in the order that people care about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EventCategory {
    Renewed,
    RenewedByCommand,
    Declined,
    InDoubt,
    PendingApproval,
    Decided,
    ExpiredApproval,
    Refused,
    PluginFailed,
    Grace,
    Retention,
    Released,
    Revived,
    Unsubscribed,
    Converted,
    Bought,
    Refilled,
    Low,
    Depleted,
    Uncovered,
    Resumed,
    TopUp,
    Notice,
    Setting,
    Used,
}

/// How a topic shows in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkerRow {
    /// Above the bar: something went wrong.
    Above,
    /// On the bar.
    On,
    /// Below the bar: small, for the record.
    Below,
    /// Not as a mark: as a bar, a band or a level.
    Elsewhere,
}

impl EventCategory {
    /// Every topic.
    pub(super) const ALL: [EventCategory; 25] = [
        EventCategory::Renewed,
        EventCategory::RenewedByCommand,
        EventCategory::Declined,
        EventCategory::InDoubt,
        EventCategory::PendingApproval,
        EventCategory::Decided,
        EventCategory::ExpiredApproval,
        EventCategory::Refused,
        EventCategory::PluginFailed,
        EventCategory::Grace,
        EventCategory::Retention,
        EventCategory::Released,
        EventCategory::Revived,
        EventCategory::Unsubscribed,
        EventCategory::Converted,
        EventCategory::Bought,
        EventCategory::Refilled,
        EventCategory::Low,
        EventCategory::Depleted,
        EventCategory::Uncovered,
        EventCategory::Resumed,
        EventCategory::TopUp,
        EventCategory::Notice,
        EventCategory::Setting,
        EventCategory::Used,
    ];

    /// The topic of what happened; `None` for what another event tells as well.
    pub(super) fn for_event(what: &EventKind) -> Option<EventCategory> {
        Some(match what {
            EventKind::StageChanged { to, .. } => match to {
                Stage::Active => EventCategory::Revived,
                Stage::Grace => EventCategory::Grace,
                Stage::Retention => EventCategory::Retention,
                Stage::Released => EventCategory::Released,
                Stage::Unsubscribed | Stage::Converted => return None,
            },
            EventKind::RenewalSettled { cause: Cause::Auto, .. } => EventCategory::Renewed,
            EventKind::RenewalSettled { cause: Cause::Command, .. } => EventCategory::RenewedByCommand,
            EventKind::RenewalDeclined { .. } => EventCategory::Declined,
            EventKind::RenewalInDoubt { .. } => EventCategory::InDoubt,
            EventKind::ApprovalRequested { .. } => EventCategory::PendingApproval,
            EventKind::ApprovalDecided { .. } => EventCategory::Decided,
            EventKind::ApprovalExpired { .. } => EventCategory::ExpiredApproval,
            EventKind::CommandRefused { .. } => EventCategory::Refused,
            EventKind::SettingChanged { .. } => EventCategory::Setting,
            EventKind::Unsubscribed { .. } => EventCategory::Unsubscribed,
            EventKind::Converted => EventCategory::Converted,
            EventKind::BalanceChanged { reason, .. } => match reason {
                Reason::TopUp => EventCategory::TopUp,
                Reason::Opening | Reason::Renewal | Reason::Purchase | Reason::Refund => return None,
            },
            EventKind::PackageOrdered { .. } | EventKind::PackageBought { .. } => EventCategory::Bought,
            EventKind::PackageUsed { .. } => EventCategory::Used,
            EventKind::PackageRefilled { .. } => EventCategory::Refilled,
            EventKind::PackageLow { .. } => EventCategory::Low,
            EventKind::PackageDepleted { .. } => EventCategory::Depleted,
            EventKind::UsageUncovered { .. } => EventCategory::Uncovered,
            EventKind::Notice { .. } => EventCategory::Notice,
            EventKind::PluginFailed { .. } => EventCategory::PluginFailed,
            EventKind::HostResumed { .. } => EventCategory::Resumed,
        })
    }

    /// What one of it is called.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            EventCategory::Renewed => "renewal",
            EventCategory::RenewedByCommand => "renewal by command",
            EventCategory::Declined => "decline",
            EventCategory::InDoubt => "renewal in doubt",
            EventCategory::PendingApproval => "approval request",
            EventCategory::Decided => "decision on an approval",
            EventCategory::ExpiredApproval => "expired approval",
            EventCategory::Refused => "refused command",
            EventCategory::PluginFailed => "plugin failure",
            EventCategory::Grace => "in grace",
            EventCategory::Retention => "in retention",
            EventCategory::Released => "release",
            EventCategory::Revived => "revival",
            EventCategory::Unsubscribed => "unsubscription",
            EventCategory::Converted => "conversion to pay-per-use",
            EventCategory::Bought => "package purchase",
            EventCategory::Refilled => "package refill",
            EventCategory::Low => "package low",
            EventCategory::Depleted => "package depleted",
            EventCategory::Uncovered => "uncovered use",
            EventCategory::Resumed => "host outage",
            EventCategory::TopUp => "top-up",
            EventCategory::Notice => "notice",
            EventCategory::Setting => "setting change",
            EventCategory::Used => "package use",
        }
    }

    /// What several of it are called.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            EventCategory::Renewed => "renewals",
            EventCategory::RenewedByCommand => "renewals by command",
            EventCategory::Declined => "declines",
            EventCategory::InDoubt => "renewals in doubt",
            EventCategory::PendingApproval => "approval requests",
            EventCategory::Decided => "decisions on approvals",
            EventCategory::ExpiredApproval => "expired approvals",
            EventCategory::Refused => "refused commands",
            EventCategory::PluginFailed => "plugin failures",
            EventCategory::Grace => "in grace",
            EventCategory::Retention => "in retention",
            EventCategory::Released => "releases",
            EventCategory::Revived => "revivals",
            EventCategory::Unsubscribed => "unsubscriptions",
            EventCategory::Converted => "conversions to pay-per-use",
            EventCategory::Bought => "package purchases",
            EventCategory::Refilled => "package refills",
            EventCategory::Low => "packages low",
            EventCategory::Depleted => "packages depleted",
            EventCategory::Uncovered => "uncovered uses",
            EventCategory::Resumed => "host outages",
            EventCategory::TopUp => "top-ups",
            EventCategory::Notice => "notices",
            EventCategory::Setting => "setting changes",
            EventCategory::Used => "package uses",
        }
    }

    /// What its mark is called inside the page; unique.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            EventCategory::Renewed => "renewed",
            EventCategory::RenewedByCommand => "by-command",
            EventCategory::Declined => "declined",
            EventCategory::InDoubt => "in-doubt",
            EventCategory::PendingApproval => "pending",
            EventCategory::Decided => "decided",
            EventCategory::ExpiredApproval => "expired",
            EventCategory::Refused => "refused",
            EventCategory::PluginFailed => "plugin-failed",
            EventCategory::Grace => "grace",
            EventCategory::Retention => "retention",
            EventCategory::Released => "released",
            EventCategory::Revived => "revived",
            EventCategory::Unsubscribed => "unsubscribed",
            EventCategory::Converted => "converted",
            EventCategory::Bought => "bought",
            EventCategory::Refilled => "refilled",
            EventCategory::Low => "low",
            EventCategory::Depleted => "depleted",
            EventCategory::Uncovered => "uncovered",
            EventCategory::Resumed => "resumed",
            EventCategory::TopUp => "top-up",
            EventCategory::Notice => "notice",
            EventCategory::Setting => "setting",
            EventCategory::Used => "used",
        }
    }

    /// Where its marks go.
    pub(super) const fn marker_row(self) -> MarkerRow {
        match self {
            EventCategory::Declined
            | EventCategory::InDoubt
            | EventCategory::PendingApproval
            | EventCategory::ExpiredApproval
            | EventCategory::Refused
            | EventCategory::PluginFailed
            | EventCategory::Low
            | EventCategory::Depleted
            | EventCategory::Uncovered => MarkerRow::Above,
            EventCategory::Renewed
            | EventCategory::RenewedByCommand
            | EventCategory::Decided
            | EventCategory::Unsubscribed
            | EventCategory::Converted
            | EventCategory::Bought
            | EventCategory::Refilled
            | EventCategory::TopUp => MarkerRow::On,
            EventCategory::Notice | EventCategory::Setting => MarkerRow::Below,
            EventCategory::Grace
            | EventCategory::Retention
            | EventCategory::Released
            | EventCategory::Revived
            | EventCategory::Resumed
            | EventCategory::Used => MarkerRow::Elsewhere,
        }
    }

    /// Whether a month is told about it in words, not only in numbers.
    pub(super) const fn is_notable(self) -> bool {
        match self {
            EventCategory::Renewed | EventCategory::Notice | EventCategory::Setting | EventCategory::Used => {
                false
            }
            EventCategory::RenewedByCommand
            | EventCategory::Declined
            | EventCategory::InDoubt
            | EventCategory::PendingApproval
            | EventCategory::Decided
            | EventCategory::ExpiredApproval
            | EventCategory::Refused
            | EventCategory::PluginFailed
            | EventCategory::Grace
            | EventCategory::Retention
            | EventCategory::Released
            | EventCategory::Revived
            | EventCategory::Unsubscribed
            | EventCategory::Converted
            | EventCategory::Bought
            | EventCategory::Refilled
            | EventCategory::Low
            | EventCategory::Depleted
            | EventCategory::Uncovered
            | EventCategory::Resumed
            | EventCategory::TopUp => true,
        }
    }
}
