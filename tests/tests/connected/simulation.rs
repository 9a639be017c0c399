//! Seeds, the crash matrix, and the host broken on purpose.

use std::fmt::Write;

use expect_test::expect;
use perennial_store::Store;
use perennial_store::integrity;
use perennial_test_support::connected::bug::Bug;
use perennial_test_support::connected::host::Figures;
use perennial_test_support::connected::host::Setup;
use perennial_test_support::connected::host::simulate;
use perennial_test_support::connected::host::simulate_over;
use perennial_test_support::connected::matrix;
use perennial_test_support::world::at;

#[test]
fn promises_hold_through_some_hundred_storms() {
    let mut total = Figures::default();
    for seed in 0..400 {
        match simulate(&Setup::of_seed(seed)) {
            Ok(figures) => total += figures,
            Err(violation) => panic!("{violation}"),
        }
    }
    // Storms that touch nothing would prove nothing.
    assert!(total.settled > 2_000 && total.faults > 10_000 && total.crashes > 1_000, "{total}");
    assert!(total.with_person > 10, "{total}");
}

#[test]
fn a_seed_leads_to_the_same_figures_again() {
    assert_eq!(simulate(&Setup::of_seed(42)), simulate(&Setup::of_seed(42)));
}

#[test]
fn the_database_and_the_memory_come_to_the_same() {
    for seed in 1_000..1_004 {
        let setup = Setup::of_seed(seed);
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("cloud.db");
        let on_disk = simulate_over(&setup, Store::scratch(&path).unwrap(), |_| None);
        assert_eq!(on_disk, simulate(&setup), "seed {seed}");
        let store = Store::open(&path).unwrap();
        assert_eq!(integrity::check(store.db()).unwrap(), [], "seed {seed}");
    }
}

#[test]
fn a_cascade_survives_a_crash_at_every_point_and_at_every_two() {
    let runs = matrix::run().unwrap_or_else(|broken| panic!("{broken}"));
    let settled = runs.iter().filter(|figures| figures.settled >= 1).count();
    assert_eq!(settled, runs.len(), "every run renews");
    assert!(runs.len() > 300, "{} runs", runs.len());
}

#[test]
fn each_break_of_the_host_is_found() {
    let mut table = String::new();
    for bug in Bug::ALL {
        let found =
            (0..300).find_map(|seed| simulate(&Setup { bug: Some(bug), ..Setup::of_seed(seed) }).err());
        let what = found.map_or("not found".to_owned(), |found| {
            assert!(found.at > at("2026-01-01"), "nothing is wrong before anything happens");
            format!("seed {}: {}", found.seed, found.what)
        });
        writeln!(table, "{bug:?}: {what}").unwrap();
    }
    expect![[r#"
        MovedToken: seed 0: 1: vm-5 from 2026-01-30T00:34:08Z was paid for 2 times
        BlindRetry: seed 1: 1: vm-0 from 2026-01-26T15:55:19Z was paid for 2 times
        HoldKept: seed 0: 4: 20.00 is held, and renewals under way cost 10.00
        LostTimeout: seed 0: 2: vm-4 from 2026-01-08T16:39:21Z is still Calling
        CallBeforeCommit: seed 11: 4: 150.00 was paid here, and the cloud took 160.00
        SecondTerm: seed 0: 4: 490.00 was paid here, and the cloud took 550.00
        TokenOutlivesDecline: seed 106: 2: vm-2 lapsed at 2026-02-04T13:41:00Z, long after everything was well
    "#]]
    .assert_eq(&table);
}
