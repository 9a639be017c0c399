//! What an import does, as a plan is shown: a line for each thing, and what the first tick will do to what has expired.
//!
//! Knows no file, and not whether anything is written.

use std::io;
use std::io::Write;

use perennial_domain::inventory_diff::FieldChange;
use perennial_engine::import_report::FirstTickResource;
use perennial_engine::import_report::ImportReport;
use perennial_engine::import_report::ResourceRef;
use perennial_formats::dates;
use perennial_formats::event_text;

use crate::report::columns;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text::printable;

/// Writes what a newer inventory changes: `+` is new, `~` is changed, `!` stays although the file says something else, `-`
/// is not in the file and stays.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn write_diff(report: &ImportReport, style: Style, out: &mut impl Write) -> io::Result<()> {
    for account in &report.accounts {
        line(style, Tone::Good, '+', &format!("account {}", printable(account)), out)?;
    }
    for resource in &report.resources {
        line(style, Tone::Good, '+', &name(resource), out)?;
    }
    for change in &report.changes {
        let about = about(&change.account, change.resource.as_deref());
        let FieldChange { field, from, to } = &change.change;
        let text =
            format!("{about} {}: {} -> {}", printable(field), value(from.as_ref()), value(to.as_ref()));
        line(style, Tone::Warning, '~', &text, out)?;
    }
    for kept in &report.kept {
        let about = about(&kept.account, kept.resource.as_deref());
        let field = &kept.field;
        let (here, there) = (value(field.here.as_ref()), value(field.there.as_ref()));
        let text = format!(
            "{about} {} stays {here}, not {there}: {}",
            printable(&field.field),
            printable(&field.reason)
        );
        line(style, Tone::Bad, '!', &text, out)?;
    }
    for missing in &report.missing {
        line(style, Tone::Faint, '-', &format!("{} is not in the file, and stays", name(missing)), out)?;
    }
    if !report.changes_something() {
        writeln!(out, "nothing changes")?;
    }
    Ok(())
}

/// Writes how many renew soon, and what the first tick does: to those that have expired, and to others. Of an update, it is about
/// what is new or changed.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn write_summary(
    report: &ImportReport,
    is_update: bool,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let soon = report.renewing_soon;
    let renew = if soon == 1 { "resource renews" } else { "resources renew" };
    let has = if report.expired.len() == 1 { "has" } else { "have" };
    let expired = match report.expired.len() {
        0 if is_update => "nothing that is new or changed has expired".to_owned(),
        0 => "none has expired".to_owned(),
        count => format!("{count} {has} expired, and this is what the first tick does:"),
    };
    let summary = format!("{soon} {renew} automatically within 30 days; {expired}");
    columns::paragraph(&summary, ("", "  "), Tone::Plain, style, out)?;
    report.expired.iter().try_for_each(|resource| write_first_tick(resource, "expired", style, out))?;
    let due = match report.due.len() {
        0 => return Ok(()),
        1 => "to 1 that has not expired, the first tick does this:".to_owned(),
        count => format!("to {count} that have not expired, the first tick does this:"),
    };
    columns::paragraph(&due, ("", "  "), Tone::Plain, style, out)?;
    report.due.iter().try_for_each(|resource| write_first_tick(resource, "expires", style, out))
}

/// Writes a resource with its expiry, which it `expires` or `expired` at, and what the first tick does to it.
fn write_first_tick(
    resource: &FirstTickResource,
    expires: &str,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let expiry = resource.expires_at.map(|at| format!(", {expires} {}", dates::minute(at)));
    let heading = format!("{}{}", name(&resource.named), expiry.unwrap_or_default());
    columns::paragraph(&heading, ("  ", "      "), Tone::Plain, style, out)?;
    if resource.events.is_empty() {
        writeln!(out, "    nothing")?;
    }
    for event in &resource.events {
        let words = printable(&event_text::words(event));
        let line = format!("{}  {words}", dates::minute(event.at));
        columns::paragraph(&line, ("    ", "      "), Tone::Plain, style, out)?;
    }
    Ok(())
}

fn line(style: Style, tone: Tone, sign: char, text: &str, out: &mut impl Write) -> io::Result<()> {
    columns::paragraph(&format!("{sign} {text}"), ("", "    "), tone, style, out)
}

/// The account and the resource, such as `acme-hw/ecs-1`.
fn name(named: &ResourceRef) -> String {
    about(&named.account, Some(&named.resource))
}

fn about(account: &str, resource: Option<&str>) -> String {
    match resource {
        Some(resource) => format!("{}/{}", printable(account), printable(resource)),
        None => format!("account {}", printable(account)),
    }
}

fn value(value: Option<&String>) -> String {
    value.map_or("none".to_owned(), |value| printable(value))
}
