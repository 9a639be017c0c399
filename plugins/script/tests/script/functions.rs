//! The functions of instants, days, calendars, tags and prices.

use expect_test::expect;
use plugin_script::interpreter;
use plugin_script::rulings::Ruling;

use crate::world::batch;
use crate::world::items;
use crate::world::script;
use crate::world::values;
use crate::world::yearly_quote;

#[test]
fn days_are_those_of_the_provider() {
    expect![[r#"
        days_between(plan.at, plan.last_try_at) -> 7
        days_between(instant("2026-02-20T15:59:59Z"), instant("2026-02-20T16:00:00Z")) -> 1
        days_between(plan.last_try_at, plan.at) -> -7
        days_between(plan.at, plan.at) -> 0
        add_days(plan.at, 8) -> 2026-02-28T19:00:00Z
        add_days(plan.at, -1) -> 2026-02-19T19:00:00Z
        add_days(plan.at, 9000000) -> failed: 9000000 days from 2026-02-20T19:00:00Z is not in the years 1 to 9999
        month_end(plan.at) -> 2026-02-28T15:59:59Z
        month_end(instant("2026-02-28T16:00:00Z")) -> 2026-03-31T15:59:59Z
        month_end(instant("2026-12-05T00:00:00+08:00")) -> 2026-12-31T15:59:59Z
        instant("2026-02-28") -> failed: `2026-02-28` is not an instant; write RFC 3339, such as "2026-02-28T15:59:59Z"
        instant("2026-02-28T15:59:59+08:00") -> 2026-02-28T07:59:59Z
    "#]].assert_eq(&values(&[
        "days_between(plan.at, plan.last_try_at)",
        "days_between(instant(\"2026-02-20T15:59:59Z\"), instant(\"2026-02-20T16:00:00Z\"))",
        "days_between(plan.last_try_at, plan.at)",
        "days_between(plan.at, plan.at)",
        "add_days(plan.at, 8)",
        "add_days(plan.at, -1)",
        "add_days(plan.at, 9000000)",
        "month_end(plan.at)",
        "month_end(instant(\"2026-02-28T16:00:00Z\"))",
        "month_end(instant(\"2026-12-05T00:00:00+08:00\"))",
        "instant(\"2026-02-28\")",
        "instant(\"2026-02-28T15:59:59+08:00\")",
    ]));
}

#[test]
fn working_days_are_weekdays_less_holidays_plus_exceptions() {
    expect![[r#"
        is_working_day(instant("2026-02-20T00:00:00Z")) -> true
        is_working_day(plan.at) -> false
        is_working_day(instant("2026-02-23T00:00:00Z")) -> false
        is_working_day(instant("2026-02-28T00:00:00Z")) -> true
        next_working_day(instant("2026-02-20T00:00:00Z")) -> 2026-02-24T00:00:00Z
        next_working_day(plan.at) -> 2026-02-23T19:00:00Z
        next_working_day(instant("2026-02-27T01:02:03Z")) -> 2026-02-28T01:02:03Z
        in_calendar("freeze", instant("2026-02-26T00:00:00+08:00")) -> true
        in_calendar("freeze", instant("2026-02-27T23:59:59+08:00")) -> true
        in_calendar("freeze", instant("2026-02-28T00:00:00+08:00")) -> false
        in_calendar("frost", plan.at) -> failed: there is no calendar `frost`; there are: `freeze`, `holidays`, `working_days`
    "#]].assert_eq(&values(&[
        "is_working_day(instant(\"2026-02-20T00:00:00Z\"))",
        "is_working_day(plan.at)",
        "is_working_day(instant(\"2026-02-23T00:00:00Z\"))",
        "is_working_day(instant(\"2026-02-28T00:00:00Z\"))",
        "next_working_day(instant(\"2026-02-20T00:00:00Z\"))",
        "next_working_day(plan.at)",
        "next_working_day(instant(\"2026-02-27T01:02:03Z\"))",
        "in_calendar(\"freeze\", instant(\"2026-02-26T00:00:00+08:00\"))",
        "in_calendar(\"freeze\", instant(\"2026-02-27T23:59:59+08:00\"))",
        "in_calendar(\"freeze\", instant(\"2026-02-28T00:00:00+08:00\"))",
        "in_calendar(\"frost\", plan.at)",
    ]));
}

#[test]
fn tags_amounts_and_prices_are_looked_up() {
    expect![[r#"
        tag(plan.resource, "env") -> prod
        tag(plan.members[1], "owner") == () -> true
        money("12.5") -> 12.50
        money("1,5") -> failed: `1,5` is not an amount; write a decimal such as "1200.00"
        money("") -> failed: `` is not an amount; write a decimal such as "1200.00"
        price_for(plan, 1, "month") -> 109.00
        price_for(plan, 1, "year") -> 1308.00
        price_for(plan, 10, "day") -> 36.33
        price_for(plan, 0, "day") -> failed: a term has at least 1 day; this one has 0
        price_for(plan, 1, "week") -> failed: `week` is not a unit of a term; there are "day", "month" and "year"
    "#]].assert_eq(&values(&[
        "tag(plan.resource, \"env\")",
        "tag(plan.members[1], \"owner\") == ()",
        "money(\"12.5\")",
        "money(\"1,5\")",
        "money(\"\")",
        "price_for(plan, 1, \"month\")",
        "price_for(plan, 1, \"year\")",
        "price_for(plan, 10, \"day\")",
        "price_for(plan, 0, \"day\")",
        "price_for(plan, 1, \"week\")",
    ]));
}

/// What `price_for` says of a month and a year where `change` changes the plan of the batch.
fn prices(change: impl Fn(&mut plugin_script::rulings::Batch)) -> String {
    let text = "fn rule(plan) { note(`${price_for(plan, 1, \"month\") ?? \"()\"} ${price_for(plan, 1, \"year\") ?? \"()\"}`); approve() }";
    let mut batch = batch(1);
    change(&mut batch);
    let results = interpreter::rule(&[script(text)], &[], &batch);
    results.answers[0].notes.join("; ")
}

#[test]
fn a_price_is_exact_or_it_is_unit() {
    assert_eq!(prices(|_| {}), "109.00 1308.00");
    assert_eq!(
        prices(|batch| batch.plans[0].cost = Some(375_000_000)),
        "375.00 ()",
        "a disk takes two months"
    );
    assert_eq!(prices(|batch| batch.extensions[1].extra_days = 9), "109.00 ()", "to the day of the others");
    assert_eq!(prices(|batch| batch.plans[0].extensions = items(0, 1)), "109.00 ()", "a disk stays out");
    assert_eq!(prices(|batch| batch.plans[0].cost = None), "() ()");
    let yearly = |batch: &mut plugin_script::rulings::Batch| {
        batch.plans[0].term =
            Some(plugin_script::types::Term { count: 1, unit: plugin_script::types::TermUnit::Year });
        batch.plans[0].cost = Some(1_000_000_000);
    };
    assert_eq!(prices(yearly), "() 1000.00");
}

#[test]
fn a_quote_goes_before_what_is_reckoned() {
    let text = "fn rule(plan) { note(`${price_for(plan, 1, \"year\")} ${price_for(plan, 2, \"year\") == ()}`); approve() }";
    let mut batch = batch(1);
    batch.quotes = vec![yearly_quote(1_000_000_000)];
    batch.plans[0].quotes = items(0, 1);
    batch.plans[0].extensions = items(0, 0);
    let results = interpreter::rule(&[script(text)], &[], &batch);
    assert_eq!(results.answers[0].ruling, Ruling::Approve);
    assert_eq!(results.answers[0].notes, ["1000.00 true"]);
}
