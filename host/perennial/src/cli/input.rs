//! Reads the input of commands: files, the configuration, instants. Reports all problems of a file together.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::IntErrorKind;
use std::ops::Bound;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::config;
use crate::config::Config;
use crate::config::ConfigError;
use perennial_formats::body::ID_MAX;
use perennial_formats::body::LATEST;
use perennial_formats::inventory::Inventory;
use perennial_formats::scenario;
use perennial_formats::scenario::ScenarioEntry;
use perennial_formats::visible_id;
use perennial_sandbox::bounded_file;

/// The largest file of every other kind, in bytes: configuration, scripts, tables, scenarios, plans, keys.
const FILE_MAX: u64 = 64 << 20;

/// An instant of the command line: RFC 3339, or a date alone, which is midnight UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let midnight = || format!("{text}T00:00:00Z").parse().ok();
    text.parse().ok().or_else(midnight).ok_or_else(|| {
        format!(
            "`{text}` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`, or a date alone, such as \
             `2026-02-28`, which is midnight UTC"
        )
    })
}

/// An instant that a clock comes to, which is before the year 9000: the rules count on from there, and the calendar ends
/// with the year 9999.
pub(super) fn clock_instant(text: &str) -> Result<Timestamp, String> {
    let at = instant(text)?;
    if at < LATEST {
        Ok(at)
    } else {
        Err(format!("{at} is not before {LATEST}; nothing can be counted from there"))
    }
}

/// A length of time such as `1month`, `12 months` or `10days`, as the admin API takes it.
pub(super) fn term(text: &str) -> Result<Value, String> {
    let wrong = || {
        format!("`{text}` is no term; write a number of days, months or years, such as `1month` or `2years`")
    };
    let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
    let (count, unit) = text.split_at(digits);
    let unit = unit.trim();
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let unit = TermUnit::ALL.into_iter().find(|known| known.name() == unit).ok_or_else(wrong)?;
    let term = count.parse().ok().and_then(|count| Term::new(count, unit)).ok_or_else(wrong)?;
    Ok(json!({ "count": term.count, "unit": term.unit.name() }))
}

/// Refuses a name that is given twice, of which only one value would count.
pub(super) fn check_once<'n>(what: &str, mut names: impl Iterator<Item = &'n str>) -> Result<(), UserError> {
    let mut seen = BTreeSet::new();
    match names.find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(twice) => Err(UserError::Argument(format!(
            "the {what} `{twice}` is given twice; say once what it is to be"
        ))),
    }
}

/// A name and a value, such as `env=prod`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("`{text}` is no name with a value; write `NAME=VALUE`")),
    }
}

/// A decimal that is not negative, such as `99.00`.
pub(super) fn amount(text: &str) -> Result<String, String> {
    match text.parse::<Micros>() {
        Ok(amount) if amount < Micros::ZERO => Err(format!("{amount} is negative; write 0.00 or more")),
        Ok(amount) => Ok(amount.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// A decimal above zero, such as `99.00`.
pub(super) fn amount_above_zero(text: &str) -> Result<String, String> {
    match text.parse::<Micros>() {
        Ok(amount) if amount <= Micros::ZERO => {
            Err(format!("{amount} is not above 0.00; write an amount such as `99.00`"))
        }
        Ok(amount) => Ok(amount.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// A whole number in this range.
pub(super) fn whole<N: TryFrom<i64>>(
    range: impl RangeBounds<i64> + Clone + Debug,
) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let least = match range.start_bound() {
            Bound::Included(least) => *least,
            Bound::Excluded(_) | Bound::Unbounded => 0,
        };
        let number = text.parse::<i64>().map_err(|error| {
            if matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) {
                return format!("{text} is not in {range:?}");
            }
            format!("`{text}` is no whole number; write one such as `{}`", least.max(1))
        })?;
        let found = N::try_from(number).ok().filter(|_| range.contains(&number));
        found.ok_or_else(|| format!("{number} is not in {range:?}"))
    }
}

/// A command, with a number below zero taken for a value and not for an option, so that what is said is about the number.
pub(super) fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| match argument.get_action().takes_values() {
        true => argument.allow_negative_numbers(true),
        false => argument,
    });
    command.mut_subcommands(with_negative_numbers)
}

/// Whether a file's name stands for the standard input or output.
pub(super) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// What a file is called in messages.
pub(super) fn shown(path: &Path) -> String {
    if is_standard(path) { "the standard input".to_owned() } else { format!("`{}`", path.display()) }
}

/// A name that somebody gives to something, such as a key: what the admin API takes, too.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty; say what it is for".to_owned());
    }
    if text.chars().count() > ID_MAX || text.chars().any(char::is_control) {
        return Err(format!("a name has at most {ID_MAX} characters, and no control characters"));
    }
    if let Some(fault) = visible_id::fault("name", text) {
        return Err(fault);
    }
    Ok(text.to_owned())
}

impl Context {
    /// The configuration: the file that was named, if any, and the environment.
    pub(super) fn config(&self) -> Result<&Config, UserError> {
        match self.settings.get() {
            Some(config) => Ok(config),
            None => {
                let config = self.read_config()?;
                Ok(self.settings.get_or_init(|| config))
            }
        }
    }

    fn read_config(&self) -> Result<Config, UserError> {
        if self.config.as_deref().is_some_and(|path| path.as_os_str().is_empty()) {
            let message = "`--config` names no file: leave it out, or name the configuration";
            return Err(UserError::Argument(message.to_owned()));
        }
        let text = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let name = self.config.as_deref().map_or("the environment".to_owned(), shown);
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        config::read(&text, environment).map_err(|error| {
            UserError::Argument(match error {
                // The file has nothing to do with it.
                ConfigError::UnknownVariable { .. } => error.to_string(),
                ConfigError::NotToml(_) | ConfigError::Wrong(_) => format!("{name} cannot be used: {error}"),
            })
        })
    }
}

/// The standard input, which can be read once: an option that names it again would find nothing there.
pub(super) fn standard_input() -> std::io::Result<String> {
    text(standard_bytes(FILE_MAX)?)
}

fn standard_bytes(max: u64) -> std::io::Result<Vec<u8>> {
    static WAS_READ: AtomicBool = AtomicBool::new(false);
    if WAS_READ.swap(true, Ordering::Relaxed) {
        return Err(std::io::Error::other("`-` can be named once, and it was read already; name a file"));
    }
    bounded_file::read_from(std::io::stdin(), max)
}

/// What a file says, in UTF-8.
fn text(bytes: Vec<u8>) -> std::io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let whole = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + whole.iter().filter(|byte| **byte == b'\n').count();
        let message = format!("line {line} is not in UTF-8; save the file in that encoding");
        std::io::Error::new(std::io::ErrorKind::InvalidData, message)
    })
}

/// A file's text; `-` is the standard input.
pub(super) fn read(path: &Path) -> Result<String, UserError> {
    read_up_to(path, FILE_MAX)
}

/// A text file of at most `max` bytes; `-` is the standard input.
pub(super) fn read_up_to(path: &Path, max: u64) -> Result<String, UserError> {
    let bytes = match is_standard(path) {
        true => standard_bytes(max),
        false => bounded_file::read(path, max),
    };
    bytes.and_then(text).map_err(|source| UserError::Unreadable { path: path.to_owned(), source })
}

/// A file's bytes, which are at most [`FILE_MAX`]; `-` is the standard input.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, UserError> {
    let bytes = match is_standard(path) {
        true => standard_bytes(FILE_MAX),
        false => bounded_file::read(path, FILE_MAX),
    };
    bytes.map_err(|source| UserError::Unreadable { path: path.to_owned(), source })
}

/// Refuses `-` where a file of its own is needed; `why` follows the name of the argument.
pub(super) fn refuse_standard(path: &Path, argument: &str, why: &str) -> Result<(), UserError> {
    match is_standard(path) {
        true => Err(UserError::Argument(format!("{argument} {why}, so it cannot be `-`; name a file"))),
        false => Ok(()),
    }
}

/// Reads a scenario for an inventory's accounts.
pub(super) fn scenario(
    path: &Path,
    text: &str,
    inventory: &Inventory,
) -> Result<Vec<ScenarioEntry>, UserError> {
    let accounts = inventory.accounts.iter().map(|account| account.id.as_str()).collect::<BTreeSet<_>>();
    scenario::read(text, &accounts).map_err(|problems| UserError::File { path: path.to_owned(), problems })
}
