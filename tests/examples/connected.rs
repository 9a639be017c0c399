//! Simulates renewals on clouds from many seeds, or from one that failed.
//!
//! `cargo run --release --example connected -- --attempts 1000000` runs until so many attempts were made, `--seeds N` runs N
//! seeds, `--seed N` runs one, and `--from N` says with which to begin. Ends with 1 at the first broken promise.

use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use perennial_test_support::connected::host::Figures;
use perennial_test_support::connected::host::Setup;
use perennial_test_support::connected::host::Violation;
use perennial_test_support::connected::host::simulate;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(
            arguments
                .get(at + 1)
                .and_then(|text| text.parse::<u64>().ok())
                .expect("a number after the option"),
        )
    };
    if let Some(seed) = number("--seed") {
        return report(simulate(&Setup::of_seed(seed)));
    }
    let from = number("--from").unwrap_or(0);
    let attempts = number("--attempts").unwrap_or(u64::MAX);
    let seeds = number("--seeds").unwrap_or(if attempts == u64::MAX { 1_000 } else { u64::MAX - from });
    report(run(from, seeds, attempts))
}

/// Runs seeds on every core until there are enough of them, or of attempts.
fn run(from: u64, seeds: u64, attempts: u64) -> Result<Figures, Violation> {
    let (next, made) = (AtomicU64::new(from), AtomicU64::new(0));
    let worker = || -> Result<Figures, Violation> {
        let mut total = Figures::default();
        while made.load(Ordering::Relaxed) < attempts {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - from >= seeds {
                break;
            }
            let figures =
                simulate(&Setup::of_seed(seed)).inspect_err(|_| made.store(u64::MAX, Ordering::Relaxed))?;
            made.fetch_add(figures.attempts, Ordering::Relaxed);
            total += figures;
        }
        Ok(total)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let workers = (0..cores).map(|_| scope.spawn(worker)).collect::<Vec<_>>();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect::<Vec<_>>()
    });
    let mut total = Figures::default();
    for part in parts {
        total += part?;
    }
    Ok(total)
}

fn report(result: Result<Figures, Violation>) -> ExitCode {
    match result {
        Ok(figures) => {
            println!("{figures}; 0 double payments, 0 lost renewals");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("{violation}");
            ExitCode::FAILURE
        }
    }
}
