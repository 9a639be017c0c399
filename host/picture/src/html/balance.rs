//! The balance of an account over time, as a step line with an axis. Knows amounts, and no resources.

use std::io;
use std::io::Write;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::event_text;
use perennial_formats::event_text::signed;

use crate::account::BalanceChange;
use crate::html::canvas::Canvas;
use crate::html::escape::EscapedText;
use crate::html::scale::Amounts;
use crate::html::scale::Percent;
use crate::html::scale::Scale;
use crate::html::texts;

/// How high the curve is, and the room above and below it, in pixels.
const HEIGHT: f64 = 92.0;
const MARGIN: f64 = 14.0;

/// The curve has at most so many columns, each with its own tooltip.
const COLUMNS: i64 = 1_000;

/// A balance and how it changes over the time that is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve<'a> {
    /// The id of the account.
    pub(super) account: &'a str,
    pub(super) currency: &'a str,
    /// The balance before the first change.
    pub(super) opening: Micros,
    /// The balance after the last one.
    pub(super) closing: Micros,
    /// The changes, in the order of time.
    pub(super) changes: &'a [BalanceChange],
}

/// A stretch of time in which the balance is drawn as its first, lowest, highest and last amount.
#[derive(Debug)]
struct Column {
    at: Timestamp,
    lowest: Micros,
    highest: Micros,
    last: Micros,
    changes: usize,
    change: Option<BalanceChange>,
}

/// Writes the row with an account's balance.
pub(super) fn write(curve: Curve<'_>, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let columns = columns(curve.changes, canvas.scale);
    let lowest = columns.iter().map(|column| column.lowest).min().unwrap_or(curve.opening);
    let highest = columns.iter().map(|column| column.highest).max().unwrap_or(curve.opening);
    let amounts = Amounts::around(lowest.min(curve.opening), highest.max(curve.opening));
    let height = HEIGHT + 2.0 * MARGIN;
    writeln!(
        out,
        "<div class=\"row balance\">\n<div class=\"label\"><span class=\"name\">{}</span><span class=\"unit\">{}</span>\
         <svg class=\"amounts\" height=\"{height}\" aria-hidden=\"true\">",
        canvas.say(texts::BALANCE),
        EscapedText(curve.currency)
    )?;
    for tick in &amounts.ticks {
        let y = amounts.y(*tick, HEIGHT) + MARGIN;
        writeln!(out, "<text x=\"100%\" y=\"{y:.1}\">{}</text>", axis_amount(*tick))?;
    }
    let [opening, closing, least] =
        [curve.opening, curve.closing, lowest.min(curve.opening)].map(dates::amount);
    let spoken = canvas.fill(texts::BALANCE_OF, &[curve.account, &opening, &closing, &least]);
    writeln!(
        out,
        "</svg></div>\n<svg class=\"chart\" height=\"{height}\" role=\"group\" aria-label=\"{}\">",
        EscapedText(&spoken)
    )?;
    for tick in &amounts.ticks {
        let y = amounts.y(*tick, HEIGHT) + MARGIN;
        let class = if *tick == Micros::ZERO { "zero" } else { "level-line" };
        writeln!(out, "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
    }
    line(curve, &columns, &amounts, canvas, out)?;
    lowest_label(curve, &columns, &amounts, canvas, out)?;
    hover(curve, &columns, canvas, out)?;
    outages(canvas, out)?;
    writeln!(
        out,
        "</svg>\n<div class=\"ending\" aria-label=\"{}\"><span>{}</span><b class=\"paid\">{closing}</b></div>\n</div>",
        EscapedText(&canvas.fill(texts::BALANCE_AT_THE_END_OF, &[curve.account])),
        canvas.say(if canvas.now == Some(canvas.scale.until) { texts::AT_NOW } else { texts::AT_THE_END }),
    )
}

/// An amount without the decimals that every tick shares.
fn axis_amount(amount: Micros) -> String {
    let text = dates::amount(amount);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

fn columns(changes: &[BalanceChange], scale: Scale) -> Vec<Column> {
    let width = ((scale.until - scale.from) / COLUMNS).max(1);
    let mut columns: Vec<Column> = Vec::new();
    for change in changes {
        let at = change.at;
        match columns.last_mut() {
            Some(column) if (at - scale.from) / width <= (column.at - scale.from) / width => {
                column.lowest = column.lowest.min(change.balance);
                column.highest = column.highest.max(change.balance);
                column.last = change.balance;
                column.changes += 1;
                column.change = None;
            }
            _ => columns.push(Column {
                at,
                lowest: change.balance,
                highest: change.balance,
                last: change.balance,
                changes: 1,
                change: Some(*change),
            }),
        }
    }
    columns
}

fn line(
    curve: Curve<'_>,
    columns: &[Column],
    amounts: &Amounts,
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let y = |amount: Micros| amounts.y(amount, HEIGHT) + MARGIN;
    let mut line = format!("M0 {:.1}", y(curve.opening));
    for column in columns {
        line.push_str(&format!("H{:.2}", canvas.scale.x(column.at).0));
        if column.changes > 1 {
            line.push_str(&format!("V{:.1}V{:.1}", y(column.lowest), y(column.highest)));
        }
        line.push_str(&format!("V{:.1}", y(column.last)));
    }
    line.push_str("H100");
    // What lies ahead is drawn apart from what was.
    let when = if canvas.now == Some(canvas.scale.from) { " ahead" } else { "" };
    writeln!(
        out,
        "<svg viewBox=\"0 0 100 {height}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"{height}\">\
         <path class=\"area\" d=\"{line}V{zero:.1}H0Z\"/><path class=\"curve{when}\" d=\"{line}\"/></svg>",
        height = HEIGHT + 2.0 * MARGIN,
        zero = y(Micros::ZERO),
    )
}

fn lowest_label(
    curve: Curve<'_>,
    columns: &[Column],
    amounts: &Amounts,
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let lowest = columns.iter().min_by_key(|column| column.lowest);
    let (x, balance, at) = match lowest.filter(|column| column.lowest < curve.opening) {
        Some(column) => (canvas.scale.x(column.at), column.lowest, column.at),
        None => (Percent(0.0), curve.opening, canvas.scale.from),
    };
    let y = amounts.y(balance, HEIGHT) + MARGIN;
    let (anchor, offset) = if x.0 > 70.0 { ("end", -7) } else { ("start", 7) };
    writeln!(
        out,
        "<svg x=\"{x}\" y=\"{y:.1}\" overflow=\"visible\" class=\"lowest\"><circle r=\"3.2\"/>\
         <text x=\"{offset}\" y=\"12\" text-anchor=\"{anchor}\">{}</text></svg>",
        canvas.fill(texts::LOWEST_ON, &[&dates::amount(balance), &canvas.day(at)])
    )
}

/// An unseen column over each stretch between two changes, for its tooltip.
fn hover(curve: Curve<'_>, columns: &[Column], canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let ends = columns.iter().skip(1).map(|column| column.at).chain([canvas.scale.until]);
    for (column, end) in columns.iter().zip(ends) {
        let Some((left, width)) = canvas.scale.stretch(column.at, end) else { continue };
        let change = match column.change {
            Some(BalanceChange { amount, reason: Some(reason), .. }) => {
                format!("{} {}", event_text::reason_words(reason, canvas.language), signed(amount))
            }
            Some(BalanceChange { amount, reason: None, .. }) => {
                canvas.fill(texts::CHANGES_OF_A_DAY, &[&signed(amount)])
            }
            None => canvas.fill(
                texts::CHANGES,
                &[&texts::counted_changes(column.changes, canvas.language), &dates::amount(column.lowest)],
            ),
        };
        let balance = dates::amount(column.last);
        let words =
            canvas.fill(texts::BALANCE_AT, &[&balance, curve.currency, &canvas.minute(column.at), &change]);
        writeln!(
            out,
            "<rect class=\"hover\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\"><title>{}</title></rect>",
            EscapedText(&words)
        )?;
    }
    Ok(())
}

/// When the host was down, with its tooltip.
fn outages(canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    for (down_since, at) in canvas.outages {
        let Some((left, width)) = canvas.scale.stretch(*down_since, *at) else { continue };
        writeln!(
            out,
            "<rect class=\"outage hover\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\">\
             <title>{}</title></rect>\
             <svg x=\"{}\" overflow=\"visible\"><text class=\"outage-name\" x=\"4\" y=\"10\">{}</text></svg>",
            canvas.fill(texts::HOST_DOWN_FROM_TO, &[&canvas.minute(*down_since), &canvas.minute(*at)]),
            canvas.scale.x(*at),
            canvas.say(texts::HOST_DOWN)
        )?;
    }
    Ok(())
}
