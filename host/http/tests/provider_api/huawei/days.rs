//! Days of tools that speak the present API and the old one: every operation, its answers and its events.

use std::collections::BTreeSet;

use expect_test::expect;
use expect_test::expect_file;
use serde_json::Value;
use serde_json::json;

use crate::huawei::proofs::token;
use crate::huawei::*;
use perennial_store::testing;
use perennial_test_support::provider_server::Server;

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
    expect_file!["tables/present.txt"].assert_eq(&talk);
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
        2026-03-01T00:00:00Z unsubscribed acme ecs-1 {"refund":"196.93","original_order":"purchase/ecs-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/ecs-1","amount":"97.93"},{"order":"ecs-1/2026-03-31T15:59:59Z/1month","amount":"99.00"}]}
        2026-03-01T00:00:00Z stage_changed acme ecs-1 {"from":"active","to":"unsubscribed"}
        2026-03-01T00:00:00Z unsubscribed acme evs-1 {"refund":"24.86","original_order":"purchase/evs-1","scope":"all","expires_at":null,"refunds":[{"order":"purchase/evs-1","amount":"12.36"},{"order":"ecs-1/2026-03-31T15:59:59Z/1month","amount":"12.50"}]}
        2026-03-01T00:00:00Z stage_changed acme evs-1 {"from":"active","to":"unsubscribed"}
        2026-03-01T00:00:00Z balance_changed acme ecs-1 {"amount":"221.79","balance":"10110.29","reason":"refund"}
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
    expect![[r#"
        6 records
        "purchase/ecs-1" -97.93 "cn-north-4"
        "purchase/ecs-1" 1.07 "cn-north-4"
        "purchase/evs-1" -12.36 "cn-north-4"
        "purchase/evs-1" 0.14 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month" -99 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month" -12.5 "cn-north-4"
        3 records
        "purchase/rds-1" -197.84 "cn-north-4"
        "purchase/rds-1" 2.16 "cn-north-4"
        "rds-1/2026-03-31T15:59:59Z/1month" -200 "cn-north-4"
    "#]]
    .assert_eq(&records(&tool, names));
}

#[test]
fn two_unsubscriptions_of_a_second_are_two_refunds() {
    let server = Server::start("huawei", NOW, &furnished());
    let tool = Tool::new(&server, "acme");
    let mut names = Vec::new();
    for (resource, scope) in [("rds-1", 2), ("rds-1", 2), ("rds-1", 1), ("ecs-1", 2), ("ecs-1", 1)] {
        tool.ask("POST", RENEW, &renewal(&[resource]));
        let ended =
            tool.ask("POST", UNSUBSCRIBE, &ids(&[resource], &format!(r#","unsubscribe_type":{scope}"#)));
        names.extend(ended.json()["order_ids"].as_array().unwrap().clone());
    }
    server.advance(server.now() + 86_400);
    expect![[r#"
        1 records
        "rds-1/2026-03-31T15:59:59Z/1month" -200 "cn-north-4"
        1 records
        "rds-1/2026-03-31T15:59:59Z/1month~2" -200 "cn-north-4"
        3 records
        "purchase/rds-1" -197.84 "cn-north-4"
        "purchase/rds-1" 2.16 "cn-north-4"
        "rds-1/2026-03-31T15:59:59Z/1month~3" -200 "cn-north-4"
        2 records
        "ecs-1/2026-03-31T15:59:59Z/1month" -99 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month" -12.5 "cn-north-4"
        6 records
        "purchase/ecs-1" -97.93 "cn-north-4"
        "purchase/ecs-1" 1.07 "cn-north-4"
        "purchase/evs-1" -12.36 "cn-north-4"
        "purchase/evs-1" 0.14 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month~2" -99 "cn-north-4"
        "ecs-1/2026-03-31T15:59:59Z/1month~2" -12.5 "cn-north-4"
    "#]]
    .assert_eq(&records(&tool, &names));
}

/// The records of the refunds with these names, a line each.
fn records(tool: &Tool<'_>, names: &[Value]) -> String {
    let found = names.iter().map(|name| {
        let name = name.as_str().unwrap();
        assert!(name.len() <= 64);
        let refund = tool.ask("GET", &format!("{REFUND}{name}"), "").json();
        let line =
            |info: &Value| format!("{} {} {}\n", info["base_order_id"], info["amount"], info["region_code"]);
        let lines = refund["refund_infos"].as_array().unwrap().iter().map(line).collect::<String>();
        format!("{} records\n{lines}", refund["total_count"])
    });
    found.collect()
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
    expect_file!["tables/old.txt"].assert_eq(&talk);
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

const ORDERS: &str = "/v2/orders/customer-orders";
const PAY: &str = "/v3/orders/customer-orders/pay";
const CANCEL: &str = "/v2/orders/customer-orders/cancel";

/// The ids of the orders of the list.
fn listed(tool: &Tool, query: &str) -> Vec<String> {
    let list = tool.ask("GET", &format!("{ORDERS}?{query}"), "").json();
    let orders = list["order_infos"].as_array().unwrap_or_else(|| panic!("{query}: {list}")).iter();
    orders.map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_renewal_that_is_not_paid_at_once_waits_until_somebody_pays_it() {
    let inventory = inventory(json!({}), vec![resource("ecs-1", "ecs")]);
    let server = Server::start("huawei", NOW, &inventory);
    let tool = Tool::new(&server, "acme");
    // The API's own default.
    let body = ids(&["ecs-1"], r#","period_type":2,"period_num":1"#);
    let balance = tool.ask("GET", BALANCE, "").json();
    let renewed = tool.ask("POST", RENEW, &body);
    assert_eq!(renewed.status, 200);
    let order = renewed.json()["order_ids"][0].as_str().unwrap().to_owned();
    let again = tool.ask("POST", RENEW, &renewal(&["ecs-1"]));
    assert_eq!((again.status, &again.json()["error_code"]), (400, &json!("CBC.99003100")));
    let switched = tool.ask("POST", "/v2/orders/subscriptions/resources/autorenew/ecs-1", "{}");
    assert_eq!(switched.json()["error_code"], json!("CBC.99003100"));
    assert_eq!(listed(&tool, "status=6"), [order.as_str()]);
    assert_eq!(tool.ask("GET", BALANCE, "").json(), balance, "nothing is paid unasked");
    let named = json!({ "order_id": order }).to_string();
    assert_eq!(tool.ask("POST", PAY, &named).status, 204);
    let twice = tool.ask("POST", PAY, &named);
    assert_eq!((twice.status, &twice.json()["error_code"]), (400, &json!("CBC.99003106")));
    let details = tool.ask("GET", &format!("{ORDERS}/details/{}", order.replace('/', "%2F")), "").json();
    assert_eq!(details["order_info"]["status"], json!(5), "{details}");
    let found = tool.ask("POST", QUERY, "{}").json();
    assert_eq!(details["order_line_items"][0]["expire_time"], found["data"][0]["expire_time"]);
    assert_eq!(listed(&tool, "status=5&order_type=2"), [order]);
    assert_eq!(listed(&tool, "status=6"), [""; 0]);
}

#[test]
fn an_order_that_waits_is_cancelled_and_the_resource_is_renewable_again() {
    let inventory = inventory(json!({}), vec![resource("ecs-1", "ecs")]);
    let server = Server::start("huawei", NOW, &inventory);
    let tool = Tool::new(&server, "acme");
    let body = ids(&["ecs-1"], r#","period_type":2,"period_num":1,"is_auto_pay":0"#);
    let order = tool.ask("POST", RENEW, &body).json()["order_ids"][0].clone();
    let named = json!({ "order_id": order }).to_string();
    assert_eq!(tool.ask("PUT", CANCEL, &named).status, 204);
    let twice = tool.ask("PUT", CANCEL, &named);
    assert_eq!((twice.status, &twice.json()["error_code"]), (400, &json!("CBC.99005010")));
    let unknown = tool.ask("POST", PAY, r#"{"order_id":"none"}"#);
    assert_eq!((unknown.status, &unknown.json()["error_code"]), (400, &json!("CBC.30000010")));
    assert_eq!(tool.ask("POST", RENEW, &renewal(&["ecs-1"])).status, 200);
}

#[test]
fn orders_are_listed_whole_page_by_page_and_counted_beyond_the_page() {
    let mut resources = (0..12).map(|number| resource(&format!("rds-{number}"), "rds")).collect::<Vec<_>>();
    resources.push(resource("ecs-1", "ecs"));
    resources.push(with(resource("evs-1", "evs"), json!({ "attached_to": "ecs-1" })));
    let server = Server::start("huawei", NOW, &inventory(json!({}), resources));
    let tool = Tool::new(&server, "acme");
    let renewed = tool.ask("POST", RENEW, &renewal(&["ecs-1"])).json()["order_ids"][0].clone();
    let later = ids(&["rds-3"], r#","period_type":2,"period_num":1,"is_auto_pay":0"#);
    let waiting = tool.ask("POST", RENEW, &later).json()["order_ids"][0].clone();
    // Fourteen purchases, a renewal of two resources, and an order that waits.
    let (mut found, mut offset) = (Vec::new(), 0);
    loop {
        let list = tool.ask("GET", &format!("{ORDERS}?limit=5&offset={offset}"), "").json();
        assert_eq!(list["total_count"], json!(16), "{list}");
        let page = list["order_infos"].as_array().unwrap().clone();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 5);
        offset += page.len();
        found.extend(page);
    }
    let names = found.iter().map(|order| order["order_id"].clone()).collect::<Vec<_>>();
    assert_eq!((names.len(), &names[0], &names[1]), (16, &waiting, &renewed), "the newest come first");
    assert_eq!(names.iter().map(Value::to_string).collect::<BTreeSet<_>>().len(), 16, "each once");
    assert_eq!(found[1]["amount_after_discount"], json!(198), "with all of its lines: {}", found[1]);
    let (waiting, renewed) = ([waiting.as_str().unwrap()], [renewed.as_str().unwrap()]);
    assert_eq!(listed(&tool, "service_type_code=hws.service.type.ebs&order_type=2"), renewed);
    assert_eq!(listed(&tool, "status=6"), waiting);
    assert_eq!(listed(&tool, "payment_time_begin=2026-03-01T00%3A00%3A00Z"), renewed);
    assert_eq!(listed(&tool, "status=5&limit=100").len(), 15);
    for never in ["status=3", "order_type=11", "service_type_code=hws.service.type.none"] {
        assert_eq!(listed(&tool, never), [""; 0], "{never}");
    }
}

#[test]
fn what_somebody_has_to_approve_is_an_order_that_waits() {
    let mut inventory = furnished();
    inventory["accounts"][0]["approval_above"] = json!("150.00");
    let server = Server::start("huawei", NOW, &inventory);
    let tool = Tool::new(&server, "acme");
    let renewed = tool.ask("POST", RENEW, &renewal(&["ecs-1", "rds-1"]));
    let orders = renewed.json()["order_ids"].clone();
    assert_eq!((renewed.status, &orders[0]), (200, &json!("ecs-1/2026-03-31T15:59:59Z/1month")));
    assert!(orders[1].as_str().is_some_and(|id| (1..=64).contains(&id.len())), "{orders}");
    let found = tool.ask("POST", QUERY, r#"{"only_main_resource":1}"#).json();
    let expiries = found["data"].as_array().unwrap().iter();
    let expiries =
        expiries.map(|one| format!("{} {}\n", one["resource_id"], one["expire_time"])).collect::<String>();
    expect![[r#"
        "ecs-1" "2026-04-30T15:59:59Z"
        "rds-1" "2026-03-31T15:59:59Z"
    "#]]
    .assert_eq(&expiries);
    assert_eq!(tool.ask("GET", BALANCE, "").json()["account_balances"][0]["amount"], json!(9888.5));
}

#[test]
fn a_renewal_that_the_clock_owed_is_not_the_next_clients_order() {
    let expiring = with(
        resource("ecs-1", "ecs"),
        json!({ "expires_at": "2026-03-05T15:59:59Z", "anchor_day": 5, "on_expiry": "renew" }),
    );
    let server = Server::start("huawei", NOW, &inventory(json!({}), vec![expiring]));
    // The clock has not come to the try of 03:00 yet.
    let (owed, cursor) = (server.now() - 5 * 3600, server.now() - 6 * 3600);
    server.on_writer(move |desk| {
        testing::set_schedule(desk.engine.db(), cursor, owed);
    });
    let tool = Tool::new(&server, "acme");
    let renewed = tool.ask("POST", RENEW, &renewal(&["ecs-1"]));
    assert_eq!(renewed.json()["order_ids"], json!(["ecs-1/2026-04-05T15:59:59Z/1month"]), "{}", renewed.body);
    let settled = server.events().into_iter().filter(|event| event.contains(" renewal_settled "));
    let causes = settled.map(|event| (event.contains("\"auto\""), event.contains("\"command\"")));
    assert_eq!(causes.collect::<Vec<_>>(), [(true, false), (false, true)]);
}
