//! What the bundled providers' APIs have in common.

use http::Request;
use serde_json::json;

use perennial_test_support::provider_server::Server;

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
            let answer = server.send(Request::get(path).body(String::new()).unwrap());
            assert!((400..500).contains(&answer.status), "{provider} {path}: {}", answer.body);
            assert!(answer.json().is_object(), "{provider} {path}: {}", answer.body);
        }
        server.advance(server.now() + 60);
        assert_eq!(server.events(), [""; 0]);
    }
}

#[test]
fn what_is_no_http_is_answered_in_the_providers_shape_as_well() {
    for provider in ["huawei", "baidu"] {
        let inventory = json!({ "accounts": [
            { "id": "acme", "provider": provider, "currency": "CNY", "balance": "1.00" },
        ] });
        let server = Server::start(provider, "2026-01-01T00:00:00Z", &inventory);
        let endless = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'x'; 1 << 20], b"\r\n\r\n"].concat();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let never_ends = b"GET / HTTP/1.1\r\nhost: a\r\nx";
        let many = [b"GET / HTTP/1.1\r\n".as_slice(), &b"a: b\r\n".repeat(200), b"\r\n"].concat();
        let (malformed, too_long) = ("400 Bad Request", "431 Request Header Fields Too Large");
        let table = [
            (b"NONSENSE\r\n\r\n".as_slice(), malformed),
            (b"GET /\xff HTTP/1.1\r\n\r\n", malformed),
            (&endless, too_long),
            (&many, too_long),
            (preface, malformed),
            (never_ends, malformed),
        ];
        // Also where the connection has answered requests before.
        for ((bytes, status), behind) in
            table.into_iter().flat_map(|row| [0, 1, 2].map(|behind| (row, behind)))
        {
            let answer = server.wire(behind, bytes);
            let (head, body) =
                answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{provider} {behind}: {answer:?}"));
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{provider} {behind}: {answer}");
            let body = serde_json::from_str::<serde_json::Value>(body).unwrap();
            let code = if provider == "huawei" { &body["error_code"] } else { &body["code"] };
            assert!(code.is_string(), "{provider} {behind}: {answer}");
        }
        let query = format!(
            "GET /v2/instance?q={} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            "x".repeat(60_000)
        );
        let answer = server.wire(1, query.as_bytes());
        let is_read = answer.starts_with("HTTP/1.1 4") && !answer.starts_with("HTTP/1.1 431");
        assert!(is_read && answer.ends_with('}'), "{provider}: {answer}");
        let answer = server.wire(1, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 4") && answer.ends_with('}'), "{provider}: {answer}");
    }
}
