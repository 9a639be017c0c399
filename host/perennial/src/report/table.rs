//! Tables for a terminal: the final state of every resource, and lists of events.

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
use crate::report::event_category::EventCategory;
use crate::report::history::History;
use crate::report::resource_track::ResourceTrack;
use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::style::printable;
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
    for (index, account) in history.accounts.iter().enumerate() {
        if index > 0 {
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
    writeln!(out, "  {}: {}", dates::counted(account.tracks.len(), "resource"), stages(account))?;
    let requests = account.count(EventCategory::PendingApproval);
    let mut counts = vec![
        dates::counted(account.renewals(), "renewal"),
        dates::counted(account.count(EventCategory::Declined), "decline"),
        dates::counted(account.count(EventCategory::Refused), "refused command"),
    ];
    counts.extend((requests > 0).then(|| dates::counted(requests, "approval request")));
    writeln!(out, "  {}", counts.join(", "))
}

fn stages(account: &AccountHistory) -> String {
    let mut counts = BTreeMap::new();
    for track in &account.tracks {
        *counts.entry(state(track)).or_insert(0_usize) += 1;
    }
    let order = Stage::ALL.map(Stage::name).into_iter().chain(["pay-per-use"]);
    let told =
        order.filter_map(|name| counts.get(name).map(|count| format!("{} {name}", dates::whole(*count))));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() { "none".to_owned() } else { told }
}

fn state(track: &ResourceTrack) -> &'static str {
    match (track.charging, track.stage) {
        (Charging::Postpaid, Stage::Active) => "pay-per-use",
        (Charging::Prepaid | Charging::Postpaid, stage) => stage.name(),
    }
}

fn rows(account: &AccountHistory, style: Style, out: &mut impl Write) -> io::Result<()> {
    let rows = account.ordered_tracks().into_iter().map(row).collect::<Vec<_>>();
    columns::write(HEADINGS, RIGHT, &rows, "  ", style, out)
}

fn row(track: &ResourceTrack) -> Row<8> {
    let or_nothing = |count: usize| if count == 0 { "-".to_owned() } else { dates::whole(count) };
    let expires = match track.expires_at.filter(|_| !track.stage.is_final()) {
        Some(expires_at) => dates::minute(expires_at).trim_end_matches(" UTC").to_owned(),
        None => "-".to_owned(),
    };
    let paid = if track.paid == Micros::ZERO { "-".to_owned() } else { dates::amount(track.paid) };
    [
        (format!("{}{}", tree(&track.branches), printable(&track.id)), Tone::Plain),
        (printable(&track.kind), Tone::Plain),
        (state(track).to_owned(), Tone::for_stage(track.stage)),
        (expires, Tone::Plain),
        (or_nothing(track.renewals), Tone::Plain),
        (paid, Tone::Plain),
        (or_nothing(track.declines), if track.declines > 0 { Tone::Warning } else { Tone::Plain }),
        (track.problem.as_deref().map(printable).unwrap_or_default(), Tone::Bad),
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
    let Some(category) = EventCategory::for_event(&event.what) else { return Tone::Plain };
    match category {
        EventCategory::Renewed | EventCategory::RenewedByCommand | EventCategory::Revived => Tone::Good,
        EventCategory::Declined
        | EventCategory::InDoubt
        | EventCategory::PendingApproval
        | EventCategory::ExpiredApproval
        | EventCategory::Grace
        | EventCategory::Low
        | EventCategory::Uncovered
        | EventCategory::Resumed => Tone::Warning,
        EventCategory::Refused
        | EventCategory::PluginFailed
        | EventCategory::Retention
        | EventCategory::Released
        | EventCategory::Depleted => Tone::Bad,
        EventCategory::Notice | EventCategory::Setting | EventCategory::Used => Tone::Faint,
        EventCategory::Decided
        | EventCategory::Unsubscribed
        | EventCategory::Converted
        | EventCategory::Order
        | EventCategory::Bought
        | EventCategory::Refilled
        | EventCategory::TopUp => Tone::Plain,
    }
}
