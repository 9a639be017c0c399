//! The manifest, and the check of settings.

use expect_test::expect;
use plugin_huawei::Huawei;
use plugin_huawei::condition;
use plugin_huawei::notices;
use plugin_huawei::refusals;
use plugin_sdk::profile::Guest;

const README: &str = include_str!("../../README.md");

#[test]
fn the_manifest_says_what_there_is() {
    let manifest = Huawei::describe();
    let kinds = manifest.kinds.iter().map(|kind| {
        let terms = kind.terms.iter().map(|&term| crate::world::print_term(term)).collect::<Vec<_>>();
        let to = kind.attaches_to.join(" ");
        format!(
            "{} → [{to}] {} terms{}\n",
            kind.name,
            terms.len(),
            if kind.package { ", package" } else { "" }
        )
    });
    let settings = manifest.settings.iter().map(|one| format!("{} = {:?}\n", one.name, one.default));
    let ways = format!("{} {} {}", manifest.id, manifest.utc_offset_minutes, manifest.reads.join(" "));
    let codes = format!("{} {}\n", manifest.insufficient_balance.code, manifest.unknown_resource.code);
    assert_eq!(manifest.idempotency, None);
    expect![[r#"
        huawei 480 condition quota_reuse_cycle quota_reuse_cycle_type prepaid_since left_out CBC.30050006 CBC.99003012
        ecs → [] 14 terms
        bms → [] 14 terms
        evs → [ecs bms] 14 terms
        vpc → [ecs bms] 14 terms
        eip → [ecs bms shared-bandwidth] 14 terms
        bandwidth → [eip ecs bms] 14 terms
        shared-bandwidth → [] 14 terms
        bandwidth-add-on → [bandwidth shared-bandwidth] 14 terms
        elb → [] 14 terms
        nat → [] 14 terms
        vpn → [] 14 terms
        direct-connect → [] 14 terms
        rds → [] 14 terms
        dds → [] 14 terms
        dcs → [] 14 terms
        dms → [] 14 terms
        cce → [] 14 terms
        sfs-turbo → [] 14 terms
        codearts-package → [] 14 terms
        codearts-extension → [codearts-package] 14 terms
        package → [] 12 terms, package
        site = Some("intl")
        tier = Some("V0")
        deduction_days = Some("7")
        grace_days = None
        retention_days = None
        unified_expiry_day = None
        auto_renew_period = Some("original")
        full_refund_days = None
        handling_fee_percent = Some("0")
        refund_counts = None
        total_years_max = Some("0")
        package_low_percent = Some("20")
        package_order = Some("existing-first")
        notice_hour = Some("9")
        order_valid_days = Some("7")
        tries_until = Some("expiry")
        auto_renewal_takes = Some("due")
        policy_denied_code = Some("CBC.0151")
        policy_deferred_code = Some("CBC.0151")
    "#]]
    .assert_eq(&format!("{ways} {codes}{}{}", kinds.collect::<String>(), settings.collect::<String>()));
}

#[test]
fn notices_are_numbered_by_their_place() {
    for (index, (notice, name, _)) in notices::ALL.iter().enumerate() {
        assert_eq!(*notice as usize, index, "{name}");
        assert_eq!(Huawei::describe().notices[index].name, *name);
    }
}

#[test]
fn every_problem_of_the_settings_is_listed() {
    let said = |values: &[(&str, &str)]| {
        let settings = values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Huawei::check_settings(settings).join("\n")
    };
    assert_eq!(said(&[]), "");
    let good = [("site", "cn"), ("tier", "V5"), ("deduction_days", "2"), ("unified_expiry_day", "-1")];
    assert_eq!(said(&good), "");
    let bad = [
        ("site", "mars"),
        ("tier", "V6"),
        ("deduction_days", "1"),
        ("grace_days", "-1"),
        ("retention_days", "a week"),
        ("unified_expiry_day", "29"),
        ("auto_renew_period", "longest"),
        ("full_refund_days", "366"),
        ("handling_fee_percent", "101"),
        ("total_years_max", "-1"),
        ("package_low_percent", "100"),
        ("package_order", "random"),
        ("notice_hour", "2"),
        ("colour", "red"),
    ];
    expect![[r#"
        `site` is `mars`; it is one of `cn`, `intl`, `eu`
        `tier` is `V6`; it is one of `V0`, `V1`, `V2`, `V3`, `V4`, `V5`
        `deduction_days` is `1`; it is a whole number from 2 to 7
        `grace_days` is `-1`; it is a whole number from 0 to 365
        `retention_days` is `a week`; it is a whole number from 0 to 365
        `unified_expiry_day` is `29`; it is a whole number from 1 to 28 or -1
        `auto_renew_period` is `longest`; it is one of `original`, `smallest`
        `full_refund_days` is `366`; it is a whole number from 0 to 365
        `handling_fee_percent` is `101`; it is a whole number from 0 to 100, or `manual`
        `total_years_max` is `-1`; it is a whole number from 0 to 100
        `package_low_percent` is `100`; it is a whole number from 0 to 99
        `package_order` is `random`; it is one of `existing-first`, `expiry-first`
        `notice_hour` is `2`; it is a whole number from 3 to 23
        `colour` is not a setting; there are `site`, `tier`, `deduction_days`, `grace_days`, `retention_days`, `unified_expiry_day`, `auto_renew_period`, `full_refund_days`, `handling_fee_percent`, `refund_counts`, `tries_until`, `auto_renewal_takes`, `total_years_max`, `package_low_percent`, `package_order`, `notice_hour`, `order_valid_days`, `policy_denied_code`, `policy_deferred_code`"#]].assert_eq(&said(&bad));
}

#[test]
fn every_default_of_the_manifest_is_a_good_value() {
    for setting in Huawei::describe().settings {
        let Some(default) = setting.default else { continue };
        let settings = vec![(setting.name.clone(), default)];
        assert_eq!(Huawei::check_settings(settings.clone()), Vec::<String>::new());
        let unset = plugin_huawei::settings::Settings::of(&[]);
        assert_eq!(
            plugin_huawei::settings::Settings::of(&settings),
            unset,
            "{} says its default",
            setting.name
        );
    }
}

#[test]
fn every_code_is_listed_once() {
    let mut codes = refusals::ALL.iter().map(|code| code.code).collect::<Vec<_>>();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), refusals::ALL.len());
}

#[test]
fn the_readme_names_every_kind_setting_notice_condition_and_code() {
    let manifest = Huawei::describe();
    let kinds = manifest.kinds.into_iter().map(|kind| kind.name);
    let settings = manifest.settings.into_iter().map(|setting| setting.name);
    let notices = manifest.notices.into_iter().map(|notice| notice.name);
    let conditions = condition::ALL.iter().map(|known| known.word.to_owned());
    let codes = refusals::ALL.iter().map(|code| code.code.to_owned());
    for name in kinds.chain(settings).chain(notices).chain(conditions).chain(codes) {
        assert!(README.contains(&format!("`{name}`")), "the README does not mention `{name}`");
    }
}
