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
use perennial_service::lookup::ResolvedResource;

/// Writes a row for every resource; an attached one stands below its primary, set in.
///
/// # Errors
///
/// Whatever `out` says.
/// Each resource comes with the last failure of its plugin, until the plugin succeeds.
pub fn write(
    listed: &[(ResolvedResource, Option<String>)],
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let headings =
        ["account", "resource", "kind", "stage", "expires", "on expiry", "price", "next", "problem"];
    let right = [false, false, false, false, false, false, true, false, false];
    columns::write(headings, right, &listed.iter().map(row).collect::<Vec<_>>(), "", style, out)
}

fn row((resolved, problem): &(ResolvedResource, Option<String>)) -> Row<9> {
    let (account, listed) = (&resolved.account.account, resolved.resource());
    let instant = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
    let indent = if listed.attached_to.is_some() { "  " } else { "" };
    let price = |price: Micros| format!("{price} {}", printable(&account.currency));
    [
        (printable(&account.id), Tone::Plain),
        (format!("{indent}{}", printable(&listed.id)), Tone::Plain),
        (printable(&listed.kind), Tone::Plain),
        (listed.stage.name().to_owned(), Tone::for_stage(listed.stage)),
        (instant(listed.expires_at), Tone::Plain),
        (listed.expires_at.map_or("-", |_| listed.on_expiry.name()).to_owned(), Tone::Plain),
        (listed.price.map_or("-".to_owned(), price), Tone::Plain),
        (instant(resolved.stored.schedule.wake_at), Tone::Plain),
        (problem.as_deref().map(printable).unwrap_or_default(), Tone::Bad),
    ]
}
