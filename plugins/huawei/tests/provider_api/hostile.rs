//! Hostile and wrong requests: each gets the provider's own error, without a step of the host.

use expect_test::expect_file;
use plugin_huawei::Huawei;
use plugin_huawei::provider_api::instant::compact;
use plugin_sdk::provider_api::*;

use crate::world::NOW;
use crate::world::furnished;
use crate::world::print;
use crate::world::request;

const RENEW: &str = "/v2/orders/subscriptions/resources/renew";
const BODY: &str = r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}"#;

/// A renewal with these headers beside `host`.
fn with(headers: &[(&str, &str)]) -> Request {
    let all = [&[("host", "bss.example")], headers].concat();
    let headers = all.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Request { headers, ..request("POST", RENEW, BODY) }
}

/// The header `Authorization` with this date, algorithm, key, signed headers and signature.
fn signed(algorithm: &str, key: &str, names: &str, signature: &str) -> String {
    format!("{algorithm} Access={key}, SignedHeaders={names}, Signature={signature}")
}

#[test]
fn a_request_without_credentials_is_refused_with_the_reason() {
    let good = signed("SDK-HMAC-SHA256", "AK", "host;x-sdk-date", &"ab".repeat(32));
    let with_date =
        |authorization: &str, date: &str| with(&[("authorization", authorization), ("x-sdk-date", date)]);
    let now = compact(NOW);
    let changed = |name: &str, value: &str| signed_with(name, value);
    let mut table = String::new();
    let mut check = |what: &str, request: Request| {
        let refused = match Huawei::identify(NOW, request) {
            Ok(authentication) => panic!("{what} was taken for {authentication:?}"),
            Err(response) => print(&response),
        };
        table += &format!("{what}\n{refused}\n\n");
    };
    check("no headers", Request { headers: Vec::new(), ..with(&[]) });
    check("neither signature nor token", with(&[]));
    check("an empty token", with(&[("x-auth-token", " ")]));
    check("two tokens", with(&[("x-auth-token", "a"), ("x-auth-token", "b")]));
    check(
        "two signatures",
        with(&[("authorization", &good), ("authorization", &good), ("x-sdk-date", &now)]),
    );
    check("no date", with(&[("authorization", &good)]));
    check("two dates", with(&[("authorization", &good), ("x-sdk-date", &now), ("x-sdk-date", &now)]));
    check("a date of another form", with_date(&good, "Sun, 01 Mar 2026 00:00:00 GMT"));
    check("a clock 16 minutes behind", with_date(&good, &compact(NOW - 960)));
    check("a clock 16 minutes ahead", with_date(&good, &compact(NOW + 960)));
    check("a clock of another age", with_date(&good, "00010101T000000Z"));
    for (what, authorization) in [
        ("nothing", String::new()),
        ("no parts", "SDK-HMAC-SHA256".to_owned()),
        ("another scheme", "Basic QUs6U0s=".to_owned()),
        ("V11", changed("algorithm", "V11-HMAC-SHA256")),
        ("SM3", changed("algorithm", "SDK-HMAC-SM3")),
        ("P256", changed("algorithm", "SDK-ECDSA-P256-SHA256")),
        ("SM2", changed("algorithm", "SDK-SM2-SM3")),
        ("no key", changed("key", "")),
        ("a date that is not signed", changed("names", "host")),
        ("a signed header that is not there", changed("names", "content-type;host;x-sdk-date")),
        ("headers out of order", changed("names", "x-sdk-date;host")),
        ("a header named twice", changed("names", "host;host;x-sdk-date")),
        ("a signature that is too short", changed("signature", "abcd")),
        ("a signature of other letters", changed("signature", &"zz".repeat(32))),
        ("a part too many", format!("{good}, Signature=00")),
        ("a part of another name", format!("{good}, Colour=red")),
    ] {
        check(what, with_date(&authorization, &now));
    }
    let more =
        |name: &str, value: &str| with(&[("authorization", &good), ("x-sdk-date", &now), (name, value)]);
    check("a temporary key", more("x-security-token", "t"));
    check("a body that is not signed", more("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"));
    check("the hash of another body", more("x-sdk-content-sha256", &"0".repeat(64)));
    let query = |query: &str| Request { query: query.to_owned(), ..with_date(&good, &now) };
    check("a query that is not encoded well", query("a=%zz"));
    check("a query that is no text", query("a=%ff"));
    expect_file!["tables/unauthenticated.txt"].assert_eq(&table);
}

fn signed_with(part: &str, value: &str) -> String {
    let or = |name: &str, usual: &str| if name == part { value.to_owned() } else { usual.to_owned() };
    signed(
        &or("algorithm", "SDK-HMAC-SHA256"),
        &or("key", "AK"),
        &or("names", "host;x-sdk-date"),
        &or("signature", &"ab".repeat(32)),
    )
}

#[test]
fn an_unknown_path_or_method_is_refused_first() {
    let mut table = String::new();
    for (method, path) in [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "*"),
        ("POST", "/v2/orders/suscriptions/resources/query/"),
        ("POST", "/v2/orders/subscriptions/resources/query"),
        ("POST", "/V2/orders/suscriptions/resources/query"),
        ("GET", "/v2/orders/suscriptions/resources/query"),
        ("post", "/v2/orders/suscriptions/resources/query"),
        ("PUT", "/v2/orders/subscriptions/resources/autorenew/ecs-1"),
        ("POST", "/v2/orders/subscriptions/resources/autorenew/"),
        ("POST", "/v2/orders/subscriptions/resources/autorenew/%zz"),
        ("POST", "/v2/orders/subscriptions/resources/autorenew/a/b"),
        ("POST", "/v2/orders/subscriptions/resources/to-on-demand/instantly"),
        ("HEAD", "/v2/accounts/customer-accounts/balances"),
        ("GET", "/v1.0/acme/common/order-mgr/resources/ecs-1/actions"),
        ("GET", "/v1.0//common/order-mgr/resources/detail"),
        ("GET", "/v3/auth/tokens"),
        ("GET", "//v3/auth/domains"),
        ("GET", "/v2/../v3/auth/domains"),
    ] {
        let refused = Huawei::identify(NOW, request(method, path, "")).unwrap_err();
        table += &format!("{method} {path}\n{}\n\n", print(&refused));
    }
    expect_file!["tables/unknown.txt"].assert_eq(&table);
}

#[test]
fn every_failure_of_the_host_is_told_in_the_provider_s_own_words() {
    let failures = [
        Failure::UnknownAccessKey,
        Failure::WrongCredentials,
        Failure::InvalidToken,
        Failure::Replayed,
        Failure::Malformed,
        Failure::TooLarge(1_048_576),
        Failure::TimedOut,
        Failure::Busy(3),
        Failure::Internal,
    ];
    let empty =
        Request { id: String::new(), path: String::new(), headers: Vec::new(), ..request("", "", "") };
    let mut table = String::new();
    for (what, request) in [
        ("a renewal", request("POST", RENEW, BODY)),
        ("a request for a token", request("POST", "/v3/auth/tokens", "")),
        ("nothing", empty),
    ] {
        for failure in &failures {
            let answer = print(&Huawei::fail(NOW, request.clone(), *failure));
            table += &format!("{what}: {failure:?}\n{answer}\n\n");
        }
    }
    expect_file!["tables/failures.txt"].assert_eq(&table);
}

/// Headers and paths that name another account.
#[test]
fn another_account_is_denied() {
    let mut asked = with(&[("x-domain-id", "other")]);
    for (method, path, body) in [
        ("POST", RENEW, BODY),
        ("GET", "/v2/accounts/customer-accounts/balances", ""),
        ("GET", "/v1.0/other/common/order-mgr/resources/detail", ""),
        ("DELETE", "/v1.0/other/common/order-mgr/resources/ecs-1/actions", ""),
    ] {
        asked = Request { headers: asked.headers.clone(), ..request(method, path, body) };
        let answer = furnished().talk(&asked);
        assert!(answer.starts_with("403 {\"error_code\":\"CBC.0151\""), "{answer}");
    }
}

/// Ids that are too long or not ASCII, wherever an id can be: 400, without a step of the host.
#[test]
fn ids_are_of_ascii_and_of_64_characters_at_most() {
    let long = "x".repeat(65);
    for id in [long.as_str(), "\u{4f60}\u{597d}", "a\\u0000b", "a\\nb", "", &"\u{4f60}".repeat(40)] {
        for (method, path, body) in [
            ("POST", RENEW, BODY.replace("ecs-1", id)),
            ("POST", "/v2/orders/suscriptions/resources/query", format!(r#"{{"resource_ids":["{id}"]}}"#)),
            (
                "POST",
                "/v2/orders/subscriptions/resources/unsubscribe",
                format!(r#"{{"resource_ids":["{id}"],"unsubscribe_type":1}}"#),
            ),
            (
                "POST",
                "/v2/orders/subscriptions/resources/to-on-demand",
                format!(r#"{{"resource_ids":["{id}"],"operation":"SET_UP"}}"#),
            ),
            ("POST", "/v2/bills/ratings/period-resources/renew-rate", BODY.replace("ecs-1", id)),
        ] {
            let answer = furnished().talk(&request(method, path, &body));
            assert!(answer.starts_with("400 {\"error_code\":\"CBC.0100\""), "{path} {id}: {answer}");
        }
    }
    let order = format!("/v2/orders/customer-orders/refund-orders?order_id={}", "x".repeat(256));
    assert!(furnished().talk(&request("GET", &order, "")).starts_with("400 "));
}

/// JSON that is deep, wide or broken; the host never passes on a body longer than a megabyte.
#[test]
fn bad_json_is_a_bad_parameter() {
    let deep = "[".repeat(200_000);
    let nested = format!("{{\"resource_ids\":{}", "[".repeat(500_000));
    let wide = format!("{{\"resource_ids\":[{}1]}}", "\"a\",".repeat(250_000));
    let skipped = format!("{{\"unknown\":[{}{{}}]}}", "{\"\":[]},".repeat(100_000));
    let text = format!("{{\"period_type\":\"{}\"}}", "x".repeat(900_000));
    for body in
        [&deep, &nested, &wide, &skipped, &text, "{\"resource_ids\"", "\u{feff}{}", "{'a':1}", "1", "\"a\""]
    {
        let answer = furnished().talk(&request("POST", RENEW, body));
        assert!(answer.starts_with("400 {\"error_code\":\"CBC.0100\""), "{answer}");
        assert!(answer.len() < 500, "{answer}");
    }
    let mut bytes = request("POST", RENEW, "");
    bytes.body = vec![0xff, 0xfe, 0x00];
    assert!(furnished().talk(&bytes).starts_with("400 {\"error_code\":\"CBC.0100\""));
}

/// Checks that none of these requests leads to a step of the host.
#[test]
fn a_wrong_request_is_refused_before_anything_is_done() {
    let mut asked = Vec::new();
    for body in [
        "{",
        "[]",
        "{}",
        r#"{"resource_ids":["ecs-1"]}"#,
        &BODY.replace("\"is_auto_pay\":1", "\"is_auto_pay\":2"),
    ] {
        furnished().answer(&request("POST", RENEW, body), |line| asked.push(line));
    }
    assert_eq!(asked, Vec::<String>::new());
}
