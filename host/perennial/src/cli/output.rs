//! Writes the output of commands to a file or the terminal, with colours and progress where the user wants them.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::IsTerminal;
use std::io::Write;
use std::path::Path;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;
use perennial_domain::timestamp::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::cli::Colour;
use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::lossy_log::LossyLog;
use crate::config::LogFormat;
use crate::report::Style;

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Context {
    /// How text on the standard output looks.
    pub(super) fn stdout_style(&self) -> Style {
        Style { colours: self.wants_colours(io::stdout().is_terminal()) }
    }

    /// How text on the standard error looks.
    pub(super) fn stderr_style(&self) -> Style {
        Style { colours: self.wants_colours(io::stderr().is_terminal()) }
    }

    fn wants_colours(&self, is_terminal: bool) -> bool {
        match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Logs go to the standard error; `RUST_LOG` says how much.
    pub(super) fn log(&self, format: LogFormat) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(|| LossyLog(io::stderr()))
            // It would say on the standard error that the standard error cannot be written, and panic.
            .log_internal_errors(false)
            .with_target(false);
        match format {
            LogFormat::Text => log.with_ansi(self.wants_colours(io::stderr().is_terminal())).init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
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

/// The file at `path`, or the standard output.
pub(super) fn writer(path: Option<&Path>) -> Result<Box<dyn Write>, UserError> {
    match path {
        None => Ok(Box::new(BufWriter::new(io::stdout().lock()))),
        Some(path) => match File::create(path) {
            Ok(file) => Ok(Box::new(BufWriter::new(file))),
            Err(error) => Err(UserError::Argument(format!("cannot write `{}`: {error}", path.display()))),
        },
    }
}

/// Whether an error is only that nobody reads the output any more.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
