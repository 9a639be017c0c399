//! One run of the workload on a disk that fails, and what must be so of it afterwards.

use perennial_engine::Engine;
use perennial_store::integrity;
use tempfile::TempDir;

use crate::check_store_words;
use crate::check_words;
use crate::disk::Disk;
use crate::disk::Plan;
use crate::disk::Survival;
use crate::vfs::Mount;
use crate::workload;
use crate::workload::NAME;
use crate::workload::Run;
use crate::workload::Step;

/// The most failures of one run: no plan has so many.
const TRIES_MAX: usize = 20;

/// What a disk that does not fail leads to.
pub struct Reference {
    folder: TempDir,
    /// What each number of acknowledged steps leaves.
    pub steps: Vec<Step>,
    /// The writes, truncations, syncs and deletions of a run.
    pub mutations: u64,
    /// The number of reads.
    pub reads: u64,
}

impl Reference {
    /// Plays it once to know the states, and once to count operations.
    pub fn new() -> Reference {
        let folder = TempDir::new().unwrap();
        workload::make(folder.path());
        let mut reference = Reference { folder, steps: Vec::new(), mutations: 0, reads: 0 };
        let states = Trial::new(&reference, None, 0, "states".to_owned());
        let steps = workload::reference(states.folder.path());
        drop(states);
        let counted = Trial::new(&reference, None, 0, "operations".to_owned());
        Run::new().go_on(&mut workload::open(counted.folder.path()).unwrap()).unwrap();
        let mutations = counted.mount.disk().mutations();
        let reads = counted.mount.disk().reads();
        drop(counted);
        (reference.steps, reference.mutations, reference.reads) = (steps, mutations, reads);
        let found = (reference.steps.len(), mutations, reads);
        assert!(found.0 > 20 && mutations > 100 && reads > 5, "there is little to fail: {found:?}");
        reference
    }

    /// How many steps a whole run has.
    pub fn last(&self) -> usize {
        self.steps.len() - 1
    }
}

/// A copy of the reference's database on a disk that fails as planned.
pub struct Trial<'r> {
    reference: &'r Reference,
    /// The folder of the database.
    pub folder: TempDir,
    /// The disk of the trial.
    pub mount: Mount,
    /// Which one it is, for messages.
    pub label: String,
}

impl<'r> Trial<'r> {
    /// A copy on such a disk.
    pub fn new(reference: &'r Reference, plan: Option<Plan>, seed: u64, label: String) -> Trial<'r> {
        let folder = TempDir::new().unwrap();
        std::fs::copy(reference.folder.path().join(NAME), folder.path().join(NAME)).unwrap();
        let mount = Mount::new(folder.path(), Disk::new(plan, seed));
        Trial { reference, folder, mount, label }
    }

    /// Runs until something fails; returns how many steps were acknowledged.
    pub fn run_once(&self) -> usize {
        let mut run = Run::new();
        match workload::open(self.folder.path()) {
            Ok(mut engine) => {
                if let Err(error) = run.go_on(&mut engine) {
                    check_words(&error, &self.label);
                }
            }
            Err(error) => check_store_words(error, &self.label),
        }
        run.acknowledged
    }

    /// Runs to the end; the same process tries again what fails, as it does while a disk is full.
    pub fn run_with_retries(&self) {
        let mut engine = self.open_with_retries();
        let mut run = Run::new();
        for _ in 0..TRIES_MAX {
            let Err(error) = run.go_on(&mut engine) else {
                assert_eq!(run.acknowledged, self.reference.last(), "{}", self.label);
                self.mount.disk().set_plan(None);
                assert_eq!(self.step_of(&engine, run.acknowledged), run.acknowledged, "{}", self.label);
                return;
            };
            check_words(&error, &self.label);
        }
        panic!("{}: it fails for ever", self.label);
    }

    /// Runs to the end; what fails ends the process, and the next one goes on.
    pub fn run_with_restarts(&self) {
        let mut acknowledged = 0;
        for _ in 0..TRIES_MAX {
            let mut engine = self.open_with_retries();
            acknowledged = self.step_of(&engine, acknowledged);
            let mut run = Run::after(&self.reference.steps, acknowledged);
            let ended = run.go_on(&mut engine);
            acknowledged = run.acknowledged;
            let Err(error) = ended else { return };
            check_words(&error, &self.label);
        }
        panic!("{}: it fails for ever", self.label);
    }

    /// Goes on after `acknowledged` steps, on a disk that fails as planned from then on, and tries what fails again, three
    /// times; returns how many steps were acknowledged.
    pub fn run_from(&self, acknowledged: usize, plan: Plan) -> usize {
        let mut engine =
            workload::open(self.folder.path()).unwrap_or_else(|error| panic!("{}: {error}", self.label));
        let mut run = Run::after(&self.reference.steps, self.step_of(&engine, acknowledged));
        self.mount.disk().set_plan(Some(plan));
        for _ in 0..3 {
            match run.go_on(&mut engine) {
                Ok(()) => break,
                Err(error) => check_words(&error, &self.label),
            }
        }
        run.acknowledged
    }

    /// The power goes after so many steps were acknowledged. The next start finds them all, keeps every promise and goes on
    /// to the end, and that is not lost either.
    pub fn lose_power(&self, acknowledged: usize, survival: Survival) {
        self.mount.disk().restart(self.folder.path(), survival);
        let mut engine =
            workload::open(self.folder.path()).unwrap_or_else(|error| panic!("{}: {error}", self.label));
        let mut run = Run::after(&self.reference.steps, self.step_of(&engine, acknowledged));
        run.go_on(&mut engine).unwrap();
        assert_eq!(run.acknowledged, self.reference.last(), "{}", self.label);
        // Not closed in order: what was acknowledged must not wait for that.
        self.mount.disk().set_plan(crate::once(0, crate::disk::Fault::Crash));
        drop(engine);
        self.mount.disk().restart(self.folder.path(), Survival::Synced);
        let engine = workload::open(self.folder.path()).unwrap();
        assert_eq!(self.step_of(&engine, run.acknowledged), run.acknowledged, "{}", self.label);
    }

    /// Which step the database is after: as many as were acknowledged, or the one that was under way, too.
    fn step_of(&self, engine: &Engine, acknowledged: usize) -> usize {
        let violations = integrity::check(engine.db()).unwrap();
        assert_eq!(violations, [], "{}", self.label);
        let found = workload::state(engine);
        let mut steps = self.reference.steps.iter().enumerate().skip(acknowledged).take(2);
        let step = steps.find(|(_, step)| step.state == found).map(|(index, _)| index);
        step.unwrap_or_else(|| {
            let other = self.reference.steps.iter().position(|step| step.state == found);
            panic!("{}: {acknowledged} steps were acknowledged, and it is after {other:?}", self.label)
        })
    }

    fn open_with_retries(&self) -> Engine {
        let tries = (0..TRIES_MAX).find_map(|_| match workload::open(self.folder.path()) {
            Ok(engine) => Some(engine),
            Err(error) => {
                check_store_words(error, &self.label);
                None
            }
        });
        tries.unwrap_or_else(|| panic!("{}: it cannot be opened", self.label))
    }
}
