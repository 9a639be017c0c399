//! Every way in which allocations make no sense.

use expect_test::expect;

use crate::index::PackageIndex;
use crate::sample::at;
use crate::sample::money;
use crate::sample::package;
use crate::usage::Alert;
use crate::usage::Allocation;
use crate::usage::Consumption;
use crate::usage::Offer;
use crate::usage::check;

/// Fifty hours are used on 1 March; each of two packages has sixty left, and a third begins on 2 March.
fn consumption() -> Consumption {
    let offer = |id: &str, starts_at, expires_at| Offer {
        id: id.to_owned(),
        package: package(id).package.unwrap(),
        starts_at: at(starts_at),
        expires_at: at(expires_at),
    };
    Consumption {
        at: at("2026-03-01"),
        resource_type: "cci".to_owned(),
        amount: money("50"),
        packages: vec![
            offer("ended-at-noon-yesterday", "2026-01-10", "2026-02-28T12:00:00"),
            offer("in-force", "2026-03-01", "2026-04-01"),
            offer("ahead", "2026-03-02", "2026-04-02"),
        ],
    }
}

fn answer(allocations: &[(usize, &str)]) -> String {
    let allocation = |(package, amount): &(usize, &str)| Allocation {
        package: PackageIndex::new(*package),
        amount: money(amount),
        alert: Alert::None,
    };
    let allocations = allocations.iter().map(allocation).collect::<Vec<_>>();
    match check(&consumption(), &allocations) {
        Ok(()) => "fine\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn draws_are_within_what_is_used_and_what_is_left() {
    let answers = [
        answer(&[]),
        answer(&[(1, "50")]),
        answer(&[(1, "10"), (0, "40")]),
        answer(&[(3, "1")]),
        answer(&[(1, "1"), (1, "1")]),
        answer(&[(1, "0")]),
        answer(&[(1, "-1")]),
        answer(&[(1, "60.000001")]),
        answer(&[(2, "1")]),
        answer(&[(0, "30"), (1, "20.01")]),
    ];
    expect![[r#"
        fine
        fine
        fine
        the allocation of `cci` names package 3 of 3, or names it twice
        the allocation of `cci` names package 1 of 3, or names it twice
        the allocation of `cci` takes 0.00 from `in-force`, which has 60.00
        the allocation of `cci` takes -1.00 from `in-force`, which has 60.00
        the allocation of `cci` takes 60.000001 from `in-force`, which has 60.00
        the allocation of `cci` uses `ahead`, which is not in force yet
        the allocation of `cci` takes more than the 50.00 that were used
    "#]]
    .assert_eq(&answers.concat());
}
