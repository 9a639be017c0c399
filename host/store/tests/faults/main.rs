//! Bad disks: whatever fails at whichever operation, what is acknowledged is there, and what is not is there whole or not at
//! all.
//!
//! `disk` is a disk that fails as planned, `vfs` puts it under SQLite, `workload` is a small host's two weeks. Here, each
//! operation of the workload fails in each way. Beyond that, faults are drawn at random: `PERENNIAL_FAULT_SEEDS=10000` has so
//! many runs, and `PERENNIAL_FAULT_SEED=7` is the run of one seed, which a failure's message names.

mod disk;
mod trial;
mod vfs;
mod workload;

use std::collections::BTreeSet;
use std::path::Path;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::error::EngineError;
use perennial_store::Store;
use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::error::StoreError;
use perennial_store::testing;
use tempfile::TempDir;

use crate::disk::Dice;
use crate::disk::Disk;
use crate::disk::Fault;
use crate::disk::Plan;
use crate::disk::Survival;
use crate::trial::Reference;
use crate::trial::Trial;
use crate::vfs::Mount;
use crate::workload::NAME;

const SURVIVALS: [Survival; 3] = [Survival::Synced, Survival::Everything, Survival::Torn];
/// Runs of random faults, unless the environment says otherwise.
const SEEDS: u64 = 60;

fn once(at: u64, fault: Fault) -> Option<Plan> {
    Some(Plan { at, count: 1, of_reads: false, fault })
}

/// The error says what is wrong and what to do.
fn check_words(error: &EngineError, label: &str) {
    let EngineError::Store(source) = error else { panic!("{label}: {error}") };
    let (said, is_full) = (error.to_string(), source.is_storage_full());
    let expected = if is_full { "make space" } else { "the system's log says what its disk" };
    assert!(said.contains(expected), "{label}: {said}");
}

fn check_store_words(error: StoreError, label: &str) {
    check_words(&EngineError::from(error), label);
}

#[test]
fn the_failing_disk_is_under_the_sqlite_of_the_store() {
    let folder = TempDir::new().unwrap();
    let mount = Mount::new(folder.path(), Disk::new(None, 0));
    let store = Store::open(&folder.path().join(NAME)).unwrap();
    assert_eq!(vfs::source_id(), testing::sqlite_source_id(store.db()));
    assert!(mount.disk().mutations() > 10, "SQLite writes to another disk");
}

#[test]
fn a_crash_at_any_operation_leaves_all_that_was_acknowledged() {
    let reference = Reference::new();
    for at in 0..reference.mutations {
        for survival in SURVIVALS {
            let trial =
                Trial::new(&reference, once(at, Fault::Crash), at, format!("crash at {at}, {survival:?}"));
            let acknowledged = trial.run_once();
            assert!(trial.mount.disk().is_dead(), "{}", trial.label);
            trial.lose_power(acknowledged, survival);
        }
    }
}

#[test]
fn an_operation_that_fails_is_told_and_can_be_tried_again() {
    let reference = Reference::new();
    for at in 0..reference.mutations {
        for (fault, count) in [(Fault::Io, 1), (Fault::Io, 4), (Fault::Full, 3), (Fault::Short, 1)] {
            let plan = Some(Plan { at, count, of_reads: false, fault });
            let trial = Trial::new(&reference, plan, at, format!("{fault:?} at {at}, {count} times"));
            trial.run_with_retries();
            trial.lose_power(reference.last(), Survival::Synced);
        }
    }
}

#[test]
fn a_host_that_starts_anew_after_a_failure_goes_on_from_it() {
    let reference = Reference::new();
    for at in 0..reference.mutations {
        for fault in [Fault::Io, Fault::Short] {
            let trial = Trial::new(&reference, once(at, fault), at, format!("{fault:?} at {at}, restarted"));
            trial.run_with_restarts();
            trial.lose_power(reference.last(), Survival::Synced);
        }
    }
}

#[test]
fn a_loss_of_power_right_after_a_failure_loses_nothing_acknowledged() {
    let reference = Reference::new();
    for at in 0..reference.mutations {
        let trial = Trial::new(&reference, once(at, Fault::Io), at, format!("Io at {at}, then no power"));
        let acknowledged = trial.run_once();
        trial.lose_power(acknowledged, Survival::Torn);
    }
}

#[test]
fn a_read_that_fails_is_told_and_can_be_tried_again() {
    let reference = Reference::new();
    for at in 0..reference.reads {
        let plan = Some(Plan { at, count: 1, of_reads: true, fault: Fault::Io });
        let trial = Trial::new(&reference, plan, at, format!("read {at} fails"));
        trial.run_with_retries();
        trial.lose_power(reference.last(), Survival::Synced);
    }
}

#[test]
fn random_faults_one_after_the_other_lose_nothing() {
    let reference = Reference::new();
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match variable("PERENNIAL_FAULT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("PERENNIAL_FAULT_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let trial = Trial::new(&reference, None, seed, format!("PERENNIAL_FAULT_SEED={seed}"));
        let mut done = 0;
        while done < reference.last() {
            let faults = [Fault::Crash, Fault::Io, Fault::Full, Fault::Short];
            let fault = faults[usize::try_from(dice.below(4)).unwrap()];
            let plan = Plan { at: dice.below(60), count: 1 + dice.below(5), of_reads: false, fault };
            done = trial.run_from(done, plan);
            let survival = SURVIVALS[usize::try_from(dice.below(3)).unwrap()];
            if trial.mount.disk().is_dead() || dice.below(2) == 0 {
                trial.mount.disk().restart(trial.folder.path(), survival);
            }
            trial.mount.disk().set_plan(None);
        }
        trial.lose_power(done, Survival::Synced);
    }
}

/// What a new database has in it.
fn new_contents() -> String {
    let folder = TempDir::new().unwrap();
    testing::contents(Store::open(&folder.path().join(NAME)).unwrap().db())
}

#[test]
fn a_database_that_was_not_made_to_the_end_is_made_by_the_next_start() {
    let expected = new_contents();
    for fault in [Fault::Crash, Fault::Io, Fault::Full, Fault::Short] {
        for (at, survival) in (0..).flat_map(|at| SURVIVALS.map(|survival| (at, survival))) {
            let label = format!("{fault:?} at {at}, {survival:?}");
            let folder = TempDir::new().unwrap();
            let path = folder.path().join(NAME);
            let mount = Mount::new(folder.path(), Disk::new(once(at, fault), at));
            match Store::open(&path) {
                Ok(store) => drop(store),
                Err(error) => check_store_words(error, &label),
            }
            if mount.disk().mutations() <= at {
                break;
            }
            mount.disk().restart(folder.path(), survival);
            let store = Store::open(&path).unwrap_or_else(|error| panic!("{label}: {error}"));
            assert_eq!(testing::contents(store.db()), expected, "{label}");
        }
    }
}

#[test]
fn a_disk_without_room_for_the_index_is_full_and_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(NAME);
    drop(Store::open(&path).unwrap());
    let mount = Mount::new(folder.path(), Disk::new(None, 0));
    mount.disk().set_no_room(true);
    let error = Store::open(&path).unwrap_err();
    assert!(error.is_storage_full(), "{error}");
    let said = error.to_string();
    assert!(said.contains("the disk is full") && said.contains("make space on its disk"), "{said}");
    mount.disk().set_no_room(false);
    Store::open(&path).unwrap();
}

#[test]
fn what_was_flushed_is_committed_however_little_room_is_left() {
    let record = Record {
        at: Timestamp::from_second(1),
        token: "t".to_owned(),
        name: "n".to_owned(),
        request: "r".repeat(9_000),
        account: None,
        resource: None,
        operation: "GET /".to_owned(),
        reason: None,
        status: 200,
        outcome: "done".to_owned(),
        revision: None,
    };
    let mut endings = BTreeSet::new();
    for room in (0..400 << 10).step_by(2 << 10) {
        let folder = TempDir::new().unwrap();
        let mount = Mount::new(folder.path(), Disk::new(None, 0));
        let mut store = Store::open(&folder.path().join(NAME)).unwrap();
        mount.disk().set_room(Some(room));
        let mut is_flushed = false;
        let written = store.write(|tx| {
            audit::insert(tx, &record)?;
            tx.flush()?;
            is_flushed = true;
            Ok::<_, StoreError>(())
        });
        assert_eq!(written.is_ok(), is_flushed, "{room} bytes of room: {written:?}");
        endings.insert(is_flushed);
    }
    assert_eq!(endings.len(), 2, "some rooms are too small, and some are not");
}

const YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");

/// A year of schema 3 on a disk that fails as planned.
fn year(path: &Path, plan: Option<Plan>, seed: u64) -> Mount {
    std::fs::copy(YEAR, path).unwrap();
    Mount::new(path.parent().unwrap(), Disk::new(plan, seed))
}

#[test]
fn a_migration_that_a_crash_ends_is_done_by_the_next_start() {
    let folder = TempDir::new().unwrap();
    let mount = year(&folder.path().join(NAME), None, 0);
    let expected = testing::contents(Store::open(&folder.path().join(NAME)).unwrap().db());
    let mutations = mount.disk().mutations();
    let mut dice = Dice::new(11);
    for number in 0..24 {
        let (at, survival) = (dice.below(mutations), SURVIVALS[number % 3]);
        let label = format!("crash at {at} of {mutations}, {survival:?}");
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(NAME);
        let mount = year(&path, once(at, Fault::Crash), at);
        drop(Store::open(&path));
        assert!(mount.disk().is_dead(), "{label}");
        mount.disk().restart(folder.path(), survival);
        let store = Store::open(&path).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert!(testing::contents(store.db()) == expected, "{label}: it is another database");
    }
}
