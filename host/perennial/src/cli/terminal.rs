//! The terminal: its width, its colours, its progress bars, and the log.

use std::io;
use std::io::IsTerminal;
use std::io::Write;

use console::Term;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;
use perennial_domain::timestamp::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::cli::Colour;
use crate::cli::Context;
use crate::cli::lossy_log::LossyLog;
use crate::cli::safe_log::SafeLog;
use crate::cli::safe_log::safe_lines;
use crate::config::LogFormat;
use crate::report::Style;

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Context {
    /// How text on the standard output looks: no wider than the terminal, if it is one.
    pub(super) fn stdout_style(&self) -> Style {
        let is_terminal = io::stdout().is_terminal();
        let terminal = || Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        let width = self.width.or_else(|| if is_terminal { terminal() } else { None });
        Style { colours: self.wants_colours(is_terminal), width }
    }

    /// How text in a file looks.
    pub(super) fn file_style(&self) -> Style {
        Style { width: self.width, ..Style::PLAIN }
    }

    /// How text on the standard error looks.
    pub(super) fn stderr_style(&self) -> Style {
        Style { colours: self.wants_colours(io::stderr().is_terminal()), width: None }
    }

    /// Says what went wrong on the standard error. If that is full or closed, the exit code still says it.
    pub(super) fn complain(&self, what: &str) {
        let line = format!("{}: {}\n", self.stderr_style().alarm("error"), safe_lines(what));
        // By way of the log, which nobody waits for.
        drop(LossyLog::standard().write_all(line.as_bytes()));
        LossyLog::standard().settle();
    }

    fn wants_colours(&self, is_terminal: bool) -> bool {
        match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Logs go to the standard error; `RUST_LOG` says how much, and without it `level`.
    pub(super) fn log(&self, format: LogFormat, level: &str) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_target(false)
            // It would say on the standard error that the standard error cannot be written, and panic.
            .log_internal_errors(false);
        match format {
            LogFormat::Text => {
                let has_colours = self.wants_colours(io::stderr().is_terminal());
                let safe = move || SafeLog::new(LossyLog::standard(), has_colours);
                log.with_ansi(has_colours).with_writer(safe).init();
            }
            // JSON writes out what would steer by itself, but for what only turns the direction.
            LogFormat::Json => log.json().flatten_event(true).with_writer(LossyLog::standard).init(),
        }
    }

    /// A bar of what was read, where a terminal is there to see it.
    pub(super) fn count(&self, what: &'static str) -> Count {
        let target = match self.color {
            Colour::Never => ProgressDrawTarget::hidden(),
            Colour::Auto | Colour::Always => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = "{prefix} {bar:40} {pos} of {len}, {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        bar.set_prefix(what);
        Count { bar }
    }

    /// A bar that goes from one instant to another, where a terminal is there to see it.
    pub(super) fn progress(&self, what: &'static str, from: Timestamp, until: Timestamp) -> Progress {
        let days = (until - from).max(0) / DAY + 1;
        let target = match self.color {
            Colour::Never => ProgressDrawTarget::hidden(),
            Colour::Auto | Colour::Always => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(days.unsigned_abs()), target);
        let template = "{prefix} {bar:40} {percent:>3} % {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        bar.set_prefix(what);
        Progress { bar, from, day: -1 }
    }
}

/// How much of a list was read, for people.
pub(super) struct Count {
    bar: ProgressBar,
}

impl Count {
    /// So much was read, of so much; 0 when nobody says of how much.
    pub(super) fn reach(&self, read: u64, of: u64, what: &str) {
        self.bar.set_length(of.max(read));
        self.bar.set_position(read);
        self.bar.set_message(what.to_owned());
    }

    /// It is over; the bar goes away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// How far a simulation has come, for people.
pub(super) struct Progress {
    bar: ProgressBar,
    from: Timestamp,
    day: i64,
}

impl Progress {
    /// It has come to `at`.
    pub(super) fn reach(&mut self, at: Timestamp) {
        let day = (at - self.from).max(0) / DAY;
        if day != self.day {
            self.day = day;
            self.bar.set_position(day.unsigned_abs());
            self.bar.set_message(at.to_string().chars().take(10).collect::<String>());
        }
    }

    /// It is over; the bar goes away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
