//! Renewing by hand and when a try is due: lengths, options, late renewals, restarts.

use std::fmt::Write;

use expect_test::expect;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::days;
use crate::harness::due;
use crate::harness::months;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::show_answer;
use crate::harness::years;

const NOW: &str = "2026-07-25 12:00";

fn code(bundle: &[Resource], term: Term, options: &[(&str, &str)]) -> String {
    match ask(&[], at(NOW), bundle, 0, renew(Some(term), options), &[]) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.code,
    }
}

#[test]
fn instances_are_renewed_by_1_to_9_12_24_or_36_months() {
    let bundle = [prepaid("bcc", "i", "2026-08-10 10:00")];
    let sold = (0..=60).filter(|count| code(&bundle, months(*count), &[]) == "ok").collect::<Vec<_>>();
    assert_eq!(sold, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36]);
    let sold = (0..=60).filter(|count| code(&bundle, years(*count), &[]) == "ok").collect::<Vec<_>>();
    assert_eq!(sold, [1, 2, 3]);
    for count in [0, 1, 30, 31, 365, u32::MAX] {
        assert_eq!(code(&bundle, days(count), &[]), "BadRequest", "{count} days");
    }
    assert_eq!(code(&bundle, years(u32::MAX), &[]), "BadRequest");
}

#[test]
fn a_year_is_twelve_months() {
    let bundle = [prepaid("bcc", "i", "2028-02-29 10:00")];
    for (term, expected) in [
        (
            years(1),
            expect![[r#"
                  i      until 2029-02-28 10:00 for 1 year
            "#]],
        ),
        (
            months(12),
            expect![[r#"
                  i      until 2029-02-28 10:00 for 12 month
            "#]],
        ),
    ] {
        let answer = ask(&[], at(NOW), &bundle, 0, renew(Some(term), &[]), &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn a_token_is_at_most_64_ascii_characters() {
    let bundle = [prepaid("bcc", "i", "2026-08-10 10:00")];
    let (longest, longer) = ("t".repeat(64), "t".repeat(65));
    for (token, expected) in [
        ("be31b98c-5e41-4838-9830-9be700de5a20", "ok"),
        (longest.as_str(), "ok"),
        (longer.as_str(), "BadRequest"),
        ("", "BadRequest"),
        ("续费", "BadRequest"),
    ] {
        assert_eq!(code(&bundle, months(1), &[("clientToken", token)]), expected, "{token}");
    }
}

#[test]
fn options_of_other_operations_are_refused() {
    for kind in ["bcc", "bbc", "cds", "eip", "mkt", "scs", "rds", "et"] {
        let bundle = [prepaid(kind, kind, "2026-08-10 10:00")];
        assert_eq!(code(&bundle, months(1), &[("clientToken", "t")]), "ok", "{kind}");
        assert_eq!(code(&bundle, months(1), &[("purchaseReserved", "")]), "BadRequest", "{kind}");
        let flag = code(&bundle, months(1), &[("relatedRenewFlag", "CDS")]);
        assert_eq!(flag, if kind == "bcc" { "ok" } else { "BadRequest" }, "{kind}");
    }
}

#[test]
fn renewing_a_stopped_instance_starts_it_again() {
    let mut table = String::new();
    for kind in ["bcc", "bbc", "cds", "eip", "mkt", "scs", "rds", "et"] {
        for stage in [Stage::Grace, Stage::Retention] {
            let bundle = [prepaid(kind, kind, "2026-07-20 10:00").stage(stage).with("status", "stopped")];
            let answer = ask(&[], at(NOW), &bundle, 0, renew(Some(months(1)), &[]), &[]);
            writeln!(table, "{kind}, {stage:?}\n{}", show_answer(&bundle, &answer).trim_end()).unwrap();
        }
    }
    expect![[r#"
        bcc, Stage::Grace
        bcc    until 2026-08-20 10:00 for 1 month
        bcc, Stage::Retention
        bcc    until 2026-08-20 10:00 for 1 month
        bcc    status = running
        bbc, Stage::Grace
        bbc    until 2026-08-20 10:00 for 1 month
        bbc, Stage::Retention
        bbc    until 2026-08-20 10:00 for 1 month
        bbc    status = running
        cds, Stage::Grace
        cds    until 2026-08-20 10:00 for 1 month
        cds, Stage::Retention
        cds    until 2026-08-20 10:00 for 1 month
        eip, Stage::Grace
        eip    until 2026-08-20 10:00 for 1 month
        eip, Stage::Retention
        eip    until 2026-08-20 10:00 for 1 month
        mkt, Stage::Grace
        mkt    until 2026-08-20 10:00 for 1 month
        mkt, Stage::Retention
        mkt    until 2026-08-20 10:00 for 1 month
        scs, Stage::Grace
        scs    until 2026-08-20 10:00 for 1 month
        scs, Stage::Retention
        scs    until 2026-08-20 10:00 for 1 month
        scs    status = running
        rds, Stage::Grace
        rds    until 2026-08-20 10:00 for 1 month
        rds, Stage::Retention
        rds    until 2026-08-20 10:00 for 1 month
        rds    status = running
        et, Stage::Grace
        et     until 2026-08-20 10:00 for 1 month
        et, Stage::Retention
        et     until 2026-08-20 10:00 for 1 month
        et     status = running
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_late_renewal_is_counted_from_the_expiry_or_from_itself_as_set() {
    let bundle = [
        prepaid("bcc", "i", "2026-07-20 10:00").stage(Stage::Retention),
        prepaid("cds", "v-1", "2026-07-20 10:00").attached().stage(Stage::Retention),
        prepaid("cds", "v-2", "2026-08-01 10:00").attached(),
        prepaid("eip", "ip-1", "2026-07-21 10:00").attached().stage(Stage::Retention),
    ];
    for (setting, expected) in [
        (
            "expiry",
            expect![[r#"
          i      until 2026-08-20 10:00 for 1 month
          i      status = running
          v-1    until 2026-08-20 10:00 for 1 month
          v-2    until 2026-08-20 10:00 for 19 day, anchor 20
          ip-1   until 2026-08-21 10:00 for 1 month
    "#]],
        ),
        (
            "renewal",
            expect![[r#"
          i      until 2026-08-25 12:00 for 1 month, anchor 25
          i      status = running
          v-1    until 2026-08-25 12:00 for 1 month, anchor 25
          v-2    until 2026-08-25 12:00 for 25 day, anchor 25
          ip-1   until 2026-08-25 12:00 for 1 month, anchor 25
    "#]],
        ),
    ] {
        let settings = [("late_renewal_from", setting), ("related_renew_default", "CDS_EIP")];
        let answer = ask(&settings, at(NOW), &bundle, 0, renew(Some(months(1)), &[]), &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn a_renewal_that_would_leave_it_expired_is_refused() {
    let bundle = [prepaid("et", "et", "2026-01-31 10:00").stage(Stage::Retention)];
    let now = at("2026-03-01 10:00");
    for (term, expected) in [
        (
            months(1),
            expect![[r#"
          refused BadRequest: `et` expired so long ago that it would still be expired after this renewal; take a longer one
    "#]],
        ),
        (
            months(2),
            expect![[r#"
          et     until 2026-03-31 10:00 for 2 month
          et     status = running
    "#]],
        ),
    ] {
        let answer = ask(&[], now, &bundle, 0, renew(Some(term), &[]), &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn a_try_takes_the_term_of_the_rule_or_that_of_the_purchase() {
    let bought = prepaid("bcc", "i", "2026-08-31 10:00").on_expiry(OnExpiry::Renew);
    let ruled = Resource { renewal_term: Some(years(1)), ..bought.clone() };
    let unsold = Resource { renewal_term: Some(months(10)), ..bought.clone() };
    for (resource, expected) in [
        (
            bought,
            expect![[r#"
          i      until 2026-09-30 10:00 for 1 month
    "#]],
        ),
        (
            ruled,
            expect![[r#"
          i      until 2027-08-31 10:00 for 1 year
    "#]],
        ),
        (
            unsold,
            expect![[r#"
          refused BadRequest: a bcc is renewed by 1 to 9, 12, 24 or 36 months or 1 to 3 years, not by 10 month(s)
    "#]],
        ),
    ] {
        let bundle = [resource];
        expected.assert_eq(&show_answer(&bundle, &ask(&[], at("2026-08-24 09:00"), &bundle, 0, due(), &[])));
    }
}

#[test]
fn a_try_delayed_past_the_expiry_by_an_outage_still_renews() {
    let active = prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew);
    let stopped = active.clone().stage(Stage::Retention);
    for (resource, expected) in [
        (
            active,
            expect![[r#"
          i      until 2026-09-10 10:00 for 1 month
    "#]],
        ),
        (
            stopped,
            expect![[r#"
          refused OperationDenied: `i` has expired; it is not renewed automatically any more, renew it by hand
    "#]],
        ),
    ] {
        let bundle = [resource];
        expected.assert_eq(&show_answer(&bundle, &ask(&[], at("2026-10-01 09:00"), &bundle, 0, due(), &[])));
    }
}
