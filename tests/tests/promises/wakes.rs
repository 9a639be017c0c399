//! Promise 2: no due renewal is silently skipped.

use crate::host::Host;
use crate::host::check;
use crate::invariants;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::busy;

#[test]
fn every_live_resource_has_a_wake_and_nothing_due_is_left() {
    check(40, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        for day in 0..30 {
            host.play(FROM + day * DAY + i64::from(day > 0), FROM + (day + 1) * DAY);
            invariants::everything_live_has_a_wake(&host, FROM + (day + 1) * DAY)?;
        }
        Ok(())
    });
}

#[test]
fn an_auto_renewed_resource_lapses_only_after_a_try_or_with_a_reason() {
    check(40, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        invariants::what_lapsed_despite_auto_renew_has_a_reason(&host)
    });
}
