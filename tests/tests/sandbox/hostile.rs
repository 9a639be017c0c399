//! Promise 6: what a plugin does wrong about one bundle is that bundle's error. Its neighbours in the batch are answered.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::expect;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Stage;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::PackageIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Alert;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_domain::usage::Offer;
use perennial_sandbox::Limits;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;
use perennial_tests::guests;

use crate::world;
use crate::world::LIMITS;
use crate::world::NOW;

type Timelines = Vec<Result<Vec<Occurrence>, PluginError>>;

fn hostile() -> std::sync::Arc<Plugin> {
    // An answer as long as may be by default would use up the fuel before it was too long.
    let limits = Limits { answer_max_bytes: 1 << 20, ..LIMITS };
    world::plugin("hostile", guests::HOSTILE, limits)
}

fn timelines(plugin: &Plugin, bundles: &[Bundle]) -> Timelines {
    let account = world::account();
    let outlooks = bundles
        .iter()
        .map(|bundle| TimelineRequest { after: NOW, account: AccountIndex::new(0), bundle })
        .collect::<Vec<_>>();
    plugin.timelines(&[&account], &outlooks)
}

/// A bundle over which wrong is done stands among twelve over which none is: its answer, once theirs are as they should
/// be.
fn among_neighbours(plugin: &Plugin, does: &str) -> Result<Vec<Occurrence>, PluginError> {
    let mut bundles = (0..12).map(|place| world::bundle(&format!("good-{place}"), "")).collect::<Vec<_>>();
    bundles.insert(7, world::bundle("bad", does));
    let mut answers = timelines(plugin, &bundles);
    let answer = answers.remove(7);
    assert_eq!(answers.len(), 12, "{does}");
    for neighbour in answers {
        let released = Occurrence {
            at: NOW + 1_000,
            member: MemberIndex::new(0),
            action: Action::Enter(Stage::Released),
        };
        assert_eq!(neighbour.as_deref(), Ok([released].as_slice()), "{does}");
    }
    answer
}

#[test]
fn wrong_done_about_a_bundle_is_its_own_error() {
    let plugin = hostile();
    let ways = [
        "loop", "memory", "stack", "trap", "string", "lists", "few", "many", "uneven", "wordless", "repeat",
        "endless", "unending", "past", "disorder", "outside", "notice", "back",
    ];
    let mut table = String::new();
    for does in ways {
        let error = among_neighbours(&plugin, does).unwrap_err();
        table += &format!("{does}: {error}\n");
    }
    expect![[r#"
        loop: plugin `hostile` used up its 20100000 units of fuel in `timeline`: a rule that does not end, or is far too slow; tell its author
        memory: plugin `hostile` wanted more than 33554432 bytes of memory in `timeline`; tell its author
        stack: plugin `hostile` used up its 524288 bytes of stack in `timeline`: a rule that calls itself; tell its author
        trap: plugin `hostile` crashed in `timeline`: panicked at tests/guests/hostile/src/lib.rs:294:19: as asked (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        string: plugin `hostile` answered `timeline` with more than 1048576 bytes; tell its author
        lists: plugin `hostile` answered `timeline` with more than 1048576 bytes; tell its author
        few: plugin `hostile` gave 0 answers in `timeline` where the number due was 1; tell its author
        many: plugin `hostile` gave 2 answers in `timeline` where the number due was 1; tell its author
        uneven: plugin `hostile` answered `timeline` with nonsense: its counts ask for 2 more of its `occurrences`, of which 1 are left; tell its author
        wordless: plugin `hostile` answered `timeline` with nonsense: it has a word 4294967295 of 2; tell its author
        repeat: plugin `hostile` answered `timeline` with more than 1048576 bytes; tell its author
        endless: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` has 600 occurrences; at most 128 are accepted; tell its author
        unending: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` leaves `bad` without a final stage, or goes on after it; tell its author
        past: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` names 2027-01-15T08:00:00Z, which is not after 2027-01-15T08:00:00Z; tell its author
        disorder: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` is out of order at 2027-01-15T08:00:01Z; tell its author
        outside: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` names member 7 of 1; tell its author
        notice: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` has an occurrence that does not fit `bad`: notice 3 of 0; tell its author
        back: plugin `hostile` answered `timeline` with nonsense: the timeline of `bad` leaves `bad` without a final stage, or goes on after it; tell its author
    "#]].assert_eq(&table);
}

#[test]
fn every_wrong_at_once_leaves_a_full_batch_its_answers() {
    let plugin = hostile();
    // Not `many` beside `few`: together they give as many answers as there are questions.
    let ways = [
        "loop", "memory", "stack", "trap", "string", "few", "uneven", "repeat", "endless", "past", "outside",
    ];
    let does = |place: usize| if place % 29 == 3 { ways[place / 29 % ways.len()] } else { "" };
    let bundles = (0..600).map(|place| world::bundle(&format!("b{place}"), does(place))).collect::<Vec<_>>();
    let answers = timelines(&plugin, &bundles);
    assert_eq!(answers.len(), 600);
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_ok(), does(place).is_empty(), "{place}: {answer:?}");
    }
}

/// What the plugin written by hand answers about a bundle that is asked about so many seconds later, between two others that
/// are answered as they should be.
fn by_hand(seconds: i64) -> String {
    let plugin = world::plugin("tables", guests::TABLES, LIMITS);
    let mut bundles = [world::bundle("a", ""), world::bundle("b", ""), world::bundle("c", "")];
    for bundle in &mut bundles {
        // Nothing happens to a postpaid resource, so that the guest's empty answer is right.
        bundle.members[0].charging = Charging::Postpaid;
    }
    let account = world::account();
    let outlooks = [(0, 0), (1, seconds), (2, 0)].map(|(place, later)| TimelineRequest {
        after: NOW + later,
        account: AccountIndex::new(0),
        bundle: &bundles[place],
    });
    let answers = plugin.timelines(&[&account], &outlooks);
    assert_eq!([&answers[0], &answers[2]], [&Ok(Vec::new()), &Ok(Vec::new())]);
    answers[1].as_ref().unwrap_err().to_string()
}

#[test]
fn a_table_that_grows_without_end_is_its_bundles_own_error() {
    expect!["plugin `tables` wanted more than 10000 table elements in `timeline`; tell its author"]
        .assert_eq(&by_hand(1));
}

#[test]
fn a_list_that_is_not_in_memory_is_its_bundles_own_error() {
    for seconds in [2, 4] {
        expect!["plugin `tables` crashed in `timeline`: list pointer/length out of bounds of memory; report the input of the call to its author"]
            .assert_eq(&by_hand(seconds));
    }
}

#[test]
fn wrong_done_about_a_command_is_its_own_error() {
    let plugin = hostile();
    let account = world::account();
    let mut table = String::new();
    let command = Command::Renew(Renewal { term: None, cause: Cause::Auto, options: BTreeMap::new() });
    let ways = [
        "loop", "memory", "stack", "trap", "few", "uneven", "wordless", "spare", "past", "no-time",
        "outside", "refusal",
    ];
    for does in ways {
        let bundles = [world::bundle("good", ""), world::bundle("bad", does), world::bundle("good", "")];
        let questions = bundles.each_ref().map(|bundle| PlanRequest {
            at: NOW,
            account: AccountIndex::new(0),
            command: &command,
            member: MemberIndex::new(0),
            bundle,
            orders: &[],
        });
        let answers = plugin.make_plans(&[&account], &questions);
        for neighbour in [&answers[0], &answers[2]] {
            let plan = neighbour.as_ref().map(|answer| &answer.plan);
            assert!(plan.is_ok_and(|plan| plan.as_ref().is_ok_and(|plan| plan.steps.is_empty())));
        }
        let answer = match answers[1].as_ref().map(|answer| &answer.plan) {
            Ok(Ok(plan)) => format!("{plan:?}"),
            Ok(Err(refusal)) => format!("an answer: {} {}", refusal.code, refusal.message),
            Err(error) => error.to_string(),
        };
        table += &format!("{does}: {answer}\n");
    }
    expect![[r#"
        loop: plugin `hostile` used up its 20100000 units of fuel in `make-plans`: a rule that does not end, or is far too slow; tell its author
        memory: plugin `hostile` wanted more than 33554432 bytes of memory in `make-plans`; tell its author
        stack: plugin `hostile` used up its 524288 bytes of stack in `make-plans`: a rule that calls itself; tell its author
        trap: plugin `hostile` crashed in `make-plans`: panicked at tests/guests/hostile/src/lib.rs:294:19: as asked (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        few: plugin `hostile` gave 0 answers in `make-plans` where the number due was 1; tell its author
        uneven: plugin `hostile` answered `make-plans` with nonsense: its counts ask for 1 more of its `steps`, of which 0 are left; tell its author
        wordless: plugin `hostile` answered `make-plans` with nonsense: it has a word 4294967295 of 2; tell its author
        spare: plugin `hostile` answered `make-plans` with nonsense: its counts leave 1 of its `skipped` over; tell its author
        past: plugin `hostile` answered `make-plans` with nonsense: the plan for `bad` does not fit `bad`: its expiry would move from 2027-01-15T08:16:40Z back to 2027-01-15T08:00:00Z; tell its author
        no-time: plugin `hostile` answered `make-plans` with nonsense: the instant 1101311627776 lies outside the years 1 to 9999; tell its author
        outside: plugin `hostile` answered `make-plans` with nonsense: the plan for `bad` names member 7 of 1; tell its author
        refusal: an answer: No not this one
    "#]].assert_eq(&table);
}

#[test]
fn wrong_done_about_a_use_is_its_own_error() {
    let plugin = hostile();
    let account = world::account();
    let consumption = |resource_type: &str| Consumption {
        at: NOW,
        resource_type: resource_type.to_owned(),
        amount: Micros::new(5),
        packages: vec![Offer {
            id: "package".to_owned(),
            package: Package {
                quota: Micros::new(9),
                used: Micros::new(2),
                unit: "hour".to_owned(),
                resource_type: resource_type.to_owned(),
                bought_at: NOW - 1,
            },
            starts_at: NOW - 1,
            expires_at: NOW + 1,
        }],
    };
    let mut table = String::new();
    for does in ["loop", "memory", "stack", "trap", "few", "uneven", "greedy", "outside"] {
        let uses = [consumption("honest"), consumption(does), consumption("honest")];
        let asked = uses.each_ref().map(|consumption| (AccountIndex::new(0), consumption));
        let answers = plugin.allocate(&[&account], &asked);
        let all = Allocation { package: PackageIndex::new(0), amount: Micros::new(5), alert: Alert::None };
        assert_eq!([&answers[0], &answers[2]], [&Ok(vec![all]), &Ok(vec![all])]);
        table += &format!("{does}: {}\n", answers[1].as_ref().unwrap_err());
    }
    expect![[r#"
        loop: plugin `hostile` used up its 20200000 units of fuel in `allocate`: a rule that does not end, or is far too slow; tell its author
        memory: plugin `hostile` wanted more than 33554432 bytes of memory in `allocate`; tell its author
        stack: plugin `hostile` used up its 524288 bytes of stack in `allocate`: a rule that calls itself; tell its author
        trap: plugin `hostile` crashed in `allocate`: panicked at tests/guests/hostile/src/lib.rs:294:19: as asked (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        few: plugin `hostile` gave 0 answers in `allocate` where the number due was 1; tell its author
        uneven: plugin `hostile` answered `allocate` with nonsense: its counts ask for 2 more of its `allocations`, of which 1 are left; tell its author
        greedy: plugin `hostile` answered `allocate` with nonsense: the allocation of `greedy` takes 9223372036854.775807 from `package`, which has 0.000007; tell its author
        outside: plugin `hostile` answered `allocate` with nonsense: the allocation of `outside` names package 7 of 1, or names it twice; tell its author
    "#]].assert_eq(&table);
}

#[test]
fn wrong_done_about_settings_is_an_error() {
    let plugin = hostile();
    let settings = |does: &str| BTreeMap::from([("does".to_owned(), does.to_owned())]);
    assert_eq!(plugin.check_settings(&settings("nothing")), Ok(vec!["does=nothing".to_owned()]));
    let mut table = String::new();
    for does in ["loop", "memory", "stack", "trap", "lists"] {
        table += &format!("{does}: {}\n", plugin.check_settings(&settings(does)).unwrap_err());
    }
    expect![[r#"
        loop: plugin `hostile` used up its 20100000 units of fuel in `check-settings`: a rule that does not end, or is far too slow; tell its author
        memory: plugin `hostile` wanted more than 33554432 bytes of memory in `check-settings`; tell its author
        stack: plugin `hostile` used up its 524288 bytes of stack in `check-settings`: a rule that calls itself; tell its author
        trap: plugin `hostile` crashed in `check-settings`: panicked at tests/guests/hostile/src/lib.rs:294:19: as asked (wasm trap: wasm `unreachable` instruction executed); report the input of the call to its author
        lists: plugin `hostile` answered `check-settings` with more than 1048576 bytes; tell its author
    "#]].assert_eq(&table);
}

#[test]
fn time_stops_what_fuel_would_let_go_on() {
    let limits = Limits { fuel: u64::MAX / 2, time_max: Duration::from_millis(20), ..LIMITS };
    let plugin = world::plugin("hostile", guests::HOSTILE, limits);
    let error = timelines(&plugin, &[world::bundle("bad", "loop")]).remove(0).unwrap_err();
    expect!["plugin `hostile` was stopped after 20ms in `timeline`; if the machine is not overloaded, tell its author"].assert_eq(&error.to_string());
}

#[test]
fn a_plugin_that_fails_over_everything_fails_soon() {
    // Without an end to it, a hundred thousand endless loops would take the better part of an hour.
    let limits = Limits { failing_fuel_max: 1_000_000_000, ..LIMITS };
    let plugin = world::plugin("hostile", guests::HOSTILE, limits);
    let bundle = world::bundle("bad", "loop");
    let account = world::account();
    let outlooks =
        vec![TimelineRequest { after: NOW, account: AccountIndex::new(0), bundle: &bundle }; 100_000];
    let answers = plugin.timelines(&[&account], &outlooks);
    assert_eq!(answers.len(), 100_000);
    // Those about which nobody was asked alone any more failed together.
    let is_spent = |error: &PluginError| matches!(error, PluginError::OutOfFuel { .. });
    let ends_spent = |answer: &&Result<Vec<Occurrence>, PluginError>| match answer {
        Err(PluginError::Together(cause)) => is_spent(cause),
        Err(alone) => is_spent(alone),
        Ok(_) => false,
    };
    let other = answers.iter().find(|answer| !ends_spent(answer));
    assert_eq!(other, None, "each ends for want of fuel");
}

#[test]
fn a_rule_is_told_only_what_it_reads() {
    let answers = timelines(&hostile(), &[world::bundle("curious", "echo")]);
    let first = &answers[0].as_ref().unwrap()[0];
    // A rule of time has no use for the id, and is not told it.
    let all = "id= kind=thing does=echo region=far-away";
    let told = Action::SetAttribute("told".to_owned(), all.to_owned());
    assert_eq!(first.action, told);
}

#[test]
fn a_question_is_answered_alike_alone_and_among_others() {
    let plugin = hostile();
    let bundles = (0..700)
        .map(|place| world::bundle(&format!("b{place}"), if place % 5 == 0 { "echo" } else { "" }))
        .collect::<Vec<_>>();
    let together = timelines(&plugin, &bundles);
    for (place, bundle) in bundles.iter().enumerate().step_by(41) {
        assert_eq!(timelines(&plugin, std::slice::from_ref(bundle))[0], together[place]);
    }
}
