//! The balance of an account as a line: day by day up to now, and ahead as a forecast has it. Makes what the API shows into
//! what `perennial_picture` draws; draws nothing itself.

use maud::Markup;
use maud::PreEscaped;
use maud::html;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_picture::account::BalanceChange;
use perennial_picture::html::fragment;
use perennial_picture::html::fragment::BalancePicture;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::items;
use crate::console::parts::plain;

/// Draws the balance of an account over `days`, as the API lists them, up to now.
pub(super) fn draw(frame: &Frame, account: &Value, days: &[Value]) -> Markup {
    let Some(balance) = parts::micros(&account["balance"]) else { return html! {} };
    let (from, changes) = behind(days, (frame.now, balance));
    let (from, changes) = (from, changes.as_slice());
    let (id, currency) = (plain(account, "id"), plain(account, "currency"));
    let provider = account["provider"].as_str();
    figure(frame, provider, &BalancePicture { account: id, currency, from, changes, until: frame.now })
}

/// Draws what the balance of an account comes to, payment by payment, as a forecast has it; until `until`.
pub(super) fn draw_ahead(frame: &Frame, account: &Value, until: &Value) -> Markup {
    let Some(balance) = parts::micros(&account["balance"]) else { return html! {} };
    let until = until.as_str().and_then(|until| until.parse().ok()).unwrap_or(frame.now);
    let changes = ahead(items(account, "months"), balance, until);
    let (id, currency) = (plain(account, "account"), plain(account, "currency"));
    let (from, changes) = ((frame.now, balance), changes.as_slice());
    figure(frame, None, &BalancePicture { account: id, currency, from, changes, until })
}

fn figure(frame: &Frame, provider: Option<&str>, picture: &BalancePicture<'_>) -> Markup {
    let drawn = fragment::balance(picture, frame.reader(provider));
    parts::picture(frame, "balances", PreEscaped(drawn.drawing), PreEscaped(drawn.legend))
}

/// A balance and since when it holds.
type Level = (Timestamp, Micros);

/// The first balance that is known, and how it changed from day to day until `now`.
fn behind(days: &[Value], now: Level) -> (Level, Vec<BalanceChange>) {
    let levels = days.iter().filter_map(|day| {
        Some((plain(day, "day").parse::<Timestamp>().ok()?, parts::micros(&day["balance"])?))
    });
    let mut levels = levels.chain([now]);
    let first = levels.next().unwrap_or(now);
    let mut balance = first.1;
    let mut changes = Vec::new();
    for (at, level) in levels.filter(|(at, _)| *at >= first.0) {
        if level != balance {
            changes.push(BalanceChange { at, amount: level - balance, balance: level, reason: None });
            balance = level;
        }
    }
    (first, changes)
}

/// The payments of a forecast, and what the end of a month says beyond those that it lists.
fn ahead(months: &[Value], mut balance: Micros, until: Timestamp) -> Vec<BalanceChange> {
    let first = |month: &Value| format!("{}-01T00:00:00Z", plain(month, "month")).parse::<Timestamp>().ok();
    let mut changes = Vec::new();
    for (number, month) in months.iter().enumerate() {
        for payment in items(month, "payments") {
            let (Ok(at), Some(cost)) = (plain(payment, "at").parse(), parts::micros(&payment["cost"])) else {
                continue;
            };
            balance -= cost;
            let reason =
                if plain(payment, "kind") == "purchase" { Reason::Purchase } else { Reason::Renewal };
            changes.push(BalanceChange { at, amount: -cost, balance, reason: Some(reason) });
        }
        let end = months.get(number + 1).map_or(Some(until), first).unwrap_or(until);
        if let Some(left) = parts::micros(&month["balance_left"]).filter(|left| *left != balance) {
            changes.push(BalanceChange { at: end, amount: left - balance, balance: left, reason: None });
            balance = left;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn amount(text: &str) -> Micros {
        text.parse().unwrap()
    }

    #[test]
    fn a_balance_holds_until_the_day_of_the_next_one() {
        let day = |day: &str, balance: &str| json!({ "day": day, "balance": balance });
        let days = [
            day("2026-01-01T00:00:00Z", "100.00"),
            day("2026-02-01T00:00:00Z", "105.00"),
            day("2026-02-02T00:00:00Z", "105.00"),
            day("2026-03-01T00:00:00Z", "75.00"),
        ];
        let now = "2026-04-01T00:00:00Z".parse().unwrap();
        let (first, changes) = behind(&days, (now, amount("75.00")));
        assert_eq!(first, ("2026-01-01T00:00:00Z".parse().unwrap(), amount("100.00")));
        let levels = changes.iter().map(|change| (change.amount.to_string(), change.balance.to_string()));
        assert_eq!(
            levels.collect::<Vec<_>>(),
            [("5.00".to_owned(), "105.00".to_owned()), ("-30.00".to_owned(), "75.00".to_owned())]
        );
        assert_eq!(behind(&[], (now, amount("1.00"))), ((now, amount("1.00")), Vec::new()));
    }

    #[test]
    fn a_forecast_is_drawn_payment_by_payment_and_ends_as_it_says() {
        let payment = |at: &str, cost: &str| json!({ "at": at, "cost": cost, "kind": "renewal" });
        let months = [
            json!({ "month": "2026-01", "balance_left": "60.00", "payments": [
                payment("2026-01-10T00:00:00Z", "30.00"), payment("2026-01-20T00:00:00Z", "10.00")] }),
            json!({ "month": "2026-02", "balance_left": "-20.00", "payments": [] }),
        ];
        let until = "2026-03-01T00:00:00Z".parse().unwrap();
        let changes = ahead(&months, amount("100.00"), until);
        let balances = changes.iter().map(|change| (change.at.to_string(), change.balance.to_string()));
        let expected = [
            ("2026-01-10T00:00:00Z", "70.00"),
            ("2026-01-20T00:00:00Z", "60.00"),
            ("2026-03-01T00:00:00Z", "-20.00"),
        ];
        assert_eq!(
            balances.collect::<Vec<_>>(),
            expected.map(|(at, balance)| (at.to_owned(), balance.to_owned()))
        );
    }
}
