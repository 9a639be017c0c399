//! Any request to Baidu's own API, with any outcomes: nothing panics, the provider's SDK can read every response, and
//! every step is within the contract's bounds.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use plugin_baidu::Baidu;
use plugin_sdk::Account;
use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::IssuedToken;
use plugin_sdk::provider_api::LastRenewal;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::Query;
use plugin_sdk::provider_api::Receipt;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Response;

/// 2026-03-01T00:00:00Z, the instant of the authorizations that are well-formed.
const NOW: i64 = 1_772_323_200;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    at: i64,
    method: u8,
    path: Path<'a>,
    parameters: Vec<(Name<'a>, &'a str)>,
    authorization: Authorization<'a>,
    headers: Vec<(u8, &'a str)>,
    body: Body<'a>,
    visible_after: u16,
    outcomes: Vec<Said<'a>>,
    failure: u8,
}

#[derive(Arbitrary, Debug)]
enum Path<'a> {
    Known { row: u8, id: &'a str },
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Known(u8),
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Authorization<'a> {
    SignatureCredentials { key: &'a str, seconds: u32, headers: &'a str, in_query: bool },
    Any(&'a str),
    Missing,
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    /// Fields with values that are well-formed.
    Fields(Vec<(u8, Json<'a>)>),
    Any(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Json<'a> {
    Null,
    Flag(bool),
    Number(i64),
    Text(&'a str),
    List(Vec<Json<'a>>),
    Object(Vec<(u8, Json<'a>)>),
}

/// An outcome that the host may give.
#[derive(Arbitrary, Debug)]
enum Said<'a> {
    Resources { total: u32, rows: Vec<Row<'a>> },
    Applied(&'a str),
    Pending(&'a str),
    Refused(&'a str, &'a str),
    Aborted,
    Token(&'a str, i64),
}

#[derive(Arbitrary, Debug)]
struct Row<'a> {
    /// The id that the request names, or another.
    is_named: bool,
    id: &'a str,
    kind: u8,
    attached_to: Option<&'a str>,
    fate: u8,
    at: i64,
    last_renewal: Option<(i64, i64)>,
    attributes: Vec<(u8, &'a str)>,
}

const PATHS: [&str; 11] = [
    "/v2/instance",
    "/v2/instance/{id}",
    "/v2/instance/batchCreateAutoRenewRules",
    "/v2/instance/batchDeleteAutoRenewRules",
    "/v2/instance/batch/charging",
    "/v2/volume",
    "/v2/volume/{id}",
    "/v2/volume/autoRenew",
    "/v2/volume/cancelAutoRenew",
    "/v1/eip",
    "/v1/eip/{id}",
];

const PARAMETERS: [&str; 24] = [
    "purchaseReserved",
    "modifyChargeType",
    "toPostpay",
    "toPrepay",
    "startAutoRenew",
    "stopAutoRenew",
    "clientToken",
    "relatedRenewFlag",
    "marker",
    "maxKeys",
    "instanceIds",
    "instanceNames",
    "fuzzyInstanceName",
    "cdsIds",
    "volumeIds",
    "eipIds",
    "status",
    "tags",
    "autoRenew",
    "eip",
    "ipVersion",
    "instanceType",
    "instanceId",
    "authorization",
];

const FIELDS: [&str; 17] = [
    "billing",
    "reservation",
    "reservationLength",
    "reservationTimeUnit",
    "cdsCustomPeriod",
    "volumeId",
    "period",
    "instanceId",
    "renewTime",
    "renewTimeUnit",
    "renewCds",
    "renewEip",
    "autoRenewTime",
    "config",
    "cdsList",
    "effectiveType",
    "duration",
];

const HEADERS: [&str; 6] =
    ["host", "content-length", "content-md5", "x-bce-content-sha256", "x-bce-date", "authorization"];

const ATTRIBUTES: [&str; 7] = ["status", "name", "eip", "renewCds", "renewEip", "cpuCount", "zoneName"];

fuzz_target!(|input: Input| {
    let request = request(&input);
    for at in [NOW, input.at] {
        match Baidu::identify(at, request.clone()) {
            Ok(authentication) => assert!(
                authentication.valid_until > at && authentication.valid_until <= at.saturating_add(86_400)
            ),
            Err(response) => is_error(&response),
        }
    }
    is_error(&Baidu::fail(input.at, request.clone(), failure(input.failure)));
    let settings = vec![("visible_after_seconds".to_owned(), input.visible_after.to_string())];
    let account = Account { id: "acme".to_owned(), settings };
    let outcomes = input.outcomes.iter().map(|said| outcome(&input, said)).collect();
    match Baidu::handle(Context { at: input.at, request, account, outcomes }) {
        NextStep::Respond(response) if response.status == 200 => is_success(&response),
        NextStep::Respond(response) => is_error(&response),
        NextStep::Query(queries) => {
            assert!((1..=100).contains(&queries.len()));
            for query in queries {
                let Query::Resources(selection) = query else { panic!("{query:?}") };
                assert!(selection.ids.len() <= 1000 && (1..=1000).contains(&selection.limit));
            }
        }
        NextStep::Execute(transaction) => assert!((1..=100).contains(&transaction.mutations.len())),
    }
});

fn request(input: &Input) -> Request {
    let path = match &input.path {
        Path::Any(path) => (*path).to_owned(),
        Path::Known { row, id } => PATHS[usize::from(*row) % PATHS.len()].replace("{id}", id),
    };
    let parameter = |(name, value): &(Name, &str)| {
        let name = match name {
            Name::Known(row) => PARAMETERS[usize::from(*row) % PARAMETERS.len()],
            Name::Any(name) => name,
        };
        format!("{name}={value}")
    };
    let mut query = input.parameters.iter().map(parameter).collect::<Vec<_>>().join("&");
    let header = |(name, value): &(u8, &str)| {
        (HEADERS[usize::from(*name) % HEADERS.len()].to_owned(), (*value).to_owned())
    };
    let mut headers = input.headers.iter().map(header).collect::<Vec<_>>();
    match &input.authorization {
        Authorization::Missing => {}
        Authorization::Any(text) => headers.push(("authorization".to_owned(), (*text).to_owned())),
        Authorization::SignatureCredentials { key, seconds, headers: signed, in_query } => {
            let signature = "0123456789abcdef".repeat(4);
            let text = format!("bce-auth-v1/{key}/2026-03-01T00:00:00Z/{seconds}/{signed}/{signature}");
            match in_query {
                true => query += &format!("&authorization={text}"),
                false => headers.push(("authorization".to_owned(), text)),
            }
        }
    }
    let body = match &input.body {
        Body::Any(body) => body.to_vec(),
        Body::Fields(fields) => object(fields).to_string().into_bytes(),
    };
    let method = ["GET", "POST", "PUT", "DELETE"][usize::from(input.method) % 4].to_owned();
    Request { id: "r-1".to_owned(), method, path, query, headers, body }
}

fn object(fields: &[(u8, Json)]) -> serde_json::Value {
    let field =
        |(name, value): &(u8, Json)| (FIELDS[usize::from(*name) % FIELDS.len()].to_owned(), json(value));
    fields.iter().map(field).collect()
}

fn json(value: &Json) -> serde_json::Value {
    match value {
        Json::Null => serde_json::Value::Null,
        Json::Flag(flag) => (*flag).into(),
        Json::Number(number) => (*number).into(),
        Json::Text(text) => (*text).into(),
        Json::List(items) => items.iter().map(json).collect(),
        Json::Object(fields) => object(fields),
    }
}

fn failure(number: u8) -> Failure {
    match number % 9 {
        0 => Failure::UnknownAccessKey,
        1 => Failure::WrongCredentials,
        2 => Failure::InvalidToken,
        3 => Failure::Replayed,
        4 => Failure::Malformed,
        5 => Failure::TooLarge(u32::from(number)),
        6 => Failure::TimedOut,
        7 => Failure::Busy(u32::from(number)),
        _ => Failure::Internal,
    }
}

fn outcome(input: &Input, said: &Said) -> Outcome {
    match said {
        Said::Resources { total, rows } => {
            let resources = rows.iter().map(|row| subject(input, row)).collect();
            Outcome::Resources(ResourcePage { total: *total, resources })
        }
        Said::Applied(order) => {
            Outcome::Applied(Receipt { orders: vec![(*order).to_owned()], cost: 0, refund: 0 })
        }
        Said::Pending(id) => Outcome::Pending((*id).to_owned()),
        Said::Refused(code, message) => {
            Outcome::Refused(Refusal { code: (*code).to_owned(), message: (*message).to_owned() })
        }
        Said::Aborted => Outcome::Aborted,
        Said::Token(value, valid_until) => {
            Outcome::Token(IssuedToken { value: (*value).to_owned(), valid_until: *valid_until })
        }
    }
}

fn subject(input: &Input, row: &Row) -> ResourceView {
    let id = match &input.path {
        Path::Known { id, .. } if row.is_named => id,
        Path::Known { .. } | Path::Any(_) => row.id,
    };
    let stages = [
        Stage::Active,
        Stage::Grace,
        Stage::Retention,
        Stage::Released,
        Stage::Unsubscribed,
        Stage::Converted,
    ];
    let fates = [OnExpiry::Lapse, OnExpiry::Renew, OnExpiry::Convert, OnExpiry::Release];
    let fate = usize::from(row.fate);
    let is_prepaid = fate % 3 > 0;
    let attribute = |(name, value): &(u8, &str)| {
        (ATTRIBUTES[usize::from(*name) % ATTRIBUTES.len()].to_owned(), (*value).to_owned())
    };
    ResourceView {
        id: id.to_owned(),
        kind: ["bcc", "cds", "eip", "mkt"][usize::from(row.kind) % 4].to_owned(),
        attached_to: row.attached_to.map(str::to_owned),
        region: row.id.to_owned(),
        charging: if is_prepaid { Charging::Prepaid } else { Charging::Postpaid },
        stage: stages[fate % stages.len()],
        started_at: row.at,
        expires_at: is_prepaid.then_some(row.at),
        term: is_prepaid.then_some(Term { count: u32::from(row.fate), unit: TermUnit::Month }),
        price: None,
        on_expiry: fates[fate % fates.len()],
        renewals_left: None,
        renewal_term: None,
        attributes: row.attributes.iter().map(attribute).collect(),
        tags: vec![(row.id.to_owned(), row.id.to_owned())],
        last_renewal: row
            .last_renewal
            .map(|(at, previous_expires_at)| LastRenewal { at, previous_expires_at }),
    }
}

fn is_error(response: &Response) {
    assert!((400..600).contains(&response.status));
    let body = body(response).expect("an error has a body");
    assert!(body["code"].as_str().is_some_and(|code| !code.is_empty()));
    assert!(body["message"].as_str().is_some_and(|message| message.len() <= 500));
    assert_eq!(body["requestId"], "r-1");
}

fn is_success(response: &Response) {
    assert!(body(response).is_none_or(|body| body.is_object() && body.get("code").is_none()));
}

fn body(response: &Response) -> Option<serde_json::Value> {
    let header = |name: &str, value: &str| response.headers.contains(&(name.to_owned(), value.to_owned()));
    assert!(header("content-type", "application/json;charset=UTF-8") && header("x-bce-request-id", "r-1"));
    let is_empty = response.body.is_empty();
    (!is_empty).then(|| serde_json::from_slice(&response.body).expect("JSON"))
}
