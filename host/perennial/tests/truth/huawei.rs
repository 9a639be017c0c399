//! Huawei Cloud: every operation of its API that is a command, with refusals and a plan that waits for approval.

use http::Request;
use serde_json::Value;
use serde_json::json;

use crate::Operation;
use crate::Provider;
use perennial_test_support::provider_server::Server;

const OF: &str = "/v2/orders/subscriptions/resources";

pub fn provider() -> Provider {
    let resource = |id: &str, kind: &str, price: &str, to: Option<&str>| {
        json!({
            "id": id, "account": "acme", "kind": kind, "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-03-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": price, "attached_to": to,
        })
    };
    let inventory = json!({
        "accounts": [{
            "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00", "approval_above": "1500.00",
        }],
        "resources": [
            resource("ecs-1", "ecs", "99.00", None), resource("evs-1", "evs", "12.50", Some("ecs-1")),
            resource("rds-1", "rds", "200.00", None), resource("cce-1", "cce", "2000.00", None),
        ],
    });
    Provider { name: "huawei", inventory, operations: operations(), speak }
}

fn operations() -> Vec<Operation> {
    let ids = |id: &str, more: &str| format!("{{\"resource_ids\":[\"{id}\"]{more}}}");
    let post = |rest: &'static str, body: String| ("POST", rest, body);
    let renew = |resource: &'static str, count: u32| {
        let more = format!(",\"period_type\":2,\"period_num\":{count},\"is_auto_pay\":1");
        let body = json!({ "term": { "count": count, "unit": "month" } });
        let command = json!({ "renew": body });
        Operation { resource, request: post("/renew", ids(resource, &more)), admin: "renew", body, command }
    };
    let bare = |resource: &'static str, request, admin, command: &str| Operation {
        resource,
        request,
        admin,
        body: json!({}),
        command: json!(command),
    };
    let unsubscribe = |resource, kind: u32, scope: &str| Operation {
        resource,
        request: post("/unsubscribe", ids(resource, &format!(",\"unsubscribe_type\":{kind}"))),
        admin: "unsubscribe",
        body: json!({ "scope": scope }),
        command: json!({ "unsubscribe": { "scope": scope } }),
    };
    let convert =
        |operation: &str| post("/to-on-demand", ids("rds-1", &format!(",\"operation\":\"{operation}\"")));
    let twice_yearly = json!({ "term": { "count": 1, "unit": "year" }, "renewals": 2 });
    let auto_renew = |method| (method, "/autorenew/ecs-1", String::new());
    vec![
        renew("ecs-1", 1),
        // An attached one is not renewed alone, the balance does not suffice, and somebody has to approve.
        renew("evs-1", 1),
        renew("rds-1", 5),
        renew("cce-1", 1),
        renew("cce-1", 1),
        Operation {
            resource: "ecs-1",
            request: post("/autorenew/ecs-1", r#"{"auto_renew_times":2,"period_type":"YEAR"}"#.to_owned()),
            admin: "set-auto-renew",
            body: twice_yearly.clone(),
            command: json!({ "set_auto_renew": twice_yearly }),
        },
        bare("ecs-1", auto_renew("DELETE"), "cancel-auto-renew", "cancel_auto_renew"),
        bare("ecs-1", auto_renew("DELETE"), "cancel-auto-renew", "cancel_auto_renew"),
        bare("rds-1", convert("SET_UP"), "convert-on-expiry", "convert_on_expiry"),
        bare("rds-1", convert("CANCEL"), "cancel-conversion", "cancel_conversion"),
        unsubscribe("ecs-1", 2, "future"),
        unsubscribe("ecs-1", 2, "future"),
        unsubscribe("ecs-1", 1, "all"),
    ]
}

fn speak(server: &Server, operations: &[Operation]) {
    let key = server.key("acme");
    let user = json!({ "name": key.access_key, "password": key.secret, "domain": { "name": "acme" } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
        let request = request.header("content-type", "application/json").header("x-auth-token", token);
        server.send(request.body(body.to_owned()).unwrap())
    };
    let issued = ask("POST", "/v3/auth/tokens", "", &json!({ "auth": { "identity": identity } }).to_string());
    let token = issued.headers["x-subject-token"].to_str().unwrap();
    for Operation { request: (method, path, body), .. } in operations {
        let answer = ask(method, &format!("{OF}{path}"), token, body);
        assert!(
            answer.status == 200 || answer.json()["error_code"] != Value::Null,
            "{path}: {}",
            answer.body
        );
        assert!(answer.status < 500 && answer.status != 401, "{path}: {}", answer.body);
    }
}
