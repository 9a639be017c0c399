//! Who may send requests: tokens, signatures and their replays, and what is done to them on their way.

use expect_test::expect;
use expect_test::expect_file;
use serde_json::Value;
use serde_json::json;

use crate::huawei::*;
use perennial_test_support::provider_server::Key;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;

/// A token for the account of a key.
pub fn token(server: &Server, key: &Key, domain: &str) -> String {
    let answer = ask_for_token(server, &key.access_key, &key.secret, domain);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.headers["x-subject-token"].to_str().unwrap().to_owned()
}

fn ask_for_token(server: &Server, name: &str, password: &str, domain: &str) -> ProviderResponse {
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

fn with_token(server: &Server, token: &str) -> ProviderResponse {
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
    let refused = |answer: ProviderResponse| (answer.status, answer.json()["error_code"].clone());
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

#[test]
fn an_authorization_with_bytes_above_127_cannot_be_read() {
    let server = Server::start("huawei", NOW, &furnished());
    for value in [b"SDK-HMAC-SHA256 Access=\xe9, SignedHeaders=host, Signature=00".as_slice(), b"\xff\xfe"] {
        for name in ["authorization", "x-auth-token"] {
            let value = http::HeaderValue::from_bytes(value).unwrap();
            let request = http::Request::builder().uri(BALANCE).header("host", HOST).header(name, value);
            let answer = server.send(request.body(String::new()).unwrap());
            assert_eq!(
                (answer.status, answer.json()["error_code"].clone()),
                (401, json!("APIGW.0301")),
                "{name}"
            );
        }
    }
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
    for off in [894, -894] {
        let draft = tool.signed_at(server.now() + off, "GET", BALANCE, "");
        assert_eq!(send(&server, draft).status, 200, "a clock that is {off} seconds off is near enough");
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
    expect_file!["tables/hostile.txt"].assert_eq(&table);
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
fn a_signature_that_is_sent_thirty_times_at_once_counts_once() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let renew = tool.signed("POST", RENEW, &renewal(&["ecs-1"]));
    let statuses = std::thread::scope(|scope| {
        let sent = (0..30).map(|_| scope.spawn(|| send(&server, renew.clone()).status)).collect::<Vec<_>>();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect::<Vec<_>>()
    });
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(401)), (1, 29), "{statuses:?}");
    let renewed = server.events().into_iter().filter(|event| event.contains("renewal_settled"));
    assert_eq!(renewed.count(), 2, "the server and its disk");
}

#[test]
fn who_made_a_key_does_not_approve_what_was_asked_for_with_it() {
    let mut inventory = furnished();
    inventory["accounts"][0]["approval_above"] = json!("1.00");
    let server = Server::start("huawei", NOW, &inventory);
    let maker = server.new_admin();
    let as_maker = |method: &str, path: &str, body: &str| server.ask_admin_as(&maker, method, path, body);
    let made = as_maker("POST", "/v1/provider-keys", r#"{"account": "acme", "name": "k"}"#).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let key = Key { access_key: text(&made["key"]["access_key"]), secret: text(&made["secret"]) };
    let tool = Tool { server: &server, key, sent: Cell::new(0) };
    tool.ask("POST", RENEW, &renewal(&["ecs-1"]));
    let pending = as_maker("GET", "/v1/approvals", "").json();
    let approve = format!("/v1/approvals/{}:approve", text(&pending["items"][0]["id"]));
    let refused = as_maker("POST", &approve, "{}");
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("own-approval"), "{}", refused.body);
    assert_eq!(server.ask_admin("POST", &approve, "{}").status, 200, "somebody else does");
}

#[test]
fn what_proves_nothing_is_in_the_audit_log_within_the_bound() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let unsigned = Draft { headers: Vec::new(), ..tool.signed("GET", BALANCE, "") };
    let mut mistaken = Tool::new(&server, "acme");
    mistaken.key.secret = "mistaken".to_owned();
    let mut stranger = Tool::new(&server, "acme");
    stranger.key.access_key = "stranger".to_owned();
    assert_eq!(send(&server, unsigned).status, 401);
    let long = format!("{AUTO_RENEW}{}", "x".repeat(10_000));
    assert_eq!(mistaken.ask("POST", RENEW, "{}").status, 401);
    assert_eq!(stranger.ask("POST", &long, "{}").status, 401);
    assert_eq!(tool.ask("GET", BALANCE, "").status, 200, "and this is not");
    let recorded = || {
        let audit = server.ask_admin("GET", "/v1/audit?limit=1000", "").json();
        let items = audit["items"].as_array().unwrap().clone();
        let operation = |record: serde_json::Value| record["operation"].as_str().unwrap().to_owned();
        items.into_iter().map(operation).filter(|text| text.starts_with("huawei: ")).collect::<Vec<_>>()
    };
    let operations = recorded();
    assert_eq!(operations.len(), 3, "{operations:?}");
    assert!(operations.contains(&format!("huawei: GET {BALANCE}")), "{operations:?}");
    assert!(operations.iter().all(|operation| operation.len() < 300), "{operations:?}");
    for _ in 0..100 {
        mistaken.ask("POST", RENEW, "{}");
    }
    assert_eq!(recorded().len(), 60);
}

/// Bodies of nearly a megabyte, of the kinds that cost a reader the most: they are within the limits, and are answered.
#[test]
fn large_bodies_that_make_no_sense_are_read_and_refused() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    for body in [
        "[".repeat(1_000_000),
        format!("{{\"resource_ids\":[{}1]}}", "\"a\",".repeat(240_000)),
        format!("{{\"resource_ids\":{}", "[".repeat(1_000_000)),
        format!("{{\"unknown\":[{}{{}}]}}", "{\"\":[]},".repeat(120_000)),
        format!("{{\"status_list\":[{}1]}}", "2,".repeat(500_000)),
        format!("{{\"order_id\":\"{}\"}}", "x".repeat(1_000_000)),
        format!("{{{}\"limit\":0}}", "\"unknown\":1,".repeat(80_000)),
    ] {
        let answer = tool.ask("POST", QUERY, &body);
        let code = answer.json()["error_code"].clone();
        let what = &body[..20];
        // What is not known is passed over: then every resource is asked for.
        let expected =
            if body.starts_with("{\"unknown\":[") { (200, Value::Null) } else { (400, json!("CBC.0100")) };
        assert_eq!((answer.status, code), expected, "{what}");
        assert!(answer.body.len() < 4_000, "{what}: {}", answer.body.len());
    }
}
