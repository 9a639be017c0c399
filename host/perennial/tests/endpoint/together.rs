//! What the bundled providers' APIs have in common.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::Server;

#[test]
fn nobody_is_told_anything_without_a_proof() {
    for provider in ["huawei", "baidu"] {
        let inventory = json!({ "accounts": [
            { "id": "acme", "provider": provider, "currency": "CNY", "balance": "1.00" },
        ] });
        let server = Server::start(provider, "2026-01-01T00:00:00Z", &inventory);
        let key = server.key("acme");
        assert_eq!((key.access_key.len(), key.secret.len()), (20, 64));
        for path in ["/", "/v2/instance", "/v2/accounts/customer-accounts/balances"] {
            let answer = server.send(Request::get(path).body(Body::empty()).unwrap());
            assert!((400..500).contains(&answer.status), "{provider} {path}: {}", answer.body);
            assert!(answer.json().is_object(), "{provider} {path}: {}", answer.body);
        }
        server.advance(server.now() + 60);
        assert_eq!(server.events(), [""; 0]);
    }
}
