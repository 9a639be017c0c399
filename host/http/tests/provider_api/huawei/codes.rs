//! Every documented code that an account can get, from the rules through the host to the client.

use expect_test::expect_file;
use serde_json::Value;
use serde_json::json;

use crate::huawei::*;
use perennial_test_support::provider_server::Server;

/// Everything that a resource can be, so that each documented code comes up.
fn troubled() -> Value {
    let said = |word: &str| with(resource(word, "ecs"), json!({ "attributes": { "condition": word } }));
    let mut resources = [
        "unpaid-order",
        "processing-order",
        "account-frozen",
        "violation-freeze",
        "police-freeze",
        "off-sale",
        "trial",
        "invoiced",
        "marketplace",
        "solution",
    ]
    .map(said)
    .to_vec();
    let retained = json!({ "stage": "retention", "expires_at": "2026-01-31T15:59:59Z" });
    resources.extend([
        resource("ecs", "ecs"),
        with(resource("evs", "evs"), json!({ "attached_to": "ecs" })),
        with(resource("grace", "rds"), json!({ "stage": "grace", "expires_at": "2026-02-26T15:59:59Z", "anchor_day": 26 })),
        with(resource("retained", "rds"), retained),
        with(resource("released", "rds"), json!({ "stage": "released", "expires_at": "2025-12-31T15:59:59Z" })),
        with(resource("unsubscribed", "rds"), json!({ "stage": "unsubscribed" })),
        with(resource("old", "rds"), json!({ "started_at": "2020-01-31T02:00:00Z" })),
        with(resource("dear", "rds"), json!({ "price": "1000000.00" })),
        resource("codearts", "codearts-package"),
        resource("shared", "shared-bandwidth"),
        with(resource("add-on", "bandwidth-add-on"), json!({ "attached_to": "shared" })),
        with(
            resource("package", "package"),
            json!({ "quota": "100.0", "used": "0.0", "unit": "vCPU-hour", "resource_type": "cci" }),
        ),
        json!({
            "id": "pay-per-use", "account": "acme", "kind": "ecs", "region": "cn-north-4", "charging": "postpaid",
            "started_at": "2025-12-31T02:00:00Z",
        }),
    ]);
    inventory(json!({ "total_years_max": "6" }), resources)
}

/// The codes of the documents' tables that a resource can lead to.
const DOCUMENTED: [&str; 40] = [
    "CBC.0100",
    "CBC.7281",
    "CBC.30000067",
    "CBC.30010036",
    "CBC.30010069",
    "CBC.30050006",
    "CBC.30050007",
    "CBC.30050008",
    "CBC.30050009",
    "CBC.30050010",
    "CBC.30050011",
    "CBC.30050013",
    "CBC.99000092",
    "CBC.99003012",
    "CBC.99003016",
    "CBC.99003100",
    "CBC.99003128",
    "CBC.99003144",
    "CBC.99003154",
    "CBC.99003185",
    "CBC.99003602",
    "CBC.99003605",
    "CBC.99003608",
    "CBC.99003609",
    "CBC.99003610",
    "CBC.99003611",
    "CBC.99003622",
    "CBC.99003623",
    "CBC.99003624",
    "CBC.99003625",
    "CBC.99003626",
    "CBC.99003631",
    "CBC.99003643",
    "CBC.99003647",
    "CBC.99003649",
    "CBC.99003650",
    "CBC.99003651",
    "CBC.99003652",
    "CBC.99003654",
    "CBC.99003656",
];

const OLD_RENEW: &str = "/v1.0/acme/common/order-mgr/resources/renew";

/// Which operation on which resource is answered which code.
#[test]
fn every_documented_code_that_an_account_can_get_comes_up() {
    let server = Server::start("huawei", NOW, &troubled());
    let tool = Tool::new(&server, "acme");
    let mut table = String::new();
    let all = [
        "nobody",
        "evs",
        "ecs",
        "grace",
        "retained",
        "released",
        "unsubscribed",
        "old",
        "dear",
        "codearts",
        "add-on",
        "shared",
        "package",
        "pay-per-use",
        "unpaid-order",
        "processing-order",
        "account-frozen",
        "violation-freeze",
        "police-freeze",
        "off-sale",
        "trial",
        "invoiced",
        "marketplace",
        "solution",
    ];
    let years = r#","period_type":3,"period_num":1,"is_auto_pay":1"#;
    let months = r#","period_type":2,"period_num":1,"is_auto_pay":1"#;
    for id in all {
        let term = if ["package", "old"].contains(&id) { years } else { months };
        let auto_renew = format!("{AUTO_RENEW}{id}");
        for (what, method, target, body) in [
            ("price", "POST", PRICE, ids(&[id], term)),
            ("convert", "POST", CONVERT, ids(&[id], r#","operation":"SET_UP""#)),
            ("cancel conversion", "POST", CONVERT, ids(&[id], r#","operation":"CANCEL""#)),
            ("auto-renew", "POST", &auto_renew, String::new()),
            ("no auto-renew", "DELETE", &auto_renew, String::new()),
            ("renew", "POST", RENEW, ids(&[id], term)),
            ("give back", "POST", UNSUBSCRIBE, ids(&[id], r#","unsubscribe_type":2"#)),
            ("unsubscribe", "POST", UNSUBSCRIBE, ids(&[id], r#","unsubscribe_type":1"#)),
        ] {
            let answer = tool.ask(method, target, &body);
            let body = answer.json();
            let code = body["error_code"].as_str().unwrap_or("-");
            table += &format!("{id:<17} {what:<18} {} {code}\n", answer.status);
        }
        // The old API has a code each for what the present one has one code for.
        if ["nobody", "released", "unsubscribed"].contains(&id) {
            let body = ids(&[id], r#","period_type":2,"period_num":1,"isAutoPay":1"#);
            let answer = tool.ask("POST", OLD_RENEW, &body);
            let code = answer.json()["error_code"].as_str().unwrap_or("-").to_owned();
            table += &format!("{id:<17} {:<18} {} {code}\n", "old renew", answer.status);
        }
    }
    expect_file!["tables/codes.txt"].assert_eq(&table);
    for code in DOCUMENTED {
        assert!(table.contains(&format!(" {code}\n")), "{code} does not come up");
    }
    // Those that need no resource.
    let codes = [
        ("GET", format!("{REFUND}CS1904190917GIBHC"), String::new()),
        ("POST", PRICE.to_owned(), ids(&["ecs", "ecs"], months)),
        ("POST", QUERY.to_owned(), r#"{"customer_id":"other"}"#.to_owned()),
    ]
    .map(|(method, target, body)| tool.ask(method, &target, &body).json()["error_code"].clone());
    assert_eq!(codes, [json!("CBC.99005026"), json!("CBC.30050012"), json!("CBC.0151")]);
}
