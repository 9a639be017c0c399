//! Durable ticks: against a bare loop that writes the same rows, and over many bundles against over few.
//!
//! A database is prepared once, to the second before something is due for every bundle; each measurement works on a
//! copy of it. What opening, closing and copying take does not count.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use perennial_domain::bundle::OnExpiry;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::BATCH_MAX;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_store::Store;
use perennial_store::bench::tick::Bare;

use crate::arguments::Arguments;
use crate::figures;
use crate::world;
use crate::world::EXPIRY;
use crate::world::HUAWEI;
use crate::world::START;

/// What is due for every bundle.
#[derive(Clone, Copy)]
pub struct Work {
    name: &'static str,
    on_expiry: OnExpiry,
    /// Everything before is done beforehand ...
    prepared_to: Timestamp,
    /// ... and this is measured.
    due_by: Timestamp,
}

/// The first try of a renewal, seven days before expiry at 03:00 UTC+8: it is paid for and extends everything.
pub const RENEWAL: Work = Work {
    name: "renewal",
    on_expiry: OnExpiry::Renew,
    // 2026-01-12T18:59:59Z and one second later.
    prepared_to: Timestamp::from_second(1_768_244_399),
    due_by: Timestamp::from_second(1_768_244_400),
};

/// The end of what was paid for: everything enters grace.
const EXPIRING: Work = Work {
    name: "change of stage",
    on_expiry: OnExpiry::Lapse,
    prepared_to: Timestamp::from_second(EXPIRY.as_second() - 1),
    due_by: EXPIRY,
};

/// A durable tick against a bare loop that writes the same rows in the same transactions.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let how = format!(
        "per bundle of three, {} due in transactions of {BATCH_MAX}; best of {} rounds",
        arguments.due, arguments.rounds
    );
    figures::title("A durable tick", &how);
    for work in [RENEWAL, EXPIRING] {
        let bench = Bench::prepare(work, arguments.due, 3)?;
        let (mut engine, mut loop_) = (Duration::MAX, Duration::MAX);
        let mut bare = None;
        for _ in 0..arguments.rounds {
            figures::keep_best(&mut engine, bench.tick()?);
            let bare = match &mut bare {
                Some(bare) => bare,
                None => bare.insert(Bare::of_difference(&bench.before(), &bench.after())?),
            };
            figures::keep_best(&mut loop_, bench.bare_loop(bare)?);
        }
        let each = |time| figures::share(time, arguments.due);
        let what = format!("{}: rules, store and all", work.name);
        figures::row(&what, each(engine), "the same rows read and written, no rules", each(loop_), Some(1.5));
    }
    Ok(())
}

/// A tick over many bundles against a tick over few.
pub fn measure_scale(arguments: &Arguments) -> anyhow::Result<()> {
    let how = format!(
        "per renewed bundle of {}; best of {} rounds for the few",
        arguments.members, arguments.rounds
    );
    figures::title("A tick over many bundles", &how);
    let few = Bench::prepare(RENEWAL, arguments.due, arguments.members)?;
    let mut best = Duration::MAX;
    for _ in 0..arguments.rounds {
        figures::keep_best(&mut best, few.tick()?);
    }
    let many = Bench::prepare(RENEWAL, arguments.many, arguments.members)?.tick()?;
    let (few, many) = (figures::share(best, arguments.due), figures::share(many, arguments.many));
    let what = format!("{} due", arguments.many);
    figures::row(&what, many, &format!("{} due", arguments.due), few, Some(1.3));
    Ok(())
}

/// A prepared database, and what is measured over it.
pub struct Bench {
    folder: tempfile::TempDir,
    providers: Providers,
    work: Work,
    due: u32,
}

impl Work {
    /// When it is due.
    pub fn due_by(self) -> Timestamp {
        self.due_by
    }
}

impl Bench {
    /// A database in which `work` is due for so many bundles of so many members.
    pub fn prepare(work: Work, due: u32, members: u32) -> anyhow::Result<Bench> {
        let folder = tempfile::tempdir()?;
        let providers = world::providers(&world::plugins(folder.path())?);
        let bench = Bench { folder, providers, work, due };
        let mut engine = bench.engine(&bench.before(), &bench.providers)?;
        let number = |number| {
            (world::account_of(number), world::bundle(HUAWEI, number, members, EXPIRY, work.on_expiry))
        };
        // In pieces, so that they need not all be in memory at once.
        for start in (0..due).step_by(100_000) {
            let bundles = (start..due.min(start + 100_000)).map(number).collect::<Vec<_>>();
            let accounts = if start == 0 { world::accounts(due, |_| HUAWEI) } else { Vec::new() };
            engine.import(
                START,
                &accounts,
                bundles.iter().map(|(account, bundle)| (account.as_str(), bundle)),
            )?;
        }
        engine.run_to(work.prepared_to, &mut |_, _| {})?;
        let next_wake = engine.next_wake()?;
        anyhow::ensure!(
            next_wake == Some(work.due_by),
            "everything is due at {}, not {next_wake:?}",
            work.due_by
        );
        Ok(bench)
    }

    fn before(&self) -> PathBuf {
        self.folder.path().join("before.db")
    }

    fn after(&self) -> PathBuf {
        self.folder.path().join("after.db")
    }

    fn engine(&self, path: &Path, providers: &Providers) -> anyhow::Result<Engine> {
        Ok(Engine::new(Store::open(path)?, providers.clone(), Retention::Everything))
    }

    /// What the engine takes; the result is in `after.db`.
    fn tick(&self) -> anyhow::Result<Duration> {
        self.tick_of(&self.providers)
    }

    /// The same with other policies.
    pub fn tick_of(&self, providers: &Providers) -> anyhow::Result<Duration> {
        copy(&self.before(), &self.after())?;
        let mut engine = self.engine(&self.after(), providers)?;
        let mut happened = 0;
        let (taken, done) =
            figures::time(|| engine.run_to(self.work.due_by, &mut |recorded, _| happened += recorded.len()));
        done?;
        anyhow::ensure!(happened >= self.due as usize, "something happens to every bundle");
        Ok(taken)
    }

    /// The same after something was done to the database that does not count. What happens is the same for every bundle.
    pub fn tick_after(
        &self,
        providers: &Providers,
        prepare: impl FnOnce(&mut Engine) -> anyhow::Result<()>,
    ) -> anyhow::Result<Duration> {
        copy(&self.before(), &self.after())?;
        let mut engine = self.engine(&self.after(), providers)?;
        prepare(&mut engine)?;
        let (taken, done) = figures::time(|| engine.run_to(self.work.due_by, &mut |_, _| {}));
        done?;
        Ok(taken)
    }

    /// What the bare loop takes; that it wrote what the engine wrote is made sure of.
    fn bare_loop(&self, bare: &Bare) -> anyhow::Result<Duration> {
        let path = self.folder.path().join("bare.db");
        copy(&self.before(), &path)?;
        let mut store = Store::open(&path)?;
        let (taken, done) = figures::time(|| bare.run(&mut store, self.work.due_by, BATCH_MAX));
        done?;
        drop(store);
        for (one, other) in [(self.after(), path.clone()), (path, self.after())] {
            let difference = Bare::of_difference(&one, &other)?;
            let pending = difference.pending();
            anyhow::ensure!(
                pending.is_empty(),
                "the loop does not write what the engine writes: {pending:?}"
            );
        }
        Ok(taken)
    }
}

/// Copies a database that nobody has open; its log was written back when it was closed.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let mut left_over = to.as_os_str().to_owned();
        left_over.push(suffix);
        match std::fs::remove_file(&left_over) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::copy(from, to)?;
    Ok(())
}
