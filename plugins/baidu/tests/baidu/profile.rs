//! The manifest and the check of settings.

use expect_test::expect;
use plugin_baidu::Baidu;
use plugin_sdk::Consumption;
use plugin_sdk::Rules;
use plugin_sdk::profile::Guest;

use crate::harness::owned;

#[test]
fn every_problem_of_the_settings_is_listed() {
    let settings = owned(&[
        ("try_hour", "24"),
        ("try_days", "7,7"),
        ("bbc_try_days", "31"),
        ("notice_hour", "noon"),
        ("notice_days", "7;3"),
        ("et_notice_days", "-1"),
        ("retention_days", "0"),
        ("et_grace_days", "31"),
        ("et_retention_days", "61"),
        ("related_renew_default", "EIP_CDS"),
        ("late_renewal_from", "payment"),
        ("convert_cds", "some"),
        ("refund_within_days", "-7"),
        ("site", "intl"),
    ]);
    expect![[r#"
        `try_hour` is `24`; it is a whole number from 0 to 23
        `try_days` is `7,7`; it is a list of different whole numbers from 0 to 30, such as `7,3,1`
        `bbc_try_days` is `31`; it is a list of different whole numbers from 0 to 30, such as `7,3,1`
        `notice_hour` is `noon`; it is a whole number from 0 to 23
        `notice_days` is `7;3`; it is a list of different whole numbers from 0 to 30, such as `7,3,1`
        `et_notice_days` is `-1`; it is a list of different whole numbers from 0 to 30, such as `7,3,1`
        `retention_days` is `0`; it is a whole number from 1 to 30
        `et_grace_days` is `31`; it is a whole number from 0 to 30
        `et_retention_days` is `61`; it is a whole number from 1 to 60
        `related_renew_default` is `EIP_CDS`; it is one of `none`, `CDS`, `EIP`, `MKT`, `CDS_EIP`, `CDS_MKT`, `EIP_MKT`, `CDS_EIP_MKT`
        `late_renewal_from` is `payment`; it is one of `expiry`, `renewal`
        `convert_cds` is `some`; it is one of `none`, `all`
        `refund_within_days` is `-7`; it is a whole number from 0 to 366
        `site` is not a setting; there are `try_hour`, `try_days`, `bbc_try_days`, `notice_hour`, `notice_days`, `et_notice_days`, `retention_days`, `et_grace_days`, `et_retention_days`, `related_renew_default`, `late_renewal_from`, `auto_renewal_takes`, `convert_cds`, `to_postpaid_default`, `orders_while_converting`, `order_valid_days`, `refund_within_days`, `late_conversion`, `visible_after_seconds`, `client_token`, `require_content_digest`, `renewal_reply`, `policy_denied_code`, `policy_deferred_code`"#]].assert_eq(&Baidu::check_settings(settings).join("\n"));
}

#[test]
fn settings_at_their_limits_are_fine() {
    for settings in [
        owned(&[]),
        owned(&[("try_hour", "0"), ("try_days", "30, 0"), ("notice_days", ""), ("retention_days", "30")]),
        owned(&[("related_renew_default", "CDS_EIP_MKT"), ("refund_within_days", "366")]),
    ] {
        assert_eq!(Baidu::check_settings(settings), Vec::<String>::new());
    }
}

#[test]
fn the_manifest_names_kinds_notices_and_attributes_once() {
    let manifest = Baidu::describe();
    for names in [
        manifest.kinds.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>(),
        manifest.notices.iter().map(|notice| notice.name.clone()).collect(),
        manifest.settings.iter().map(|setting| setting.name.clone()).collect(),
        manifest.reads.clone(),
    ] {
        assert!(names.iter().enumerate().all(|(place, name)| !names[..place].contains(name)), "{names:?}");
    }
    let kinds = manifest.kinds.iter().map(|kind| {
        format!(
            "{:3} {:3} terms, attached to {:?}, {}\n",
            kind.name,
            kind.terms.len(),
            kind.attaches_to,
            kind.label
        )
    });
    expect![[r#"
        bcc  15 terms, attached to [], Baidu Cloud Compute instance
        bbc  15 terms, attached to [], Baidu Baremetal Compute instance
        cds  65 terms, attached to ["bcc"], Cloud Disk Storage data disk
        eip  15 terms, attached to ["bcc"], Elastic IP
        mkt  15 terms, attached to ["bcc"], Marketplace product
        scs  15 terms, attached to [], Simple Cache Service instance
        rds  15 terms, attached to [], Relational Database Service instance
        et   15 terms, attached to [], Direct connect (ET) port
    "#]]
    .assert_eq(&kinds.collect::<String>());
    expect![[r#"
        (
            "baidu",
            480,
            [
                "status",
                "dedicated",
                "renewCds",
                "renewEip",
                "deletionProtection",
                "relatedReleaseFlag",
                "monthlyPrice",
                "leftOut",
            ],
            "OperationDenied",
            "NoSuchObject",
            Some(
                (
                    "clientToken",
                    86400,
                    "IdempotentParameterMismatch",
                ),
            ),
        )
    "#]]
    .assert_debug_eq(&(
        manifest.id,
        manifest.utc_offset_minutes,
        manifest.reads,
        manifest.insufficient_balance.code,
        manifest.unknown_resource.code,
        manifest.idempotency.map(|token| (token.option_name, token.valid_seconds, token.mismatch.code)),
    ));
}

#[test]
fn no_package_covers_any_use() {
    let use_of = |amount| Consumption { at: 0, resource_type: "bos".into(), amount, packages: Vec::new() };
    let settings = Baidu::settings(&[]);
    assert_eq!([1, 2].map(|amount| Baidu::allocate(&settings, &use_of(amount))), [Vec::new(), Vec::new()]);
}
