//! The curve of a balance, as the newest entries of its ledger have it: counted back from what the account has now. Draws;
//! knows no page.

use std::fmt::Write;

use maud::Markup;
use maud::html;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::plain;
use crate::console::texts as t;

/// The size of the drawing, which is stretched to the width of the page.
const SIZE: (i64, i64) = (1000, 120);

/// A balance from an instant on, in millionths.
type Step = (Timestamp, i64);

/// Draws the balance of an account over `entries`, the newest first.
pub(super) fn draw(frame: &Frame, account: &Value, entries: &[Value]) -> Markup {
    let Some(balance) = parts::micros(&account["balance"]) else { return html! {} };
    let steps = steps(balance.as_micros(), entries, frame.now);
    let (Some((from, _)), Some((until, _))) = (steps.first(), steps.last()) else { return html! {} };
    let (least, most) =
        steps.iter().fold((0, 1), |(least, most), (_, level)| (least.min(*level), most.max(*level)));
    let provider = account["provider"].as_str();
    let said = |level| dates::amount(perennial_domain::micros::Micros::new(level));
    let label = frame
        .fill(t::CURVE_OF, &[plain(account, "id"), &said(least), &said(most), plain(account, "currency")]);
    html! {
        figure.curve {
            svg role="img" aria-label=(label) viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } preserveAspectRatio="none"
                width="100%" height=(SIZE.1)
            {
                path.area d=(path(&steps, least, most, true)) {}
                path.line d=(path(&steps, least, most, false)) vector-effect="non-scaling-stroke" {}
            }
            figcaption {
                (frame.minute(*from, provider)) " – " (frame.minute(*until, provider)) " · "
                (said(least)) " – " (said(most)) " " (plain(account, "currency"))
            }
        }
    }
}

/// What the account had from each entry on, the oldest first, and what it has now.
fn steps(balance: i64, entries: &[Value], now: Timestamp) -> Vec<Step> {
    let mut level = balance;
    let mut steps = vec![(now, level)];
    for entry in entries {
        let amount = parts::micros(&entry["amount"]).map_or(0, |amount| amount.as_micros());
        let Ok(at) = plain(entry, "at").parse() else { continue };
        steps.push((at, level));
        let change = match (plain(entry, "from"), plain(entry, "to")) {
            ("cash", "cash") => 0,
            (_, "cash") => amount,
            ("cash", _) => -amount,
            _ => 0,
        };
        level = level.saturating_sub(change);
    }
    steps.reverse();
    steps
}

/// The steps as a path: a level holds until the next one begins.
fn path(steps: &[Step], least: i64, most: i64, is_closed: bool) -> String {
    let (Some((from, _)), Some((until, _))) = (steps.first(), steps.last()) else { return String::new() };
    let length = (*until - *from).max(1);
    let x = |at: Timestamp| (at - *from) * SIZE.0 / length;
    // Amounts are beyond what fits when they are multiplied.
    let y = |level: i64| {
        let share = i128::from(level - least) * i128::from(SIZE.1 - 4) / i128::from((most - least).max(1));
        SIZE.1 - 2 - i64::try_from(share).unwrap_or_default()
    };
    let mut path = String::new();
    for (number, (at, level)) in steps.iter().enumerate() {
        let (x, y) = (x(*at), y(*level));
        let written = if number == 0 { write!(path, "M{x} {y}") } else { write!(path, "H{x}V{y}") };
        written.expect("writing to text never fails");
    }
    if is_closed {
        write!(path, "V{0}H0Z", y(0)).expect("writing to text never fails");
    }
    path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_balance_is_counted_back_through_its_entries() {
        let entry = |at: &str, from: &str, to: &str, amount: &str| json!({ "at": at, "from": from, "to": to, "amount": amount });
        let entries = [
            entry("2026-03-01T00:00:00Z", "held", "spent", "30.00"),
            entry("2026-03-01T00:00:00Z", "cash", "held", "30.00"),
            entry("2026-02-01T00:00:00Z", "spent", "cash", "5.00"),
            entry("2026-01-01T00:00:00Z", "funding", "cash", "100.00"),
        ];
        let now = "2026-04-01T00:00:00Z".parse().unwrap();
        let steps = steps(75_000_000, &entries, now);
        let levels = steps.iter().map(|(_, level)| level / 1_000_000).collect::<Vec<_>>();
        assert_eq!(levels, [100, 105, 75, 75, 75]);
        let drawn = path(&steps, 0, 105_000_000, true);
        assert!(drawn.starts_with("M0 8H344V2") && drawn.ends_with("V118H0Z"), "{drawn}");
    }
}
