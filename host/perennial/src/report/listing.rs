//! A table of the resources of a database, for a terminal. Knows columns, and no database.

use std::io;
use std::io::Write;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::report::columns;
use crate::report::columns::Row;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::style::printable;
use perennial_store::bundles::Schedule;
use perennial_store::listing::ListedResource;

/// Writes a row for every resource; an attached one stands below its primary, set in.
///
/// # Errors
///
/// Whatever `out` says.
pub fn write(listed: &[ListedResource], style: Style, out: &mut impl Write) -> io::Result<()> {
    let headings =
        ["account", "resource", "kind", "stage", "expires", "on expiry", "price", "next", "problem"];
    let right = [false, false, false, false, false, false, true, false, false];
    columns::write(headings, right, &listed.iter().map(row).collect::<Vec<_>>(), "", style, out)
}

fn row(listed: &ListedResource) -> Row<9> {
    let instant = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
    let wake = |at: Option<Timestamp>| match at {
        Some(Schedule::AT_ONCE) => "at once".to_owned(),
        at => instant(at),
    };
    let indent = if listed.attached_to.is_some() { "  " } else { "" };
    let price = |price: Micros| format!("{price} {}", printable(&listed.currency));
    [
        (printable(&listed.account), Tone::Plain),
        (format!("{indent}{}", printable(&listed.id)), Tone::Plain),
        (printable(&listed.kind), Tone::Plain),
        (listed.stage.name().to_owned(), Tone::for_stage(listed.stage)),
        (instant(listed.expires_at), Tone::Plain),
        (listed.expires_at.map_or("-", |_| listed.on_expiry.name()).to_owned(), Tone::Plain),
        (listed.price.map_or("-".to_owned(), price), Tone::Plain),
        (wake(listed.wake_at), Tone::Plain),
        (listed.problem.as_deref().map(printable).unwrap_or_default(), Tone::Bad),
    ]
}
