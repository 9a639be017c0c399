//! The signed message of a request: the published vector, and requests signed by the official SDK for Python
//! (huaweicloudsdkcore 3.1.219).

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use plugin_huawei::Huawei;
use plugin_huawei::provider_api::signature::canonical_request;
use plugin_sdk::provider_api::request::hexadecimal;
use plugin_sdk::provider_api::*;
use sha2::Digest;
use sha2::Sha256;

use crate::world::NOW;
use crate::world::print;
use crate::world::request;

/// A request with these headers only.
fn with_headers(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Request { headers, ..request(method, target, body) }
}

fn hmac(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// "API Request Signing Guide", the worked example of AK/SK signing.
#[test]
fn the_published_example_is_signed_as_published() {
    let query = "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0";
    let target = format!("/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/?{query}");
    let headers = [
        ("content-type", "application/json"),
        ("host", "service.region.example.com"),
        ("x-sdk-date", "20191115T033655Z"),
    ];
    let request = with_headers("GET", &target, &headers, "");
    let canonical = canonical_request(&request, &["content-type", "host", "x-sdk-date"]).unwrap();
    assert_eq!(
        hexadecimal(&Sha256::digest(&canonical)),
        "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
    );
    let message = plugin_huawei::provider_api::signature::string_to_sign("20191115T033655Z", &canonical);
    let signature = hmac("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc", message.as_bytes());
    assert_eq!(hexadecimal(&signature), "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe");
}

/// A method, a target as sent, the headers signed beside host and x-sdk-date, a body, and the signature of the SDK with the
/// secret `SECRET`.
type OfTheSdk =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

const JSON: (&str, &str) = ("content-type", "application/json");

const OF_THE_SDK: [OfTheSdk; 8] = [
    (
        "GET",
        "/v2/accounts/customer-accounts/balances",
        &[JSON, ("user-agent", "sdk")],
        "",
        "57bbb4fdaed9aaeb6a7294a2a345b3c2ef783401bdb8abceb1aabe784671ad80",
    ),
    (
        "GET",
        "/v2/orders/customer-orders/refund-orders?customer_id=&order_id=CS1904190917GIBHC",
        &[JSON],
        "",
        "19e845e691f4eb1bd174a205ba604aa8ed66f802eed2de3a2446cb0fcf1dd05c",
    ),
    (
        "GET",
        "/v2/products/service-types?limit=10&offset=0&service_type_name=%E5%BC%B9%E6%80%A7%20%E4%BA%91%2B%E6%9C%8D%E5%8A%A1%E5%99%A8%2F~",
        &[JSON],
        "",
        "cceb7152a9bde3d554b8aacb2f1a929a34f22373ef8f721f5d048fa52f91d67d",
    ),
    (
        "GET",
        "/v2/products/service-types?B=0&a=1&a=3&a-b=4&b=2",
        &[],
        "",
        "fabc9bb2d5f69183c89be1709f14f1351256c9f123b5af6bb7f6fe2e7c19d03f",
    ),
    (
        "DELETE",
        "/v2/orders/subscriptions/resources/autorenew/a%2Fb",
        &[JSON, ("x-domain-id", "acme")],
        "",
        "f21704bd67d98d69dcf9802051e527b00e4d1579d4181a5aee483ed14a5dec0e",
    ),
    (
        "DELETE",
        "/v2/orders/subscriptions/resources/autorenew/%E4%BD%A0%20%7E%25",
        &[JSON],
        "",
        "b7b9cb8aab6347ecf5635a830790114d50edccf8e6a219bf784dee01fd335053",
    ),
    (
        "POST",
        "/v2/orders/subscriptions/resources/renew",
        &[JSON, ("x-domain-id", "acme")],
        r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
        "6e1ae7403ecb03d06c48a16da2959e93f05d698cb66fccc3c490be399d5723f7",
    ),
    (
        "POST",
        "/v2/orders/subscriptions/resources/renew",
        &[JSON, ("x-language", "\u{4e2d}\u{6587}")],
        r#"{"note":"你好"}"#,
        "de5936cd8e3b902fec924cfbb34815562e8bf16fcef99586f39e4637b46a5989",
    ),
];

/// A request as the SDK sends it, and the signature in the plugin's authentication of it.
fn of_the_sdk(&(method, target, signed, body, signature): &OfTheSdk) -> Request {
    let own = [("host", "127.0.0.1:8080"), ("x-sdk-date", "20260301T000000Z")];
    let mut headers = [&own[..], signed].concat();
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let authorization = format!("SDK-HMAC-SHA256 Access=AK, SignedHeaders={names}, Signature={signature}");
    headers.push(("authorization", &authorization));
    headers.push(("accept-encoding", "gzip"));
    with_headers(method, target, &headers, body)
}

/// Whether the signature is that of the plugin's message under the secret.
fn is_right(request: Request) -> Result<bool, String> {
    let authentication = Huawei::identify(NOW, request).map_err(|response| print(&response))?;
    assert_eq!(authentication.valid_until, NOW + 15 * 60 + 1, "the same 15 minutes that `identify` allows");
    let Credentials::Signature(SignatureCredentials { access_key, signature }) = authentication.credentials
    else {
        panic!("no signature")
    };
    assert_eq!((access_key.as_str(), signature.key, signature.derivations.len()), ("AK", 0, 0));
    Ok(hmac("SECRET", &signature.message) == signature.value)
}

#[test]
fn the_signature_of_the_official_sdk_is_accepted() {
    for signed in &OF_THE_SDK {
        assert_eq!(is_right(of_the_sdk(signed)), Ok(true), "{signed:?}");
    }
}

/// A change to a request.
type Tampering = (&'static str, fn(&mut Request));

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let tampering: [Tampering; 7] = [
        ("method", |request| request.method = "PUT".to_owned()),
        ("path", |request| request.path.push_str("/config")),
        ("query", |request| request.query.push_str("limit=1")),
        ("body", |request| request.body.push(b' ')),
        ("host", |request| {
            let host = request.headers.iter_mut().find(|(name, _)| name == "host").unwrap();
            host.1.push('1');
        }),
        ("a header twice", |request| request.headers.push(("x-domain-id".to_owned(), "evil".to_owned()))),
        ("date", |request| {
            let date = request.headers.iter_mut().find(|(name, _)| name == "x-sdk-date").unwrap();
            date.1 = "20260301T000001Z".to_owned();
        }),
    ];
    for (what, tamper) in tampering {
        let mut request = of_the_sdk(&OF_THE_SDK[6]);
        tamper(&mut request);
        // Another method has no such path, and another instant another end.
        let canonical = canonical_request(&request, &["content-type", "host", "x-domain-id", "x-sdk-date"]);
        let untouched = canonical_request(
            &of_the_sdk(&OF_THE_SDK[6]),
            &["content-type", "host", "x-domain-id", "x-sdk-date"],
        );
        assert_ne!(canonical, untouched, "{what}");
    }
}

#[test]
fn a_repeated_header_is_signed_with_every_value_in_order() {
    let headers = [("x-a", " 2 "), ("host", "h"), ("x-a", "1")];
    let request = with_headers("GET", "/a//b?y=&x", &headers, "");
    let canonical = canonical_request(&request, &["host", "x-a"]).unwrap();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(canonical, format!("GET\n/a//b/\nx=&y=\nhost:h\nx-a:1\nx-a:2\n\nhost;x-a\n{empty}"));
}

#[test]
fn a_clock_may_be_fifteen_minutes_off_and_no_more() {
    for (off, is_good) in [(0, true), (900, true), (-900, true), (901, false), (-901, false), (960, false)] {
        let answer = Huawei::identify(NOW + off, of_the_sdk(&OF_THE_SDK[0]));
        assert_eq!(answer.is_ok(), is_good, "{off} seconds off");
    }
    let refused = Huawei::identify(NOW + 960, of_the_sdk(&OF_THE_SDK[0])).unwrap_err();
    expect_test::expect![[r#"401 {"error_code":"APIGW.0303","error_msg":"Incorrect IAM authentication information: signature expired, signature time:20260301T000000Z,server time:20260301T001600Z","request_id":"r-1"}"#]]
        .assert_eq(&print(&refused));
}
