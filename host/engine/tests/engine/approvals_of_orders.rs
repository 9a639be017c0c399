//! Approvals beside one another: of an order's payment, of the clock, and of commands for the same period; and what each of
//! them needs to go on waiting.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use perennial_store::accounts;
use perennial_store::engine_store::EngineReads;
use perennial_store::integrity;
use perennial_store::testing;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::package;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;

use crate::approvals::Approvals;
use crate::approvals::careful;

/// The order that [`later`] makes of a resource that expires on 10 March.
const ORDER: &str = "vm/2026-03-10T00:00:00Z/30day";

/// The command to renew, to be paid within two days.
fn later() -> Command {
    let options = BTreeMap::from([("later".to_owned(), "yes".to_owned())]);
    Command::Renew(Renewal { term: None, cause: Cause::Command, options })
}

/// Every promise that a database has to keep is kept.
fn is_sound(world: &World) {
    assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
}

#[test]
fn paying_an_order_is_a_request_beside_that_of_the_renewal() {
    let by_hand: fn(&mut World) = |world| {
        assert_eq!(world.ask("2026-03-08T01:00:00", "vm", &renew(), "operator").as_deref(), Some("vm~1"));
    };
    for (resource, request) in [
        (lapsing("vm", "2026-03-10"), by_hand),
        (renewing("vm", "2026-03-10"), |world: &mut World| {
            world.run_to("2026-03-08");
        }),
    ] {
        let mut world = careful(resource);
        request(&mut world);
        assert_eq!(
            world.ask("2026-03-08T02:00:00", "vm", &later(), "operator"),
            None,
            "an order costs nothing"
        );
        let pay = Command::PayOrder(ORDER.to_owned());
        assert_eq!(world.ask("2026-03-08T03:00:00", "vm", &pay, "operator").as_deref(), Some("vm~2"));
        is_sound(&world);
        assert_eq!(world.approve("2026-03-08T04:00:00", "vm~2"), "done");
        assert_eq!(world.resource("vm").expires_at, Some(at("2026-04-09")));
        assert_eq!(world.balance("a"), money("70"));
        assert_eq!(world.states(), "vm~1 expired, vm~2 approved | settled 1");
        is_sound(&world);
    }
}

#[test]
fn a_renewal_waits_on_when_the_order_for_its_period_is_cancelled() {
    let mut world = careful(lapsing("vm", "2026-03-20"));
    world.ask("2026-03-02", "vm", &renew(), "operator");
    world.ask("2026-03-02", "vm", &later(), "operator");
    let order = ORDER.replace("03-10", "03-20");
    let pay = Command::PayOrder(order.clone());
    assert_eq!(world.ask("2026-03-02", "vm", &pay, "operator").as_deref(), Some("vm~2"));
    assert_eq!(world.ask("2026-03-03", "vm", &Command::CancelOrder(order), "operator"), None);
    assert_eq!(world.states(), "vm~1 pending, vm~2 expired | awaiting_approval 1");
    is_sound(&world);
    assert_eq!(world.approve("2026-03-04", "vm~1"), "done");
    is_sound(&world);
}

#[test]
fn a_renewal_by_hand_outlives_the_automatic_one() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-08");
    assert_eq!(world.ask("2026-03-08T01:00:00", "vm", &renew(), "operator").as_deref(), Some("vm~2"));
    assert_eq!(world.command("2026-03-08T02:00:00", "vm", &Command::CancelAutoRenew), None);
    assert_eq!(world.states(), "vm~1 expired, vm~2 pending | awaiting_approval 1");
    is_sound(&world);
    assert_eq!(world.approve("2026-03-08T03:00:00", "vm~2"), "done");
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-04-09")));
    is_sound(&world);
}

#[test]
fn a_first_period_waits_for_its_approval() {
    let mut world = careful(lapsing("vm", "2026-03-10"));
    assert_eq!(world.command("2026-03-02", "vm", &Command::ConvertNow), None);
    let subscribe = |options| {
        let term = Term::new(1, TermUnit::Month);
        Command::Subscribe(Subscribe { term, price: Some(money("40")), options })
    };
    let now = subscribe(BTreeMap::new());
    assert_eq!(world.ask("2026-03-03", "vm", &now, "operator").as_deref(), Some("vm~1"));
    let later = subscribe(BTreeMap::from([("later".to_owned(), "yes".to_owned())]));
    assert_eq!(world.ask("2026-03-03", "vm", &later, "operator"), None);
    let pay = Command::PayOrder(format!("vm/{}/purchase", at("2026-03-03")));
    assert_eq!(world.ask("2026-03-03", "vm", &pay, "operator").as_deref(), Some("vm~2"));
    world.run_to("2026-03-04");
    assert_eq!(world.states().split(" | ").next(), Some("vm~1 pending, vm~2 pending"));
    assert_eq!(world.approve("2026-03-04", "vm~1"), "done");
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-04-03")));
    is_sound(&world);
}

#[test]
fn a_package_that_has_ended_is_bought_again_once_that_is_approved() {
    let mut world = careful(package("pkg", "2026-03-02"));
    world.run_to("2026-03-20");
    let buy = Command::BuyAgain(Purchase { pay_at: None, effective_at: None });
    assert_eq!(world.ask("2026-03-20", "pkg", &buy, "operator").as_deref(), Some("pkg~1"));
    world.run_to("2026-03-21");
    assert_eq!(world.approve("2026-03-21", "pkg~1"), "done");
    assert_eq!(world.balance("a"), money("70"));
    is_sound(&world);
}

#[test]
fn a_dearer_specification_is_approved_later_than_it_was_asked_for() {
    let mut world = careful(lapsing("vm", "2026-03-10"));
    let dearer = Change { attributes: BTreeMap::new(), price: money("60"), options: BTreeMap::new() };
    let asked = world.ask("2026-03-02", "vm", &Command::Change(dearer), "operator");
    assert_eq!(asked.as_deref(), Some("vm~1"));
    assert_eq!(world.approve("2026-03-02T01:00:00", "vm~1"), "done");
    assert_eq!(world.balance("a"), money("70"));
}

#[test]
fn a_try_that_is_declined_leaves_an_approval_waiting() {
    let mut world = careful(renewing("vm", "2026-03-10"));
    world.run_to("2026-03-08");
    world.engine.set_attribute(at("2026-03-08T01:00:00"), "vm", "refuse", "yes").unwrap();
    world.run_to("2026-03-09T00:00:00");
    is_sound(&world);
    let mut again = careful(renewing("vm", "2026-03-20"));
    again.ask("2026-03-02", "vm", &renew(), "operator");
    again.engine.set_attribute(at("2026-03-02T01:00:00"), "vm", "refuse", "yes").unwrap();
    again.run_to("2026-03-18T12:00:00");
    is_sound(&again);
}

#[test]
fn an_upgrade_that_was_ordered_is_paid_for_the_time_it_was_ordered_for() {
    let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-10")]]);
    let options = BTreeMap::from([("later".to_owned(), "yes".to_owned())]);
    let dearer = Change { attributes: BTreeMap::new(), price: money("50"), options };
    let upgrade = Command::Change(dearer);
    assert_eq!(world.command("2026-03-02", "vm", &upgrade), None);
    assert_eq!(world.command("2026-03-02T12:00:00", "vm", &renew()), None);
    let pay = |at_order: &str| Command::PayOrder(format!("vm/{}/upgrade", at(at_order)));
    assert_eq!(world.command("2026-03-03", "vm", &pay("2026-03-02")).as_deref(), Some("order_changed"));
    let cancel = Command::CancelOrder(format!("vm/{}/upgrade", at("2026-03-02")));
    assert_eq!(world.command("2026-03-03", "vm", &cancel), None);
    assert_eq!(world.command("2026-03-03", "vm", &upgrade), None);
    assert_eq!(world.command("2026-03-03", "vm", &pay("2026-03-03")), None);
    assert_eq!(world.balance("a"), money("50"));
    is_sound(&world);
}

#[test]
fn an_order_for_what_costs_more_by_now_is_ordered_anew() {
    let mut world = World::account("2026-03-01", "200", vec![vec![lapsing("vm", "2026-03-10")]]);
    assert_eq!(world.command("2026-03-02", "vm", &later()), None);
    testing::set_price(world.engine.db(), money("40"));
    let pay = Command::PayOrder(ORDER.to_owned());
    assert_eq!(world.command("2026-03-02T01:00:00", "vm", &pay).as_deref(), Some("order_changed"));
    assert_eq!(world.command("2026-03-02T02:00:00", "vm", &Command::CancelOrder(ORDER.to_owned())), None);
    assert_eq!(world.command("2026-03-02T03:00:00", "vm", &later()), None);
    assert_eq!(world.command("2026-03-02T04:00:00", "vm", &Command::PayOrder(format!("{ORDER}~2"))), None);
    assert_eq!(world.balance("a"), money("160"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm order_created
        2026-03-02T01:00:00Z a/vm command_refused code=order_changed
        2026-03-02T02:00:00Z a/vm order_cancelled
        2026-03-02T03:00:00Z a/vm order_created
        2026-03-02T04:00:00Z a/vm order_paid
        2026-03-02T04:00:00Z a/vm balance_changed amount=-40.00
        2026-03-02T04:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_budget_counts_no_change_of_specification_whatever_it_gives_back() {
    let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-10")]]);
    let spent = |world: &World| {
        let account = accounts::get(world.engine.db(), "a").unwrap().unwrap().row;
        world.engine.db().spent_since(account, at("2026-03-01")).unwrap()
    };
    for (now, price) in [("2026-03-02", "50"), ("2026-03-03", "35")] {
        let attributes = BTreeMap::new();
        let change = Change { attributes, price: money(price), options: BTreeMap::new() };
        assert_eq!(world.command(now, "vm", &Command::Change(change)), None);
        assert_eq!(spent(&world), money("0"));
    }
    assert_eq!(world.command("2026-03-04", "vm", &Command::Unsubscribe(Scope::All)), None);
    assert_eq!(spent(&world), money("-15"), "of 35.00 that come back, 20.00 were an upgrade's");
    is_sound(&world);
}
