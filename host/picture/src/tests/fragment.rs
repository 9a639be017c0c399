//! Parts of pages: what happened, the present and what lies ahead, in both languages, with nothing inline.

use std::collections::BTreeSet;

use expect_test::Expect;
use expect_test::expect;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::plan::Cause;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::language::Language;
use perennial_formats::occurrence::Upcoming;
use perennial_formats::occurrence::UpcomingAction;

use crate::account::BalanceChange;
use crate::html::fragment;
use crate::html::fragment::BalancePicture;
use crate::html::fragment::BundlePicture;
use crate::html::fragment::Fragment;
use crate::html::fragment::Lane;
use crate::html::fragment::Reader;
use crate::sample;
use crate::sample::amount;
use crate::sample::instant;
use crate::sample::month;

const NOW: &str = "2026-03-20T00:00:00Z";

fn reader(zone: &str, language: Language) -> Reader {
    Reader { now: instant(NOW), zone: zone.parse().unwrap(), language }
}

fn lane(id: &str, branches: &[bool], events: Vec<(&str, EventKind)>) -> Lane {
    let mut resource = sample::resource(id, "ecs", instant("2026-03-31T15:59:59Z"), "99.00");
    resource.started_at = instant("2026-01-31T15:59:59Z");
    let events = events.into_iter();
    let event =
        |(at, what): (&str, EventKind)| Event { at: instant(at), resource: Some(id.to_owned()), what };
    Lane {
        kind: "Elastic Cloud Server".to_owned(),
        address: format!("/resources/{id}"),
        is_shown_there: branches.is_empty(),
        branches: branches.to_vec(),
        events: events.map(event).collect(),
        resource,
    }
}

/// A server whose renewal was declined, and renewed after it had expired, and a disk of which nothing is known.
fn lanes_of(id: &str, reader: Reader) -> Fragment {
    let declined = EventKind::RenewalDeclined {
        code: "CBC.99003162".to_owned(),
        message: "insufficient balance".to_owned(),
        class: DeclineClass::Money,
        next_try_at: None,
    };
    let renewed = EventKind::RenewalSettled {
        cost: amount("99.00"),
        expires_before: instant("2026-02-28T15:59:59Z"),
        expires_at: instant("2026-03-31T15:59:59Z"),
        term: month(),
        extra_days: 0,
        cause: Cause::Command,
        primary: None,
        attempt: format!("{id}/2026-02-28T15:59:59Z/1month"),
    };
    let changed = |from, to| EventKind::StageChanged { from, to };
    let server = lane(
        id,
        &[],
        vec![
            ("2026-02-28T03:00:00Z", declined),
            ("2026-02-28T15:59:59Z", changed(Stage::Active, Stage::Grace)),
            ("2026-03-03T08:00:00Z", renewed),
            ("2026-03-03T08:00:00Z", changed(Stage::Grace, Stage::Active)),
        ],
    );
    let upcoming = |at: &str, action, text: &str| Upcoming {
        at: instant(at),
        resource: id.to_owned(),
        action,
        text: text.to_owned(),
    };
    let ahead = [
        upcoming("2026-03-24T16:00:00Z", UpcomingAction::Notice, "its owner is told: a week is left"),
        upcoming("2026-03-30T03:00:00Z", UpcomingAction::TryRenewal, "its renewal is tried"),
        upcoming("2026-03-30T11:00:00Z", UpcomingAction::TryRenewal, "its renewal is tried"),
        upcoming("2026-03-31T15:59:59Z", UpcomingAction::Enter(Stage::Grace), "grace begins"),
        upcoming("2026-04-15T15:59:59Z", UpcomingAction::Enter(Stage::Retention), "retention begins"),
        upcoming("2026-04-30T15:59:59Z", UpcomingAction::Enter(Stage::Released), "it is released"),
    ];
    let outages = BTreeSet::from([(instant("2026-03-05T00:00:00Z"), instant("2026-03-07T00:00:00Z"))]);
    let lanes = [server, lane("evs-1", &[true], Vec::new())];
    let picture =
        BundlePicture { lanes: &lanes, ahead: &ahead, outages: &outages, account: "acme", currency: "CNY" };
    fragment::lanes(&picture, reader)
}

fn balance(is_ahead: bool, reader: Reader) -> Fragment {
    let change = |at: &str, by: &str, balance: &str, reason| BalanceChange {
        at: instant(at),
        amount: amount(by),
        balance: amount(balance),
        reason,
    };
    let (from, until, changes) = if is_ahead {
        let payment = change("2026-03-30T03:00:00Z", "-99.00", "-19.00", Some(Reason::Renewal));
        (instant(NOW), instant("2026-06-01T00:00:00Z"), vec![payment])
    } else {
        let changes = vec![
            change("2026-02-28T00:00:00Z", "-99.00", "1.00", None),
            change("2026-03-03T00:00:00Z", "79.00", "80.00", None),
        ];
        (instant("2026-01-31T00:00:00Z"), instant(NOW), changes)
    };
    let opening = if is_ahead { "80.00" } else { "100.00" };
    let from = (from, amount(opening));
    let picture = BalancePicture { account: "acme", currency: "CNY", from, changes: &changes, until };
    fragment::balance(&picture, reader)
}

/// A drawing without the shapes that its marks are made of.
fn check(fragment: &Fragment, expected: Expect) {
    let drawn = fragment
        .drawing
        .rsplit_once("</defs>\n</svg>\n")
        .map_or(fragment.drawing.as_str(), |(_, drawn)| drawn);
    expected.assert_eq(&format!("{drawn}{}", fragment.legend));
}

#[test]
fn lanes_are_drawn_with_past_present_and_what_lies_ahead() {
    check(
        &lanes_of("ecs-1", reader("UTC", Language::English)),
        expect![[r##"
            <div class="row axis">
            <div class="label"></div>
            <svg class="chart" height="46" role="img" aria-label="Time axis, 2026-01-31 – 2026-05-03">
            <line class="tick major" x1="6.887%" x2="6.887%" y1="14" y2="30"/><svg x="6.887%" overflow="visible"><text class="tick major" x="4" y="24">7 Feb</text></svg>
            <svg x="6.887%" overflow="visible"><text class="year" x="4" y="11">2026</text></svg>
            <line class="tick between" x1="14.498%" x2="14.498%" y1="14" y2="30"/><svg x="14.498%" overflow="visible"><text class="tick between" x="4" y="24">14 Feb</text></svg>
            <line class="tick" x1="22.109%" x2="22.109%" y1="14" y2="30"/><svg x="22.109%" overflow="visible"><text class="tick" x="4" y="24">21 Feb</text></svg>
            <line class="tick between" x1="29.721%" x2="29.721%" y1="14" y2="30"/><svg x="29.721%" overflow="visible"><text class="tick between" x="4" y="24">28 Feb</text></svg>
            <line class="tick major" x1="37.332%" x2="37.332%" y1="14" y2="30"/><svg x="37.332%" overflow="visible"><text class="tick major" x="4" y="24">7 Mar</text></svg>
            <line class="tick between" x1="44.944%" x2="44.944%" y1="14" y2="30"/><svg x="44.944%" overflow="visible"><text class="tick between" x="4" y="24">14 Mar</text></svg>
            <line class="tick" x1="52.555%" x2="52.555%" y1="14" y2="30"/><svg x="52.555%" overflow="visible"><text class="tick" x="4" y="24">21 Mar</text></svg>
            <line class="tick between" x1="60.167%" x2="60.167%" y1="14" y2="30"/><svg x="60.167%" overflow="visible"><text class="tick between" x="4" y="24">28 Mar</text></svg>
            <line class="tick major" x1="67.778%" x2="67.778%" y1="14" y2="30"/><svg x="67.778%" overflow="visible"><text class="tick major" x="4" y="24">4 Apr</text></svg>
            <line class="tick between" x1="75.39%" x2="75.39%" y1="14" y2="30"/><svg x="75.39%" overflow="visible"><text class="tick between" x="4" y="24">11 Apr</text></svg>
            <line class="tick" x1="83.001%" x2="83.001%" y1="14" y2="30"/><svg x="83.001%" overflow="visible"><text class="tick" x="4" y="24">18 Apr</text></svg>
            <line class="tick between" x1="90.613%" x2="90.613%" y1="14" y2="30"/><svg x="90.613%" overflow="visible"><text class="tick between" x="4" y="24">25 Apr</text></svg>
            <line class="tick major" x1="98.224%" x2="98.224%" y1="14" y2="30"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="32" y2="46"/><svg x="51.468%" overflow="visible"><text class="now" x="4" y="43" text-anchor="start">now</text></svg>
            </svg>
            <div class="ending"></div>
            </div>
            <div class="rows">
            <svg class="grid" aria-hidden="true">
            <rect class="outage-ground" x="35.158%" y="0" width="2.175%" height="100%"/>
            <line class="month major" x1="6.887%" x2="6.887%" y1="0" y2="100%"/>
            <line class="month" x1="14.498%" x2="14.498%" y1="0" y2="100%"/>
            <line class="month" x1="22.109%" x2="22.109%" y1="0" y2="100%"/>
            <line class="month" x1="29.721%" x2="29.721%" y1="0" y2="100%"/>
            <line class="month major" x1="37.332%" x2="37.332%" y1="0" y2="100%"/>
            <line class="month" x1="44.944%" x2="44.944%" y1="0" y2="100%"/>
            <line class="month" x1="52.555%" x2="52.555%" y1="0" y2="100%"/>
            <line class="month" x1="60.167%" x2="60.167%" y1="0" y2="100%"/>
            <line class="month major" x1="67.778%" x2="67.778%" y1="0" y2="100%"/>
            <line class="month" x1="75.39%" x2="75.39%" y1="0" y2="100%"/>
            <line class="month" x1="83.001%" x2="83.001%" y1="0" y2="100%"/>
            <line class="month" x1="90.613%" x2="90.613%" y1="0" y2="100%"/>
            <line class="month major" x1="98.224%" x2="98.224%" y1="0" y2="100%"/>
            </svg>
            <ul class="bundle" role="list">
            <li class="row lane" data-find="ecs-1 ecs elastic cloud server acme" data-stage="active" data-met="by-command declined grace revived" data-trouble aria-label="ecs-1, Elastic Cloud Server, active, expires 31 March 2026; 1 renewal, 1 decline">
            <div class="label"><a class="id" href="/resources/ecs-1" title="ecs-1" aria-current="page">ecs-1</a><span class="kind" title="Elastic Cloud Server cn-north-4">ecs</span></div>
            <svg class="chart" height="26" role="group" aria-label="ecs-1">
            <rect class="bar active" x="0%" y="10" width="30.446%" height="10"><title>ecs-1
            active from 2026-01-31 15:59 UTC to 2026-02-28 15:59 UTC</title></rect>
            <rect class="bar grace" x="30.446%" y="10" width="2.9%" height="10"><title>ecs-1
            grace from 2026-02-28 15:59 UTC to 2026-03-03 08:00 UTC</title></rect>
            <rect class="bar active" x="33.345%" y="10" width="18.123%" height="10"><title>ecs-1
            active from 2026-03-03 08:00 UTC to 2026-03-31 15:59 UTC</title></rect>
            <rect class="bar active ahead" x="51.468%" y="10" width="12.686%" height="10"><title>ecs-1
            active from 2026-03-03 08:00 UTC to 2026-03-31 15:59 UTC</title></rect>
            <rect class="bar grace ahead" x="64.154%" y="10" width="16.31%" height="10"><title>ecs-1
            grace from 2026-03-31 15:59 UTC to 2026-04-15 15:59 UTC</title></rect>
            <rect class="bar retention ahead" x="80.464%" y="10" width="16.31%" height="10"><title>ecs-1
            retention from 2026-04-15 15:59 UTC to 2026-04-30 15:59 UTC</title></rect>
            <line class="period" x1="30.446%" x2="30.446%" y1="10" y2="20"/>
            <rect class="outage" x="35.158%" y="0" width="2.175%" height="26"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="0" y2="26"/>
            <line class="expiry" x1="64.154%" x2="64.154%" y1="5" y2="25"><title>expires 2026-03-31 15:59 UTC</title></line>
            <svg class="cap ahead" x="96.774%" y="8" overflow="visible"><title>2026-04-30 15:59 UTC: released</title><rect x="0" y="0" width="12" height="14"/><text x="6" y="10.6">R</text></svg>
            <g class="mark declined"><title>2026-02-28 03:00 UTC: renewal declined (money): CBC.99003162 insufficient balance; not tried again</title><use href="#declined" x="29.857%" y="5.5"/></g>
            <g class="mark by-command"><title>2026-03-03 08:00 UTC: renewed by command for 1 month at 99.00 CNY, from 2026-02-28 15:59 UTC to 2026-03-31 15:59 UTC</title><use href="#by-command" x="33.345%" y="15"/></g>
            <g class="mark notice ahead"><title>2026-03-24 16:00 UTC: its owner is told: a week is left</title><use href="#notice" x="56.542%" y="23.2"/></g>
            <g class="mark try ahead" data-x="62.477 62.84" data-rest=""><title>2026-03-30 03:00 UTC: its renewal is tried
            2026-03-30 11:00 UTC: its renewal is tried</title><line class="span" x1="62.477%" x2="62.84%" y1="15" y2="15"/><svg x="62.84%" y="15" overflow="visible"><text class="count" x="6.5" y="3">2</text></svg><use href="#try" x="62.477%" y="15"/></g>
            </svg>
            <div class="ending"><span class="state">active</span><span class="paid">2026-03-31</span></div>
            </li>
            <li class="row lane" data-find="evs-1 ecs elastic cloud server acme" data-stage="active" data-met="" aria-label="evs-1, Elastic Cloud Server, active, expires 31 March 2026; 0 renewals, 0 declines">
            <div class="label"><i class="elbow"></i><a class="id" href="/resources/evs-1" title="evs-1">evs-1</a><span class="kind" title="Elastic Cloud Server cn-north-4">ecs</span></div>
            <svg class="chart" height="26" role="group" aria-label="evs-1">
            <rect class="bar active" x="0%" y="10" width="51.468%" height="10"><title>evs-1
            active from 2026-01-31 15:59 UTC on</title></rect>
            <rect class="bar active ahead" x="51.468%" y="10" width="48.532%" height="10"><title>evs-1
            active from 2026-01-31 15:59 UTC on</title></rect>
            <rect class="outage" x="35.158%" y="0" width="2.175%" height="26"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="0" y2="26"/>
            <line class="expiry" x1="64.154%" x2="64.154%" y1="5" y2="25"><title>expires 2026-03-31 15:59 UTC</title></line>
            </svg>
            <div class="ending"><span class="state">active</span><span class="paid">2026-03-31</span></div>
            </li>
            </ul>
            </div>
            <p>2026-01-31 15:59 UTC – 2026-05-03 15:11 UTC</p>
            <ul class="keys">
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar active" y="1" width="28" height="10"/></svg>active: paid for</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar grace" y="1" width="28" height="10"/></svg>grace: expired, still serving</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar retention" y="1" width="28" height="10"/></svg>retention: stopped, data kept</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar active ahead" y="1" width="28" height="10"/></svg>ahead, if nothing is done</li>
            <li><svg width="8" height="12" aria-hidden="true"><rect class="bar active" y="1" width="8" height="10"/><line class="period" x1="4" x2="4" y1="1" y2="11"/></svg>paid period begins</li>
            <li><svg width="8" height="14" aria-hidden="true"><line class="expiry" x1="4" x2="4" y1="0" y2="14"/></svg>paid until</li>
            <li><svg class="cap" width="12" height="14" aria-hidden="true"><rect width="12" height="14"/><text x="6" y="10.6">R</text></svg>released</li>
            <li><svg width="16" height="14" aria-hidden="true"><rect class="outage" width="16" height="14"/></svg>host down</li>
            <li data-marks="by-command"><svg width="14" height="14" aria-hidden="true"><g class="mark by-command"><use href="#by-command" x="7" y="7"/></g></svg>renewals by command <span class="tally">1</span></li>
            <li data-marks="declined"><svg width="14" height="14" aria-hidden="true"><g class="mark declined"><use href="#declined" x="7" y="7"/></g></svg>declines <span class="tally">1</span></li>
            <li data-marks="notice"><svg width="14" height="14" aria-hidden="true"><g class="mark notice"><use href="#notice" x="7" y="7"/></g></svg>notices <span class="tally">1</span></li>
            <li data-marks="try"><svg width="14" height="14" aria-hidden="true"><g class="mark try ahead"><use href="#try" x="7" y="7"/></g></svg>tries of a renewal <span class="tally">2</span></li>
            </ul>
        "##]],
    );
}

#[test]
fn lanes_are_drawn_in_chinese_and_in_the_days_of_the_zone() {
    check(
        &lanes_of("ecs-1", reader("Asia/Shanghai", Language::Chinese)),
        expect![[r##"
            <div class="row axis">
            <div class="label"></div>
            <svg class="chart" height="46" role="img" aria-label="时间轴，2026-01-31 – 2026-05-03">
            <line class="tick major" x1="6.524%" x2="6.524%" y1="14" y2="30"/><svg x="6.524%" overflow="visible"><text class="tick major" x="4" y="24">2月7日</text></svg>
            <svg x="6.524%" overflow="visible"><text class="year" x="4" y="11">2026</text></svg>
            <line class="tick between" x1="14.136%" x2="14.136%" y1="14" y2="30"/><svg x="14.136%" overflow="visible"><text class="tick between" x="4" y="24">2月14日</text></svg>
            <line class="tick" x1="21.747%" x2="21.747%" y1="14" y2="30"/><svg x="21.747%" overflow="visible"><text class="tick" x="4" y="24">2月21日</text></svg>
            <line class="tick between" x1="29.358%" x2="29.358%" y1="14" y2="30"/><svg x="29.358%" overflow="visible"><text class="tick between" x="4" y="24">2月28日</text></svg>
            <line class="tick major" x1="36.97%" x2="36.97%" y1="14" y2="30"/><svg x="36.97%" overflow="visible"><text class="tick major" x="4" y="24">3月7日</text></svg>
            <line class="tick between" x1="44.581%" x2="44.581%" y1="14" y2="30"/><svg x="44.581%" overflow="visible"><text class="tick between" x="4" y="24">3月14日</text></svg>
            <line class="tick" x1="52.193%" x2="52.193%" y1="14" y2="30"/><svg x="52.193%" overflow="visible"><text class="tick" x="4" y="24">3月21日</text></svg>
            <line class="tick between" x1="59.804%" x2="59.804%" y1="14" y2="30"/><svg x="59.804%" overflow="visible"><text class="tick between" x="4" y="24">3月28日</text></svg>
            <line class="tick major" x1="67.416%" x2="67.416%" y1="14" y2="30"/><svg x="67.416%" overflow="visible"><text class="tick major" x="4" y="24">4月4日</text></svg>
            <line class="tick between" x1="75.027%" x2="75.027%" y1="14" y2="30"/><svg x="75.027%" overflow="visible"><text class="tick between" x="4" y="24">4月11日</text></svg>
            <line class="tick" x1="82.639%" x2="82.639%" y1="14" y2="30"/><svg x="82.639%" overflow="visible"><text class="tick" x="4" y="24">4月18日</text></svg>
            <line class="tick between" x1="90.25%" x2="90.25%" y1="14" y2="30"/><svg x="90.25%" overflow="visible"><text class="tick between" x="4" y="24">4月25日</text></svg>
            <line class="tick major" x1="97.862%" x2="97.862%" y1="14" y2="30"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="32" y2="46"/><svg x="51.468%" overflow="visible"><text class="now" x="4" y="43" text-anchor="start">现在</text></svg>
            </svg>
            <div class="ending"></div>
            </div>
            <div class="rows">
            <svg class="grid" aria-hidden="true">
            <rect class="outage-ground" x="35.158%" y="0" width="2.175%" height="100%"/>
            <line class="month major" x1="6.524%" x2="6.524%" y1="0" y2="100%"/>
            <line class="month" x1="14.136%" x2="14.136%" y1="0" y2="100%"/>
            <line class="month" x1="21.747%" x2="21.747%" y1="0" y2="100%"/>
            <line class="month" x1="29.358%" x2="29.358%" y1="0" y2="100%"/>
            <line class="month major" x1="36.97%" x2="36.97%" y1="0" y2="100%"/>
            <line class="month" x1="44.581%" x2="44.581%" y1="0" y2="100%"/>
            <line class="month" x1="52.193%" x2="52.193%" y1="0" y2="100%"/>
            <line class="month" x1="59.804%" x2="59.804%" y1="0" y2="100%"/>
            <line class="month major" x1="67.416%" x2="67.416%" y1="0" y2="100%"/>
            <line class="month" x1="75.027%" x2="75.027%" y1="0" y2="100%"/>
            <line class="month" x1="82.639%" x2="82.639%" y1="0" y2="100%"/>
            <line class="month" x1="90.25%" x2="90.25%" y1="0" y2="100%"/>
            <line class="month major" x1="97.862%" x2="97.862%" y1="0" y2="100%"/>
            </svg>
            <ul class="bundle" role="list">
            <li class="row lane" data-find="ecs-1 ecs elastic cloud server acme" data-stage="active" data-met="by-command declined grace revived" data-trouble aria-label="ecs-1，Elastic Cloud Server，使用中，2026-03-31 到期；续费 1 次，续费失败 1 次">
            <div class="label"><a class="id" href="/resources/ecs-1" title="ecs-1" aria-current="page">ecs-1</a><span class="kind" title="Elastic Cloud Server cn-north-4">ecs</span></div>
            <svg class="chart" height="26" role="group" aria-label="ecs-1">
            <rect class="bar active" x="0%" y="10" width="30.446%" height="10"><title>ecs-1
            使用中，2026-01-31 23:59 +08:00 至 2026-02-28 23:59 +08:00</title></rect>
            <rect class="bar grace" x="30.446%" y="10" width="2.9%" height="10"><title>ecs-1
            宽限期，2026-02-28 23:59 +08:00 至 2026-03-03 16:00 +08:00</title></rect>
            <rect class="bar active" x="33.345%" y="10" width="18.123%" height="10"><title>ecs-1
            使用中，2026-03-03 16:00 +08:00 至 2026-03-31 23:59 +08:00</title></rect>
            <rect class="bar active ahead" x="51.468%" y="10" width="12.686%" height="10"><title>ecs-1
            使用中，2026-03-03 16:00 +08:00 至 2026-03-31 23:59 +08:00</title></rect>
            <rect class="bar grace ahead" x="64.154%" y="10" width="16.31%" height="10"><title>ecs-1
            宽限期，2026-03-31 23:59 +08:00 至 2026-04-15 23:59 +08:00</title></rect>
            <rect class="bar retention ahead" x="80.464%" y="10" width="16.31%" height="10"><title>ecs-1
            保留期，2026-04-15 23:59 +08:00 至 2026-04-30 23:59 +08:00</title></rect>
            <line class="period" x1="30.446%" x2="30.446%" y1="10" y2="20"/>
            <rect class="outage" x="35.158%" y="0" width="2.175%" height="26"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="0" y2="26"/>
            <line class="expiry" x1="64.154%" x2="64.154%" y1="5" y2="25"><title>2026-03-31 23:59 +08:00 到期</title></line>
            <svg class="cap ahead" x="96.774%" y="8" overflow="visible"><title>2026-04-30 23:59 +08:00: 已释放</title><rect x="0" y="0" width="12" height="14"/><text x="6" y="10.6">R</text></svg>
            <g class="mark declined"><title>2026-02-28 11:00 +08:00: 续费失败（余额不足）：CBC.99003162 insufficient balance；不再尝试</title><use href="#declined" x="29.857%" y="5.5"/></g>
            <g class="mark by-command"><title>2026-03-03 16:00 +08:00: 已按命令续费 1 个月，费用 99.00 CNY，到期时间由 2026-02-28 23:59 +08:00 延至 2026-03-31 23:59 +08:00</title><use href="#by-command" x="33.345%" y="15"/></g>
            <g class="mark notice ahead"><title>2026-03-25 00:00 +08:00: its owner is told: a week is left</title><use href="#notice" x="56.542%" y="23.2"/></g>
            <g class="mark try ahead" data-x="62.477 62.84" data-rest=""><title>2026-03-30 11:00 +08:00: its renewal is tried
            2026-03-30 19:00 +08:00: its renewal is tried</title><line class="span" x1="62.477%" x2="62.84%" y1="15" y2="15"/><svg x="62.84%" y="15" overflow="visible"><text class="count" x="6.5" y="3">2</text></svg><use href="#try" x="62.477%" y="15"/></g>
            </svg>
            <div class="ending"><span class="state">使用中</span><span class="paid">2026-03-31</span></div>
            </li>
            <li class="row lane" data-find="evs-1 ecs elastic cloud server acme" data-stage="active" data-met="" aria-label="evs-1，Elastic Cloud Server，使用中，2026-03-31 到期；续费 0 次，续费失败 0 次">
            <div class="label"><i class="elbow"></i><a class="id" href="/resources/evs-1" title="evs-1">evs-1</a><span class="kind" title="Elastic Cloud Server cn-north-4">ecs</span></div>
            <svg class="chart" height="26" role="group" aria-label="evs-1">
            <rect class="bar active" x="0%" y="10" width="51.468%" height="10"><title>evs-1
            使用中，自 2026-01-31 23:59 +08:00 起</title></rect>
            <rect class="bar active ahead" x="51.468%" y="10" width="48.532%" height="10"><title>evs-1
            使用中，自 2026-01-31 23:59 +08:00 起</title></rect>
            <rect class="outage" x="35.158%" y="0" width="2.175%" height="26"/>
            <line class="now" x1="51.468%" x2="51.468%" y1="0" y2="26"/>
            <line class="expiry" x1="64.154%" x2="64.154%" y1="5" y2="25"><title>2026-03-31 23:59 +08:00 到期</title></line>
            </svg>
            <div class="ending"><span class="state">使用中</span><span class="paid">2026-03-31</span></div>
            </li>
            </ul>
            </div>
            <p>2026-01-31 23:59 +08:00 – 2026-05-03 23:11 +08:00</p>
            <ul class="keys">
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar active" y="1" width="28" height="10"/></svg>使用中：已付费</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar grace" y="1" width="28" height="10"/></svg>宽限期：已到期，仍可用</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar retention" y="1" width="28" height="10"/></svg>保留期：已停机，保留数据</li>
            <li><svg width="28" height="12" aria-hidden="true"><rect class="bar active ahead" y="1" width="28" height="10"/></svg>未来（若不作处理）</li>
            <li><svg width="8" height="12" aria-hidden="true"><rect class="bar active" y="1" width="8" height="10"/><line class="period" x1="4" x2="4" y1="1" y2="11"/></svg>付费周期开始</li>
            <li><svg width="8" height="14" aria-hidden="true"><line class="expiry" x1="4" x2="4" y1="0" y2="14"/></svg>到期</li>
            <li><svg class="cap" width="12" height="14" aria-hidden="true"><rect width="12" height="14"/><text x="6" y="10.6">R</text></svg>已释放</li>
            <li><svg width="16" height="14" aria-hidden="true"><rect class="outage" width="16" height="14"/></svg>主机停机</li>
            <li data-marks="by-command"><svg width="14" height="14" aria-hidden="true"><g class="mark by-command"><use href="#by-command" x="7" y="7"/></g></svg>手动续费 <span class="tally">1</span></li>
            <li data-marks="declined"><svg width="14" height="14" aria-hidden="true"><g class="mark declined"><use href="#declined" x="7" y="7"/></g></svg>续费失败 <span class="tally">1</span></li>
            <li data-marks="notice"><svg width="14" height="14" aria-hidden="true"><g class="mark notice"><use href="#notice" x="7" y="7"/></g></svg>通知 <span class="tally">1</span></li>
            <li data-marks="try"><svg width="14" height="14" aria-hidden="true"><g class="mark try ahead"><use href="#try" x="7" y="7"/></g></svg>续费尝试 <span class="tally">2</span></li>
            </ul>
        "##]],
    );
}

#[test]
fn a_balance_is_drawn_up_to_now_and_ahead() {
    check(
        &balance(false, reader("UTC", Language::English)),
        expect![[r#"
            <div class="row axis">
            <div class="label"></div>
            <svg class="chart" height="46" role="img" aria-label="Time axis, 2026-01-31 – 2026-03-20">
            <line class="tick" x1="0%" x2="0%" y1="14" y2="30"/><svg x="0%" overflow="visible"><text class="tick" x="4" y="24">31 Jan</text></svg>
            <svg x="0%" overflow="visible"><text class="year" x="4" y="11">2026</text></svg>
            <line class="tick major" x1="14.583%" x2="14.583%" y1="14" y2="30"/><svg x="14.583%" overflow="visible"><text class="tick major" x="4" y="24">7 Feb</text></svg>
            <line class="tick" x1="29.167%" x2="29.167%" y1="14" y2="30"/><svg x="29.167%" overflow="visible"><text class="tick" x="4" y="24">14 Feb</text></svg>
            <line class="tick" x1="43.75%" x2="43.75%" y1="14" y2="30"/><svg x="43.75%" overflow="visible"><text class="tick" x="4" y="24">21 Feb</text></svg>
            <line class="tick" x1="58.333%" x2="58.333%" y1="14" y2="30"/><svg x="58.333%" overflow="visible"><text class="tick" x="4" y="24">28 Feb</text></svg>
            <line class="tick major" x1="72.917%" x2="72.917%" y1="14" y2="30"/><svg x="72.917%" overflow="visible"><text class="tick major" x="4" y="24">7 Mar</text></svg>
            <line class="tick" x1="87.5%" x2="87.5%" y1="14" y2="30"/><svg x="87.5%" overflow="visible"><text class="tick" x="4" y="24">14 Mar</text></svg>
            <line class="now" x1="100%" x2="100%" y1="32" y2="46"/><svg x="100%" overflow="visible"><text class="now" x="-4" y="43" text-anchor="end">now</text></svg>
            </svg>
            <div class="ending"></div>
            </div>
            <div class="rows">
            <svg class="grid" aria-hidden="true">
            <line class="month" x1="0%" x2="0%" y1="0" y2="100%"/>
            <line class="month major" x1="14.583%" x2="14.583%" y1="0" y2="100%"/>
            <line class="month" x1="29.167%" x2="29.167%" y1="0" y2="100%"/>
            <line class="month" x1="43.75%" x2="43.75%" y1="0" y2="100%"/>
            <line class="month" x1="58.333%" x2="58.333%" y1="0" y2="100%"/>
            <line class="month major" x1="72.917%" x2="72.917%" y1="0" y2="100%"/>
            <line class="month" x1="87.5%" x2="87.5%" y1="0" y2="100%"/>
            </svg>
            <div class="row balance">
            <div class="label"><span class="name">Balance</span><span class="unit">CNY</span><svg class="amounts" height="120" aria-hidden="true">
            <text x="100%" y="106.0">0</text>
            <text x="100%" y="60.0">50</text>
            <text x="100%" y="14.0">100</text>
            </svg></div>
            <svg class="chart" height="120" role="group" aria-label="balance of acme: 100.00 at the start, 80.00 at the end, 1.00 at its lowest">
            <line class="zero" x1="0" x2="100%" y1="106.0" y2="106.0"/>
            <line class="level-line" x1="0" x2="100%" y1="60.0" y2="60.0"/>
            <line class="level-line" x1="0" x2="100%" y1="14.0" y2="14.0"/>
            <svg viewBox="0 0 100 120" preserveAspectRatio="none" width="100%" height="120"><path class="area" d="M0 14.0H58.33V105.1H64.58V32.4H100V106.0H0Z"/><path class="curve" d="M0 14.0H58.33V105.1H64.58V32.4H100"/></svg>
            <svg x="58.333%" y="105.1" overflow="visible" class="lowest"><circle r="3.2"/><text x="7" y="12" text-anchor="start">lowest 1.00 on 2026-02-28</text></svg>
            <rect class="hover" x="58.333%" y="0" width="6.25%" height="100%"><title>balance 1.00 CNY
            2026-02-28 00:00 UTC: in all -99.00</title></rect>
            <rect class="hover" x="64.583%" y="0" width="35.417%" height="100%"><title>balance 80.00 CNY
            2026-03-03 00:00 UTC: in all +79.00</title></rect>
            </svg>
            <div class="ending" aria-label="balance of acme at the end"><span>now</span><b class="paid">80.00</b></div>
            </div>
            </div>
            <p>2026-01-31 00:00 UTC – 2026-03-20 00:00 UTC · CNY</p>
        "#]],
    );
    check(
        &balance(true, reader("Asia/Shanghai", Language::Chinese)),
        expect![[r#"
            <div class="row axis">
            <div class="label"></div>
            <svg class="chart" height="46" role="img" aria-label="时间轴，2026-03-20 – 2026-06-01">
            <line class="tick" x1="9.132%" x2="9.132%" y1="14" y2="30"/><svg x="9.132%" overflow="visible"><text class="tick" x="4" y="24">3月27日</text></svg>
            <svg x="9.132%" overflow="visible"><text class="year" x="4" y="11">2026</text></svg>
            <line class="tick major between" x1="18.721%" x2="18.721%" y1="14" y2="30"/><svg x="18.721%" overflow="visible"><text class="tick major between" x="4" y="24">4月3日</text></svg>
            <line class="tick" x1="28.311%" x2="28.311%" y1="14" y2="30"/><svg x="28.311%" overflow="visible"><text class="tick" x="4" y="24">4月10日</text></svg>
            <line class="tick between" x1="37.9%" x2="37.9%" y1="14" y2="30"/><svg x="37.9%" overflow="visible"><text class="tick between" x="4" y="24">4月17日</text></svg>
            <line class="tick" x1="47.489%" x2="47.489%" y1="14" y2="30"/><svg x="47.489%" overflow="visible"><text class="tick" x="4" y="24">4月24日</text></svg>
            <line class="tick major between" x1="57.078%" x2="57.078%" y1="14" y2="30"/><svg x="57.078%" overflow="visible"><text class="tick major between" x="4" y="24">5月1日</text></svg>
            <line class="tick" x1="66.667%" x2="66.667%" y1="14" y2="30"/><svg x="66.667%" overflow="visible"><text class="tick" x="4" y="24">5月8日</text></svg>
            <line class="tick between" x1="76.256%" x2="76.256%" y1="14" y2="30"/><svg x="76.256%" overflow="visible"><text class="tick between" x="4" y="24">5月15日</text></svg>
            <line class="tick" x1="85.845%" x2="85.845%" y1="14" y2="30"/><svg x="85.845%" overflow="visible"><text class="tick" x="4" y="24">5月22日</text></svg>
            <line class="tick between" x1="95.434%" x2="95.434%" y1="14" y2="30"/>
            <line class="now" x1="0%" x2="0%" y1="32" y2="46"/><svg x="0%" overflow="visible"><text class="now" x="4" y="43" text-anchor="start">现在</text></svg>
            </svg>
            <div class="ending"></div>
            </div>
            <div class="rows">
            <svg class="grid" aria-hidden="true">
            <line class="month" x1="9.132%" x2="9.132%" y1="0" y2="100%"/>
            <line class="month major" x1="18.721%" x2="18.721%" y1="0" y2="100%"/>
            <line class="month" x1="28.311%" x2="28.311%" y1="0" y2="100%"/>
            <line class="month" x1="37.9%" x2="37.9%" y1="0" y2="100%"/>
            <line class="month" x1="47.489%" x2="47.489%" y1="0" y2="100%"/>
            <line class="month major" x1="57.078%" x2="57.078%" y1="0" y2="100%"/>
            <line class="month" x1="66.667%" x2="66.667%" y1="0" y2="100%"/>
            <line class="month" x1="76.256%" x2="76.256%" y1="0" y2="100%"/>
            <line class="month" x1="85.845%" x2="85.845%" y1="0" y2="100%"/>
            <line class="month" x1="95.434%" x2="95.434%" y1="0" y2="100%"/>
            </svg>
            <div class="row balance">
            <div class="label"><span class="name">余额</span><span class="unit">CNY</span><svg class="amounts" height="120" aria-hidden="true">
            <text x="100%" y="106.0">-50</text>
            <text x="100%" y="75.3">0</text>
            <text x="100%" y="44.7">50</text>
            <text x="100%" y="14.0">100</text>
            </svg></div>
            <svg class="chart" height="120" role="group" aria-label="acme 的余额：期初 80.00，期末 -19.00，最低 -19.00">
            <line class="level-line" x1="0" x2="100%" y1="106.0" y2="106.0"/>
            <line class="zero" x1="0" x2="100%" y1="75.3" y2="75.3"/>
            <line class="level-line" x1="0" x2="100%" y1="44.7" y2="44.7"/>
            <line class="level-line" x1="0" x2="100%" y1="14.0" y2="14.0"/>
            <svg viewBox="0 0 100 120" preserveAspectRatio="none" width="100%" height="120"><path class="area" d="M0 26.3H13.87V87.0H100V75.3H0Z"/><path class="curve ahead" d="M0 26.3H13.87V87.0H100"/></svg>
            <svg x="13.87%" y="87.0" overflow="visible" class="lowest"><circle r="3.2"/><text x="7" y="12" text-anchor="start">最低 -19.00，2026-03-30</text></svg>
            <rect class="hover" x="13.87%" y="0" width="86.13%" height="100%"><title>余额 -19.00 CNY
            2026-03-30 11:00 +08:00：续费 -99.00</title></rect>
            </svg>
            <div class="ending" aria-label="acme 的期末余额"><span>期末</span><b class="paid">-19.00</b></div>
            </div>
            </div>
            <p>2026-03-20 08:00 +08:00 – 2026-06-01 08:00 +08:00 · CNY</p>
        "#]],
    );
}

#[test]
fn nothing_in_a_part_of_a_page_is_inline() {
    for language in Language::ALL {
        let reader = reader("+08:00", language);
        for part in [lanes_of("ecs-1", reader), balance(false, reader), balance(true, reader)] {
            for forbidden in [" style=", "<style", "<script", "javascript:", " on", "http:", "https:"] {
                let attributes = [&part.drawing, &part.legend].map(|html| attributes(html));
                assert!(!attributes.concat().contains(forbidden), "{forbidden}");
            }
        }
    }
}

/// Everything that is within elements, and none of the text between them.
fn attributes(html: &str) -> String {
    html.split('<').skip(1).map(|rest| format!("<{}", rest.split('>').next().unwrap())).collect()
}

#[test]
fn every_shape_of_a_part_is_there_once() {
    let drawing = lanes_of("ecs-1", reader("UTC", Language::English)).drawing;
    let ids = drawing.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>();
    let unique = ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), unique.len(), "an id is there twice");
    let used = drawing.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for id in used {
        assert!(unique.contains(id), "nothing has the id {id}");
    }
    let style = fragment::style();
    for id in style.split("url(#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(unique.contains(id), "nothing has the id {id}");
    }
}

#[test]
fn an_id_with_markup_in_it_is_text() {
    let id = "<img src=x onerror=\"alert(1)\">'&";
    let reader = reader("UTC", Language::English);
    let Fragment { drawing, legend } = lanes_of(id, reader);
    assert!(!drawing.contains("<img") && !legend.contains("<img"));
    assert!(drawing.contains(">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;</a>"), "{drawing}");
}

#[test]
fn the_style_of_parts_leaves_the_rest_of_a_page_alone() {
    let style = fragment::style();
    assert!(!style.contains(":root"));
    // What these hold is drawn here; no page of the console has them elsewhere.
    let own = [
        ".picture", ".row", ".rows", ".axis", ".lane", ".bundle", ".chart", ".grid", ".amounts", ".ending",
        ".label", ".inside", ".stroke", "svg",
    ];
    let (mut depth, mut plain) = (0, String::new());
    for sign in style.chars() {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        plain.extend((depth == 0 && sign != ')').then_some(sign));
    }
    let selectors = plain.split('}').filter_map(|rule| rule.rsplit_once('{')?.0.rsplit('{').next());
    let selectors = selectors.flat_map(|selectors| selectors.split(',')).map(str::trim).collect::<Vec<_>>();
    assert!(selectors.len() > 80, "{}", selectors.len());
    for selector in selectors {
        let first = selector.split([' ', '>', ':']).next().unwrap();
        assert!(own.iter().any(|own| first == *own || first.starts_with(&format!("{own}."))), "{selector}");
    }
}

#[test]
fn a_lane_ends_as_the_resource_is_now() {
    let fragment = lanes_of("ecs-1", reader("UTC", Language::English));
    let [server, disk] =
        [0, 1].map(|nth| fragment.drawing.split("<li class=\"row lane\"").nth(nth + 1).unwrap());
    assert!(server.contains("data-stage=\"active\"") && server.contains("2026-03-31"));
    assert!(server.contains("class=\"bar grace\"") && server.contains("class=\"bar grace ahead\""));
    assert!(!disk.contains("class=\"bar grace"), "{disk}");
}

#[test]
fn a_lane_without_anything_ahead_has_a_fortnight() {
    let lanes = [lane("evs-1", &[], Vec::new())];
    let outages = BTreeSet::<(Timestamp, Timestamp)>::new();
    let picture =
        BundlePicture { lanes: &lanes, ahead: &[], outages: &outages, account: "acme", currency: "CNY" };
    let mut late = reader("UTC", Language::English);
    late.now = instant("2026-03-30T00:00:00Z");
    assert!(fragment::lanes(&picture, late).drawing.contains("2026-01-31 – 2026-04-15"));
}
