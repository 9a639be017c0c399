//! Promise 4: money adds up, whatever is bought, refunded or refused.

use crate::host::Host;
use crate::host::check;
use crate::invariants;
use crate::world::FROM;
use crate::world::Money;
use crate::world::UNTIL;
use crate::world::busy;

#[test]
fn the_balance_is_the_sum_of_its_entries_when_money_is_short() {
    check(40, busy(Money::Short), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        invariants::money_adds_up(&host)
    });
}

#[test]
fn the_balance_is_the_sum_of_its_entries_when_there_is_plenty() {
    check(40, busy(Money::Plenty), |world| {
        let mut host = Host::new(&world);
        host.play(FROM, UNTIL);
        invariants::money_adds_up(&host)
    });
}
