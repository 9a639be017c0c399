//! Promises 1 and 5: no period is paid for twice, and no expiry moves back.

use crate::host::Host;
use crate::host::check;
use crate::invariants;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::busy;

#[test]
fn no_period_of_a_resource_is_paid_for_twice() {
    check(40, busy(Money::Plenty), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        invariants::no_period_is_paid_twice(&host)
    });
}

#[test]
fn an_expiry_never_moves_back_but_by_unsubscription_or_conversion() {
    check(40, busy(Money::Plenty), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        invariants::no_expiry_moves_back(&host)
    });
}

#[test]
fn no_period_is_paid_for_twice_when_the_clock_forgets_how_far_it_came() {
    // A cursor that is too early, such as that of a database restored from a backup of one table, makes the engine ask
    // for tries that succeeded: the expiry has moved, so there are none.
    check(20, busy(Money::Plenty), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        let paid =
            host.rows("select resource, starts_at from orders where refunded_at is null order by 1, 2");
        host.engine
            .db()
            .inspect()
            .run(&format!(
                "update schedule set cursor_at = {FROM}, wake_at = {FROM} where wake_at is not null"
            ))
            .unwrap();
        host.play(UNTIL, UNTIL);
        invariants::no_period_is_paid_twice(&host)?;
        let still =
            host.rows("select resource, starts_at from orders where refunded_at is null order by 1, 2");
        proptest::prop_assert_eq!(paid, still);
        Ok(())
    });
}
