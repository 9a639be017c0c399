//! The balance of the account.
//!
//! Source: Querying Account Balances (the customer's own; bc_00001 of the customer operation capabilities). This host
//! keeps one balance: there is no credit, bonus or deposit account, and nothing is earmarked.

use plugin_sdk::Micros;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::json::Json;

/// The type of an account of cash, and the unit of its amounts.
const CASH: i64 = 1;
const CURRENCY_UNIT: i64 = 1;

/// The balance that can be spent: money on hold for plans in progress counts as spent.
pub fn balance(call: &Call, replay: &mut Replay) -> OperationResult {
    let balance = replay.balance()?;
    let cash = Json::Object(vec![
        ("account_id", Json::from(call.account.id.as_str())),
        ("account_type", Json::Whole(CASH)),
        ("amount", Json::Amount(balance.available.max(0))),
        ("currency", Json::from(balance.currency.as_str())),
        ("designated_amount", Json::Amount(0)),
        ("measure_id", Json::Whole(CURRENCY_UNIT)),
    ]);
    let debt: Micros = balance.available.min(0).saturating_neg();
    call.answered(vec![
        ("account_balances", Json::List(vec![cash])),
        ("debt_amount", Json::Amount(debt)),
        ("measure_id", Json::Whole(CURRENCY_UNIT)),
        ("currency", Json::from(balance.currency.as_str())),
    ])
}
