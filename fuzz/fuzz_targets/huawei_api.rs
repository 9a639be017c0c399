//! Any request to Huawei Cloud's own API, with any outcomes: nothing panics, every response is a JSON object that the
//! provider's clients can read, and a signature covers the whole request.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use plugin_huawei::Huawei;
use plugin_huawei::provider_api::routes::ROUTES;
use plugin_sdk::OrderKind;
use plugin_sdk::Account;
use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::Balance;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::IssuedToken;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::OrderPage;
use plugin_sdk::provider_api::OrderRefund;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::OrderState;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::PricedStep;
use plugin_sdk::provider_api::Proposal;
use plugin_sdk::provider_api::Receipt;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Response;

/// 2026-03-01T00:00:00Z, the date of the signatures that are well-formed.
const NOW: i64 = 1_772_323_200;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    at: i64,
    method: u8,
    path: Path<'a>,
    query: &'a str,
    headers: Vec<(u8, &'a str)>,
    body: &'a [u8],
    pays: bool,
    outcomes: Vec<Said<'a>>,
    failure: u8,
}

#[derive(Arbitrary, Debug)]
enum Path<'a> {
    Known { row: u8, domain: bool, resource: &'a str },
    Any(&'a str),
}

/// An outcome that the host may give.
#[derive(Arbitrary, Debug)]
enum Said<'a> {
    Resources(Vec<(&'a str, Option<&'a str>, i64)>),
    Orders(Vec<(&'a str, &'a str, i64, i64)>),
    Balance(i64),
    Proposal(i64, Option<&'a str>),
    Applied(&'a str),
    Pending(&'a str),
    Refused(&'a str, &'a str),
    Aborted,
    Token(&'a str, i64),
}

const HEADERS: [&str; 8] = [
    "host",
    "authorization",
    "x-sdk-date",
    "x-auth-token",
    "x-sdk-content-sha256",
    "x-security-token",
    "x-domain-id",
    "content-type",
];

fuzz_target!(|input: Input| {
    let request = request(&input);
    for at in [NOW, input.at] {
        if let Err(response) = Huawei::identify(at, request.clone()) {
            is_error(&response);
        }
    }
    is_error(&Huawei::fail(input.at, request.clone(), failure(input.failure)));
    let pays = if input.pays { "pay" } else { "refuse" };
    let settings = vec![("order_valid_days".to_owned(), pays.to_owned())];
    let account = Account { id: "acme".to_owned(), settings };
    let outcomes = input.outcomes.iter().map(outcome).collect();
    match Huawei::handle(Context { at: NOW, request, account, outcomes }) {
        NextStep::Respond(response) => is_readable(&response),
        NextStep::Query(queries) => assert!((1..=100).contains(&queries.len())),
        NextStep::Execute(transaction) => assert!((1..=100).contains(&transaction.mutations.len())),
    }
});

fn request(input: &Input) -> Request {
    let path = match &input.path {
        Path::Any(path) => (*path).to_owned(),
        Path::Known { row, domain, resource } => {
            let domain = if *domain { "acme" } else { "other" };
            let pattern = ROUTES[usize::from(*row) % ROUTES.len()].1;
            pattern.replace("{domain_id}", domain).replace("{resource_id}", resource)
        }
    };
    let header = |(name, value): &(u8, &str)| {
        (HEADERS[usize::from(*name) % HEADERS.len()].to_owned(), (*value).to_owned())
    };
    Request {
        id: "r-1".to_owned(),
        method: ["GET", "POST", "DELETE", "PUT"][usize::from(input.method) % 4].to_owned(),
        path,
        query: input.query.to_owned(),
        headers: input.headers.iter().map(header).collect(),
        body: input.body.to_vec(),
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

fn outcome(said: &Said) -> Outcome {
    match *said {
        Said::Resources(ref rows) => {
            let resources = rows.iter().map(|&(id, to, at)| subject(id, to, at)).collect();
            Outcome::Resources(ResourcePage { total: u32::MAX, resources })
        }
        Said::Orders(ref rows) => Outcome::Orders(OrderPage {
            total: u32::MAX,
            orders: rows.iter().map(|&(id, resource, at, paid)| order(id, resource, at, paid)).collect(),
        }),
        Said::Balance(available) => {
            Outcome::Balance(Balance { currency: "CNY".to_owned(), available, held: available })
        }
        Said::Proposal(cost, refusal) => {
            let step = PricedStep { resource: "a".to_owned(), cost, refund: 0, expires_at: None };
            let refusal = refusal.map(|code| Refusal { code: code.to_owned(), message: code.to_owned() });
            let steps = if refusal.is_some() { Vec::new() } else { vec![step.clone(), step] };
            Outcome::Proposal(Proposal { currency: "CNY".to_owned(), steps, refusal })
        }
        Said::Applied(order) => {
            Outcome::Applied(Receipt { orders: vec![order.to_owned()], cost: 0, refund: 0 })
        }
        Said::Pending(id) => Outcome::Pending(id.to_owned()),
        Said::Refused(code, message) => {
            Outcome::Refused(Refusal { code: code.to_owned(), message: message.to_owned() })
        }
        Said::Aborted => Outcome::Aborted,
        Said::Token(value, valid_until) => {
            Outcome::Token(IssuedToken { value: value.to_owned(), valid_until })
        }
    }
}

fn subject(id: &str, attached_to: Option<&str>, at: i64) -> ResourceView {
    ResourceView {
        id: id.to_owned(),
        kind: "ecs".to_owned(),
        attached_to: attached_to.map(str::to_owned),
        region: id.to_owned(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: at,
        expires_at: Some(at),
        term: None,
        price: None,
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        attributes: vec![("spec_size".to_owned(), id.to_owned()), ("name".to_owned(), id.to_owned())],
        tags: Vec::new(),
        last_renewal: None,
    }
}

fn order(id: &str, resource: &str, at: i64, paid: i64) -> OrderView {
    OrderView {
        id: id.to_owned(),
        resource: resource.to_owned(),
        kind: "ecs".to_owned(),
        region: String::new(),
        starts_at: at,
        ends_at: at,
        // The contract has amounts of orders that were paid: nothing is owed, and nothing more goes back than was paid.
        cost: paid.saturating_abs(),
        created_at: at,
        paid_at: Some(at),
        order_kind: OrderKind::Renewal,
        state: OrderState::Paid,
        pay_until: None,
        reduces: None,
        refund: Some(OrderRefund { at, number: 1, amount: paid.saturating_abs() / 3, fee: Some(paid.saturating_abs() / 5) }),
    }
}

fn is_error(response: &Response) {
    is_readable(response);
    assert!(response.status >= 400);
}

fn is_readable(response: &Response) {
    let body: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
    assert!(body.is_object() && (200..600).contains(&response.status));
    assert!(response.headers.contains(&("content-type".to_owned(), "application/json".to_owned())));
    if response.status >= 400 {
        assert!(body["error_code"].as_str().is_some_and(|code| !code.is_empty()));
        assert!(body["error_msg"].as_str().is_some_and(|message| !message.is_empty()));
    }
}
