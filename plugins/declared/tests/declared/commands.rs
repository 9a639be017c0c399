//! What commands come to, printed.

use expect_test::expect;
use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::OrderKind;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::Term;

use crate::world::NIMBUS;
use crate::world::VOLCENGINE;
use crate::world::ask;
use crate::world::ask_with;
use crate::world::attached;
use crate::world::day;
use crate::world::months;
use crate::world::order;
use crate::world::renewing;
use crate::world::resource;
use crate::world::table;

fn renew(term: Option<Term>, options: &[(&str, &str)]) -> Command {
    let options = options.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    Command::Renew(Renewal { term, automatic: false, options })
}

fn automatic() -> Command {
    Command::Renew(Renewal { term: None, automatic: true, options: Vec::new() })
}

#[test]
fn a_renewal_counts_from_the_expiry() {
    let server = [resource("server", "web", day(30))];
    let nimbus = table(NIMBUS);
    let told = [
        ask(&nimbus, day(10), renew(None, &[]), &server, &[]),
        ask(&nimbus, day(10), renew(Some(months(12)), &[]), &server, &[]),
        ask(&nimbus, day(27), automatic(), &server, &[]),
        ask(&nimbus, day(90), renew(None, &[]), &server, &[]),
        ask(&nimbus, day(10), renew(None, &[("fast", "true")]), &server, &[]),
    ];
    expect![[r#"
        web until 2026-02-28 00:00:00 for 1 TermUnit::Month
        web until 2027-01-31 00:00:00 for 12 TermUnit::Month
        web until 2026-02-28 00:00:00 for 1 TermUnit::Month
        refused Refused: `web` expired so long ago that it would still be expired after this renewal; take a longer term
        refused Refused: `fast` is not an option of a renewal; there are none
    "#]].assert_eq(&told.concat());
}

#[test]
fn what_goes_along_is_aligned_or_needs_its_option() {
    let bundle = [
        renewing(resource("ecs", "ecs-1", day(30))),
        attached(resource("ebs", "disk-1", day(35))),
        attached(resource("ebs", "disk-2", day(300))),
        attached(resource("eip", "eip-1", day(40))),
        Resource { on_expiry: OnExpiry::Release, ..attached(resource("ebs", "disk-3", day(30))) },
        Resource { has_unpaid_order: true, ..attached(resource("ebs", "disk-4", day(30))) },
        Resource { stage: Stage::Released, ..attached(resource("ebs", "disk-5", day(20))) },
    ];
    let volcengine = table(VOLCENGINE);
    let told = [
        ask(&volcengine, day(10), automatic(), &bundle, &[]),
        ask(&volcengine, day(10), renew(None, &[("RenewRelatedInstance", "true")]), &bundle[..4], &[]),
        ask(&volcengine, day(10), renew(None, &[("RenewRelatedInstance", "yes")]), &bundle[..4], &[]),
        ask_with(
            &volcengine,
            &[],
            day(10),
            (renew(None, &[]), 1),
            &[bundle[0].clone(), attached(resource("ebs", "disk-6", day(5)))],
            &[],
        ),
    ];
    expect![[r#"
        ecs-1 until 2026-02-28 08:00:00 for 1 TermUnit::Month
        disk-1 until 2026-02-28 08:00:00 for 23 TermUnit::Day, from day 31
        disk-2 left out, OperationDenied: it lasts as long already
        eip-1 left out, OperationDenied: the option that takes it along is not set
        disk-3 left out, OperationDenied: it is set to end when it expires
        disk-4 left out, OperationDenied: an order of it waits to be paid
        disk-5 left out, InvalidInstance.NotFound: `disk-5` was released

        ecs-1 until 2026-02-28 08:00:00 for 1 TermUnit::Month
        disk-1 until 2026-02-28 08:00:00 for 23 TermUnit::Day, from day 31
        eip-1 until 2026-03-10 08:00:00 for 1 TermUnit::Month
        disk-2 left out, OperationDenied: it lasts as long already

        refused InvalidParameter: `RenewRelatedInstance` is `true` or `false`

        disk-6 until 2026-01-31 08:00:00 for 25 TermUnit::Day, from day 31
    "#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_late_renewal_counts_as_the_stage_says() {
    let late = |stage| [Resource { stage, ..resource("clb", "clb-1", day(30)) }];
    let volcengine = table(VOLCENGINE);
    let refused = [("retention_renewal", "refused")];
    let told = [
        ask(&volcengine, day(30) + 3_600, renew(None, &[]), &late(Stage::Grace), &[]),
        ask(&volcengine, day(40), renew(None, &[]), &late(Stage::Retention), &[]),
        ask_with(&volcengine, &refused, day(40), (renew(None, &[]), 0), &late(Stage::Retention), &[]),
        ask(&volcengine, day(50), renew(None, &[]), &late(Stage::Released), &[]),
    ];
    expect![[r#"
        clb-1 until 2026-02-28 08:00:00 for 1 TermUnit::Month
        clb-1 until 2026-03-10 08:00:00 for 1 TermUnit::Month, from day 10
        refused OperationDenied: `clb-1` expired too long ago to be renewed
        refused InvalidInstance.NotFound: `clb-1` was released
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn every_command_has_its_refusals() {
    let volcengine =
        table(VOLCENGINE.replace("[refusals]", "[conversion]\non_expiry = true\n\n[refusals]").as_str());
    let set = Command::SetAutoRenew(AutoRenewal { term: Some(months(2)), renewals: Some(3) });
    let odd = Command::SetAutoRenew(AutoRenewal { term: Some(months(11)), renewals: None });
    let commands = [
        set,
        odd,
        Command::CancelAutoRenew,
        Command::ConvertOnExpiry,
        Command::CancelConversion,
        Command::ConvertNow,
        Command::Unsubscribe(Scope::FuturePeriods),
    ];
    let resources = [
        resource("ecs", "ecs-1", day(30)),
        renewing(resource("ecs", "ecs-2", day(30))),
        Resource { on_expiry: OnExpiry::Convert, ..resource("ecs", "ecs-3", day(30)) },
        Resource { stage: Stage::Grace, ..resource("ecs", "ecs-4", day(5)) },
        Resource { has_unpaid_order: true, ..resource("ecs", "ecs-5", day(30)) },
        Resource {
            charging: plugin_sdk::Charging::Postpaid,
            expires_at: None,
            anchor_day: None,
            term: None,
            ..resource("ecs", "ecs-6", day(30))
        },
    ];
    let mut told = String::new();
    for command in &commands {
        told.push_str(&format!("{command:?}\n"));
        for resource in &resources {
            told.push_str("  ");
            told.push_str(&ask(&volcengine, day(10), command.clone(), std::slice::from_ref(resource), &[]));
        }
    }
    expect![[r#"
        Command::SetAutoRenew(AutoRenewal { term: Some(Term { count: 2, unit: TermUnit::Month }), renewals: Some(3) })
          ecs-1 auto-renew Some(3) times
          ecs-2 auto-renew Some(3) times
          ecs-3 auto-renew Some(3) times
          refused OperationDenied: `ecs-4` has expired; renew it by hand first
          ecs-5 auto-renew Some(3) times
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::SetAutoRenew(AutoRenewal { term: Some(Term { count: 11, unit: TermUnit::Month }), renewals: None })
          refused InvalidParameter: `ecs` is not sold for 11 months
          refused InvalidParameter: `ecs` is not sold for 11 months
          refused InvalidParameter: `ecs` is not sold for 11 months
          refused InvalidParameter: `ecs` is not sold for 11 months
          refused InvalidParameter: `ecs` is not sold for 11 months
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::CancelAutoRenew
          refused OperationDenied: `ecs-1` is not renewed automatically
          ecs-2 on expiry OnExpiry::Lapse
          refused OperationDenied: `ecs-3` is not renewed automatically
          refused OperationDenied: `ecs-4` is not renewed automatically
          refused OperationDenied: `ecs-5` is not renewed automatically
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::ConvertOnExpiry
          ecs-1 on expiry OnExpiry::Convert
          ecs-2 on expiry OnExpiry::Convert
          refused OperationDenied: `ecs-3` is set to become pay-per-use already
          refused OperationDenied: `ecs-4` has expired; renew it by hand first
          ecs-5 on expiry OnExpiry::Convert
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::CancelConversion
          refused OperationDenied: `ecs-1` is not set to become pay-per-use
          refused OperationDenied: `ecs-2` is not set to become pay-per-use
          ecs-3 on expiry OnExpiry::Lapse
          refused OperationDenied: `ecs-4` has expired; renew it by hand first
          refused OperationDenied: `ecs-5` is not set to become pay-per-use
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::ConvertNow
          refused OperationDenied: `ecs-1` cannot be changed in this way at this provider
          refused OperationDenied: `ecs-2` cannot be changed in this way at this provider
          refused OperationDenied: `ecs-3` cannot be changed in this way at this provider
          refused OperationDenied: `ecs-4` cannot be changed in this way at this provider
          refused OperationDenied: `ecs-5` cannot be changed in this way at this provider
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
        Command::Unsubscribe(Scope::FuturePeriods)
          refused OperationDenied: `ecs-1` has no renewed period that has not begun
          refused OperationDenied: `ecs-2` has no renewed period that has not begun
          refused OperationDenied: `ecs-3` has no renewed period that has not begun
          refused OperationDenied: `ecs-4` has expired; there is nothing left to give back
          refused OperationDenied: `ecs-5` has an order that waits to be paid; pay or cancel that one first
          refused OperationDenied: `ecs-6` is pay-per-use; only what is paid ahead has periods
    "#]].assert_eq(&told);
}

#[test]
fn refunds_are_counted_by_the_day() {
    let bundle = [
        resource("ecs", "ecs-1", day(62)),
        attached(resource("ebs", "disk-1", day(31))),
        attached(resource("eip", "eip-1", day(31))),
    ];
    let orders = [
        order(0, OrderKind::Purchase, day(0), day(31)),
        order(0, OrderKind::Renewal, day(31), day(62)),
        order(1, OrderKind::Purchase, day(0), day(31)),
        plugin_sdk::Order {
            paid: -1_000_000,
            reduces: Some(2),
            ..order(1, OrderKind::Downgrade, day(5), day(31))
        },
    ];
    let volcengine = table(VOLCENGINE);
    let everything = Command::Unsubscribe(Scope::Everything);
    let fee = [("fee_percent", "10"), ("refund_within", "11 days")];
    let told = [
        ask(&volcengine, day(10), everything.clone(), &bundle, &orders),
        ask_with(&volcengine, &fee, day(11), (everything.clone(), 0), &bundle, &orders),
        ask_with(&volcengine, &fee, day(11) + 1, (everything.clone(), 0), &bundle, &orders),
        ask(&volcengine, day(10), Command::Unsubscribe(Scope::FuturePeriods), &bundle, &orders),
        ask(&volcengine, day(10), Command::Unsubscribe(Scope::FuturePeriods), &bundle, &orders[1..]),
        ask(
            &table(&VOLCENGINE.replace("fee_percent = 0", "full_within = \"5 days\"")),
            day(5),
            everything.clone(),
            &bundle,
            &orders,
        ),
        ask(
            &volcengine,
            day(70),
            everything.clone(),
            &[Resource { stage: Stage::Retention, ..bundle[0].clone() }],
            &orders[..1],
        ),
        ask(&table(NIMBUS), day(10), everything, &[resource("server", "web", day(30))], &[]),
    ];
    expect![[r#"
        ecs-1 ends: #0 21000000 fee 0 #1 31000000 fee 0
        disk-1 ends: #2 20320000 fee 0
        eip-1 left out, OperationDenied: it stays; unsubscribe it by itself

        ecs-1 ends: #0 18000000 fee 2000000 #1 31000000 fee 0
        disk-1 ends: #2 17410000 fee 1940000
        eip-1 left out, OperationDenied: it stays; unsubscribe it by itself

        refused OperationDenied: `ecs-1` was bought too long ago to be given back

        ecs-1 ends, left until 2026-02-01 08:00:00: #1 31000000 fee 0
        disk-1 left out, OperationDenied: it has periods of its own; unsubscribe it by itself
        eip-1 left out, OperationDenied: it has periods of its own; unsubscribe it by itself

        ecs-1 ends, left until 2026-02-01 08:00:00: #0 31000000 fee 0
        disk-1 left out, OperationDenied: it has periods of its own; unsubscribe it by itself
        eip-1 left out, OperationDenied: it has periods of its own; unsubscribe it by itself

        ecs-1 ends: #0 31000000 fee 0 #1 31000000 fee 0
        disk-1 ends: #2 30000000 fee 0
        eip-1 left out, OperationDenied: it stays; unsubscribe it by itself

        ecs-1 ends: #0 0 fee 0

        refused Refused: `web` cannot be unsubscribed at this provider
    "#]]
    .assert_eq(&told.join("\n"));
}
