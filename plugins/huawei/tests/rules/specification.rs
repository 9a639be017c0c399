//! Changes of specification: what the rest costs more or gives back, of which order, and when it is refused.

use expect_test::expect;
use plugin_sdk::*;

use crate::commands::two_orders;
use crate::world::*;

fn change(price: Micros, present: Micros, options: &[(&str, &str)]) -> Command {
    Command::Change(Change {
        attributes: vec![("flavor".to_owned(), "large".to_owned())],
        price,
        present_price: Some(present),
        options: options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    })
}

/// Bought on 15 August 2021 for three months.
fn quarterly() -> (Resource, Order) {
    let term = Some(Term { count: 3, unit: TermUnit::Month });
    let (starts_at, ends_at) = (time("2021-08-15 10:00:00"), time("2021-11-15 23:59:59"));
    let resource = Resource {
        started_at: starts_at,
        expires_at: Some(ends_at),
        anchor_day: Some(15),
        term,
        ..resource("ecs")
    };
    let kind = OrderKind::Purchase;
    let order =
        Order { member: 0, kind, starts_at, ends_at, paid: 300_000_000, paid_at: starts_at, reduces: None };
    (resource, order)
}

#[test]
fn the_manuals_example_is_counted_in_months_of_the_calendar() {
    // Changed on 24 August: 7/31 of August, September and October, and 15/30 of November, of a third of the difference.
    let (resource, order) = quarterly();
    let at = time("2021-08-24 12:00:00");
    let upgrade =
        command(&[], at, std::slice::from_ref(&resource), 0, change(600_000_000, 300_000_000, &[]), &[order]);
    let downgrade = command(&[], at, &[resource], 0, change(150_000_000, 300_000_000, &[]), &[order]);
    expect![[r##"
        #0 changes to [("flavor", "large")] at 600000000, 272580000 of order 0 from 2021-08-24 12:00:00 to 2021-11-15 23:59:59
        #0 changes to [("flavor", "large")] at 150000000, -136290000 of order 0 from 2021-08-24 12:00:00 to 2021-11-15 23:59:59
    "##]].assert_eq(&format!("{}\n{}\n", print_plan(&upgrade), print_plan(&downgrade)));
}

#[test]
fn a_year_is_counted_in_days_without_a_29_february() {
    let (starts_at, ends_at) = (time("2023-11-01 10:00:00"), time("2024-11-01 23:59:59"));
    let resource =
        Resource { started_at: starts_at, expires_at: Some(ends_at), term: Some(YEARLY), ..resource("ecs") };
    let shown = ["2023-11-01 12:00:00", "2024-02-28 12:00:00", "2024-02-29 12:00:00", "2024-10-31 12:00:00"]
        .map(|at| {
            let bundle = std::slice::from_ref(&resource);
            let plan = command(&[], time(at), bundle, 0, change(365_000_000, 0, &[]), &[]);
            format!("{at} {}\n", print_plan(&plan))
        });
    expect![[r#"
        2023-11-01 12:00:00 #0 changes to [("flavor", "large")] at 365000000, 365000000 of no order from 2023-11-01 12:00:00 to 2024-11-01 23:59:59
        2024-02-28 12:00:00 #0 changes to [("flavor", "large")] at 365000000, 246000000 of no order from 2024-02-28 12:00:00 to 2024-11-01 23:59:59
        2024-02-29 12:00:00 #0 changes to [("flavor", "large")] at 365000000, 246000000 of no order from 2024-02-29 12:00:00 to 2024-11-01 23:59:59
        2024-10-31 12:00:00 #0 changes to [("flavor", "large")] at 365000000, 1000000 of no order from 2024-10-31 12:00:00 to 2024-11-01 23:59:59
    "#]].assert_eq(&shown.concat());
}

#[test]
fn a_term_in_days_is_counted_in_its_days() {
    let term = Some(Term { count: 30, unit: TermUnit::Day });
    let (starts_at, ends_at) = (time("2024-02-16 00:00:00"), time("2024-03-16 23:59:59"));
    let resource = Resource { started_at: starts_at, expires_at: Some(ends_at), term, ..resource("ecs") };
    let order = Order {
        member: 0,
        kind: OrderKind::Purchase,
        starts_at,
        ends_at,
        paid: 90_000_000,
        paid_at: starts_at,
        reduces: None,
    };
    let shown = ["2024-02-16 12:00:00", "2024-02-28 12:00:00", "2024-03-15 23:59:59", "2024-03-16 00:00:00"]
        .map(|at| {
            let asked = |price| {
                let bundle = std::slice::from_ref(&resource);
                print_plan(&command(&[], time(at), bundle, 0, change(price, 90_000_000, &[]), &[order]))
            };
            format!("{at} {}\n{at} {}\n", asked(120_000_000), asked(60_000_000))
        });
    expect![[r#"
        2024-02-16 12:00:00 #0 changes to [("flavor", "large")] at 120000000, 29000000 of order 0 from 2024-02-16 12:00:00 to 2024-03-16 23:59:59
        2024-02-16 12:00:00 #0 changes to [("flavor", "large")] at 60000000, -29000000 of order 0 from 2024-02-16 12:00:00 to 2024-03-16 23:59:59
        2024-02-28 12:00:00 #0 changes to [("flavor", "large")] at 120000000, 17000000 of order 0 from 2024-02-28 12:00:00 to 2024-03-16 23:59:59
        2024-02-28 12:00:00 #0 changes to [("flavor", "large")] at 60000000, -17000000 of order 0 from 2024-02-28 12:00:00 to 2024-03-16 23:59:59
        2024-03-15 23:59:59 #0 changes to [("flavor", "large")] at 120000000, 1000000 of order 0 from 2024-03-15 23:59:59 to 2024-03-16 23:59:59
        2024-03-15 23:59:59 #0 changes to [("flavor", "large")] at 60000000, -1000000 of order 0 from 2024-03-15 23:59:59 to 2024-03-16 23:59:59
        2024-03-16 00:00:00 #0 changes to [("flavor", "large")] at 120000000, 0 of order 0 from 2024-03-16 00:00:00 to 2024-03-16 23:59:59
        2024-03-16 00:00:00 #0 changes to [("flavor", "large")] at 60000000, 0 of order 0 from 2024-03-16 00:00:00 to 2024-03-16 23:59:59
    "#]].assert_eq(&shown.concat());
}

#[test]
fn each_period_that_was_paid_for_has_its_part_of_the_whole() {
    let bundle = [resource("ecs")];
    let at = time("2026-01-20 12:00:00");
    let upgrade = command(&[], at, &bundle, 0, change(61_000_000, 31_000_000, &[]), &two_orders());
    let downgrade = command(&[], at, &bundle, 0, change(1_000_000, 31_000_000, &[]), &two_orders());
    expect![[r##"
        #0 changes to [("flavor", "large")] at 61000000, 10650000 of order 0 from 2026-01-20 12:00:00 to 2026-01-31 23:59:59, 30000000 of order 1 from 2026-01-31 23:59:59 to 2026-02-28 23:59:59
        #0 changes to [("flavor", "large")] at 1000000, -10650000 of order 0 from 2026-01-20 12:00:00 to 2026-01-31 23:59:59, -30000000 of order 1 from 2026-01-31 23:59:59 to 2026-02-28 23:59:59
    "##]].assert_eq(&format!("{}\n{}\n", print_plan(&upgrade), print_plan(&downgrade)));
}

#[test]
fn time_that_was_not_paid_for_here_gives_nothing_back() {
    let bundle = [Resource { expires_at: Some(time("2026-03-31 23:59:59")), ..resource("ecs") }];
    let at = time("2026-01-20 12:00:00");
    let downgrade = command(&[], at, &bundle, 0, change(1_000_000, 31_000_000, &[]), &two_orders());
    expect![[r##"
        #0 changes to [("flavor", "large")] at 1000000, -10650000 of order 0 from 2026-01-20 12:00:00 to 2026-01-31 23:59:59, -30000000 of order 1 from 2026-01-31 23:59:59 to 2026-02-28 23:59:59
    "##]].assert_eq(&format!("{}\n", print_plan(&downgrade)));
}

#[test]
fn what_a_downgrade_gave_back_does_not_come_back_again() {
    let (resource, bought) = quarterly();
    let at = time("2021-08-24 12:00:00");
    let down = Order {
        kind: OrderKind::Downgrade,
        starts_at: at,
        paid: -150_000_000,
        paid_at: at,
        reduces: Some(0),
        ..bought
    };
    let later = time("2021-10-01 12:00:00");
    let everything = Command::Unsubscribe(Scope::Everything);
    let bundle = [resource];
    let [before, after] = [&[bought][..], &[bought, down][..]]
        .map(|orders| print_plan(&command(&[], later, &bundle, 0, everything.clone(), orders)));
    let further = command(&[], later, &bundle, 0, change(0, 150_000_000, &[]), &[bought, down]);
    expect![[r##"
        #0 ends everything, order 0: 147430000
        #0 ends everything, order 0: 65690000
        #0 changes to [("flavor", "large")] at 0, -65690000 of order 0 from 2021-10-01 12:00:00 to 2021-11-15 23:59:59
    "##]].assert_eq(&format!("{before}\n{after}\n{}\n", print_plan(&further)));
}

#[test]
fn a_change_is_refused_while_an_order_waits_and_once_it_has_expired() {
    let at = time("2026-01-20 12:00:00");
    let dearer = || change(61_000_000, 31_000_000, &[]);
    let asked = |resource: Resource, command_: Command| {
        print_plan(&command(&[], at, &[resource], 0, command_, &[])) + "\n"
    };
    let shown = [
        asked(Resource { has_unpaid_order: true, ..resource("ecs") }, dearer()),
        asked(Resource { stage: Stage::Grace, ..resource("ecs") }, dearer()),
        asked(Resource { stage: Stage::Retention, ..resource("ecs") }, dearer()),
        asked(Resource { stage: Stage::Released, ..resource("ecs") }, dearer()),
        asked(resource("package"), dearer()),
        asked(resource("ecs"), change(1, 0, &[("colour", "red")])),
        asked(resource("ecs"), change(1, 0, &[("is_auto_pay", "2")])),
    ];
    expect![[r#"
        CBC.99003100
        CBC.99003602
        CBC.99003602
        CBC.99003012
        CBC.0100
        CBC.0100
        CBC.0100
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn an_order_waits_for_the_days_of_the_account_and_a_downgrade_never() {
    let at = time("2026-01-20 12:00:00");
    let later = [("is_auto_pay", "0")];
    let until = |said: Said, command_: Command| {
        let plan = command(said, at, &[resource("ecs")], 0, command_, &two_orders()).unwrap();
        plan.pay_until.map_or("at once".to_owned(), show) + "\n"
    };
    let options = later.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let renewal = Command::Renew(Renewal { term: Some(MONTHLY), automatic: false, options });
    let shown = [
        until(&[], renewal.clone()),
        until(&[("order_valid_days", "1")], renewal),
        until(&[], change(61_000_000, 31_000_000, &later)),
        until(&[], change(1_000_000, 31_000_000, &later)),
    ];
    expect![[r#"
        2026-01-27 12:00:00
        2026-01-21 12:00:00
        2026-01-27 12:00:00
        at once
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn the_instant_of_an_expiry_is_no_day_of_use() {
    let upgrade = |ends_at: &str, term: Term| {
        let resource = Resource { expires_at: Some(time(ends_at)), term: Some(term), ..resource("ecs") };
        print_plan(&command(
            &[],
            time("2026-01-20 12:00:00"),
            &[resource],
            0,
            change(200_000_000, 100_000_000, &[]),
            &[],
        ))
    };
    let shown = ["2026-02-14 23:59:59", "2026-02-15 00:00:00", "2026-02-15 00:00:01"]
        .map(|ends_at| format!("{}\n{}\n", upgrade(ends_at, MONTHLY), upgrade(ends_at, YEARLY)));
    expect![[r##"
        #0 changes to [("flavor", "large")] at 200000000, 85480000 of no order from 2026-01-20 12:00:00 to 2026-02-14 23:59:59
        #0 changes to [("flavor", "large")] at 200000000, 6850000 of no order from 2026-01-20 12:00:00 to 2026-02-14 23:59:59
        #0 changes to [("flavor", "large")] at 200000000, 85480000 of no order from 2026-01-20 12:00:00 to 2026-02-15 00:00:00
        #0 changes to [("flavor", "large")] at 200000000, 6850000 of no order from 2026-01-20 12:00:00 to 2026-02-15 00:00:00
        #0 changes to [("flavor", "large")] at 200000000, 89060000 of no order from 2026-01-20 12:00:00 to 2026-02-15 00:00:01
        #0 changes to [("flavor", "large")] at 200000000, 7120000 of no order from 2026-01-20 12:00:00 to 2026-02-15 00:00:01
    "##]].assert_eq(&shown.concat());
}

#[test]
fn the_years_count_from_the_day_on_which_it_was_paid_ahead() {
    let subscribe = Subscribe { term: Some(YEARLY), price: Some(1), options: Vec::new() };
    let postpaid = Resource { started_at: time("2022-01-01 12:00:00"), ..pay_per_use(resource("ecs")) };
    let asked = Command::Subscribe(subscribe.clone());
    let plan = print_plan(&command(&[], time("2026-01-20 12:00:00"), &[postpaid], 0, asked, &[]));
    let prepaid = |since: &[(&str, &str)]| {
        let attributes =
            since.iter().map(|&(name, day)| (name.to_owned().into(), day.to_owned().into())).collect();
        let expires_at = Some(time("2027-01-20 23:59:59"));
        Resource {
            started_at: time("2022-01-01 12:00:00"),
            expires_at,
            anchor_day: Some(20),
            attributes,
            ..resource("ecs")
        }
    };
    let renewed = |since: &[(&str, &str)], years| {
        let term = Some(Term { count: years, unit: TermUnit::Year });
        print_plan(&command(
            &[("total_years_max", "3")],
            time("2026-12-20 12:00:00"),
            &[prepaid(since)],
            0,
            renew(term),
            &[],
        ))
    };
    let since = [("prepaid_since", "2026-01-20")];
    expect![[r#"
        #0 is paid ahead for 1 year at 1, to 2027-01-20 23:59:59; #0 prepaid_since becomes 2026-01-20
        CBC.99003154
        #0 to 2029-01-20 23:59:59 for 2 year
        CBC.99003154"#]]
    .assert_eq(&[plan, renewed(&[], 1), renewed(&since, 2), renewed(&since, 3)].join("\n"));
    let answer =
        command(&[], time("2026-12-20 12:00:00"), &[prepaid(&since)], 0, Command::Subscribe(subscribe), &[]);
    expect![
        "the resource is yearly/monthly already: only a pay-per-use resource is paid ahead; renew it instead"
    ]
    .assert_eq(&answer.unwrap_err().message);
}
