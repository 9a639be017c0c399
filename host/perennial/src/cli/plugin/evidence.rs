//! What is known of a revision before it decides: how often it was asked in shadow, what that took, and what it answered
//! otherwise, by kind, in money and with examples.

use perennial_formats::dates;
use serde_json::Value;

use crate::cli::output::Output;
use crate::report::Style;
use crate::report::columns;
use crate::report::style::Tone;
use crate::report::text::printable;

/// How many lines of an answer an example shows.
const LINES_MAX: usize = 4;

/// Writes the evidence of a change of what is bound.
pub(super) fn show(out: &mut Output, style: Style, evidence: &Value) -> std::io::Result<()> {
    let list = |field: &str| evidence[field].as_array().map_or(&[][..], Vec::as_slice);
    let revision = short(text(evidence, "revision"));
    let [failing, parked] = ["failing_bundles", "parked_bundles"].map(|field| count(&evidence[field]));
    if let Some(at) = evidence["next_try_at"].as_str() {
        let sentence = format!(
            "revision {revision} fails over everything, and is not asked before {at}; `perennial plugin release --revision \
             {revision}` has it asked at once"
        );
        paragraph(&sentence, style, out)?;
    }
    if failing > 0 {
        let failing = dates::counted(failing, "bundle");
        paragraph(
            &format!("revision {revision} fails over {failing} at present, parked: {parked}"),
            style,
            out,
        )?;
    }
    if list("trials").is_empty() {
        return paragraph(&format!("revision {revision} was never asked in shadow"), style, out);
    }
    let which = if evidence["is_bound"] == true { "revision" } else { "the revision before," };
    list("trials").iter().try_for_each(|trial| show_trial(out, style, (which, revision), trial))?;
    if !list("totals").is_empty() {
        paragraph(
            "questions about these accounts that it answered otherwise in the last 90 days:",
            style,
            out,
        )?;
    }
    for total in list("totals") {
        let currency = text(total, "currency");
        let sentence = format!(
            "{}: {}, {} {currency} done, {} {currency} would be",
            text(total, "kind"),
            dates::counted(count(&total["questions"]), "different question"),
            text(total, "followed_cost"),
            text(total, "cost"),
        );
        columns::paragraph(&sentence, ("  ", "    "), Tone::Plain, style, out)?;
        let is_of_it = |one: &&Value| one["kind"] == total["kind"] && one["currency"] == total["currency"];
        for example in list("examples").iter().filter(is_of_it) {
            show_example(out, style, example)?;
        }
    }
    Ok(())
}

/// Writes how a revision was asked in shadow of another one.
fn show_trial(
    out: &mut Output,
    style: Style,
    (which, revision): (&str, &str),
    trial: &Value,
) -> std::io::Result<()> {
    let number = |field: &str| trial[field].as_u64().unwrap_or_default();
    let sentence = format!(
        "{which} {revision} was asked in shadow of {} about all accounts that it was bound to, from {} to {}: {} answers, {} \
         otherwise, {} failed; fuel of plans {} (followed {}), time {} ms (followed {} ms)",
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
    );
    paragraph(&sentence, style, out)
}

fn paragraph(sentence: &str, style: Style, out: &mut Output) -> std::io::Result<()> {
    columns::paragraph(&printable(sentence), ("", "  "), Tone::Plain, style, out)
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_default()).unwrap_or(usize::MAX)
}

/// Writes a question, with both answers.
fn show_example(out: &mut Output, style: Style, example: &Value) -> std::io::Result<()> {
    let (account, resource) = (text(example, "account"), text(example, "resource"));
    let of = printable(&format!("{account} {resource}, {}", text(example, "question")));
    columns::paragraph(&of, ("    ", "      "), Tone::Plain, style, out)?;
    for (who, answer) in [("done", "followed_answer"), ("would be", "answer")] {
        let lines = text(example, answer).lines().collect::<Vec<_>>();
        let more = lines.len().saturating_sub(LINES_MAX);
        let more = (more > 0).then(|| format!("and {more} more"));
        let mut shown = lines.into_iter().take(LINES_MAX).map(printable).chain(more);
        let first = format!("{who}: {}", shown.next().unwrap_or_else(|| "nothing".to_owned()));
        columns::paragraph(&first, ("      ", "        "), Tone::Plain, style, out)?;
        for line in shown {
            columns::paragraph(&line, ("        ", "          "), Tone::Plain, style, out)?;
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
