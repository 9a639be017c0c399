//! What a terminal shows, word by word, and how every event is worded.

use expect_test::Expect;
use expect_test::expect;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;

use crate::report::Style;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::months;
use crate::report::sample;
use crate::report::sample::amount;
use crate::report::sample::instant;
use crate::report::sample::month;
use crate::report::table;
use perennial_formats::event_text::words;
use perennial_formats::time_zone::TimeZone;
use perennial_picture::Detail;
use perennial_picture::History;
use perennial_picture::history::Frame;

const PLAIN: Style = Style::PLAIN;

/// One event of every sort, in an order in which they could come.
fn events() -> Vec<Event> {
    let renewed = |cause, primary: Option<&str>, extra_days| EventKind::RenewalSettled {
        cost: amount("1299.00"),
        expires_before: instant("2026-02-28T15:59:59Z"),
        expires_at: instant("2026-03-31T15:59:59Z"),
        term: month(),
        extra_days,
        cause,
        primary: primary.map(str::to_owned),
        attempt: "ecs-1/2026-02-28T15:59:59Z/1month".to_owned(),
    };
    let later = instant("2026-02-22T19:00:00Z");
    let unsubscribed = |scope, refunds: Vec<(String, Micros)>| EventKind::Unsubscribed {
        scope,
        expires_at: None,
        refund: amount("41.30"),
        original_order: refunds.first().map(|(order, _)| order.clone()),
        refunds,
    };
    let order = |id: &str| (id.to_owned(), amount("20.65"));
    let entered = |from, to| EventKind::StageChanged { from, to };
    let balance = |by: &str, reason| EventKind::BalanceChanged {
        amount: amount(by),
        balance: amount("501.00"),
        reason,
    };
    let all = [
        (Some("ecs-1"), balance("501.00", Reason::Opening)),
        (Some("ecs-1"), EventKind::Notice { notice: "expires_soon".to_owned() }),
        (
            Some("ecs-1"),
            EventKind::RenewalDeclined {
                code: "CBC.99003162".to_owned(),
                message: "insufficient balance".to_owned(),
                class: DeclineClass::Money,
                next_try_at: Some(later),
            },
        ),
        (
            Some("evs-1"),
            EventKind::RenewalDeclined {
                code: "CBC.0001".to_owned(),
                message: "not this one".to_owned(),
                class: DeclineClass::Rule,
                next_try_at: None,
            },
        ),
        (None, balance("1500.00", Reason::TopUp)),
        (Some("ecs-1"), renewed(Cause::Auto, None, 0)),
        (Some("ecs-1"), balance("-1299.00", Reason::Renewal)),
        (Some("evs-1"), renewed(Cause::Command, Some("ecs-1"), 10)),
        (
            Some("rds-1"),
            EventKind::RenewalInDoubt { attempt: "rds-1/x/1month".to_owned(), code: "CBC.0999".to_owned() },
        ),
        (
            Some("rds-1"),
            EventKind::CommandRefused {
                command: "convert_on_expiry".to_owned(),
                code: "CBC.99003610".to_owned(),
                message: "it is in grace".to_owned(),
            },
        ),
        (
            Some("rds-1"),
            EventKind::SettingChanged { setting: "renewals_left".to_owned(), value: Some("3".to_owned()) },
        ),
        (Some("rds-1"), EventKind::SettingChanged { setting: "renewals_left".to_owned(), value: None }),
        (Some("ecs-1"), entered(Stage::Active, Stage::Grace)),
        (Some("ecs-1"), entered(Stage::Grace, Stage::Active)),
        (Some("evs-1"), entered(Stage::Grace, Stage::Retention)),
        (Some("evs-1"), entered(Stage::Retention, Stage::Released)),
        (Some("ecs-1"), unsubscribed(Scope::Future, vec![order("CS-1"), order("CS-2")])),
        (Some("ecs-1"), balance("41.30", Reason::Refund)),
        (Some("ecs-1"), unsubscribed(Scope::All, vec![order("CS-1")])),
        (Some("ecs-1"), entered(Stage::Active, Stage::Unsubscribed)),
        (Some("rds-1"), EventKind::Converted),
        (Some("rds-1"), entered(Stage::Active, Stage::Converted)),
        (Some("pkg-1"), EventKind::PackageOrdered { pay_at: later, effective_at: later + 86_400 }),
        (
            Some("pkg-2"),
            EventKind::PackageBought {
                effective_at: later,
                expires_at: instant("2026-08-22T19:00:00Z"),
                quota: amount("300"),
                cost: amount("260"),
                like: "pkg-1".to_owned(),
            },
        ),
        (Some("pkg-2"), balance("-260.00", Reason::Purchase)),
        (Some("pkg-1"), EventKind::PackageUsed { amount: amount("12.5"), left: amount("87.5") }),
        (Some("pkg-1"), EventKind::PackageLow { left: amount("20") }),
        (Some("pkg-1"), EventKind::PackageDepleted { left: Micros::ZERO }),
        (Some("pkg-1"), EventKind::PackageRefilled { left: amount("300") }),
        (None, EventKind::UsageUncovered { amount: amount("4.5"), resource_type: "cci".to_owned() }),
        (
            Some("pkg-1"),
            EventKind::PluginFailed {
                message: "plugin `huawei` used all of its fuel".to_owned(),
                next_try_at: Some(later),
            },
        ),
        (None, EventKind::HostResumed { down_since: instant("2026-02-20T06:00:00Z") }),
    ];
    let at = instant("2026-02-21T19:00:00Z");
    let minutes = (0..).map(|nth| at + nth * 60);
    let event = |(at, (resource, what)): (_, (Option<&str>, _))| Event {
        at,
        resource: resource.map(str::to_owned),
        what,
    };
    minutes.zip(all).map(event).collect()
}

fn history() -> History {
    let expires_at = instant("2026-02-28T15:59:59Z");
    let ecs = sample::resource("ecs-1", "ecs", expires_at, "1299.00");
    let mut evs = sample::resource("evs-1", "evs", expires_at, "24.50");
    evs.attached_to = Some(MemberIndex::new(0));
    let alone =
        |id: &str, kind: &str| Bundle { members: vec![sample::resource(id, kind, expires_at, "1.00")] };
    let bundles = [Bundle { members: vec![ecs, evs] }, alone("rds-1", "rds"), alone("pkg-1", "package")];
    let frame = Frame {
        from: instant("2026-02-01T00:00:00Z"),
        until: instant("2026-04-01T00:00:00Z"),
        detail: Detail::Totals,
        tracks_max: 5_000,
        drawn: None,
    };
    let mut history = History::new(
        frame,
        &[sample::account("acme", "huawei", "501.00")],
        bundles.iter().map(|bundle| ("acme", bundle)),
        [&sample::manifest()],
    );
    for event in events() {
        history.record("acme", &event);
    }
    history
}

fn check(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>, expected: Expect) {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    expected.assert_eq(&String::from_utf8(out).unwrap());
}

#[test]
fn every_event_has_its_words() {
    let told = events().iter().map(|event| words(event) + "\n").collect::<String>();
    expect![[r#"
        opening: balance +501.00 to 501.00
        notice: expires soon
        renewal declined (money): CBC.99003162 insufficient balance; next try 2026-02-22 19:00 UTC
        renewal declined (rule): CBC.0001 not this one; not tried again
        top-up: balance +1,500.00 to 501.00
        renewed automatically for 1 month at 1,299.00, from 2026-02-28 15:59 UTC to 2026-03-31 15:59 UTC
        renewal: balance -1,299.00 to 501.00
        renewed by command along with ecs-1 for 1 month and 10 days at 1,299.00, from 2026-02-28 15:59 UTC to 2026-03-31 15:59 UTC
        renewal in doubt (CBC.0999): no reply proves whether it was done, so the host only queries it; attempt rds-1/x/1month
        command convert on expiry refused: CBC.99003610 it is in grace
        renewals left is now 3
        renewals left is now unset
        expired, still serving: grace begins (was active)
        active again (was grace)
        stopped, its data kept: retention begins (was grace)
        released, with whatever it held (was retention)
        periods not yet begun unsubscribed, 41.30 refunded of 2 orders, the oldest CS-1
        refund: balance +41.30 to 501.00
        unsubscribed, 41.30 refunded of order CS-1
        unsubscribed (was active)
        converted to pay-per-use
        converted to pay-per-use (was active)
        package ordered, to be paid 2026-02-22 19:00 UTC and in effect from 2026-02-23 19:00 UTC
        package of 300.00 bought like pkg-1 for 260.00, in effect from 2026-02-22 19:00 UTC until 2026-08-22 19:00 UTC
        purchase: balance -260.00 to 501.00
        12.50 used, 87.50 left
        package low, 20.00 left
        package depleted, 0.00 left
        package refilled, 300.00 left
        4.50 of cci used that no package covers
        plugin failed: plugin `huawei` used all of its fuel; asked again 2026-02-22 19:00 UTC
        host running again, down since 2026-02-20 06:00 UTC
    "#]].assert_eq(&told);
}

#[test]
fn the_table_has_a_row_for_every_resource() {
    check(
        |out| table::write(&history(), ListFormat::Table, PLAIN, out),
        expect![[r#"
            acme  Huawei Cloud, CNY
              opening 501.00   topped up 1,500.00   paid 1,559.00   refunded 41.30   closing 501.00
              5 resources: 2 active, 1 released, 1 unsubscribed, 1 converted
              2 renewals, 2 declines, 1 refused command

              resource  kind     stage         expires               renewals      paid  declines  problem
              ecs-1     ecs      unsubscribed  -                            1  1,299.00         1
              └ evs-1   evs      released      -                            1  1,299.00         1
              rds-1     rds      converted     -                            -         -         -
              pkg-1     package  active        2026-02-28 15:59 UTC         -         -         -  plugin failed
              pkg-2     package  active        2026-08-22 19:00 UTC         -    260.00         -
        "#]],
    );
}

#[test]
fn months_tell_what_happened_also_when_nothing_did() {
    check(
        |out| months::write(&history(), PLAIN, out),
        expect![[r#"
        February 2026
          acme  paid 1,559.00, refunded 41.30, topped up 1,500.00; balance 501.00 CNY
            1 renewal, 1 renewal by command, 2 declines, 1 renewal in doubt, 1 refused command, 1 plugin failure, 1 in grace, 1 in retention, 1 release, 1 revival, 2 unsubscriptions, 1 conversion to pay-per-use, 2 package purchases, 1 package refill, 1 package low, 1 package depleted, 1 uncovered use, 1 host outage, 1 top-up, 1 notice, 2 setting changes, 1 package use
            21 Feb  ecs-1: renewal declined (money): CBC.99003162 insufficient balance; next try 2026-02-22 19:00 UTC
            21 Feb  evs-1: renewal declined (rule): CBC.0001 not this one; not tried again
            21 Feb  top-up: balance +1,500.00 to 501.00 CNY
            21 Feb  evs-1: renewed by command along with ecs-1 for 1 month and 10 days at 1,299.00 CNY, from 2026-02-28 15:59 UTC to 2026-03-31 15:59 UTC
            21 Feb  rds-1: renewal in doubt (CBC.0999): no reply proves whether it was done, so the host only queries it; attempt rds-1/x/1month
            21 Feb  rds-1: command convert on expiry refused: CBC.99003610 it is in grace
            21 Feb  ecs-1: expired, still serving: grace begins (was active)
            21 Feb  ecs-1: active again (was grace)
            21 Feb  evs-1: stopped, its data kept: retention begins (was grace)
            21 Feb  evs-1: released, with whatever it held (was retention)
            21 Feb  ecs-1: periods not yet begun unsubscribed, 41.30 CNY refunded of 2 orders, the oldest CS-1
            21 Feb  rds-1: converted to pay-per-use
            21 Feb  pkg-1: package ordered, to be paid 2026-02-22 19:00 UTC and in effect from 2026-02-23 19:00 UTC
            21 Feb  pkg-2: package of 300.00 bought like pkg-1 for 260.00 CNY, in effect from 2026-02-22 19:00 UTC until 2026-08-22 19:00 UTC
            21 Feb  pkg-1: package low, 20.00 left
            21 Feb  pkg-1: package depleted, 0.00 left
            21 Feb  pkg-1: package refilled, 300.00 left
            21 Feb  4.50 of cci used that no package covers
            21 Feb  pkg-1: plugin failed: plugin `huawei` used all of its fuel; asked again 2026-02-22 19:00 UTC
            21 Feb  host running again, down since 2026-02-20 06:00 UTC

        March 2026
          acme  paid 0.00; balance 501.00 CNY
            nothing happened
    "#]],
    );
}

#[test]
fn colours_change_nothing_but_colours() {
    let (mut plain, mut painted) = (Vec::new(), Vec::new());
    table::write(&history(), ListFormat::Table, PLAIN, &mut plain).unwrap();
    table::write(&history(), ListFormat::Table, Style { colours: true, width: None }, &mut painted).unwrap();
    let painted = String::from_utf8(painted).unwrap();
    assert!(painted.contains("\u{1b}["));
    let mut stripped = String::new();
    for (nth, part) in painted.split('\u{1b}').enumerate() {
        stripped.push_str(if nth == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, String::from_utf8(plain).unwrap());
}

#[test]
fn an_id_cannot_steer_the_terminal() {
    const COLUMNS: [Column; 1] = [Column::new("id", "id")];
    let cells = vec![Cell::new("\u{1b}[2Jgone\u{202e}")];
    let listing = Listing { columns: &COLUMNS, rows: vec![Row { zone: TimeZone::UTC, cells }] };
    let mut out = Vec::new();
    listing.write(ListFormat::Table, "", PLAIN, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "id\n\u{fffd}[2Jgone\u{fffd}\n");
}

#[test]
fn a_plugin_that_answers_again_is_no_problem_any_more() {
    let table = |history: &History| {
        let mut out = Vec::new();
        table::write(history, ListFormat::Table, PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut history = history();
    assert!(table(&history).contains("plugin failed"));
    let what = EventKind::StageChanged { from: Stage::Active, to: Stage::Grace };
    let at = instant("2026-02-28T15:59:59Z");
    history.record("acme", &Event { at, resource: Some("pkg-1".to_owned()), what });
    assert!(!table(&history).contains("plugin failed"));
}

#[test]
fn giving_back_what_has_not_begun_leaves_the_period_under_way() {
    let mut sample = sample::year();
    let expires_at = |sample: &sample::Sample| {
        let history = sample.history(Detail::Picture, 5_000);
        let mut lanes = history.accounts[0].tracks.iter();
        lanes.find(|lane| lane.id == "rds-6").unwrap().expires_at.unwrap()
    };
    let before = expires_at(&sample);
    let at = before - 36 * 86_400;
    let what = EventKind::Unsubscribed {
        scope: Scope::Future,
        expires_at: Some(before - 30 * 86_400),
        refund: amount("62.00"),
        original_order: None,
        refunds: Vec::new(),
    };
    sample.events.push(("acme-hw".to_owned(), Event { at, resource: Some("rds-6".to_owned()), what }));
    assert_eq!(expires_at(&sample), before - 30 * 86_400);
}
