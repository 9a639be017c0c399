//! `/forecast`: what the coming months cost by account, and which top-up is needed when. The one page that may take longer,
//! because a forecast plays the months.

use axum::response::Response;
use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::address::Address;
use crate::console::balances;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;
use crate::middleware::CONSOLE_FORECAST;

/// `GET /forecast`; with `part=runway`, only when each balance runs short, for the page of today; with `part=account`, the
/// months and the curve of an account, for its page.
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let months = query.get("months").unwrap_or("6");
    let address =
        Address::new("/v1/forecast", &[]).with("months", Some(months)).with_each(query, &["account"]);
    let forecast = visit.get(&address.text()).await?;
    let accounts = items(&forecast, "accounts");
    if query.get("part") == Some("runway") {
        return Ok(layout::html_response(runway_lines(frame, accounts)));
    }
    if query.get("part") == Some("account") {
        let until = &forecast["until"];
        return Ok(layout::html_response(html! {
            (runway(frame, accounts))
            @for account in accounts { (balances::draw_ahead(frame, account, until)) (account_part(frame, account)) }
        }));
    }
    let content = html! {
        form.filter method="get" action=(CONSOLE_FORECAST) role="search" {
            (parts::field(frame, t::ACCOUNT, "account", query.get("account").unwrap_or_default()))
            label {
                span { (frame.say(t::MONTHS_AHEAD)) }
                select name="months" { @for count in ["3", "6", "12", "24"] { option value=(count) selected[count == months] { (count) } } }
            }
            button type="submit" { (frame.say(t::FILTER)) }
        }
        p.note { (frame.say(t::FORECAST_LEAD)) }
        (runway(frame, accounts))
        @for account in accounts { (account_part(frame, account)) }
    };
    Ok(layout::page(frame, Section::Forecast, frame.say(t::FORECAST), content))
}

fn runway(frame: &Frame, accounts: &[Value]) -> Markup {
    let rows = accounts.iter().map(|account| {
        let shortfall = &account["shortfall"];
        let currency = &account["currency"];
        vec![
            parts::account(&account["account"]),
            parts::amount(&account["balance"], currency),
            html! { @if shortfall.is_object() { span.bad { (frame.time(&shortfall["at"], None)) } } @else { (frame.say(t::IT_LASTS)) } },
            parts::amount(&shortfall["amount"], currency),
            parts::amount(&shortfall["total"], currency),
        ]
    });
    let columns = [
        Column::Words(t::ACCOUNT),
        Column::Figures(t::BALANCE),
        Column::Words(t::RUNS_SHORT),
        Column::Figures(t::TOP_UP_THEN),
        Column::Figures(t::TOP_UP_FOR_ALL),
    ];
    parts::table(frame, frame.say(t::RUNWAY), &columns, rows.collect())
}

/// When each balance runs short, in a line each, for a narrow place.
fn runway_lines(frame: &Frame, accounts: &[Value]) -> Markup {
    html! {
        ul.plain {
            @for account in accounts {
                @let (shortfall, currency) = (&account["shortfall"], &account["currency"]);
                li {
                    (parts::account(&account["account"])) " " (parts::amount(&account["balance"], currency)) ": "
                    @if shortfall.is_object() {
                        span.bad { (frame.say(t::RUNS_SHORT)) " " (frame.time(&shortfall["at"], None)) } " "
                        (frame.say(t::TOP_UP)) " " (parts::amount(&shortfall["amount"], currency))
                    } @else { (frame.say(t::IT_LASTS)) }
                }
            }
        }
    }
}

fn account_part(frame: &Frame, account: &Value) -> Markup {
    let currency = &account["currency"];
    let months = items(account, "months");
    let most = months
        .iter()
        .filter_map(|month| parts::micros(&month["cost"]))
        .max()
        .map_or(0, |most| most.as_micros());
    let rows = months.iter().map(|month| {
        let cost = parts::micros(&month["cost"]).map_or(0, |cost| cost.as_micros());
        let is_short = plain(month, "balance_left").starts_with('-');
        vec![
            html! { (parts::text(&month["month"])) },
            html! { meter min="0" max=(most.max(1)) value=(cost) aria-label=(frame.say(t::COST)) {} },
            parts::amount(&month["cost"], currency),
            html! { span class=[is_short.then_some("bad")] { (parts::amount(&month["balance_left"], currency)) } },
            html! { (items(month, "payments").len()) },
        ]
    });
    let columns = [
        Column::Words(t::MONTH),
        Column::Controls(t::COST),
        Column::Figures(t::COST),
        Column::Figures(t::BALANCE_THEN),
        Column::Figures(t::PAYMENTS),
    ];
    parts::table(frame, plain(account, "account"), &columns, rows.collect())
}
