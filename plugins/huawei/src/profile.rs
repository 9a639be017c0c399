//! The manifest: names and labels of the kinds, settings and notices.

use plugin_sdk::CommandName;
use plugin_sdk::CommandRefusal;
use plugin_sdk::Kind;
use plugin_sdk::Manifest;
use plugin_sdk::Notice;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Setting;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;

use crate::condition;
use crate::family::PREPAID_SINCE;
use crate::notices;
use crate::paths::LEFT_OUT;
use crate::refusals::AGAINST_POLICY;
use crate::refusals::Code;
use crate::refusals::NOT_YET;
use crate::refusals::PAYMENT_FAILED;
use crate::refusals::UNKNOWN;
use crate::refusals::UNKNOWN_FOR_RENEWAL;
use crate::reset;
use crate::settings::POLICY_DEFERRED_CODE;
use crate::settings::POLICY_DENIED_CODE;

/// A kind: its name, its label, the kinds that it can be attached to, and its terms.
type KindRow = (&'static str, &'static str, &'static [&'static str], SaleTerms);

/// The terms that a kind is sold for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SaleTerms {
    /// 1 to 11 months or 1 to 3 years.
    Resource,
    /// 1 to 9 months or 1 to 3 years, with a quota.
    Package,
}

const KINDS: [KindRow; 21] = [
    ("ecs", "Elastic Cloud Server", &[], SaleTerms::Resource),
    ("bms", "Bare Metal Server", &[], SaleTerms::Resource),
    (
        "evs",
        "Elastic Volume Service disk; bought separately, it is a primary",
        &["ecs", "bms"],
        SaleTerms::Resource,
    ),
    ("vpc", "Virtual Private Cloud", &["ecs", "bms"], SaleTerms::Resource),
    (
        "eip",
        "Elastic IP; primary over an exclusive bandwidth",
        &["ecs", "bms", "shared-bandwidth"],
        SaleTerms::Resource,
    ),
    ("bandwidth", "Exclusive bandwidth", &["eip", "ecs", "bms"], SaleTerms::Resource),
    ("shared-bandwidth", "Shared bandwidth; primary over its EIPs", &[], SaleTerms::Resource),
    ("bandwidth-add-on", "Bandwidth add-on package", &["bandwidth", "shared-bandwidth"], SaleTerms::Resource),
    ("elb", "Elastic Load Balance", &[], SaleTerms::Resource),
    ("nat", "NAT Gateway", &[], SaleTerms::Resource),
    ("vpn", "Virtual Private Network", &[], SaleTerms::Resource),
    ("direct-connect", "Direct Connect", &[], SaleTerms::Resource),
    ("rds", "Relational Database Service", &[], SaleTerms::Resource),
    ("dds", "Document Database Service", &[], SaleTerms::Resource),
    ("dcs", "Distributed Cache Service", &[], SaleTerms::Resource),
    ("dms", "Distributed Message Service", &[], SaleTerms::Resource),
    ("cce", "Cloud Container Engine", &[], SaleTerms::Resource),
    ("sfs-turbo", "Scalable File Service Turbo", &[], SaleTerms::Resource),
    (
        "codearts-package",
        "CodeArts package: normal, expired, frozen (data can only be viewed and deleted), deleted (data lost)",
        &[],
        SaleTerms::Resource,
    ),
    (
        "codearts-extension",
        "CodeArts resource extension or value-added feature: normal, expired (cannot be used), deleted",
        &["codearts-package"],
        SaleTerms::Resource,
    ),
    (
        "package",
        "Resource package: its quota covers use; renewed or bought again, never converted",
        &[],
        SaleTerms::Package,
    ),
];

const SETTINGS: [(&str, &str, Option<&str>); 19] = [
    (
        "site",
        "The legal site: cn, intl or eu; decides on grace, retention and full refunds [zh-cn_topic_0086671074]",
        Some("intl"),
    ),
    (
        "tier",
        "Customer tier, V0 to V5; decides on grace and retention on the cn site only [zh-cn_topic_0086671074]",
        Some("V0"),
    ),
    (
        "deduction_days",
        "The first automatic renewal is tried this many days before expiry, 2 to 7 [api_order_00022, api_order_00031]",
        Some("7"),
    ),
    (
        "grace_days",
        "Days of grace, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]",
        None,
    ),
    (
        "retention_days",
        "Days of retention, 0 to 365; unset, those of the site and tier [zh-cn_topic_0086671074]",
        None,
    ),
    (
        "unified_expiry_day",
        "Renewals end on this day of the month, 1 to 28, or -1 for the last; unset, on their own [api_order_00031]",
        None,
    ),
    (
        "auto_renew_period",
        "The term of an automatic renewal nobody chose: original, or smallest (1 month or 1 year)",
        Some("original"),
    ),
    (
        "full_refund_days",
        "A new purchase is refunded whole for this many days, 0 to 365; unset, 5 on cn, else 0 [api_order_00019]",
        None,
    ),
    (
        "handling_fee_percent",
        "Kept of what was paid for a running period, 0 to 100 percent, or manual: by its term and the years used [en-us_topic_0083138805]",
        Some("0"),
    ),
    (
        "refund_counts",
        "What a refund counts: hours, days, or whole_unused_days; unset, hours on intl, else whole_unused_days [en-us_topic_0083138805]",
        None,
    ),
    (
        "total_years_max",
        "A resource is paid for at most this many years from its start, 0 (no limit) to 100 [api_order_00018]",
        Some("0"),
    ),
    (
        "package_low_percent",
        "A package is low when at most this share is left, 0 (never) to 99 percent",
        Some("20"),
    ),
    (
        "package_order",
        "The package used first: existing-first (the one bought first, then by expiry) or expiry-first",
        Some("existing-first"),
    ),
    ("notice_hour", "The hour at which owners are told, UTC+8, 3 to 23", Some("9")),
    (
        "order_valid_days",
        "An order that is not paid at once waits to be paid for this many days, 1 to 365",
        Some("7"),
    ),
    (
        "tries_until",
        "An automatic renewal is tried until expiry, or until the last day of retention: expiry or retention [api_order_00022]",
        Some("expiry"),
    ),
    (
        "auto_renewal_takes",
        "Of what is attached, an automatic renewal renews what is due with it, or all: due or bundle [Managing Yearly/Monthly Resources]",
        Some("due"),
    ),
    (
        POLICY_DENIED_CODE,
        "The code of what a policy of the operator's denies, on the provider's own API: CBC.0151, CBC.7281, CBC.30050013, \
         CBC.99003144 or CBC.99003651",
        Some(AGAINST_POLICY.code),
    ),
    (POLICY_DEFERRED_CODE, "The same of what a policy does not allow before an instant", Some(NOT_YET.code)),
];

/// The plugin's manifest: kinds, settings and notices.
pub fn manifest() -> Manifest {
    Manifest {
        id: "huawei".to_owned(),
        name: "Huawei Cloud".to_owned(),
        kinds: KINDS.iter().map(kind).collect(),
        settings: SETTINGS.iter().map(setting).collect(),
        notices: notices::ALL.iter().map(notice).collect(),
        reads: [condition::ATTRIBUTE, reset::CYCLE, reset::CYCLE_TYPE, PREPAID_SINCE, LEFT_OUT]
            .map(str::to_owned)
            .to_vec(),
        utc_offset_minutes: 480,
        insufficient_balance: PAYMENT_FAILED.refusal(),
        unknown_resource: UNKNOWN.refusal(),
        unknown_resource_of: vec![CommandRefusal {
            command: CommandName::Renew,
            refusal: UNKNOWN_FOR_RENEWAL.refusal(),
        }],
        policy_denied: policy_refusal(AGAINST_POLICY, POLICY_DENIED_CODE),
        policy_deferred: policy_refusal(NOT_YET, POLICY_DEFERRED_CODE),
        // The renew request has no field for a token: api_order_00018.
        idempotency: None,
    }
}

fn policy_refusal(code: Code, setting: &str) -> PolicyRefusal {
    PolicyRefusal { refusal: code.refusal(), code_setting: Some(setting.to_owned()) }
}

fn kind(&(name, label, attaches_to, sold): &KindRow) -> Kind {
    let months_max = match sold {
        SaleTerms::Resource => 11,
        SaleTerms::Package => 9,
    };
    let months = (1..=months_max).map(|count| Term { count, unit: TermUnit::Month });
    let years = (1..=3).map(|count| Term { count, unit: TermUnit::Year });
    Kind {
        name: name.to_owned(),
        label: label.to_owned(),
        attaches_to: attaches_to.iter().map(|&kind| kind.to_owned()).collect(),
        terms: months.chain(years).collect(),
        package: sold == SaleTerms::Package,
    }
}

fn setting(&(name, label, default): &(&str, &str, Option<&str>)) -> Setting {
    Setting { name: name.to_owned(), label: label.to_owned(), default: default.map(str::to_owned) }
}

fn notice(&(_, name, label): &(notices::Notice, &str, &str)) -> Notice {
    Notice { name: name.to_owned(), label: label.to_owned() }
}
