//! What renewals would cost, and the account's balance.
//!
//! Sources: Querying the Renewal Amount of Yearly/Monthly Resources (renew-rate), Querying Account Balances (bc_00001).

use plugin_sdk::Refusal;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::CloudBalance;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::Quote;
use plugin_sdk::connector::QuoteQuery;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::amount::Amount;
use plugin_sdk::connector::response;
use serde::Deserialize;
use serde::Serialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::BALANCE;
use crate::connector::capabilities::BALANCES_API;
use crate::connector::capabilities::PRICES_API;
use crate::connector::capabilities::QUOTE;
use crate::connector::mutations;

/// Cash, credit and bonus: the accounts that pay for a renewal.
const SPENDABLE: [i64; 3] = [1, 2, 5];

#[derive(Serialize)]
struct Body<'a> {
    resource_ids: Vec<&'a str>,
    period_type: i64,
    period_num: u32,
}

/// The request for the prices of these renewals, each with what is attached.
pub(crate) fn quote(context: &CallContext, asked: &QuoteQuery) -> Result<UnsignedRequest, Refusal> {
    let (period_type, period_num) = mutations::period(asked.term)?;
    let resource_ids = asked.targets.iter().map(|target| target.id.as_str()).collect();
    let operation = Operation { api: PRICES_API, method: "POST", path: QUOTE };
    Ok(call::with_body(context, operation, &Body { resource_ids, period_type, period_num }))
}

#[derive(Deserialize)]
struct Prices<'a> {
    currency: Option<String>,
    #[serde(borrow, default)]
    renew_inquiry_results: Vec<Price<'a>>,
}

#[derive(Deserialize)]
struct Price<'a> {
    resource_id: String,
    #[serde(borrow)]
    amount: Amount<'a>,
}

/// The prices in a response. What the provider lists as failed has none.
pub(crate) fn quotes(response: &ReceivedResponse) -> Result<Vec<Quote>, QueryFailure> {
    let unreadable = || response::unreadable("no list of prices", response);
    let prices = response::json::<Prices>(response).ok_or_else(unreadable)?;
    if prices.renew_inquiry_results.is_empty() {
        return Ok(Vec::new());
    }
    let currency = prices.currency.ok_or_else(unreadable)?;
    let quote = |price: Price| {
        let amount = price.amount.micros().ok_or_else(unreadable)?;
        Ok(Quote { resource: price.resource_id, amount, currency: currency.clone() })
    };
    prices.renew_inquiry_results.into_iter().map(quote).collect()
}

/// The request for the balance.
pub(crate) fn balance(context: &CallContext) -> UnsignedRequest {
    let operation = Operation { api: BALANCES_API, method: "GET", path: BALANCE };
    call::without_body(context, operation, String::new())
}

#[derive(Deserialize)]
struct Balances<'a> {
    #[serde(borrow)]
    account_balances: Vec<Balance<'a>>,
    #[serde(borrow)]
    debt_amount: Option<Amount<'a>>,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct Balance<'a> {
    account_type: i64,
    #[serde(borrow)]
    amount: Amount<'a>,
    currency: Option<String>,
}

/// What can be spent, by a response.
pub(crate) fn balances(response: &ReceivedResponse) -> Result<CloudBalance, QueryFailure> {
    let unreadable = || response::unreadable("no balance", response);
    let balances = response::json::<Balances>(response).ok_or_else(unreadable)?;
    let of_account = balances.account_balances.iter().find_map(|balance| balance.currency.clone());
    let currency = balances.currency.or(of_account).ok_or_else(unreadable)?;
    let debt = balances.debt_amount.map_or(Some(0), Amount::micros).ok_or_else(unreadable)?;
    let spendable = balances.account_balances.iter().filter(|it| SPENDABLE.contains(&it.account_type));
    let mut available = debt.saturating_neg();
    for balance in spendable {
        available = available.saturating_add(balance.amount.micros().ok_or_else(unreadable)?);
    }
    Ok(CloudBalance { currency, available })
}
