//! Packages: bought now and later, and used.

use expect_test::expect;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;

use perennial_engine::error::EngineError;
use perennial_store::testing;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::money;
use perennial_test_support::world::package;

fn buy(pay_at: Option<&str>, effective_at: Option<&str>) -> Command {
    Command::BuyAgain(Purchase { pay_at: pay_at.map(at), effective_at: effective_at.map(at) })
}

fn one(balance: &str) -> World {
    World::account("2026-03-01", balance, vec![vec![package("pkg", "2026-04-01")]])
}

fn orders(world: &World) -> i64 {
    testing::row_count(world.engine.db(), "deferred_purchase")
}

#[test]
fn a_package_that_was_ordered_is_paid_when_its_time_comes() {
    let mut world = one("60");
    world.run_to("2026-03-01");
    assert_eq!(world.command("2026-03-02", "pkg", &buy(Some("2026-03-05"), Some("2026-03-20"))), None);
    assert_eq!(world.command("2026-03-02", "pkg", &buy(None, None)), None);
    world.run_to("2026-03-04");
    assert_eq!((world.balance("a"), orders(&world)), (money("30"), 1));
    assert_eq!(world.engine.next_wake().unwrap(), Some(at("2026-03-05")));
    world.run_to("2026-03-21");
    expect![[r#"
        2026-03-02T00:00:00Z a/pkg package_ordered pay_at=2026-03-05T00:00:00Z
        2026-03-02T00:00:00Z a/pkg balance_changed amount=-30.00
        2026-03-02T00:00:00Z a/pkg.2 package_bought expires_at=2026-04-01T00:00:00Z
        2026-03-05T00:00:00Z a/pkg balance_changed amount=-30.00
        2026-03-05T00:00:00Z a/pkg.3 package_bought expires_at=2026-04-19T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!((world.balance("a"), orders(&world)), (money("0"), 0));
    assert_eq!(world.resource("pkg.3").anchor_day, Some(20), "as the rules say");
}

#[test]
fn an_unpayable_order_is_dropped_and_one_paid_late_begins_when_paid() {
    let mut world = one("30");
    world.run_to("2026-03-01");
    for _ in 0..2 {
        world.command("2026-03-02", "pkg", &buy(Some("2026-03-05"), Some("2026-03-06")));
    }
    world.catch_up("2026-03-02", "2026-03-10");
    expect![[r#"
        2026-03-02T00:00:00Z a/pkg package_ordered pay_at=2026-03-05T00:00:00Z
        2026-03-02T00:00:00Z a/pkg package_ordered pay_at=2026-03-05T00:00:00Z
        2026-03-10T00:00:00Z a/- host_resumed down_since=2026-03-02T00:00:00Z
        2026-03-10T00:00:00Z a/pkg balance_changed amount=-30.00
        2026-03-10T00:00:00Z a/pkg.2 package_bought expires_at=2026-04-09T00:00:00Z
        2026-03-10T00:00:00Z a/pkg command_refused code=money
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(orders(&world), 0);
}

#[test]
fn an_order_whose_rules_are_down_is_paid_once_they_answer() {
    let mut world = one("30");
    world.run_to("2026-03-01");
    world.command("2026-03-02", "pkg", &buy(Some("2026-03-05"), None));
    world.down(true);
    world.run_to("2026-03-05T12:00:00");
    assert_eq!(orders(&world), 1);
    world.down(false);
    world.run_to("2026-03-06");
    expect![[r#"
        2026-03-02T00:00:00Z a/pkg package_ordered pay_at=2026-03-05T00:00:00Z
        2026-03-05T00:00:00Z a/pkg plugin_failed next_try_at=2026-03-05T06:00:00Z
        2026-03-05T06:00:00Z a/pkg plugin_failed next_try_at=2026-03-05T12:00:00Z
        2026-03-05T12:00:00Z a/pkg plugin_failed next_try_at=2026-03-05T18:00:00Z
        2026-03-05T18:00:00Z a/pkg balance_changed amount=-30.00
        2026-03-05T18:00:00Z a/pkg.2 package_bought expires_at=2026-04-04T18:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!((world.balance("a"), orders(&world)), (money("0"), 0));
}

#[test]
fn an_order_is_struck_in_the_transaction_that_pays_for_it() {
    let mut world = World::durable("2026-03-01", &[("a", "30", vec![vec![package("pkg", "2026-04-01")]])]);
    world.run_to("2026-03-01");
    world.command("2026-03-02", "pkg", &buy(Some("2026-03-05"), None));
    // Whatever stops the payment from being written keeps the order.
    testing::refuse_packages(world.engine.db());
    let error = world.engine.run_to(at("2026-03-05"), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, EngineError::Store(_)), "{error}");
    assert_eq!((world.balance("a"), orders(&world)), (money("30"), 1));
    testing::accept_packages(world.engine.db());
    world.run_to("2026-03-05");
    assert_eq!((world.balance("a"), orders(&world)), (money("0"), 0));
}

#[test]
fn use_is_covered_by_packages_until_they_are_empty() {
    let mut world = World::account(
        "2026-03-01",
        "0",
        vec![vec![package("pkg-1", "2026-04-01")], vec![package("pkg-2", "2026-04-01")]],
    );
    world.run_to("2026-03-01");
    for amount in ["70", "60", "100"] {
        let events = world.engine.record_use(at("2026-03-02"), "a", "cpu", money(amount)).unwrap();
        world.recorded.extend(events);
    }
    world.recorded.extend(world.engine.record_use(at("2026-03-02"), "a", "disk", money("1")).unwrap());
    expect![[r#"
        2026-03-02T00:00:00Z a/pkg-1 package_used amount=70.00 left=30.00
        2026-03-02T00:00:00Z a/pkg-1 package_used amount=30.00 left=0.00
        2026-03-02T00:00:00Z a/pkg-1 package_depleted left=0.00
        2026-03-02T00:00:00Z a/pkg-2 package_used amount=30.00 left=70.00
        2026-03-02T00:00:00Z a/pkg-2 package_used amount=70.00 left=0.00
        2026-03-02T00:00:00Z a/pkg-2 package_depleted left=0.00
        2026-03-02T00:00:00Z a/- usage_uncovered amount=30.00
        2026-03-02T00:00:00Z a/- usage_uncovered amount=1.00
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.resource("pkg-2").package.unwrap().used, money("100"));
}

#[test]
fn use_that_nobody_can_decide_on_changes_nothing() {
    let mut world = one("0");
    let unknown = world.engine.record_use(at("2026-03-02"), "nobody", "cpu", money("1")).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no account `nobody`");
    world.down(true);
    let error = world.engine.record_use(at("2026-03-02"), "a", "cpu", money("1")).unwrap_err();
    assert!(matches!(error, EngineError::Plugin(_)), "{error}");
    assert_eq!(world.resource("pkg").package.unwrap().used, money("0"));
}
