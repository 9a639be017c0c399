//! Commands: tokens, tries at once, what is unknown, and what was due before.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Stage;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;

use perennial_engine::error::EngineError;
use perennial_store::accounts;
use perennial_store::client_tokens;
use perennial_store::testing;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;
use perennial_test_support::world::with;

fn renew_with(token: &str) -> Command {
    let options = BTreeMap::from([("token".to_owned(), token.to_owned())]);
    Command::Renew(Renewal { term: None, cause: Cause::Command, options })
}

fn one(balance: &str) -> World {
    World::account(
        "2026-03-01",
        balance,
        vec![vec![lapsing("vm", "2026-03-10")], vec![lapsing("other", "2026-03-10")]],
    )
}

#[test]
fn the_same_token_is_the_same_command_with_the_same_answer() {
    let mut world = one("100");
    assert_eq!(world.command("2026-03-02", "vm", &renew_with("t")), None);
    assert_eq!(world.command("2026-03-02T00:01:00", "vm", &renew_with("t")), None);
    assert_eq!(world.balance("a"), money("70"), "paid once");
    assert_eq!(world.command("2026-03-02T00:01:10", "other", &renew_with("t")).as_deref(), Some("mismatch"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-02T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-02T00:01:10Z a/other command_refused code=mismatch
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_token_is_remembered_for_some_time_after_it_was_last_seen() {
    let mut world = one("100");
    world.command("2026-03-02", "vm", &renew_with("t"));
    world.command("2026-03-02T00:01:40", "vm", &renew_with("t"));
    world.command("2026-03-02T00:03:20", "vm", &renew_with("t"));
    assert_eq!(world.balance("a"), money("70"));
    world.command("2026-03-02T00:05:01", "vm", &renew_with("t"));
    assert_eq!(world.balance("a"), money("40"), "after 101 seconds it is another command");
}

#[test]
fn a_refusal_is_remembered_by_its_token_too() {
    let mut world = one("0");
    assert_eq!(world.command("2026-03-02", "vm", &renew_with("t")).as_deref(), Some("money"));
    world.engine.top_up(at("2026-03-02"), "a", money("100")).unwrap();
    assert_eq!(world.command("2026-03-02T00:00:30", "vm", &renew_with("t")).as_deref(), Some("money"));
    assert_eq!(world.balance("a"), money("100"));
}

#[test]
fn a_command_that_cannot_be_paid_changes_nothing_and_says_so() {
    let mut world = one("29.99");
    assert_eq!(world.command("2026-03-02", "vm", &renew()).as_deref(), Some("money"));
    expect![[r#"
        2026-03-02T00:00:00Z a/vm renewal_declined code=money class=money next_try_at=none
        2026-03-02T00:00:00Z a/vm command_refused code=money
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-03-10")));
}

#[test]
fn an_account_in_debt_can_still_switch_auto_renewal_off_and_unsubscribe() {
    let mut world = World::account("2026-03-01", "-50", vec![vec![renewing("vm", "2026-03-10")]]);
    assert_eq!(world.command("2026-03-02", "vm", &Command::CancelAutoRenew), None);
    assert_eq!(world.command("2026-03-02", "vm", &Command::Unsubscribe(Scope::All)), None);
    assert_eq!(world.balance("a"), money("-20"));
}

#[test]
fn switching_auto_renewal_on_late_tries_at_once() {
    let on = Command::SetAutoRenew(AutoRenewal { term: None, renewals: Some(1) });
    let mut world = one("30");
    world.run_to("2026-03-09T11:59:59");
    assert_eq!(world.command("2026-03-09T12:00:00", "vm", &on), None);
    assert_eq!(
        world.command("2026-03-09T12:00:00", "other", &on),
        None,
        "it is on, though its try was declined"
    );
    expect![[r#"
        2026-03-09T12:00:00Z a/vm setting_changed setting=on_expiry value=renew
        2026-03-09T12:00:00Z a/vm setting_changed setting=renewals_left value=1
        2026-03-09T12:00:00Z a/vm balance_changed amount=-30.00
        2026-03-09T12:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-09T12:00:00Z a/vm setting_changed setting=renewals_left value=0
        2026-03-09T12:00:00Z a/vm setting_changed setting=on_expiry value=lapse
        2026-03-09T12:00:00Z a/other setting_changed setting=on_expiry value=renew
        2026-03-09T12:00:00Z a/other setting_changed setting=renewals_left value=1
        2026-03-09T12:00:00Z a/other renewal_declined code=money class=money next_try_at=none
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(
        (world.resource("vm").on_expiry, world.resource("vm").renewals_left),
        (OnExpiry::Lapse, Some(0))
    );
}

#[test]
fn what_does_not_exist_is_refused_in_the_providers_words() {
    let mut world = one("0");
    assert_eq!(world.command("2026-03-02", "nothing", &renew()).as_deref(), Some("unknown"));
    expect![[r#"
        2026-03-02T00:00:00Z a/nothing command_refused code=unknown
    "#]]
    .assert_eq(&world.event_lines());
    let mut two = World::of("2026-03-01", &[("a", "0", vec![]), ("b", "0", vec![])]);
    let of_b = two.engine.command(at("2026-03-02"), Some("b"), "nothing", &renew()).unwrap();
    two.recorded.extend(of_b.events);
    two.command("2026-03-02", "nothing", &renew());
    expect![[r#"
        2026-03-02T00:00:00Z b/nothing command_refused code=unknown
        2026-03-02T00:00:00Z -/nothing command_refused code=unknown
    "#]]
    .assert_eq(&two.event_lines());
}

#[test]
fn an_account_without_a_plugin_says_how_to_load_one() {
    let mut world = one("0");
    testing::set_provider(world.engine.db(), "elsewhere");
    let error = world.engine.command(at("2026-03-02"), None, "vm", &renew()).unwrap_err();
    expect![
        "the account `a` is with `elsewhere`, for which no plugin is loaded; load one with `--plugin FILE`"
    ]
    .assert_eq(&error.to_string());
    world.run_to("2026-03-02");
    assert!(world.event_lines().contains("plugin_failed"), "the clock goes on");
}

#[test]
fn a_command_comes_after_what_was_due_before_it() {
    let mut world = World::account("2026-03-01", "100", vec![vec![renewing("vm", "2026-03-10")]]);
    // Nobody ran the clock since; the period that the overdue try pays for is refunded along with the rest.
    assert_eq!(world.command("2026-03-08T12:00:00", "vm", &Command::Unsubscribe(Scope::All)), None);
    expect![[r#"
        2026-03-08T11:59:59Z a/vm balance_changed amount=-30.00
        2026-03-08T11:59:59Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T12:00:00Z a/vm unsubscribed expires_at=none
        2026-03-08T12:00:00Z a/vm stage_changed to=unsubscribed
        2026-03-08T12:00:00Z a/vm balance_changed amount=60.00
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.balance("a"), money("130"));
}

#[test]
fn a_command_is_not_decided_while_the_rules_are_down_and_changes_nothing() {
    let mut world = one("100");
    world.run_to("2026-03-02");
    world.down(true);
    let error = world.engine.command(at("2026-03-03"), None, "vm", &renew()).unwrap_err();
    assert!(matches!(error, EngineError::Plugin(_)), "{error}");
    world.run_to("2026-03-10");
    let error = world.engine.command(at("2026-03-11"), None, "vm", &renew()).unwrap_err();
    assert!(matches!(error, EngineError::Overdue(_)), "{error}");
    assert_eq!(world.balance("a"), money("100"));
    world.down(false);
    assert_eq!(world.command("2026-03-11", "vm", &renew()), None);
    assert_eq!(world.resource("vm").stage, Stage::Active);
}

#[test]
fn a_period_that_was_given_back_can_be_paid_for_again() {
    let mut world = one("30");
    for _ in 0..3 {
        assert_eq!(world.command("2026-03-02", "vm", &renew()), None);
        assert_eq!(world.command("2026-03-02", "vm", &Command::Unsubscribe(Scope::Future)), None);
    }
    assert_eq!(world.balance("a"), money("30"));
    assert_eq!(testing::attempts(world.engine.db()), ["void 1"; 3]);
}

#[test]
fn an_attribute_changes_what_is_still_to_come() {
    let mut world =
        World::account("2026-03-01", "30", vec![vec![with(renewing("vm", "2026-03-10"), "refuse", "yes")]]);
    world.run_to("2026-03-08");
    world
        .recorded
        .extend(world.engine.set_attribute(at("2026-03-08T12:00:00"), "vm", "try_at", "46800").unwrap());
    assert_eq!(world.engine.next_wake().unwrap(), Some(at("2026-03-08T13:00:00")));
    assert_eq!(world.engine.set_attribute(at("2026-03-08T12:00:00"), "vm", "try_at", "46800").unwrap(), []);
    assert_eq!(world.engine.set_attribute(at("2026-03-08T12:00:00"), "nothing", "try_at", "1").unwrap(), []);
    world.run_to("2026-03-08T13:00:00");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm renewal_declined code=no class=rule next_try_at=2026-03-09T00:00:00Z
        2026-03-08T12:00:00Z a/vm setting_changed setting=try_at value=46800
        2026-03-08T13:00:00Z a/vm renewal_declined code=no class=rule next_try_at=2026-03-09T13:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn an_attribute_set_while_the_clock_is_behind_leaves_due_work_to_it() {
    let mut world = World::account("2026-03-01", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    world.run_to("2026-03-07");
    world.recorded.extend(world.engine.set_attribute(at("2026-03-12"), "vm", "colour", "blue").unwrap());
    assert_eq!(world.resource("vm").attributes["colour"], "blue");
    assert_eq!(world.engine.next_wake().unwrap(), Some(at("2026-03-08")), "still due");
    world.catch_up("2026-03-07", "2026-03-12");
    expect![[r#"
        2026-03-12T00:00:00Z a/vm setting_changed setting=colour value=blue
        2026-03-12T00:00:00Z a/- host_resumed down_since=2026-03-07T00:00:00Z
        2026-03-12T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-12T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn tokens_that_ran_out_are_forgotten_and_few_are_kept() {
    let mut world = one("1000");
    world.engine = world.engine.with_client_tokens_max(2);
    let kept = |world: &World| {
        let account = accounts::get(world.engine.db(), "a").unwrap().unwrap();
        client_tokens::count(world.engine.db(), account.row).unwrap()
    };
    world.command("2026-03-02", "vm", &renew_with("t-1"));
    world.command("2026-03-02T00:01:00", "vm", &renew_with("t-2"));
    let balance = world.balance("a");
    let error = world.engine.command(at("2026-03-02T00:01:10"), None, "vm", &renew_with("t-3")).unwrap_err();
    assert!(matches!(error, EngineError::ClientTokens { most: 2, .. }), "{error}");
    assert!(error.to_string().contains("raise `limits.client_tokens_per_account_max`"), "{error}");
    assert_eq!(world.command("2026-03-02T00:01:20", "vm", &renew_with("t-2")), None, "it is known");
    assert_eq!((world.balance("a"), kept(&world)), (balance, 2));
    // Each counts for a hundred seconds after it came last, and to the last of them.
    world.engine.delete_old_records(at("2026-03-02T00:01:40")).unwrap();
    assert_eq!(kept(&world), 2);
    world.engine.delete_old_records(at("2026-03-02T00:01:41")).unwrap();
    assert_eq!(kept(&world), 1);
    assert_eq!(world.command("2026-03-02T00:01:42", "vm", &renew_with("t-3")), None);
    assert_eq!(
        world.command("2026-03-02T00:01:43", "other", &renew_with("t-3")).as_deref(),
        Some("mismatch")
    );
    world.engine.delete_old_records(at("2026-03-03")).unwrap();
    assert_eq!(kept(&world), 0);
}
