//! Codes and their statuses: every refusal of the rules has the status of its document.

use expect_test::expect_file;
use plugin_huawei::provider_api::price::CODES;
use plugin_huawei::provider_api::problem::Dialect;
use plugin_huawei::provider_api::problem::STATUSES;
use plugin_huawei::provider_api::problem::known;
use plugin_huawei::provider_api::problem::status;
use plugin_huawei::provider_api::types::TYPES;
use plugin_huawei::refusals::ALL;
use plugin_huawei::refusals::Code;
use plugin_sdk::profile::Guest;

use crate::world::furnished;
use crate::world::refused;
use crate::world::request;

#[test]
fn every_code_of_the_rules_has_its_statuses() {
    for code in ALL {
        assert!(STATUSES.iter().any(|row| row.0 == code.code), "{} has no status", code.code);
    }
    for (_, code) in CODES {
        assert!(STATUSES.iter().any(|row| row.0 == code), "{code} has no status");
    }
    let mut codes = STATUSES.map(|(code, _, _)| code);
    codes.sort_unstable();
    assert!(codes.is_sorted_by(|code, next| code < next), "a code is there twice");
    assert_eq!(status(known("no_such_resource"), Dialect::Present), 400, "the host's own");
}

/// The response of each operation to each code of the rules, on both APIs.
#[test]
fn every_refusal_goes_out_as_its_document_says() {
    let calls = [
        ("renew", "POST", "/v2/orders/subscriptions/resources/renew", RENEW),
        ("unsubscribe", "POST", "/v2/orders/subscriptions/resources/unsubscribe", UNSUBSCRIBE),
        ("auto-renew on", "POST", "/v2/orders/subscriptions/resources/autorenew/ecs-1", ""),
        ("auto-renew off", "DELETE", "/v2/orders/subscriptions/resources/autorenew/ecs-1", ""),
        ("convert", "POST", "/v2/orders/subscriptions/resources/to-on-demand", CONVERT),
        ("old renew", "POST", "/v1.0/acme/common/order-mgr/resources/renew", OLD_RENEW),
        ("old unsubscribe", "POST", "/v1.0/acme/common/order-mgr/resources/delete", OLD_UNSUBSCRIBE),
        ("old auto-renew on", "POST", OLD_ACTIONS, ""),
        ("old auto-renew off", "DELETE", OLD_ACTIONS, ""),
    ];
    let mut table = String::new();
    for Code { code, .. } in ALL {
        for (name, method, target, body) in calls {
            let mut host = furnished();
            host.fates.insert("ecs-1", refused(code));
            let response = host.answer(&request(method, target, body), |_| {});
            let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            let answered = body["error_code"].as_str().unwrap();
            let other = if answered == *code { String::new() } else { format!(" as {answered}") };
            table += &format!("{code:<14} {name:<19} {}{other}\n", response.status);
        }
    }
    expect_file!["tables/refusals.txt"].assert_eq(&table);
}

const RENEW: &str = r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"is_auto_pay":1}"#;
const OLD_RENEW: &str =
    r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"expire_mode":1,"isAutoPay":1}"#;
const UNSUBSCRIBE: &str = r#"{"resource_ids":["ecs-1"],"unsubscribe_type":1}"#;
const OLD_UNSUBSCRIBE: &str = r#"{"resourceIds":["ecs-1"],"unSubType":1}"#;
const CONVERT: &str = r#"{"resource_ids":["ecs-1"],"operation":"SET_UP"}"#;
const OLD_ACTIONS: &str = "/v1.0/acme/common/order-mgr/resources/ecs-1/actions?action_id=autorenew";

#[test]
fn every_kind_has_a_cloud_service_and_a_type() {
    let kinds = plugin_huawei::Huawei::describe().kinds.into_iter().map(|kind| kind.name).collect::<Vec<_>>();
    assert_eq!(TYPES.map(|of| of.kind).to_vec(), kinds);
    let mut resources = TYPES.map(|of| of.resource);
    resources.sort_unstable();
    assert!(resources.is_sorted_by(|code, next| code < next), "two kinds have one type");
}
