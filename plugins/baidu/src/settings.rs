//! The settings of an account: one for each point that Baidu's documents leave open or disagree on.
//!
//! Knows names, ranges and defaults; the README gives the reason for each default.

use plugin_sdk::calendar::DAY;
use plugin_sdk::settings::Check;
use plugin_sdk::settings::get;
use plugin_sdk::settings::number;
use plugin_sdk::settings::numbers;

use crate::kinds::Kind;
use crate::related::RelatedFlag;

/// The provider's days: China Standard Time.
pub(crate) const UTC_OFFSET_MINUTES: i16 = 480;

/// A setting of the manifest: its name, its default and its label.
pub struct SettingDescription {
    /// The name in an account's settings.
    pub name: &'static str,
    /// The value of an account that does not set it; `None` when another setting's value applies.
    pub default: Option<&'static str>,
    /// The effect and the values, for people.
    pub label: &'static str,
}

const fn described(name: &'static str, default: &'static str, label: &'static str) -> SettingDescription {
    SettingDescription { name, default: Some(default), label }
}

/// The setting with the code of what a policy of the operator's denies, for the host to read.
pub(crate) const POLICY_DENIED_CODE: &str = "policy_denied_code";
/// The setting with the code of what a policy does not allow yet, for the host to read.
pub(crate) const POLICY_DEFERRED_CODE: &str = "policy_deferred_code";
/// The values of both.
const POLICY_CODES: [&str; 4] =
    ["AccessDenied", "OperationDenied", "BadRequest", "Instance.DeletionProtection"];

/// Every setting that an account may have.
pub const SETTINGS: [SettingDescription; 24] = [
    described("try_hour", "9", "hour of the day (UTC+8) of automatic renewals, 0 to 23"),
    described(
        "try_days",
        "7,3,1,0",
        "days before the expiry on which an automatic renewal is tried, 0 to 30 each [Automatic renewal]",
    ),
    SettingDescription {
        name: "bbc_try_days",
        default: None,
        label: "the same for bare metal servers, as their own page says `7,3,1`; as `try_days` when not set [BBC expiry]",
    },
    described("notice_hour", "10", "hour of the day (UTC+8) of notices that an expiry is near, 0 to 23"),
    described(
        "notice_days",
        "7,3,1",
        "days before the expiry on which the owner is told, 0 to 30 each [Reminders]",
    ),
    described("et_notice_days", "7,3,1,0", "the same for direct connect ports [ET expiry]"),
    described(
        "retention_days",
        "7",
        "days for which data is kept after the expiry, 1 to 30 [Automatic renewal]",
    ),
    described(
        "et_grace_days",
        "7",
        "days for which a direct connect port runs on after the expiry, 0 to 30 [ET expiry]",
    ),
    described(
        "et_retention_days",
        "23",
        "days for which a stopped direct connect port is kept, 1 to 60 [ET expiry]",
    ),
    described(
        "related_renew_default",
        "none",
        "what an empty or absent relatedRenewFlag means: `none` for the instance only, or one of the flags",
    ),
    described(
        "late_renewal_from",
        "expiry",
        "what the new period of an expired resource is counted from: `expiry` or `renewal`",
    ),
    described(
        "auto_renewal_takes",
        "due",
        "of the disks and addresses that an auto-renew rule covers: those that are `due` before the instance is, or the \
         whole `bundle`",
    ),
    described(
        "convert_cds",
        "none",
        "which attached disks become pay-as-you-go along with their instance: `none` or `all`",
    ),
    described(
        "to_postpaid_default",
        "AtOnce",
        "when an instance becomes pay-as-you-go if the request through the provider's own API names no effectiveType: `AtOnce` or `AfterExpiration`",
    ),
    described(
        "orders_while_converting",
        "allowed",
        "whether a resource that is to become pay-as-you-go takes other orders until then: `allowed` or `refused`; a cache never does",
    ),
    described(
        "order_valid_days",
        "7",
        "days for which the order of a purchase with `autoPay` `false` waits to be paid, 1 to 365",
    ),
    described(
        "refund_within_days",
        "0",
        "days from the purchase within which a resource can be unsubscribed, 1 to 366, or 0 for any time [Refund summary]",
    ),
    described(
        "late_conversion",
        "refused",
        "after these days, whether a resource becomes pay-as-you-go at once: `refused`, or `forfeits` what is left of a \
         period that has begun; periods that have not begun come back",
    ),
    described(
        "visible_after_seconds",
        "5",
        "seconds until the provider's own API shows what a renewal did, 0 to 3600",
    ),
    described(
        "client_token",
        "required",
        "whether a renewal through the provider's own API has to have a clientToken: `required` or `optional`",
    ),
    described(
        "require_content_digest",
        "no",
        "whether a request with a body through the provider's own API has to have a signed content-md5 or x-bce-content-sha256: `yes` or `no`",
    ),
    described(
        "renewal_reply",
        "empty",
        "what the provider's own API answers to a renewal: `empty`, or its `order` as an object",
    ),
    described(
        POLICY_DENIED_CODE,
        "AccessDenied",
        "the code with which the provider's own API refuses what a policy of the operator's denies: `AccessDenied`, \
         `OperationDenied`, `BadRequest` or `Instance.DeletionProtection`",
    ),
    described(
        POLICY_DEFERRED_CODE,
        "OperationDenied",
        "the same for what a policy does not allow before an instant",
    ),
];

/// The settings of one account.
#[derive(Debug)]
pub struct Settings {
    /// The hour of tries in the provider's day, 0 to 23.
    pub try_hour: u8,
    try_days: Vec<i64>,
    bbc_try_days: Vec<i64>,
    /// The hour of notices in the provider's day, 0 to 23.
    pub notice_hour: u8,
    notice_days: Vec<i64>,
    et_notice_days: Vec<i64>,
    retention_days: i64,
    et_grace_days: i64,
    et_retention_days: i64,
    /// The products renewed together with an instance when a renewal by hand names none.
    pub related_by_default: RelatedFlag,
    /// Whether the new period of an expired resource begins at its renewal, and not at its expiry.
    pub late_from_renewal: bool,
    /// Whether an automatic renewal leaves alone what would not expire before its instance.
    pub takes_due_only: bool,
    /// Whether attached disks are converted together with their instance.
    pub converts_disks: bool,
    orders_while_converting: bool,
    /// How long the order of a purchase can wait to be paid, in seconds.
    pub order_valid_seconds: i64,
    /// The days from its purchase within which a resource can be unsubscribed; 0 is at any time.
    pub refund_within_days: i64,
    /// Whether a resource becomes pay-as-you-go at once after these days, although its running period gives nothing back.
    pub converts_late: bool,
    /// How long after a renewal the provider's own API shows the new expiry, in seconds.
    pub visible_after_seconds: i64,
    /// Whether a change of instances that names no time is made at once.
    pub converts_at_once: bool,
    /// Whether a renewal through the provider's own API has to have a client token.
    pub requires_client_token: bool,
    /// Whether a body that comes through the provider's own API needs a digest that is signed.
    pub requires_content_digest: bool,
    /// Whether the provider's own API answers a renewal with the id of its order.
    pub replies_with_order: bool,
}

impl Settings {
    /// Reads an account's settings, which [`problems`] checked before they were stored.
    pub fn of(values: &[(String, String)]) -> Settings {
        let days = |name, default| numbers(values, name, default);
        let related = get(values, "related_renew_default").and_then(RelatedFlag::of);
        Settings {
            try_hour: number(values, "try_hour", 9),
            try_days: days("try_days", "7,3,1,0"),
            bbc_try_days: match get(values, "bbc_try_days") {
                Some(_) => days("bbc_try_days", ""),
                None => days("try_days", "7,3,1,0"),
            },
            notice_hour: number(values, "notice_hour", 10),
            notice_days: days("notice_days", "7,3,1"),
            et_notice_days: days("et_notice_days", "7,3,1,0"),
            retention_days: number(values, "retention_days", 7),
            et_grace_days: number(values, "et_grace_days", 7),
            et_retention_days: number(values, "et_retention_days", 23),
            related_by_default: related.unwrap_or(RelatedFlag::NONE),
            late_from_renewal: get(values, "late_renewal_from") == Some("renewal"),
            takes_due_only: get(values, "auto_renewal_takes") != Some("bundle"),
            converts_disks: get(values, "convert_cds") == Some("all"),
            converts_at_once: get(values, "to_postpaid_default") != Some("AfterExpiration"),
            orders_while_converting: get(values, "orders_while_converting") != Some("refused"),
            order_valid_seconds: number(values, "order_valid_days", 7) * DAY,
            refund_within_days: number(values, "refund_within_days", 0),
            converts_late: get(values, "late_conversion") == Some("forfeits"),
            visible_after_seconds: number(values, "visible_after_seconds", 5),
            requires_client_token: get(values, "client_token") != Some("optional"),
            requires_content_digest: get(values, "require_content_digest") == Some("yes"),
            replies_with_order: get(values, "renewal_reply") == Some("order"),
        }
    }

    /// The days before the expiry on which an automatic renewal is tried.
    pub fn try_days(&self, kind: Kind) -> &[i64] {
        match kind {
            Kind::Bbc => &self.bbc_try_days,
            Kind::Bcc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                &self.try_days
            }
        }
    }

    /// The days before the expiry on which the owner gets a notice.
    pub fn notice_days(&self, kind: Kind) -> &[i64] {
        match kind {
            Kind::Et => &self.et_notice_days,
            Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds => {
                &self.notice_days
            }
        }
    }

    /// Whether a resource of this kind takes other orders while it waits to become pay-as-you-go.
    pub(crate) fn takes_orders_while_converting(&self, kind: Kind) -> bool {
        match kind {
            Kind::Scs => false,
            Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Rds | Kind::Et => {
                self.orders_while_converting
            }
        }
    }

    /// The days of grace after its expiry.
    pub fn grace_days(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Et => self.et_grace_days,
            Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds => 0,
        }
    }

    /// The days of retention after its grace.
    pub fn retention_days(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Et => self.et_retention_days,
            Kind::Bcc | Kind::Bbc | Kind::Cds | Kind::Eip | Kind::Mkt | Kind::Scs | Kind::Rds => {
                self.retention_days
            }
        }
    }
}

/// Every problem of an account's settings, as one sentence each.
pub fn problems(values: &[(String, String)]) -> Vec<String> {
    const DEFAULTS: [&str; 8] = ["none", "CDS", "EIP", "MKT", "CDS_EIP", "CDS_MKT", "EIP_MKT", "CDS_EIP_MKT"];
    Check::of(values)
        .whole("try_hour", 0..=23, &[])
        .list("try_days", 0..=30)
        .list("bbc_try_days", 0..=30)
        .whole("notice_hour", 0..=23, &[])
        .list("notice_days", 0..=30)
        .list("et_notice_days", 0..=30)
        .whole("retention_days", 1..=30, &[])
        .whole("et_grace_days", 0..=30, &[])
        .whole("et_retention_days", 1..=60, &[])
        .choice("related_renew_default", &DEFAULTS)
        .choice("late_renewal_from", &["expiry", "renewal"])
        .choice("auto_renewal_takes", &["due", "bundle"])
        .choice("convert_cds", &["none", "all"])
        .choice("to_postpaid_default", &["AtOnce", "AfterExpiration"])
        .choice("orders_while_converting", &["allowed", "refused"])
        .whole("order_valid_days", 1..=365, &[])
        .whole("refund_within_days", 0..=366, &[])
        .choice("late_conversion", &["refused", "forfeits"])
        .whole("visible_after_seconds", 0..=3600, &[])
        .choice("client_token", &["required", "optional"])
        .choice("require_content_digest", &["no", "yes"])
        .choice("renewal_reply", &["empty", "order"])
        .choice(POLICY_DENIED_CODE, &POLICY_CODES)
        .choice(POLICY_DEFERRED_CODE, &POLICY_CODES)
        .problems()
}

#[cfg(test)]
mod tests {
    use crate::settings::SETTINGS;
    use crate::settings::Settings;
    use crate::settings::problems;

    #[test]
    fn an_account_that_says_nothing_has_the_defaults_of_the_manifest() {
        let spelled_out = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting.name.to_owned(), setting.default?.to_owned())))
            .collect::<Vec<_>>();
        assert_eq!(problems(&spelled_out), Vec::<String>::new());
        assert_eq!(format!("{:?}", Settings::of(&spelled_out)), format!("{:?}", Settings::of(&[])));
    }

    #[test]
    fn the_readme_has_a_row_for_every_setting_with_its_default() {
        let readme = include_str!("../README.md");
        for setting in &SETTINGS {
            let default =
                setting.default.map_or("as `try_days`".to_owned(), |default| format!("`{default}`"));
            let row = format!("| `{}` | {default} |", setting.name);
            assert!(readme.lines().any(|line| line.starts_with(&row)), "README.md has no row `{row}`");
        }
    }
}
