//! What comes back of a subscription whose specification was changed: the five days, the handling fee, and cents.

use expect_test::expect;
use plugin_sdk::*;
use proptest::prelude::*;

use crate::world::*;

/// A server and its orders, as the host keeps them.
struct Server {
    said: Vec<(&'static str, &'static str)>,
    resource: Resource,
    price: Micros,
    orders: Vec<Order>,
}

impl Server {
    /// Bought at 10:30 on 15 January 2026 for `years`, or for a month, to the end of a 15th.
    fn bought(said: Said<'static>, years: u32, price: Micros) -> Server {
        let started_at = time("2026-01-15 10:30:00");
        let (term, ends) = match years {
            0 => (MONTHLY, "2026-02-15 23:59:59".to_owned()),
            _ => (Term { count: years, unit: TermUnit::Year }, format!("{}-01-15 23:59:59", 2026 + years)),
        };
        Server::between(said, started_at, time(&ends), term, price)
    }

    fn between(
        said: Said<'static>,
        starts_at: Timestamp,
        ends_at: Timestamp,
        term: Term,
        price: Micros,
    ) -> Server {
        let resource = Resource {
            started_at: starts_at,
            expires_at: Some(ends_at),
            anchor_day: Some(15),
            term: Some(term),
            ..resource("ecs")
        };
        let kind = OrderKind::Purchase;
        let order =
            Order { member: 0, kind, starts_at, ends_at, paid: price, paid_at: starts_at, reduces: None };
        Server { said: said.to_vec(), resource, price, orders: vec![order] }
    }

    fn ask(&self, at: Timestamp, asked: Command) -> Plan {
        command(&self.said, at, std::slice::from_ref(&self.resource), 0, asked, &self.orders).unwrap()
    }

    /// Changes the price of a term.
    fn change(mut self, at: Timestamp, price: Micros) -> Server {
        let attributes = vec![("flavor".to_owned(), price.to_string())];
        let change = Change { attributes, price, present_price: Some(self.price), options: Vec::new() };
        let plan = self.ask(at, Command::Change(change));
        let Operation::ChangeSpecification(new) = &plan.steps[0].operation else { panic!("{plan:?}") };
        for one in new.adjustments.iter().filter(|one| one.amount != 0) {
            let reduces = one.order.filter(|_| one.amount < 0);
            self.orders.push(Order {
                member: 0,
                kind: if one.amount < 0 { OrderKind::Downgrade } else { OrderKind::Upgrade },
                starts_at: one.starts_at,
                ends_at: one.ends_at,
                paid: one.amount,
                paid_at: at,
                reduces,
            });
        }
        self.price = price;
        self
    }

    /// What comes back for each order, and the fee, in hundredths.
    fn unsubscribed(&self, at: Timestamp) -> Vec<(u32, Micros, Micros)> {
        let plan = self.ask(at, Command::Unsubscribe(Scope::Everything));
        let Operation::EndSubscription(ending) = &plan.steps[0].operation else { panic!("{plan:?}") };
        let parts = |refund: &Refund| (refund.order, refund.amount, refund.fee);
        ending.refunds.iter().map(parts).collect()
    }

    /// What was paid for an order, less what downgrades gave back of it.
    fn stayed(&self, index: u32) -> Micros {
        let given_back = self.orders.iter().filter(|order| order.reduces == Some(index));
        self.orders[index as usize].paid + given_back.map(|order| order.paid).sum::<Micros>()
    }
}

const MANUAL: Said = &[("handling_fee_percent", "manual")];

#[test]
fn after_a_downgrade_the_five_days_give_back_what_stayed_paid() {
    let (starts_at, ends_at) = (time("2026-01-16 00:00:00"), time("2026-02-15 23:59:59"));
    let server = Server::between(&[("site", "cn")], starts_at, ends_at, MONTHLY, 100_000_000)
        .change(time("2026-01-16 12:00:00"), 95_000_000);
    assert_eq!(server.orders[1].paid, -5_100_000);
    assert_eq!(server.unsubscribed(time("2026-01-19 12:00:00")), [(0, 94_900_000, 0)]);
}

#[test]
fn the_manuals_fee_goes_by_the_subscription_and_what_stayed_paid() {
    let mut table = String::new();
    for (years, changed, unsubscribed) in
        [(2, "2026-02-16 10:30:00", "2026-03-19 10:30:00"), (3, "2026-12-16 10:30:00", "2027-03-19 10:30:00")]
    {
        for price in [1_800_000_000, 7_200_000_000] {
            let server = Server::bought(MANUAL, years, 3_600_000_000).change(time(changed), price);
            for (order, refund, fee) in server.unsubscribed(time(unsubscribed)) {
                let stayed = server.stayed(order);
                table += &format!(
                    "{years} years, to {}: order {order}, {stayed} stayed paid, {refund} back, fee {fee}\n",
                    price / 1_000_000
                );
            }
        }
    }
    expect![[r#"
        2 years, to 1800: order 0, 1878900000 stayed paid, 1363000000 back, fee 281830000
        2 years, to 7200: order 0, 3600000000 stayed paid, 2749560000 back, fee 540000000
        2 years, to 7200: order 1, 3442190000 stayed paid, 2773110000 back, fee 516320000
        3 years, to 1800: order 0, 2350680000 stayed paid, 863070000 back, fee 235060000
        3 years, to 7200: order 0, 3600000000 stayed paid, 1834900000 back, fee 360000000
        3 years, to 7200: order 1, 2498630000 stayed paid, 1943640000 back, fee 249860000
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_year_counted_from_the_31st_ends_on_29_february() {
    let term = Term { count: 2, unit: TermUnit::Year };
    let (starts_at, ends_at) = (time("2027-02-28 23:59:59"), time("2029-02-28 23:59:59"));
    let said: Said = &[("handling_fee_percent", "manual"), ("refund_counts", "days")];
    let mut server = Server::between(said, starts_at, ends_at, term, 2_000_000_000);
    server.resource.anchor_day = Some(31);
    let fee = |at| server.unsubscribed(time(at))[0];
    assert_eq!(fee("2028-02-29 12:00:00"), (0, 700_000_000, 300_000_000));
    assert_eq!(fee("2028-03-01 00:00:00"), (0, 797_260_000, 200_000_000));
}

#[test]
fn an_order_of_which_nothing_is_left_has_no_fee() {
    let server = Server::bought(&[("handling_fee_percent", "10")], 0, 100_000_000)
        .change(time("2026-01-20 12:00:00"), 0)
        .change(time("2026-01-20 13:00:00"), 50_000_000);
    let shown = server.unsubscribed(time("2026-01-25 12:00:00"));
    expect!["[(0, 0, 0), (2, 31730000, 4450000)]"].assert_eq(&format!("{shown:?}"));
}

proptest! {
    /// Also of what a change itself gives back.
    #[test]
    fn no_refund_exceeds_what_stayed_paid(
        changes in proptest::collection::vec((0..800_u32, 0..200_i64), 0..6), after in 0..800_u32,
        years in 0..3_u32, price in 0..20_000_i64,
        said in prop_oneof![
            Just(&[("site", "cn"), ("handling_fee_percent", "manual")] as Said),
            Just(MANUAL), Just(&[("refund_counts", "days")] as Said),
            Just(&[("site", "eu"), ("handling_fee_percent", "10")] as Said),
        ],
    ) {
        let mut server = Server::bought(said, years, price * 10_000);
        let start = server.resource.started_at;
        let length = server.resource.expires_at.unwrap() - start;
        let instant = |part: u32| start + length * i64::from(part) / 1000;
        let mut changes = changes;
        changes.sort_unstable();
        for (part, percent) in changes {
            let price = server.price * percent / 100 / 10_000 * 10_000;
            server = if price == server.price { server } else { server.change(instant(part), price) };
            for index in 0..server.orders.len() as u32 {
                prop_assert!(server.orders[index as usize].kind == OrderKind::Downgrade || server.stayed(index) >= 0);
            }
        }
        let latest = server.orders.iter().map(|order| order.paid_at).max().unwrap();
        for (order, refund, fee) in server.unsubscribed(latest.max(instant(after))) {
            prop_assert!(refund >= 0 && fee >= 0 && refund + fee <= server.stayed(order), "{} {}", refund, fee);
            prop_assert!(refund % 10_000 == 0 && fee % 10_000 == 0, "{} {}", refund, fee);
        }
    }
}
