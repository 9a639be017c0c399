//! Orders that wait to be paid, changes of specification, what goes back and forth between prepaid and pay-per-use, and what
//! giving a renewal back restores.

use expect_test::expect;

use super::NOW;
use super::Scene;
use super::check;
use super::end;
use super::extend;
use super::paid;
use super::plan;
use crate::apply::close_order;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::event::EventKind;
use crate::index::OrderIndex;
use crate::ledger::Shortfall;
use crate::order::Order;
use crate::order::OrderKind;
use crate::order::OrderState;
use crate::order::Undo;
use crate::order::paid_after_downgrades;
use crate::plan::Adjustment;
use crate::plan::Cause;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Refund;
use crate::plan::Scope;
use crate::plan::Specification;
use crate::plan::Subscription;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::money;
use crate::sample::months;
use crate::sample::postpaid;
use crate::sample::resource;

/// A renewal of a server and its disk that is paid later.
fn waiting() -> Plan {
    let steps = vec![(0, extend("2026-04-10", months(1))), (1, extend("2026-04-10", months(1)))];
    Plan { pay_until: Some(at("2026-03-08")), ..plan(steps) }
}

#[test]
fn an_order_that_waits_changes_nothing_but_that_it_waits() {
    let mut scene = Scene::of([resource("ecs"), attached("evs")], "10");
    let (members, balance) = (scene.bundle.members.clone(), scene.balance);
    let effects = scene.apply_plan(Cause::Command, 0, &waiting(), None).unwrap();
    check(
        &effects,
        &expect![[r#"
            2026-03-01T00:00:00Z ecs      order order-1 made (renewal, 60.00), to be paid by 2026-03-08T00:00:00Z
            waits: order-1 with 2 periods for 60.00
        "#]],
    );
    let flagged = members.into_iter().map(|member| Resource { has_unpaid_order: true, ..member });
    assert_eq!((scene.bundle.members, scene.balance), (flagged.collect(), balance));
}

#[test]
fn an_order_that_waited_is_paid_as_a_renewal_is() {
    let mut scene = Scene::of([resource("ecs"), attached("evs")], "50");
    let order = scene.apply_plan(Cause::Command, 0, &waiting(), None).unwrap().placed.unwrap();
    let short = scene.apply_plan(Cause::Command, 0, &waiting(), Some(&order));
    assert_eq!(short, Err(Shortfall { needed: money("60"), available: money("50") }));
    scene.balance.credit(money("10"));
    let effects = scene.apply_plan(Cause::Command, 0, &waiting(), Some(&order)).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      order order-1 paid (renewal, 60.00)
        2026-03-01T00:00:00Z ecs      balance -60.00 to 0.00 (renewal)
        2026-03-01T00:00:00Z ecs      renewed for 1 month (30.00, command): 2026-03-10T00:00:00Z -> 2026-04-10T00:00:00Z as ecs/2026-03-10T00:00:00Z/1month
        2026-03-01T00:00:00Z evs      renewed for 1 month (30.00, command) along with ecs: 2026-03-10T00:00:00Z -> 2026-04-10T00:00:00Z as ecs/2026-03-10T00:00:00Z/1month
        cash -> spent 60.00 (renewal) ecs ecs/2026-03-10T00:00:00Z/1month
        order order-1 of 0 from 2026-03-10T00:00:00Z: 30.00
        order order-1 of 1 from 2026-03-10T00:00:00Z: 30.00
        attempt ecs/2026-03-10T00:00:00Z/1month settled 2026-03-01T00:00:00Z
        waits no more: order-1
    "#]],
    );
    assert!(scene.bundle.members.iter().all(|member| !member.has_unpaid_order));
}

#[test]
fn an_order_that_is_closed_leaves_nothing_behind() {
    for state in [OrderState::Cancelled, OrderState::Expired] {
        let mut scene = Scene::of([resource("ecs"), attached("evs")], "10");
        let before = scene.bundle.clone();
        let order = scene.apply_plan(Cause::Command, 0, &waiting(), None).unwrap().placed.unwrap();
        let effects = close_order(order.clone(), state, &mut scene.bundle, at(NOW));
        assert_eq!(effects.closed, Some((order, state)));
        assert_eq!(scene.bundle, before);
    }
}

fn change(price: &str, adjustments: &[(&str, &str, &str, Option<usize>)]) -> Operation {
    let adjustment = |(starts, ends, amount, order): &(&str, &str, &str, Option<usize>)| Adjustment {
        starts_at: at(starts),
        ends_at: at(ends),
        amount: money(amount),
        order: order.map(OrderIndex::new),
    };
    Operation::ChangeSpecification(Specification {
        attributes: [("flavor".to_owned(), "large".to_owned())].into(),
        price: money(price),
        adjustments: adjustments.iter().map(adjustment).collect(),
    })
}

#[test]
fn an_upgrade_is_paid_and_a_downgrade_is_traced_to_its_order() {
    let mut scene = Scene::of([resource("ecs")], "100");
    scene.orders = vec![paid("bought", 0, "2026-02-10", "30")];
    let dearer = change("60", &[("2026-03-01", "2026-03-10", "9.68", Some(0))]);
    let effects = scene.apply(Cause::Command, 0, vec![(0, dearer)]).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      order order-1 made (upgrade, 9.68)
        2026-03-01T00:00:00Z ecs      order order-1 paid (upgrade, 9.68)
        2026-03-01T00:00:00Z ecs      balance -9.68 to 90.32 (upgrade)
        2026-03-01T00:00:00Z ecs      flavor = large
        2026-03-01T00:00:00Z ecs      price = 60.00
        cash -> spent 9.68 (upgrade) ecs order-1
        order order-1 of 0 from 2026-03-01T00:00:00Z: 9.68
    "#]],
    );
    scene.orders.extend(effects.orders);
    let cheaper = change("15", &[("2026-03-01", "2026-03-10", "-4.84", Some(0))]);
    let effects = scene.apply(Cause::Command, 0, vec![(0, cheaper)]).unwrap();
    check(
        &effects,
        &expect![[r#"
            2026-03-01T00:00:00Z ecs      order order-1 made (downgrade, -4.84)
            2026-03-01T00:00:00Z ecs      order order-1 paid (downgrade, -4.84) bought=4.84
            2026-03-01T00:00:00Z ecs      price = 15.00
            2026-03-01T00:00:00Z ecs      balance 4.84 to 95.16 (refund)
            spent -> cash 4.84 (adjustment) ecs bought
            order order-1 of 0 from 2026-03-01T00:00:00Z: -4.84
        "#]],
    );
    scene.orders.extend(effects.orders);
    let left = scene.orders.iter().take(2).map(|order| paid_after_downgrades(order, &scene.orders));
    assert_eq!(left.collect::<Vec<_>>(), [money("25.16"), money("9.68")]);
}

#[test]
fn what_a_downgrade_gave_back_ends_with_its_order() {
    let mut scene = Scene::of([resource("ecs")], "0");
    let bought = paid("bought", 0, "2026-02-10", "30");
    let downgrade = Order {
        id: "down".to_owned(),
        kind: OrderKind::Downgrade,
        paid: money("-4.84"),
        starts_at: at("2026-02-20"),
        reduces: Some(bought.period()),
        ..bought.clone()
    };
    scene.orders = vec![bought, downgrade];
    let steps = vec![(0, end(Scope::All, None, &[(0, "8")]))];
    let refunded = scene.apply(Cause::Command, 0, steps).unwrap().refunded;
    let shown = refunded.iter().map(|one| format!("{} {}", one.period.order, one.amount));
    assert_eq!(shown.collect::<Vec<_>>(), ["bought 8.00", "down 0.00"]);
}

#[test]
fn what_is_paid_ahead_is_prepaid_and_can_become_pay_per_use_again() {
    let mut scene = Scene::of([postpaid("ecs")], "100");
    let subscribe = Operation::Subscribe(Subscription {
        expires_at: at("2026-04-01"),
        term: months(1),
        extra_days: 0,
        anchor_day: 1,
        price: money("30"),
    });
    let effects = scene.apply(Cause::Command, 0, vec![(0, subscribe)]).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      order order-1 made (purchase, 30.00)
        2026-03-01T00:00:00Z ecs      order order-1 paid (purchase, 30.00)
        2026-03-01T00:00:00Z ecs      balance -30.00 to 70.00 (purchase)
        2026-03-01T00:00:00Z ecs      charging = prepaid
        2026-03-01T00:00:00Z ecs      expires_at = 2026-04-01T00:00:00Z
        cash -> spent 30.00 (purchase) ecs order-1
        order order-1 of 0 from 2026-03-01T00:00:00Z: 30.00
    "#]],
    );
    assert!(scene.bundle.members[0].is_live());
    scene.orders = effects.orders;
    let convert =
        Operation::Convert(vec![Refund { order: OrderIndex::new(0), amount: money("29"), fee: money("1") }]);
    let effects = scene.apply(Cause::Command, 0, vec![(0, convert)]).unwrap();
    check(
        &effects,
        &expect![[r#"
            2026-03-01T00:00:00Z ecs      active -> converted
            2026-03-01T00:00:00Z ecs      converted
            2026-03-01T00:00:00Z ecs      balance 29.00 to 99.00 (refund)
            spent -> cash 29.00 (refund) ecs order-1
            refunded order-1 of 0: 29.00, fee 1.00
        "#]],
    );
    let member = &scene.bundle.members[0];
    assert_eq!((member.stage, member.is_live(), member.expires_at), (Stage::Converted, false, None));
}

#[test]
fn giving_a_renewal_back_restores_whatever_it_changed() {
    let renewing = Resource {
        expires_at: Some(at("2026-03-10")),
        on_expiry: OnExpiry::Renew,
        renewals_left: Some(1),
        ..resource("ecs")
    };
    let mut scene = Scene::of([renewing], "100");
    let before = scene.bundle.clone();
    let Operation::Extend(mut aligned) = extend("2026-05-01", months(1)) else { unreachable!() };
    aligned.anchor_day = Some(1);
    let effects = scene.apply(Cause::Auto, 0, vec![(0, Operation::Extend(aligned))]).unwrap();
    assert_eq!(
        effects.orders[0].undo,
        Undo { anchor_day: Some(10), renewals_left: Some(1), ended_auto_renew: true }
    );
    assert_eq!(
        (scene.bundle.members[0].anchor_day, scene.bundle.members[0].on_expiry),
        (Some(1), OnExpiry::Lapse)
    );
    scene.orders = effects.orders;
    let back = end(Scope::Future, Some("2026-03-10"), &[(0, "30")]);
    scene.apply(Cause::Command, 0, vec![(0, back)]).unwrap();
    assert_eq!(scene.bundle, before);
}

#[test]
fn a_refunded_renewal_restores_the_anchor_that_changed_meanwhile() {
    let mut scene = Scene::of([resource("ecs")], "100");
    let effects = scene.apply(Cause::Command, 0, vec![(0, extend("2026-04-10", months(1)))]).unwrap();
    scene.orders = effects.orders;
    scene.bundle.members[0].anchor_day = Some(9);
    let back = end(Scope::Future, Some("2026-03-10"), &[(0, "30")]);
    scene.apply(Cause::Command, 0, vec![(0, back)]).unwrap();
    assert_eq!(scene.bundle.members[0].anchor_day, Some(10));
}

#[test]
fn a_change_that_costs_nothing_is_what_the_prices_say() {
    for (price, kind) in [("20", OrderKind::Downgrade), ("40", OrderKind::Upgrade)] {
        let mut scene = Scene::of([resource("ecs")], "100");
        let effects = scene.apply(Cause::Command, 0, vec![(0, change(price, &[]))]).unwrap();
        let kinds = effects.events.iter().filter_map(|event| {
            if let EventKind::OrderCreated { kind, .. } = &event.what { Some(*kind) } else { None }
        });
        assert_eq!(kinds.collect::<Vec<_>>(), [kind], "{price}");
    }
}

#[test]
fn a_count_that_somebody_set_since_is_left_alone() {
    let renewing = Resource { on_expiry: OnExpiry::Renew, renewals_left: Some(4), ..resource("ecs") };
    let mut scene = Scene::of([renewing], "100");
    let effects = scene.apply(Cause::Auto, 0, vec![(0, extend("2026-04-10", months(1)))]).unwrap();
    scene.orders = effects.orders;
    scene.bundle.members[0].renewals_left = Some(9);
    let back = end(Scope::Future, Some("2026-03-10"), &[(0, "30")]);
    scene.apply(Cause::Command, 0, vec![(0, back)]).unwrap();
    assert_eq!(scene.bundle.members[0].renewals_left, Some(9));
}
