//! Every error code of the calls that are made, and what it proves.
//!
//! Sources: the tables of returned values of the documents that `refusals.rs` names, "Error Codes" of the API Request
//! Signing Guide, and "What Do I Do If a BSS API Is Throttled" (csdp_apifaq_00001). The code decides, not the HTTP status:
//! the old pages give several of them status 200.

use plugin_sdk::Refusal;
use plugin_sdk::connector::DeclineClass;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::codes;
use plugin_sdk::connector::codes::Meaning;
use plugin_sdk::connector::codes::Row;
use plugin_sdk::connector::response;
use serde::Deserialize;

const MONEY: Meaning = Meaning::Declined(DeclineClass::Money);
const RULE: Meaning = Meaning::Declined(DeclineClass::Rule);
const LATER: Meaning = Meaning::Declined(DeclineClass::Provider);

/// The code of success, which some responses have.
const SUCCESS: &str = "CBC.0000";

/// Every code with its meaning.
pub const MEANINGS: [Row; 62] = [
    ("CBC.0100", RULE),
    ("CBC.0150", Meaning::Permission),
    ("CBC.0151", Meaning::Permission),
    ("CBC.0154", Meaning::Credentials),
    ("CBC.0155", Meaning::Permission),
    ("CBC.0156", Meaning::Permission),
    ("CBC.0250", Meaning::Throttled),
    ("CBC.0999", Meaning::Unknown),
    ("CBC.99007197", Meaning::Throttled),
    // Renewing (api_order_00018).
    ("CBC.30010036", RULE),
    ("CBC.30010069", RULE),
    ("CBC.30050006", Meaning::Unpaid(DeclineClass::Money)),
    ("CBC.99000092", RULE),
    ("CBC.99003012", RULE),
    ("CBC.99003016", RULE),
    ("CBC.99003100", Meaning::Unpaid(DeclineClass::Rule)),
    ("CBC.99003144", LATER),
    ("CBC.99003154", RULE),
    ("CBC.99003631", RULE),
    ("CBC.99003634", RULE),
    ("CBC.7281", RULE),
    // Automatic renewal (api_order_00022, api_order_00023).
    ("CBC.99003602", RULE),
    ("CBC.99003605", Meaning::Done),
    // Unsubscribing (api_order_00019).
    ("CBC.30000053", RULE),
    ("CBC.30000067", Meaning::Done),
    ("CBC.99003128", RULE),
    ("CBC.99003185", RULE),
    ("CBC.99003643", RULE),
    ("CBC.99003647", RULE),
    ("CBC.99003649", RULE),
    ("CBC.99003650", RULE),
    ("CBC.99003651", LATER),
    ("CBC.99003652", RULE),
    ("CBC.99003654", RULE),
    ("CBC.99003656", RULE),
    ("CBC.99006066", LATER),
    // The change to pay-per-use (api_order_00024).
    ("CBC.99003608", RULE),
    ("CBC.99003609", RULE),
    ("CBC.99003610", RULE),
    ("CBC.99003611", RULE),
    ("CBC.99003622", RULE),
    ("CBC.99003623", LATER),
    ("CBC.99003624", RULE),
    ("CBC.99003625", RULE),
    ("CBC.99003626", RULE),
    // Paying and cancelling orders (api_order_00016).
    ("CBC.30000010", RULE),
    ("CBC.99003106", RULE),
    ("CBC.99003108", RULE),
    ("CBC.99003110", RULE),
    ("CBC.99005003", MONEY),
    ("CBC.99005010", RULE),
    // Prices (renew-rate).
    ("CBC.30050007", RULE),
    ("CBC.30050008", RULE),
    ("CBC.30050009", RULE),
    ("CBC.30050010", RULE),
    ("CBC.30050011", RULE),
    ("CBC.30050012", RULE),
    ("CBC.30050013", RULE),
    // The gateway in front of it.
    ("APIGW.0301", Meaning::Credentials),
    ("APIG.0301", Meaning::Credentials),
    ("APIGW.0303", Meaning::Credentials),
    ("APIG.0308", Meaning::Throttled),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    error_code: Option<String>,
    error_msg: Option<String>,
}

/// The provider's refusal; `None` when the response has none.
pub(crate) fn refusal(response: &ReceivedResponse) -> Option<Refusal> {
    let body = response::json::<Body>(response)?;
    let code = body.error_code.filter(|code| !code.is_empty() && code != SUCCESS)?;
    Some(Refusal { code, message: body.error_msg.unwrap_or_default() })
}

/// Checks that a response answers a query.
pub(crate) fn check(response: &ReceivedResponse) -> Result<(), QueryFailure> {
    codes::check(&MEANINGS, refusal(response), response)
}
