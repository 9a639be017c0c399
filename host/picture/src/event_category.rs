//! Categories of events, for the counts of a report and the markers of its picture. Knows no shapes.

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_formats::language::Language;

/// A category of events; the most important comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventCategory {
    /// Renewed by the clock.
    Renewed,
    /// Renewed by a command of somebody.
    RenewedByCommand,
    /// A renewal that was declined.
    Declined,
    /// A call of which nobody knows whether it was applied, or that leaves too late.
    InDoubt,
    /// A plan that a policy ruled on.
    Ruled,
    /// A plan that waits for an approval.
    PendingApproval,
    /// An approval that was decided.
    Decided,
    /// An approval that nobody gave in time.
    ExpiredApproval,
    /// A command that the provider's rules refused.
    Refused,
    /// A plugin that gave no usable answer.
    PluginFailed,
    /// Expired, and still serving.
    Grace,
    /// Expired, stopped, its data kept.
    Retention,
    /// Gone, with its data.
    Released,
    /// Active again after it had expired.
    Revived,
    /// Given back, whole or in part.
    Unsubscribed,
    /// Paid as it is used from then on.
    Converted,
    /// An order that is not paid at once.
    Order,
    /// A package that was bought.
    Bought,
    /// A package whose quota began again.
    Refilled,
    /// A package with little left.
    Low,
    /// A package with nothing left.
    Depleted,
    /// A use that no package covered.
    Uncovered,
    /// The host was down, and is back.
    Resumed,
    /// Money for the account.
    TopUp,
    /// A notice to the owner.
    Notice,
    /// What a policy noted, or ruled beside the others.
    PolicyNote,
    /// A setting, a policy, a plugin's revision or a pause that changed.
    Setting,
    /// A use that a package covered.
    Used,
}

/// The row of the picture in which a category is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkerRow {
    /// Above the bar: something went wrong.
    Above,
    /// Marks on the bar itself.
    On,
    /// Below the bar: small, for the record.
    Below,
    /// Not as a mark: as a bar, a band or a level.
    Elsewhere,
}

impl EventCategory {
    /// Every category, in the order of their declaration.
    pub const ALL: [EventCategory; 28] = [
        EventCategory::Renewed,
        EventCategory::RenewedByCommand,
        EventCategory::Declined,
        EventCategory::InDoubt,
        EventCategory::Ruled,
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
        EventCategory::Order,
        EventCategory::Bought,
        EventCategory::Refilled,
        EventCategory::Low,
        EventCategory::Depleted,
        EventCategory::Uncovered,
        EventCategory::Resumed,
        EventCategory::TopUp,
        EventCategory::Notice,
        EventCategory::PolicyNote,
        EventCategory::Setting,
        EventCategory::Used,
    ];

    /// The category of an event; `None` when another event reports the same.
    pub fn for_event(what: &EventKind) -> Option<EventCategory> {
        Some(match what {
            EventKind::PolicyRuled { shadow: false, .. } => EventCategory::Ruled,
            EventKind::PolicyRuled { shadow: true, .. } | EventKind::PolicyNote { .. } => {
                EventCategory::PolicyNote
            }
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
            EventKind::RenewalInDoubt { .. }
            | EventKind::CommandInDoubt { .. }
            | EventKind::ConnectionFailed { .. }
            | EventKind::SendingLate { .. } => EventCategory::InDoubt,
            EventKind::ApprovalRequested { .. } => EventCategory::PendingApproval,
            EventKind::ApprovalDecided { .. } | EventKind::ApprovalGiven { .. } => EventCategory::Decided,
            EventKind::ApprovalExpired { .. } => EventCategory::ExpiredApproval,
            EventKind::CommandRefused { .. } => EventCategory::Refused,
            EventKind::SettingChanged { .. }
            | EventKind::PolicyInstalled { .. }
            | EventKind::PolicyRemoved { .. }
            | EventKind::PolicyCalendarChanged { .. }
            | EventKind::RevisionInstalled { .. }
            | EventKind::RevisionBound { .. }
            | EventKind::RevisionUnbound { .. }
            | EventKind::BundleUnparked { .. }
            | EventKind::ConnectionRestored
            | EventKind::BreakerClosed { .. } => EventCategory::Setting,
            EventKind::Unsubscribed { .. } => EventCategory::Unsubscribed,
            EventKind::Converted => EventCategory::Converted,
            EventKind::BalanceChanged { reason, .. } => match reason {
                Reason::TopUp => EventCategory::TopUp,
                Reason::Opening
                | Reason::Renewal
                | Reason::Purchase
                | Reason::Upgrade
                | Reason::Refund
                | Reason::Adjustment => return None,
            },
            // What is paid at once is an event of its own, and so is the renewal that an order is for.
            EventKind::OrderCreated { pay_until: None, .. }
            | EventKind::OrderPaid { kind: OrderKind::Renewal, .. } => return None,
            EventKind::OrderCreated { .. }
            | EventKind::OrderPaid { .. }
            | EventKind::OrderCancelled { .. }
            | EventKind::OrderExpired { .. } => EventCategory::Order,
            EventKind::PackageOrdered { .. } | EventKind::PackageBought { .. } => EventCategory::Bought,
            EventKind::PackageUsed { .. } => EventCategory::Used,
            EventKind::PackageRefilled { .. } => EventCategory::Refilled,
            EventKind::PackageLow { .. } => EventCategory::Low,
            EventKind::PackageDepleted { .. } => EventCategory::Depleted,
            EventKind::UsageUncovered { .. } => EventCategory::Uncovered,
            EventKind::Notice { .. } => EventCategory::Notice,
            EventKind::PluginFailed { .. }
            | EventKind::BundleParked { .. }
            | EventKind::BreakerOpened { .. } => EventCategory::PluginFailed,
            EventKind::HostResumed { .. } => EventCategory::Resumed,
        })
    }

    /// One row of the table of categories: singular, plural, slug, row of its markers, whether it is notable.
    const fn description(self) -> (&'static str, &'static str, &'static str, MarkerRow, bool) {
        match self {
            EventCategory::Renewed => ("renewal", "renewals", "renewed", MarkerRow::On, false),
            EventCategory::RenewedByCommand => {
                ("renewal by command", "renewals by command", "by-command", MarkerRow::On, true)
            }
            EventCategory::Declined => ("decline", "declines", "declined", MarkerRow::Above, true),
            EventCategory::InDoubt => {
                ("renewal in doubt", "renewals in doubt", "in-doubt", MarkerRow::Above, true)
            }
            EventCategory::Ruled => ("policy ruling", "policy rulings", "ruled", MarkerRow::Above, true),
            EventCategory::PendingApproval => {
                ("approval request", "approval requests", "pending", MarkerRow::Above, true)
            }
            EventCategory::Decided => {
                ("decision on an approval", "decisions on approvals", "decided", MarkerRow::On, true)
            }
            EventCategory::ExpiredApproval => {
                ("expired approval", "expired approvals", "expired", MarkerRow::Above, true)
            }
            EventCategory::Refused => {
                ("refused command", "refused commands", "refused", MarkerRow::Above, true)
            }
            EventCategory::PluginFailed => {
                ("plugin failure", "plugin failures", "plugin-failed", MarkerRow::Above, true)
            }
            EventCategory::Grace => ("in grace", "in grace", "grace", MarkerRow::Elsewhere, true),
            EventCategory::Retention => {
                ("in retention", "in retention", "retention", MarkerRow::Elsewhere, true)
            }
            EventCategory::Released => ("release", "releases", "released", MarkerRow::Elsewhere, true),
            EventCategory::Revived => ("revival", "revivals", "revived", MarkerRow::Elsewhere, true),
            EventCategory::Unsubscribed => {
                ("unsubscription", "unsubscriptions", "unsubscribed", MarkerRow::On, true)
            }
            EventCategory::Converted => {
                ("conversion to pay-per-use", "conversions to pay-per-use", "converted", MarkerRow::On, true)
            }
            EventCategory::Order => ("order", "orders", "order", MarkerRow::On, true),
            EventCategory::Bought => ("package purchase", "package purchases", "bought", MarkerRow::On, true),
            EventCategory::Refilled => ("package refill", "package refills", "refilled", MarkerRow::On, true),
            EventCategory::Low => ("package low", "packages low", "low", MarkerRow::Above, true),
            EventCategory::Depleted => {
                ("package depleted", "packages depleted", "depleted", MarkerRow::Above, true)
            }
            EventCategory::Uncovered => {
                ("uncovered use", "uncovered uses", "uncovered", MarkerRow::Above, true)
            }
            EventCategory::Resumed => ("host outage", "host outages", "resumed", MarkerRow::Elsewhere, true),
            EventCategory::TopUp => ("top-up", "top-ups", "top-up", MarkerRow::On, true),
            EventCategory::Notice => ("notice", "notices", "notice", MarkerRow::Below, false),
            EventCategory::PolicyNote => {
                ("note of a policy", "notes of policies", "policy-note", MarkerRow::Below, false)
            }
            EventCategory::Setting => {
                ("setting change", "setting changes", "setting", MarkerRow::Below, false)
            }
            EventCategory::Used => ("package use", "package uses", "used", MarkerRow::Elsewhere, false),
        }
    }

    /// The name of one such event.
    pub const fn noun(self) -> &'static str {
        self.description().0
    }

    /// The name of several such events.
    pub const fn plural(self) -> &'static str {
        self.description().1
    }

    /// The name of one such event in a language.
    pub(crate) const fn noun_in(self, language: Language) -> &'static str {
        match language {
            Language::English => self.noun(),
            Language::Chinese => self.chinese(),
        }
    }

    /// The name of several such events in a language.
    pub(crate) const fn plural_in(self, language: Language) -> &'static str {
        match language {
            Language::English => self.plural(),
            Language::Chinese => self.chinese(),
        }
    }

    /// The name of such events in Chinese, which has no plural.
    const fn chinese(self) -> &'static str {
        match self {
            EventCategory::Renewed => "续费",
            EventCategory::RenewedByCommand => "手动续费",
            EventCategory::Declined => "续费失败",
            EventCategory::InDoubt => "续费结果未知",
            EventCategory::Ruled => "策略裁决",
            EventCategory::PendingApproval => "审批申请",
            EventCategory::Decided => "审批决定",
            EventCategory::ExpiredApproval => "审批过期",
            EventCategory::Refused => "被拒绝的命令",
            EventCategory::PluginFailed => "插件失败",
            EventCategory::Grace => "进入宽限期",
            EventCategory::Retention => "进入保留期",
            EventCategory::Released => "释放",
            EventCategory::Revived => "恢复使用",
            EventCategory::Unsubscribed => "退订",
            EventCategory::Converted => "转按需计费",
            EventCategory::Order => "订单",
            EventCategory::Bought => "购买资源包",
            EventCategory::Refilled => "资源包重置",
            EventCategory::Low => "资源包余量低",
            EventCategory::Depleted => "资源包用尽",
            EventCategory::Uncovered => "未覆盖用量",
            EventCategory::Resumed => "主机停机",
            EventCategory::TopUp => "充值",
            EventCategory::Notice => "通知",
            EventCategory::PolicyNote => "策略备注",
            EventCategory::Setting => "设置变更",
            EventCategory::Used => "资源包使用",
        }
    }

    /// The name of its marker inside the page; unique.
    pub(crate) const fn slug(self) -> &'static str {
        self.description().2
    }

    /// The row of its markers in the picture.
    pub(crate) const fn marker_row(self) -> MarkerRow {
        self.description().3
    }

    /// Whether the table of months describes it in words and not only in numbers.
    pub(crate) const fn is_notable(self) -> bool {
        self.description().4
    }
}
