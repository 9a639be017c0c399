//! What terms of other lengths cost.

use expect_test::expect;

use crate::sample::days;
use crate::sample::money;
use crate::sample::months;
use crate::sample::years;
use crate::term::Term;
use crate::term::TermUnit;

#[test]
fn a_term_costs_what_its_months_do() {
    let cases = [
        (months(1), "99", months(1), 0),
        (months(3), "99", months(1), 0),
        (years(1), "99", months(1), 0),
        (months(1), "1000", years(1), 0),
        (years(2), "1000", years(1), 0),
        (days(30), "99", months(1), 0),
        (days(1), "99", months(1), 0),
        (days(1), "1", days(7), 0),
        (months(1), "99", months(1), 5),
        (years(1), "1000", years(1), 1),
        (months(1), "0", months(1), 31),
        (years(u32::MAX), "1000000000", days(1), u32::MAX),
    ];
    let shown = cases.map(|(term, price, of, extra)| {
        format!("{term} and {extra} days at {price} for {of}: {}\n", term.price(money(price), of, extra))
    });
    expect![[r#"
        1 month and 0 days at 99 for 1 month: 99.00
        3 months and 0 days at 99 for 1 month: 297.00
        1 year and 0 days at 99 for 1 month: 1188.00
        1 month and 0 days at 1000 for 1 year: 83.33
        2 years and 0 days at 1000 for 1 year: 2000.00
        30 days and 0 days at 99 for 1 month: 99.00
        1 day and 0 days at 99 for 1 month: 3.30
        1 day and 0 days at 1 for 7 days: 0.14
        1 month and 5 days at 99 for 1 month: 115.50
        1 year and 1 days at 1000 for 1 year: 1002.78
        1 month and 31 days at 0 for 1 month: 0.00
        4294967295 years and 4294967295 days at 1000000000 for 1 day: 9223372036854.775807
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn a_term_of_nothing_is_no_term() {
    assert_eq!(TermUnit::ALL.map(|unit| Term::new(0, unit)), [None; 3]);
}
