//! The curve of a balance, day by day, up to what the account has now. Draws; knows no page.

use std::fmt::Write;

use maud::Markup;
use maud::html;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::language::Text;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::plain;
use crate::console::texts as t;

/// The size of the drawing, which is stretched to the width of the page.
const SIZE: (i64, i64) = (1000, 120);

/// A balance from an instant on, in millionths.
type Step = (Timestamp, i64);

/// Draws the balance of an account over `days`, as the API lists them.
pub(super) fn draw(frame: &Frame, account: &Value, days: &[Value]) -> Markup {
    let Some(balance) = parts::micros(&account["balance"]) else { return html! {} };
    let steps = steps(balance.as_micros(), days, frame.now);
    figure(frame, t::CURVE_OF, (plain(account, "id"), plain(account, "currency")), &steps)
}

/// Draws what the balance of an account comes to by the end of each month ahead, as a forecast has it; until `until`.
pub(super) fn draw_ahead(frame: &Frame, account: &Value, months: &[Value], until: &Value) -> Markup {
    let first = |month: &Value| format!("{}-01T00:00:00Z", plain(month, "month")).parse::<Timestamp>().ok();
    let until = until.as_str().and_then(|until| until.parse().ok()).unwrap_or(frame.now);
    let level = |value: &Value| parts::micros(value).map_or(0, |amount| amount.as_micros());
    let mut steps = vec![(frame.now, level(&account["balance"]))];
    for (number, month) in months.iter().enumerate() {
        let end = months.get(number + 1).map_or(Some(until), first).unwrap_or(until);
        steps.push((end, level(&month["balance_left"])));
    }
    figure(frame, t::CURVE_AHEAD_OF, (plain(account, "account"), plain(account, "currency")), &steps)
}

/// The picture of a balance; `text` says what is drawn of which account in which currency.
fn figure(frame: &Frame, text: Text, (account, currency): (&str, &str), steps: &[Step]) -> Markup {
    let (Some((from, _)), Some((until, _))) = (steps.first(), steps.last()) else { return html! {} };
    let (least, most) =
        steps.iter().fold((0, 1), |(least, most), (_, level)| (least.min(*level), most.max(*level)));
    let said = |level| dates::amount(perennial_domain::micros::Micros::new(level));
    let label = frame.fill(text, &[account, &said(least), &said(most), currency]);
    let drawing = html! {
        svg role="img" aria-label=(label) viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } preserveAspectRatio="none"
            width="100%" height=(SIZE.1)
        {
            path.area d=(path(steps, least, most, true)) {}
            path.line d=(path(steps, least, most, false)) vector-effect="non-scaling-stroke" {}
        }
    };
    let caption = html! {
        (frame.minute(*from, None)) " – " (frame.minute(*until, None)) " · "
        (said(least)) " – " (said(most)) " " (currency)
    };
    parts::picture(frame, "curve", drawing, caption)
}

/// What the account had at the end of each day, the oldest first, and what it has now.
fn steps(balance: i64, days: &[Value], now: Timestamp) -> Vec<Step> {
    let levels = days.iter().filter_map(|day| {
        Some((plain(day, "day").parse().ok()?, parts::micros(&day["balance"])?.as_micros()))
    });
    levels.chain([(now, balance)]).collect()
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
    fn a_balance_holds_until_the_day_of_the_next_one() {
        let day = |day: &str, balance: &str| json!({ "day": day, "balance": balance });
        let days = [
            day("2026-01-01T00:00:00Z", "100.00"),
            day("2026-02-01T00:00:00Z", "105.00"),
            day("2026-03-01T00:00:00Z", "75.00"),
        ];
        let now = "2026-04-01T00:00:00Z".parse().unwrap();
        let steps = steps(75_000_000, &days, now);
        let levels = steps.iter().map(|(_, level)| level / 1_000_000).collect::<Vec<_>>();
        assert_eq!(levels, [100, 105, 75, 75]);
        let drawn = path(&steps, 0, 105_000_000, true);
        assert!(drawn.starts_with("M0 8H344V2") && drawn.ends_with("V118H0Z"), "{drawn}");
    }
}
