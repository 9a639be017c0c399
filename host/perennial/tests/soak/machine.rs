//! A machine whose clock runs fast, jumps, and whose disk fills up: `machine.c`, loaded before the C library of the program.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use perennial_domain::timestamp::Timestamp;

const NANOSECONDS: i64 = 1_000_000_000;

/// The machine that the program runs on.
pub struct Machine {
    library: PathBuf,
    control: PathBuf,
    file: std::fs::File,
    version: u64,
    /// Nanoseconds since the real machine booted, and what time it is then on this one.
    anchor: (i64, i64),
    rate: i64,
    is_full: bool,
}

impl Machine {
    /// One in `folder` on which it is `now`, and on which `rate` seconds pass in one.
    pub fn new(folder: &Path, now: Timestamp, rate: i64) -> Machine {
        let (library, control) = (folder.join("machine.so"), folder.join("machine"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soak/machine.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([source, "-ldl"]);
        assert!(
            compiler.status().unwrap().success(),
            "the machine is compiled by the C compiler that SQLite is"
        );
        let file = std::fs::File::create(&control).unwrap();
        let anchor = (booted(), now.as_second() * NANOSECONDS);
        let mut machine = Machine { library, control, file, version: 0, anchor, rate, is_full: false };
        machine.put();
        machine
    }

    /// Has a program run on it.
    pub fn host(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("SOAK_CONTROL", &self.control);
    }

    /// What time it is, to a few minutes.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_second((self.anchor.1 + (booted() - self.anchor.0) * self.rate) / NANOSECONDS)
    }

    /// Puts the clock forward, or back.
    pub fn jump(&mut self, seconds: i64) {
        self.anchor = (booted(), (self.now() + seconds).as_second() * NANOSECONDS);
        self.put();
    }

    /// Fills the disk, or makes space on it.
    pub fn fill(&mut self, is_full: bool) {
        self.is_full = is_full;
        self.put();
    }

    fn put(&mut self) {
        // While the version is odd, whoever asks waits.
        self.file.write_all_at(&(self.version + 1).to_ne_bytes(), 0).unwrap();
        let words = [self.anchor.0, self.anchor.1, self.rate, i64::from(self.is_full)];
        let bytes = words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        self.file.write_all_at(&bytes, 8).unwrap();
        self.version += 2;
        self.file.write_all_at(&self.version.to_ne_bytes(), 0).unwrap();
    }
}

/// Nanoseconds since the real machine booted, to a hundredth of a second.
fn booted() -> i64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let (seconds, rest) = uptime.split_once('.').unwrap();
    let hundredths = rest.split_whitespace().next().unwrap().parse::<i64>().unwrap();
    seconds.parse::<i64>().unwrap() * NANOSECONDS + hundredths * (NANOSECONDS / 100)
}
