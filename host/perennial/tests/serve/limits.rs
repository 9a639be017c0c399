//! What a server takes on, over the wire.

use std::io::Write;

use crate::server::Served;
use crate::server::finish;
use crate::server::until;
use crate::support::Folder;

const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;

#[test]
fn a_request_that_takes_too_long_is_answered_so() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_REQUEST_SECONDS", "1")], &[]);
    let mut slow = server.begin("POST", "/v1/accounts", ACCOUNT.len());
    slow.write_all(b"{").unwrap();
    let answer = finish(slow, "");
    assert_eq!(answer.kind(), "503 timed-out");
    assert!(answer.head.contains("\r\nretry-after: 5"), "{answer:?}");
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201, "and nothing of it was done");
}

#[test]
fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_BODY_BYTES_MAX", "1024")], &[]);
    // It says that there is more, and the answer comes without.
    let mut large = server.begin("POST", "/v1/accounts", 1 << 30);
    large.write_all(&[b' '; 2048]).unwrap();
    assert_eq!(finish(large, "").kind(), "413 too-large");
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
}

#[test]
fn what_is_too_much_at_once_is_told_when_to_come_back() {
    for (limit, kind) in [
        ("PERENNIAL_LIMITS_CONCURRENCY_MAX", "503 unavailable"),
        ("PERENNIAL_LIMITS_CONCURRENCY_PER_TOKEN_MAX", "429 too-many-requests"),
    ] {
        let folder = Folder::new();
        let server = Served::start(&folder, &[(limit, "1")], &[]);
        let under_way = server.under_way("POST", "/v1/accounts", ACCOUNT.len());
        let answer = server.get("/v1/accounts");
        assert_eq!(answer.kind(), kind);
        assert!(answer.head.contains("\r\nretry-after: 1"), "{answer:?}");
        assert_eq!(finish(under_way, ACCOUNT).status, 201);
        until("the place is free", || (server.get("/v1/accounts").status == 200).then_some(()));
    }
}
