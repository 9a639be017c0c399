//! What is known of a revision before it decides: how often it was asked in shadow, what that took, and what it answered
//! otherwise, by kind, in money and with examples.

use std::io::Write;

use perennial_formats::dates;
use serde_json::Value;

use crate::cli::output::Output;
use crate::report::text::printable;

/// How many lines of an answer an example shows.
const LINES_MAX: usize = 4;

/// Writes the evidence of a change of what is bound.
pub(super) fn show(out: &mut Output, evidence: &Value) -> std::io::Result<()> {
    let list = |field: &str| evidence[field].as_array().map_or(&[][..], Vec::as_slice);
    let revision = short(text(evidence, "revision"));
    let [failing, parked] =
        ["failing_bundles", "parked_bundles"].map(|field| evidence[field].as_u64().unwrap_or_default());
    if failing > 0 {
        writeln!(
            out,
            "revision {revision} fails over {failing} bundles at present, of which {parked} are parked"
        )?;
    }
    if list("trials").is_empty() {
        return writeln!(out, "revision {revision} was never asked in shadow");
    }
    let bound = if evidence["is_bound"] == true { "" } else { ", which is bound no longer," };
    for trial in list("trials") {
        let number = |field: &str| trial[field].as_u64().unwrap_or_default();
        writeln!(
            out,
            "revision {revision}{bound} was asked in shadow of {} from {} to {}: {} answers, {} otherwise, {} failed; fuel of plans \
             {} (followed {}), time {} ms (followed {} ms)",
            short(text(trial, "followed")),
            text(trial, "first_at"),
            text(trial, "last_at"),
            number("asked"),
            number("differed"),
            number("failed"),
            number("fuel"),
            number("followed_fuel"),
            milliseconds(number("micros")),
            milliseconds(number("followed_micros")),
        )?;
    }
    for total in list("totals") {
        let currency = text(total, "currency");
        let questions =
            usize::try_from(total["questions"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
        writeln!(
            out,
            "  {}: {}, {} {currency} done, {} {currency} would be",
            text(total, "kind"),
            dates::counted(questions, "different question"),
            text(total, "followed_cost"),
            text(total, "cost"),
        )?;
        let is_of_it = |one: &&Value| one["kind"] == total["kind"] && one["currency"] == total["currency"];
        for example in list("examples").iter().filter(is_of_it) {
            show_example(out, example)?;
        }
    }
    Ok(())
}

/// Writes a question, with both answers.
fn show_example(out: &mut Output, example: &Value) -> std::io::Result<()> {
    let (account, resource) = (text(example, "account"), text(example, "resource"));
    let of = printable(&format!("{account} {resource}, {}", text(example, "question")));
    writeln!(out, "    {of}")?;
    for (who, answer) in [("done", "followed_answer"), ("would be", "answer")] {
        let lines = text(example, answer).lines().collect::<Vec<_>>();
        let more = lines.len().saturating_sub(LINES_MAX);
        let more = (more > 0).then(|| format!("and {more} more"));
        let mut shown = lines.into_iter().take(LINES_MAX).map(printable).chain(more);
        writeln!(out, "      {who}: {}", shown.next().unwrap_or_else(|| "nothing".to_owned()))?;
        for line in shown {
            writeln!(out, "        {line}")?;
        }
    }
    Ok(())
}

/// Microseconds as milliseconds.
fn milliseconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// The beginning of a digest.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
