//! What the benchmark can be asked for. Knows no measurement.

use clap::Parser;
use clap::ValueEnum;

/// Measures the speed and memory of Perennial, as ratios.
#[derive(Debug, Parser)]
#[command(name = "speed", max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to measure; by default everything.
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
    /// How often each side is measured; the best counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Bundles due at once, for `tick` and `policies`, and the smaller number for `scale`.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub due: u32,
    /// The larger number of bundles due at once, for `scale`.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub many: u32,
    /// Resources in a bundle, 1 to 3, for `scale`.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
    pub members: u32,
    /// Resources, in bundles of three, for `simulate`, `forecast` and `pages`.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub resources: u32,
    /// Connections at once, each with one request under way, for `serve` and `endpoint`.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub connections: u32,
    /// How long each round takes, in seconds, for `serve`, `endpoint` and `attack`.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,
    /// Only attacks in whose names this is, for `attack`.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub kind: String,
    /// Cargo says so; it changes nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

const EXAMPLES: &str = "Examples:
  cargo bench
  cargo bench -- sandbox
  cargo bench -- tick --due 100000 --rounds 3
  cargo bench -- scale --many 300000
  cargo bench -- simulate --resources 10000
  cargo bench -- serve --connections 8
  cargo bench -- forecast
  cargo bench -- pages --rounds 3
  cargo bench -- endpoint
  cargo bench -- attack --rounds 3
  cargo bench -- attack --kind 'heads without end'
  cargo bench -- connected --rounds 2
  cargo bench -- languages
  cargo bench -- policies";

/// One of the things that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// A rule in the sandbox against the same rule compiled natively.
    Sandbox,
    /// A durable tick against a bare loop that writes the same rows.
    Tick,
    /// A tick over many bundles against a tick over few, per bundle.
    Scale,
    /// A simulation of a year against one of a month.
    Simulate,
    /// Requests to the admin API against requests to a bare handler that reads the same.
    Serve,
    /// A forecast through the admin API.
    Forecast,
    /// Every page of the console: how long it takes, and what it weighs.
    Pages,
    /// Signed renewals through the providers' own APIs against a bare handler that checks and writes the same.
    Endpoint,
    /// Requests to the admin API while 2,000 hostile connections are held, against requests in peace.
    Attack,
    /// Three scripts in the sandbox against the same outside of it, and a tick with policies against one without.
    Policies,
    /// A tick with a shadow revision against one without, and having another revision decide against one batch.
    Revisions,
    /// The same provider in every language: size, and fuel and time of a start, a timeline and a plan. It takes the languages' tools.
    Languages,
    /// Renewals on clouds against a bare loop of calls and commits, the first call after a crash, and a large sync.
    Connected,
}

impl Arguments {
    /// The parts asked for, in the order of the help.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let all = self.parts.is_empty();
        Part::value_variants().iter().copied().filter(move |part| all || self.parts.contains(part))
    }
}
