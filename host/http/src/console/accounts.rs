//! `/accounts` and `/accounts/{id}`: balances, budgets, ledgers and top-ups. Settings are in `account_settings`.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::account_settings;
use crate::console::address;
use crate::console::address::Address;
use crate::console::balances;
use crate::console::cloud;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::plugin_evidence;
use crate::console::texts as t;
use crate::console::texts::accounts as of_accounts;
use crate::console::visit::Visit;

/// The most entries of a ledger on the page: the newest.
const ENTRIES_MAX: usize = 100;

/// `GET /accounts`: each with its balance.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let address =
        Address::new("/v1/accounts", &[]).with_each(query, &["provider", "cursor"]).with("limit", Some(200));
    let page = visit.get(&address.text()).await?;
    let rows = items(&page, "items").iter().map(|account| {
        vec![
            parts::account(&account["id"]),
            parts::text(&account["provider"]),
            parts::amount(&account["balance"], &account["currency"]),
            parts::amount(&account["held"], &account["currency"]),
            parts::amount(&account["approval_above"], &account["currency"]),
            parts::amount(&account["budget"], &account["currency"]),
            parts::amount(&account["budget_left"], &account["currency"]),
        ]
    });
    let columns = [
        Column::Words(t::ACCOUNT),
        Column::Words(t::PROVIDER),
        Column::Figures(t::BALANCE),
        Column::Figures(t::HELD),
        Column::Figures(t::APPROVAL_ABOVE),
        Column::Figures(t::BUDGET),
        Column::Figures(of_accounts::BUDGET_LEFT),
    ];
    let content = html! {
        (parts::table(frame, frame.say(t::ACCOUNTS), &columns, rows.collect()))
        (parts::more(frame, "/accounts", &page, query, &["provider"]))
    };
    Ok(layout::page(frame, Section::Accounts, frame.say(t::ACCOUNTS), content))
}

/// `GET /accounts/{id}`: one account with its ledger and its settings.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let account = visit.get(&address::to("/v1/accounts/{}", &[&id])).await?;
    let ledger = Address::new("/v1/accounts/{}/ledger", &[&id]).with("order", Some("newest"));
    let ledger = visit.get(&ledger.with("limit", Some(ENTRIES_MAX)).text()).await?;
    let days = visit.get(&address::to("/v1/accounts/{}/balances", &[&id])).await?;
    let cloud = cloud::part(&visit, &account).await?;
    let plugins = visit.get("/v1/plugins").await?;
    let plugin = items(&plugins, "items").iter().find(|plugin| plugin["id"] == account["provider"]);
    let currency = &account["currency"];
    let content = html! {
        div id="facts" data-live="facts" { (facts(frame, &account)) }
        @if account["limit_raise"].is_object() {
            p.problem { (frame.say(t::LIMIT_RAISE_WAITS)) " " (parts::amount(&account["limit_raise"]["approval_above"], currency)) }
        }
        p.links {
            a href=(Address::new("/resources", &[]).with("account", Some(&id)).text()) { (frame.say(t::RESOURCES)) } " "
            a href=(Address::new("/forecast", &[]).with("account", Some(&id)).text()) { (frame.say(t::FORECAST)) } " "
            a href=(Address::new("/calendar", &[]).with("account", Some(&id)).text()) { (frame.say(t::CALENDAR)) } " "
            a href=(Address::new("/events", &[]).with("account", Some(&id)).text()) { (frame.say(t::EVENTS)) }
        }
        (top_up_form(frame, &account))
        (cloud)
        section id="ahead" aria-labelledby="ahead-title" {
            h2 id="ahead-title" { (frame.say(t::AHEAD)) }
            @let forecast = Address::new("/forecast", &[]).with("account", Some(&id)).with("months", Some(6));
            p id="months-ahead" { a href=(forecast.clone().text()) { (frame.say(t::WHEN_IT_RUNS_SHORT)) } }
            p.hidden data-load=(forecast.with("part", Some("account")).text()) data-instead="months-ahead" {}
        }
        section.titled id="ledger" data-live="ledger" aria-labelledby="ledger-title" {
            h2 id="ledger-title" { (frame.say(t::LEDGER)) }
            @if ledger["next_cursor"].is_string() { p.note { (frame.fill(t::SHOWN_LAST, &[&ENTRIES_MAX.to_string()])) } }
            (balances::draw(frame, &account, items(&days, "items")))
            (ledger_table(frame, &account, items(&ledger, "items")))
        }
        (account_settings::part(frame, &account, plugin))
    };
    Ok(layout::page(frame, Section::Accounts, &id, content))
}

fn facts(frame: &Frame, account: &Value) -> Markup {
    let amount = |name: &str| parts::amount(&account[name], &account["currency"]);
    let mut rows = vec![
        (frame.say(t::BALANCE), amount("balance")),
        (frame.say(t::HELD), amount("held")),
        (frame.say(t::APPROVAL_ABOVE), amount("approval_above")),
        (frame.say(t::BUDGET), amount("budget")),
    ];
    if account["budget"].is_string() {
        rows.push((frame.say(of_accounts::BUDGET_SPENT), amount("budget_spent")));
        rows.push((frame.say(of_accounts::BUDGET_LEFT), amount("budget_left")));
    }
    rows.push((frame.say(t::PROVIDER), parts::text(&account["provider"])));
    rows.push((frame.say(t::MODE), html! { (frame.word(plain(account, "mode"))) }));
    let revision = &account["revision"];
    rows.push((frame.say(of_accounts::DECIDED_BY), decided_by(frame, revision)));
    if revision["shadow"].is_object() {
        rows.push((frame.say(of_accounts::BESIDE_IN_SHADOW), asked_revision(frame, &revision["shadow"])));
    }
    parts::facts(&rows)
}

/// The revision that decides, and why.
fn decided_by(frame: &Frame, revision: &Value) -> Markup {
    html! {
        @if revision.is_null() { span.bad { (frame.say(of_accounts::NO_PLUGIN)) } }
        @else { (asked_revision(frame, revision)) }
        @if revision["is_usable"] == json!(false) { " " span.bad { (frame.say(of_accounts::CANNOT_BE_LOADED)) } }
    }
}

/// A revision with its name and version, and what binds it.
fn asked_revision(frame: &Frame, revision: &Value) -> Markup {
    let why = match plain(revision, "reason") {
        "bundled" => of_accounts::WHY_BUNDLED,
        "loaded" => of_accounts::WHY_LOADED,
        "all_accounts" => of_accounts::WHY_ALL_ACCOUNTS,
        "pattern" => of_accounts::WHY_PATTERN,
        _ => of_accounts::WHY_ACCOUNT,
    };
    html! {
        (plain(revision, "name")) " " (plain(revision, "version")) " "
        // Whose token is bound to accounts may not open the page of a revision.
        @if frame.caller.can_access_all() { (plugin_evidence::revision(&revision["digest"])) }
        @else { code { (plugin_evidence::short(plain(revision, "digest"))) } }
        " (" (frame.say(why)) @if plain(revision, "reason") == "pattern" { " " code { (plain(revision, "accounts")) } } ")"
    }
}

fn ledger_table(frame: &Frame, account: &Value, entries: &[Value]) -> Markup {
    let provider = account["provider"].as_str();
    let rows = entries.iter().map(|entry| {
        vec![
            frame.time(&entry["at"], provider),
            html! { (frame.word(plain(entry, "reason"))) },
            html! { (frame.word(plain(entry, "from"))) " → " (frame.word(plain(entry, "to"))) },
            parts::amount(&entry["amount"], &account["currency"]),
            parts::resource(&entry["resource"]),
        ]
    });
    let columns = [
        Column::Words(t::WHEN),
        Column::Words(t::WHAT),
        Column::Words(t::BOOKS),
        Column::Figures(t::AMOUNT),
        Column::Words(t::RESOURCE),
    ];
    parts::table(frame, frame.say(t::LEDGER), &columns, rows.collect())
}

fn top_up_form(frame: &Frame, account: &Value) -> Markup {
    // The balance of a connected account is its provider's.
    let keeps_balance = plain(account, "mode") == "managed";
    html! {
        @if frame.may(Role::Operator) && keeps_balance {
            form.act method="post" action=(address::to("/accounts/{}/top-up", &[plain(account, "id")])) {
                (frame.proof())
                label {
                    span { (frame.say(t::TOP_UP_BY)) " (" (plain(account, "currency")) ")" }
                    input name="amount" inputmode="decimal" required pattern="[0-9]{1,10}([.][0-9]{1,6})?"
                        placeholder="500.00" autocomplete="off";
                }
                (parts::field(frame, t::REASON, "reason", ""))
                button type="submit" { (frame.say(t::TOP_UP)) }
            }
        }
    }
}

/// `POST /accounts/{id}/top-up`: money for the account.
pub(super) async fn top_up(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let body = json!({ "amount": visit.form.get("amount").unwrap_or_default() });
    visit.send(Method::POST, &format!("{}:top-up", address::to("/v1/accounts/{}", &[&id])), &body).await?;
    Ok(visit.go(Address::new("/accounts/{}", &[&id]), "topped-up"))
}
