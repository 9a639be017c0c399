//! Huawei Cloud's own API, as its SDKs speak it: signed requests, whole answers, and what they leave behind.
//!
//! What each request is made into is printed by the plugin's own tests; here is what the host then does. This file has
//! the tool that signs and what the host is furnished with; `days` has the operations, `proofs` who may send them and
//! what happens to those who may not, `codes` every documented code, `settings` what a changed setting means for tries.

mod codes;
mod days;
mod proofs;
mod settings;

use std::cell::Cell;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use http::Request;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use perennial_test_support::provider_server::Key;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;

pub const NOW: &str = "2026-03-01T00:00:00Z";
pub const HOST: &str = "127.0.0.1:8443";

pub const QUERY: &str = "/v2/orders/suscriptions/resources/query";
pub const RENEW: &str = "/v2/orders/subscriptions/resources/renew";
pub const UNSUBSCRIBE: &str = "/v2/orders/subscriptions/resources/unsubscribe";
pub const AUTO_RENEW: &str = "/v2/orders/subscriptions/resources/autorenew/";
pub const CONVERT: &str = "/v2/orders/subscriptions/resources/to-on-demand";
pub const CONFIGURE: &str = "/v2/orders/subscriptions/resources/renew/config";
pub const PRICE: &str = "/v2/bills/ratings/period-resources/renew-rate";
pub const REFUND: &str = "/v2/orders/customer-orders/refund-orders?order_id=";
pub const BALANCE: &str = "/v2/accounts/customer-accounts/balances";

/// A tool with a key, which signs as the official SDKs do. Every signature is of a second of its own.
pub struct Tool<'a> {
    pub server: &'a Server,
    pub key: Key,
    pub sent: Cell<i64>,
}

/// A request that is still to be signed or tampered with.
#[derive(Clone)]
pub struct Draft {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl From<Draft> for Request<String> {
    fn from(draft: Draft) -> Request<String> {
        let mut request = Request::builder().method(draft.method.as_str()).uri(&draft.target);
        for (name, value) in &draft.headers {
            request = request.header(name, value);
        }
        request.body(draft.body).unwrap()
    }
}

impl<'a> Tool<'a> {
    pub fn new(server: &'a Server, account: &str) -> Tool<'a> {
        Tool { server, key: server.key(account), sent: Cell::new(0) }
    }

    /// Signs a request and sends it.
    pub fn ask(&self, method: &str, target: &str, body: &str) -> ProviderResponse {
        send(self.server, self.signed(method, target, body))
    }

    /// A signed request, of a second that no other is signed in.
    pub fn signed(&self, method: &str, target: &str, body: &str) -> Draft {
        self.sent.set(self.sent.get() + 1);
        self.signed_at(self.server.now() - self.sent.get() % 600, method, target, body)
    }

    pub fn signed_at(&self, at: Timestamp, method: &str, target: &str, body: &str) -> Draft {
        let date = at.to_string().replace(['-', ':'], "");
        let headers = [("content-type", "application/json"), ("host", HOST), ("x-sdk-date", &date)];
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // As the provider's own SDKs do: the path is decoded, then split into segments, and each is encoded.
        let path = path.replace("%2F", "/").replace(':', "%3A");
        let mut query = query.split('&').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        query.sort_unstable();
        let signed = headers.map(|(name, value)| format!("{name}:{value}\n")).concat();
        let canonical = format!(
            "{method}\n{path}/\n{}\n{signed}\ncontent-type;host;x-sdk-date\n{}",
            query.join("&"),
            hexadecimal(&Sha256::digest(body))
        );
        let message = format!("SDK-HMAC-SHA256\n{date}\n{}", hexadecimal(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders=content-type;host;x-sdk-date, Signature={}",
            self.key.access_key,
            hexadecimal(&mac.finalize().into_bytes())
        );
        let mut headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        headers.push(("authorization".to_owned(), authorization));
        Draft { method: method.to_owned(), target: target.to_owned(), headers, body: body.to_owned() }
    }

    /// Sends signed requests one after another; what each was answered, without the request's id.
    pub fn talk(&self, requests: &[(&str, &str, String)]) -> String {
        let one = |(method, target, body): &(&str, &str, String)| {
            let answer = self.ask(method, target, body);
            format!("{method} {target} {body}\n{}\n", shown(&answer))
        };
        requests.iter().map(one).collect()
    }
}

pub fn send(server: &Server, draft: Draft) -> ProviderResponse {
    let is_old = draft.target.starts_with("/v1.0/");
    let answer = server.send(draft.into());
    if answer.status != 204 {
        let content_type = match is_old {
            true => "application/json;charset=UTF-8",
            false => "application/json",
        };
        assert_eq!(answer.headers["content-type"], content_type, "{}", answer.body);
        assert!(answer.json().is_object(), "{}", answer.body);
    }
    assert!(answer.headers.contains_key("x-request-id"), "{}", answer.body);
    answer
}

/// Status and body, without the request's id.
pub fn shown(answer: &ProviderResponse) -> String {
    let id = answer.headers["x-request-id"].to_str().unwrap();
    format!("{} {}", answer.status, answer.body.replace(id, "…"))
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A monthly resource of `acme` that expires on the last of March.
pub fn resource(id: &str, kind: &str) -> Value {
    json!({
        "id": id, "account": "acme", "kind": kind, "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-03-31T15:59:59Z", "anchor_day": 31,
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
    })
}

pub fn with(mut resource: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

pub fn inventory(settings: Value, resources: Vec<Value>) -> Value {
    let account = |id: &str, balance: &str| {
        json!({
            "id": id, "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": balance,
            "settings": settings,
        })
    };
    json!({ "accounts": [account("acme", "10000.00"), account("other", "0.00")], "resources": resources })
}

/// A server with a disk that renews itself, a database, and a server of somebody else.
pub fn furnished() -> Value {
    inventory(
        json!({}),
        vec![
            with(
                resource("ecs-1", "ecs"),
                json!({ "attributes": { "name": "web", "spec": "s6.large.2.linux" } }),
            ),
            with(
                resource("evs-1", "evs"),
                json!({ "attached_to": "ecs-1", "price": "12.50", "on_expiry": "renew" }),
            ),
            with(resource("rds-1", "rds"), json!({ "price": "200.00" })),
            with(resource("ecs-9", "ecs"), json!({ "account": "other" })),
        ],
    )
}

pub fn ids(ids: &[&str], more: &str) -> String {
    format!("{{\"resource_ids\":{}{more}}}", json!(ids))
}

pub fn renewal(resources: &[&str]) -> String {
    ids(resources, r#","period_type":2,"period_num":1,"is_auto_pay":1"#)
}
