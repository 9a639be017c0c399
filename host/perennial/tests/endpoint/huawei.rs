//! Huawei Cloud's own API, as its SDKs speak it: signed requests, whole answers, and what they leave behind.
//!
//! What each request is made into is printed by the plugin's own tests; here is what the host then does.

use std::cell::Cell;

use axum::body::Body;
use axum::http::Request;
use expect_test::expect;
use expect_test::expect_file;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::harness::Answer;
use crate::harness::Key;
use crate::harness::Server;

const NOW: &str = "2026-03-01T00:00:00Z";
const HOST: &str = "127.0.0.1:8443";

const QUERY: &str = "/v2/orders/suscriptions/resources/query";
const RENEW: &str = "/v2/orders/subscriptions/resources/renew";
const UNSUBSCRIBE: &str = "/v2/orders/subscriptions/resources/unsubscribe";
const AUTO_RENEW: &str = "/v2/orders/subscriptions/resources/autorenew/";
const CONVERT: &str = "/v2/orders/subscriptions/resources/to-on-demand";
const CONFIGURE: &str = "/v2/orders/subscriptions/resources/renew/config";
const PRICE: &str = "/v2/bills/ratings/period-resources/renew-rate";
const REFUND: &str = "/v2/orders/customer-orders/refund-orders?order_id=";
const BALANCE: &str = "/v2/accounts/customer-accounts/balances";

/// A tool with a key, which signs as the official SDKs do. Every signature is of a second of its own.
struct Tool<'a> {
    server: &'a Server,
    key: Key,
    sent: Cell<i64>,
}

/// A request that is still to be signed or tampered with.
#[derive(Clone)]
struct Draft {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl<'a> Tool<'a> {
    fn new(server: &'a Server, account: &str) -> Tool<'a> {
        Tool { server, key: server.key(account), sent: Cell::new(0) }
    }

    /// Signs a request and sends it.
    fn ask(&self, method: &str, target: &str, body: &str) -> Answer {
        send(self.server, self.signed(method, target, body))
    }

    /// A signed request, of a second that no other is signed in.
    fn signed(&self, method: &str, target: &str, body: &str) -> Draft {
        self.sent.set(self.sent.get() + 1);
        self.signed_at(self.server.now() - self.sent.get() % 600, method, target, body)
    }

    fn signed_at(&self, at: Timestamp, method: &str, target: &str, body: &str) -> Draft {
        let date = at.to_string().replace(['-', ':'], "");
        let headers = [("content-type", "application/json"), ("host", HOST), ("x-sdk-date", &date)];
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut query = query.split('&').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        query.sort_unstable();
        let signed = headers.map(|(name, value)| format!("{name}:{value}\n")).concat();
        let canonical = format!(
            "{method}\n{path}/\n{}\n{signed}\ncontent-type;host;x-sdk-date\n{}",
            query.join("&"),
            hexadecimal(&Sha256::digest(body))
        );
        let message = format!("SDK-HMAC-SHA256\n{date}\n{}", hexadecimal(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders=content-type;host;x-sdk-date, Signature={}",
            self.key.access_key,
            hexadecimal(&mac.finalize().into_bytes())
        );
        let mut headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        headers.push(("authorization".to_owned(), authorization));
        Draft { method: method.to_owned(), target: target.to_owned(), headers, body: body.to_owned() }
    }

    /// Sends signed requests one after another; what each was answered, without the request's id.
    fn talk(&self, requests: &[(&str, &str, String)]) -> String {
        let one = |(method, target, body): &(&str, &str, String)| {
            let answer = self.ask(method, target, body);
            format!("{method} {target} {body}\n{}\n", shown(&answer))
        };
        requests.iter().map(one).collect()
    }
}

fn send(server: &Server, draft: Draft) -> Answer {
    let mut request = Request::builder().method(draft.method.as_str()).uri(&draft.target);
    for (name, value) in &draft.headers {
        request = request.header(name, value);
    }
    let answer = server.send(request.body(Body::from(draft.body)).unwrap());
    assert_eq!(answer.headers["content-type"], "application/json", "{}", answer.body);
    assert!(answer.json().is_object(), "{}", answer.body);
    assert!(answer.headers.contains_key("x-request-id"), "{}", answer.body);
    answer
}

/// Status and body, without the request's id.
fn shown(answer: &Answer) -> String {
    let id = answer.headers["x-request-id"].to_str().unwrap();
    format!("{} {}", answer.status, answer.body.replace(id, "…"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A monthly resource of `acme` that expires on the last of March.
fn resource(id: &str, kind: &str) -> Value {
    json!({
        "id": id, "account": "acme", "kind": kind, "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-03-31T15:59:59Z", "anchor_day": 31,
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
    })
}

fn with(mut resource: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

fn inventory(settings: Value, resources: Vec<Value>) -> Value {
    let account = |id: &str, balance: &str| {
        json!({
            "id": id, "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": balance,
            "settings": settings,
        })
    };
    json!({ "accounts": [account("acme", "10000.00"), account("other", "0.00")], "resources": resources })
}

/// A server with a disk that renews itself, a database, and a server of somebody else.
fn furnished() -> Value {
    inventory(
        json!({}),
        vec![
            with(
                resource("ecs-1", "ecs"),
                json!({ "attributes": { "name": "web", "spec": "s6.large.2.linux" } }),
            ),
            with(
                resource("evs-1", "evs"),
                json!({ "attached_to": "ecs-1", "price": "12.50", "on_expiry": "renew" }),
            ),
            with(resource("rds-1", "rds"), json!({ "price": "200.00" })),
            with(resource("ecs-9", "ecs"), json!({ "account": "other" })),
        ],
    )
}

fn ids(ids: &[&str], more: &str) -> String {
    format!("{{\"resource_ids\":{}{more}}}", json!(ids))
}

fn renewal(resources: &[&str]) -> String {
    ids(resources, r#","period_type":2,"period_num":1,"is_auto_pay":1"#)
}

#[test]
fn a_day_of_a_tool_that_speaks_the_present_api() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let auto_renew = format!("{AUTO_RENEW}ecs-1");
    let set_up = ids(&["rds-1", "evs-1"], r#","operation":"SET_UP""#);
    let talk = tool.talk(&[
        ("GET", "/v3/auth/domains", String::new()),
        ("GET", "/v2/products/service-types?limit=1", String::new()),
        ("POST", QUERY, ids(&["ecs-1"], "")),
        ("POST", PRICE, ids(&["ecs-1", "rds-1"], r#","period_type":3,"period_num":1"#)),
        ("POST", RENEW, renewal(&["ecs-1", "rds-1"])),
        ("GET", BALANCE, String::new()),
        ("POST", QUERY, r#"{"order_id":"ecs-1/2026-03-31T15:59:59Z/1month"}"#.to_owned()),
        ("POST", &auto_renew, r#"{"auto_renew_times":2,"period_type":"YEAR"}"#.to_owned()),
        ("DELETE", &auto_renew, String::new()),
        ("POST", CONVERT, set_up),
        ("POST", CONVERT, ids(&["rds-1"], r#","operation":"CANCEL""#)),
        ("POST", CONFIGURE, r#"{"config_name":"DEDUCTION_DATE","config_value":"3"}"#.to_owned()),
        ("POST", CONFIGURE, r#"{"config_name":"EXPIRE_DATE","config_value":"-1"}"#.to_owned()),
        ("POST", UNSUBSCRIBE, ids(&["rds-1"], r#","unsubscribe_type":2"#)),
        ("POST", UNSUBSCRIBE, ids(&["ecs-1", "evs-1"], r#","unsubscribe_type":1"#)),
        ("POST", QUERY, r#"{"status_list":[2,3]}"#.to_owned()),
        ("GET", BALANCE, String::new()),
    ]);
    expect_file!["huawei/present.txt"].assert_eq(&talk);
    expect![[r#"
        2026-03-01T00:00:00Z balance_changed acme ecs-1 {"amount":"-111.50","balance":"9888.50","reason":"renewal"}
        2026-03-01T00:00:00Z renewal_settled acme ecs-1 {"cost":"99.00","expires_before":"2026-03-31T15:59:59Z","expires_at":"2026-04-30T15:59:59Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"ecs-1/2026-03-31T15:59:59Z/1month","extra_days":0}
        2026-03-01T00:00:00Z renewal_settled acme evs-1 {"cost":"12.50","expires_before":"2026-03-31T15:59:59Z","expires_at":"2026-04-30T15:59:59Z","term":{"count":1,"unit":"month"},"cause":"command","primary":"ecs-1","attempt":"ecs-1/2026-03-31T15:59:59Z/1month","extra_days":0}
        2026-03-01T00:00:00Z balance_changed acme rds-1 {"amount":"-200.00","balance":"9688.50","reason":"renewal"}
        2026-03-01T00:00:00Z renewal_settled acme rds-1 {"cost":"200.00","expires_before":"2026-03-31T15:59:59Z","expires_at":"2026-04-30T15:59:59Z","term":{"count":1,"unit":"month"},"cause":"command","primary":null,"attempt":"rds-1/2026-03-31T15:59:59Z/1month","extra_days":0}
        2026-03-01T00:00:00Z setting_changed acme ecs-1 {"setting":"on_expiry","value":"renew"}
        2026-03-01T00:00:00Z setting_changed acme ecs-1 {"setting":"renewal_term","value":"1 year"}
        2026-03-01T00:00:00Z setting_changed acme ecs-1 {"setting":"renewals_left","value":"2"}
        2026-03-01T00:00:00Z setting_changed acme evs-1 {"setting":"renewal_term","value":"1 year"}
        2026-03-01T00:00:00Z setting_changed acme evs-1 {"setting":"renewals_left","value":"2"}
        2026-03-01T00:00:00Z setting_changed acme ecs-1 {"setting":"on_expiry","value":"lapse"}
        2026-03-01T00:00:00Z setting_changed acme evs-1 {"setting":"on_expiry","value":"lapse"}
        2026-03-01T00:00:00Z setting_changed acme rds-1 {"setting":"on_expiry","value":"convert"}
        2026-03-01T00:00:00Z command_refused acme evs-1 {"command":"convert_on_expiry","code":"CBC.30010036","message":"the resource is attached to another one; name the primary resource"}
        2026-03-01T00:00:00Z setting_changed acme rds-1 {"setting":"on_expiry","value":"lapse"}
        2026-03-01T00:00:00Z setting_changed acme - {"setting":"deduction_days","value":"3"}
        2026-03-01T00:00:00Z setting_changed acme - {"setting":"unified_expiry_day","value":"-1"}
        2026-03-01T00:00:00Z unsubscribed acme rds-1 {"refund":"200.00","original_order":"rds-1/2026-03-31T15:59:59Z/1month","scope":"future","expires_at":"2026-03-31T15:59:59Z","refunds":[{"order":"rds-1/2026-03-31T15:59:59Z/1month","amount":"200.00"}]}
        2026-03-01T00:00:00Z balance_changed acme rds-1 {"amount":"200.00","balance":"9888.50","reason":"refund"}
        2026-03-01T00:00:00Z unsubscribed acme ecs-1 {"refund":"194.80","original_order":"purchase/ecs-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/ecs-1","amount":"95.80"},{"order":"ecs-1/2026-03-31T15:59:59Z/1month","amount":"99.00"}]}
        2026-03-01T00:00:00Z stage_changed acme ecs-1 {"from":"active","to":"unsubscribed"}
        2026-03-01T00:00:00Z unsubscribed acme evs-1 {"refund":"24.59","original_order":"purchase/evs-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/evs-1","amount":"12.09"},{"order":"ecs-1/2026-03-31T15:59:59Z/1month","amount":"12.50"}]}
        2026-03-01T00:00:00Z stage_changed acme evs-1 {"from":"active","to":"unsubscribed"}
        2026-03-01T00:00:00Z balance_changed acme ecs-1 {"amount":"219.39","balance":"10107.89","reason":"refund"}
    "#]].assert_eq(&(server.events().join("\n") + "\n"));
}

#[test]
fn a_refund_is_found_by_the_name_that_its_unsubscription_was_given() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    tool.ask("POST", RENEW, &renewal(&["ecs-1", "rds-1"]));
    // Both within one second of the clock: each refund has its own orders only.
    let body = ids(&["ecs-1", "rds-1"], r#","unsubscribe_type":1"#);
    let ended = tool.ask("POST", UNSUBSCRIBE, &body);
    server.advance(server.now() + 86_400);
    let names = ended.json()["order_ids"].clone();
    let names = names.as_array().unwrap();
    assert_eq!(names.len(), 2, "{}", ended.body);
    let found = names.iter().map(|name| {
        let name = name.as_str().unwrap();
        assert!(name.len() <= 64);
        let refund = tool.ask("GET", &format!("{REFUND}{name}"), "").json();
        let line =
            |info: &Value| format!("{} {} {}\n", info["base_order_id"], info["amount"], info["region_code"]);
        let lines = refund["refund_infos"].as_array().unwrap().iter().map(line).collect::<String>();
        format!("{} records\n{lines}", refund["total_count"])
    });
    expect![[r#"
        6 records
        "purchase/ecs-1" -95.8 "cn-north-4"
        "purchase/ecs-1" 3.2 "cn-north-4"
        "purchase/evs-1" -12.09 "cn-north-4"
        "purchase/evs-1" 0.41 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month" -99 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month" -12.5 "cn-north-4"
        3 records
        "purchase/rds-1" -193.54 "cn-north-4"
        "purchase/rds-1" 6.46 "cn-north-4"
        "rds-1/2026-03-31T15:59:59Z/1month" -200 "cn-north-4"
    "#]]
    .assert_eq(&found.collect::<String>());
}

#[test]
fn a_day_of_a_tool_that_speaks_the_old_api() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let target = |rest: &str| format!("/v1.0/acme/common/order-mgr/resources/{rest}");
    let (detail, renew, delete) = (target("detail?page_size=1"), target("renew"), target("delete"));
    let actions = target("ecs-1/actions?action_id=autorenew");
    let unknown = target("nobody/actions?action_id=autorenew");
    let talk = tool.talk(&[
        ("GET", &detail, String::new()),
        ("POST", &actions, String::new()),
        ("DELETE", &actions, String::new()),
        ("DELETE", &actions, String::new()),
        ("POST", &unknown, String::new()),
        ("POST", &renew, ids(&["ecs-1"], r#","period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1"#)),
        ("POST", &delete, r#"{"resourceIds":["rds-1"],"unSubType":1}"#.to_owned()),
        ("POST", &renew, ids(&["rds-1"], r#","period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1"#)),
    ]);
    expect_file!["huawei/old.txt"].assert_eq(&talk);
}

/// The example of "Enabling Automatic Subscription Renewal for Yearly/Monthly Resources", as printed but for host, ids
/// and token.
#[test]
fn the_printed_example_with_a_token_gets_the_printed_answer() {
    let server = Server::start("huawei", NOW, &furnished());
    let token = token(&server, &Tool::new(&server, "acme").key, "acme");
    let headers = [("host", HOST), ("Content-Type", "application/json"), ("X-Auth-Token", &token)];
    let draft = Draft {
        method: "POST".to_owned(),
        target: "/v1.0/acme/common/order-mgr/resources/ecs-1/actions?action_id=autorenew".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: String::new(),
    };
    let answer = send(&server, draft);
    assert_eq!(shown(&answer), r#"200 {"error_code":"CBC.0000","error_msg":"Success"}"#);
}

/// A token for the account of a key.
fn token(server: &Server, key: &Key, domain: &str) -> String {
    let answer = ask_for_token(server, &key.access_key, &key.secret, domain);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.headers["x-subject-token"].to_str().unwrap().to_owned()
}

fn ask_for_token(server: &Server, name: &str, password: &str, domain: &str) -> Answer {
    let user = json!({ "name": name, "password": password, "domain": { "name": domain } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let headers = [("host", HOST), ("content-type", "application/json")];
    send(
        server,
        Draft {
            method: "POST".to_owned(),
            target: "/v3/auth/tokens".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: json!({ "auth": { "identity": identity } }).to_string(),
        },
    )
}

fn with_token(server: &Server, token: &str) -> Answer {
    let headers = [("host", HOST), ("x-auth-token", token)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let (method, target) = ("GET".to_owned(), BALANCE.to_owned());
    send(server, Draft { method, target, headers, body: String::new() })
}

#[test]
fn a_token_lasts_a_day_and_is_for_its_own_account() {
    let server = Server::start("huawei", NOW, &furnished());
    let key = Tool::new(&server, "acme").key;
    let token = token(&server, &key, "acme");
    assert_eq!(with_token(&server, &token).json()["account_balances"][0]["account_id"], "acme");
    let refused = |answer: Answer| (answer.status, answer.json()["error_code"].clone());
    let denied = (401, json!("APIGW.0301"));
    assert_eq!(refused(with_token(&server, "MIIPAgYJKoZIhvcNAQcCo")), denied);
    for (name, password, domain) in [
        (key.access_key.as_str(), "wrong", "acme"),
        ("nobody", key.secret.as_str(), "acme"),
        (&key.access_key, &key.secret, "other"),
    ] {
        assert_eq!(refused(ask_for_token(&server, name, password, domain)), denied, "{name} of {domain}");
    }
    server.advance(server.now() + 86_399);
    assert_eq!(with_token(&server, &token).status, 200);
    server.advance(server.now() + 1);
    assert_eq!(refused(with_token(&server, &token)), denied);
}

/// What somebody does to a request on its way.
type Tampering = fn(&mut Draft);

fn header<'a>(draft: &'a mut Draft, name: &str) -> &'a mut String {
    &mut draft.headers.iter_mut().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn hostile_requests_get_the_providers_own_error_and_change_nothing() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let before = server.events();
    let tampering: [(&str, Tampering); 14] = [
        ("a wrong signature", |draft| {
            let header = header(draft, "authorization");
            let last = if header.ends_with('0') { "1" } else { "0" };
            header.replace_range(header.len() - 1.., last);
        }),
        ("another key", |draft| {
            let header = header(draft, "authorization");
            *header = header.replace("Access=PN", "Access=QN");
        }),
        ("a changed body", |draft| draft.body = draft.body.replace("\"period_num\":1", "\"period_num\":11")),
        ("an added query", |draft| draft.target.push_str("?x=1")),
        ("another path", |draft| draft.target = UNSUBSCRIBE.to_owned()),
        ("another host", |draft| *header(draft, "host") = "evil.example".to_owned()),
        ("no headers", |draft| draft.headers.clear()),
        ("no date", |draft| draft.headers.retain(|(name, _)| name != "x-sdk-date")),
        ("no signature", |draft| draft.headers.retain(|(name, _)| name != "authorization")),
        ("V11", |draft| {
            let header = header(draft, "authorization");
            *header = header.replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256");
        }),
        ("an unknown path", |draft| draft.target.push_str("/all")),
        ("a wrong method", |draft| draft.method = "PUT".to_owned()),
        ("a body of 5 MB", |draft| draft.body = "x".repeat(5_000_000)),
        ("a body that is not signed", |draft| {
            draft.headers.push(("x-sdk-content-sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned()));
        }),
    ];
    let mut table = String::new();
    for (what, tamper) in tampering {
        let mut draft = tool.signed("POST", RENEW, &renewal(&["ecs-1"]));
        tamper(&mut draft);
        let answer = send(&server, draft);
        table += &format!("{what}\n{}\n", shown(&answer).replace(&tool.key.access_key, "AK"));
    }
    for (what, off) in [("a clock 16 minutes ahead", 960), ("a clock 16 minutes behind", -960)] {
        let draft = tool.signed_at(server.now() + off, "POST", RENEW, &renewal(&["ecs-1"]));
        table += &format!("{what}\n{}\n", shown(&send(&server, draft)));
    }
    let long = "x".repeat(65);
    for (what, body) in [
        ("bad JSON", "{".to_owned()),
        ("a list", "[]".to_owned()),
        ("an over-long id", renewal(&[&long])),
        ("an id that is not ASCII", renewal(&["\u{4f60}\u{597d}"])),
        ("the same id twice", renewal(&["ecs-1", "ecs-1"])),
        ("a resource of somebody else beside one's own", renewal(&["ecs-1", "ecs-9"])),
    ] {
        table += &format!("{what}\n{}\n", shown(&tool.ask("POST", RENEW, &body)));
    }
    table += &format!(
        "another domain\n{}\n",
        shown(&tool.ask("GET", "/v1.0/other/common/order-mgr/resources/detail", ""))
    );
    expect_file!["huawei/hostile.txt"].assert_eq(&table);
    // That a command was refused is worth an event; nothing else happened.
    let after = server.events();
    let kinds =
        after[before.len()..].iter().map(|event| event.split(' ').nth(1).unwrap()).collect::<Vec<_>>();
    assert_eq!(kinds, ["command_refused"]);
    assert_eq!(tool.ask("GET", BALANCE, "").json()["account_balances"][0]["amount"], 10_000);
}

#[test]
fn a_signature_changes_something_once_and_asks_as_often_as_it_likes() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let renew = tool.signed("POST", RENEW, &renewal(&["ecs-1"]));
    assert_eq!(send(&server, renew.clone()).status, 200);
    let events = server.events();
    let again = send(&server, renew.clone());
    expect![[r#"401 {"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: the signature was used before; sign each request anew, a second apart","request_id":"…"}"#]].assert_eq(&shown(&again));
    server.advance(server.now() + 840);
    assert_eq!(send(&server, renew.clone()).status, 401, "remembered for as long as it is valid");
    server.advance(server.now() + 120);
    assert_eq!(send(&server, renew).json()["error_code"], "APIGW.0303", "and then it has expired");
    assert_eq!(server.events(), events);
    let look = tool.signed("GET", BALANCE, "");
    assert_eq!(send(&server, look.clone()).status, 200);
    assert_eq!(send(&server, look).status, 200);
}

#[test]
fn an_order_that_is_not_to_be_paid_at_once_is_refused_or_paid_as_the_operator_says() {
    for (setting, status) in [("refuse", 400), ("pay", 200)] {
        let inventory = inventory(json!({ "unpaid_orders": setting }), vec![resource("ecs-1", "ecs")]);
        let server = Server::start("huawei", NOW, &inventory);
        let tool = Tool::new(&server, "acme");
        let body = ids(&["ecs-1"], r#","period_type":2,"period_num":1"#);
        assert_eq!(tool.ask("POST", RENEW, &body).status, status, "{setting}");
    }
}

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
        with(resource("grace", "rds"), json!({ "stage": "grace", "expires_at": "2026-02-26T15:59:59Z" })),
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
    }
    expect_file!["huawei/codes.txt"].assert_eq(&table);
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
