//! Imports: what the first tick does to them, on whatever clock, and what a newer inventory changes.

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::expect;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::inventory_diff::GivenFields;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock::LastActive;
use perennial_engine::clock::tick;
use perennial_engine::import_report::ImportReport;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::start::check_clock;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::ImportedBundle;
use perennial_formats::inventory::Inventory;
use perennial_store::bundles;
use perennial_store::clock;
use perennial_store::clock::ClockKind;
use perennial_store::integrity;
use perennial_store::testing;
use perennial_test_support::world::DAY;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::event_line;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::renewing;

/// An inventory of these bundles of the account `a`, with every field given.
fn document(bundles: Vec<Vec<Resource>>, update: bool) -> Document {
    let given = GivenFields::new(|_| true);
    let given = bundles.iter().flatten().map(|member| (member.id.clone(), given)).collect();
    let bundle = |members| ImportedBundle { account: "a".to_owned(), bundle: Bundle { members } };
    let bundles = bundles.into_iter().map(bundle).collect();
    let options = ImportOptions { update, ..ImportOptions::default() };
    Document { inventory: Inventory { accounts: Vec::new(), bundles }, given, options }
}

fn event_lines<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> String {
    events.into_iter().map(event_line).collect()
}

/// What a tick of the real clock at `now` tells.
fn tick_at(world: &mut World, now: Timestamp) -> String {
    let mut lines = String::new();
    let observe = &mut |recorded: &RecordedEvent| lines.push_str(&event_line(recorded));
    tick(&mut world.engine, now, LastActive::default(), observe).unwrap();
    lines
}

/// What an import did, a line for each thing.
fn shown(report: &ImportReport) -> String {
    let mut shown = String::new();
    for resource in &report.resources {
        writeln!(shown, "+ {}", resource.resource).unwrap();
    }
    let text = |value: &Option<String>| value.clone().unwrap_or("none".to_owned());
    for change in &report.changes {
        let (about, change) = (change.resource.as_deref().unwrap_or("account"), &change.change);
        writeln!(shown, "~ {about} {} {} to {}", change.field, text(&change.from), text(&change.to)).unwrap();
    }
    for kept in &report.kept {
        let (about, field) = (kept.resource.as_deref().unwrap_or("account"), &kept.field);
        writeln!(shown, "! {about} {} stays {}: {}", field.field, text(&field.here), field.reason).unwrap();
    }
    for missing in &report.missing {
        writeln!(shown, "- {}", missing.resource).unwrap();
    }
    shown
}

/// Everything that an import may meet, of an account with 100.00, imported on 11 March at noon.
fn mixed() -> Vec<Vec<Resource>> {
    let disk = |id: &str, expires_at: &str| Resource {
        attached_to: Some(MemberIndex::PRIMARY),
        ..lapsing(id, expires_at)
    };
    vec![
        vec![renewing("missed", "2026-03-10"), disk("missed-disk", "2026-03-10")],
        vec![renewing("gone", "2026-03-01")],
        vec![lapsing("lapsed", "2026-03-10")],
        vec![Resource { stage: Stage::Grace, ..renewing("in-grace", "2026-03-10") }],
        vec![renewing("soon", "2026-03-12")],
        vec![renewing("later", "2026-05-10")],
        vec![renewing("unpaid-1", "2026-03-11"), disk("unpaid-disk", "2026-03-11")],
    ]
}

#[test]
fn what_an_import_says_of_the_first_tick_is_the_first_real_tick() {
    let now = at("2026-03-11T12:00:00");
    // The first tick ever; one after another; and one after an outage.
    for before in [None, Some(now - 10), Some(now - 3 * DAY)] {
        // In either order of the inventory.
        for (balance, is_reversed) in
            [("100", false), ("45", false), ("0", false), ("30", true), ("60", true)]
        {
            let mut bundles = mixed();
            if is_reversed {
                bundles.reverse();
            }
            let mut world = World::account("2026-03-01", balance, vec![vec![renewing("old", "2026-04-20")]]);
            if let Some(before) = before {
                tick_at(&mut world, before);
            }
            let document = document(bundles, false);
            let untouched = testing::events(world.engine.db());
            let report = world.engine.preview_import(now, &document).unwrap();
            assert_eq!(testing::events(world.engine.db()), untouched, "a look writes nothing");
            let met = || report.expired.iter().chain(&report.due);
            let said = met().flat_map(|resource| {
                resource.events.iter().map(|event| {
                    event_line(&RecordedEvent { account: Some("a".into()), event: event.clone() })
                })
            });
            let mut said = said.collect::<Vec<_>>();
            world.engine.import_document(now, &document, "cli").unwrap();
            let ticked = tick_at(&mut world, now);
            let imported =
                |line: &&str| !line.contains(" a/old ") && line.contains(" a/") && !line.contains(" a/- ");
            let mut events =
                ticked.split_inclusive('\n').filter(imported).map(str::to_owned).collect::<Vec<_>>();
            said.sort();
            events.sort();
            assert_eq!(said, events, "{before:?} {balance} {is_reversed}");
            assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
        }
    }
}

#[test]
fn an_order_that_an_update_overtook_is_not_paid() {
    let options = BTreeMap::from([("later".to_owned(), "yes".to_owned())]);
    let later = Command::Renew(Renewal { term: None, cause: Cause::Command, options });
    let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-10")]]);
    world.command("2026-03-02", "vm", &later);
    // Renewed elsewhere.
    let newer = document(vec![vec![lapsing("vm", "2026-04-09")]], true);
    world.engine.import_document(at("2026-03-03"), &newer, "cli").unwrap();
    let pay = Command::PayOrder("vm/2026-03-10T00:00:00Z/30day".to_owned());
    assert_eq!(world.command("2026-03-04", "vm", &pay).as_deref(), Some("order_changed"));
    assert_eq!(world.balance("a"), money("100"));
}

#[test]
fn each_expired_resource_is_shown_with_what_it_meets() {
    let mut world = World::account("2026-03-01", "60", vec![]);
    let report = world.engine.preview_import(at("2026-03-11T12:00:00"), &document(mixed(), false)).unwrap();
    let mut lines = format!("{} soon\n", report.renewing_soon);
    for expired in report.expired.iter().chain(&report.due) {
        let losing = if expired.loses_stage() { ", loses" } else { "" };
        writeln!(lines, "{}{losing}", expired.named.resource).unwrap();
        for event in &expired.events {
            let event = RecordedEvent { account: Some("a".into()), event: event.clone() };
            write!(lines, "  {}", event_line(&event)).unwrap();
        }
    }
    expect![[r#"
        2 soon
        missed
          2026-03-11T11:59:59Z a/missed balance_changed amount=-60.00
          2026-03-11T11:59:59Z a/missed renewal_settled expires_at=2026-04-09T00:00:00Z
        missed-disk
          2026-03-11T11:59:59Z a/missed-disk renewal_settled expires_at=2026-04-09T00:00:00Z
        gone, loses
          2026-03-01T00:00:00Z a/gone stage_changed to=grace
          2026-03-04T00:00:00Z a/gone stage_changed to=released
        lapsed, loses
          2026-03-10T00:00:00Z a/lapsed stage_changed to=grace
        in-grace
        unpaid-1, loses
          2026-03-11T11:59:59Z a/unpaid-1 renewal_declined code=money class=money next_try_at=none
          2026-03-11T00:00:00Z a/unpaid-1 stage_changed to=grace
        unpaid-disk, loses
          2026-03-11T00:00:00Z a/unpaid-disk stage_changed to=grace
        soon
          2026-03-11T11:59:59Z a/soon renewal_declined code=money class=money next_try_at=none
    "#]]
    .assert_eq(&lines);
}

#[test]
fn what_is_paid_and_was_said_to_be_in_grace_loses_nothing() {
    let paid = Resource { stage: Stage::Grace, ..renewing("vm", "2026-04-20") };
    let mut world = World::account("2026-03-01", "0", vec![]);
    let now = at("2026-03-11T12:00:00");
    let document = document(vec![vec![paid]], false);
    let report = world.engine.preview_import(now, &document).unwrap();
    assert_eq!(report.losing().count(), 0);
    world.engine.import_document(now, &document, "cli").unwrap();
    tick_at(&mut world, now);
    assert_eq!(world.resource("vm").stage, Stage::Active);
}

#[test]
fn what_waits_for_a_clock_starts_where_the_clock_is() {
    // The importing machine's clock was ahead by a year, right, and behind by a year.
    for imported in ["2027-03-07", "2026-03-07", "2025-03-07"] {
        let mut world = World::account("2026-03-01", "100", vec![]);
        world
            .engine
            .import_document(at(imported), &document(vec![vec![renewing("vm", "2026-03-10")]], false), "cli")
            .unwrap();
        let mut lines = tick_at(&mut world, at("2026-03-07"));
        lines += &tick_at(&mut world, at("2026-03-08"));
        assert!(lines.contains("a/vm renewal_settled expires_at=2026-04-09"), "{imported}: {lines}");
    }
}

#[test]
fn a_try_of_some_seconds_ago_is_made_at_the_first_tick() {
    for (first_tick, tried_at) in
        [("2026-03-08T00:00:05", "2026-03-08T00:00:04Z"), ("2026-03-08T00:01:01", "2026-03-09T00:00:00Z")]
    {
        // The importing machine's clock was ahead by a year.
        let mut world = World::account("2026-03-01", "100", vec![]);
        world
            .engine
            .import_document(
                at("2027-03-07"),
                &document(vec![vec![renewing("vm", "2026-03-10")]], false),
                "cli",
            )
            .unwrap();
        let mut lines = tick_at(&mut world, at(first_tick));
        lines += &tick_at(&mut world, at("2026-03-09"));
        let settled = format!("{tried_at} a/vm renewal_settled expires_at=2026-04-09");
        assert!(lines.contains(&settled), "{first_tick}: {lines}");
    }
}

#[test]
fn what_is_taken_in_after_its_last_try_is_tried_at_once() {
    let disk = Resource { attached_to: Some(MemberIndex::PRIMARY), ..lapsing("disk", "2026-03-10") };
    let bundles = vec![
        vec![renewing("vm", "2026-03-10"), disk],
        vec![Resource { started_at: at("2026-03-09T06:00:00"), ..renewing("new", "2026-03-10") }],
        vec![renewing("next-try", "2026-03-11")],
        vec![lapsing("lapses", "2026-03-10")],
    ];
    let mut world = World::account("2026-03-01", "1000", vec![]);
    world.engine.import_document(at("2027-03-07"), &document(bundles, false), "cli").unwrap();
    expect![[r#"
        2026-03-09T11:59:59Z a/vm balance_changed amount=-60.00
        2026-03-09T11:59:59Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-09T11:59:59Z a/disk renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&tick_at(&mut world, at("2026-03-09T12:00:00")));
    // Without money there is one try, and no other until the expiry.
    let mut world = World::account("2026-03-01", "10", vec![]);
    world
        .engine
        .import_document(at("2027-03-07"), &document(vec![vec![renewing("vm", "2026-03-10")]], false), "cli")
        .unwrap();
    expect![[r#"
        2026-03-09T11:59:59Z a/vm renewal_declined code=money class=money next_try_at=none
    "#]]
    .assert_eq(&tick_at(&mut world, at("2026-03-09T12:00:00")));
    assert!(!tick_at(&mut world, at("2026-03-09T23:59:59")).contains("a/vm"));
}

#[test]
fn what_a_plugin_fails_at_first_is_made_up_for_once_it_answers() {
    let bundles = vec![
        // After the last try.
        vec![renewing("late", "2026-03-10")],
        // Expired, and not yet at its end.
        vec![renewing("missed", "2026-03-08")],
        // Gone before it was imported.
        vec![renewing("gone", "2026-03-01")],
    ];
    let now = at("2026-03-09T12:00:00");
    let ticked = |fails: bool| {
        let mut world = World::account("2026-03-01", "1000", vec![]);
        world.engine.import_document(now, &document(bundles.clone(), false), "cli").unwrap();
        world.down(fails);
        let mut lines = tick_at(&mut world, now);
        world.down(false);
        lines += &tick_at(&mut world, now + 3_000);
        let settled = lines.lines().filter(|line| line.contains("settled") || line.contains("stage"));
        settled.map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect::<String>()
    };
    let well = ticked(false);
    expect![[r#"
        a/late renewal_settled expires_at=2026-04-09T00:00:00Z
        a/missed renewal_settled expires_at=2026-04-07T00:00:00Z
        a/gone stage_changed to=grace
        a/gone stage_changed to=released
    "#]]
    .assert_eq(&well);
    assert_eq!(ticked(true), well);
}

#[test]
fn an_update_is_made_up_for_whether_or_not_the_resource_was_touched() {
    for (file, now) in [
        (renewing("vm", "2026-03-08"), "2026-03-10T12:00:00"),
        (renewing("vm", "2026-03-10"), "2026-03-09T12:00:00"),
        (renewing("vm", "2026-03-11"), "2026-03-10T12:00:00"),
    ] {
        let mut ticked = Vec::new();
        for is_touched in [false, true] {
            let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-07")]]);
            world.run_to("2026-03-09T06:00:00");
            if is_touched {
                world.engine.set_attribute(at("2026-03-09T07:00:00"), "vm", "colour", "red").unwrap();
            }
            let newer = document(vec![vec![file.clone()]], true);
            world.engine.import_document(at(now), &newer, "cli").unwrap();
            ticked.push(tick_at(&mut world, at(now)));
        }
        assert!(ticked[0].contains("a/vm renewal_settled"), "{}", ticked[0]);
        assert_eq!(ticked[0], ticked[1]);
    }
}

#[test]
fn an_update_is_made_up_for_once_its_plugin_answers() {
    for (file, now) in [("2026-03-10", "2026-03-09T12:00:00"), ("2026-03-11", "2026-03-10T12:00:00")] {
        let ticked = |fails: bool| {
            let mut world = World::account("2026-03-01", "100", vec![vec![lapsing("vm", "2026-03-07")]]);
            world.run_to("2026-03-09T06:00:00");
            let newer = document(vec![vec![renewing("vm", file)]], true);
            world.engine.import_document(at(now), &newer, "cli").unwrap();
            world.down(fails);
            let mut lines = tick_at(&mut world, at(now));
            assert!(!fails || !lines.contains("settled"), "{lines}");
            // It fails again before it answers.
            lines += &tick_at(&mut world, at(now) + 120);
            world.down(false);
            lines += &tick_at(&mut world, at(now) + 3_000);
            let settled = lines.lines().filter(|line| line.contains("settled") || line.contains("stage"));
            settled.map(|line| format!("{}\n", line.split_once(' ').unwrap().1)).collect::<String>()
        };
        let well = ticked(false);
        assert!(well.contains("a/vm renewal_settled"), "{well}");
        assert_eq!(ticked(true), well);
    }
}

#[test]
fn what_is_paid_for_is_active_whatever_stage_a_file_says() {
    for stage in [Stage::Grace, Stage::Retention] {
        let mut world = World::account("2026-03-01", "100", vec![]);
        let bundles = vec![vec![Resource { stage, ..renewing("vm", "2026-03-10") }]];
        world.engine.import_document(at("2026-03-01"), &document(bundles, false), "cli").unwrap();
        assert_eq!(
            tick_at(&mut world, at("2026-03-01T12:00:00")),
            "2026-03-01T11:59:59Z a/vm stage_changed to=active\n"
        );
        assert!(tick_at(&mut world, at("2026-03-08")).contains("a/vm renewal_settled"));
    }
}

#[test]
fn a_clock_that_was_set_back_still_does_what_is_due() {
    let mut world = World::account("2026-03-01", "100", vec![]);
    tick_at(&mut world, at("2027-03-07"));
    world
        .engine
        .import_document(at("2027-03-07"), &document(vec![vec![renewing("vm", "2026-03-10")]], false), "cli")
        .unwrap();
    tick_at(&mut world, at("2026-03-07"));
    let lines = tick_at(&mut world, at("2026-03-08"));
    assert!(lines.contains("a/vm renewal_settled expires_at=2026-04-09"), "{lines}");
    let ticked_at = clock::ticked_at(world.engine.db()).unwrap();
    assert_eq!(ticked_at, Some(at("2027-03-07")), "the clock of a database never goes back");
}

#[test]
fn a_clock_of_the_other_kind_or_in_the_past_is_refused() {
    let mut lines = String::new();
    for (lives_on, ticked_at) in [
        (ClockKind::Real, None),
        (ClockKind::Real, Some("2026-03-07")),
        (ClockKind::Virtual, Some("2026-03-07")),
    ] {
        let mut world = World::account("2026-03-01", "100", vec![]);
        world.engine = world.engine.with_clock(lives_on);
        if let Some(ticked_at) = ticked_at {
            world.run_to(ticked_at);
        }
        for kind in [ClockKind::Real, ClockKind::Virtual] {
            for now in ["2026-03-06", "2026-03-07", "2026-03-08"] {
                let answer = match check_clock(world.engine.db(), kind, at(now)) {
                    Ok(()) => "fine".to_owned(),
                    Err(error) => error.to_string(),
                };
                let ticked_at =
                    ticked_at.map_or("never ticked".to_owned(), |at| format!("{lives_on:?} until {at}"));
                writeln!(lines, "{ticked_at}, {kind:?} at {now}: {answer}").unwrap();
            }
        }
    }
    expect![[r#"
        never ticked, Real at 2026-03-06: fine
        never ticked, Real at 2026-03-07: fine
        never ticked, Real at 2026-03-08: fine
        never ticked, Virtual at 2026-03-06: fine
        never ticked, Virtual at 2026-03-07: fine
        never ticked, Virtual at 2026-03-08: fine
        Real until 2026-03-07, Real at 2026-03-06: fine
        Real until 2026-03-07, Real at 2026-03-07: fine
        Real until 2026-03-07, Real at 2026-03-08: fine
        Real until 2026-03-07, Virtual at 2026-03-06: the database lives on real time, where everything until 2026-03-07T00:00:00Z is done, and `--virtual-clock` says 2026-03-06T00:00:00Z: leave that out, or name another database with `--db`
        Real until 2026-03-07, Virtual at 2026-03-07: the database lives on real time, where everything until 2026-03-07T00:00:00Z is done, and `--virtual-clock` says 2026-03-07T00:00:00Z: leave that out, or name another database with `--db`
        Real until 2026-03-07, Virtual at 2026-03-08: the database lives on real time, where everything until 2026-03-07T00:00:00Z is done, and `--virtual-clock` says 2026-03-08T00:00:00Z: leave that out, or name another database with `--db`
        Virtual until 2026-03-07, Real at 2026-03-06: the database lives on virtual time, where it is 2026-03-07T00:00:01Z, and real time is 2026-03-06T00:00:00Z: serve it with `--virtual-clock`, or name another database with `--db`
        Virtual until 2026-03-07, Real at 2026-03-07: the database lives on virtual time, where it is 2026-03-07T00:00:01Z, and real time is 2026-03-07T00:00:00Z: serve it with `--virtual-clock`, or name another database with `--db`
        Virtual until 2026-03-07, Real at 2026-03-08: the database lives on virtual time, where it is 2026-03-07T00:00:01Z, and real time is 2026-03-08T00:00:00Z: serve it with `--virtual-clock`, or name another database with `--db`
        Virtual until 2026-03-07, Virtual at 2026-03-06: the database has passed 2026-03-06T00:00:00Z: it is 2026-03-07T00:00:01Z there; go on from that with `--virtual-clock` and no instant, or name another database with `--db`
        Virtual until 2026-03-07, Virtual at 2026-03-07: the database has passed 2026-03-07T00:00:00Z: it is 2026-03-07T00:00:01Z there; go on from that with `--virtual-clock` and no instant, or name another database with `--db`
        Virtual until 2026-03-07, Virtual at 2026-03-08: fine
    "#]].assert_eq(&lines);
}

#[test]
fn an_update_changes_what_it_may_adds_what_is_new_and_deletes_nothing() {
    let mut world = World::account(
        "2026-03-01",
        "100",
        vec![
            vec![renewing("vm", "2026-03-10")],
            vec![lapsing("elsewhere", "2026-03-09")],
            vec![lapsing("missing", "2026-05-01")],
        ],
    );
    // Renewed here, and renewed elsewhere after it had expired here.
    world.run_to("2026-03-10");
    assert_eq!(world.resource("elsewhere").stage, Stage::Grace);
    world.event_lines();
    let disk = Resource { attached_to: Some(MemberIndex::PRIMARY), ..renewing("disk", "2026-03-20") };
    let newer = document(
        vec![
            vec![Resource { price: Some(money("35")), ..renewing("vm", "2026-03-10") }, disk],
            vec![Resource {
                tags: [("env".to_owned(), "prod".to_owned())].into(),
                ..lapsing("elsewhere", "2026-04-08")
            }],
            vec![renewing("new", "2026-03-30")],
        ],
        true,
    );
    let now = at("2026-03-10T01:00:00");
    let looked = world.engine.preview_import(now, &newer).unwrap();
    let (done, events) = world.engine.import_document(now, &newer, "cli").unwrap();
    assert_eq!(shown(&looked), shown(&done));
    expect![[r#"
        + disk
        + new
        ~ vm price 30.00 to 35.00
        ~ elsewhere stage grace to active
        ~ elsewhere expires_at 2026-03-09T00:00:00Z to 2026-04-08T00:00:00Z
        ~ elsewhere tags.env none to prod
        ! vm expires_at stays 2026-04-09T00:00:00Z: an import moves no expiry back: it may have been renewed here since
        - missing
        2026-03-10T01:00:00Z a/vm setting_changed setting=price value=35.00
        2026-03-10T01:00:00Z a/elsewhere stage_changed to=active
        2026-03-10T01:00:00Z a/elsewhere setting_changed setting=expires_at value=2026-04-08T00:00:00Z
        2026-03-10T01:00:00Z a/elsewhere setting_changed setting=tags.env value=prod
    "#]]
    .assert_eq(&(shown(&done) + &event_lines(&events)));
    let (stored, member) = bundles::find_by_resource(world.engine.db(), "disk").unwrap().unwrap();
    assert_eq!((stored.bundle.primary().id.as_str(), member), ("vm", MemberIndex::new(1)));
    assert_eq!(world.resource("elsewhere").stage, Stage::Active);
    world.run_to("2026-04-30");
    let lines = world.event_lines();
    assert!(lines.contains("a/vm renewal_settled expires_at=2026-05-09"), "{lines}");
    assert!(lines.contains("a/elsewhere stage_changed to=grace") && lines.contains("2026-04-08"), "{lines}");
    assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
    // The same again changes nothing.
    let again = world.engine.preview_import(at("2026-04-30"), &document(vec![], true)).unwrap();
    assert!(!again.changes_something());
}

#[test]
fn an_update_of_an_account_changes_settings_and_never_money() {
    let mut world = World::account("2026-03-01", "100", vec![]);
    let account = Account {
        id: "a".to_owned(),
        provider: "toy".to_owned(),
        mode: Mode::Managed,
        currency: "EUR".to_owned(),
        balance: Balance::new(money("500"), Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: Some(money("50")),
        budget: None,
    };
    let mut newer = document(vec![], true);
    newer.inventory.accounts.push(account);
    let (done, events) = world.engine.import_document(at("2026-03-02"), &newer, "cli").unwrap();
    expect![[r#"
        ~ account approval_above none to 50.00
        ! account currency stays CNY: an import does not change it
        ! account balance stays 100.00: a balance is changed by top-ups
        2026-03-02T00:00:00Z a/- setting_changed setting=approval_above value=50.00
    "#]]
    .assert_eq(&(shown(&done) + &event_lines(&events)));
    let stored = perennial_store::accounts::get(world.engine.db(), "a").unwrap().unwrap().account;
    assert_eq!(stored.balance.available(), money("100"));
    let again = world.engine.preview_import(at("2026-03-03"), &newer).unwrap();
    assert!(!again.changes_something(), "{}", shown(&again));
}
