//! `demo --connected`: a season of a broker with a cloud and faults between them, in one process.

use std::path::Path;
use std::process::Command;
use std::process::Output;

/// Plays a season; what it printed, and whether it says that all is well.
fn season(folder: &Path, seed: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_perennial"))
        .args(["--cache", folder.join("cache").to_str().unwrap(), "demo", "--connected", "--seed", seed])
        .args(["--out", folder.join("season.html").to_str().unwrap()])
        .args(more)
        .output()
        .unwrap()
}

/// The number before a word in what was printed, summed over all lines that have it.
fn sum(told: &str, word: &str) -> u32 {
    let of_line = |line: &str| {
        let before = line.split(word).next().filter(|before| before.len() < line.len())?;
        before.split_whitespace().last()?.parse::<u32>().ok()
    };
    told.lines().filter(|line| line.contains(" tried ")).filter_map(of_line).sum()
}

#[test]
fn a_season_with_faults_pays_nothing_twice_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = season(folder.path(), "5", &["--save", folder.path().to_str().unwrap()]);
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{told}{}", String::from_utf8_lossy(&run.stderr));
    assert!(told.contains("Paid twice: 0. Lapsed: 0. Still open: 0."), "{told}");
    // A season without a fault would show nothing.
    let (tried, settled, in_doubt) = (sum(&told, " tried"), sum(&told, " settled"), sum(&told, " in doubt"));
    assert!(tried >= settled && settled > 0, "{told}");
    assert!(in_doubt > 0, "{told}");
    let page = std::fs::read_to_string(folder.path().join("season.html")).unwrap();
    assert!(page.contains("heron-lobby"), "the account is drawn");
    let inventory = std::fs::read_to_string(folder.path().join("demo-connected-inventory.json")).unwrap();
    assert!(inventory.contains("heron-lobby"));
    let faults = folder.path().join("demo-connected-faults.json");
    assert!(std::fs::read_to_string(&faults).unwrap().contains("fail_after"));
    std::fs::write(&faults, "[]").unwrap();
    let refused = season(folder.path(), "5", &["--save", folder.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2), "a file that somebody changed stays as it is");
    assert_eq!(std::fs::read_to_string(&faults).unwrap(), "[]");
}
