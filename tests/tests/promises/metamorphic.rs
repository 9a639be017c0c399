//! Promise 3: thirty days are the same days in one step, in many, in batches of any size and with outages.
//!
//! Without outages everything is the same, to the last byte of the last event: in one step, in thirty, in uneven ones,
//! and in transactions of 1, 2, 7 or 8192 bundles, however short the money is. The same outages, too, lead to the same in
//! transactions of any size.
//!
//! With outages, missed tries collapse: of the tries that a bundle missed in an outage, the first is made when the host
//! starts again, before any stage that it could have prevented. What this may change, and nothing else:
//!
//! - when a renewal is paid: at the end of the outage instead of at the try that was missed, so the instants of
//!   `renewal_settled`, of its `balance_changed` and of the settings that it counts down are later, and a balance on the
//!   way there may differ;
//! - when a resource that had expired already comes back: it does when it is renewed along with another, so as late as that
//!   is paid;
//! - how often a renewal is declined: the tries that were missed are one, so there are fewer `renewal_declined`;
//! - who is paid when the balance does not suffice for all: bundles meet it in the order in which their first missed
//!   occurrence was due, with all that was paid in meanwhile, so something may be renewed that would have lapsed, and
//!   something else may then find less.
//!
//! So with money enough every stage, every stage's instant, every period paid for, every refund and the balance in the
//! end are the same; with too little money, all the other promises still hold.

use perennial_engine::Retention;
use perennial_store::testing;
use proptest::prelude::*;

use crate::host::Host;
use crate::host::check;
use crate::host::providers;
use crate::invariants;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::World;
use crate::world::busy;
use crate::world::instant;
use crate::world::paid_into;
use crate::world::quiet;

fn whole(world: &World) -> Host {
    let mut host = Host::new(world);
    host.play(FROM, UNTIL);
    host
}

fn same(one: &Host, other: &Host) -> invariants::Checked {
    prop_assert_eq!(&one.lines, &other.lines);
    prop_assert_eq!(one.state(), other.state());
    Ok(())
}

#[test]
fn thirty_days_in_thirty_steps_are_the_same_as_in_one() {
    check(30, busy(Money::Short), |world| {
        let mut steps = Host::new(&world);
        for day in 0..30 {
            steps.play(FROM + day * DAY + i64::from(day > 0), FROM + (day + 1) * DAY);
        }
        same(&whole(&world), &steps)
    });
}

#[test]
fn thirty_days_in_uneven_steps_are_the_same_as_in_one() {
    let cuts = prop::collection::btree_set(0..30 * DAY, 0..12);
    check(30, (busy(Money::Short), cuts), |(world, cuts)| {
        let mut steps = Host::new(&world);
        let mut from = FROM;
        for cut in cuts {
            steps.play(from, FROM + cut);
            from = FROM + cut + 1;
        }
        steps.play(from, UNTIL);
        same(&whole(&world), &steps)
    });
}

#[test]
fn thirty_days_are_the_same_in_transactions_of_any_size() {
    check(80, busy(Money::Short), |world| same_in_any_batches(&world));
}

fn same_in_any_batches(world: &World) -> invariants::Checked {
    let whole = whole(world);
    for batch in [1, 2, 7] {
        let mut batches = Host::with(world, providers(), batch, Retention::Everything);
        batches.play(FROM, UNTIL);
        same(&whole, &batches)?;
    }
    Ok(())
}

/// One to three outages, apart from each other: their beginnings and ends, in seconds after the import.
fn outages() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::btree_set(1..30 * DAY, 2..7).prop_map(|instants| {
        let instants = instants.into_iter().collect::<Vec<_>>();
        instants.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    })
}

/// The world with the host down now and then.
fn with_outages(world: &World, outages: &[(i64, i64)]) -> World {
    let mut acts = serde_json::from_str::<Vec<serde_json::Value>>(&world.scenario).unwrap();
    acts.extend(outages.iter().map(|(from, until)| {
        serde_json::json!({ "at": instant(FROM + from), "do": "outage", "until": instant(FROM + until) })
    }));
    acts.sort_by_key(|act| act["at"].as_str().unwrap().to_owned());
    World { inventory: world.inventory.clone(), scenario: serde_json::Value::from(acts).to_string() }
}

/// What an outage may not change when there is money enough.
fn what_stays(host: &Host) -> Vec<String> {
    let mut stays = testing::balances(host.db());
    stays.extend(testing::schedules(host.db()));
    stays.extend(testing::periods(host.db()));
    let mut stages = host.events("stage_changed");
    stages
        .iter_mut()
        .filter(|event| event["to"] == "active")
        .for_each(|event| event["at"] = "when it is paid".into());
    let mut changed = stages.iter().map(ToString::to_string).collect::<Vec<_>>();
    changed.sort();
    stays.append(&mut changed);
    stays
}

#[test]
fn thirty_days_with_outages_are_the_same_in_transactions_of_any_size() {
    check(80, (busy(Money::Short), outages()), |(world, outages)| {
        same_in_any_batches(&with_outages(&world, &outages))
    });
}

#[test]
fn outages_change_no_stage_and_no_period_while_there_is_money_enough() {
    check(60, (quiet(Money::Plenty), outages()), |(world, outages)| {
        let mut down = Host::new(&with_outages(&world, &outages));
        down.play(FROM, UNTIL);
        prop_assert_eq!(what_stays(&whole(&world)), what_stays(&down));
        invariants::all(&down, UNTIL)
    });
}

#[test]
fn outages_keep_every_promise_when_money_is_short() {
    check(40, (busy(Money::Short), outages()), |(world, outages)| {
        let mut down = Host::new(&with_outages(&world, &outages));
        down.play(FROM, UNTIL);
        invariants::no_period_is_paid_twice(&down)?;
        invariants::everything_live_has_a_wake(&down, UNTIL)?;
        invariants::money_adds_up(&down)?;
        invariants::no_expiry_moves_back(&down)
    });
}

#[test]
fn an_outage_costs_nobody_a_resource() {
    // A world with one bundle: nobody else takes its money.
    let one = paid_into(Money::Short)
        .prop_filter("one bundle", |world| world.inventory.matches("\"attached_to\":null").count() == 1);
    check(40, (one, outages()), |(world, outages)| {
        let mut down = Host::new(&with_outages(&world, &outages));
        down.play(FROM, UNTIL);
        let lost = testing::lapsed_primaries(whole(&world).db(), false);
        let lost_in_outages = testing::lapsed_primaries(down.db(), false);
        prop_assert!(
            lost_in_outages.iter().all(|id| lost.contains(id)),
            "{lost_in_outages:?} against {lost:?}"
        );
        Ok(())
    });
}
