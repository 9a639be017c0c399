//! Requests whose length can be read in two ways: no second request comes of one.

use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Served;
use crate::support::Folder;

/// What is smuggled: were it taken for a request of its own, it would be answered.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// The statuses of the answers to some bytes, once the connection is closed from both sides.
fn statuses(address: &str, bytes: &[u8]) -> Vec<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    // A host that closes early does not read everything.
    if stream.write_all(bytes).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
    }
    read_statuses(stream)
}

/// The statuses of the answers to some bytes, until the host closes the connection.
fn statuses_until_closed(address: &str, bytes: &[u8]) -> Vec<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    read_statuses(stream)
}

fn read_statuses(mut stream: TcpStream) -> Vec<u16> {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let heads = answer.split("HTTP/1.").skip(1);
    heads.map(|head| head[2..5].parse().unwrap()).collect()
}

/// Requests by `POST` to `path` that have two lengths, one that is none, or a head that is none.
fn framed_in_two_ways(path: &str) -> [String; 16] {
    let post = format!("POST {path} HTTP/1.1\r\nHost: x\r\n");
    let length = SMUGGLED.len();
    [
        format!("{post}Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{SMUGGLED}"),
        format!("{post}Content-Length: 0, {length}\r\n\r\n{SMUGGLED}"),
        format!("{post}Content-Length: +0\r\n\r\n{SMUGGLED}"),
        format!("{post}Content-Length: -1\r\n\r\n{SMUGGLED}"),
        format!("{post}Content-Length: 0x0\r\n\r\n{SMUGGLED}"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n{SMUGGLED}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{SMUGGLED}"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n{SMUGGLED}"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("{post}X: a\r\n folded\r\n\r\n{SMUGGLED}"),
        format!("{post}X: a\0b\r\n\r\n{SMUGGLED}"),
        format!("{post}no colon\r\n\r\n{SMUGGLED}"),
        format!("GET  {path} HTTP/1.1\r\nHost: x\r\n\r\n{SMUGGLED}"),
        format!("GET {path} HTTP/9.9\r\nHost: x\r\n\r\n{SMUGGLED}"),
    ]
}

/// Where a provider's own API listens, and a path of it that takes a body.
const PROVIDERS: [(&str, &str); 2] = [
    ("PERENNIAL_LISTEN_HUAWEI", "/v2/orders/subscriptions/resources/renew"),
    ("PERENNIAL_LISTEN_BAIDU", "/v2/instance/i-1?purchaseReserved="),
];

/// A server with a provider's own API.
fn served(folder: &Folder, variable: &str) -> Served {
    let key = "00".repeat(32);
    let environment = [(variable, "127.0.0.1:0"), ("PERENNIAL_SECRETS_KEY", key.as_str())];
    Served::start(folder, &environment, &["--virtual-clock", "2026-01-01T00:00:00Z"])
}

/// Both listeners of a server, each with a path that takes a body.
fn listeners<'s>(server: &'s Served, provider_path: &'static str) -> [(&'s str, &'static str); 2] {
    let provider = server.provider_address.as_deref().unwrap();
    [(&server.address, "/v1/accounts"), (provider, provider_path)]
}

#[test]
fn what_is_framed_in_two_ways_is_refused_or_read_in_one() {
    let folder = Folder::new();
    for (variable, provider_path) in PROVIDERS {
        let server = served(&folder, variable);
        for (address, path) in listeners(&server, provider_path) {
            for bytes in &framed_in_two_ways(path) {
                let found = statuses(address, bytes.as_bytes());
                assert!(found.len() <= 1, "{address} {bytes:?}: {found:?}");
                assert!(
                    found.iter().all(|status| (400..500).contains(status)),
                    "{address} {bytes:?}: {found:?}"
                );
            }
            // A length beside chunks: the chunks win, and the connection ends with it.
            let post = format!("POST {path} HTTP/1.1\r\nHost: x\r\n");
            let chunks =
                format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
            assert!(statuses(address, chunks.as_bytes()).len() <= 1);
            // There is no tunnel, so what follows is at most a request as any other.
            let tunnel = format!("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n{SMUGGLED}");
            assert!((400..500).contains(&statuses(address, tunnel.as_bytes())[0]), "{address}");
        }
    }
    let server = served(&folder, PROVIDERS[0].0);
    // What is no attack is answered, one after the other.
    let last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let many = SMUGGLED.repeat(499) + last;
    assert_eq!(statuses_until_closed(&server.address, many.as_bytes()), [200; 500]);
    // Lines that end in a line feed alone are lines.
    let fed = last.replace("\r\n", "\n");
    assert_eq!(statuses_until_closed(&server.address, fed.as_bytes()), [200]);
}

#[test]
fn a_request_for_two_hosts_is_refused_in_the_listeners_own_shape() {
    let folder = Folder::new();
    for ((variable, provider_path), said) in PROVIDERS.into_iter().zip(["error_code", "requestId"]) {
        let server = served(&folder, variable);
        let provider = server.provider_address.as_deref().unwrap();
        for (address, path, said) in [
            (&*server.address, "/healthz", "urn:perennial:problem:bad-request"),
            (&*server.address, "/sign-in", "urn:perennial:problem:bad-request"),
            (provider, provider_path, said),
        ] {
            for hosts in ["Host: x\r\nHost: x\r\n", "Host: x\r\nA: b\r\nhost: y\r\n"] {
                let head = format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(head.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 400 "), "{address}{path}: {answer}");
                assert!(answer.contains(said), "{address}{path}: {answer}");
            }
        }
    }
}

#[test]
fn nobody_is_talked_into_another_protocol() {
    let folder = Folder::new();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    for (variable, path) in PROVIDERS {
        let server = served(&folder, variable);
        for (address, path) in listeners(&server, path) {
            let upgrade = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                 HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
            );
            for bytes in [preface.to_owned(), upgrade.clone(), upgrade + preface] {
                let found = statuses(address, bytes.as_bytes());
                assert!(found.len() <= 2, "{address} {bytes:?}: {found:?}");
                let is_refused = found.iter().all(|status| (400..500).contains(status));
                assert!(is_refused, "{address} {bytes:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_megabyte_around_a_body_is_refused() {
    let folder = Folder::new();
    let much = "x".repeat(1 << 20);
    for (variable, path) in PROVIDERS {
        let server = served(&folder, variable);
        for (address, path) in listeners(&server, path) {
            let head = server.head("POST", path, 0);
            let head = head.replace("Content-Length: 0", "Transfer-Encoding: chunked");
            for (what, body) in [
                ("a trailer", format!("2\r\n{{}}\r\n0\r\nX: {much}\r\n\r\n")),
                ("trailers", format!("2\r\n{{}}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(1 << 18))),
                ("an extension", format!("2;{much}\r\n{{}}\r\n0\r\n\r\n")),
                (
                    "extensions",
                    format!("{}0\r\n\r\n", "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n \r\n".repeat(1 << 15)),
                ),
            ] {
                let found = statuses(address, (head.clone() + &body).as_bytes());
                assert!([vec![400], vec![413]].contains(&found), "{address}: {what}: {found:?}");
            }
        }
        assert_eq!(server.get("/healthz").status, 200);
    }
}
