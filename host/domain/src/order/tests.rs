//! The order that a resource without a history was bought with.

use expect_test::expect;

use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::order;
use crate::order::OrderKind;
use crate::sample::at;
use crate::sample::postpaid;
use crate::sample::resource;

fn opening(resource: &Resource) -> String {
    match order::opening(resource, MemberIndex::new(0), 480) {
        Some(order) => format!(
            "{} {} to {}, {} paid {}{}\n",
            order.id,
            order.starts_at,
            order.ends_at,
            order.paid,
            order.paid_at,
            if order.kind == OrderKind::Purchase { "" } else { ", not for the purchase" }
        ),
        None => "none\n".to_owned(),
    }
}

#[test]
fn the_last_term_before_the_expiry_is_what_was_paid() {
    let old = resource("old");
    let new = Resource { started_at: at("2026-03-01"), ..resource("new") };
    let ahead = Resource { started_at: at("2026-04-01"), ..resource("ahead-of-its-end") };
    let month_end = Resource {
        expires_at: Some(at("2026-03-31T15:59:59")),
        anchor_day: Some(31),
        ..resource("month-end")
    };
    // Bought at 10:00 in UTC+8 for a month, which ends with its last day.
    let first = Resource {
        started_at: at("2026-02-28T02:00:00"),
        expires_at: Some(at("2026-03-28T15:59:59")),
        anchor_day: Some(28),
        ..resource("first")
    };
    let unpriced = Resource { price: None, ..resource("unpriced") };
    let shown =
        [old, new, ahead, month_end, first, unpriced, postpaid("pay-per-use")].map(|one| opening(&one));
    expect![[r#"
        purchase/old 2026-02-10T00:00:00Z to 2026-03-10T00:00:00Z, 30.00 paid 2026-01-10T00:00:00Z
        purchase/new 2026-03-01T00:00:00Z to 2026-03-10T00:00:00Z, 30.00 paid 2026-03-01T00:00:00Z
        purchase/ahead-of-its-end 2026-03-09T23:59:59Z to 2026-03-10T00:00:00Z, 30.00 paid 2026-03-09T23:59:59Z
        purchase/month-end 2026-02-28T15:59:59Z to 2026-03-31T15:59:59Z, 30.00 paid 2026-01-10T00:00:00Z
        purchase/first 2026-02-28T02:00:00Z to 2026-03-28T15:59:59Z, 30.00 paid 2026-02-28T02:00:00Z
        none
        none
    "#]].assert_eq(&shown.concat());
}
