//! A disk as it is behind the system's cache: what a loss of power leaves of files, and which operation fails.
//!
//! Knows bytes and operations. SQLite's file layer is `vfs`'s.

use std::collections::BTreeMap;
use std::path::Path;

/// The part of a file that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// How an operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes: what is under way is done in part, and nothing is done after it.
    Crash,
    /// The disk says no. What a failing sync was about may be lost, although the cache shows it.
    Io,
    /// There is no space.
    Full,
    /// There is space for half of it.
    Short,
}

/// What a loss of power leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// Nothing that was not synced.
    Synced,
    /// Everything that was written.
    Everything,
    /// Some sectors, in no order.
    Torn,
}

/// Which operations a fault is about, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first of them.
    pub at: u64,
    /// How many from there on.
    pub count: u64,
    /// Whether reads are counted; otherwise writes, truncations, syncs and deletions are.
    pub of_reads: bool,
    /// How each goes wrong.
    pub fault: Fault,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The disk did what was asked.
    Done,
    /// So many bytes of it are done, and there is no space for more.
    Short(usize),
    /// Nothing of it is done: the disk fails, or there is no space.
    Failed {
        /// Whether for want of space.
        is_full: bool,
    },
}

/// Numbers that look random, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Those of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next one, below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// A file: what is on the disk, and what is only in the cache.
#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    cached: Vec<Change>,
}

impl File {
    fn length(&self) -> usize {
        self.cached.iter().fold(self.synced.len(), |length, change| match change {
            Change::Write { offset, bytes } => length.max(offset + bytes.len()),
            Change::Truncate(length) => *length,
        })
    }
}

/// The disk under one folder.
#[derive(Debug)]
pub struct Disk {
    files: BTreeMap<String, File>,
    /// Files that were deleted, while a loss of power may bring them back.
    deleted: BTreeMap<String, File>,
    plan: Option<Plan>,
    dice: Dice,
    is_dead: bool,
    /// Whether there is no room for the index of the log.
    has_no_room: bool,
    /// By how many bytes files may grow; `None` for any.
    room: Option<usize>,
    mutations: u64,
    reads: u64,
}

impl Disk {
    /// A disk that fails as planned.
    pub fn new(plan: Option<Plan>, seed: u64) -> Disk {
        let (files, deleted) = Default::default();
        Disk {
            files,
            deleted,
            plan,
            dice: Dice::new(seed),
            is_dead: false,
            has_no_room: false,
            room: None,
            mutations: 0,
            reads: 0,
        }
    }

    /// How many writes, truncations, syncs and deletions there were.
    pub fn mutations(&self) -> u64 {
        self.mutations
    }

    /// How many reads there were.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Whether the power is gone.
    pub fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Fails as planned from here on.
    pub fn set_plan(&mut self, plan: Option<Plan>) {
        (self.plan, self.mutations, self.reads) = (plan, 0, 0);
    }

    /// A file of this name is opened, which has `bytes` unless it is known already.
    pub fn open(&mut self, name: &str, bytes: impl FnOnce() -> Vec<u8>) {
        if !self.files.contains_key(name) {
            self.deleted.remove(name);
            self.files.insert(name.to_owned(), File { synced: bytes(), cached: Vec::new() });
        }
    }

    /// A file was written whole and synced, without the disk being asked.
    pub fn rewritten(&mut self, name: &str, bytes: Vec<u8>) {
        if !self.is_dead {
            self.files.insert(name.to_owned(), File { synced: bytes, cached: Vec::new() });
        }
    }

    /// What becomes of a read.
    pub fn read(&mut self) -> Verdict {
        self.reads += 1;
        match self.fault_at(self.reads - 1, true) {
            None if !self.is_dead => Verdict::Done,
            None | Some(_) => Verdict::Failed { is_full: false },
        }
    }

    /// What becomes of a write.
    pub fn write(&mut self, name: &str, offset: usize, bytes: &[u8]) -> Verdict {
        let (whole, half) = (bytes.len(), bytes.len() / 2);
        if !self.takes_room(name, offset + whole) {
            return Verdict::Failed { is_full: true };
        }
        let (done, verdict) = match self.next_fault() {
            _ if self.is_dead => return Verdict::Failed { is_full: false },
            None => (whole, Verdict::Done),
            Some(Fault::Crash) => (whole, self.die()),
            Some(Fault::Io) => return Verdict::Failed { is_full: false },
            Some(Fault::Full) => return Verdict::Failed { is_full: true },
            Some(Fault::Short) => (half, Verdict::Short(half)),
        };
        self.change(name, Change::Write { offset, bytes: bytes[..done].to_vec() });
        verdict
    }

    /// Has room for files to grow by so many bytes from here on, or for anything.
    pub fn set_room(&mut self, room: Option<usize>) {
        self.room = room;
    }

    /// Takes the room that a file needs to be so long, if there is enough.
    fn takes_room(&mut self, name: &str, length: usize) -> bool {
        let Some(room) = self.room else { return true };
        let growth = length.saturating_sub(self.files.get(name).map_or(0, File::length));
        self.room = room.checked_sub(growth).or(self.room);
        growth <= room
    }

    /// Has no room for the index of the log from here on, or has it again.
    pub fn set_no_room(&mut self, has_no_room: bool) {
        self.has_no_room = has_no_room;
    }

    /// What becomes of making the index of the log longer, which is in no cache: it is made anew after a loss of power.
    pub fn extend_index(&mut self) -> Verdict {
        match self.next_fault() {
            _ if self.is_dead => Verdict::Failed { is_full: false },
            Some(Fault::Crash) => self.die(),
            Some(Fault::Io) => Verdict::Failed { is_full: false },
            Some(Fault::Full | Fault::Short) => Verdict::Failed { is_full: true },
            None if self.has_no_room => Verdict::Failed { is_full: true },
            None => Verdict::Done,
        }
    }

    /// What becomes of a truncation.
    pub fn truncate(&mut self, name: &str, length: usize) -> Verdict {
        let verdict = match self.next_fault() {
            _ if self.is_dead => return Verdict::Failed { is_full: false },
            None => Verdict::Done,
            Some(Fault::Crash) => self.die(),
            Some(Fault::Io | Fault::Full | Fault::Short) => return Verdict::Failed { is_full: false },
        };
        self.change(name, Change::Truncate(length));
        verdict
    }

    /// What becomes of a sync. One that fails forgets some of what it was about, and the next one knows nothing of that.
    pub fn sync(&mut self, name: &str) -> Verdict {
        let fault = self.next_fault();
        if self.is_dead || fault == Some(Fault::Crash) {
            return self.die();
        }
        let file = self.files.entry(name.to_owned()).or_default();
        for change in std::mem::take(&mut file.cached) {
            if fault.is_none() || self.dice.below(2) == 0 {
                apply(&mut file.synced, &change);
            }
        }
        if fault.is_none() { Verdict::Done } else { Verdict::Failed { is_full: false } }
    }

    /// What becomes of a deletion; `is_synced` says that no loss of power brings the file back.
    pub fn delete(&mut self, name: &str, is_synced: bool) -> Verdict {
        match self.next_fault() {
            _ if self.is_dead => return Verdict::Failed { is_full: false },
            Some(Fault::Crash) => return self.die(),
            Some(Fault::Io | Fault::Full | Fault::Short) => return Verdict::Failed { is_full: false },
            None => {}
        }
        let file = self.files.remove(name);
        if let Some(file) = file.filter(|_| !is_synced) {
            self.deleted.insert(name.to_owned(), file);
        }
        Verdict::Done
    }

    /// The power goes now, if it has not gone yet, and comes back: leaves in `folder` what `survival` says, on a disk that
    /// does not fail any more. Nobody has a file of it open.
    pub fn restart(&mut self, folder: &Path, survival: Survival) {
        let mut files = std::mem::take(&mut self.files);
        let deleted = std::mem::take(&mut self.deleted);
        if survival == Survival::Torn {
            files.extend(deleted.into_iter().filter(|_| self.dice.below(2) == 0));
        }
        for (name, file) in files {
            let mut bytes = file.synced;
            for change in &file.cached {
                match survival {
                    Survival::Synced => {}
                    Survival::Everything => apply(&mut bytes, change),
                    Survival::Torn => self.tear(&mut bytes, change),
                }
            }
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_name().to_str().is_some_and(|name| name.ends_with("-shm")) {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        *self = Disk::new(None, self.dice.below(u64::MAX));
    }

    fn tear(&mut self, bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Truncate(_) => {
                if self.dice.below(2) == 0 {
                    apply(bytes, change);
                }
            }
            Change::Write { offset, bytes: written } => {
                // All, none, or sector by sector.
                let way = self.dice.below(3);
                for (number, sector) in written.chunks(SECTOR).enumerate() {
                    if way == 0 || way == 1 && self.dice.below(2) == 0 {
                        let offset = offset + number * SECTOR;
                        apply(bytes, &Change::Write { offset, bytes: sector.to_vec() });
                    }
                }
            }
        }
    }

    fn change(&mut self, name: &str, change: Change) {
        self.files.entry(name.to_owned()).or_default().cached.push(change);
    }

    fn die(&mut self) -> Verdict {
        self.is_dead = true;
        Verdict::Failed { is_full: false }
    }

    fn next_fault(&mut self) -> Option<Fault> {
        self.mutations += 1;
        self.fault_at(self.mutations - 1, false)
    }

    fn fault_at(&self, number: u64, is_read: bool) -> Option<Fault> {
        let plan = self.plan.filter(|plan| plan.of_reads == is_read)?;
        (plan.at..plan.at.saturating_add(plan.count)).contains(&number).then_some(plan.fault)
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes: written } => {
            let end = offset + written.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(written);
        }
        Change::Truncate(length) => bytes.truncate(*length),
    }
}
