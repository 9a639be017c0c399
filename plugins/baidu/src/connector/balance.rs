//! The account's balance.
//!
//! Document: "Account Balance Query" (Finance: cloud.baidu.com/doc/Finance/s/Skhtyytwu). It names no currency: Baidu AI Cloud
//! bills in yuan.

use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::CloudBalance;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::amount::Amount;
use plugin_sdk::connector::response;
use serde::Deserialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::BALANCE;
use crate::connector::capabilities::Service;
use crate::connector::codes;

/// What every amount is in.
const CURRENCY: &str = "CNY";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    cash_balance: Amount<'a>,
}

/// The request for the balance: a `POST` without a body, of no region.
pub(super) fn request(context: &CallContext) -> UnsignedRequest {
    let operation = Operation {
        service: Service::Billing,
        region: String::new(),
        method: "POST",
        path: BALANCE.to_owned(),
        query: String::new(),
    };
    call::request(context, operation, Vec::new())
}

/// What can be spent, by a response.
pub(super) fn balance(response: &ReceivedResponse) -> Result<CloudBalance, QueryFailure> {
    codes::check(response)?;
    let amount = response::json::<Body>(response).and_then(|body| body.cash_balance.micros());
    let available = amount.ok_or_else(|| response::unreadable("no balance", response))?;
    Ok(CloudBalance { currency: CURRENCY.to_owned(), available })
}
