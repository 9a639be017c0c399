//! Baidu AI Cloud: every operation of its API that is a command, with refusals and a plan that waits for approval.

use serde_json::json;

use crate::Operation;
use crate::Provider;
use perennial_test_support::bce::draft;
use perennial_test_support::provider_server::Server;

pub fn provider() -> Provider {
    let resource = |id: &str, kind: &str, price: &str, to: Option<&str>| {
        json!({
            "id": id, "account": "acme", "kind": kind, "region": "bj", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-10T02:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": price, "attached_to": to,
        })
    };
    let inventory = json!({
        "accounts": [{
            "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "1000.00", "approval_above": "1500.00",
        }],
        "resources": [
            resource("i-1", "bcc", "100.00", None), resource("v-1", "cds", "10.00", Some("i-1")),
            resource("ip-1", "eip", "20.00", Some("i-1")), resource("i-2", "bcc", "2000.00", None),
            resource("v-2", "cds", "100.00", None), resource("v-3", "cds", "10.00", None),
        ],
    });
    Provider { name: "baidu", inventory, operations: operations(), speak }
}

fn operations() -> Vec<Operation> {
    let renew = |resource, path, count: u32, options: serde_json::Value| {
        let reservation = json!({ "reservationLength": count, "reservationTimeUnit": "Month" });
        let body = json!({ "term": { "count": count, "unit": "month" }, "options": options });
        let request = ("PUT", path, json!({ "billing": { "reservation": reservation } }).to_string());
        Operation { resource, request, admin: "renew", command: json!({ "renew": body }), body }
    };
    let rule = |resource, method, path, told: serde_json::Value, unit: &str| {
        let body = json!({ "term": { "count": 1, "unit": unit }, "renewals": null });
        let command = json!({ "set_auto_renew": body });
        Operation {
            resource,
            request: (method, path, told.to_string()),
            admin: "set-auto-renew",
            body,
            command,
        }
    };
    let bare = |resource, method, path, told: serde_json::Value, admin, command: &str| Operation {
        resource,
        request: (method, path, told.to_string()),
        admin,
        body: json!({}),
        command: json!(command),
    };
    let (without, converted) = ("cancel-auto-renew", "convert-on-expiry");
    let charging = json!({ "config": [{ "instanceId": "i-1", "effectiveType": "AfterExpiration" }] });
    vec![
        renew(
            "i-1",
            "/v2/instance/i-1?clientToken=t-1&purchaseReserved=",
            1,
            json!({ "clientToken": "t-1" }),
        ),
        renew(
            "i-1",
            "/v2/instance/i-1?clientToken=t-1&purchaseReserved=",
            1,
            json!({ "clientToken": "t-1" }),
        ),
        renew(
            "i-1",
            "/v2/instance/i-1?clientToken=t-1&purchaseReserved=",
            2,
            json!({ "clientToken": "t-1" }),
        ),
        renew(
            "i-1",
            "/v2/instance/i-1?clientToken=t-2&purchaseReserved=&relatedRenewFlag=CDS_EIP",
            1,
            json!({ "clientToken": "t-2", "relatedRenewFlag": "CDS_EIP" }),
        ),
        // The balance does not suffice, and somebody has to approve.
        renew("v-2", "/v2/volume/v-2?clientToken=t-5&purchaseReserved=", 12, json!({ "clientToken": "t-5" })),
        renew(
            "i-2",
            "/v2/instance/i-2?clientToken=t-6&purchaseReserved=",
            1,
            json!({ "clientToken": "t-6" }),
        ),
        renew("v-2", "/v2/volume/v-2?clientToken=t-3&purchaseReserved=", 1, json!({ "clientToken": "t-3" })),
        renew("ip-1", "/v1/eip/ip-1?clientToken=t-4&purchaseReserved=", 1, json!({ "clientToken": "t-4" })),
        rule(
            "i-1",
            "POST",
            "/v2/instance/batchCreateAutoRenewRules",
            json!({ "instanceId": "i-1" }),
            "month",
        ),
        bare(
            "i-1",
            "POST",
            "/v2/instance/batchDeleteAutoRenewRules",
            json!({ "instanceId": "i-1" }),
            without,
            "cancel_auto_renew",
        ),
        rule(
            "v-2",
            "POST",
            "/v2/volume/autoRenew",
            json!({ "volumeId": "v-2", "renewTimeUnit": "year", "renewTime": 1 }),
            "year",
        ),
        bare("v-2", "PUT", "/v2/volume/v-2?modifyChargeType=", json!({}), converted, "convert_on_expiry"),
        bare(
            "v-2",
            "POST",
            "/v2/volume/cancelAutoRenew",
            json!({ "volumeId": "v-2" }),
            without,
            "cancel_auto_renew",
        ),
        rule("ip-1", "PUT", "/v1/eip/ip-1?startAutoRenew=", json!({}), "month"),
        bare("ip-1", "PUT", "/v1/eip/ip-1?stopAutoRenew=", json!({}), without, "cancel_auto_renew"),
        bare("v-3", "PUT", "/v2/volume/v-3?modifyChargeType=", json!({}), converted, "convert_on_expiry"),
        bare(
            "i-1",
            "POST",
            "/v2/instance/batch/charging?toPostpay=",
            charging,
            converted,
            "convert_on_expiry",
        ),
    ]
}

fn speak(server: &Server, operations: &[Operation]) {
    let key = server.key("acme");
    for Operation { request: (method, path, body), .. } in operations {
        let answer = draft(method, path, body).signed(&key, server.now()).send(server);
        let code = if answer.status == 200 { String::new() } else { answer.json()["code"].to_string() };
        assert!(
            [200, 403, 409].contains(&answer.status) && !code.contains("Access"),
            "{path}: {}",
            answer.body
        );
    }
}
