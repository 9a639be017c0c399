//! The operations on resources, with good and bad requests: one table each, with every step.

use expect_test::ExpectFile;
use expect_test::expect_file;
use plugin_huawei::provider_api::unsubscribe::name;
use plugin_sdk::Micros;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::*;

use crate::world::Host;
use crate::world::NOW;
use crate::world::at;
use crate::world::furnished;
use crate::world::order;
use crate::world::refused;
use crate::world::request;
use crate::world::subject;

/// Sends each request and prints its steps and its response.
pub fn check(host: &Host, requests: &[(&str, &str, &str)], expected: ExpectFile) {
    let conversation = |&(method, target, body): &(&str, &str, &str)| {
        let answer = host.talk(&request(method, target, body));
        format!("{method} {target} {body}\n{answer}\n")
    };
    expected.assert_eq(&requests.iter().map(conversation).collect::<String>());
}

/// As [`check`], with the ids of the resources found instead of all their fields.
fn check_found(requests: &[(&str, &str, &str)], expected: ExpectFile) {
    let conversation = |&(method, target, body): &(&str, &str, &str)| {
        let talk = furnished().talk(&request(method, target, body));
        let (asked, answer) = talk.trim_end().rsplit_once('\n').unwrap_or(("", &talk));
        format!("{method} {target} {body}\n{asked}\n{}\n\n", found(answer)).replace("\n\n4", "\n4")
    };
    expected.assert_eq(&requests.iter().map(conversation).collect::<String>());
}

fn found(answer: &str) -> String {
    let Some(body) = answer.strip_prefix("200 ") else { return answer.trim_end().to_owned() };
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let ids = body["data"].as_array().unwrap().iter().map(|one| one["resource_id"].as_str().unwrap());
    format!("200 {} of {}", ids.collect::<Vec<_>>().join(" "), body["total_count"])
}

#[test]
fn a_resource_is_shown_with_every_field() {
    let old = "/v1.0/acme/common/order-mgr/resources/detail?resource_ids=ecs-1";
    let asked = [("POST", "/v2/orders/suscriptions/resources/query", ""), ("GET", old, "")];
    check(&furnished(), &asked, expect_file!["tables/resources.txt"]);
}

/// Requests with the same method and path, and each of these bodies.
pub fn bodies<'a>(method: &'a str, target: &'a str, bodies: &[&'a str]) -> Vec<(&'a str, &'a str, &'a str)> {
    bodies.iter().map(|&body| (method, target, body)).collect()
}

#[test]
fn resources_are_found_by_every_filter() {
    let asked = bodies(
        "POST",
        "/v2/orders/suscriptions/resources/query",
        &[
            "",
            "null",
            r#"{"limit":2,"offset":1}"#,
            r#"{"resource_ids":["ecs-1"]}"#,
            r#"{"resource_ids":["ecs-1"],"only_main_resource":1}"#,
            r#"{"resource_ids":["bandwidth-1"],"only_main_resource":1}"#,
            r#"{"resource_ids":[],"only_main_resource":1,"status_list":[2,4]}"#,
            r#"{"status_list":[3]}"#,
            r#"{"status_list":[5,4,5]}"#,
            r#"{"order_id":"o-1"}"#,
            r#"{"order_id":"o-1","resource_ids":["evs-1","eip-1"]}"#,
            r#"{"order_id":"o-2"}"#,
            r#"{"order_id":""}"#,
            r#"{"expire_time_begin":"2026-03-01T00:00:00Z","expire_time_end":"2026-03-31T15:59:59Z","limit":1}"#,
            r#"{"expire_time_begin":"","expire_time_end":null,"service_type_code":"hws.service.type.vpc"}"#,
            r#"{"service_type_code":"hws.service.type.obs"}"#,
            r#"{"customer_id":"acme","limit":1,"unknown":[{}]}"#,
            r#"{"customer_id":"other"}"#,
            r#"{"service_type_code":""}"#,
            r#"{"limit":0}"#,
            r#"{"limit":501}"#,
            r#"{"limit":"10"}"#,
            r#"{"limit":1.5}"#,
            r#"{"offset":-1}"#,
            r#"{"only_main_resource":2}"#,
            r#"{"status_list":[1]}"#,
            r#"{"expire_time_begin":"2026-03-01"}"#,
            r#"{"resource_ids":[""]}"#,
            r#"{"resource_ids":"ecs-1"}"#,
            r#"{"resource_ids":[1]}"#,
            "[]",
            "{",
            r#"{"limit":1}{"#,
        ],
    );
    check_found(&asked, expect_file!["tables/query.txt"]);
}

#[test]
fn resources_are_found_on_the_old_api() {
    let target = |query: &str| format!("/v1.0/acme/common/order-mgr/resources/detail{query}");
    let targets = [
        target(""),
        target("?resource_ids=ecs-1,rds-1&only_main_resource=1"),
        target("?resource_ids=ecs-1&only_main_resource=0&status_list=2%2C5&page_no=2&page_size=2"),
        target("?resource_ids=&order_id=o-1&status_list="),
        target("?customer_id=acme&page_size=1"),
        target("?customer_id=other"),
        target("?page_no=0"),
        target("?page_size=501"),
        target("?page_size=ten"),
        target("?page_size=1&page%5Fsize=2"),
        target("?status_list=a"),
        target("?resource_ids=,"),
        "/v1.0/other/common/order-mgr/resources/detail".to_owned(),
    ];
    let asked = targets.iter().map(|target| ("GET", target.as_str(), "")).collect::<Vec<_>>();
    check_found(&asked, expect_file!["tables/old_query.txt"]);
}

#[test]
fn renewals_are_all_or_none() {
    let mut host = furnished();
    host.fates.insert("evs-1", refused("CBC.30010036"));
    host.fates.insert("rds-1", Outcome::Pending("ap-1".to_owned()));
    host.resources.push(ResourceView { stage: Stage::Unsubscribed, ..subject("ecs-9", "ecs") });
    for gone in ["ecs-0", "ecs-9", "nobody"] {
        host.fates.insert(gone, refused("CBC.99003016"));
    }
    let mut asked = bodies(
        "POST",
        "/v2/orders/subscriptions/resources/renew",
        &[
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1","rds-1"],"period_type":3,"period_num":3,"is_auto_pay":1,"expire_policy":3}"#,
            r#"{"resource_ids":["ecs-1","evs-1"],"period_type":2,"period_num":11,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-0"],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":0}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":2}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":12,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":3,"period_num":4,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":1,"period_num":1,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"is_auto_pay":1}"#,
            r#"{"resource_ids":["ecs-1","ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
            r#"{"resource_ids":[],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
            r#"{"resource_ids":["1","2","3","4","5","6","7","8","9","10","11"],"period_type":2,"period_num":1,"is_auto_pay":1}"#,
            "",
        ],
    );
    asked.extend(bodies(
        "POST",
        "/v1.0/acme/common/order-mgr/resources/renew",
        &[
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#,
            r#"{"resource_ids":["ecs-0"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#,
            r#"{"resource_ids":["ecs-9"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#,
            r#"{"resource_ids":["nobody"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#,
            r#"{"resource_ids":["evs-1"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"expire_mode":1,"is_auto_pay":1}"#,
        ],
    ));
    check(&host, &asked, expect_file!["tables/renew.txt"]);
}

#[test]
fn the_records_of_a_refund_say_consumption_and_fee_apart() {
    let refunded_at = at("2026-03-16T04:00:00Z");
    let target =
        format!("/v2/orders/customer-orders/refund-orders?order_id={}", name(refunded_at, 1, "ecs-1"));
    let amounts = |fee: Option<Micros>, amount: Micros| {
        let refund = Some(OrderRefund { at: refunded_at, number: 1, amount, fee });
        let mut host =
            Host { orders: vec![OrderView { refund, ..order("o-1", "ecs-1", "ecs") }], ..furnished() };
        // What the settings say today is not what was kept then.
        host.settings = vec![("handling_fee_percent".to_owned(), "50".to_owned())];
        let answer = host.answer(&request("GET", &target, ""), |_| {});
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let records = answer["refund_infos"].as_array().unwrap();
        let amounts = records.iter().map(|record| record["amount"].to_string()).collect::<Vec<_>>();
        amounts.join(" ")
    };
    assert_eq!(amounts(Some(9_900_000), 39_600_000), "-39.6 49.5 9.9");
    assert_eq!(amounts(Some(0), 49_500_000), "-49.5 49.5");
    assert_eq!(amounts(None, 49_500_000), "-49.5 49.5", "refunded before fees were written down");
    assert_eq!(amounts(Some(0), 99_000_000), "-99");
}

#[test]
fn the_old_api_names_its_character_set_and_limits_its_account() {
    let long = format!("/v1.0/{}/common/order-mgr/resources/detail", "a".repeat(65));
    let mut table = String::new();
    for (method, target) in [
        ("GET", "/v1.0/acme/common/order-mgr/resources/detail?resource_ids=nobody"),
        ("GET", "/v1.0/other/common/order-mgr/resources/detail"),
        ("GET", &long),
        ("GET", "/v2/accounts/customer-accounts/balances"),
    ] {
        let answer = furnished().answer(&request(method, target, ""), |_| {});
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let content_type = &answer.headers.iter().find(|(name, _)| name == "content-type").unwrap().1;
        table += &format!("{} {content_type} {}\n", answer.status, body["error_code"]);
    }
    expect_test::expect![[r#"
        200 application/json;charset=UTF-8 "CBC.0000"
        403 application/json;charset=UTF-8 "CBC.0151"
        400 application/json;charset=UTF-8 "CBC.0100"
        200 application/json null
    "#]]
    .assert_eq(&table);
}

#[test]
fn unsubscriptions_have_a_name_that_their_refund_is_found_by() {
    let mut host = furnished();
    host.orders = ["ecs-1", "evs-1", "rds-1"]
        .map(|resource| OrderView {
            refund: Some(OrderRefund { at: NOW - 7, number: 1, amount: 33_330_000, fee: Some(0) }),
            ..order(&format!("order-of-{resource}"), resource, &resource[..3])
        })
        .to_vec();
    host.fates.insert("ecs-0", refused("CBC.30000067"));
    host.fates.insert("ecs-2", Outcome::Pending("ap-1".to_owned()));
    let mut asked = bodies(
        "POST",
        "/v2/orders/subscriptions/resources/unsubscribe",
        &[
            r#"{"resource_ids":["ecs-1"],"unsubscribe_type":1,"unsubscribe_reason_type":5,"unsubscribe_reason":"done"}"#,
            r#"{"resource_ids":["bandwidth-1","ecs-1","evs-1","rds-1"],"unsubscribe_type":1}"#,
            r#"{"resource_ids":["evs-0"],"unsubscribe_type":2}"#,
            r#"{"resource_ids":["ecs-0","evs-0"],"unsubscribe_type":1}"#,
            r#"{"resource_ids":["ecs-2"],"unsubscribe_type":1}"#,
            r#"{"resource_ids":["ecs-1"]}"#,
            r#"{"resource_ids":["ecs-1"],"unsubscribe_type":3}"#,
            r#"{"resource_ids":["ecs-1"],"unsubscribe_type":1,"unsubscribe_reason_type":6}"#,
        ],
    );
    asked.extend(bodies(
        "POST",
        "/v1.0/acme/common/order-mgr/resources/delete",
        &[
            r#"{"resourceIds":["ecs-1"],"unSubType":1,"unsubscribeReasonType":1,"unsubscribeReason":"old"}"#,
            r#"{"resourceIds":["ecs-0"],"unSubType":1}"#,
        ],
    ));
    let of = |resource| {
        format!("/v2/orders/customer-orders/refund-orders?order_id={}", name(NOW - 7, 1, resource))
    };
    let refunds = [
        of("ecs-1"),
        of("rds-1"),
        of("ecs-2"),
        "/v2/orders/customer-orders/refund-orders?order_id=CS1904190917GIBHC".to_owned(),
        "/v2/orders/customer-orders/refund-orders?order_id=".to_owned(),
        "/v2/orders/customer-orders/refund-orders".to_owned(),
        of("ecs-1") + "&customer_id=other",
        of("ecs-1") + "&indirect_partner_id=other",
    ];
    asked.extend(refunds.iter().map(|target| ("GET", target.as_str(), "")));
    check(&host, &asked, expect_file!["tables/unsubscribe.txt"]);
}

#[test]
fn the_name_of_a_refund_is_short_and_safe_for_every_resource() {
    for resource in ["ecs-1", "", "a b/c%", &"x".repeat(64), "\u{4f60}"] {
        for (at, number) in [(0, 1), (NOW, 2), (99_999_999_999, 1), (999_999_999_999, u32::MAX), (-1, 0)] {
            let name = name(at, number, resource);
            assert!(name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
            let (named_at, digest) = plugin_huawei::provider_api::unsubscribe::named(&name).unwrap();
            assert_eq!(named_at, at.clamp(0, 99_999_999_999));
            assert_eq!(digest, plugin_huawei::provider_api::unsubscribe::digest(resource, number));
        }
    }
}

#[test]
fn automatic_renewal_is_switched_on_and_off() {
    let mut host = furnished();
    host.fates.insert("rds-1", refused("CBC.99003602"));
    host.fates.insert("nobody", refused("CBC.99003012"));
    let on = |id: &str| format!("/v2/orders/subscriptions/resources/autorenew/{id}");
    let old = |id: &str, query: &str| format!("/v1.0/acme/common/order-mgr/resources/{id}/actions{query}");
    let (ecs, rds, nobody, long) = (on("ecs-1"), on("rds-1"), on("nobody"), on(&"x".repeat(65)));
    let (encoded, foreign) = (on("a%2Fb%20c"), on("%E4%BD%A0"));
    let action = "?action_id=autorenew";
    let (old_ecs, old_rds, old_nobody) = (old("ecs-1", action), old("rds-1", action), old("nobody", action));
    let (none, other) = (old("ecs-1", ""), old("ecs-1", "?action_id=renew"));
    let asked = [
        ("POST", ecs.as_str(), ""),
        ("POST", &ecs, r#"{"auto_renew_times":0,"period_type":"MONTH"}"#),
        ("POST", &ecs, r#"{"auto_renew_times":99,"period_type":"YEAR"}"#),
        ("POST", &ecs, r#"{"auto_renew_times":null,"period_type":null}"#),
        ("POST", &ecs, r#"{"auto_renew_times":100}"#),
        ("POST", &ecs, r#"{"period_type":"month"}"#),
        ("POST", &ecs, r#"{"period_type":2}"#),
        ("POST", &encoded, ""),
        ("POST", &rds, ""),
        ("POST", &nobody, ""),
        ("POST", &long, ""),
        ("POST", &foreign, ""),
        ("DELETE", &ecs, ""),
        ("DELETE", &rds, ""),
        ("POST", &old_ecs, ""),
        ("POST", &old_rds, ""),
        ("POST", &old_nobody, ""),
        ("DELETE", &old_ecs, ""),
        ("POST", &none, ""),
        ("POST", &other, ""),
    ];
    check(&host, &asked, expect_file!["tables/auto_renewal.txt"]);
}

#[test]
fn conversions_are_each_for_itself() {
    let mut host = furnished();
    host.fates.insert("evs-1", refused("CBC.30010036"));
    host.fates.insert("evs-0", refused("CBC.99003610"));
    let asked = bodies(
        "POST",
        "/v2/orders/subscriptions/resources/to-on-demand",
        &[
            r#"{"operation":"SET_UP","resource_ids":["ecs-1","rds-1"]}"#,
            r#"{"operation":"CANCEL","resource_ids":["ecs-1","evs-1"]}"#,
            r#"{"operation":"SET_UP","resource_ids":["evs-1","evs-0"]}"#,
            r#"{"operation":"SET_UP","resource_ids":["evs-0"]}"#,
            r#"{"operation":"set_up","resource_ids":["ecs-1"]}"#,
            r#"{"operation":"SET_UP"}"#,
            r#"{"operation":"SET_UP","resource_ids":[]}"#,
        ],
    );
    check(&host, &asked, expect_file!["tables/conversion.txt"]);
}

#[test]
fn a_hundred_resources_can_be_converted_and_no_more() {
    let status = |count: usize| {
        let ids = (0..count).map(|number| format!("\"r-{number}\"")).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"operation":"SET_UP","resource_ids":[{ids}]}}"#);
        let request = request("POST", "/v2/orders/subscriptions/resources/to-on-demand", &body);
        furnished().answer(&request, |_| {}).status
    };
    assert_eq!((status(100), status(101)), (200, 400));
}

#[test]
fn main_resources_are_looked_up_to_the_top() {
    // Five storeys: more than any kind allows, and no way out if they were a circle.
    let mut host = Host { resources: vec![subject("r0", "ecs")], ..Host::default() };
    for storey in 1..6 {
        host.resources.push(crate::world::attached(
            &format!("r{storey}"),
            "eip",
            &format!("r{}", storey - 1),
        ));
    }
    host.resources[0].attached_to = Some("r5".to_owned());
    let body = r#"{"resource_ids":["r5"],"only_main_resource":1}"#;
    let request = request("POST", "/v2/orders/suscriptions/resources/query", body);
    assert_eq!(host.answer(&request, |_| {}).status, 200);
}
