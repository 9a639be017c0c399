//! Ticks of the clock: when it is late and when it is not.

use expect_test::expect;

use crate::clock::OUTAGE_AFTER;
use crate::clock::tick;
use crate::engine::tests::world::World;
use crate::engine::tests::world::at;
use crate::engine::tests::world::renewing;
use crate::engine::tests::world::tell;

fn ticks(instants: &[perennial_domain::timestamp::Timestamp]) -> String {
    let mut world = World::account("2026-03-07", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    let mut told = String::new();
    for now in instants {
        tick(&mut world.engine, *now, &mut |recorded| told.push_str(&tell(recorded))).unwrap();
    }
    told
}

#[test]
fn a_short_gap_is_no_outage_and_things_happen_at_their_own_instants() {
    let due = at("2026-03-08");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&ticks(&[due - 1, due - 1 + OUTAGE_AFTER]));
}

#[test]
fn a_long_gap_is_an_outage_and_money_moves_now() {
    let due = at("2026-03-08");
    expect![[r#"
        2026-03-08T00:01:00Z a/- host_resumed down_since=2026-03-07T23:59:59Z
        2026-03-08T00:01:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:01:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&ticks(&[due - 1, due + OUTAGE_AFTER]));
}

#[test]
fn a_clock_that_is_set_back_waits_until_it_is_where_it_was() {
    let due = at("2026-03-08");
    assert_eq!(ticks(&[due - 1, due - 3600, due - 1]), "");
    assert_eq!(ticks(&[due - 1, due - 3600, due]), ticks(&[due - 1, due]));
}
