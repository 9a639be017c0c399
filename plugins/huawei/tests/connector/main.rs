//! Calls to Huawei Cloud: what is sent, how it is signed, and what responses prove.
//!
//! `fixtures/responses.json` has the responses that the models of `huaweicloudsdkbss` 3.1.219 make; the signatures are those
//! that the signer of `huaweicloudsdkcore` 3.1.219 makes of the same requests.

use expect_test::expect;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use plugin_huawei::Huawei;
use plugin_huawei::connector::codes::MEANINGS;
use plugin_sdk::AutoRenewal;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::connector::Account;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::Change;
use plugin_sdk::connector::ChangeQuery;
use plugin_sdk::connector::CloudRenewal;
use plugin_sdk::connector::FindQuery;
use plugin_sdk::connector::Guest;
use plugin_sdk::connector::ListQuery;
use plugin_sdk::connector::Mutation;
use plugin_sdk::connector::OrderQuery;
use plugin_sdk::connector::Outcome;
use plugin_sdk::connector::Query;
use plugin_sdk::connector::QueryAnswer;
use plugin_sdk::connector::QueryFailureReason;
use plugin_sdk::connector::QuoteQuery;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::Target;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::codes::Meaning;
use plugin_sdk::provider_api::request::hexadecimal;
use serde_json::Value;
use sha2::Sha256;

/// The instant of every call: 2026-03-01T00:00:00Z.
const AT: i64 = 1_772_323_200;

fn context() -> CallContext {
    let account = Account { id: "acme".to_owned(), settings: Vec::new() };
    CallContext { at: AT, account, access_key: "AK1".to_owned(), endpoint: None }
}

fn target(id: &str) -> Target {
    Target {
        id: id.to_owned(),
        kind: "ecs".to_owned(),
        region: String::new(),
        expires_at: None,
        attached_to: None,
        attributes: Vec::new(),
    }
}

fn mutation(ids: &[&str], change: Change) -> Mutation {
    let targets = ids.iter().map(|id| target(id)).collect();
    Mutation { targets, along: Vec::new(), change, client_token: "token".to_owned() }
}

fn month() -> Term {
    Term { count: 1, unit: TermUnit::Month }
}

fn renewal(term: Term) -> Change {
    Change::Renew(CloudRenewal { term, options: Vec::new() })
}

fn list(cursor: Option<&str>) -> Query {
    Query::List(ListQuery { cursor: cursor.map(str::to_owned), expires_until: None })
}

fn orders(named: &[&str], created_from: Option<i64>) -> Query {
    Query::Orders(OrderQuery {
        orders: named.iter().map(|&id| id.to_owned()).collect(),
        target: None,
        created_from,
        cursor: None,
    })
}

fn response(status: u16, body: &str) -> ReceivedResponse {
    ReceivedResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// A response that the official SDK's models make.
fn fixture(name: &str) -> ReceivedResponse {
    let all = serde_json::from_str::<Value>(include_str!("fixtures/responses.json")).unwrap();
    response(200, &all[name].to_string())
}

/// The header of the signature, made with the secret `hush`.
fn signed(request: &UnsignedRequest) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"hush").unwrap();
    mac.update(&request.signing.message);
    format!("{}{}", request.signing.prefix, hexadecimal(&mac.finalize().into_bytes()))
}

fn line(request: &UnsignedRequest) -> String {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    format!("{} {}{query} {}", request.method, request.path, String::from_utf8_lossy(&request.body))
}

#[test]
fn requests_are_signed_as_the_official_sdk_signs_them() {
    const START: &str = "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=content-type;host;x-sdk-date, Signature=";
    let cancel = mutation(&["ecs-1"], Change::CancelAutoRenew);
    for (request, signature) in [
        (
            Huawei::encode_query(context(), Query::Balance),
            "3e5e57a82e1b674661da79554d17382cdc670574b39c74121e00599737625c2e",
        ),
        (
            Huawei::encode_query(context(), list(None)),
            "01625756866d4d6418cdd387231d8fdf4af79d09959454c5dfb1e79384134288",
        ),
        (
            Huawei::encode_query(context(), orders(&[], Some(AT))),
            "e363c072d4cbe3278cf9c06347f202ddc04b573f56ce8bc25b6851f455db13df",
        ),
        (
            Huawei::encode_mutation(context(), cancel),
            "de7a1fda966e53672b1a0be277d14f3ed4d43b3e2145abf6ca997500a862c9ff",
        ),
    ] {
        let request = request.unwrap();
        assert_eq!(request.host, "bss-intl.myhuaweicloud.com");
        assert_eq!(signed(&request), format!("{START}{signature}"), "{}", line(&request));
    }
}

#[test]
fn every_question_and_change_is_the_documented_request() {
    let year = Term { count: 12, unit: TermUnit::Month };
    let find = FindQuery { targets: vec![target("ecs-1"), target("evs-1")], cursor: Some("100".to_owned()) };
    let quote = QuoteQuery { targets: vec![target("ecs-1")], term: year };
    let rule = AutoRenewal { term: Some(month()), renewals: Some(3) };
    let mut table = String::new();
    let queries = [
        list(Some("100")),
        Query::List(ListQuery { cursor: None, expires_until: Some(AT) }),
        Query::Find(find),
        orders(&["CS 1"], None),
        Query::Quote(quote),
        Query::Balance,
    ];
    for query in queries {
        table += &format!("{}\n", line(&Huawei::encode_query(context(), query).unwrap()));
    }
    for change in [
        renewal(month()),
        renewal(Term { count: 2, unit: TermUnit::Year }),
        renewal(Term { count: 1, unit: TermUnit::Day }),
        renewal(Term { count: 13, unit: TermUnit::Month }),
        Change::SetAutoRenew(rule),
        Change::SetAutoRenew(AutoRenewal { term: None, renewals: None }),
        Change::CancelAutoRenew,
        Change::Unsubscribe(Scope::Everything),
        Change::Unsubscribe(Scope::FuturePeriods),
        Change::ConvertOnExpiry,
        Change::CancelConversion,
        Change::PayOrder("CS1".to_owned()),
        Change::CancelOrder("CS1".to_owned()),
    ] {
        table += &match Huawei::encode_mutation(context(), mutation(&["ecs-1"], change)) {
            Ok(request) => format!("{}\n", line(&request)),
            Err(refusal) => format!("refused: {}\n", refusal.code),
        };
    }
    expect![[r#"
        POST /v2/orders/suscriptions/resources/query {"only_main_resource":0,"status_list":[2,4,5],"offset":100,"limit":100}
        POST /v2/orders/suscriptions/resources/query {"only_main_resource":0,"status_list":[2,4,5],"offset":0,"limit":100,"expire_time_end":"2026-03-01T00:00:00Z"}
        POST /v2/orders/suscriptions/resources/query {"resource_ids":["ecs-1","evs-1"],"only_main_resource":0,"status_list":[2,4,5],"offset":100,"limit":100}
        GET /v2/orders/customer-orders?order_id=CS%201 
        POST /v2/bills/ratings/period-resources/renew-rate {"resource_ids":["ecs-1"],"period_type":3,"period_num":1}
        GET /v2/accounts/customer-accounts/balances 
        POST /v2/orders/subscriptions/resources/renew {"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}
        POST /v2/orders/subscriptions/resources/renew {"resource_ids":["ecs-1"],"period_type":3,"period_num":2,"is_auto_pay":1}
        refused: CBC.30010069
        refused: CBC.30010069
        POST /v2/orders/subscriptions/resources/autorenew/ecs-1 {"auto_renew_times":3,"period_type":"MONTH"}
        POST /v2/orders/subscriptions/resources/autorenew/ecs-1 {"auto_renew_times":0}
        DELETE /v2/orders/subscriptions/resources/autorenew/ecs-1 
        POST /v2/orders/subscriptions/resources/unsubscribe {"resource_ids":["ecs-1"],"unsubscribe_type":1,"unsubscribe_reason_type":5}
        POST /v2/orders/subscriptions/resources/unsubscribe {"resource_ids":["ecs-1"],"unsubscribe_type":2,"unsubscribe_reason_type":5}
        POST /v2/orders/subscriptions/resources/to-on-demand {"operation":"SET_UP","resource_ids":["ecs-1"]}
        POST /v2/orders/subscriptions/resources/to-on-demand {"operation":"CANCEL","resource_ids":["ecs-1"]}
        POST /v3/orders/customer-orders/pay {"order_id":"CS1","use_coupon":"NO","use_discount":"NO"}
        PUT /v2/orders/customer-orders/cancel {"order_id":"CS1"}
    "#]]
    .assert_eq(&table);
}

/// What may have changed since an hour before every call, up to ten days after it.
fn changes(cursor: Option<&str>) -> Query {
    let cursor = cursor.map(str::to_owned);
    Query::Changes(ChangeQuery { since: AT - 3_600, expires_until: AT + 864_000, cursor })
}

#[test]
fn what_changed_is_what_expires_soon_and_what_each_order_was_about() {
    assert!(Huawei::describe_connector().changes);
    let orders = |total: u32, states: &[(&str, u32)]| {
        let infos =
            states.iter().map(|(id, status)| format!(r#"{{"order_id": "{id}", "status": {status}}}"#));
        let infos = infos.collect::<Vec<_>>().join(",");
        response(200, &format!(r#"{{"total_count": {total}, "order_infos": [{infos}]}}"#))
    };
    let row = |id: &str| {
        format!(r#"{{"resource_id": "{id}", "resource_type_code": "hws.resource.type.vm", "status": 2}}"#)
    };
    let resources = |total: u32, ids: &[&str]| {
        let rows = ids.iter().map(|id| row(id)).collect::<Vec<_>>().join(",");
        response(200, &format!(r#"{{"total_count": {total}, "data": [{rows}]}}"#))
    };
    let responses = [
        resources(3, &["ecs-1", "ecs-2"]),
        resources(3, &["ecs-3"]),
        // What waits to be paid, or was cancelled, has changed nothing.
        orders(5, &[("CS1", 5), ("CS2", 6), ("CS3", 4), ("CS4", 3)]),
        resources(2, &["ecs-4"]),
        resources(2, &["ecs-5"]),
        resources(0, &[]),
        orders(5, &[("CS5", 6)]),
    ];
    let (mut table, mut cursor) = (String::new(), None::<String>);
    for response in responses {
        let query = || changes(cursor.as_deref());
        let request = Huawei::encode_query(context(), query()).unwrap();
        let Ok(QueryAnswer::Resources(page)) = Huawei::decode_query(context(), query(), response) else {
            panic!("it is a page: {}", line(&request));
        };
        let ids = page.resources.iter().map(|one| one.id.as_str()).collect::<Vec<_>>();
        table += &format!("{}\n    {ids:?}\n", line(&request));
        assert_eq!(page.total, None, "nobody knows before the end");
        cursor = page.next;
    }
    assert_eq!(cursor, None);
    expect![[r#"
        POST /v2/orders/suscriptions/resources/query {"only_main_resource":0,"status_list":[2,4,5],"offset":0,"limit":100,"expire_time_end":"2026-03-11T00:00:00Z"}
            ["ecs-1", "ecs-2"]
        POST /v2/orders/suscriptions/resources/query {"only_main_resource":0,"status_list":[2,4,5],"offset":2,"limit":100,"expire_time_end":"2026-03-11T00:00:00Z"}
            ["ecs-3"]
        GET /v2/orders/customer-orders?create_time_begin=2026-02-28T23%3A00%3A00Z&limit=10&offset=0 
            []
        POST /v2/orders/suscriptions/resources/query {"order_id":"CS1","only_main_resource":0,"status_list":[2,4,5],"offset":0,"limit":100}
            ["ecs-4"]
        POST /v2/orders/suscriptions/resources/query {"order_id":"CS1","only_main_resource":0,"status_list":[2,4,5],"offset":1,"limit":100}
            ["ecs-5"]
        POST /v2/orders/suscriptions/resources/query {"order_id":"CS4","only_main_resource":0,"status_list":[2,4,5],"offset":0,"limit":100}
            []
        GET /v2/orders/customer-orders?create_time_begin=2026-02-28T23%3A00%3A00Z&limit=10&offset=4 
            []
    "#]].assert_eq(&table);
}

#[test]
fn a_place_that_nobody_made_up_is_no_place_of_what_changed() {
    for cursor in ["", "3", "due/1", "orders/x", "resources/1/2", "resources/x/0/CS1"] {
        assert!(Huawei::encode_query(context(), changes(Some(cursor))).is_err(), "{cursor}");
    }
    // What is too long for a place beside others is asked for once more, and by itself for none.
    let info = |id: &str| format!(r#"{{"order_id": "{id}", "status": 5}}"#);
    let infos = |ids: &[String]| {
        let infos = ids.iter().map(|id| info(id)).collect::<Vec<_>>().join(",");
        response(200, &format!(r#"{{"total_count": {}, "order_infos": [{infos}]}}"#, ids.len()))
    };
    let long = |length: usize| format!("CS/{}", "1".repeat(length));
    let query = || changes(Some("orders/0"));
    let Ok(QueryAnswer::Resources(page)) =
        Huawei::decode_query(context(), query(), infos(&[long(400), long(500)]))
    else {
        panic!("it is a page");
    };
    assert_eq!(page.next, Some(format!("resources/1/0/CS%2F{}", "1".repeat(400))));
    let request = Huawei::encode_query(context(), changes(page.next.as_deref())).unwrap();
    assert!(line(&request).contains(&format!(r#""order_id":"{}""#, long(400))), "{}", line(&request));
    let failure = Huawei::decode_query(context(), query(), infos(&[long(1_000)])).unwrap_err();
    assert_eq!(failure.reason, QueryFailureReason::Unreadable);
}

#[test]
fn a_renewal_whose_order_would_wait_to_be_paid_is_never_sent() {
    for options in [vec![("is_auto_pay", "0")], vec![("expire_policy", "3")]] {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let change = Change::Renew(CloudRenewal { term: month(), options });
        assert!(Huawei::encode_mutation(context(), mutation(&["ecs-1"], change)).is_err());
    }
}

#[test]
fn a_page_of_resources_is_read_as_the_sdk_has_it() {
    let Ok(QueryAnswer::Resources(page)) = Huawei::decode_query(context(), list(None), fixture("resources"))
    else {
        panic!("it is a page");
    };
    assert_eq!((page.total, page.next.as_deref()), (Some(103), Some("3")));
    let [server, disk] = &*page.resources else { panic!("two are known: {:?}", page.resources) };
    assert_eq!((server.kind.as_str(), disk.kind.as_str()), ("ecs", "evs"));
    assert_eq!(disk.attached_to.as_deref(), Some("ecs-1"));
    assert_eq!(server.expires_at, Some(1_774_022_399));
    assert_eq!(server.on_expiry, Some(plugin_sdk::OnExpiry::Renew));
    assert_eq!(disk.stage, plugin_sdk::Stage::Grace);
    assert_eq!((server.term, server.price), (None, None), "what it does not say is not guessed");
    let [unknown] = &*page.unknown else { panic!("one has no kind") };
    assert_eq!((unknown.id.as_str(), unknown.kind.as_str()), ("waf-1", "hws.resource.type.waf"));
    let end = Huawei::decode_query(context(), list(Some("100")), fixture("resources"));
    assert!(matches!(end, Ok(QueryAnswer::Resources(page)) if page.next.is_none()));
}

#[test]
fn an_empty_page_of_a_longer_list_is_no_end() {
    let empty = response(200, r#"{"total_count": 3, "data": []}"#);
    let failure = Huawei::decode_query(context(), list(None), empty).unwrap_err();
    assert_eq!(failure.reason, QueryFailureReason::Unreadable);
    let none = response(200, r#"{"total_count": 0, "data": []}"#);
    assert!(matches!(Huawei::decode_query(context(), list(None), none), Ok(QueryAnswer::Resources(_))));
}

#[test]
fn money_is_read_digit_by_digit() {
    let quote = || Query::Quote(QuoteQuery { targets: vec![target("ecs-1")], term: month() });
    let Ok(QueryAnswer::Quotes(quotes)) = Huawei::decode_query(context(), quote(), fixture("rates")) else {
        panic!("there are prices");
    };
    assert_eq!((quotes.len(), quotes[0].amount, quotes[0].currency.as_str()), (1, 109_050_000, "CNY"));
    let Ok(QueryAnswer::Balance(balance)) =
        Huawei::decode_query(context(), Query::Balance, fixture("balances"))
    else {
        panic!("there is a balance");
    };
    assert_eq!(balance.available, 150_050_000, "cash and credit, less the debt");
}

#[test]
fn orders_say_where_they_are_and_who_made_them() {
    let Ok(QueryAnswer::Orders(page)) = Huawei::decode_query(context(), orders(&[], None), fixture("orders"))
    else {
        panic!("there are orders");
    };
    let shown = page.orders.iter().map(|order| format!("{:?} {}", order.state, order.automatic));
    expect![[r#"
        CloudOrderState::Completed true
        CloudOrderState::Unpaid false"#]]
    .assert_eq(&shown.collect::<Vec<_>>().join("\n"));
}

/// What a response to a renewal of two resources proves.
fn proven(response: ReceivedResponse) -> String {
    let outcomes =
        Huawei::decode_mutation(context(), mutation(&["ecs-1", "ecs-2"], renewal(month())), response);
    let shown = outcomes.iter().map(|outcome| match outcome {
        Outcome::Applied(receipt) => format!("applied {:?}", receipt.orders),
        Outcome::Submitted(receipt) => format!("submitted {:?}", receipt.orders),
        Outcome::Declined(decline) => {
            format!("{:?} {} unpaid={}", decline.class, decline.refusal.code, decline.has_unpaid_order)
        }
        Outcome::InDoubt(_) => "in doubt".to_owned(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_response_proves_what_its_code_says_whatever_its_status_is() {
    let mut table = String::new();
    let code = |code: &str| format!(r#"{{"error_code": "{code}", "error_msg": "m"}}"#);
    for (status, body) in [
        (200, code("CBC.99003100")),
        (400, code("CBC.99003100")),
        (400, code("CBC.30050006")),
        (400, code("CBC.30010069")),
        (200, code("CBC.3016")),
        (429, code("CBC.0250")),
        (401, code("APIGW.0301")),
        (500, code("CBC.0999")),
        (400, code("CBC.99999999")),
        (400, code("CBC.99003605")),
        (200, r#"{"order_ids": ["CS1"]}"#.to_owned()),
        (200, r#"{"error_code": "CBC.0000", "order_ids": ["CS1"]}"#.to_owned()),
        (200, r#"{"order_ids": []}"#.to_owned()),
        (200, "<html>".to_owned()),
        (302, String::new()),
        (400, String::new()),
        (502, "<html>".to_owned()),
    ] {
        table += &format!("{status} {body}\n    {}\n", proven(response(status, &body)));
    }
    table += &format!("the SDK's\n    {}\n", proven(fixture("renewed")));
    expect![[r#"
        200 {"error_code": "CBC.99003100", "error_msg": "m"}
            DeclineClass::Rule CBC.99003100 unpaid=true, DeclineClass::Rule CBC.99003100 unpaid=true
        400 {"error_code": "CBC.99003100", "error_msg": "m"}
            DeclineClass::Rule CBC.99003100 unpaid=true, DeclineClass::Rule CBC.99003100 unpaid=true
        400 {"error_code": "CBC.30050006", "error_msg": "m"}
            DeclineClass::Money CBC.30050006 unpaid=true, DeclineClass::Money CBC.30050006 unpaid=true
        400 {"error_code": "CBC.30010069", "error_msg": "m"}
            DeclineClass::Rule CBC.30010069 unpaid=false, DeclineClass::Rule CBC.30010069 unpaid=false
        200 {"error_code": "CBC.3016", "error_msg": "m"}
            in doubt, in doubt
        429 {"error_code": "CBC.0250", "error_msg": "m"}
            DeclineClass::Throttled CBC.0250 unpaid=false, DeclineClass::Throttled CBC.0250 unpaid=false
        401 {"error_code": "APIGW.0301", "error_msg": "m"}
            DeclineClass::Provider APIGW.0301 unpaid=false, DeclineClass::Provider APIGW.0301 unpaid=false
        500 {"error_code": "CBC.0999", "error_msg": "m"}
            in doubt, in doubt
        400 {"error_code": "CBC.99999999", "error_msg": "m"}
            in doubt, in doubt
        400 {"error_code": "CBC.99003605", "error_msg": "m"}
            DeclineClass::Rule CBC.99003605 unpaid=false, DeclineClass::Rule CBC.99003605 unpaid=false
        200 {"order_ids": ["CS1"]}
            submitted ["CS1"], submitted ["CS1"]
        200 {"error_code": "CBC.0000", "order_ids": ["CS1"]}
            submitted ["CS1"], submitted ["CS1"]
        200 {"order_ids": []}
            in doubt, in doubt
        200 <html>
            in doubt, in doubt
        302 
            in doubt, in doubt
        400 
            in doubt, in doubt
        502 <html>
            in doubt, in doubt
        the SDK's
            submitted ["CS2603011234ABCDE"], DeclineClass::Rule CBC.99003100 unpaid=true
    "#]]
    .assert_eq(&table);
}

#[test]
fn what_is_so_already_is_applied_where_it_was_asked_for() {
    let off = response(400, r#"{"error_code": "CBC.99003605", "error_msg": "off"}"#);
    let outcome = Huawei::decode_mutation(context(), mutation(&["ecs-1"], Change::CancelAutoRenew), off);
    assert!(matches!(outcome[..], [Outcome::Applied(_)]));
    let gone = response(400, r#"{"error_code": "CBC.30000067", "error_msg": "gone"}"#);
    let all = mutation(&["ecs-1"], Change::Unsubscribe(Scope::Everything));
    assert!(matches!(Huawei::decode_mutation(context(), all, gone)[..], [Outcome::Applied(_)]));
}

#[test]
fn every_code_is_there_once_and_none_proves_a_payment() {
    for (place, (code, meaning)) in MEANINGS.iter().enumerate() {
        assert!(MEANINGS[..place].iter().all(|(before, _)| before != code), "{code}");
        let is_done = *meaning == Meaning::Done;
        assert!(!is_done || ["CBC.99003605", "CBC.30000067"].contains(code), "{code}");
    }
}
