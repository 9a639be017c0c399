//! What plugins failed at in a simulation: said once for all resources, at the end. Knows events, and no engine.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::time_zone::TimeZone;

use crate::report::text::printable;

/// How many different failures are said; the rest are counted.
const LISTED_MAX: usize = 10;

/// The failures of a simulation, by what was said of them: which plugin, in which function, and why.
#[derive(Debug, Default)]
pub(super) struct PluginFailures(BTreeMap<String, PluginFailure>);

/// Failures of which the same was said.
#[derive(Debug)]
struct PluginFailure {
    /// The resources whose bundles it was asked about, by account.
    bundles: BTreeSet<(String, String)>,
    first_at: Timestamp,
}

/// A simulation in which plugins failed shows what would happen with them failing: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct PluginsFailed(String);

impl PluginFailures {
    /// Takes in an event.
    pub(super) fn record(&mut self, account: Option<&str>, event: &Event) {
        let EventKind::PluginFailed { message, .. } = &event.what else { return };
        let new = || PluginFailure { bundles: BTreeSet::new(), first_at: event.at };
        let failure = self.0.entry(message.clone()).or_insert_with(new);
        let resource = event.resource.clone().unwrap_or_default();
        failure.bundles.insert((account.unwrap_or_default().to_owned(), resource));
    }

    /// # Errors
    ///
    /// When there was one: everything there is to say of them.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(PluginsFailed(self.to_string()).into()) }
    }
}

impl fmt::Display for PluginFailures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bundles = self.0.values().flat_map(|failure| &failure.bundles).collect::<BTreeSet<_>>().len();
        let noun = if bundles == 1 { "bundle" } else { "bundles" };
        write!(
            out,
            "plugins gave no usable answer about {bundles} {noun}, which kept their state meanwhile:"
        )?;
        for (message, failure) in self.0.iter().take(LISTED_MAX) {
            let count = failure.bundles.len();
            let noun = if count == 1 { "bundle" } else { "bundles" };
            let (account, resource) = failure.bundles.first().cloned().unwrap_or_default();
            let first = printable(&format!("`{resource}` of `{account}`"));
            let at = TimeZone::UTC.minute(failure.first_at);
            write!(out, "\n  {count} {noun}, such as {first}, first at {at}: {}", indented(message))?;
        }
        let more = self.0.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            write!(out, "\n  and {more} other failures")?;
        }
        write!(out, "\nwith RUST_LOG=info, the log has what they were asked, for their authors")
    }
}

/// A message of several lines, such as one with a plugin's own words in it.
fn indented(message: &str) -> String {
    message.lines().map(printable).collect::<Vec<_>>().join("\n    ")
}
