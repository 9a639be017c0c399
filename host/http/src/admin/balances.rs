//! `/v1/accounts/{id}/balances`: the balance of an account, day by day.

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::micros::Micros;
use perennial_service::admin_tokens::Caller;
use perennial_store::ledger;
use perennial_store::ledger::LedgerDay;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Id;
use crate::input::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::AppState;
use crate::views;

/// How many days are looked back at, unless a request says otherwise.
const DAYS: i64 = 365;
/// The most days that are looked back at.
const DAYS_MAX: i64 = 1100;

/// The balance of an account at the end of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BalanceDay)]
pub(super) struct BalanceDayView {
    /// The first instant of the day, in UTC.
    #[schema(format = DateTime)]
    day: String,
    /// What came in on that day, refunds included, a decimal.
    paid_in: String,
    /// What was paid or put on hold on that day, a decimal.
    paid_out: String,
    /// The balance at the end of the day, a decimal; of the present day, the present balance.
    balance: String,
}

/// Lists the balance of an account at the end of each day on which something moved, the oldest day first. It is one page.
/// Of a connected account it is what this host's ledger has.
#[utoipa::path(get, path = "/v1/accounts/{id}/balances", tag = "accounts",
    params(
        ("id" = String, Path),
        ("days" = Option<i64>, Query, minimum = 1, maximum = 1100,
            description = "How many days are looked back at; 365 if left out."),
    ),
    responses((status = 200, body = Page<BalanceDayView>)))]
pub(super) async fn balances_by_day(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    mut query: Query,
) -> Result<Json<Page<BalanceDayView>>, Problem> {
    let days = query.take("days").map_or(Some(DAYS), |days| days.parse().ok());
    let days = days.filter(|days| (1..=DAYS_MAX).contains(days));
    if days.is_none() {
        query.reject("days", format!("expected a whole number from 1 to {DAYS_MAX}"));
    }
    query.finish()?;
    let since = app.now() - days.unwrap_or(DAYS) * 86_400;
    let items = app.read(move |db| {
        let stored = views::visible_account(db, &caller, &id)?;
        let days = ledger::days(db, stored.row, since)?;
        Ok(balances(stored.account.balance.available(), &days))
    });
    Ok(Json(Page { items: items.await?, next_cursor: None }))
}

/// The balance at the end of each of `days`, the newest first, counted back from what it is now; the oldest first.
fn balances(now: Micros, days: &[LedgerDay]) -> Vec<BalanceDayView> {
    let mut balance = now;
    let mut views = Vec::with_capacity(days.len());
    for day in days {
        views.push(BalanceDayView {
            day: day.day.to_string(),
            paid_in: day.paid_in.to_string(),
            paid_out: day.paid_out.to_string(),
            balance: balance.to_string(),
        });
        balance = balance - day.paid_in + day.paid_out;
    }
    views.reverse();
    views
}
