//! The examples of the documents, as printed there except for the host, ids and the token.

use expect_test::expect;
use plugin_sdk::provider_api::*;

use crate::world::Host;
use crate::world::furnished;
use crate::world::request;

/// A request as a document prints it: first line, headers, an empty line, body.
fn printed(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines().map(str::trim);
    let first = lines.next().unwrap().split(' ').collect::<Vec<_>>();
    let [method, url, "HTTP/1.1"] = first[..] else { panic!("{first:?}") };
    let host_and_target = url.strip_prefix("https://").unwrap();
    let (host, target) = host_and_target.split_at(host_and_target.find('/').unwrap());
    let mut headers = vec![("host".to_owned(), host.to_owned())];
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    headers.extend(lines.map(|line| header(line).unwrap()));
    Request { headers, ..request(method, target, body) }
}

fn check(host: &Host, text: &str, expected: expect_test::Expect) {
    expected.assert_eq(&host.talk(&printed(text)));
}

/// Enabling Automatic Subscription Renewal for Yearly/Monthly Resources, the (Old) API.
#[test]
fn enabling_automatic_renewal_on_the_old_api() {
    check(
        &furnished(),
        "POST https://bss-intl.example/v1.0/acme/common/order-mgr/resources/ecs-1/actions?action_id=autorenew HTTP/1.1
         Content-Type: application/json
         X-Auth-Token: MIIPAgYJKoZIhvcNAQcCo...ggg1BBIINPXsidG9rZ",
        expect![[r#"
            → ecs-1: set auto-renew for its own term, times None; all or nothing, replay rejected
            200 {"error_code":"CBC.0000","error_msg":"Success"}
        "#]],
    );
}

/// Disabling Automatic Subscription Renewal (api_order_00003).
#[test]
fn disabling_automatic_renewal_on_the_old_api() {
    check(
        &furnished(),
        "DELETE https://bss-intl.example/v1.0/acme/common/order-mgr/resources/ecs-1/actions?action_id=autorenew HTTP/1.1
         Content-Type: application/json
         X-Auth-Token: MIIPAgYJKoZIhvcNAQcCo...ggg1BBIINPXsidG9rZ",
        expect![[r#"
            → ecs-1: cancel auto-renew; all or nothing, replay rejected
            200 {"error_code":"CBC.0000","error_msg":"Success"}
        "#]],
    );
}

/// Setting a Deduction Date for Auto-Renewal of Yearly/Monthly Resources (api_order_00031).
#[test]
fn setting_the_day_of_deduction() {
    check(
        &furnished(),
        "POST https://bss-intl.example/v2/orders/subscriptions/resources/renew/config HTTP/1.1
         Content-Type: application/json
         X-Auth-Token: MIIPAgYJKoZIhvcNAQcCo...ggg1BBIINPXsidG9rZ\n
         { \"config_name\": \"DEDUCTION_DATE\", \"config_value\": \"7\" }",
        expect![[r#"
            → change settings [("deduction_days", Some("7"))]; all or nothing, replay rejected
            200 {"error_code":"CBC.0000","error_msg":"Success"}
        "#]],
    );
}

/// Querying the Amount of Unsubscription Orders (api_order_00020), for an order of this host.
#[test]
fn the_example_order_of_a_refund_is_of_another_cloud() {
    check(
        &furnished(),
        "GET https://bss-intl.example/v2/orders/customer-orders/refund-orders?order_id=CS1904190917GIBHC HTTP/1.1
         Content-Type: application/json
         X-Auth-Token: MIIPAgYJKoZIhvcNAQcCo...ggg1BBIINPXsidG9rZ",
        expect![[r#"
            → look up orders ["CS1904190917GIBHC"] of [] +1000
            400 {"error_code":"CBC.99005026","error_msg":"The order is neither one of an unsubscription nor one of a downgrade."}
        "#]],
    );
}
