//! Money is neither made nor lost.

use proptest::prelude::*;

use crate::ledger::Balance;
use crate::ledger::Book;
use crate::ledger::Entry;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::sample::at;
use crate::sample::money;

#[test]
fn the_last_cent_can_be_held_and_one_more_cannot() {
    let mut balance = Balance::new(money("30"), Micros::ZERO);
    let shortfall = balance.hold(money("30.01")).unwrap_err();
    assert_eq!(shortfall.to_string(), "30.01 is needed and 30.00 is available");
    assert_eq!(balance, Balance::new(money("30"), Micros::ZERO));
    let hold = balance.hold(money("30")).unwrap();
    assert_eq!(balance, Balance::new(Micros::ZERO, money("30")));
    balance.post(hold);
    assert_eq!(balance, Balance::default());
}

#[test]
fn what_costs_nothing_can_be_held_by_an_account_in_debt() {
    let mut balance = Balance::new(money("-5"), Micros::ZERO);
    let hold = balance.hold(Micros::ZERO).unwrap();
    balance.post(hold);
    assert_eq!(balance, Balance::new(money("-5"), Micros::ZERO));
    assert!(balance.hold(money("0.01")).is_err());
}

#[test]
fn entries_come_to_what_the_account_has_and_holds() {
    let entry = |from, to, amount| Entry {
        at: at("2026-03-01"),
        from,
        to,
        amount: money(amount),
        reason: Reason::TopUp,
        resource: None,
        reference: None,
    };
    let entries = [
        entry(Book::Funding, Book::Cash, "100"),
        entry(Book::Cash, Book::Spent, "30"),
        entry(Book::Spent, Book::Cash, "10"),
        entry(Book::Cash, Book::Held, "25"),
        entry(Book::Held, Book::Spent, "5"),
    ];
    assert_eq!(Balance::of_entries(&entries), Balance::new(money("55"), money("20")));
}

/// What happens to a balance, in cents.
#[derive(Clone, Debug)]
enum Move {
    Credit(i64),
    Hold(i64),
    Post,
    Release,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..5_000_i64).prop_map(Move::Credit),
        (0..5_000_i64).prop_map(Move::Hold),
        Just(Move::Post),
        Just(Move::Release),
    ];
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn holds_and_postings_never_exceed_what_was_paid_in(moves in moves()) {
        let mut balance = Balance::default();
        let (mut paid_in, mut posted) = (Micros::ZERO, Micros::ZERO);
        let mut holds = Vec::new();
        for one in moves {
            match one {
                Move::Credit(cents) => {
                    paid_in += Micros::new(cents * 10_000);
                    balance.credit(Micros::new(cents * 10_000));
                }
                Move::Hold(cents) => {
                    let amount = Micros::new(cents * 10_000);
                    let before = balance;
                    match balance.hold(amount) {
                        Ok(hold) => holds.push((hold, amount)),
                        Err(shortfall) => {
                            prop_assert!(shortfall.needed > shortfall.available);
                            prop_assert_eq!(balance, before);
                        }
                    }
                }
                Move::Post => if let Some((hold, amount)) = holds.pop() {
                    posted += amount;
                    balance.post(hold);
                },
                Move::Release => if let Some((hold, _)) = holds.pop() {
                    balance.release(hold);
                },
            }
            let held = holds.iter().map(|(_, amount)| *amount).sum::<Micros>();
            prop_assert_eq!(balance.held(), held);
            prop_assert!(balance.available() >= Micros::ZERO);
            prop_assert_eq!(balance.available() + held + posted, paid_in);
        }
    }
}
