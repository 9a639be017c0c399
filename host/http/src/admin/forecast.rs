//! `/v1/forecast`: the costs of the coming months, by account and month.

use std::collections::BTreeSet;
use std::fmt::Write;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::forecast_pool;
use crate::csv;
use crate::csv::ListFormat;
use crate::input::Query;
use crate::problem::Problem;
use crate::problem::ProblemDetails;
use crate::state::AppState;
use crate::views;
use perennial_engine::forecast;
use perennial_engine::forecast::AccountForecast;
use perennial_engine::forecast::Forecast;
use perennial_engine::forecast::Month;
use perennial_engine::forecast::Payment;
use perennial_service::admin_tokens::Caller;
use perennial_store::memory::MemoryStore;

/// The path, which has a time limit of its own.
pub const PATH: &str = "/v1/forecast";
/// The default number of months.
const MONTHS: u32 = 12;
/// The most months.
pub(super) const MONTHS_MAX: u32 = 36;
/// The most payments in JSON.
const PAYMENTS_MAX: usize = 10_000;

/// What the coming months cost.
#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
pub(super) struct ForecastView {
    /// The first instant: now.
    #[schema(format = DateTime)]
    from: String,
    /// The last instant.
    until: String,
    /// The accounts, ordered by ID.
    accounts: Vec<AccountForecastView>,
    /// The number of payments beyond the first 10,000, which are counted but not listed; CSV has all of them.
    payments_omitted: usize,
}

/// The forecast of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountForecast)]
struct AccountForecastView {
    /// The account's ID.
    account: String,
    /// The currency of its amounts.
    currency: String,
    /// Why nothing is known of what it will pay: the plugin of its provider is not loaded. Null when it is.
    problem: Option<String>,
    /// The present balance, a decimal.
    balance: String,
    /// When the balance runs short; null when it lasts.
    shortfall: Option<ShortfallView>,
    /// The months, in order.
    months: Vec<MonthView>,
}

/// When a balance runs short.
#[derive(Serialize, ToSchema)]
#[schema(as = Shortfall)]
struct ShortfallView {
    /// The instant of the first payment that the balance does not cover.
    at: String,
    /// The least top-up before `at` that covers the payments at that instant, a decimal.
    amount: String,
    /// The least top-up before `at` that covers everything until the end of the forecast, a decimal.
    total: String,
}

/// A month of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastMonth)]
struct MonthView {
    /// The month in UTC, such as `2026-01`.
    month: String,
    /// The sum of its payments, a decimal.
    cost: String,
    /// The balance at its end without a top-up, a decimal; negative once the balance has run short.
    balance_left: String,
    /// Its payments, in the order of time.
    payments: Vec<PaymentView>,
}

/// A future payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
struct PaymentView {
    /// The instant of the payment.
    at: String,
    /// The resource's ID.
    resource: String,
    /// `renewal` or `purchase`.
    kind: &'static str,
    /// The amount, a decimal.
    cost: String,
    /// The expiry of the resource after the payment.
    expires_at: String,
}

/// Forecasts costs: for the rest of this month in UTC, and for whole months after it.
///
/// The forecast is a simulation over a copy of the database, with the same plugins and without further commands. It
/// lists renewals that would be declined for lack of money as payments, and lets the balance become negative. The host
/// makes one forecast at a time for each person, and one for all tokens that are bound to the same accounts.
#[utoipa::path(get, path = "/v1/forecast", tag = "forecast",
    params(
        ("months" = Option<u32>, Query, minimum = 1, maximum = 36, description = "The number of months; 12 if left out."),
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("format" = Option<String>, Query, description = "`json` or `csv`; if left out, `Accept` decides."),
    ),
    responses(
        (status = 200, content((ForecastView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "There is no such account.", body = ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, Problem> {
    let months = query.take("months");
    let number = months.as_deref().map_or(Some(MONTHS), |months| months.parse().ok());
    let number = number.filter(|number| (1..=MONTHS_MAX).contains(number));
    if number.is_none() {
        query.reject("months", format!("expected a whole number from 1 to {MONTHS_MAX}"));
    }
    let account = query.take("account");
    let format = ListFormat::read(&mut query, &headers);
    query.finish()?;
    let forecast = make_forecast(&app, caller, account, number.unwrap_or(MONTHS)).await?;
    Ok(match format {
        ListFormat::Json => Json(ForecastView::new(forecast)).into_response(),
        ListFormat::Csv => ([(header::CONTENT_TYPE, csv::CONTENT_TYPE)], csv(&forecast)).into_response(),
    })
}

/// Makes a forecast within the time limit, unless the host stops.
async fn make_forecast(
    app: &AppState,
    caller: Caller,
    account: Option<String>,
    months: u32,
) -> Result<Forecast, Problem> {
    let slots = forecast_pool::acquire(app, &caller)?;
    let providers = app.providers().clone();
    let copied = app.read(move |db| {
        let accounts = match account {
            Some(id) => Some(BTreeSet::from([views::visible_account(db, &caller, &id)?.account.id])),
            None => caller.accounts().map(BTreeSet::from_iter),
        };
        Ok((MemoryStore::load(db, accounts.as_ref())?, providers.as_bound(db)?))
    });
    let (copied, providers) = copied.await?;
    let from = app.now();
    forecast_pool::run(app, slots, move |stop| forecast::forecast(copied, providers, from, months, stop))
        .await
}

impl ForecastView {
    fn new(forecast: Forecast) -> ForecastView {
        let mut room = PAYMENTS_MAX;
        let mut omitted = 0;
        let mut payments = |month: &Month| {
            let listed = room.min(month.payments.len());
            room -= listed;
            omitted += month.payments.len() - listed;
            month.payments[..listed].iter().map(PaymentView::from).collect::<Vec<_>>()
        };
        let mut view = |account: AccountForecast| AccountForecastView {
            problem: (!account.has_plugin).then(|| problem(&account)),
            balance: account.balance.to_string(),
            shortfall: account.shortfall.map(|shortfall| ShortfallView {
                at: shortfall.at.to_string(),
                amount: shortfall.amount.to_string(),
                total: shortfall.total.to_string(),
            }),
            months: account
                .months
                .iter()
                .map(|month| MonthView {
                    month: month.name.clone(),
                    cost: month.cost.to_string(),
                    balance_left: month.balance_left.to_string(),
                    payments: payments(month),
                })
                .collect(),
            account: account.id,
            currency: account.currency,
        };
        let accounts = forecast.accounts.into_iter().map(&mut view).collect();
        let (from, until) = (forecast.from.to_string(), forecast.until.to_string());
        ForecastView { from, until, accounts, payments_omitted: omitted }
    }
}

impl From<&Payment> for PaymentView {
    fn from(payment: &Payment) -> PaymentView {
        PaymentView {
            at: payment.at.to_string(),
            resource: payment.resource.clone(),
            kind: payment_kind(payment),
            cost: payment.cost.to_string(),
            expires_at: payment.expires_at.to_string(),
        }
    }
}

/// What keeps an account from being forecast.
fn problem(account: &AccountForecast) -> String {
    format!(
        "no plugin of `{}` is loaded, so that nobody knows what `{}` will pay; load it with `--plugin FILE`",
        account.provider, account.id
    )
}

fn payment_kind(payment: &Payment) -> &'static str {
    if payment.is_renewal { "renewal" } else { "purchase" }
}

/// Every payment as a line of CSV.
fn csv(forecast: &Forecast) -> String {
    let mut text = "month,at,account,resource,kind,cost,currency,expires_at\r\n".to_owned();
    for account in &forecast.accounts {
        for month in &account.months {
            for payment in &month.payments {
                let Payment { at, cost, expires_at, .. } = payment;
                let (id, resource) = (csv::quote(&account.id), csv::quote(&payment.resource));
                let (name, kind, currency) =
                    (&month.name, payment_kind(payment), csv::quote(&account.currency));
                write!(text, "{name},{at},{id},{resource},{kind},{cost},{currency},{expires_at}\r\n")
                    .expect("writing to text never fails");
            }
        }
    }
    text
}
