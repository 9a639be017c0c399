//! What people, clouds and plugins can set is text on every page, whatever it looks like: one table of all such fields.

use std::fmt::Write;

use expect_test::expect;
use perennial_domain::connector::Drift;
use perennial_domain::connector::DriftKind;
use perennial_domain::timestamp::Timestamp;
use perennial_http::console;
use perennial_service::admin_tokens::Role;
use perennial_service::connections::Connections;
use perennial_store::accounts;
use perennial_store::connections::drifts;
use perennial_test_support::provider_server::Server as Cloud;
use serde_json::Value;
use serde_json::json;

use crate::browser::Browser;
use crate::browser::with_console;
use crate::harness::START;
use crate::harness::Server;
use crate::pages::is_at;

/// Every field that takes text of somebody else's.
const FIELDS: [&str; 36] = [
    "account",
    "resource",
    "region",
    "tag",
    "tag's value",
    "attribute",
    "reason of a change",
    "reason of a command",
    "reason of a decision",
    "reason of a top-up",
    "reason of a warning",
    "webhook",
    "channel",
    "token",
    "person",
    "label of a token",
    "provider key",
    "script's name",
    "script",
    "policy's note",
    "policy's reason",
    "policy's label",
    "policy's account",
    "reason of a policy",
    "job's resource",
    "plugin",
    "plugin's kind",
    "plugin's notice",
    "plugin's file",
    "reason of a binding",
    "cloud's resource",
    "cloud's region",
    "drift here",
    "drift there",
    "cloud's message",
    "cloud's refusal",
];

/// What is planted in a field: it closes what it stands in, and says which field it is.
fn planted(field: &str) -> String {
    assert!(FIELDS.contains(&field), "{field} is not in the table");
    format!("<i id=\"x'></pre>&{field}")
}

/// How a page has to say so.
fn shown(field: &str) -> String {
    let text = planted(field);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as a part of an address.
fn part(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Sends what has to be done.
fn done(server: &Server, token: &str, method: &str, path: &str, (reason, body): (&str, &Value)) -> Value {
    let reason = format!("x-reason: {}", planted(reason));
    let answer = server.send(token, method, path, &[&reason], &body.to_string());
    assert!(answer.status.is_success(), "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn post(server: &Server, token: &str, path: &str, body: &Value) -> Value {
    done(server, token, "POST", path, ("reason of a change", body))
}

/// A server on which every field of the table has markup in it, with the clouds that it is connected to.
fn hostile() -> (Server, [Cloud; 2]) {
    let mut server = with_console(Server::new());
    server.add_person(&planted("person"), Role::Approver, &[&planted("label of a token")]);
    plant_resources(&server);
    plant_notices(&server);
    plant_policies(&server);
    plant_plugin(&server);
    let clouds = plant_clouds(&server);
    server.finish_jobs();
    (server, clouds)
}

fn plant_resources(server: &Server) {
    let (account, resource) = (planted("account"), planted("resource"));
    let one = |id: &str| {
        json!({
            "id": id, "account": account, "kind": "ecs", "region": planted("region"), "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-05T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
            "tags": { planted("tag"): planted("tag's value") }, "attributes": { "status": planted("attribute") },
        })
    };
    let inventory = json!({
        "accounts": [{ "id": account, "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [one(&resource), one("plain")],
    });
    post(server, "admin", "/v1/resources:import", &inventory);
    let path = format!("/v1/accounts/{}", part(&account));
    let limit = json!({ "approval_above": "50.00" });
    done(server, "admin", "PATCH", &path, ("reason of a change", &limit));
    let paid = json!({ "amount": "1.00" });
    done(server, "operator", "POST", &format!("{path}:top-up"), ("reason of a top-up", &paid));
    let renewal = |id: &str| format!("/v1/resources/{}:renew", part(id));
    for id in [&*resource, "plain"] {
        done(server, "operator", "POST", &renewal(id), ("reason of a command", &json!({})));
    }
    let approvals = server.get("admin", "/v1/approvals?resource=plain").json();
    let plan = json!({ "reason": planted("reason of a decision") });
    let decision = format!("/v1/approvals/{}:reject", approvals["items"][0]["id"].as_str().unwrap());
    done(server, "approver", "POST", &decision, ("reason of a decision", &plan));
    let ids = [planted("job's resource"), resource.clone()];
    post(server, "operator", "/v1/jobs", &json!({ "command": { "renew": {} }, "ids": ids, "dry_run": true }));
    let key = json!({ "account": account, "name": planted("provider key") });
    post(server, "admin", "/v1/provider-keys", &key);
    let token = json!({ "name": planted("token"), "role": "approver" });
    post(server, "admin", "/v1/tokens", &token);
    let seen = json!({ "resource": resource });
    done(server, "operator", "POST", "/v1/acknowledgements", ("reason of a warning", &seen));
}

fn plant_notices(server: &Server) {
    let webhook = |url: &str| json!({ "url": url, "description": planted("webhook") }).to_string();
    let markup = format!("https://example.com/hook?{}", planted("webhook"));
    assert_eq!(server.post("admin", "/v1/webhooks", &webhook(&markup)).status, 422, "a URL has no markup");
    assert_eq!(server.post("admin", "/v1/webhooks", &webhook("https://example.com/hook")).status, 201);
    let robot = "https://hooks.slack.com/services/x";
    let channel = json!({ "kind": "slack", "url": robot, "description": planted("channel") });
    let channel = post(server, "admin", "/v1/channels", &channel);
    post(server, "admin", &format!("/v1/channels/{}:test", channel["id"].as_str().unwrap()), &json!({}));
}

fn plant_policies(server: &Server) {
    let [script, own, account, label] = ["script's name", "account", "policy's account", "policy's label"]
        .map(|field| json!(planted(field)).to_string());
    let [note, reason] = ["policy's note", "policy's reason"].map(|field| json!(planted(field)).to_string());
    let file = format!(
        "[[policy]]\nname = \"hostile\"\nscript = {script}\naccounts = [{own}]\n\n\
         [[policy]]\nname = \"beside\"\nscript = {script}\nmode = \"shadow\"\n\n\
         [[policy]]\nname = \"elsewhere\"\nscript = {script}\naccounts = [{account}]\n"
    );
    let source = format!(
        "// {}\nfn rule(plan) {{\n    note({note});\n    require_approval({reason}, #{{ by: {label} }})\n}}\n",
        planted("script")
    );
    let body = json!({ "file": file, "scripts": { planted("script's name"): source } });
    done(server, "admin", "POST", "/v1/policies", ("reason of a policy", &body));
    let renewal = format!("/v1/resources/{}:renew", part(&planted("resource")));
    done(
        server,
        "operator",
        "POST",
        &renewal,
        ("reason of a command", &json!({ "term": { "count": 2, "unit": "month" } })),
    );
}

/// A package that says of itself what its author likes.
fn plant_plugin(server: &Server) {
    let text = |field: &str| json!(planted(field)).to_string();
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml")
        .replace("id = \"volcengine\"", "id = \"hostile\"")
        .replace("name = \"Volcengine\"", &format!("name = {}", text("plugin")))
        .replace("label = \"Cloud server (ECS)\"", &format!("label = {}", text("plugin's kind")))
        .replace(
            "label = \"the resource expires in some days, or today\"",
            &format!("label = {}", text("plugin's notice")),
        );
    let body = json!({ "name": planted("plugin's file"), "table": table });
    let digest = post(server, "admin", "/v1/plugins/revisions", &body)["digest"].clone();
    let binding = json!({ "digest": digest, "mode": "active" });
    done(server, "admin", "POST", "/v1/plugins/bindings", ("reason of a binding", &binding));
    let account = json!({ "id": "of-plugin", "provider": "hostile", "currency": "CNY", "balance": "1.00" });
    post(server, "admin", "/v1/accounts", &account);
    let resources = json!({ "resources": [{ "id": "of-plugin", "account": "of-plugin", "kind": "ecs", "region": "r",
        "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-08T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse" }] });
    post(server, "operator", "/v1/resources:import", &resources);
}

/// Two clouds: one that has things with such names and fails over a renewal, and one that refuses to be read.
fn plant_clouds(server: &Server) -> [Cloud; 2] {
    let open = Connections { allow_private: true, ..Connections::DEFAULT };
    server.host.service().configure_connections(open).unwrap();
    let said = |field: &str| json!({ "error_code": "CBC.0999", "error_msg": planted(field) }).to_string();
    let reject = |on: &str, status: u16, body: String| {
        let fault = json!([{ "fault": "reject", "on": on, "status": status, "body": body, "times": 0 }]);
        perennial_formats::faults::read(&fault.to_string()).unwrap()
    };
    let id = planted("cloud's resource");
    let inventory = |account: &str| {
        json!({
            "accounts": [{ "id": account, "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
            "resources": [{ "id": id, "account": account, "kind": "ecs", "charging": "prepaid",
                "region": planted("cloud's region"), "started_at": "2025-12-31T02:00:00Z",
                "expires_at": "2026-01-06T15:59:59Z", "term": { "count": 1, "unit": "month" }, "price": "9.00",
                "on_expiry": "lapse" }],
        })
    };
    let renewals = reject("POST /v2/orders/subscriptions/resources/renew", 500, said("cloud's message"));
    let readings = reject("POST /v2/orders/suscriptions/resources/query", 403, said("cloud's refusal"));
    let clouds = [("driven", renewals), ("unread", readings)].map(|(account, faults)| {
        let cloud = Cloud::start("huawei", START, &inventory(account)).with_faults(faults);
        let key = cloud.key(account);
        let connection = json!({
            "account": account, "provider": "huawei", "access_key": key.access_key, "secret": key.secret,
            "endpoint": format!("http://{}/", cloud.listen()), "settings": { "site": "cn" },
            "grants": ["list-resources", "list-orders", "quote-renewals", "read-balance"],
        });
        post(server, "admin", "/v1/connections", &connection);
        for _ in 0..2 {
            server.post("admin", &format!("/v1/connections/{account}:sync"), "{}");
        }
        cloud
    });
    post(server, "admin", "/v1/connections/driven:drive", &json!({ "driver": "host" }));
    server.calling();
    post(server, "operator", &format!("/v1/resources/{}:renew", part(&id)), &json!({}));
    server.until("/v1/calls", |calls| calls["items"][0]["said"].is_object());
    server.on_writer(move |context| {
        let row = accounts::get(context.engine.db(), "driven").unwrap().unwrap().row;
        let [here, there] = ["drift here", "drift there"].map(|field| Some(planted(field)));
        let drift = Drift { kind: DriftKind::PrimaryChanged, here, there };
        let at = START.parse::<Timestamp>().unwrap();
        context.engine.in_transaction(|engine| drifts::insert(engine.tx(), row, &id, &drift, at)).unwrap();
    });
    clouds
}

/// The addresses of every page, those of one thing with each thing that was planted.
fn addresses(server: &Server) -> Vec<String> {
    let [account, resource, cloud] =
        ["account", "resource", "cloud's resource"].map(|field| part(&planted(field)));
    let ids = |list: &str, name: &str| {
        let list = server.get("admin", list).json();
        let ids = list["items"].as_array().unwrap().iter().map(|item| part(item[name].as_str().unwrap()));
        ids.collect::<Vec<_>>()
    };
    let of_route = |route: &str| {
        let ids = match route {
            "/resources/{id}" | "/resources/{id}/plan" => {
                vec![resource.clone(), cloud.clone(), "of-plugin".to_owned()]
            }
            "/accounts/{id}" => vec![account.clone(), "driven".to_owned(), "unread".to_owned()],
            "/approvals/{id}" => ids("/v1/approvals", "id"),
            "/jobs/{id}" => ids("/v1/jobs", "id"),
            "/policies/{name}" => ids("/v1/policies", "name"),
            "/webhooks/{id}" => ids("/v1/webhooks", "id"),
            "/channels/{id}" => ids("/v1/channels", "id"),
            "/plugins/revisions/{digest}" => ids("/v1/plugins/revisions", "digest"),
            plain => {
                assert!(!plain.contains('{'), "{plain}: of which thing?");
                vec![String::new()]
            }
        };
        let fill = |id: String| {
            ["{id}", "{name}", "{digest}"].iter().fold(route.to_owned(), |path, name| path.replace(name, &id))
        };
        let query = match route {
            "/resources/{id}/plan" => "?command=renew",
            "/plugins/change" => "?do=unbind&provider=hostile&mode=active",
            _ => "",
        };
        ids.into_iter().map(|id| fill(id) + query).collect::<Vec<_>>()
    };
    let evil = part("\"><i id=\"x");
    let asked = [
        format!("/renewals?tag={evil}&kind={evil}&account={evil}"),
        format!("/resources?account={account}&tag={evil}&sort={evil}&stage={evil}"),
        format!("/resources/{resource}/plan?command=set_auto_renew&renewals={evil}&term={evil}"),
        format!("/events?type={evil}&account={evil}"),
        format!("/calendar?account={evil}&by={evil}&months={evil}"),
        format!("/forecast?account={evil}&months={evil}"),
        format!("/sign-in?next={evil}&language={evil}"),
        format!("/clock?done={evil}"),
    ];
    console::page_paths().into_iter().flat_map(of_route).chain(asked).collect()
}

#[test]
fn markup_in_every_field_that_somebody_can_set_is_text_everywhere() {
    let (server, _clouds) = hostile();
    let mut browser = Browser::signed_in(&server, "admin");
    let mut pages = Vec::new();
    for path in addresses(&server) {
        let answer = browser.open(&path);
        for raw in ["<i id=", "x'></pre>"] {
            assert!(!answer.body.contains(raw), "{path} has {raw}: {}", answer.body);
        }
        pages.push((path, answer.body));
    }
    let mut table = String::new();
    for field in FIELDS {
        let first = pages.iter().find(|(_, page)| page.contains(&shown(field)));
        let route = first
            .map(|(path, _)| console::page_paths().into_iter().find(|route| is_at(path, route)).unwrap());
        writeln!(table, "{field:<22} {}", route.unwrap_or("-")).unwrap();
    }
    expect![[r#"
        account                /
        resource               /
        region                 /resources/{id}
        tag                    /resources
        tag's value            /resources
        attribute              -
        reason of a change     /jobs/{id}
        reason of a command    /audit
        reason of a decision   /approvals/{id}
        reason of a top-up     /audit
        reason of a warning    /audit
        webhook                /webhooks
        channel                /channels
        token                  /tokens
        person                 /tokens
        label of a token       /tokens
        provider key           /tokens
        script's name          /policies/{name}
        script                 /policies/{name}
        policy's note          /resources/{id}
        policy's reason        /
        policy's label         /resources/{id}/plan
        policy's account       /policies
        reason of a policy     /policies/{name}
        job's resource         /jobs/{id}
        plugin                 /resources/{id}
        plugin's kind          /plugins
        plugin's notice        /resources/{id}
        plugin's file          /events
        reason of a binding    /plugins
        cloud's resource       /
        cloud's region         /resources/{id}
        drift here             /accounts/{id}
        drift there            /accounts/{id}
        cloud's message        /resources/{id}
        cloud's refusal        /
    "#]]
    .assert_eq(&table);
    let nowhere = browser.open("/resources/%3Cscript%3E");
    assert_eq!(nowhere.status.as_u16(), 404);
    assert!(
        !nowhere.body.contains("<script>") && nowhere.body.contains("&lt;script&gt;"),
        "{}",
        nowhere.body
    );
}
