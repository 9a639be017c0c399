//! The settings of an account, read once for all its bundles of a call.
//!
//! Knows names, bounds and defaults, and the source of each default. `check-settings` reports every value that is not
//! valid before it is stored, so reading takes the default for a value that cannot be read.

use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::settings::Check;

/// An account's settings, ready for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first try is this many days before the day of expiry.
    pub deduction_days: i64,
    /// The seconds of grace, in which an expired resource still serves.
    pub grace_seconds: Timestamp,
    /// The seconds of retention, in which the data of a frozen resource is kept.
    pub retention_seconds: Timestamp,
    /// The day of the month that every renewal ends on, 1 to 28, or 31 for the last of each month; `None` is off.
    pub unified_expiry_day: Option<u8>,
    /// The term of an automatic renewal for which no term was set.
    pub auto_renew_period: AutoRenewPeriod,
    /// For how many seconds after it was provisioned a new purchase is refunded in full.
    pub full_refund_seconds: Timestamp,
    /// The handling fee of a refund in a running period.
    pub handling_fee: HandlingFee,
    /// How the used part of a running period is counted.
    pub refund_counts: RefundCounts,
    /// The most years after its start that a resource may be paid for; 0 is without limit.
    pub total_years_max: u32,
    /// The percentage of its quota at or below which a package is low; 0 is never.
    pub package_low_percent: i64,
    /// The order in which packages are used.
    pub package_order: PackageOrder,
    /// Whether it is an account of the Chinese site, which tells owners of an expiry earlier.
    pub is_chinese_site: bool,
    /// The hour of notices, UTC+8.
    pub notice_hour: u8,
    /// The seconds for which an order waits to be paid.
    pub order_valid_seconds: Timestamp,
    /// Until when an automatic renewal is tried.
    pub tries_until: TriesUntil,
    /// What an automatic renewal renews beside the resource that it is tried for.
    pub auto_renewal_takes: AutoRenewalTakes,
}

/// The handling fee of a refund in a running period: a share of what was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlingFee {
    /// This share, from 0 to 100 percent.
    Percent(i64),
    /// The shares of the manual, by the subscription's term and the years used.
    Manual,
}

/// How the used part of a running period is counted. The editions of the manual disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundCounts {
    /// Clock hours: the hour of the purchase is used, that of the unsubscription is not.
    Hours,
    /// Days: the day of the purchase is used, that of the unsubscription is not.
    Days,
    /// The days that are left are whole ones, counted back from the end of the period.
    WholeUnusedDays,
}

/// Until when an automatic renewal is tried. The documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriesUntil {
    /// Until the resource expires.
    Expiry,
    /// Until the last day that the expired resource is kept.
    Retention,
}

/// What an automatic renewal renews beside the resource that it is tried for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoRenewalTakes {
    /// What is attached, has no tries of its own, and would expire before the resource does.
    Due,
    /// All that is attached.
    Bundle,
}

/// The term of an automatic renewal for which no term was set. The documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoRenewPeriod {
    /// The term that the resource was bought for.
    Original,
    /// The shortest term that is sold in the same billing mode: a month or a year.
    Smallest,
}

/// The order in which packages are used. The documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageOrder {
    /// The oldest purchase first, then by expiry.
    ExistingFirst,
    /// The earliest expiry first.
    ExpiryFirst,
}

/// The values of `site`.
pub(crate) const SITES: [&str; 3] = ["cn", "intl", "eu"];
/// The values of `tier`.
pub(crate) const TIERS: [&str; 6] = ["V0", "V1", "V2", "V3", "V4", "V5"];
/// The values of `auto_renew_period`.
pub(crate) const AUTO_RENEW_PERIODS: [&str; 2] = ["original", "smallest"];
/// The values of `package_order`.
pub(crate) const PACKAGE_ORDERS: [&str; 2] = ["existing-first", "expiry-first"];
/// The values of `refund_counts`.
pub(crate) const REFUND_COUNTS: [&str; 3] = ["hours", "days", "whole_unused_days"];
/// The values of `tries_until`.
pub(crate) const TRIES_UNTIL: [&str; 2] = ["expiry", "retention"];
/// The values of `auto_renewal_takes`.
pub(crate) const AUTO_RENEWAL_TAKES: [&str; 2] = ["due", "bundle"];
/// The setting with the code of what a policy of the operator's denies, for the host to read.
pub(crate) const POLICY_DENIED_CODE: &str = "policy_denied_code";
/// The setting with the code of what a policy does not allow yet, for the host to read.
pub(crate) const POLICY_DEFERRED_CODE: &str = "policy_deferred_code";
/// The values of both: codes with which a client gives up or waits, and none that says that all is well.
pub(crate) const POLICY_CODES: [&str; 5] =
    ["CBC.0151", "CBC.7281", "CBC.30050013", "CBC.99003144", "CBC.99003651"];
/// The word of `handling_fee_percent` that is no number.
pub(crate) const MANUAL: &str = "manual";

const LAST_OF_MONTH: &str = "-1";

impl Settings {
    /// Reads the settings of an account.
    pub fn of(values: &[(String, String)]) -> Settings {
        let (mut site, mut tier) = ("intl", "V0");
        for (name, value) in values {
            match name.as_str() {
                "site" => site = value,
                "tier" => tier = value,
                _ => {}
            }
        }
        let mut settings = Settings::usual(site, tier);
        values.iter().for_each(|(name, value)| settings.set(name, value));
        settings
    }

    /// The settings of an account that sets nothing but its site and tier.
    fn usual(site: &str, tier: &str) -> Settings {
        let (grace, retention) = stage_days(site, tier);
        Settings {
            deduction_days: 7,
            grace_seconds: grace * DAY,
            retention_seconds: retention * DAY,
            unified_expiry_day: None,
            auto_renew_period: AutoRenewPeriod::Original,
            // "Within 5x24 hours" is said of the Chinese site only.
            full_refund_seconds: if site == "cn" { 5 * DAY } else { 0 },
            handling_fee: HandlingFee::Percent(0),
            // The international manual counts hours; the pages of the other sites that were read do not say.
            refund_counts: if site == "intl" { RefundCounts::Hours } else { RefundCounts::WholeUnusedDays },
            total_years_max: 0,
            package_low_percent: 20,
            package_order: PackageOrder::ExistingFirst,
            is_chinese_site: site == "cn",
            notice_hour: 9,
            order_valid_seconds: 7 * DAY,
            tries_until: TriesUntil::Expiry,
            auto_renewal_takes: AutoRenewalTakes::Due,
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "deduction_days" => read(value, &mut self.deduction_days),
            "grace_days" => read_days(value, &mut self.grace_seconds),
            "retention_days" => read_days(value, &mut self.retention_seconds),
            "unified_expiry_day" if value == LAST_OF_MONTH => self.unified_expiry_day = Some(31),
            "unified_expiry_day" => {
                self.unified_expiry_day = value.parse().ok().filter(|day| (1..=28).contains(day))
            }
            "auto_renew_period" if value == "smallest" => self.auto_renew_period = AutoRenewPeriod::Smallest,
            "full_refund_days" => read_days(value, &mut self.full_refund_seconds),
            "handling_fee_percent" => self.set_handling_fee(value),
            "refund_counts" => self.set_refund_counts(value),
            "tries_until" if value == "retention" => self.tries_until = TriesUntil::Retention,
            "auto_renewal_takes" if value == "bundle" => self.auto_renewal_takes = AutoRenewalTakes::Bundle,
            "total_years_max" => read(value, &mut self.total_years_max),
            "package_low_percent" => read(value, &mut self.package_low_percent),
            "package_order" if value == "expiry-first" => self.package_order = PackageOrder::ExpiryFirst,
            "notice_hour" => read(value, &mut self.notice_hour),
            "order_valid_days" => read_days(value, &mut self.order_valid_seconds),
            _ => {}
        }
    }

    fn set_handling_fee(&mut self, value: &str) {
        if value == MANUAL {
            self.handling_fee = HandlingFee::Manual;
        } else if let Some(percent) = value.parse().ok().filter(|percent| (0..=100).contains(percent)) {
            self.handling_fee = HandlingFee::Percent(percent);
        }
    }

    fn set_refund_counts(&mut self, value: &str) {
        match value {
            "hours" => self.refund_counts = RefundCounts::Hours,
            "days" => self.refund_counts = RefundCounts::Days,
            "whole_unused_days" => self.refund_counts = RefundCounts::WholeUnusedDays,
            _ => {}
        }
    }
}

/// Every problem of these settings, as one sentence each.
pub fn problems(values: &[(String, String)]) -> Vec<String> {
    Check::of(values)
        .choice("site", &SITES)
        .choice("tier", &TIERS)
        .whole("deduction_days", 2..=7, &[])
        .whole("grace_days", 0..=365, &[])
        .whole("retention_days", 0..=365, &[])
        .whole("unified_expiry_day", 1..=28, &[-1])
        .choice("auto_renew_period", &AUTO_RENEW_PERIODS)
        .whole("full_refund_days", 0..=365, &[])
        .whole_or_word("handling_fee_percent", 0..=100, MANUAL)
        .choice("refund_counts", &REFUND_COUNTS)
        .choice("tries_until", &TRIES_UNTIL)
        .choice("auto_renewal_takes", &AUTO_RENEWAL_TAKES)
        .whole("total_years_max", 0..=100, &[])
        .whole("package_low_percent", 0..=99, &[])
        .choice("package_order", &PACKAGE_ORDERS)
        .whole("notice_hour", 3..=23, &[])
        .whole("order_valid_days", 1..=365, &[])
        .choice(POLICY_DENIED_CODE, &POLICY_CODES)
        .choice(POLICY_DEFERRED_CODE, &POLICY_CODES)
        .problems()
}

/// Natural days of grace and of retention, as in "What Is a Grace Period/Retention Period?" (zh-cn_topic_0086671074).
///
/// That V5 goes with V4 and V2 with V1 is inferred from a table that was read without its lines.
fn stage_days(site: &str, tier: &str) -> (Timestamp, Timestamp) {
    match (site, tier) {
        ("cn", "V4" | "V5") => (7, 15),
        ("cn", "V3") => (7, 7),
        ("cn", "V1" | "V2") => (1, 7),
        ("cn", _) => (1, 1),
        _ => (15, 15),
    }
}

fn read<N: std::str::FromStr>(value: &str, into: &mut N) {
    if let Ok(number) = value.parse() {
        *into = number;
    }
}

fn read_days(value: &str, into: &mut Timestamp) {
    let mut days = *into / DAY;
    read(value, &mut days);
    *into = days * DAY;
}
