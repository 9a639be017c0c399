//! The table of a simulation: per account a summary, and the final state of every resource.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;

use crate::report::columns;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text::printable;
use perennial_formats::dates;
use perennial_picture::History;
use perennial_picture::account::AccountHistory;
use perennial_picture::event_category::EventCategory;
use perennial_picture::resource_track::ResourceTrack;

/// What is said of a resource; people read the account and the currency in the summary above.
const COLUMNS: [Column; 12] = [
    Column::new("account", ""),
    Column::new("resource", "resource"),
    Column::new("kind", "kind"),
    Column::new("region", ""),
    Column::new("stage", "stage"),
    Column::new("expires_at", "expires"),
    Column::number("renewals", "renewals"),
    Column::number("paid", "paid"),
    Column::number("refunded", ""),
    Column::new("currency", ""),
    Column::number("declines", "declines"),
    Column::sentence("problem", "problem"),
];

/// Writes, per account, a summary and a row for every resource as it is at the end; for programs, only the rows.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn write(
    history: &History,
    format: ListFormat,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    if format != ListFormat::Table {
        let rows = history.accounts.iter().flat_map(rows).collect();
        return Listing { columns: &COLUMNS, rows }.write(format, "", style, out);
    }
    if history.accounts.is_empty() {
        return writeln!(out, "the inventory has no accounts: there is nothing that could happen");
    }
    for (index, account) in history.accounts.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        summary(account, style, out)?;
        writeln!(out)?;
        if account.tracks.is_empty() {
            writeln!(out, "  no resources")?;
            continue;
        }
        Listing { columns: &COLUMNS, rows: rows(account) }.table("  ", style, out)?;
    }
    Ok(())
}

fn summary(account: &AccountHistory, style: Style, out: &mut impl Write) -> io::Result<()> {
    let title = style.paint(Tone::Strong, &printable(&account.id));
    writeln!(out, "{title}  {}, {}", printable(&account.provider), printable(&account.currency))?;
    let amounts = [
        ("opening", account.opening),
        ("topped up", account.topped_up),
        ("paid", account.paid),
        ("refunded", account.refunded),
        ("closing", account.closing),
    ];
    let amounts = amounts.iter().map(|(name, amount)| format!("{name} {}", dates::amount(*amount)));
    let requests = account.count(EventCategory::PendingApproval);
    let mut counts = vec![
        dates::counted(account.renewals(), "renewal"),
        dates::counted(account.count(EventCategory::Declined), "decline"),
        dates::counted(account.count(EventCategory::Refused), "refused command"),
    ];
    counts.extend((requests > 0).then(|| dates::counted(requests, "approval request")));
    let resources = format!("{}: {}", dates::counted(account.tracks.len(), "resource"), stages(account));
    for line in [amounts.collect::<Vec<_>>().join("   "), resources, counts.join(", ")] {
        columns::paragraph(&line, ("  ", "    "), Tone::Plain, style, out)?;
    }
    Ok(())
}

fn stages(account: &AccountHistory) -> String {
    let mut counts = BTreeMap::new();
    for track in &account.tracks {
        *counts.entry(state(track)).or_insert(0_usize) += 1;
    }
    let order = Stage::ALL.map(Stage::name).into_iter().chain(["pay-per-use"]);
    let list =
        order.filter_map(|name| counts.get(name).map(|count| format!("{} {name}", dates::whole(*count))));
    let list = list.collect::<Vec<_>>().join(", ");
    if list.is_empty() { "none".to_owned() } else { list }
}

fn state(track: &ResourceTrack) -> &'static str {
    match (track.charging, track.stage) {
        (Charging::Postpaid, Stage::Active) => "pay-per-use",
        (Charging::Prepaid | Charging::Postpaid, stage) => stage.name(),
    }
}

fn rows(account: &AccountHistory) -> Vec<Row> {
    let row = |track| Row { zone: account.zone, cells: row(account, track).into() };
    account.ordered_tracks().into_iter().map(row).collect()
}

fn row(account: &AccountHistory, track: &ResourceTrack) -> [Cell; COLUMNS.len()] {
    let amount = |amount| Cell::new(Value::Amount(amount, None));
    let or_nothing = |cell: Cell, is_nothing| if is_nothing { cell.shown("-") } else { cell };
    let count = |count| or_nothing(Cell::new(Value::Count(count)), count == 0);
    let late = if track.declines > 0 { Tone::Warning } else { Tone::Plain };
    [
        Cell::new(account.id.as_str()),
        Cell::new(track.id.as_str()).shown(format!("{}{}", tree(&track.branches), track.id)),
        Cell::new(track.kind.as_str()),
        Cell::new(track.region.as_str()),
        Cell::new(track.stage.name()).shown(state(track)).tone(Tone::for_stage(track.stage)),
        Cell::new(track.expires_at.filter(|_| !track.stage.is_final())),
        count(track.renewals),
        or_nothing(amount(track.paid), track.paid == Micros::ZERO),
        amount(track.refunded),
        Cell::new(account.currency.as_str()),
        count(track.declines).tone(late),
        Cell::new(track.problem.clone()).or("").tone(Tone::Bad),
    ]
}

fn tree(branches: &[bool]) -> String {
    let Some((is_last, above)) = branches.split_last() else { return String::new() };
    let trunk = above.iter().map(|is_last| if *is_last { "  " } else { "│ " }).collect::<String>();
    format!("{trunk}{}", if *is_last { "└ " } else { "├ " })
}
