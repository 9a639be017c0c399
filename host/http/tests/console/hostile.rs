//! What people and clouds can set is text on every page, whatever it looks like.

use serde_json::json;

use crate::browser::Browser;
use crate::browser::with_console;
use crate::harness::Server;

/// Markup for each place that text can stand in.
const HOSTILE: &str = "\"'><img src=x onerror=alert(1)></textarea></title><script>alert(1)</script>";

/// A server on which every field has markup in it that takes any text.
fn planted() -> Server {
    let server = with_console(Server::new());
    let short = "<img src=x>\"'&";
    let inventory = json!({
        "accounts": [{ "id": short, "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [{
            "id": "<b>\"x\"", "account": short, "kind": "ecs", "region": HOSTILE, "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-05T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
            "tags": { HOSTILE: HOSTILE }, "attributes": { "status": HOSTILE },
        }],
    });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let reason = format!("x-reason: {HOSTILE}");
    let account = "/v1/accounts/%3Cimg%20src%3Dx%3E%22%27%26";
    let limit = r#"{"approval_above": "50.00"}"#;
    assert_eq!(server.send("admin", "PATCH", account, &[&reason], limit).status, 200);
    let path = "/v1/resources/%3Cb%3E%22x%22:renew";
    let answer = server.send("operator", "POST", path, &[&reason], "{}");
    assert_eq!(answer.status, 202, "{}", answer.body);
    let ids = ["<img src=x onerror=alert(1)>", "<b>\"x\""];
    let job = json!({ "command": { "renew": {} }, "ids": ids, "dry_run": true });
    let answer = server.send("operator", "POST", "/v1/jobs", &[&reason], &job.to_string());
    assert_eq!(answer.status, 202, "{}", answer.body);
    let webhook = json!({ "url": "https://example.com/hook", "description": HOSTILE });
    assert_eq!(server.post("admin", "/v1/webhooks", &webhook.to_string()).status, 201);
    let channel =
        json!({ "kind": "slack", "url": "https://hooks.slack.com/services/x", "description": HOSTILE });
    assert_eq!(server.post("admin", "/v1/channels", &channel.to_string()).status, 201);
    let token = json!({ "name": short, "role": "viewer" });
    assert_eq!(server.post("admin", "/v1/tokens", &token.to_string()).status, 201);
    let policy = json!({
        "file": "[[policy]]\nname = \"hostile\"\nscript = \"h.rhai\"\nmode = \"shadow\"\n",
        "scripts": { "h.rhai": format!(
            "// {HOSTILE}\nfn rule(plan) {{\n    note(\"<img src=x>note\");\n    deny(\"</pre><script>1</script>\")\n}}\n"
        ) },
    });
    let answer = server.send("admin", "POST", "/v1/policies", &[&reason], &policy.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(server.send("operator", "POST", path, &[&reason], "{}").status, 202);
    server.finish_jobs();
    server
}

#[test]
fn markup_in_every_field_that_people_can_set_is_text_everywhere() {
    let server = planted();
    let mut browser = Browser::signed_in(&server, "admin");
    let account = "%3Cimg%20src%3Dx%3E%22%27%26";
    let resource = "%3Cb%3E%22x%22";
    let webhook = server.get("admin", "/v1/webhooks").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let channel = server.get("admin", "/v1/channels").json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.post("admin", &format!("/v1/channels/{channel}:test"), "{}").status, 202);
    let pages = [
        "/".to_owned(),
        "/renewals".to_owned(),
        format!("/renewals?tag={resource}&kind={account}"),
        "/resources".to_owned(),
        format!("/resources?account={account}&tag=%22%3E%3Cscript%3E&sort=%3Cscript%3E"),
        format!("/resources/{resource}"),
        format!("/resources/{resource}/plan?command=renew"),
        format!("/resources/{resource}/plan?command=set_auto_renew&renewals=%22%3E%3Cscript%3E"),
        "/accounts".to_owned(),
        format!("/accounts/{account}"),
        "/approvals".to_owned(),
        format!("/approvals/{resource}~1"),
        "/jobs".to_owned(),
        "/jobs/job-1".to_owned(),
        "/calendar".to_owned(),
        "/forecast?months=1".to_owned(),
        "/events".to_owned(),
        "/policies".to_owned(),
        "/policies/hostile".to_owned(),
        "/plugins".to_owned(),
        "/webhooks".to_owned(),
        format!("/webhooks/{webhook}"),
        "/channels".to_owned(),
        format!("/channels/{channel}"),
        "/tokens".to_owned(),
        "/audit".to_owned(),
        "/clock?done=%3Cscript%3E".to_owned(),
    ];
    let mut shown = 0;
    for path in pages {
        let page = browser.page(&path);
        for raw in ["<img src=x", "<script>", "<b>\"x", "</textarea></title>"] {
            assert!(!page.contains(raw), "{path} has {raw}: {page}");
        }
        shown += page.matches("&lt;img src=x").count();
    }
    // What was planted is there, as text.
    assert!(shown > 20, "{shown}");
    let nowhere = browser.open("/resources/%3Cscript%3E");
    assert_eq!(nowhere.status.as_u16(), 404);
    assert!(
        !nowhere.body.contains("<script>") && nowhere.body.contains("&lt;script&gt;"),
        "{}",
        nowhere.body
    );
}
