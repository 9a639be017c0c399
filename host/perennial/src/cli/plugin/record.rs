//! `perennial plugin test --record`: cases of what a host decided, from its API or its database.

use std::collections::BTreeSet;
use std::path::Path;

use perennial_formats::decision;
use perennial_formats::decision::CONTRACT;
use perennial_formats::plugin_case;
use perennial_sandbox::Plugin;
use serde_json::Value;

use crate::cli::UserError;
use crate::cli::input;
use crate::cli::items;
use crate::cli::output;
use crate::client::Client;
use crate::client::Request;

/// What a new file of cases begins with.
const HEADER: &str =
    "# What a host decided. Each case is a question that it asked, with the answer that it followed.\n";

/// What is recorded.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArguments {
    /// First add what a host decided to the cases: of one that runs (`--server`), or of the database.
    #[arg(long)]
    pub(super) record: bool,
    /// Only of this resource; may be given again.
    #[arg(long = "resource", value_name = "ID", requires = "record")]
    resources: Vec<String>,
    /// The most decisions that are recorded.
    #[arg(long, value_name = "N", default_value_t = 100, requires = "record",
        value_parser = input::whole::<usize>(0..))]
    record_limit: usize,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Cases that were added.
    pub(super) recorded: usize,
    /// Decisions that are cases already.
    pub(super) known: usize,
    /// Decisions that no case can state.
    pub(super) skipped: usize,
}

/// Adds what was decided by the rules of `plugin`'s provider to the file of cases.
pub(super) fn record(
    client: &Client,
    plugin: &Plugin,
    path: &Path,
    arguments: &RecordArguments,
) -> anyhow::Result<Tally> {
    let mut text = if path.exists() { input::read(path)? } else { HEADER.to_owned() };
    let check = |_: &str, settings: &_| plugin.check_settings(settings).map_err(|error| error.to_string());
    let read = |text: &str| plugin_case::read(text, plugin.manifest(), &check);
    let is_empty = !text.lines().any(|line| line.trim_start().starts_with("[[case]]"));
    let known = match is_empty {
        true => Vec::new(),
        false => read(&text).map_err(|problems| UserError::File { path: path.to_owned(), problems })?,
    };
    let mut names = known.into_iter().map(|case| case.name).collect::<BTreeSet<_>>();
    let mut tally = Tally::default();
    for resource in resources(client, plugin, arguments)? {
        let route = "/v1/resources/{id}/decisions";
        let request =
            Request::new("GET", route, &[&resource]).to(format!("list the decisions on {resource}"));
        for decision in items::pages(client, &request, u32::MAX)? {
            if tally.recorded >= arguments.record_limit {
                break;
            }
            if decision["plugin"] != plugin.manifest().id || decision["contract"] != CONTRACT {
                continue;
            }
            let name = format!("decision {}", decision["id"].as_str().unwrap_or_default());
            if !names.insert(name.clone()) {
                tally.known += 1;
                continue;
            }
            match case_of(&name, &decision, &read) {
                Some(case) => {
                    text += &format!("\n{case}");
                    tally.recorded += 1;
                }
                None => tally.skipped += 1,
            }
        }
    }
    if tally.recorded > 0 {
        output::write_file(path, text.as_bytes())?;
    }
    Ok(tally)
}

/// The resources whose decisions are recorded.
fn resources(client: &Client, plugin: &Plugin, arguments: &RecordArguments) -> anyhow::Result<Vec<String>> {
    if !arguments.resources.is_empty() {
        return Ok(arguments.resources.clone());
    }
    let provider = Some(plugin.manifest().id.as_str());
    let request = Request::new("GET", "/v1/resources", &[]).to("list resources").query("provider", provider);
    let found = items::pages(client, &request, u32::MAX)?;
    Ok(found.iter().filter_map(|resource| resource["id"].as_str().map(str::to_owned)).collect())
}

type ReadCases<'a> = dyn Fn(&str) -> Result<Vec<plugin_case::Case>, perennial_formats::Problems> + 'a;

/// The case of a decision, if it asks the very same.
fn case_of(name: &str, decision: &Value, read: &ReadCases<'_>) -> Option<String> {
    let request = decision::read_request(&decision["request"].to_string(), CONTRACT).ok()?;
    let answer = decision::read_answer(&decision["response"].to_string(), CONTRACT).ok()?;
    let text = plugin_case::recorded(name, &request, &answer);
    let cases = read(&text).ok()?;
    let is_same = matches!(cases.as_slice(), [case] if case.asks(&request));
    is_same.then_some(text)
}
