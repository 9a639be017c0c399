//! Every error of the API: its code, its HTTP status and its body.
//!
//! `refusals.rs` has the codes of the rules; the table below is the only place with their statuses, on the present API
//! and on the old one.

use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::error::ApiError;
use plugin_sdk::provider_api::mutation::UnexpectedOutcome;

use crate::provider_api::json::Json;
use crate::provider_api::response;

/// The two generations of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/v2/...`, and IAM's `/v3/...`.
    Present,
    /// `/v1.0/{domain_id}/common/order-mgr/...`: its responses have a code on success too, and some of its
    /// errors have status 200.
    Old,
}

/// A code with the status that it has on the present API and on the old one.
type Row = (&'static str, u16, u16);

/// Every code of the business support API that a managed account can get.
///
/// Sources: the tables of returned values of the documents that `refusals.rs` names. The (Old) pages give status 200 to
/// expired resources, orders in progress, unpaid orders, resources that are gone or unknown, and frozen accounts.
pub const STATUSES: [Row; 52] = [
    ("CBC.0100", 400, 400),
    ("CBC.0151", 403, 403),
    ("CBC.0250", 429, 429),
    ("CBC.0999", 500, 500),
    ("CBC.99003012", 400, 200),
    ("CBC.99003100", 400, 200),
    ("CBC.30050006", 400, 400),
    ("CBC.30010036", 400, 400),
    ("CBC.30010069", 400, 400),
    ("CBC.99000092", 400, 400),
    ("CBC.99003016", 400, 200),
    ("CBC.99003144", 400, 200),
    ("CBC.99003154", 400, 400),
    ("CBC.99003631", 400, 200),
    ("CBC.7281", 400, 200),
    ("CBC.30050013", 400, 400),
    ("CBC.99003602", 400, 400),
    ("CBC.99003605", 400, 400),
    ("CBC.30000067", 400, 400),
    ("CBC.99003128", 400, 400),
    ("CBC.99003185", 400, 400),
    ("CBC.99003643", 400, 400),
    ("CBC.99003647", 400, 400),
    ("CBC.99003649", 400, 400),
    ("CBC.99003650", 400, 400),
    ("CBC.99003651", 400, 400),
    ("CBC.99003652", 400, 400),
    ("CBC.99003654", 400, 400),
    ("CBC.99003656", 400, 400),
    ("CBC.99003608", 400, 400),
    ("CBC.99003609", 400, 400),
    ("CBC.99003610", 200, 200),
    ("CBC.99003611", 400, 400),
    ("CBC.99003622", 400, 400),
    ("CBC.99003623", 400, 400),
    ("CBC.99003624", 400, 400),
    ("CBC.99003625", 400, 400),
    ("CBC.99003626", 400, 400),
    ("CBC.99005026", 400, 400),
    // Paying Yearly/Monthly Product Orders (api_order_00016), and cancelling them.
    ("CBC.30000010", 400, 400),
    ("CBC.99003106", 400, 400),
    ("CBC.99003110", 400, 400),
    ("CBC.99005003", 400, 400),
    ("CBC.99005010", 400, 400),
    // Querying the Renewal Amount of Yearly/Monthly Resources: which resource it is, is said in a list.
    ("CBC.30050007", 200, 200),
    ("CBC.30050008", 200, 200),
    ("CBC.30050009", 200, 200),
    ("CBC.30050010", 200, 200),
    ("CBC.30050011", 200, 200),
    ("CBC.30050012", 400, 400),
    // The gateway in front of it: API Request Signing Guide, "Error Codes".
    (GATEWAY_UNKNOWN, 404, 404),
    (GATEWAY_DENIED, 401, 401),
];

/// The path does not exist, or has no such method.
const GATEWAY_UNKNOWN: &str = "APIGW.0101";
/// The gateway cannot read the request.
const GATEWAY_UNREADABLE: &str = "APIGW.0201";
/// The request took too long.
const GATEWAY_SLOW: &str = "APIGW.0203";
/// The credentials are absent or wrong.
const GATEWAY_DENIED: &str = "APIGW.0301";
/// The signature has expired, or is from the future.
const GATEWAY_EXPIRED: &str = "APIGW.0303";

/// An error of this API.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    error: ApiError,
    /// Fields beside the code and its message.
    more: Vec<(&'static str, Json)>,
}

impl Problem {
    fn new(status: u16, code: &str, message: impl Into<String>) -> Problem {
        Problem { error: ApiError::new(status, code, message), more: Vec::new() }
    }

    /// A parameter is not valid.
    pub fn parameter(message: impl Into<String>) -> Problem {
        Problem::new(400, "CBC.0100", message)
    }

    /// The account may not do this.
    pub fn denied(message: impl Into<String>) -> Problem {
        Problem::new(403, "CBC.0151", message)
    }

    /// Another code of the table, on the present API.
    pub fn code(code: &str, message: impl Into<String>) -> Problem {
        Problem::new(status(code, Dialect::Present), code, message)
    }

    /// A refusal of the rules, for a resource.
    pub fn refused(dialect: Dialect, resource: &str, refusal: &Refusal) -> Problem {
        let message = format!("{resource}: {}", refusal.message);
        let code = known(&refusal.code);
        Problem::new(status(code, dialect), code, message)
    }

    /// The host or the plugin failed.
    pub fn internal() -> Problem {
        Problem::new(500, "CBC.0999", "Internal error; read the state before sending the request again.")
    }

    /// Too many requests at a time.
    pub fn throttled(seconds: u32) -> Problem {
        let message = format!("Too many requests; send it again in {seconds} seconds.");
        Problem::new(429, "CBC.0250", message).with_header("retry-after", seconds.to_string())
    }

    /// The path is none of this API's.
    pub(crate) fn unknown_path() -> Problem {
        Problem::new(
            404,
            GATEWAY_UNKNOWN,
            "The API does not exist or has not been published in the environment",
        )
    }

    /// The path does not have this method.
    pub(crate) fn unknown_method(allowed: String) -> Problem {
        let message = format!("The API does not exist: the request method is not one of {allowed}");
        Problem::new(405, GATEWAY_UNKNOWN, message).with_header("allow", allowed)
    }

    /// The request cannot be read.
    pub fn unreadable(message: &str) -> Problem {
        Problem::new(400, GATEWAY_UNREADABLE, format!("API request error: {message}"))
    }

    /// The body is too long.
    pub fn too_large(bytes: u32) -> Problem {
        let message = format!("Request entity too large: a body has at most {bytes} bytes");
        Problem::new(413, GATEWAY_UNREADABLE, message)
    }

    /// The request took too long, and may still be carried out.
    pub(crate) fn too_slow() -> Problem {
        let message =
            "Backend timeout: what was asked for may still be done; read the state before sending it again";
        Problem::new(504, GATEWAY_SLOW, message)
    }

    /// The credentials are absent or wrong.
    pub fn unauthenticated(why: &str) -> Problem {
        Problem::new(401, GATEWAY_DENIED, format!("Incorrect IAM authentication information: {why}"))
    }

    /// The access key does not exist, or has another secret; the message does not reveal which.
    pub(crate) fn wrong_password() -> Problem {
        Problem::new(401, GATEWAY_DENIED, "The username or password is wrong.")
    }

    /// The signature has expired, or is from the future; the message has its time and the host's.
    pub fn expired(signed_at: &str, now: &str) -> Problem {
        let message = format!(
            "Incorrect IAM authentication information: signature expired, signature time:{signed_at},server time:{now}"
        );
        Problem::new(401, GATEWAY_EXPIRED, message)
    }

    /// The same problem with IAM's field `error` too, which the clients of its token API read.
    pub(crate) fn for_iam(mut self) -> Problem {
        let title = match self.error.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            _ => "Error",
        };
        let error = Json::Object(vec![
            ("code", Json::Whole(i64::from(self.error.status))),
            ("message", Json::from(self.error.message.as_str())),
            ("title", Json::from(title)),
        ]);
        self.more.push(("error", error));
        self
    }

    /// The same problem with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Problem {
        self.error.status = status;
        self
    }

    /// The same problem with one more field.
    pub fn with(mut self, name: &'static str, value: Json) -> Problem {
        self.more.push((name, value));
        self
    }

    fn with_header(mut self, name: &'static str, value: String) -> Problem {
        self.error = self.error.with_header(name, value);
        self
    }

    /// The response to the request with this id.
    pub fn response(self, request_id: &str) -> Response {
        let Problem { error, more } = self;
        let code_and_message = [
            ("error_code", Json::from(error.code.as_str())),
            ("error_msg", Json::from(error.message.as_str())),
        ];
        let mut fields = code_and_message.into_iter().chain(more).collect::<Vec<_>>();
        if error.code.starts_with("APIGW.") {
            fields.push(("request_id", Json::from(request_id)));
        }
        error.response(response::headers(request_id), Json::Object(fields).bytes())
    }
}

impl From<UnexpectedOutcome> for Problem {
    fn from(_: UnexpectedOutcome) -> Problem {
        Problem::internal()
    }
}

/// The code, if it is in the table; otherwise that of an invalid parameter, such as for the host's own refusals.
pub fn known(code: &str) -> &str {
    if STATUSES.iter().any(|(known, _, _)| *known == code) { code } else { "CBC.0100" }
}

/// The status of a code of the table; 500 for any other code.
pub fn status(code: &str, dialect: Dialect) -> u16 {
    let row = STATUSES.iter().find(|(known, _, _)| *known == code);
    row.map_or(500, |&(_, present, old)| match dialect {
        Dialect::Present => present,
        Dialect::Old => old,
    })
}
