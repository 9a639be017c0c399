//! The order in which a simulation tells what happens, and what becomes of what people do meanwhile.

use expect_test::expect;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use proptest::prelude::*;

use perennial_engine::persist::RecordedEvent;
use perennial_engine::simulation::run_scenario;
use perennial_formats::scenario::ScenarioAction;
use perennial_formats::scenario::ScenarioEntry;
use perennial_test_support::world::DAY;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::event_line;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::package;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;

fn simulate(world: &mut World, scenario: &[ScenarioEntry], until: &str) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    run_scenario(&mut world.engine, scenario, at("2026-03-01"), at(until), &mut |recorded| {
        events.push(recorded)
    })
    .unwrap();
    events
}

fn event_lines(events: &[RecordedEvent]) -> String {
    events.iter().map(event_line).collect()
}

fn entry(text: &str, what: ScenarioAction) -> ScenarioEntry {
    ScenarioEntry { at: at(text), action: what }
}

fn top_up(text: &str, amount: &str) -> ScenarioEntry {
    entry(text, ScenarioAction::TopUp { account: "a".to_owned(), amount: money(amount) })
}

fn command(text: &str, resource: &str) -> ScenarioEntry {
    entry(text, ScenarioAction::Command { account: None, resource: resource.to_owned(), command: renew() })
}

#[test]
fn what_people_do_at_an_instant_comes_before_what_the_clock_does_then() {
    let mut world = World::account("2026-03-01", "0", vec![vec![renewing("vm", "2026-03-10")]]);
    let events = simulate(&mut world, &[top_up("2026-03-08", "30")], "2026-03-08");
    expect![[r#"
        2026-03-08T00:00:00Z a/- balance_changed amount=30.00
        2026-03-08T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&event_lines(&events));
}

#[test]
fn what_lies_outside_the_simulation_is_passed_over() {
    let mut world = World::account("2026-03-01", "0", vec![vec![lapsing("vm", "2026-03-10")]]);
    let scenario = [
        top_up("2026-02-28T23:59:59", "1"),
        top_up("2026-03-01", "2"),
        top_up("2026-03-02", "4"),
        top_up("2026-03-02T00:00:01", "8"),
    ];
    simulate(&mut world, &scenario, "2026-03-02");
    assert_eq!(world.balance("a"), money("6"));
}

#[test]
fn during_an_outage_commands_are_lost_and_the_world_goes_on() {
    let bundles = vec![
        vec![renewing("vm", "2026-03-10")],
        vec![lapsing("other", "2026-03-10")],
        vec![package("pkg", "2026-04-01")],
    ];
    let mut world = World::account("2026-03-01", "0", bundles);
    let used =
        ScenarioAction::Use { account: "a".to_owned(), resource_type: "cpu".to_owned(), amount: money("1") };
    let set = |value: &str| ScenarioAction::SetAttribute {
        resource: "vm".to_owned(),
        name: "colour".to_owned(),
        value: value.to_owned(),
    };
    let scenario = [
        entry("2026-03-05", ScenarioAction::Outage { until: at("2026-03-20") }),
        entry("2026-03-06", ScenarioAction::Outage { until: at("2026-05-20") }),
        command("2026-03-06", "other"),
        top_up("2026-03-07", "100"),
        entry("2026-03-08", used),
        entry("2026-03-09", set("blue")),
        entry("2026-03-21", set("red")),
    ];
    let events = simulate(&mut world, &scenario, "2026-03-25");
    expect![[r#"
        2026-03-10T00:00:00Z a/other stage_changed to=grace
        2026-03-13T00:00:00Z a/other stage_changed to=released
        2026-03-20T00:00:00Z a/- balance_changed amount=100.00
        2026-03-20T00:00:00Z a/- host_resumed down_since=2026-03-05T00:00:00Z
        2026-03-20T00:00:00Z a/pkg package_used amount=1.00 left=99.00
        2026-03-20T00:00:00Z a/vm setting_changed setting=colour value=blue
        2026-03-20T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-20T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-21T00:00:00Z a/vm setting_changed setting=colour value=red
    "#]]
    .assert_eq(&event_lines(&events));
}

#[test]
fn an_outage_that_outlasts_the_simulation_leaves_what_came_after_undone() {
    let mut world = World::account("2026-03-01", "0", vec![vec![lapsing("vm", "2026-03-10")]]);
    let scenario = [entry("2026-03-05", ScenarioAction::Outage { until: at("2026-03-20") })];
    assert_eq!(event_lines(&simulate(&mut world, &scenario, "2026-03-15")), "");
}

#[test]
fn a_command_that_cannot_be_planned_changes_nothing_and_does_not_stop_it() {
    let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-10")]]);
    world.down(true);
    let scenario = [command("2026-03-05", "vm")];
    let events = simulate(&mut world, &scenario, "2026-03-06");
    let is_failure = |line: String| line.contains("plugin_failed") || line.contains("bundle_parked");
    assert!(events.iter().all(|recorded| is_failure(event_line(recorded))));
    assert_eq!(world.balance("a"), money("100"));
}

#[derive(Clone, Debug)]
struct Plot {
    bundles: Vec<(usize, i64, bool)>,
    scenario: Vec<(i64, usize)>,
}

fn plots() -> impl Strategy<Value = Plot> {
    let bundles = prop::collection::vec((0..2_usize, 0..40 * DAY, any::<bool>()), 1..8);
    let scenario = prop::collection::vec((0..60 * DAY, 0..8_usize), 0..8);
    (bundles, scenario).prop_map(|(bundles, scenario)| Plot { bundles, scenario })
}

fn play_plot(plot: &Plot) -> Vec<RecordedEvent> {
    let resource = |number: usize, expires_in: i64, renews: bool| Resource {
        expires_at: Some(at("2026-03-01") + expires_in - 10 * DAY),
        on_expiry: if renews { OnExpiry::Renew } else { OnExpiry::Lapse },
        ..lapsing(&format!("vm-{number}"), "2026-03-10")
    };
    let bundles_of = |account: usize| {
        let own = plot.bundles.iter().enumerate().filter(move |(_, (owner, ..))| *owner == account);
        own.map(|(number, (_, expires_in, renews))| vec![resource(number, *expires_in, *renews)])
            .collect::<Vec<_>>()
    };
    let mut world = World::of("2026-03-01", &[("b", "90", bundles_of(0)), ("a", "90", bundles_of(1))]);
    let mut scenario = plot.scenario.clone();
    scenario.sort_unstable();
    let act = |(after, number): &(i64, usize)| ScenarioEntry {
        at: at("2026-03-01") + *after,
        action: match number % 4 {
            0 => ScenarioAction::TopUp { account: "a".to_owned(), amount: money("30") },
            1 => ScenarioAction::Outage { until: at("2026-03-01") + *after + 5 * DAY },
            _ => {
                ScenarioAction::Command { account: None, resource: format!("vm-{number}"), command: renew() }
            }
        },
    };
    let scenario = scenario.iter().map(act).collect::<Vec<_>>();
    simulate(&mut world, &scenario, "2026-05-10")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_are_ordered_by_time_account_resource_except_after_an_outage(plot in plots()) {
        let key = |recorded: &RecordedEvent| {
            (recorded.event.at, recorded.account.clone(), recorded.event.resource.clone())
        };
        let events = play_plot(&plot);
        let resumed = |recorded: &RecordedEvent| event_line(recorded).contains("host_resumed");
        if !events.iter().any(resumed) {
            prop_assert!(events.is_sorted_by_key(key), "{}", event_lines(&events));
        }
        prop_assert_eq!(events, play_plot(&plot));
    }
}
