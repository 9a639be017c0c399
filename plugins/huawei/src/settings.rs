//! What an account can be told, read once for all its bundles of a batch.
//!
//! Knows names, bounds and defaults, and where each default is from; the rules that use a value are elsewhere. What is
//! wrong with a value was said by `check-settings`, so here a value that cannot be read counts as its default.

use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::settings::Check;

/// An account's settings, ready for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first try is this many days before the day of expiry.
    pub deduction_days: i64,
    /// How long an expired resource still serves.
    pub grace_seconds: Timestamp,
    /// How long the data of a frozen resource is kept.
    pub retention_seconds: Timestamp,
    /// The day of the month that every renewal ends on, 1 to 28, or 31 for the last of each month; none is off.
    pub unified_expiry_day: Option<u8>,
    /// The term of an automatic renewal that nobody chose.
    pub auto_renew_period: AutoRenewPeriod,
    /// How long after it was paid an order is refunded whole.
    pub full_refund_seconds: Timestamp,
    /// What is kept of the refund of a running period.
    pub handling_fee_percent: i64,
    /// How many years after its start a resource may be paid for; 0 is without limit.
    pub total_years_max: u32,
    /// A package with no more than this share left is low; 0 is never.
    pub package_low_percent: i64,
    /// Which package is used first.
    pub package_order: PackageOrder,
    /// The hour of the day at which owners are told, UTC+8.
    pub notice_hour: u8,
    /// What becomes of an order that is not to be paid at once.
    pub unpaid_orders: UnpaidOrders,
}

/// How long an automatic renewal lasts when nobody chose its term. The documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoRenewPeriod {
    /// As long as the resource was bought for.
    Original,
    /// The smallest that is sold in the same billing mode: a month or a year.
    Smallest,
}

/// Which package is used first. The documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageOrder {
    /// The one bought first, then those that expire first.
    ExistingFirst,
    /// The one that expires first.
    ExpiryFirst,
}

/// What becomes of a renewal through the provider's own API that does not say to pay at once: the provider would keep
/// its order until it is paid, and this host keeps no such orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnpaidOrders {
    /// It is refused: nobody's money is spent unasked.
    Refuse,
    /// It is paid at once.
    Pay,
}

/// The values of `site`.
pub const SITES: [&str; 3] = ["cn", "intl", "eu"];
/// The values of `tier`.
pub const TIERS: [&str; 6] = ["V0", "V1", "V2", "V3", "V4", "V5"];
/// The values of `auto_renew_period`.
pub const AUTO_RENEW_PERIODS: [&str; 2] = ["original", "smallest"];
/// The values of `package_order`.
pub const PACKAGE_ORDERS: [&str; 2] = ["existing-first", "expiry-first"];
/// The values of `unpaid_orders`.
pub const UNPAID_ORDERS: [&str; 2] = ["refuse", "pay"];

const LAST_OF_MONTH: &str = "-1";

impl Settings {
    /// The settings of an account that says this.
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

    /// The settings of an account that only says its site and tier.
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
            handling_fee_percent: 0,
            total_years_max: 0,
            package_low_percent: 20,
            package_order: PackageOrder::ExistingFirst,
            notice_hour: 9,
            unpaid_orders: UnpaidOrders::Refuse,
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
            "handling_fee_percent" => read(value, &mut self.handling_fee_percent),
            "total_years_max" => read(value, &mut self.total_years_max),
            "package_low_percent" => read(value, &mut self.package_low_percent),
            "package_order" if value == "expiry-first" => self.package_order = PackageOrder::ExpiryFirst,
            "notice_hour" => read(value, &mut self.notice_hour),
            "unpaid_orders" if value == "pay" => self.unpaid_orders = UnpaidOrders::Pay,
            _ => {}
        }
    }
}

/// Everything that is wrong with these settings, in words.
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
        .whole("handling_fee_percent", 0..=100, &[])
        .whole("total_years_max", 0..=100, &[])
        .whole("package_low_percent", 0..=99, &[])
        .choice("package_order", &PACKAGE_ORDERS)
        .whole("notice_hour", 3..=23, &[])
        .choice("unpaid_orders", &UNPAID_ORDERS)
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
