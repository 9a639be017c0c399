//! What leaves when: batches, quotas, back-off, breakers, pauses, freezes and the ceiling.

use crate::connected::advance::advance;
use crate::connected::dispatch::Api;
use crate::connected::dispatch::Choice;
use crate::connected::dispatch::Dispatcher;
use crate::connected::dispatch::Health;
use crate::connected::dispatch::Obstacle;
use crate::connected::dispatch::SendingLimits;
use crate::connected::dispatch::lateness::lateness;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::record::CallRecord;
use crate::connected::record::Extension;
use crate::connected::schedule::Schedule;
use crate::sample::at;
use crate::sample::money;
use crate::sample::months;
use crate::timestamp::Timestamp;

const NOW: &str = "2026-03-03T19:00:00";

/// A renewal of 30.00 that is reserved.
fn reserved(id: &str, term: u32) -> CallRecord {
    let extension = Extension {
        resource: id.to_owned(),
        expires_before: at("2026-03-10"),
        expires_planned: at("2026-04-10"),
        cost: money("30"),
    };
    let mut renewal = CallRecord::new(vec![extension], months(term), at("2026-03-10"), at(NOW));
    advance(&mut renewal, Signal::Reserve, at(NOW), &Schedule::DEFAULT).unwrap();
    renewal
}

fn in_doubt(id: &str) -> CallRecord {
    let mut renewal = reserved(id, 1);
    for signal in [Signal::Read(Reading::Before), Signal::LoseResponse] {
        advance(&mut renewal, signal, at(NOW) - 60, &Schedule::DEFAULT).unwrap();
    }
    renewal
}

fn show(choice: &Choice) -> String {
    let ids = |renewals: &[CallRecord]| {
        renewals.iter().map(|renewal| renewal.named().resource.clone()).collect::<Vec<_>>().join(" ")
    };
    match choice {
        Choice::Pay(renewals) => format!("pay {}", ids(renewals)),
        Choice::Query(renewals) => format!("query {}", ids(renewals)),
        Choice::Wait(obstacle, until) => {
            format!(
                "wait {obstacle:?} {}",
                until.map_or("-".to_owned(), |until| (until - at(NOW)).to_string())
            )
        }
        Choice::Nothing => "nothing".to_owned(),
    }
}

fn choose(dispatcher: &mut Dispatcher, due: &[CallRecord], now: Timestamp) -> String {
    show(&dispatcher.choose("acme", due, false, now))
}

fn limits() -> SendingLimits {
    SendingLimits { calls_per_minute: 60, burst: 2, batch: 3, ..SendingLimits::DEFAULT }
}

#[test]
fn a_call_takes_a_batch_of_one_term_and_evidence_goes_first() {
    let mut dispatcher = Dispatcher::new(SendingLimits { burst: 10, ..limits() });
    let mut due =
        vec![reserved("a", 1), reserved("b", 12), reserved("c", 1), reserved("d", 1), reserved("e", 1)];
    due.push(in_doubt("f"));
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "query f");
    due.pop();
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "pay a c d");
    assert_eq!(choose(&mut dispatcher, &due[1..2], at(NOW)), "pay b");
    assert_eq!(choose(&mut dispatcher, &[], at(NOW)), "nothing");
}

#[test]
fn a_full_bucket_is_a_burst_and_then_the_quota_holds() {
    let mut dispatcher = Dispatcher::new(limits());
    let due = [reserved("a", 1)];
    let paid =
        (0..200).filter(|tenth| choose(&mut dispatcher, &due, at(NOW) + tenth / 10) == "pay a").count();
    // Two at once, and one in each of the twenty seconds that follow the first.
    assert_eq!(paid, 2 + 19);
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 19), "wait Quota 20");
}

#[test]
fn a_cloud_that_asks_to_wait_is_left_alone_for_so_long() {
    let mut dispatcher = Dispatcher::new(limits());
    dispatcher.observe("acme", Api::Pay, Health::Throttled(Some(90)), at(NOW));
    let due = [reserved("a", 1), in_doubt("b")];
    assert_eq!(choose(&mut dispatcher, &due[..1], at(NOW) + 89), "wait Quota 90");
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 89), "query b", "reading has a quota of its own");
    assert_eq!(choose(&mut dispatcher, &due[..1], at(NOW) + 90), "pay a");
    dispatcher.observe("acme", Api::Pay, Health::Throttled(Some(i64::MAX)), at(NOW) + 90);
    assert_eq!(
        choose(&mut dispatcher, &due[..1], at(NOW) + 90),
        "wait Quota 3690",
        "no header stops it for good"
    );
}

#[test]
fn failures_in_a_row_open_the_breaker_and_one_call_closes_it() {
    let mut dispatcher = Dispatcher::new(limits());
    let due = [reserved("a", 1)];
    for _ in 0..4 {
        dispatcher.observe("acme", Api::Pay, Health::Failed, at(NOW));
    }
    dispatcher.observe("acme", Api::Pay, Health::Answered, at(NOW));
    for _ in 0..5 {
        dispatcher.observe("acme", Api::Pay, Health::Failed, at(NOW));
    }
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "wait Breaker 60");
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 60), "pay a");
    dispatcher.observe("acme", Api::Pay, Health::Failed, at(NOW) + 60);
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 61), "wait Breaker 120");
    assert_eq!(show(&dispatcher.choose("other", &due, false, at(NOW) + 61)), "pay a", "of another account");
}

#[test]
fn a_pause_of_one_account_or_of_all_stops_everything() {
    let mut dispatcher = Dispatcher::new(limits());
    let due = [reserved("a", 1), in_doubt("b")];
    dispatcher.pause("acme", true);
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "wait Paused -");
    dispatcher.pause("acme", false);
    dispatcher.pause_all(true);
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "wait Paused -");
    dispatcher.pause_all(false);
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "query b");
}

#[test]
fn the_ceiling_on_spending_holds_for_an_hour_and_over_a_restart() {
    let limits = SendingLimits { burst: 100, batch: 1, spending_per_hour: Some(money("70")), ..limits() };
    let mut dispatcher = Dispatcher::new(limits);
    let due = [reserved("a", 1)];
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "pay a");
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 600), "pay a");
    assert_eq!(choose(&mut dispatcher, &due, at(NOW) + 700), "wait SpendingCeiling 3600");
    let mut restarted = Dispatcher::new(limits);
    restarted.restore_spending("acme", at(NOW), money("30"));
    restarted.restore_spending("acme", at(NOW) + 600, money("30"));
    assert_eq!(choose(&mut restarted, &due, at(NOW) + 700), "wait SpendingCeiling 3600");
    assert_eq!(choose(&mut restarted, &due, at(NOW) + 3_600), "pay a");
    let low = SendingLimits { spending_per_hour: Some(money("20")), ..limits };
    assert_eq!(choose(&mut Dispatcher::new(low), &due, at(NOW)), "wait SpendingCeiling -");
}

#[test]
fn what_fits_below_the_ceiling_leaves_without_the_rest() {
    let limits = SendingLimits { burst: 100, batch: 10, spending_per_hour: Some(money("70")), ..limits() };
    let mut dispatcher = Dispatcher::new(limits);
    let due = ["a", "b", "c"].map(|id| reserved(id, 1));
    assert_eq!(choose(&mut dispatcher, &due, at(NOW)), "pay a b");
    assert_eq!(choose(&mut dispatcher, &due[2..], at(NOW) + 1), "wait SpendingCeiling 3600");
    assert_eq!(choose(&mut dispatcher, &due[2..], at(NOW) + 3_600), "pay c");
}

#[test]
fn a_deadline_that_the_ceiling_does_not_let_be_kept_is_told_once() {
    let low = SendingLimits { spending_per_hour: Some(money("20")), ..limits() };
    let mut dispatcher = Dispatcher::new(low);
    let due = ["a", "b"].map(|id| reserved(id, 1));
    let mut late = |until| dispatcher.late_by_ceiling("acme", &due, until, at(NOW)).map(|late| late.renewals);
    assert_eq!((late(None), late(None)), (Some(2), None), "each alone is above it");
    let high = SendingLimits { spending_per_hour: Some(money("40")), ..limits() };
    let mut dispatcher = Dispatcher::new(high);
    let mut late = |until| dispatcher.late_by_ceiling("acme", &due, until, at(NOW)).map(|late| late.renewals);
    assert_eq!(late(Some(at(NOW) + 3_600)), None, "there is time");
    assert_eq!(late(Some(at("2026-03-10"))), Some(2));
}

#[test]
fn a_freeze_gives_way_when_there_is_no_time_left() {
    let mut dispatcher = Dispatcher::new(limits());
    let due = [reserved("a", 1)];
    // One call a second: the call must leave a second before the deadline.
    assert!(matches!(
        dispatcher.choose("acme", &due, true, at(NOW)),
        Choice::Wait(Obstacle::Freeze, Some(until)) if until == at("2026-03-09T23:59:59")
    ));
    assert_eq!(show(&dispatcher.choose("acme", &due, true, at("2026-03-10"))), "pay a");
}

#[test]
fn what_cannot_be_done_in_time_is_an_alarm() {
    let limits = SendingLimits { calls_per_minute: 1, batch: 1, ..limits() };
    let waiting = vec![(at("2026-03-10"), 10), (at("2026-03-11"), 5)];
    assert_eq!(lateness(&waiting, &limits, at("2026-03-09T23:50:00")), None);
    let late = lateness(&waiting, &limits, at("2026-03-09T23:50:01")).unwrap();
    assert_eq!((late.deadline, late.renewals), (at("2026-03-10"), 10));
    let mut dispatcher = Dispatcher::new(limits);
    let now = at("2026-03-09T23:50:01");
    assert!(dispatcher.needs_backlog("acme", now));
    assert_eq!(dispatcher.count_backlog("acme", waiting.clone(), now), Some(late));
    assert!(!dispatcher.needs_backlog("acme", now + 59), "it is counted once a minute");
    assert!(dispatcher.needs_backlog("acme", now + 60));
    assert_eq!(dispatcher.count_backlog("acme", waiting, now + 60), None, "it is said once");
}

#[test]
fn a_freeze_ends_early_enough_for_everything_that_waits() {
    let limits = SendingLimits { calls_per_minute: 60, batch: 10, ..limits() };
    let (due, deadline) = ([reserved("a", 1)], at("2026-03-10"));
    let mut dispatcher = Dispatcher::new(limits);
    // A unified expiry day: a hundred thousand renewals take ten thousand seconds.
    dispatcher.count_backlog("acme", vec![(deadline, 100_000)], at(NOW));
    let safe_start = deadline - 10_000;
    assert!(matches!(
        dispatcher.choose("acme", &due, true, safe_start - 1),
        Choice::Wait(Obstacle::Freeze, Some(until)) if until == safe_start
    ));
    assert_eq!(show(&dispatcher.choose("acme", &due, true, safe_start + 1)), "pay a");
}

#[test]
fn what_an_api_was_at_holds_after_a_restart() {
    let due = [reserved("a", 1)];
    let mut before = Dispatcher::new(SendingLimits::DEFAULT);
    assert_eq!(show(&before.choose("acme", &due, false, at(NOW))), "pay a");
    before.observe("acme", Api::Pay, Health::Throttled(Some(90)), at(NOW));
    let mut after = Dispatcher::new(SendingLimits::DEFAULT);
    for api in Api::ALL {
        after.restore_gate("acme", api, before.gate("acme", api));
    }
    assert_eq!(show(&after.choose("acme", &due, false, at(NOW) + 1)), "wait Quota 90");
    assert_eq!(show(&after.choose("globex", &due, false, at(NOW) + 1)), "pay a", "each account has its own");
}

#[test]
fn an_account_is_held_to_its_own_limits() {
    let due = ["a", "b", "c"].map(|id| reserved(id, 1));
    let mut dispatcher = Dispatcher::new(SendingLimits::DEFAULT);
    dispatcher.set_limits("acme", SendingLimits { batch: 2, ..SendingLimits::DEFAULT });
    assert_eq!(show(&dispatcher.choose("acme", &due, false, at(NOW))), "pay a b");
    assert_eq!(show(&dispatcher.choose("globex", &due, false, at(NOW))), "pay a b c");
}
