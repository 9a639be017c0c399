//! Baidu's own API against the real host: signed as its SDK signs, and what it does to resources, money and events.
//!
//! What each operation accepts is tabled beside the plugin (`plugins/baidu/tests/endpoint`); here is what takes a host.

use expect_test::expect;
use http::Request;
use serde_json::Value;
use serde_json::json;

use perennial_test_support::bce::Draft;
use perennial_test_support::bce::HOST;
use perennial_test_support::bce::SignedRequest;
use perennial_test_support::bce::draft;
use perennial_test_support::bce::hmac;
use perennial_test_support::provider_server::Key;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;

const NOW: &str = "2026-03-01T00:00:00Z";
const MONTH: &str = r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;
const RENEW: &str = "/v2/instance/i-1?clientToken=t-1&purchaseReserved=";

fn inventory() -> Value {
    let prepaid = |kind: &str, id: &str, to: Option<&str>, expires_at: &str| {
        json!({
            "id": id, "account": "acme", "kind": kind, "region": "bj", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": expires_at,
            "term": { "count": 1, "unit": "month" }, "price": "100.00", "on_expiry": "lapse",
            "attached_to": to,
        })
    };
    let mut address = prepaid("eip", "ip-1", Some("i-1"), "2026-03-10T02:00:00Z");
    address["attributes"] = json!({ "eip": "180.76.1.1" });
    json!({
        "accounts": [
            { "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "1000.00" },
            { "id": "other", "provider": "baidu", "currency": "CNY", "balance": "1000.00" },
        ],
        "resources": [
            prepaid("bcc", "i-1", None, "2026-03-10T02:00:00Z"),
            prepaid("cds", "v-1", Some("i-1"), "2026-03-10T02:00:00Z"),
            address,
            prepaid("bcc", "i-2", None, "2026-03-12T02:00:00Z"),
            prepaid("cds", "v-2", None, "2026-03-12T02:00:00Z"),
        ],
    })
}

pub fn server() -> Server {
    Server::start("baidu", NOW, &inventory())
}

fn send(server: &Server, key: &Key, method: &'static str, target: &str, body: &str) -> ProviderResponse {
    draft(method, target, body).signed(key, server.now()).send(server)
}

/// Status, code and message.
fn show(answer: &ProviderResponse) -> String {
    match answer.status {
        200 => format!("200 {}", answer.body).trim_end().to_owned(),
        status => {
            let body = answer.json();
            assert_eq!(body["requestId"], answer.headers["x-bce-request-id"].to_str().unwrap());
            format!("{status} {}: {}", body["code"].as_str().unwrap(), body["message"].as_str().unwrap())
        }
    }
}

#[test]
fn every_operation_does_what_it_says() {
    let server = server();
    let key = server.key("acme");
    let config = r#"{"config":[{"instanceId":"i-2","cdsList":null,"effectiveType":"AfterExpiration"}]}"#;
    let mut table = String::new();
    for (method, target, body) in [
        ("PUT", RENEW, MONTH),
        ("PUT", "/v2/instance/i-1?clientToken=t-2&purchaseReserved=&relatedRenewFlag=CDS_EIP_MKT", MONTH),
        (
            "POST",
            "/v2/instance/batchCreateAutoRenewRules?clientToken=t-3",
            r#"{"instanceId":"i-1","renewEip":false}"#,
        ),
        ("POST", "/v2/instance/batchDeleteAutoRenewRules?clientToken=t-4", r#"{"instanceId":"i-1"}"#),
        ("PUT", "/v2/volume/v-2?clientToken=t-5&purchaseReserved=", MONTH),
        (
            "POST",
            "/v2/volume/autoRenew?clientToken=t-6",
            r#"{"volumeId":"v-2","renewTimeUnit":"year","renewTime":1}"#,
        ),
        ("POST", "/v2/volume/cancelAutoRenew?clientToken=t-7", r#"{"volumeId":"v-2"}"#),
        ("PUT", "/v2/volume/v-2?modifyChargeType=", "{}"),
        ("PUT", "/v1/eip/180.76.1.1?clientToken=t-8&purchaseReserved=", MONTH),
        ("PUT", "/v1/eip/180.76.1.1?clientToken=t-9&startAutoRenew=", "{}"),
        ("PUT", "/v1/eip/180.76.1.1?clientToken=t-10&stopAutoRenew=", ""),
        ("POST", "/v2/instance/batch/charging?clientToken=t-11&toPostpay=", config),
        ("POST", "/v2/instance/batch/charging?clientToken=t-12&toPrepay=", config),
    ] {
        let answer = send(&server, &key, method, target, body);
        table += &format!("{method} {target}\n  {}\n", show(&answer));
    }
    expect![[r#"
        PUT /v2/instance/i-1?clientToken=t-1&purchaseReserved=
          200
        PUT /v2/instance/i-1?clientToken=t-2&purchaseReserved=&relatedRenewFlag=CDS_EIP_MKT
          200
        POST /v2/instance/batchCreateAutoRenewRules?clientToken=t-3
          200
        POST /v2/instance/batchDeleteAutoRenewRules?clientToken=t-4
          200
        PUT /v2/volume/v-2?clientToken=t-5&purchaseReserved=
          200
        POST /v2/volume/autoRenew?clientToken=t-6
          200
        POST /v2/volume/cancelAutoRenew?clientToken=t-7
          200
        PUT /v2/volume/v-2?modifyChargeType=
          200
        PUT /v1/eip/180.76.1.1?clientToken=t-8&purchaseReserved=
          200
        PUT /v1/eip/180.76.1.1?clientToken=t-9&startAutoRenew=
          200
        PUT /v1/eip/180.76.1.1?clientToken=t-10&stopAutoRenew=
          200
        POST /v2/instance/batch/charging?clientToken=t-11&toPostpay=
          200 {"orderId":""}
        POST /v2/instance/batch/charging?clientToken=t-12&toPrepay=
          400 InappropriateJSON: `duration` is missing
    "#]]
    .assert_eq(&table);
    let events = server.events().into_iter().map(|event| event.replace(NOW, "").trim().to_owned());
    expect![[r#"
        balance_changed acme i-1 {"amount":"-100.00","balance":"900.00","reason":"renewal"}
        renewal_settled acme i-1 {"cost":"100.00","expires_before":"2026-03-10T02:00:00Z","expires_at":"2026-04-10T02:00:00Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"i-1/2026-03-10T02:00:00Z/1month","extra_days":0}
        balance_changed acme i-1 {"amount":"-400.00","balance":"500.00","reason":"renewal"}
        renewal_settled acme i-1 {"cost":"100.00","expires_before":"2026-04-10T02:00:00Z","expires_at":"2026-05-10T02:00:00Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"i-1/2026-04-10T02:00:00Z/1month","extra_days":0}
        renewal_settled acme ip-1 {"cost":"100.00","expires_before":"2026-03-10T02:00:00Z","expires_at":"2026-04-10T02:00:00Z","term":{"count":1,"unit":"month"},"cause":"command","primary":"i-1","attempt":"i-1/2026-04-10T02:00:00Z/1month","extra_days":0}
        renewal_settled acme v-1 {"cost":"200.00","expires_before":"2026-03-10T02:00:00Z","expires_at":"2026-05-10T02:00:00Z","term":{"count":2,"unit":"month"},"cause":"command","primary":"i-1","attempt":"i-1/2026-04-10T02:00:00Z/1month","extra_days":0}
        setting_changed acme i-1 {"setting":"renewEip","value":"false"}
        setting_changed acme i-1 {"setting":"on_expiry","value":"renew"}
        setting_changed acme i-1 {"setting":"renewal_term","value":"1 month"}
        setting_changed acme v-1 {"setting":"on_expiry","value":"renew"}
        setting_changed acme v-1 {"setting":"renewal_term","value":"1 month"}
        setting_changed acme i-1 {"setting":"renewEip","value":"true"}
        setting_changed acme i-1 {"setting":"on_expiry","value":"lapse"}
        setting_changed acme v-1 {"setting":"on_expiry","value":"lapse"}
        balance_changed acme v-2 {"amount":"-100.00","balance":"400.00","reason":"renewal"}
        renewal_settled acme v-2 {"cost":"100.00","expires_before":"2026-03-12T02:00:00Z","expires_at":"2026-04-12T02:00:00Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"v-2/2026-03-12T02:00:00Z/1month","extra_days":0}
        setting_changed acme v-2 {"setting":"on_expiry","value":"renew"}
        setting_changed acme v-2 {"setting":"renewal_term","value":"1 year"}
        setting_changed acme v-2 {"setting":"on_expiry","value":"lapse"}
        setting_changed acme v-2 {"setting":"on_expiry","value":"convert"}
        balance_changed acme ip-1 {"amount":"-100.00","balance":"300.00","reason":"renewal"}
        renewal_settled acme ip-1 {"cost":"100.00","expires_before":"2026-04-10T02:00:00Z","expires_at":"2026-05-10T02:00:00Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"ip-1/2026-04-10T02:00:00Z/1month","extra_days":0}
        setting_changed acme ip-1 {"setting":"on_expiry","value":"renew"}
        setting_changed acme ip-1 {"setting":"renewal_term","value":"1 month"}
        setting_changed acme ip-1 {"setting":"on_expiry","value":"lapse"}
        setting_changed acme i-2 {"setting":"on_expiry","value":"convert"}"#]].assert_eq(&events.collect::<Vec<_>>().join("\n"));
    server.advance(server.now() + 5);
    let shown = |target: &str| {
        let answer = send(&server, &key, "GET", target, "");
        let body = answer.json();
        let items = ["instances", "volumes", "eipList"].into_iter().find_map(|list| body[list].as_array());
        let items = items.cloned().unwrap_or_else(|| vec![body["instance"].clone(), body["volume"].clone()]);
        let items = items.iter().filter(|item| !item.is_null());
        let line = |item: &Value| format!("{} {} until {}", item["name"], item["status"], item["expireTime"]);
        format!("{target}: {}\n", items.map(line).collect::<Vec<_>>().join(", "))
    };
    let targets = [
        "/v2/instance",
        "/v2/instance/i-1",
        "/v2/volume?maxKeys=1000",
        "/v2/volume/v-2",
        "/v1/eip?maxKeys=1000",
    ];
    expect![[r#"
        /v2/instance: "i-1" "Running" until "2026-05-10T02:00:00Z", "i-2" "Running" until "2026-03-12T02:00:00Z"
        /v2/instance/i-1: "i-1" "Running" until "2026-05-10T02:00:00Z"
        /v2/volume?maxKeys=1000: "v-1" "InUse" until "2026-05-10T02:00:00Z", "v-2" "Available" until "2026-04-12T02:00:00Z"
        /v2/volume/v-2: "v-2" "Available" until "2026-04-12T02:00:00Z"
        /v1/eip?maxKeys=1000: "ip-1" "binded" until "2026-05-10T02:00:00Z"
    "#]].assert_eq(&targets.map(shown).concat());
}

/// The example of the BCC document "Instance Renewal", as printed but for host, id of the key, instant and signature: of
/// the headers only `host` is signed, and the action has no `=`.
#[test]
fn the_printed_example_gets_the_printed_answer() {
    let mut inventory = inventory();
    inventory["resources"][0]["id"] = json!("i-YufwpQAe");
    inventory["resources"][1]["attached_to"] = json!("i-YufwpQAe");
    inventory["resources"][2]["attached_to"] = json!("i-YufwpQAe");
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    let path = "/v2/instance/i-YufwpQAe";
    let (token, flag) = ("clientToken=be31b98c-5e41-4838-9830-9be700de5a20", "relatedRenewFlag=CDS_EIP_MKT");
    let prefix = format!("bce-auth-v1/{}/{}/3600", key.access_key, server.now());
    let host = HOST.replace(':', "%3A");
    let message = format!("PUT\n{path}\n{token}&purchaseReserved=&{flag}\nhost:{host}");
    let signature = hmac(&hmac(&key.secret, &prefix), &message);
    let body = "{\n\t\"billing\":{\n\t    \"reservation\":{\n\t        \"reservationLength\":1,\n\t        \
                \"reservationTimeUnit\":\"Month\"\n\t    }\n\t}\n}";
    let request = Request::put(format!("{path}?purchaseReserved&{token}&{flag}"))
        .header("host", HOST)
        .header("authorization", format!("{prefix}/host/{signature}"));
    let answer = server.send(request.body(body.to_owned()).unwrap());
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.headers["content-type"], "application/json;charset=UTF-8");
    assert!(answer.headers.contains_key("x-bce-request-id"));
    let settled = server.events().into_iter().filter(|event| event.contains(" renewal_settled "));
    assert_eq!(settled.count(), 3, "the instance, its disk and its address");
}

#[test]
fn a_renewal_shows_after_a_while_and_a_list_goes_on_where_its_page_ended() {
    let server = server();
    let key = server.key("acme");
    let expiry = || {
        let body = send(&server, &key, "GET", "/v2/instance/i-1", "").json();
        body["instance"]["expireTime"].as_str().unwrap().to_owned()
    };
    assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), "200");
    assert_eq!(expiry(), "2026-03-10T02:00:00Z");
    server.advance(server.now() + 4);
    assert_eq!(expiry(), "2026-03-10T02:00:00Z");
    server.advance(server.now() + 1);
    assert_eq!(expiry(), "2026-04-10T02:00:00Z");
    let first = send(&server, &key, "GET", "/v2/instance?maxKeys=1", "").json();
    let next = first["nextMarker"].as_str().unwrap();
    let second = send(&server, &key, "GET", &format!("/v2/instance?marker={next}&maxKeys=1"), "").json();
    assert_eq!((&first["instances"][0]["id"], &second["instances"][0]["id"]), (&json!("i-1"), &json!("i-2")));
    assert_eq!((&first["isTruncated"], &second["isTruncated"]), (&json!(true), &json!(false)));
}

#[test]
fn a_renewal_with_a_client_token_is_answered_each_time_and_happens_once() {
    let server = server();
    let key = server.key("acme");
    let renewal = draft("PUT", RENEW, MONTH).signed(&key, server.now());
    let first = renewal.send(&server);
    assert_eq!(show(&first), "200");
    let events = server.events();
    assert_eq!(show(&renewal.send(&server)), "200");
    server.advance(server.now() + 1);
    assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), "200");
    assert_eq!(server.events(), events);
    let other = send(&server, &key, "PUT", RENEW, &MONTH.replace('1', "2"));
    expect!["403 IdempotentParameterMismatch: this clientToken was sent with other parameters less than 24 hours ago; take a new one"].assert_eq(&show(&other));
    let renewals = server.events().iter().filter(|event| event.contains(" renewal_settled ")).count();
    assert_eq!(renewals, 1);
}

/// The response names the order as often as the request is sent, until the host forgets the token.
#[test]
fn a_repeated_token_gives_the_first_answer_whatever_the_reply() {
    let mut inventory = inventory();
    for (reply, first) in
        [("empty", "200"), ("order", r#"200 {"orderId":"i-1/2026-03-10T02:00:00Z/1month"}"#)]
    {
        inventory["accounts"][0]["settings"] = json!({ "renewal_reply": reply });
        let server = Server::start("baidu", NOW, &inventory);
        let key = server.key("acme");
        assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), first);
        let events = server.events();
        for later in [1, 60, 86_400] {
            server.advance(server.now() + later);
            assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), first, "{later} s later");
        }
        assert_eq!(server.events(), events);
    }
}

#[test]
fn a_repeated_token_gets_the_first_answer_after_the_reply_has_changed() {
    for (then, now) in [("empty", "order"), ("order", "empty")] {
        let mut inventory = inventory();
        inventory["accounts"][0]["settings"] = json!({ "renewal_reply": then });
        let server = Server::start("baidu", NOW, &inventory);
        let key = server.key("acme");
        let first = show(&send(&server, &key, "PUT", RENEW, MONTH));
        let changes = json!({ "settings": { "renewal_reply": now } }).to_string();
        assert_eq!(server.ask_admin("PATCH", "/v1/accounts/acme", &changes).status, 200);
        server.advance(server.now() + 1);
        assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), first, "{then}, then {now}");
    }
}

#[test]
fn a_renewal_without_a_client_token_is_refused_and_does_nothing() {
    let server = server();
    let key = server.key("acme");
    for path in ["/v2/instance/i-1", "/v2/volume/v-2", "/v1/eip/180.76.1.1"] {
        for query in ["purchaseReserved=", "clientToken=&purchaseReserved="] {
            let answer = send(&server, &key, "PUT", &format!("{path}?{query}"), MONTH);
            assert!(show(&answer).starts_with("400 BadRequest: `clientToken`"), "{}", show(&answer));
        }
    }
    assert_eq!(server.events(), [""; 0]);
}

#[test]
fn an_instance_is_released_early_with_its_prepaid_disk_and_a_refund() {
    let server = server();
    let key = server.key("acme");
    let body = r#"{"instanceId":"i-1"}"#;
    expect![[r#"200 {"successResources":{"instanceId":"i-1","volumeIds":["v-1"],"snapshotIds":[],"insnapIds":[]},"failResources":{"volumeIds":[],"snapshotIds":[],"insnapIds":[]},"instanceRefundFlag":true}"#]].assert_eq(&show(&send(&server, &key, "POST", "/v2/instance/delete", body)));
    let events = server.events().into_iter().map(|event| event.replace(NOW, "").trim().to_owned());
    expect![[r#"
        unsubscribed acme i-1 {"refund":"32.14","original_order":"purchase/i-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/i-1","amount":"32.14"}]}
        stage_changed acme i-1 {"from":"active","to":"unsubscribed"}
        unsubscribed acme v-1 {"refund":"32.14","original_order":"purchase/v-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/v-1","amount":"32.14"}]}
        stage_changed acme v-1 {"from":"active","to":"unsubscribed"}
        balance_changed acme i-1 {"amount":"64.28","balance":"1064.28","reason":"refund"}"#]].assert_eq(&events.collect::<Vec<_>>().join("\n"));
    let body = r#"{"instanceIds":["i-2"],"relatedReleaseFlag":true}"#;
    let answer = send(&server, &key, "POST", "/v2/instance/batchRefundResource", body);
    assert_eq!(show(&answer), r#"200 {"failedInstanceIds":[]}"#);
    let listed = send(&server, &key, "GET", "/v2/instance", "").json();
    assert_eq!(listed["instances"], json!([]));
}

#[test]
fn a_change_of_the_billing_mode_is_made_at_once_and_bought_back() {
    let mut inventory = inventory();
    for resource in 0..2 {
        inventory["resources"][resource]["attributes"] = json!({ "monthlyPrice": "120.00" });
    }
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    let target = "/v2/instance/batch/charging?clientToken=t-1&toPostpay=";
    let config = r#"{"config":[{"instanceId":"i-1","cdsList":["all"],"effectiveType":"AtOnce"}]}"#;
    let converted = show(&send(&server, &key, "POST", target, config));
    assert_eq!(converted, r#"200 {"orderId":"purchase/v-1,purchase/i-1"}"#);
    server.advance(server.now() + 3600);
    assert_eq!(show(&send(&server, &key, "POST", target, config)), converted);
    let target = "/v2/instance/i-1?clientToken=t-2&toPrepay=";
    let bought = show(&send(&server, &key, "POST", target, r#"{"duration":2,"autoRenew":true}"#));
    assert_eq!(bought, r#"200 {"orderId":"i-1/2026-03-01T01:00:00Z/purchase"}"#);
    assert_eq!(show(&send(&server, &key, "POST", target, r#"{"duration":2,"autoRenew":true}"#)), bought);
    let events = server.events().into_iter().map(|event| event.replace(NOW, "").trim().to_owned());
    expect![[r#"
        stage_changed acme v-1 {"from":"active","to":"converted"}
        converted acme v-1 {}
        balance_changed acme v-1 {"amount":"32.14","balance":"1032.14","reason":"refund"}
        stage_changed acme i-1 {"from":"active","to":"converted"}
        converted acme i-1 {}
        balance_changed acme i-1 {"amount":"32.14","balance":"1064.28","reason":"refund"}
        2026-03-01T01:00:00Z order_created acme i-1 {"order":"i-1/2026-03-01T01:00:00Z/purchase","kind":"purchase","cost":"480.00","pay_until":null}
        2026-03-01T01:00:00Z order_paid acme i-1 {"order":"i-1/2026-03-01T01:00:00Z/purchase","kind":"purchase","cost":"480.00","refunds":[]}
        2026-03-01T01:00:00Z balance_changed acme i-1 {"amount":"-480.00","balance":"584.28","reason":"purchase"}
        2026-03-01T01:00:00Z setting_changed acme i-1 {"setting":"charging","value":"prepaid"}
        2026-03-01T01:00:00Z setting_changed acme i-1 {"setting":"expires_at","value":"2026-05-01T01:00:00Z"}
        2026-03-01T01:00:00Z stage_changed acme i-1 {"from":"converted","to":"active"}
        2026-03-01T01:00:00Z setting_changed acme v-1 {"setting":"charging","value":"prepaid"}
        2026-03-01T01:00:00Z setting_changed acme v-1 {"setting":"expires_at","value":"2026-05-01T01:00:00Z"}
        2026-03-01T01:00:00Z stage_changed acme v-1 {"from":"converted","to":"active"}
        2026-03-01T01:00:00Z setting_changed acme i-1 {"setting":"on_expiry","value":"renew"}
        2026-03-01T01:00:00Z setting_changed acme i-1 {"setting":"renewal_term","value":"1 month"}
        2026-03-01T01:00:00Z setting_changed acme ip-1 {"setting":"on_expiry","value":"renew"}
        2026-03-01T01:00:00Z setting_changed acme ip-1 {"setting":"renewal_term","value":"1 month"}
        2026-03-01T01:00:00Z setting_changed acme v-1 {"setting":"on_expiry","value":"renew"}
        2026-03-01T01:00:00Z setting_changed acme v-1 {"setting":"renewal_term","value":"1 month"}"#]].assert_eq(&events.collect::<Vec<_>>().join("\n"));
    let shown = send(&server, &key, "GET", "/v2/instance/i-1", "").json();
    let shown = &shown["instance"];
    let expected = (&json!("Prepaid"), &json!("2026-05-01T01:00:00Z"), &json!(true));
    assert_eq!((&shown["paymentTiming"], &shown["expireTime"], &shown["autoRenew"]), expected);
    let disk = send(&server, &key, "GET", "/v2/volume/v-1", "").json();
    assert_eq!(disk["volume"]["expireTime"], json!("2026-05-01T01:00:00Z"));
}

/// By the flag, what is pay-as-you-go is released, too.
#[test]
fn an_early_release_takes_pay_as_you_go_disks_by_the_flag() {
    let mut inventory = inventory();
    let hourly = json!({
        "id": "v-3", "account": "acme", "kind": "cds", "region": "bj", "charging": "postpaid",
        "started_at": "2026-01-10T02:00:00Z", "on_expiry": "lapse", "attached_to": "i-1",
    });
    inventory["resources"].as_array_mut().unwrap().push(hourly);
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    let body = r#"{"instanceId":"i-1","relatedReleaseFlag":true}"#;
    expect![[r#"200 {"successResources":{"instanceId":"i-1","eip":"180.76.1.1","volumeIds":["v-1","v-3"],"snapshotIds":[],"insnapIds":[]},"failResources":{"volumeIds":[],"snapshotIds":[],"insnapIds":[]},"instanceRefundFlag":true}"#]].assert_eq(&show(&send(&server, &key, "POST", "/v2/instance/delete", body)));
}

#[test]
fn finance_lists_renewals_and_makes_rules() {
    let server = server();
    let key = server.key("acme");
    let rule =
        r#"{"serviceType":"EIP","region":"bj","instanceId":"ip-1","renewTimeUnit":"year","renewTime":"1"}"#;
    assert_eq!(show(&send(&server, &key, "POST", "/v1/renew/resource/rule/create", rule)), "200");
    let list = r#"{"serviceType":"EIP","region":"bj","expiredDays":30}"#;
    let listed = send(&server, &key, "POST", "/v1/renew/resource/list", list).json();
    expect![[r#"[{"accountId":"acme","aloneRenewEnable":true,"alreadyRenewSet":true,"expireTime":"2026-03-10T02:00:00Z","instanceId":"ip-1","region":"bj","renewTime":"1","renewTimeUnit":"year","serviceType":"EIP","shortId":"ip-1"}]"#]].assert_eq(&listed["resources"].to_string());
    assert_eq!((&listed["accountId"], &listed["totalCount"]), (&json!("acme"), &json!(1)));
    let others = r#"{"serviceType":"EIP","queryAccountId":"other"}"#;
    assert_eq!(send(&server, &key, "POST", "/v1/renew/resource/list", others).status, 403);
}

#[test]
fn a_request_without_a_token_acts_once_and_a_query_is_answered_again() {
    let mut inventory = inventory();
    inventory["accounts"][0]["settings"] = json!({ "client_token": "optional" });
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    let renewal = draft("PUT", "/v2/instance/i-1?purchaseReserved=", MONTH).signed(&key, server.now());
    assert_eq!(show(&renewal.send(&server)), "200");
    let events = server.events();
    expect!["403 AccessDenied: this very request was carried out before; see what became of it before signing it anew, and with a `clientToken`, which makes it safe to send again"].assert_eq(&show(&renewal.send(&server)));
    assert_eq!(server.events(), events);
    let query = draft("GET", "/v2/instance/i-1", "").signed(&key, server.now());
    assert_eq!(query.send(&server).body, query.send(&server).body);
}

/// The newer SDK signs no more of a body than its length, and no token.
#[test]
fn another_request_with_a_used_signature_is_done_once_signed_anew() {
    let server = server();
    let key = server.key("acme");
    let target = "/v2/instance/batchCreateAutoRenewRules";
    let rule = |id: &str| {
        draft("POST", target, &format!(r#"{{"instanceId":"{id}","renewTimeUnit":"month","renewTime":1}}"#))
    };
    assert_eq!(show(&rule("i-1").signed(&key, server.now()).send(&server)), "200");
    let busy = rule("i-2").signed(&key, server.now()).send(&server);
    assert_eq!((busy.status, &busy.json()["code"]), (503, &json!("ServiceUnavailable")));
    let same = rule("i-1").signed(&key, server.now()).send(&server);
    assert_eq!((same.status, &same.json()["code"]), (403, &json!("AccessDenied")));
    let rules = server.events().into_iter().filter(|event| event.contains("on_expiry")).collect::<Vec<_>>();
    assert!(rules.iter().all(|event| !event.contains("i-2")), "{rules:?}");
    assert_eq!(show(&rule("i-2").signed(&key, server.now() + 1).send(&server)), "200");
}

#[test]
fn whoever_replays_a_rule_does_not_bring_it_back() {
    let server = server();
    let key = server.key("acme");
    let line = "/v2/instance/batchCreateAutoRenewRules?clientToken=t-1";
    let create = draft("POST", line, r#"{"instanceId":"i-1"}"#).signed(&key, server.now());
    assert_eq!(show(&create.send(&server)), "200");
    assert_eq!(show(&create.send(&server)), "200");
    let line = "/v2/instance/batchDeleteAutoRenewRules?clientToken=t-2";
    assert_eq!(show(&send(&server, &key, "POST", line, r#"{"instanceId":"i-1"}"#)), "200");
    let events = server.events();
    assert_eq!(create.send(&server).status, 403);
    assert_eq!(server.events(), events);
}

#[test]
fn hostile_requests_get_the_providers_own_error_and_change_nothing() {
    let server = server();
    let (key, other, now) = (server.key("acme"), server.key("other"), server.now());
    let renewal = || draft("PUT", "/v2/instance/i-1?clientToken=t-1&purchaseReserved=", MONTH);
    let signed = renewal().signed(&key, now);
    let changed = |change: fn(&mut SignedRequest)| {
        let mut signed = signed.clone();
        change(&mut signed);
        signed
    };
    let with_digest =
        Draft { more: vec![("content-md5", "4sbVzAMWEsJLzUBwmLG/wQ==".to_owned())], ..renewal() };
    let mut with_digest = with_digest.signed(&key, now);
    with_digest.draft.body = MONTH.replace('1', "9");
    let stranger = Key { access_key: "stranger".to_owned(), ..key.clone() };
    let mistaken = Key { secret: "mistaken".to_owned(), ..key.clone() };
    let long = format!("/v2/instance/{}?clientToken=t-1&purchaseReserved=", "i".repeat(1000));
    let mut table = String::new();
    for (name, request) in [
        ("a wrong secret", renewal().signed(&mistaken, now)),
        ("an unknown key", renewal().signed(&stranger, now)),
        ("another account's key", renewal().signed(&other, now)),
        ("a clock 16 minutes ahead", renewal().signed(&key, now + 960)),
        ("a clock 16 minutes behind", Draft { seconds: 900, ..renewal() }.signed(&key, now - 960)),
        ("an expired signature", renewal().signed(&key, now - 1800)),
        ("another path", changed(|signed| signed.draft.target = signed.draft.target.replace("i-1", "i-2"))),
        ("another query", changed(|signed| signed.draft.target += "&relatedRenewFlag=CDS")),
        ("another method", changed(|signed| signed.draft.method = "POST")),
        ("another body", with_digest),
        ("a header less", changed(|signed| signed.headers.retain(|(name, _)| *name != "x-bce-date"))),
        ("no authorization", changed(|signed| signed.headers.retain(|(name, _)| *name != "authorization"))),
        ("an unknown path", draft("GET", "/v2/nothing", "").signed(&key, now)),
        ("an unknown version", draft("GET", "/v9/instance", "").signed(&key, now)),
        ("another action", draft("DELETE", "/v2/instance/i-1", "").signed(&key, now)),
        ("bad JSON", draft("PUT", "/v2/instance/i-1?purchaseReserved=", "{").signed(&key, now)),
        (
            "a body of 5 MB",
            draft("PUT", "/v2/instance/i-1?purchaseReserved=", &" ".repeat(5_000_000)).signed(&key, now),
        ),
        ("an over-long id", draft("PUT", &long, MONTH).signed(&key, now)),
        (
            "an id that is not ASCII",
            draft("PUT", "/v2/instance/%E4%BD%A0?clientToken=t-1&purchaseReserved=", MONTH).signed(&key, now),
        ),
    ] {
        table += &format!("{name}\n  {}\n", show(&request.send(&server)));
    }
    expect![[r#"
        a wrong secret
          400 SignatureDoesNotMatch: the signature is not that of this request; check the secret key and what is signed
        an unknown key
          403 InvalidAccessKeyId: there is no such access key, or it was revoked
        another account's key
          404 NoSuchObject: there is no instance `i-1`
        a clock 16 minutes ahead
          400 RequestExpired: signed at 2026-03-01T00:16:00Z, which is to come: now it is 2026-03-01T00:00:00Z; set the clock
        a clock 16 minutes behind
          400 RequestExpired: signed at 2026-02-28T23:44:00Z until 2026-02-28T23:59:00Z; now it is 2026-03-01T00:00:00Z
        an expired signature
          400 RequestExpired: signed at 2026-02-28T23:30:00Z until 2026-03-01T00:00:00Z; now it is 2026-03-01T00:00:00Z
        another path
          400 SignatureDoesNotMatch: the signature is not that of this request; check the secret key and what is signed
        another query
          400 SignatureDoesNotMatch: the signature is not that of this request; check the secret key and what is signed
        another method
          400 SignatureDoesNotMatch: the signature is not that of this request; check the secret key and what is signed
        another body
          400 BadDigest: `content-md5` is not that of the body
        a header less
          400 SignatureDoesNotMatch: the signature is not that of this request; check the secret key and what is signed
        no authorization
          400 InvalidHTTPAuthHeader: the authorization cannot be used: there is none; sign the request
        an unknown path
          400 InvalidURI: nothing is served at `/v2/nothing`
        an unknown version
          404 InvalidVersion: `instance` is served as v1 and v2
        another action
          405 MethodNotAllowed: `/v2/instance/i-1` has no DELETE
        bad JSON
          400 MalformedJSON: the body cannot be used: EOF while parsing an object at line 1 column 1
        a body of 5 MB
          413 EntityTooLarge: the body is longer than 1048576 bytes
        an over-long id
          400 BadRequest: an id is 1 to 64 visible ASCII characters
        an id that is not ASCII
          400 BadRequest: an id is 1 to 64 visible ASCII characters
    "#]].assert_eq(&table);
    assert_eq!(server.events(), [""; 0]);
    assert_eq!(show(&signed.send(&server)), "200");
}

#[test]
fn a_balance_that_does_not_suffice_is_refused_as_the_provider_does() {
    let mut inventory = inventory();
    inventory["accounts"][0]["balance"] = json!("10.00");
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    expect!["409 OperationDenied: the balance does not suffice; top the account up before the next try or renew again: 100.00 CNY needed, 10.00 available"].assert_eq(&show(&send(&server, &key, "PUT", RENEW, MONTH)));
}

#[test]
fn a_renewal_that_needs_approval_is_answered_and_is_not_listed() {
    let mut inventory = inventory();
    inventory["accounts"][0]["approval_above"] = json!("50.00");
    inventory["accounts"][0]["settings"] = json!({ "renewal_reply": "order" });
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    for _ in 0..2 {
        assert_eq!(show(&send(&server, &key, "PUT", RENEW, MONTH)), "200");
        server.advance(server.now() + 60);
        let shown = send(&server, &key, "GET", "/v2/instance/i-1", "").json();
        assert_eq!(shown["instance"]["expireTime"], "2026-03-10T02:00:00Z");
    }
    let asked = server.events().iter().filter(|event| event.contains(" approval_requested ")).count();
    assert_eq!(asked, 1);
}

/// A request whose body was swapped on its way for another of the same length.
fn swapped(signed: &SignedRequest) -> SignedRequest {
    let mut swapped = signed.clone();
    swapped.draft.body = MONTH.replace('1', "9");
    swapped
}

#[test]
fn a_body_that_was_swapped_is_told_when_the_first_one_arrives() {
    let server = server();
    let key = server.key("acme");
    let renewal = draft("PUT", RENEW, MONTH).signed(&key, server.now());
    assert_eq!(show(&swapped(&renewal).send(&server)), "200", "the signature covers the length alone");
    let first = show(&renewal.send(&server));
    assert!(first.starts_with("403 IdempotentParameterMismatch"), "{first}");
}

#[test]
fn an_account_may_require_a_digest_that_is_signed() {
    const SHA256: &str = "71ba5a824a236a58b5845fb7b0b2e44781a023204c4a9017b79520aeb252b401";
    let mut inventory = inventory();
    inventory["accounts"][0]["settings"] = json!({ "require_content_digest": "yes" });
    let server = Server::start("baidu", NOW, &inventory);
    let key = server.key("acme");
    let renewal = draft("PUT", RENEW, MONTH);
    let bare = renewal.clone().signed(&key, server.now());
    let refused = show(&bare.send(&server));
    assert!(
        refused.starts_with("400 BadRequest: this account takes a body with a signed digest only"),
        "{refused}"
    );
    // A digest that is added on the way is signed by default, and so breaks the signature.
    let mut added = bare;
    added.headers.push(("x-bce-content-sha256", SHA256.to_owned()));
    assert!(show(&added.send(&server)).starts_with("400 SignatureDoesNotMatch"));
    let more = vec![("x-bce-content-sha256", SHA256.to_owned())];
    let whole = Draft { more, ..renewal }.signed(&key, server.now());
    assert!(show(&swapped(&whole).send(&server)).contains("BadDigest"));
    assert_eq!(show(&whole.send(&server)), "200");
    // What has no body needs no digest.
    assert_eq!(send(&server, &key, "GET", "/v2/instance", "").status, 200);
}
