//! Tables for a terminal: what became of every resource, and lists of events. Knows columns; not where they are shown.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::micros::Micros;

use crate::report::account::AccountHistory;
use crate::report::columns;
use crate::report::columns::Row;
use crate::report::history::History;
use crate::report::lane::Lane;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::style::printable;
use crate::report::topic::Topic;
use perennial_formats::dates;
use perennial_formats::event_text::words;

const HEADINGS: [&str; 8] =
    ["resource", "kind", "stage", "expires", "renewals", "paid", "declines", "problem"];
const RIGHT: [bool; 8] = [false, false, false, false, true, true, true, false];

/// Writes, per account, a summary and a row for every resource as it is at the end.
///
/// # Errors
///
/// Whatever `out` says.
pub fn write(history: &History, style: Style, out: &mut impl Write) -> io::Result<()> {
    for (place, account) in history.accounts.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        summary(account, style, out)?;
        writeln!(out)?;
        rows(account, style, out)?;
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
    let told = amounts.iter().map(|(name, amount)| format!("{name} {}", dates::amount(*amount)));
    writeln!(out, "  {}", told.collect::<Vec<_>>().join("   "))?;
    writeln!(out, "  {}: {}", dates::counted(account.lanes.len(), "resource"), stages(account))?;
    let requests = account.count(Topic::PendingApproval);
    let mut counts = vec![
        dates::counted(account.renewals(), "renewal"),
        dates::counted(account.count(Topic::Declined), "decline"),
        dates::counted(account.count(Topic::Refused), "refused command"),
    ];
    counts.extend((requests > 0).then(|| dates::counted(requests, "approval request")));
    writeln!(out, "  {}", counts.join(", "))
}

fn stages(account: &AccountHistory) -> String {
    let mut counts = BTreeMap::new();
    for lane in &account.lanes {
        *counts.entry(state(lane)).or_insert(0_usize) += 1;
    }
    let order = Stage::ALL.map(Stage::name).into_iter().chain(["pay-per-use"]);
    let told =
        order.filter_map(|name| counts.get(name).map(|count| format!("{} {name}", dates::whole(*count))));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() { "none".to_owned() } else { told }
}

fn state(lane: &Lane) -> &'static str {
    match (lane.charging, lane.stage) {
        (Charging::Postpaid, Stage::Active) => "pay-per-use",
        (Charging::Prepaid | Charging::Postpaid, stage) => stage.name(),
    }
}

fn rows(account: &AccountHistory, style: Style, out: &mut impl Write) -> io::Result<()> {
    let rows = account.in_order().into_iter().map(row).collect::<Vec<_>>();
    columns::write(HEADINGS, RIGHT, &rows, "  ", style, out)
}

fn row(lane: &Lane) -> Row<8> {
    let or_nothing = |count: usize| if count == 0 { "-".to_owned() } else { dates::whole(count) };
    let expires = match lane.expires_at.filter(|_| !lane.stage.is_final()) {
        Some(expires_at) => dates::minute(expires_at).trim_end_matches(" UTC").to_owned(),
        None => "-".to_owned(),
    };
    let paid = if lane.paid == Micros::ZERO { "-".to_owned() } else { dates::amount(lane.paid) };
    [
        (format!("{}{}", tree(&lane.branches), printable(&lane.id)), Tone::Plain),
        (printable(&lane.kind), Tone::Plain),
        (state(lane).to_owned(), Tone::of(lane.stage)),
        (expires, Tone::Plain),
        (or_nothing(lane.renewals), Tone::Plain),
        (paid, Tone::Plain),
        (or_nothing(lane.declines), if lane.declines > 0 { Tone::Warning } else { Tone::Plain }),
        (lane.problem.as_deref().map(printable).unwrap_or_default(), Tone::Bad),
    ]
}

fn tree(branches: &[bool]) -> String {
    let Some((is_last, above)) = branches.split_last() else { return String::new() };
    let trunk = above.iter().map(|is_last| if *is_last { "  " } else { "│ " }).collect::<String>();
    format!("{trunk}{}", if *is_last { "└ " } else { "├ " })
}

/// Writes events in one line each: when, to which account and resource, and what in words.
///
/// # Errors
///
/// Whatever `out` says.
pub fn events(listed: &[(&str, &Event)], style: Style, out: &mut impl Write) -> io::Result<()> {
    let resource_of = |event: &Event| event.resource.as_deref().map_or("-".to_owned(), printable);
    let width =
        |cells: &mut dyn Iterator<Item = usize>, heading: &str| cells.max().unwrap_or(0).max(heading.len());
    let accounts =
        width(&mut listed.iter().map(|(account, _)| printable(account).chars().count()), "account");
    let resources =
        width(&mut listed.iter().map(|(_, event)| resource_of(event).chars().count()), "resource");
    let heading = format!("{:<20}  {:<accounts$}  {:<resources$}  {}", "at", "account", "resource", "what");
    writeln!(out, "{}", style.paint(Tone::Faint, &heading))?;
    for (account, event) in listed {
        let (at, resource) = (event.at.to_string(), resource_of(event));
        let what = style.paint(tone(event), &printable(&words(event)));
        let account = printable(account);
        writeln!(out, "{at}  {account:<accounts$}  {resource:<resources$}  {what}")?;
    }
    Ok(())
}

fn tone(event: &Event) -> Tone {
    let Some(topic) = Topic::of(&event.what) else { return Tone::Plain };
    match topic {
        Topic::Renewed | Topic::RenewedByCommand | Topic::Revived => Tone::Good,
        Topic::Declined
        | Topic::InDoubt
        | Topic::PendingApproval
        | Topic::ExpiredApproval
        | Topic::Grace
        | Topic::Low
        | Topic::Uncovered
        | Topic::Resumed => Tone::Warning,
        Topic::Refused | Topic::PluginFailed | Topic::Retention | Topic::Released | Topic::Depleted => {
            Tone::Bad
        }
        Topic::Notice | Topic::Setting | Topic::Used => Tone::Faint,
        Topic::Decided
        | Topic::Unsubscribed
        | Topic::Converted
        | Topic::Bought
        | Topic::Refilled
        | Topic::TopUp => Tone::Plain,
    }
}
