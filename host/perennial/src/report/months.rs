//! A report by month: counts, money in and out, and notable events. Months begin in UTC.

use std::io;
use std::io::Write;

use perennial_domain::index::AccountIndex;
use perennial_domain::micros::Micros;
use perennial_formats::dates;
use perennial_formats::dates::Month;
use perennial_picture::History;
use perennial_picture::event_category::EventCategory;
use perennial_picture::months::AccountMonth;

use crate::report::columns;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text;
use crate::report::text::printable;

/// Writes every month of the history, also those in which nothing happened.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn write(history: &History, style: Style, out: &mut impl Write) -> io::Result<()> {
    let mut closing = history.accounts.iter().map(|account| account.opening).collect::<Vec<_>>();
    let width =
        history.accounts.iter().map(|account| text::width(&printable(&account.id))).max().unwrap_or(0);
    let last = Month::of(history.until - 1);
    let mut month = Month::of(history.from);
    while month <= last {
        if month != Month::of(history.from) {
            writeln!(out)?;
        }
        writeln!(out, "{}", style.paint(Tone::Strong, &month.title()))?;
        for (index, account) in history.accounts.iter().enumerate() {
            let nothing = AccountMonth::default();
            let listed = history.months.of_account(month, AccountIndex::new(index)).unwrap_or(&nothing);
            let opening = closing[index];
            closing[index] = listed.closing.unwrap_or(opening);
            let id = text::pad(&printable(&account.id), width, false);
            let balance = format!("{} {}", dates::amount(closing[index]), account.currency);
            let balance = printable(&format!("{}; balance {balance}", money(listed)));
            let fits = style.width.is_none_or(|most| width + text::width(&balance) + 4 <= most);
            if fits {
                writeln!(out, "  {}  {balance}", style.paint(Tone::Strong, &id))?;
            } else {
                writeln!(out, "  {}", style.paint(Tone::Strong, id.trim_end()))?;
                columns::paragraph(&balance, ("    ", "      "), Tone::Plain, style, out)?;
            }
            event_lines(listed, style, out)?;
        }
        month = month.next();
    }
    Ok(())
}

fn money(account: &AccountMonth) -> String {
    let parts = [("paid", account.paid), ("refunded", account.refunded), ("topped up", account.topped_up)];
    let listed = parts.iter().filter(|(name, amount)| *name == "paid" || *amount != Micros::ZERO);
    listed.map(|(name, amount)| format!("{name} {}", dates::amount(*amount))).collect::<Vec<_>>().join(", ")
}

fn event_lines(account: &AccountMonth, style: Style, out: &mut impl Write) -> io::Result<()> {
    let counts = EventCategory::ALL.iter().filter_map(|category| {
        let count = account.counts.get(category)?;
        Some(format!(
            "{} {}",
            dates::whole(*count),
            if *count == 1 { category.noun() } else { category.plural() }
        ))
    });
    let counts = counts.collect::<Vec<_>>();
    if counts.is_empty() {
        return writeln!(out, "    {}", style.paint(Tone::Faint, "nothing happened"));
    }
    columns::paragraph(&counts.join(", "), ("    ", "      "), Tone::Faint, style, out)?;
    let mut listed = account.listed.values().flatten().collect::<Vec<_>>();
    listed.sort_by_key(|listed| listed.at);
    for happening in listed {
        let resource = happening.resource.as_ref().map_or(String::new(), |resource| format!("{resource}: "));
        let words = printable(&format!("{resource}{}", happening.words));
        let day = format!("    {}  ", dates::short_day(happening.at));
        columns::paragraph(&words, (&day, &" ".repeat(day.len())), Tone::Plain, style, out)?;
    }
    Ok(())
}
