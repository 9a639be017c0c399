//! The balance of an account over time, as a step line with an axis. Knows amounts, and no resources.

use std::io;
use std::io::Write;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::report::account::AccountHistory;
use crate::report::account::Point;
use crate::report::html::Page;
use crate::report::html::escape::EscapedText;
use crate::report::html::scale::Amounts;
use crate::report::html::scale::Percent;
use crate::report::html::scale::Scale;
use perennial_formats::dates;
use perennial_formats::event_text::reason_words;
use perennial_formats::event_text::signed;

/// How high the curve is, and the room above and below it, in pixels.
const HEIGHT: f64 = 92.0;
const MARGIN: f64 = 14.0;

/// The curve has at most so many columns, each with its own tooltip.
const COLUMNS: i64 = 1_000;

/// A stretch of time in which the balance is drawn as its first, lowest, highest and last amount.
#[derive(Debug)]
struct Column {
    at: Timestamp,
    lowest: Micros,
    highest: Micros,
    last: Micros,
    changes: usize,
    change: Option<Point>,
}

/// Writes the row with an account's balance.
pub(super) fn write(account: &AccountHistory, page: Page<'_>, out: &mut impl Write) -> io::Result<()> {
    let scale = page.scale;
    let columns = columns(account, scale);
    let lowest = columns.iter().map(|column| column.lowest).min().unwrap_or(account.opening);
    let highest = columns.iter().map(|column| column.highest).max().unwrap_or(account.opening);
    let amounts = Amounts::around(lowest.min(account.opening), highest.max(account.opening));
    let (id, currency) = (EscapedText(&account.id), EscapedText(&account.currency));
    writeln!(
        out,
        "<div class=\"row balance\">\n<div class=\"label\"><span class=\"name\">Balance</span><span class=\"unit\">{currency}</span>"
    )?;
    for tick in &amounts.ticks {
        let y = amounts.y(*tick, HEIGHT) + MARGIN;
        writeln!(out, "<span class=\"amount\" style=\"top:{y:.1}px\">{}</span>", axis_amount(*tick))?;
    }
    let spoken = format!(
        "balance of {}: {} at the start, {} at the end, {} at its lowest",
        account.id,
        dates::amount(account.opening),
        dates::amount(account.closing),
        dates::amount(lowest.min(account.opening))
    );
    writeln!(
        out,
        "</div>\n<svg class=\"chart\" height=\"{}\" role=\"group\" aria-label=\"{}\">",
        HEIGHT + 2.0 * MARGIN,
        EscapedText(&spoken)
    )?;
    for tick in &amounts.ticks {
        let y = amounts.y(*tick, HEIGHT) + MARGIN;
        let class = if *tick == Micros::ZERO { "zero" } else { "level-line" };
        writeln!(out, "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
    }
    curve(account, &columns, &amounts, scale, out)?;
    lowest_label(account, &columns, &amounts, scale, out)?;
    hover(account, &columns, scale, out)?;
    outages(page, out)?;
    writeln!(
        out,
        "</svg>\n<div class=\"ending\" aria-label=\"balance of {id} at the end\"><span>at the end</span><b class=\"paid\">{}</b></div>\n</div>",
        dates::amount(account.closing)
    )
}

/// An amount without the decimals that every tick shares.
fn axis_amount(amount: Micros) -> String {
    let text = dates::amount(amount);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

fn columns(account: &AccountHistory, scale: Scale) -> Vec<Column> {
    let width = ((scale.until - scale.from) / COLUMNS).max(1);
    let mut columns: Vec<Column> = Vec::new();
    for point in &account.points {
        let at = point.at;
        match columns.last_mut() {
            Some(column) if (at - scale.from) / width <= (column.at - scale.from) / width => {
                column.lowest = column.lowest.min(point.balance);
                column.highest = column.highest.max(point.balance);
                column.last = point.balance;
                column.changes += 1;
                column.change = None;
            }
            _ => columns.push(Column {
                at,
                lowest: point.balance,
                highest: point.balance,
                last: point.balance,
                changes: 1,
                change: Some(*point),
            }),
        }
    }
    columns
}

fn curve(
    account: &AccountHistory,
    columns: &[Column],
    amounts: &Amounts,
    scale: Scale,
    out: &mut impl Write,
) -> io::Result<()> {
    let y = |amount: Micros| amounts.y(amount, HEIGHT) + MARGIN;
    let mut line = format!("M0 {:.1}", y(account.opening));
    for column in columns {
        line.push_str(&format!("H{:.2}", scale.x(column.at).0));
        if column.changes > 1 {
            line.push_str(&format!("V{:.1}V{:.1}", y(column.lowest), y(column.highest)));
        }
        line.push_str(&format!("V{:.1}", y(column.last)));
    }
    line.push_str("H100");
    writeln!(
        out,
        "<svg viewBox=\"0 0 100 {height}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"{height}\">\
         <path class=\"area\" d=\"{line}V{zero:.1}H0Z\"/><path class=\"curve\" d=\"{line}\"/></svg>",
        height = HEIGHT + 2.0 * MARGIN,
        zero = y(Micros::ZERO),
    )
}

fn lowest_label(
    account: &AccountHistory,
    columns: &[Column],
    amounts: &Amounts,
    scale: Scale,
    out: &mut impl Write,
) -> io::Result<()> {
    let lowest = columns.iter().min_by_key(|column| column.lowest);
    let (x, balance, at) = match lowest.filter(|column| column.lowest < account.opening) {
        Some(column) => (scale.x(column.at), column.lowest, column.at),
        None => (Percent(0.0), account.opening, scale.from),
    };
    let y = amounts.y(balance, HEIGHT) + MARGIN;
    let (anchor, offset) = if x.0 > 70.0 { ("end", -7) } else { ("start", 7) };
    writeln!(
        out,
        "<svg x=\"{x}\" y=\"{y:.1}\" overflow=\"visible\" class=\"lowest\"><circle r=\"3.2\"/>\
         <text x=\"{offset}\" y=\"12\" text-anchor=\"{anchor}\">lowest {} on {}</text></svg>",
        dates::amount(balance),
        dates::day(at)
    )
}

/// An unseen column over each stretch between two changes, for its tooltip.
fn hover(account: &AccountHistory, columns: &[Column], scale: Scale, out: &mut impl Write) -> io::Result<()> {
    let ends = columns.iter().skip(1).map(|column| column.at).chain([scale.until]);
    for (column, end) in columns.iter().zip(ends) {
        let Some((left, width)) = scale.stretch(column.at, end) else { continue };
        let change = match column.change {
            Some(point) => format!("{} {}", reason_words(point.reason), signed(point.amount)),
            None => format!(
                "{}, lowest {}",
                dates::counted(column.changes, "change"),
                dates::amount(column.lowest)
            ),
        };
        writeln!(
            out,
            "<rect class=\"hover\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\"><title>balance {} {}\n{}: {change}</title></rect>",
            dates::amount(column.last),
            EscapedText(&account.currency),
            dates::minute(column.at)
        )?;
    }
    Ok(())
}

/// When the host was down, with its tooltip.
fn outages(page: Page<'_>, out: &mut impl Write) -> io::Result<()> {
    for (down_since, at) in page.outages {
        let Some((left, width)) = page.scale.stretch(*down_since, *at) else { continue };
        writeln!(
            out,
            "<rect class=\"outage hover\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\">\
             <title>host down\nfrom {} to {}</title></rect>\
             <svg x=\"{}\" overflow=\"visible\"><text class=\"outage-name\" x=\"4\" y=\"10\">host down</text></svg>",
            dates::minute(*down_since),
            dates::minute(*at),
            page.scale.x(*at)
        )?;
    }
    Ok(())
}
