//! The balance of the account, as Finance shows it.
//!
//! Document: "Account Balance Query" (Finance: cloud.baidu.com/doc/Finance/s/Skhtyytwu). This host keeps one balance: what
//! can be spent of it is the cash, and money on hold for plans in progress counts as spent.

use plugin_sdk::provider_api::amount::decimal;

use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

/// Handles `POST /v1/finance/cash/balance`.
pub(crate) fn show(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let balance = replay.balance()?;
    // A number with every digit of the amount: no binary fraction is made of money.
    let body = format!("{{\"cashBalance\":{}}}", decimal(balance.available)).into_bytes();
    Ok(response::json_text(context.id(), body))
}
