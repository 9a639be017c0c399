//! Every error code of the calls that are made, and what it proves.
//!
//! Documents: "Error Return" (BCC: cloud.baidu.com/doc/BCC/s/Ojwvyo6nc), "Instance Renewal", "Early Release of Prepaid
//! Instances". The code decides, not the HTTP status.

use plugin_sdk::Refusal;
use plugin_sdk::connector::DeclineClass;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::codes;
use plugin_sdk::connector::codes::Meaning;
use plugin_sdk::connector::codes::Row;
use plugin_sdk::connector::response;
use serde::Deserialize;

const RULE: Meaning = Meaning::Declined(DeclineClass::Rule);

/// Something that is not there, or not there any more.
pub(super) const NO_SUCH_OBJECT: &str = "NoSuchObject";

/// Every code with its meaning.
pub(super) const MEANINGS: [Row; 26] = [
    ("AccessDenied", Meaning::Permission),
    ("BadDigest", RULE),
    ("BadRequest", RULE),
    ("EntityTooLarge", RULE),
    // A call with this token came before, with other arguments: what became of that one, nobody knows here.
    ("IdempotentParameterMismatch", Meaning::Unknown),
    ("InappropriateJSON", RULE),
    ("Instance.DeletionProtection", RULE),
    ("InsufficientCreditException", Meaning::Declined(DeclineClass::Money)),
    ("InternalError", Meaning::Unknown),
    ("InvalidAccessKeyId", Meaning::Credentials),
    ("InvalidHTTPAuthHeader", Meaning::Credentials),
    ("InvalidHTTPRequest", RULE),
    ("InvalidURI", RULE),
    ("InvalidVersion", RULE),
    ("MalformedJSON", RULE),
    ("MethodNotAllowed", RULE),
    (NO_SUCH_OBJECT, RULE),
    ("OperationDenied", RULE),
    ("RequestExpired", Meaning::Credentials),
    ("RequestTimeout", Meaning::Unknown),
    ("ServiceUnavailable", Meaning::Unknown),
    ("SignatureDoesNotMatch", Meaning::Credentials),
    // Those of a disk: "Change the Disk Billing Mode".
    ("Volume.AutoRenewNotSupportToPostpay", RULE),
    ("Volume.ExpiredResourceNotSupportToPostpay", RULE),
    ("Volume.PaymentTypeNotSupportToPostpay", RULE),
    ("Volume.VolumeTypeNotSupport", RULE),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: Option<String>,
    message: Option<String>,
}

/// The provider's refusal; `None` when the response has none.
pub(super) fn refusal(response: &ReceivedResponse) -> Option<Refusal> {
    let body = response::json::<Body>(response)?;
    let code = body.code.filter(|code| !code.is_empty())?;
    Some(Refusal { code, message: body.message.unwrap_or_default() })
}

/// Checks that a response answers a query.
pub(super) fn check(response: &ReceivedResponse) -> Result<(), QueryFailure> {
    codes::check(&MEANINGS, refusal(response), response)
}
