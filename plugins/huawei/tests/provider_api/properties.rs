//! For any request and any outcomes, the response has the right shape and nothing panics.

use plugin_huawei::Huawei;
use plugin_huawei::provider_api::routes::ROUTES;
use plugin_sdk::Account;
use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Balance;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::IssuedToken;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::OrderPage;
use plugin_sdk::provider_api::OrderRefund;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::PricedStep;
use plugin_sdk::provider_api::Proposal;
use plugin_sdk::provider_api::Receipt;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Response;
use proptest::prelude::*;

use crate::world::ACCOUNT;
use crate::world::NOW;
use crate::world::furnished;
use crate::world::is_json;
use crate::world::order;
use crate::world::subject;

/// Whether every client of this API can read the response.
fn is_readable(response: &Response) {
    let body = serde_json::from_slice::<serde_json::Value>(&response.body).expect("JSON");
    let body = body.as_object().expect("an object");
    assert!((200..600).contains(&response.status) && !(300..400).contains(&response.status), "{body:?}");
    assert!(is_json(response));
    if response.status >= 400 {
        assert!(body["error_code"].as_str().is_some_and(|code| code.contains('.')), "{body:?}");
        assert!(body["error_msg"].as_str().is_some_and(|message| !message.is_empty()), "{body:?}");
    }
    for (name, value) in &response.headers {
        let is_token = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(name.bytes().all(is_token), "{name}");
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value}");
    }
}

/// Any text, often one that the plugin knows.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "ecs-1", "", "0", "1", "2", "acme", "other", "autorenew", "20260301T000000Z", "a%2Fb", "%", "%zz",
            "2026-03-01T00:00:00Z", "CS01772323200ABCDEF0123456789", "UNSIGNED-PAYLOAD", "-1", "4294967296",
            "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=00",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

/// JSON with the fields of this API.
fn json() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "resource_ids",
        "period_type",
        "period_num",
        "is_auto_pay",
        "unsubscribe_type",
        "operation",
        "config_name",
        "config_value",
        "status_list",
        "limit",
        "offset",
        "order_id",
        "customer_id",
        "auto_renew_times",
        "auth",
        "service_type_code",
        "resourceIds",
        "unSubType",
        "isAutoPay",
        "only_main_resource",
        "expire_time_begin",
    ]);
    let value = prop_oneof![
        word().prop_map(|word| format!("{word:?}")),
        any::<i64>().prop_map(|number| number.to_string()),
        (0_i64..5).prop_map(|number| number.to_string()),
        prop::collection::vec(word(), 0..4).prop_map(|words| format!("{words:?}")),
        prop::sample::select(vec![
            "null",
            "true",
            "[2]",
            "{}",
            "\"SET_UP\"",
            "\"MONTH\"",
            "\"DEDUCTION_DATE\""
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((name, value), 0..6).prop_map(|fields| {
        let fields = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>();
        format!("{{{}}}", fields.join(","))
    })
}

fn anything() -> impl Strategy<Value = Request> {
    let path = prop_oneof![
        4 => (prop::sample::select(ROUTES.to_vec()), word()).prop_map(|((_, pattern, _, _), word)| {
            pattern.replace("{domain_id}", ACCOUNT).replace("{resource_id}", &word)
        }),
        1 => "\\PC{0,40}",
    ];
    let method = prop::sample::select(vec!["GET", "POST", "DELETE", "PUT", "\u{4f60}"]);
    let query = prop_oneof![
        prop::collection::vec((word(), word()), 0..3).prop_map(|pairs| {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        }),
        word().prop_map(|word| format!("order_id={word}&action_id={word}&limit={word}")),
    ];
    let header = prop::sample::select(vec![
        "host",
        "authorization",
        "x-auth-token",
        "x-sdk-date",
        "x-sdk-content-sha256",
        "x-domain-id",
        "content-type",
    ]);
    let headers = prop::collection::vec((header.prop_map(str::to_owned), word()), 0..6);
    let body = prop_oneof![
        4 => json().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ];
    (method, path, query, headers, body).prop_map(|(method, path, query, headers, body)| Request {
        id: "r-1".to_owned(),
        method: method.to_owned(),
        path,
        query,
        headers,
        body,
    })
}

/// Any outcome, expected or not.
fn outcome() -> impl Strategy<Value = Outcome> {
    let text = word();
    prop_oneof![
        (any::<u32>(), 0_usize..4).prop_map(|(total, count)| {
            let resources = furnished().resources.into_iter().take(count).collect();
            Outcome::Resources(ResourcePage { total, resources })
        }),
        (any::<i64>(), text).prop_map(|(at, word)| {
            let refunded = Some(OrderRefund { at, number: 1, amount: 1, fee: Some(at) });
            let odd = ResourceView { expires_at: Some(at), started_at: at, ..subject(&word, "unknown") };
            match at % 3 {
                0 => Outcome::Orders(OrderPage {
                    total: 1,
                    orders: vec![OrderView { refund: refunded, ..order(&word, &word, "ecs") }],
                }),
                1 => Outcome::Resources(ResourcePage { total: 1, resources: vec![odd] }),
                _ => Outcome::Pending(word),
            }
        }),
        any::<i64>().prop_map(|available| {
            Outcome::Balance(Balance { currency: "CNY".to_owned(), available, held: 0 })
        }),
        any::<i64>().prop_map(|cost| {
            let step = PricedStep { resource: "ecs-1".to_owned(), cost, refund: 0, expires_at: None };
            let steps = vec![step.clone(), step];
            Outcome::Proposal(Proposal { currency: "CNY".to_owned(), steps, refusal: None })
        }),
        word().prop_map(|word| Outcome::Applied(Receipt { orders: vec![word], cost: 0, refund: 0 })),
        (word(), word()).prop_map(|(code, message)| Outcome::Refused(Refusal { code, message })),
        Just(Outcome::Aborted),
        word().prop_map(|value| Outcome::Token(IssuedToken { value, valid_until: i64::MAX })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn identify_never_panics(request in anything(), at in any::<i64>()) {
        for at in [NOW, at] {
            if let Err(response) = Huawei::identify(at, request.clone()) {
                is_readable(&response);
                prop_assert!(response.status >= 400);
            }
        }
    }

    #[test]
    fn fail_never_panics(request in anything(), seconds in any::<u32>()) {
        for failure in [Failure::UnknownAccessKey, Failure::Replayed, Failure::TooLarge(seconds), Failure::Busy(seconds)] {
            let response = Huawei::fail(NOW, request.clone(), failure);
            is_readable(&response);
            prop_assert!(response.status >= 400);
        }
    }

    #[test]
    fn handle_never_panics(
        request in anything(),
        outcomes in prop::collection::vec(outcome(), 0..5),
        pays in any::<bool>(),
    ) {
        let settings = vec![("order_valid_days".to_owned(), if pays { "1" } else { "7" }.to_owned())];
        let account = Account { id: ACCOUNT.to_owned(), settings };
        match Huawei::handle(Context { at: NOW, request, account, outcomes }) {
            NextStep::Respond(response) => is_readable(&response),
            NextStep::Query(queries) => prop_assert!((1..=100).contains(&queries.len())),
            NextStep::Execute(transaction) => {
                prop_assert!((1..=100).contains(&transaction.mutations.len()));
                let issues_token = matches!(transaction.mutations[..], [Mutation::IssueToken(_)]);
                prop_assert_eq!(transaction.reject_replay, !issues_token);
            }
        }
    }
}
