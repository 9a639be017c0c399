//! Orders that wait to be paid, changes of specification and of the charge type, and what giving a renewal back restores.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::bundle::Stage;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use perennial_store::approvals;
use perennial_store::integrity;
use perennial_store::keys::OrderKey;
use perennial_store::keys::RowKey;
use perennial_store::order_list;
use perennial_store::order_list::OrderListFilter;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;

/// The order that [`later`] makes on 2 March.
const ORDER: &str = "vm/2026-03-10T00:00:00Z/30day";

/// The command to renew, to be paid within two days.
fn later() -> Command {
    let options = BTreeMap::from([("later".to_owned(), "yes".to_owned())]);
    Command::Renew(Renewal { term: None, cause: Cause::Command, options })
}

fn pay() -> Command {
    Command::PayOrder(ORDER.to_owned())
}

fn change(price: &str) -> Command {
    let attributes = BTreeMap::from([("flavor".to_owned(), "large".to_owned())]);
    Command::Change(Change { attributes, price: money(price), options: BTreeMap::new() })
}

fn one(balance: &str) -> World {
    World::account("2026-03-01", balance, vec![vec![lapsing("vm", "2026-03-10")]])
}

/// Every promise that a database has to keep is kept.
fn is_sound(world: &World) {
    assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
}

#[test]
fn an_order_waits_without_money_and_is_paid_once() {
    let mut world = one("100");
    assert_eq!(world.command("2026-03-02", "vm", &later()), None);
    assert_eq!(world.balance("a"), money("100"));
    assert!(world.resource("vm").has_unpaid_order);
    assert_eq!(world.command("2026-03-03", "vm", &pay()), None);
    assert_eq!(world.command("2026-03-03", "vm", &pay()).as_deref(), Some("not_awaiting_payment"));
    assert_eq!(world.balance("a"), money("70"));
    assert!(!world.resource("vm").has_unpaid_order);
    expect![[r#"
        2026-03-02T00:00:00Z a/vm order_created
        2026-03-03T00:00:00Z a/vm order_paid
        2026-03-03T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-03T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-03T00:00:00Z a/vm command_refused code=not_awaiting_payment
    "#]]
    .assert_eq(&world.event_lines());
    is_sound(&world);
}

#[test]
fn an_order_that_nobody_pays_expires_at_its_instant() {
    let mut world = one("100");
    world.command("2026-03-02", "vm", &later());
    world.run_to("2026-03-05");
    assert!(!world.resource("vm").has_unpaid_order);
    assert_eq!(world.command("2026-03-05", "vm", &pay()).as_deref(), Some("not_awaiting_payment"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm order_created
        2026-03-04T00:00:00Z a/vm order_expired
        2026-03-05T00:00:00Z a/vm command_refused code=not_awaiting_payment
    "#]]
    .assert_eq(&world.event_lines());
    is_sound(&world);
}

#[test]
fn an_order_that_is_cancelled_can_be_made_again_under_another_id() {
    let mut world = one("100");
    world.command("2026-03-02", "vm", &later());
    assert_eq!(world.command("2026-03-02T01:00:00", "vm", &Command::CancelOrder(ORDER.to_owned())), None);
    world.command("2026-03-02T02:00:00", "vm", &later());
    assert_eq!(world.command("2026-03-02T03:00:00", "vm", &Command::PayOrder(format!("{ORDER}~2"))), None);
    expect![[r#"
        2026-03-02T00:00:00Z a/vm order_created
        2026-03-02T01:00:00Z a/vm order_cancelled
        2026-03-02T02:00:00Z a/vm order_created
        2026-03-02T03:00:00Z a/vm order_paid
        2026-03-02T03:00:00Z a/vm balance_changed amount=-30.00
        2026-03-02T03:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    is_sound(&world);
}

/// The ids of the orders of `vm`, in the order in which they were made.
fn order_ids(world: &World) -> Vec<String> {
    let filter = OrderListFilter { resource: Some("vm".to_owned()), ..OrderListFilter::default() };
    let orders = order_list::list(world.engine.db(), &filter, OrderKey::before_all(), 100).unwrap();
    orders.into_iter().map(|listed| listed.order.id).collect()
}

#[test]
fn no_two_orders_of_a_resource_have_one_id() {
    let mut world = World::account("2026-03-01", "200", vec![vec![renewing("vm", "2026-03-10")]]);
    world.command("2026-03-02", "vm", &later());
    world.command("2026-03-02", "vm", &Command::CancelOrder(ORDER.to_owned()));
    assert_eq!(world.command("2026-03-02", "vm", &renew()), None);
    assert_eq!(world.command("2026-03-02", "vm", &Command::Unsubscribe(Scope::Future)), None);
    world.run_to("2026-03-08T12:00:00");
    let renewals = [ORDER.to_owned(), format!("{ORDER}~2"), format!("{ORDER}~3")];
    assert_eq!(
        order_ids(&world),
        ["purchase/vm"].into_iter().map(str::to_owned).chain(renewals).collect::<Vec<_>>()
    );
    is_sound(&world);
}

#[test]
fn an_order_that_cannot_be_paid_goes_on_waiting() {
    let mut world = one("10");
    world.command("2026-03-02", "vm", &later());
    assert_eq!(world.command("2026-03-02", "vm", &pay()).as_deref(), Some("money"));
    world.engine.top_up(at("2026-03-03"), "a", money("20")).unwrap();
    assert_eq!(world.command("2026-03-03", "vm", &pay()), None);
    is_sound(&world);
}

#[test]
fn an_order_of_a_resource_that_ends_is_cancelled() {
    let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-02-27")]]);
    world.command("2026-03-01T12:00:00", "vm", &later());
    world.run_to("2026-03-20");
    assert_eq!(world.resource("vm").stage, Stage::Released);
    assert!(!world.resource("vm").has_unpaid_order);
    is_sound(&world);
}

#[test]
fn an_upgrade_and_a_downgrade_are_orders_of_their_own() {
    let mut world = one("100");
    assert_eq!(world.command("2026-03-02", "vm", &change("50")), None);
    assert_eq!(world.balance("a"), money("80"));
    assert_eq!(world.command("2026-03-03", "vm", &change("35")), None);
    assert_eq!(world.balance("a"), money("95"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm order_created
        2026-03-02T00:00:00Z a/vm order_paid
        2026-03-02T00:00:00Z a/vm balance_changed amount=-20.00
        2026-03-02T00:00:00Z a/vm setting_changed setting=flavor value=large
        2026-03-02T00:00:00Z a/vm setting_changed setting=price value=50.00
        2026-03-03T00:00:00Z a/vm order_created
        2026-03-03T00:00:00Z a/vm order_paid
        2026-03-03T00:00:00Z a/vm setting_changed setting=price value=35.00
        2026-03-03T00:00:00Z a/vm balance_changed amount=15.00
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.command("2026-03-04", "vm", &Command::Unsubscribe(Scope::All)), None);
    assert_eq!(world.balance("a"), money("130"), "35 was paid in the end, and comes back once");
    is_sound(&world);
}

#[test]
fn what_becomes_pay_per_use_at_once_can_be_paid_ahead_again() {
    let mut world = one("100");
    assert_eq!(world.command("2026-03-02", "vm", &Command::ConvertNow), None);
    assert_eq!((world.resource("vm").stage, world.balance("a")), (Stage::Converted, money("130")));
    let term = Term::new(1, TermUnit::Month).unwrap();
    let subscribe = Command::Subscribe(Subscribe {
        term: Some(term),
        price: Some(money("40")),
        options: BTreeMap::new(),
    });
    assert_eq!(world.command("2026-03-03", "vm", &subscribe), None);
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-04-02")));
    assert_eq!(world.balance("a"), money("90"));
    is_sound(&world);
    // It is live again: the clock ends it as every other.
    world.run_to("2026-04-10");
    assert_eq!(world.resource("vm").stage, Stage::Released);
    is_sound(&world);
}

#[test]
fn a_renewal_that_is_given_back_leaves_the_count_as_it_was() {
    let mut counted = renewing("vm", "2026-03-10");
    counted.renewals_left = Some(1);
    let mut world = World::account("2026-03-01", "100", vec![vec![counted]]);
    let before = world.resource("vm");
    world.run_to("2026-03-08T12:00:00");
    assert_eq!(world.resource("vm").renewals_left, Some(0));
    assert_eq!(world.command("2026-03-09", "vm", &Command::Unsubscribe(Scope::Future)), None);
    assert_eq!(world.resource("vm"), before);
    is_sound(&world);
}

#[test]
fn an_order_is_paid_through_any_member_of_its_bundle() {
    let mut disk = lapsing("disk", "2026-03-10");
    disk.attached_to = Some(perennial_domain::index::MemberIndex::PRIMARY);
    let mut world = World::account("2026-03-01", "200", vec![vec![lapsing("vm", "2026-03-10"), disk]]);
    world.command("2026-03-02", "vm", &later());
    assert!(world.resource("disk").has_unpaid_order);
    assert_eq!(world.command("2026-03-03", "disk", &pay()), None);
    assert_eq!(world.balance("a"), money("140"));
    assert_eq!(world.command("2026-03-03T01:00:00", "vm", &renew()), None, "nothing waits any more");
    is_sound(&world);
}

#[test]
fn the_approval_of_a_payment_ends_with_the_time_of_its_order() {
    let mut world = one("100");
    world.engine.set_approval_above(at("2026-03-01"), "a", Some(money("20"))).unwrap();
    world.command("2026-03-02", "vm", &later());
    // The order can be paid until 4 March; without it, the approval of a resource without tries would wait until 9 March.
    assert_eq!(world.command("2026-03-03", "vm", &pay()), None);
    world.event_lines();
    world.run_to("2026-03-05");
    expect![[r#"
        2026-03-04T00:00:00Z a/vm approval_expired approval=vm~1 will_retry=false reason=undecided
        2026-03-04T00:00:00Z a/vm order_expired
    "#]]
    .assert_eq(&world.event_lines());
    let approval = approvals::get(world.engine.db(), "vm~1").unwrap().unwrap();
    assert_eq!(approval.expires_at, at("2026-03-04"));
    is_sound(&world);
}

#[test]
fn the_approval_of_a_payment_ends_when_its_order_is_closed_otherwise() {
    let upgrade = || format!("vm/{}/upgrade", at("2026-03-02"));
    let cancel = |world: &mut World| world.command("2026-03-03", "vm", &Command::CancelOrder(upgrade()));
    let pay_unasked = |world: &mut World| {
        world.engine.set_approval_above(at("2026-03-03"), "a", None).unwrap();
        world.command("2026-03-03", "vm", &Command::PayOrder(upgrade()))
    };
    type Close<'a> = &'a dyn Fn(&mut World) -> Option<String>;
    for close in [&cancel as Close<'_>, &pay_unasked] {
        let mut world = one("100");
        world.engine.set_approval_above(at("2026-03-01"), "a", Some(money("20"))).unwrap();
        let options = BTreeMap::from([("later".to_owned(), "yes".to_owned())]);
        let dearer = Change { attributes: BTreeMap::new(), price: money("60"), options };
        world.command("2026-03-02", "vm", &Command::Change(dearer));
        world.command("2026-03-02T12:00:00", "vm", &Command::PayOrder(upgrade()));
        let pending = |world: &World| {
            let approval = approvals::get(world.engine.db(), "vm~1").unwrap().unwrap();
            (approval.state, approval.closing.and_then(|closing| closing.expiry_reason))
        };
        assert_eq!(pending(&world), (State::Pending, None));
        assert_eq!(close(&mut world), None);
        assert_eq!(pending(&world), (State::Expired, Some(ExpiryReason::OrderClosed)));
        is_sound(&world);
    }
}
