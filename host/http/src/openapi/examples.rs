//! The examples of the description: for each request and response what a host takes and answers.
//!
//! `examples.json` is written by a test that sends every one of these requests; only problems, and what is not JSON, are
//! made up here.

use serde_json::Map;
use serde_json::Value;

use crate::problem::Problem;
use crate::problem::ProblemType;

/// By operation, such as `POST /v1/accounts`: `request` and each status.
const RECORDED: &str = include_str!("examples.json");

/// A sample of the text format of Prometheus.
const METRICS: &str =
    "# HELP perennial_due Bundles that are due.\n# TYPE perennial_due gauge\nperennial_due 0\n";
/// A sample of a stream of events.
const STREAM: &str =
    ": \nid: c12\n\nid: c13\nevent: balance_changed\ndata: {\"at\":\"2026-01-01T00:00:00Z\",…}\n\n";
/// A sample of a calendar.
const CALENDAR: &str =
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Perennial//Perennial//EN\r\n…\r\nEND:VCALENDAR\r\n";

/// A sample of the payments of a forecast.
const PAYMENTS: &str = "month,at,account,resource,kind,cost,currency,expires_at\r\n\
2026-01,2026-01-23T19:00:00Z,acme-hw,ecs-1,renewal,99.00,CNY,2026-02-28T15:59:59Z\r\n";
/// A sample of a list of prices.
const PRICES: &str = "resource,account,provider,kind,region,currency,term,price,renewal_term,renewal_cost\r\n\
ecs-1,acme-hw,huawei,ecs,cn-north-4,CNY,1 month,99.00,1 month,99.00\r\n";

/// The examples that were recorded.
pub(super) fn recorded() -> Map<String, Value> {
    serde_json::from_str(RECORDED).expect("a test writes the examples as JSON")
}

/// The example of a body at `path` that is not what `examples.json` has: text, or a problem with this status.
pub(super) fn made_up(path: &str, status: &str, content_type: &str) -> Option<Value> {
    match content_type {
        "application/problem+json" => {
            let kind = ProblemType::ALL.into_iter().find(|kind| kind.status().as_str() == status);
            kind.map(of_problem)
        }
        "text/csv" if path == "/v1/prices" => Some(PRICES.into()),
        "text/csv" => Some(PAYMENTS.into()),
        "text/plain" => Some(METRICS.into()),
        "text/event-stream" => Some(STREAM.into()),
        "text/calendar" => Some(CALENDAR.into()),
        _ => None,
    }
}

/// The example of a problem.
pub(crate) fn of_problem(kind: ProblemType) -> Value {
    if kind == ProblemType::InvalidFields {
        return Problem::field(kind, "name", "the field is missing").body();
    }
    if kind == ProblemType::BadRequest {
        return Problem::field(
            kind,
            "limit",
            "expected a whole number from 1 to 1000 (`limits.page_items_max`)",
        )
        .body();
    }
    Problem::new(kind, detail(kind)).body()
}

/// What a problem of a kind may say.
fn detail(kind: ProblemType) -> &'static str {
    match kind {
        ProblemType::BadRequest | ProblemType::InvalidFields => "1 problem; see `errors`",
        ProblemType::Unauthorized => "the token is not known, expired or revoked",
        ProblemType::Forbidden => "this requires the role `admin`; the token has `viewer`",
        ProblemType::OwnApproval => "the token requested this approval; somebody else decides on it",
        ProblemType::NotFound => "there is no resource `ecs-404`",
        ProblemType::MethodNotAllowed => "the header `Allow` says which methods the route has",
        ProblemType::Conflict => "`cal-1` is revoked; make another one",
        ProblemType::CommandRefused => "the resource is in retention and cannot be renewed",
        ProblemType::PlanChanged => "its plan is no longer what it was; look at it again with a dry run",
        ProblemType::KeyInFlight => "wait for its response, then repeat the request",
        ProblemType::PreconditionFailed => "its version is another; get it again and look at it",
        ProblemType::BodyTimeout => {
            "the body did not come within 20 seconds (`limits.body_seconds`); nothing was done, send it again"
        }
        ProblemType::TooLarge => "a body has at most 16777216 bytes (`limits.body_bytes_max`)",
        ProblemType::UnsupportedMediaType => "send `Content-Type: application/json`",
        ProblemType::KeyReused => "use another key for another request",
        ProblemType::TooManyRequests => "a token has at most 64 requests in flight",
        ProblemType::QuotaExceeded => {
            "there would be 1001 jobs that are kept, and there may be 1000; nothing was done; have fewer, or raise `limits.jobs_per_person_max`"
        }
        ProblemType::Internal => "the host failed; its log says why",
        ProblemType::PluginFailed => "plugin `acme` was stopped after 1s in `timeline`; tell its author",
        ProblemType::Unavailable => "too many requests are in flight",
        ProblemType::ProviderUnavailable => "nothing was sent: cannot connect to api.acme.example:443",
        ProblemType::StorageFull => {
            "nothing was written: the disk that the database is on is full: make space, then send it again"
        }
        ProblemType::StorageMoved => {
            "nothing was written: the database's file was moved, deleted or replaced: put it back under its name, then send \
             it again"
        }
        ProblemType::TimedOut => {
            "it took more than 30 seconds (`limits.request_seconds`) and may still complete; repeat it with the same `Idempotency-Key`"
        }
    }
}
