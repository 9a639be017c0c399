//! What each operation does to a bundle, its account and the books.

mod ordering;

use std::collections::BTreeMap;

use expect_test::Expect;
use expect_test::expect;
use proptest::prelude::*;

use crate::apply::ExecutionContext;
use crate::apply::PlanEffects;
use crate::apply::RefundedPeriod;
use crate::apply::apply;
use crate::apply::attempt_id;
use crate::apply::cost;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::ledger::Balance;
use crate::ledger::Entry;
use crate::ledger::Shortfall;
use crate::micros::Micros;
use crate::order::Order;
use crate::order::OrderKind;
use crate::order::Undo;
use crate::plan::AutoRenewal;
use crate::plan::Cancellation;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::plan::Refund;
use crate::plan::Renewal;
use crate::plan::Scope;
use crate::plan::Step;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::money;
use crate::sample::months;
use crate::sample::package;
use crate::sample::resource;
use crate::sample::show;
use crate::sample::years;
use crate::term::Term;
use crate::unpaid_order::UnpaidOrder;

const NOW: &str = "2026-03-01";

/// A bundle with its account's money, and what is done to it.
struct Scene {
    bundle: Bundle,
    balance: Balance,
    orders: Vec<Order>,
}

impl Scene {
    fn of(members: impl IntoIterator<Item = Resource>, available: &str) -> Scene {
        let balance = Balance::new(money(available), Micros::ZERO);
        Scene { bundle: bundle(members), balance, orders: Vec::new() }
    }

    fn apply(
        &mut self,
        cause: Cause,
        named: usize,
        steps: Vec<(usize, Operation)>,
    ) -> Result<PlanEffects, Shortfall> {
        self.apply_plan(cause, named, &plan(steps), None)
    }

    fn apply_plan(
        &mut self,
        cause: Cause,
        named: usize,
        plan: &Plan,
        paying: Option<&UnpaidOrder>,
    ) -> Result<PlanEffects, Shortfall> {
        let context = ExecutionContext {
            at: at(NOW),
            named: MemberIndex::new(named),
            command: &renewal(cause),
            orders: &self.orders,
            new_id: "pkg.2",
            order_id: "order-1",
            paying,
        };
        apply(plan, &mut self.bundle, &mut self.balance, &context)
    }
}

fn renewal(cause: Cause) -> Command {
    Command::Renew(Renewal { term: None, cause, options: BTreeMap::new() })
}

fn plan(steps: Vec<(usize, Operation)>) -> Plan {
    let steps = steps
        .into_iter()
        .map(|(member, operation)| Step { member: MemberIndex::new(member), operation })
        .collect();
    Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None }
}

fn extend(to: &str, term: Term) -> Operation {
    Operation::Extend(Extension { expires_at: at(to), term, extra_days: 0, anchor_day: None })
}

fn entry(entry: &Entry) -> String {
    let (resource, reference) = (entry.resource.as_deref(), entry.reference.as_deref());
    format!(
        "{} -> {} {} ({}) {} {}\n",
        entry.from.name(),
        entry.to.name(),
        entry.amount,
        entry.reason.name(),
        resource.unwrap_or("-"),
        reference.unwrap_or("-")
    )
}

/// Everything that there is to write down.
fn check(effects: &PlanEffects, expect: &Expect) {
    let mut shown = show(&effects.events);
    shown.extend(effects.entries.iter().map(entry));
    for order in &effects.orders {
        shown.push_str(&format!(
            "order {} of {} from {}: {}\n",
            order.id, order.member, order.starts_at, order.paid
        ));
    }
    if let Some(attempt) = &effects.attempt {
        shown.push_str(&format!("attempt {} {} {}\n", attempt.id, attempt.state.name(), attempt.at));
    }
    for RefundedPeriod { member, period, amount, fee } in &effects.refunded {
        let kept = if *fee > Micros::ZERO { format!(", fee {fee}") } else { String::new() };
        shown.push_str(&format!("refunded {} of {member}: {amount}{kept}\n", period.order));
    }
    if let Some(order) = &effects.placed {
        shown.push_str(&format!(
            "waits: {} with {} periods for {}\n",
            order.id,
            order.lines.len(),
            order.cost()
        ));
    }
    if let Some(order) = &effects.paid {
        shown.push_str(&format!("waits no more: {}\n", order.id));
    }
    for bought in &effects.bought {
        shown.push_str(&format!("new {} anchored on {:?}\n", bought.id, bought.anchor_day));
    }
    for (member, details) in &effects.deferred {
        shown.push_str(&format!("later like {member}: {}\n", details.pay_at));
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_renewal_pays_for_every_member_and_is_one_attempt() {
    let year = Resource { term: Some(years(1)), price: Some(money("100")), ..attached("evs") };
    let mut scene = Scene::of([resource("ecs"), year, attached("eip")], "100");
    let steps = vec![(0, extend("2026-04-10", months(1))), (1, extend("2026-04-10", months(1)))];
    let effects = scene.apply(Cause::Command, 0, steps).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      balance -38.33 to 61.67 (renewal)
        2026-03-01T00:00:00Z ecs      renewed for 1 month (30.00, command): 2026-03-10T00:00:00Z -> 2026-04-10T00:00:00Z as ecs/2026-03-10T00:00:00Z/1month
        2026-03-01T00:00:00Z evs      renewed for 1 month (8.33, command) along with ecs: 2026-03-10T00:00:00Z -> 2026-04-10T00:00:00Z as ecs/2026-03-10T00:00:00Z/1month
        cash -> spent 38.33 (renewal) ecs ecs/2026-03-10T00:00:00Z/1month
        order ecs/2026-03-10T00:00:00Z/1month of 0 from 2026-03-10T00:00:00Z: 30.00
        order ecs/2026-03-10T00:00:00Z/1month of 1 from 2026-03-10T00:00:00Z: 8.33
        attempt ecs/2026-03-10T00:00:00Z/1month settled 2026-03-01T00:00:00Z
    "#]],
    );
    assert_eq!(scene.balance.available(), money("61.67"));
    assert_eq!(scene.bundle.members[0].expires_at, Some(at("2026-04-10")));
    assert_eq!(
        scene.bundle.members[2].expires_at,
        Some(at("2026-03-10")),
        "one that no step names stays as it was"
    );
}

#[test]
fn money_that_is_exactly_enough_is_enough() {
    let mut scene = Scene::of([resource("ecs")], "30");
    scene.apply(Cause::Auto, 0, vec![(0, extend("2026-04-10", months(1)))]).unwrap();
    assert_eq!(scene.balance, Balance::default());
}

#[test]
fn a_shortfall_changes_nothing() {
    let mut scene = Scene::of([resource("ecs"), attached("evs")], "59.99");
    let before = (scene.bundle.clone(), scene.balance);
    let steps = vec![
        (0, Operation::SetAttribute("status".to_owned(), "running".to_owned())),
        (0, extend("2026-04-10", months(1))),
        (1, extend("2026-04-10", months(1))),
    ];
    let shortfall = scene.apply(Cause::Auto, 0, steps).unwrap_err();
    assert_eq!(shortfall, Shortfall { needed: money("60"), available: money("59.99") });
    assert_eq!((scene.bundle, scene.balance), before);
}

#[test]
fn what_costs_nothing_moves_no_money_and_can_be_done_in_debt() {
    let free = Resource { price: Some(Micros::ZERO), ..resource("ecs") };
    let mut scene = Scene::of([free], "-5");
    let effects = scene.apply(Cause::Auto, 0, vec![(0, extend("2026-04-10", months(1)))]).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      renewed for 1 month (0.00, auto): 2026-03-10T00:00:00Z -> 2026-04-10T00:00:00Z as ecs/2026-03-10T00:00:00Z/1month
        order ecs/2026-03-10T00:00:00Z/1month of 0 from 2026-03-10T00:00:00Z: 0.00
        attempt ecs/2026-03-10T00:00:00Z/1month settled 2026-03-01T00:00:00Z
    "#]],
    );
    assert_eq!(scene.balance.available(), money("-5"));
}

#[test]
fn days_beyond_the_term_cost_a_thirtieth_of_a_month_each() {
    let extension =
        Extension { expires_at: at("2026-04-22"), term: months(1), extra_days: 12, anchor_day: Some(22) };
    let plan = plan(vec![(0, Operation::Extend(extension))]);
    let mut bundle = bundle([resource("ecs")]);
    assert_eq!(cost(&plan, &bundle, at(NOW)), money("42"));
    let mut balance = Balance::new(money("42"), Micros::ZERO);
    let context = ExecutionContext {
        at: at(NOW),
        named: MemberIndex::new(0),
        command: &renewal(Cause::Auto),
        orders: &[],
        new_id: "",
        order_id: "",
        paying: None,
    };
    apply(&plan, &mut bundle, &mut balance, &context).unwrap();
    assert_eq!(bundle.members[0].anchor_day, Some(22));
}

#[test]
fn a_renewal_brings_back_what_expired_if_it_reaches_beyond_now() {
    let expired =
        |id: &str| Resource { stage: Stage::Retention, expires_at: Some(at("2026-01-10")), ..resource(id) };
    for (to, stage) in
        [("2026-02-10", Stage::Retention), (NOW, Stage::Retention), ("2026-03-10", Stage::Active)]
    {
        let mut scene = Scene::of([expired("ecs")], "100");
        let effects = scene.apply(Cause::Command, 0, vec![(0, extend(to, months(1)))]).unwrap();
        assert_eq!(scene.bundle.members[0].stage, stage, "renewed to {to}");
        assert_eq!(show(&effects.events).contains("retention -> active"), stage == Stage::Active);
    }
}

#[test]
fn automatic_renewals_count_down_and_then_lapse() {
    let counted = Resource { on_expiry: OnExpiry::Renew, renewals_left: Some(2), ..resource("ecs") };
    let forever = Resource { on_expiry: OnExpiry::Renew, ..attached("evs") };
    let mut scene = Scene::of([counted, forever], "1000");
    let steps = |to| vec![(0, extend(to, months(1))), (1, extend(to, months(1)))];
    scene.apply(Cause::Auto, 0, steps("2026-04-10")).unwrap();
    assert_eq!(scene.bundle.members[0].renewals_left, Some(1));
    scene.apply(Cause::Command, 0, steps("2026-05-10")).unwrap();
    assert_eq!(scene.bundle.members[0].renewals_left, Some(1), "one by hand does not count");
    let last = scene.apply(Cause::Auto, 0, steps("2026-06-10")).unwrap();
    check(
        &last,
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      balance -60.00 to 820.00 (renewal)
        2026-03-01T00:00:00Z ecs      renewed for 1 month (30.00, auto): 2026-05-10T00:00:00Z -> 2026-06-10T00:00:00Z as ecs/2026-05-10T00:00:00Z/1month
        2026-03-01T00:00:00Z ecs      renewals_left = 0
        2026-03-01T00:00:00Z ecs      on_expiry = lapse
        2026-03-01T00:00:00Z evs      renewed for 1 month (30.00, auto) along with ecs: 2026-05-10T00:00:00Z -> 2026-06-10T00:00:00Z as ecs/2026-05-10T00:00:00Z/1month
        cash -> spent 60.00 (renewal) ecs ecs/2026-05-10T00:00:00Z/1month
        order ecs/2026-05-10T00:00:00Z/1month of 0 from 2026-05-10T00:00:00Z: 30.00
        order ecs/2026-05-10T00:00:00Z/1month of 1 from 2026-05-10T00:00:00Z: 30.00
        attempt ecs/2026-05-10T00:00:00Z/1month settled 2026-03-01T00:00:00Z
    "#]],
    );
    let settings = scene.bundle.members.iter().map(|member| (member.on_expiry, member.renewals_left));
    assert_eq!(settings.collect::<Vec<_>>(), [(OnExpiry::Lapse, Some(0)), (OnExpiry::Renew, None)]);
}

#[test]
fn settings_say_so_only_when_they_change() {
    let mut scene = Scene::of([resource("ecs")], "0");
    let auto = AutoRenewal { term: Some(years(1)), renewals: Some(3) };
    let steps = || {
        vec![
            (0, Operation::SetAutoRenew(auto)),
            (0, Operation::SetAttribute("status".to_owned(), "running".to_owned())),
            (0, Operation::SetAutoRenew(AutoRenewal { term: None, renewals: Some(0) })),
            (0, Operation::SetOnExpiry(OnExpiry::Convert)),
        ]
    };
    check(
        &scene.apply(Cause::Command, 0, steps()).unwrap(),
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      on_expiry = renew
        2026-03-01T00:00:00Z ecs      renewal_term = 1 year
        2026-03-01T00:00:00Z ecs      renewals_left = 3
        2026-03-01T00:00:00Z ecs      status = running
        2026-03-01T00:00:00Z ecs      on_expiry = lapse
        2026-03-01T00:00:00Z ecs      renewal_term = nothing
        2026-03-01T00:00:00Z ecs      renewals_left = 0
        2026-03-01T00:00:00Z ecs      on_expiry = convert
    "#]],
    );
    let again = vec![steps()[1].clone(), steps()[3].clone()];
    assert_eq!(scene.apply(Cause::Command, 0, again).unwrap(), PlanEffects::default());
}

#[test]
fn an_attempt_is_that_of_the_member_named_or_else_of_the_first_extended() {
    let bundle = bundle([resource("ecs"), attached("evs"), attached("eip")]);
    let key = |named, members: &[usize]| {
        let steps = members.iter().map(|member| (*member, extend("2026-04-10", months(1)))).collect();
        attempt_id(&plan(steps), &bundle, named).map(|id| id.key.resource)
    };
    assert_eq!(key(MemberIndex::new(0), &[0, 1]).as_deref(), Some("ecs"));
    assert_eq!(key(MemberIndex::new(1), &[0, 1]).as_deref(), Some("evs"));
    assert_eq!(key(MemberIndex::new(0), &[2, 1]).as_deref(), Some("eip"));
    assert_eq!(key(MemberIndex::new(0), &[]), None);
}

fn paid(id: &str, member: usize, starts_at: &str, amount: &str) -> Order {
    Order {
        id: id.to_owned(),
        member: MemberIndex::new(member),
        starts_at: at(starts_at),
        ends_at: at("2026-05-10"),
        paid: money(amount),
        paid_at: at("2026-01-10"),
        kind: OrderKind::Renewal,
        reduces: None,
        undo: Undo::default(),
    }
}

fn end(scope: Scope, left: Option<&str>, refunds: &[(usize, &str)]) -> Operation {
    let refund = |(order, amount): &(usize, &str)| Refund {
        order: OrderIndex::new(*order),
        amount: money(amount),
        fee: Micros::ZERO,
    };
    let refunds = refunds.iter().map(refund).collect();
    Operation::EndSubscription(Cancellation { scope, expires_at: left.map(at), refunds })
}

#[test]
fn what_is_unsubscribed_comes_back_in_one_sum_and_is_over() {
    let renewing = Resource { on_expiry: OnExpiry::Renew, ..resource("ecs") };
    let mut scene = Scene::of([renewing, attached("evs")], "-10");
    scene.orders = vec![
        paid("old", 0, "2026-01-10", "30"),
        paid("new", 0, "2026-03-10", "30"),
        paid("disk", 1, "2026-01-10", "8"),
    ];
    let steps =
        vec![(0, end(Scope::All, None, &[(0, "0"), (1, "30")])), (1, end(Scope::All, None, &[(2, "2.5")]))];
    check(
        &scene.apply(Cause::Command, 0, steps).unwrap(),
        &expect![[r#"
            2026-03-01T00:00:00Z ecs      unsubscribed all for 30.00: new=30.00
            2026-03-01T00:00:00Z ecs      active -> unsubscribed
            2026-03-01T00:00:00Z evs      unsubscribed all for 2.50: disk=2.50
            2026-03-01T00:00:00Z evs      active -> unsubscribed
            2026-03-01T00:00:00Z ecs      balance 32.50 to 22.50 (refund)
            spent -> cash 30.00 (refund) ecs new
            spent -> cash 2.50 (refund) evs disk
            refunded old of 0: 0.00
            refunded new of 0: 30.00
            refunded disk of 1: 2.50
        "#]],
    );
    assert_eq!(scene.balance.available(), money("22.5"));
    assert!(scene.bundle.members.iter().all(|member| member.stage == Stage::Unsubscribed));
    assert_eq!(scene.bundle.members[0].on_expiry, OnExpiry::Lapse);
}

#[test]
fn future_periods_that_are_given_back_leave_the_present_one() {
    let mut scene = Scene::of([Resource { expires_at: Some(at("2026-05-10")), ..resource("ecs") }], "0");
    scene.orders = vec![paid("next", 0, "2026-04-10", "30")];
    let effects =
        scene.apply(Cause::Command, 0, vec![(0, end(Scope::Future, Some("2026-04-10"), &[(0, "30")]))]);
    check(
        &effects.unwrap(),
        &expect![[r#"
        2026-03-01T00:00:00Z ecs      unsubscribed future for 30.00: next=30.00
        2026-03-01T00:00:00Z ecs      balance 30.00 to 30.00 (refund)
        spent -> cash 30.00 (refund) ecs next
        refunded next of 0: 30.00
    "#]],
    );
    let member = &scene.bundle.members[0];
    assert_eq!((member.stage, member.expires_at), (Stage::Active, Some(at("2026-04-10"))));
}

fn buy(pay_at: &str, effective_at: &str) -> Operation {
    let expires_at = at("2026-06-30");
    Operation::Buy(PurchaseDetails {
        pay_at: at(pay_at),
        effective_at: at(effective_at),
        expires_at,
        anchor_day: 31,
    })
}

#[test]
fn a_package_that_is_bought_now_is_another_one() {
    let like = Resource {
        on_expiry: OnExpiry::Renew,
        renewals_left: Some(1),
        attached_to: Some(MemberIndex::new(3)),
        ..package("pkg")
    };
    let mut scene = Scene::of([like], "30");
    let effects = scene.apply(Cause::Command, 0, vec![(0, buy(NOW, "2026-05-30T16:00:00"))]).unwrap();
    check(
        &effects,
        &expect![[r#"
            2026-03-01T00:00:00Z pkg      balance -30.00 to 0.00 (purchase)
            2026-03-01T00:00:00Z pkg.2    bought like pkg: 100.00 for 30.00, 2026-05-30T16:00:00Z to 2026-06-30T00:00:00Z
            cash -> spent 30.00 (purchase) pkg purchase/pkg.2
            new pkg.2 anchored on Some(31)
        "#]],
    );
    let bought = &effects.bought[0];
    assert_eq!((bought.on_expiry, bought.renewals_left, bought.attached_to), (OnExpiry::Lapse, None, None));
    let package = bought.package.as_ref().unwrap();
    assert_eq!((package.used, package.bought_at), (Micros::ZERO, at(NOW)));
    assert_eq!(
        scene.bundle.members[0].package.as_ref().unwrap().used,
        money("40"),
        "the old one stays as it was"
    );
}

#[test]
fn a_package_that_is_bought_later_costs_nothing_yet() {
    let mut scene = Scene::of([package("pkg")], "0");
    let effects =
        scene.apply(Cause::Command, 0, vec![(0, buy("2026-03-01T00:00:01", "2026-05-30"))]).unwrap();
    check(
        &effects,
        &expect![[r#"
        2026-03-01T00:00:00Z pkg      ordered, to be paid 2026-03-01T00:00:01Z, from 2026-05-30T00:00:00Z
        later like 0: 2026-03-01T00:00:01Z
    "#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_and_events_both_say_what_became_of_the_balance(
        available in -5_000_i64..20_000, prices in prop::collection::vec(0..5_000_i64, 1..4), back in 0..=3_000_i64
    ) {
        let cents = |cents| Micros::new(cents * 10_000);
        let mut members = prices.iter().map(|price| Resource { price: Some(cents(*price)), ..attached("x") }).collect::<Vec<_>>();
        members.push(resource("ended"));
        let mut steps = (0..prices.len()).map(|member| (member, extend("2026-04-10", months(1)))).collect::<Vec<_>>();
        let refund = Refund { order: OrderIndex::new(0), amount: cents(back), fee: Micros::ZERO };
        let cancellation = Cancellation { scope: Scope::All, expires_at: None, refunds: vec![refund] };
        steps.push((prices.len(), Operation::EndSubscription(cancellation)));
        let before = Balance::new(cents(available), Micros::ZERO);
        let mut scene = Scene { bundle: bundle(members), balance: before, orders: vec![paid("o", prices.len(), "2026-01-10", "30")] };
        let needed = prices.iter().map(|price| cents(*price)).sum::<Micros>();
        let effects = scene.apply(Cause::Auto, 0, steps);
        prop_assert_eq!(effects.is_ok(), needed == Micros::ZERO || needed <= before.available());
        let Ok(effects) = effects else { return Ok(()) };
        let moved = Balance::of_entries(&effects.entries);
        prop_assert_eq!(before.available() + moved.available(), scene.balance.available());
        prop_assert_eq!(scene.balance.held(), Micros::ZERO);
        prop_assert_eq!(effects.orders.iter().map(|order| order.paid).sum::<Micros>(), needed);
    }
}
