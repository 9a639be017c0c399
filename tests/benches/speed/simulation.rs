//! `perennial simulate` over a large inventory: time and peak memory, over a year and over a month.
//!
//! Each simulation is a process of its own, which is this program again as the `perennial` command, because the peak of
//! a process's memory never goes down.

use std::ffi::OsStr;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::inventory;
use perennial_formats::inventory::ImportedBundle;
use perennial_formats::inventory::Inventory;

use crate::arguments::Arguments;
use crate::figures;
use crate::world;

/// Set in the processes that this program starts. It is no key of theirs, which `PERENNIAL_` would say.
const CHILD: &str = "SPEED_CHILD";
/// What a child's line about its memory begins with.
const PEAK: &str = "peak memory in KiB: ";
const DAY: i64 = 86_400;

/// Whether this process is to be the `perennial` command.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Is the `perennial` command, and then tells the peak of its memory.
pub fn child() -> ExitCode {
    let code = perennial::cli::main();
    eprintln!("{PEAK}{}", peak_kib("self"));
    code
}

/// This program as the `perennial` command.
pub fn perennial() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(CHILD, "1");
    Ok(command)
}

/// The peak of a process's memory so far, in KiB; 0 where the system does not say.
pub fn peak_kib(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.parse().ok()).unwrap_or(0)
}

/// What a simulation took.
struct Cost {
    time: Duration,
    peak_kib: u64,
    events: usize,
}

/// Simulates a year and a month, and prints what they took.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bundles = arguments.resources.div_ceil(3);
    std::fs::write(folder.path().join("inventory.json"), inventory::write(&inventory(bundles)))?;
    let how = format!("{} resources of both providers in bundles of three, one run each", bundles * 3);
    figures::title("`perennial simulate`", &how);
    let month = simulate(folder.path(), 30)?;
    let year = simulate(folder.path(), 365)?;
    figures::row("365 days", year.time, "30 days", month.time, None);
    let mebibytes = |cost: &Cost| format!("{} MiB", cost.peak_kib >> 10);
    let ratio = |one: u64, other: u64| one as f64 / other.max(1) as f64;
    let grown = ratio(year.peak_kib, month.peak_kib);
    figures::cells(
        "peak memory over 365 days",
        &mebibytes(&year),
        "over 30 days",
        &mebibytes(&month),
        grown,
        Some(figures::Reach::AtMost(1.1)),
    );
    let (many, few) = (year.events, month.events);
    figures::cells(
        "events",
        &many.to_string(),
        "over 30 days",
        &few.to_string(),
        ratio(many as u64, few as u64),
        None,
    );
    Ok(())
}

/// Expiries are spread over a month; of seven bundles, five renew and two lapse.
pub fn inventory(bundles: u32) -> Inventory {
    let bundle = |number: u32| {
        let expires_at = world::START + i64::from(number % 29 + 1) * DAY + i64::from(number % 3_600);
        let on_expiry = if number % 7 < 5 { OnExpiry::Renew } else { OnExpiry::Lapse };
        let provider = world::provider_of(number);
        let bundle = world::bundle(provider, number, 3, expires_at, on_expiry);
        ImportedBundle { account: world::account_of(number), bundle }
    };
    Inventory {
        accounts: world::accounts(bundles, world::provider_of),
        bundles: (0..bundles).map(bundle).collect(),
    }
}

fn simulate(folder: &Path, days: i64) -> anyhow::Result<Cost> {
    let until: Timestamp = world::START + days * DAY - 1;
    let events = folder.join("events.jsonl");
    let (from, until) = (world::START.to_string(), until.to_string());
    let arguments = [
        OsStr::new("--cache"),
        folder.as_os_str(),
        OsStr::new("simulate"),
        OsStr::new("--inventory"),
        folder.join("inventory.json").as_os_str(),
        OsStr::new("--from"),
        OsStr::new(&from),
        OsStr::new("--until"),
        OsStr::new(&until),
        OsStr::new("--format"),
        OsStr::new("jsonl"),
        OsStr::new("--out"),
        events.as_os_str(),
    ]
    .map(OsStr::to_owned);
    let mut command = perennial()?;
    command.args(arguments);
    let (time, output) = figures::time(|| command.output());
    let output = output?;
    let told = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "the simulation failed: {told}");
    let peak = told.lines().find_map(|line| line.strip_prefix(PEAK)).context("a child tells its memory")?;
    Ok(Cost {
        time,
        peak_kib: peak.parse()?,
        events: BufReader::new(std::fs::File::open(&events)?).lines().count(),
    })
}
