//! Requests that no SDK sends: each gets an error in the provider's own shape, and changes nothing.

use expect_test::expect;
use expect_test::expect_file;
use plugin_baidu::Baidu;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::Request;

use crate::desk::MONTH;
use crate::desk::furnished;
use crate::desk::send;
use crate::desk::table;
use crate::wire::is_well_formed;
use crate::wire::request;
use crate::wire::show;

#[test]
fn a_path_that_is_not_served_is_refused() {
    let long = format!("PUT /v2/instance/{}?purchaseReserved&clientToken=t", "i".repeat(65));
    let longer = format!("GET /v2/instance/{}", "i".repeat(60_000));
    let text = table(&[
        ("GET /", ""),
        ("GET /v2", ""),
        ("GET /v2/", ""),
        ("GET /v2/instance/", ""),
        ("GET /v2/nothing", ""),
        ("GET //v2/instance", ""),
        ("GET v2/instance", ""),
        ("GET /V2/instance", ""),
        ("GET /v3/instance", ""),
        ("GET /v2/eip", ""),
        ("GET /instance", ""),
        ("GET /v2/instance/i-1/vnc", ""),
        ("GET /v2/%69nstance/i-none", ""),
        ("GET /v2/instance/%zz", ""),
        ("GET /v2/instance/%ff", ""),
        ("GET /v2/instance/i%2F1", ""),
        ("GET /v2/instance/%E4%BD%A0", ""),
        ("GET /v2/instance/i%201", ""),
        ("GET /v2/instance/%00", ""),
        ("GET /v2/instance/..", ""),
        ("GET /v2/instance/..%2F..%2Fetc", ""),
        ("GET /v2/instance/i-1'%20or%201=1--", ""),
        (&long, MONTH),
        ("POST /v2/instance", ""),
        ("DELETE /v2/instance/i-1", ""),
        ("get /v2/instance", ""),
        ("PATCH /v2/volume/v-1", ""),
        ("POST /v1/eip/ip-1", ""),
        ("PUT /v2/instance/i-1", MONTH),
        ("PUT /v2/instance/i-1?stop", "{}"),
        ("PUT /v2/instance/i-1?PurchaseReserved", MONTH),
        ("PUT /v2/instance/i-1?startAutoRenew", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved&toPrepay", MONTH),
        ("POST /v2/instance/batch/charging", "{}"),
        ("GET /v2/recycle/instance", ""),
        ("POST /v2/recycle", "{}"),
        ("DELETE /v2/recycle/instance/i-1", ""),
        ("POST /v2/renew/resource/list", "{}"),
        ("GET /v1/renew/resource/list", ""),
        ("POST /v1/renew/resource/rule/delete", "{}"),
        ("GET /v1/eip/refund/ip-1", ""),
        ("PUT /v1/eip/refund/ip-1?stopAutoRenew", ""),
        ("GET /v2/instance?a=%zz", ""),
        ("GET /v2/instance?maxKeys=1&maxKeys=2", ""),
        ("PUT /v2/instance/i-1?purchaseReserved&clientToken=a&clientToken=b", MONTH),
        (
            "PUT /v2/instance/i-1?purchaseReserved&clientToken=a&relatedRenewFlag=CDS&relatedRenewFlag=EIP",
            MONTH,
        ),
    ]);
    expect_file!["tables/not-served.txt"].assert_eq(&text);
    assert_eq!(send(&mut furnished(), &longer, "").status, 400);
}

#[test]
fn bodies_that_are_not_what_they_should_be_are_refused() {
    let renew = "PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1";
    let mut text = table(&[
        (renew, "{"),
        (renew, "null"),
        (renew, "[]"),
        (renew, "1"),
        (renew, "\"text\""),
        (renew, "billing=1"),
        (renew, r#"{"billing":}"#),
        (renew, r#"{"billing":{},"billing":{}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":1}}} {}"#),
        (renew, "\u{feff}{}"),
        (renew, "<xml/>"),
    ]);
    for (name, body) in [
        ("nested deep", format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000))),
        ("lists deep", format!("{{\"a\":{}", "[".repeat(200_000))),
        ("a number of a million digits", format!("{{\"a\":{}}}", "9".repeat(1_000_000))),
        ("a megabyte of objects", format!("{{\"a\":[{}]}}", vec!["{}"; 300_000].join(","))),
    ] {
        let response = send(&mut furnished(), renew, &body);
        let (_, body) = String::from_utf8(response.body)
            .unwrap()
            .split_once(',')
            .map(|(a, b)| (b.to_owned(), a.to_owned()))
            .unwrap();
        text += &format!("{name}\n  {} {body}\n", response.status);
    }
    let mut bytes = request(renew, &[], "");
    bytes.body = b"{\"billing\": \"\xff\xfe\"}".to_vec();
    text += &format!("bytes\n  {}\n", show(&furnished().handle(&bytes)));
    expect_file!["tables/bodies.txt"].assert_eq(&text);
}

#[test]
fn whatever_the_host_stops_at_is_said_in_the_providers_own_way() {
    let renewal = request("PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1", &[], "");
    let without_token = request("PUT /v2/instance/i-1?purchaseReserved=", &[], MONTH);
    let query = request("GET /v2/instance", &[], "");
    let nothing =
        Request { id: String::new(), method: String::new(), path: String::new(), ..request(" ", &[], "") };
    let mut text = String::new();
    for failure in [
        Failure::UnknownAccessKey,
        Failure::WrongCredentials,
        Failure::InvalidToken,
        Failure::Replayed,
        Failure::Malformed,
        Failure::TooLarge(1_048_576),
        Failure::TimedOut,
        Failure::Busy(2),
        Failure::Internal,
    ] {
        text += &format!("{failure:?}\n");
        let mut last = String::new();
        for (name, request) in [
            ("with a token", &renewal),
            ("without one", &without_token),
            ("a query", &query),
            ("nothing", &nothing),
        ] {
            let response = Baidu::fail(0, request.clone(), failure);
            assert!(is_well_formed(&response), "{failure:?}: {}", show(&response));
            let shown = show(&response).replace("\"r-1\"", "\"\"").replace("=r-1", "=");
            if shown != last {
                text += &format!("  {name}: {shown}\n");
            }
            last = shown;
        }
    }
    expect_file!["tables/failures.txt"].assert_eq(&text);
}

/// The SDK sends a request again on 500 and 503 only.
#[test]
fn the_sdk_does_not_send_again_what_may_have_been_done() {
    let without_token = request("PUT /v2/instance/i-1?purchaseReserved=", &[], MONTH);
    for (failure, is_sent_again) in [
        (Failure::Replayed, false),
        (Failure::TimedOut, false),
        (Failure::Busy(1), true),
        (Failure::Internal, true),
    ] {
        let status = Baidu::fail(0, without_token.clone(), failure).status;
        assert_eq!([500, 503].contains(&status), is_sent_again, "{failure:?} is {status}");
    }
    expect!["403"].assert_eq(&Baidu::fail(0, without_token, Failure::Replayed).status.to_string());
}
