//! A report by month: counts, money in and out, and notable events. Months begin in UTC.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::report::columns;
use crate::report::event_category::EventCategory;
use crate::report::history::History;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text;
use crate::report::text::printable;
use perennial_formats::dates;
use perennial_formats::dates::Month;
use perennial_formats::event_text::Wording;

/// How many happenings of one sort a month tells of in words; the rest are in its counts.
const LISTED_MAX: usize = 2;

/// What happened in each month to each account, by its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Months(BTreeMap<(Month, usize), AccountMonth>);

/// An account in a month.
#[derive(Clone, Debug, Default)]
struct AccountMonth {
    counts: BTreeMap<EventCategory, usize>,
    listed: BTreeMap<EventCategory, Vec<ListedEvent>>,
    paid: Micros,
    refunded: Micros,
    topped_up: Micros,
    closing: Option<Micros>,
}

/// A happening in words.
#[derive(Clone, Debug)]
struct ListedEvent {
    at: Timestamp,
    resource: Option<String>,
    words: String,
}

impl Months {
    /// Takes in an event of the account at `place`.
    pub(super) fn record(&mut self, index: usize, event: &Event, wording: Wording<'_>) {
        let account = self.0.entry((Month::of(event.at), index)).or_default();
        if let EventKind::BalanceChanged { amount, balance, reason } = &event.what {
            account.closing = Some(*balance);
            match reason {
                Reason::Opening => {}
                Reason::TopUp => account.topped_up += *amount,
                Reason::Renewal | Reason::Purchase | Reason::Upgrade => account.paid -= *amount,
                Reason::Refund | Reason::Adjustment => account.refunded += *amount,
            }
        }
        let Some(category) = EventCategory::for_event(&event.what) else { return };
        *account.counts.entry(category).or_default() += 1;
        let listed = account.listed.entry(category).or_default();
        // The third decline of one resource in a month says nothing that the first did not.
        let is_told = listed.iter().any(|earlier| earlier.resource == event.resource);
        if category.is_notable() && listed.len() < LISTED_MAX && !is_told {
            listed.push(ListedEvent {
                at: event.at,
                resource: event.resource.clone(),
                words: wording.of(event),
            });
        }
    }
}

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
            let listed = history.months.0.get(&(month, index)).unwrap_or(&nothing);
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
