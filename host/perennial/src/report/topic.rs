//! Topics: what sort of happening an event is, for counting and for the marks of the picture. Knows no shapes.

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::plan::Cause;

/// A sort of happening, in the order that people care about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Renewed,
    RenewedByCommand,
    Declined,
    InDoubt,
    Held,
    Decided,
    Lapsed,
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
pub(super) enum Row {
    /// Above the bar: something went wrong.
    Above,
    /// On the bar.
    On,
    /// Below the bar: small, for the record.
    Below,
    /// Not as a mark: as a bar, a band or a level.
    Elsewhere,
}

impl Topic {
    /// Every topic.
    pub(super) const ALL: [Topic; 25] = [
        Topic::Renewed,
        Topic::RenewedByCommand,
        Topic::Declined,
        Topic::InDoubt,
        Topic::Held,
        Topic::Decided,
        Topic::Lapsed,
        Topic::Refused,
        Topic::PluginFailed,
        Topic::Grace,
        Topic::Retention,
        Topic::Released,
        Topic::Revived,
        Topic::Unsubscribed,
        Topic::Converted,
        Topic::Bought,
        Topic::Refilled,
        Topic::Low,
        Topic::Depleted,
        Topic::Uncovered,
        Topic::Resumed,
        Topic::TopUp,
        Topic::Notice,
        Topic::Setting,
        Topic::Used,
    ];

    /// The topic of what happened; `None` for what another event tells as well.
    pub(super) fn of(what: &EventKind) -> Option<Topic> {
        Some(match what {
            EventKind::StageChanged { to, .. } => match to {
                Stage::Active => Topic::Revived,
                Stage::Grace => Topic::Grace,
                Stage::Retention => Topic::Retention,
                Stage::Released => Topic::Released,
                Stage::Unsubscribed | Stage::Converted => return None,
            },
            EventKind::RenewalSettled { cause: Cause::Auto, .. } => Topic::Renewed,
            EventKind::RenewalSettled { cause: Cause::Command, .. } => Topic::RenewedByCommand,
            EventKind::RenewalDeclined { .. } => Topic::Declined,
            EventKind::RenewalInDoubt { .. } => Topic::InDoubt,
            EventKind::ApprovalRequested { .. } => Topic::Held,
            EventKind::ApprovalDecided { .. } => Topic::Decided,
            EventKind::ApprovalLapsed { .. } => Topic::Lapsed,
            EventKind::CommandRefused { .. } => Topic::Refused,
            EventKind::SettingChanged { .. } => Topic::Setting,
            EventKind::Unsubscribed { .. } => Topic::Unsubscribed,
            EventKind::Converted => Topic::Converted,
            EventKind::BalanceChanged { reason, .. } => match reason {
                Reason::TopUp => Topic::TopUp,
                Reason::Opening | Reason::Renewal | Reason::Purchase | Reason::Refund => return None,
            },
            EventKind::PackageOrdered { .. } | EventKind::PackageBought { .. } => Topic::Bought,
            EventKind::PackageUsed { .. } => Topic::Used,
            EventKind::PackageRefilled { .. } => Topic::Refilled,
            EventKind::PackageLow { .. } => Topic::Low,
            EventKind::PackageDepleted { .. } => Topic::Depleted,
            EventKind::UsageUncovered { .. } => Topic::Uncovered,
            EventKind::Notice { .. } => Topic::Notice,
            EventKind::PluginFailed { .. } => Topic::PluginFailed,
            EventKind::HostResumed { .. } => Topic::Resumed,
        })
    }

    /// What one of it is called.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Topic::Renewed => "renewal",
            Topic::RenewedByCommand => "renewal by command",
            Topic::Declined => "decline",
            Topic::InDoubt => "renewal in doubt",
            Topic::Held => "held plan",
            Topic::Decided => "decision on a held plan",
            Topic::Lapsed => "lapsed approval",
            Topic::Refused => "refused command",
            Topic::PluginFailed => "plugin failure",
            Topic::Grace => "in grace",
            Topic::Retention => "in retention",
            Topic::Released => "release",
            Topic::Revived => "revival",
            Topic::Unsubscribed => "unsubscription",
            Topic::Converted => "conversion to pay-per-use",
            Topic::Bought => "package purchase",
            Topic::Refilled => "package refill",
            Topic::Low => "package low",
            Topic::Depleted => "package depleted",
            Topic::Uncovered => "uncovered use",
            Topic::Resumed => "host outage",
            Topic::TopUp => "top-up",
            Topic::Notice => "notice",
            Topic::Setting => "setting change",
            Topic::Used => "package use",
        }
    }

    /// What several of it are called.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Topic::Renewed => "renewals",
            Topic::RenewedByCommand => "renewals by command",
            Topic::Declined => "declines",
            Topic::InDoubt => "renewals in doubt",
            Topic::Held => "held plans",
            Topic::Decided => "decisions on held plans",
            Topic::Lapsed => "lapsed approvals",
            Topic::Refused => "refused commands",
            Topic::PluginFailed => "plugin failures",
            Topic::Grace => "in grace",
            Topic::Retention => "in retention",
            Topic::Released => "releases",
            Topic::Revived => "revivals",
            Topic::Unsubscribed => "unsubscriptions",
            Topic::Converted => "conversions to pay-per-use",
            Topic::Bought => "package purchases",
            Topic::Refilled => "package refills",
            Topic::Low => "packages low",
            Topic::Depleted => "packages depleted",
            Topic::Uncovered => "uncovered uses",
            Topic::Resumed => "host outages",
            Topic::TopUp => "top-ups",
            Topic::Notice => "notices",
            Topic::Setting => "setting changes",
            Topic::Used => "package uses",
        }
    }

    /// What its mark is called inside the page; unique.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Topic::Renewed => "renewed",
            Topic::RenewedByCommand => "by-command",
            Topic::Declined => "declined",
            Topic::InDoubt => "in-doubt",
            Topic::Held => "held",
            Topic::Decided => "decided",
            Topic::Lapsed => "lapsed",
            Topic::Refused => "refused",
            Topic::PluginFailed => "plugin-failed",
            Topic::Grace => "grace",
            Topic::Retention => "retention",
            Topic::Released => "released",
            Topic::Revived => "revived",
            Topic::Unsubscribed => "unsubscribed",
            Topic::Converted => "converted",
            Topic::Bought => "bought",
            Topic::Refilled => "refilled",
            Topic::Low => "low",
            Topic::Depleted => "depleted",
            Topic::Uncovered => "uncovered",
            Topic::Resumed => "resumed",
            Topic::TopUp => "top-up",
            Topic::Notice => "notice",
            Topic::Setting => "setting",
            Topic::Used => "used",
        }
    }

    /// Where its marks go.
    pub(super) const fn row(self) -> Row {
        match self {
            Topic::Declined
            | Topic::InDoubt
            | Topic::Held
            | Topic::Lapsed
            | Topic::Refused
            | Topic::PluginFailed
            | Topic::Low
            | Topic::Depleted
            | Topic::Uncovered => Row::Above,
            Topic::Renewed
            | Topic::RenewedByCommand
            | Topic::Decided
            | Topic::Unsubscribed
            | Topic::Converted
            | Topic::Bought
            | Topic::Refilled
            | Topic::TopUp => Row::On,
            Topic::Notice | Topic::Setting => Row::Below,
            Topic::Grace
            | Topic::Retention
            | Topic::Released
            | Topic::Revived
            | Topic::Resumed
            | Topic::Used => Row::Elsewhere,
        }
    }

    /// Whether a month is told about it in words, not only in numbers.
    pub(super) const fn is_notable(self) -> bool {
        match self {
            Topic::Renewed | Topic::Notice | Topic::Setting | Topic::Used => false,
            Topic::RenewedByCommand
            | Topic::Declined
            | Topic::InDoubt
            | Topic::Held
            | Topic::Decided
            | Topic::Lapsed
            | Topic::Refused
            | Topic::PluginFailed
            | Topic::Grace
            | Topic::Retention
            | Topic::Released
            | Topic::Revived
            | Topic::Unsubscribed
            | Topic::Converted
            | Topic::Bought
            | Topic::Refilled
            | Topic::Low
            | Topic::Depleted
            | Topic::Uncovered
            | Topic::Resumed
            | Topic::TopUp => true,
        }
    }
}
