//! What a server takes on, over the wire.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

use crate::server::ApiResponse;
use crate::server::Served;
use crate::server::finish;
use crate::server::token;
use crate::server::until;
use crate::support::Folder;

const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;

#[test]
fn a_request_that_takes_too_long_is_answered_so() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_REQUEST_SECONDS", "700ms")], &[]);
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
    for key in ["concurrency_per_token_max", "concurrency_per_person_max"] {
        let folder = Folder::new();
        let variable = format!("PERENNIAL_LIMITS_{}", key.to_uppercase());
        let server = Served::start(&folder, &[(&variable, "1")], &[]);
        let under_way = server.under_way("POST", "/v1/accounts", ACCOUNT.len());
        let answer = server.get("/v1/accounts");
        assert_eq!(answer.kind(), "429 too-many-requests");
        assert!(answer.head.contains("\r\nretry-after: 1"), "{answer:?}");
        assert!(answer.body.contains(&format!("raise `limits.{key}`")), "{answer:?}");
        assert_eq!(finish(under_way, ACCOUNT).status, 201);
        until("the place is free", || (server.get("/v1/accounts").status == 200).then_some(()));
    }
}

#[test]
fn bodies_that_do_not_come_take_no_place_from_anybody() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_CONCURRENCY_MAX", "1")], &[]);
    // Whoever sends them: somebody with a token, or somebody at the door of the console, who proves nothing.
    let slow = (0..4).map(|_| server.under_way("POST", "/v1/accounts", ACCOUNT.len())).collect::<Vec<_>>();
    let at_the_door = (0..4).map(|_| server.under_way("POST", "/sign-in", 1_000)).collect::<Vec<_>>();
    for _ in 0..3 {
        assert_eq!(server.get("/v1/accounts").status, 200);
        assert_eq!(server.send("POST", "/v1/calendars", r#"{"name": "c"}"#).status, 201);
    }
    drop(at_the_door);
    let first = slow.into_iter().next().unwrap();
    assert_eq!(finish(first, ACCOUNT).status, 201, "a body that comes has a place then");
}

#[test]
fn an_address_has_few_forms_to_sign_in_under_way() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_UNPROVED_PER_ADDRESS_MAX", "3")], &[]);
    let slow = (0..3).map(|_| server.under_way("POST", "/sign-in", 1_000)).collect::<Vec<_>>();
    let refused = server.send("POST", "/sign-in", "token=x");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("\r\nretry-after: 1"), "{refused:?}");
    assert_eq!(server.get("/v1/accounts").status, 200, "who has a token is not counted");
    drop(slow);
    until("there is room", || (server.send("POST", "/sign-in", "token=x").status == 401).then_some(()));
}

#[test]
fn one_person_with_many_tokens_has_no_more_requests_than_one() {
    let folder = Folder::new();
    let somebody_else = token(&folder);
    let mut server = Served::start(&folder, &[("PERENNIAL_LIMITS_CONCURRENCY_PER_PERSON_MAX", "4")], &[]);
    let first = server.token.clone();
    let mut slow = Vec::new();
    for _ in 0..4 {
        let made = server.send("POST", "/v1/tokens", r#"{"name": "t", "role": "admin"}"#);
        server.token = made.json()["secret"].as_str().unwrap().to_owned();
        slow.push(server.under_way("POST", "/v1/accounts", ACCOUNT.len()));
        server.token.clone_from(&first);
    }
    let refused = server.get("/v1/accounts");
    assert_eq!(refused.kind(), "429 too-many-requests");
    assert!(refused.body.contains("a person has at most 4 requests in flight"), "{refused:?}");
    server.token = somebody_else;
    assert_eq!(server.get("/v1/accounts").status, 200, "nobody else is held up");
    server.token = first;
    assert_eq!(finish(slow.pop().unwrap(), ACCOUNT).status, 201);
    until("there is room", || (server.get("/v1/accounts").status == 200).then_some(()));
}

#[test]
fn a_head_that_does_not_come_in_time_is_given_up() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_HEAD_SECONDS", "200ms")], &[]);
    let mut slow = TcpStream::connect(&server.address).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX").unwrap();
    let mut rest = Vec::new();
    // It ends; without the limit, this waits for ever.
    let _ = slow.set_read_timeout(Some(std::time::Duration::from_secs(30)));
    let ended = slow.read_to_end(&mut rest);
    let is_given_up = !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(is_given_up, "{ended:?}");
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "nothing was asked for");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
#[cfg(target_os = "linux")]
fn heads_without_end_hold_little_memory_and_keep_nobody_out() {
    let folder = Folder::new();
    let key = "00".repeat(32);
    let environment = [
        ("PERENNIAL_LISTEN_HUAWEI", "127.0.0.1:0"),
        ("PERENNIAL_SECRETS_KEY", key.as_str()),
        ("PERENNIAL_LIMITS_LONG_HEADS_MAX", "8"),
        ("PERENNIAL_LIMITS_HEAD_SECONDS", "2"),
    ];
    let server = Served::start(&folder, &environment, &["--virtual-clock", "2026-01-01T00:00:00Z"]);
    let provider = server.provider_address.clone().unwrap();
    for (address, opening, body) in [(&server.address, "GET /healthz", ""), (&provider, "GET /v2/x", "{")] {
        assert_eq!(server.get("/readyz").status, 200);
        let before = memory_figure(&server, "VmHWM:");
        let head = format!("{opening} HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(60_000));
        let begun = (0..400).map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
            // Who is refused is not read to the end.
            let _ = stream.write_all(head.as_bytes());
            stream
        });
        let begun = begun.collect::<Vec<_>>();
        assert_eq!(server.get("/healthz").status, 200);
        let mut statuses = begun.into_iter().map(|mut stream| {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8(answer).unwrap();
            let (head, rest) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
            assert!(rest.starts_with(body), "{answer}");
            head["HTTP/1.1 ".len()..][..3].parse::<u16>().unwrap()
        });
        // Eight have places, for as long as their heads may take.
        let refused = statuses.by_ref().filter(|status| [429, 503].contains(status)).count();
        assert!(refused > 200, "{refused}");
        let grown = memory_figure(&server, "VmHWM:") - before;
        assert!(grown < 16 * 1024, "{grown} KiB");
    }
}

#[test]
fn a_body_that_does_not_come_in_time_is_told_so() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_BODY_SECONDS", "50ms")], &[]);
    let mut slow = server.begin("POST", "/v1/accounts", ACCOUNT.len());
    slow.write_all(b"{").unwrap();
    assert_eq!(finish(slow, "").kind(), "408 request-timeout");
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201, "and nothing of it was done");
}

#[test]
fn a_body_that_is_framed_wrong_is_told_so() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    for body in ["FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", "zz\r\n{}\r\n0\r\n\r\n"] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = server.head("POST", "/v1/accounts", 0);
        let head = head.replace("Content-Length: 0", "Transfer-Encoding: chunked");
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(finish(stream, body).kind(), "400 bad-request", "{body:?}");
    }
}

#[test]
fn clients_that_do_not_read_are_closed_and_keep_nobody_out() {
    let folder = Folder::new();
    let limits = [
        ("PERENNIAL_LIMITS_STALL_SECONDS", "1"),
        ("PERENNIAL_LIMITS_CONNECTIONS_MAX", "64"),
        ("PERENNIAL_LIMITS_CONNECTIONS_PER_ADDRESS_MAX", "100"),
    ];
    let server = Served::start(&folder, &limits, &[]);
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let silent = (0..64).map(|_| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    });
    let silent = silent.collect::<Vec<_>>();
    // Every place is taken, and each is taken by a client that has proved nothing.
    assert_eq!(server.get("/healthz").status, 200);
    for mut stream in silent {
        stream.set_nonblocking(true).unwrap();
        // Nothing is read, also here: a connection that was closed cannot be written to.
        until("it is closed", || match stream.write(b"G") {
            Ok(_) => None,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Err(_) => Some(()),
        });
    }
}

#[test]
fn an_address_has_so_many_connections_and_no_more() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[("PERENNIAL_LIMITS_CONNECTIONS_PER_ADDRESS_MAX", "4")], &[]);
    let idle = (0..4).map(|_| server.begin("POST", "/v1/accounts", 10)).collect::<Vec<_>>();
    let mut fifth = TcpStream::connect(&server.address).unwrap();
    let closed = fifth.read(&mut [0; 1]);
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    drop(idle);
    until("there is a place again", || {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = server.head("GET", "/healthz", 0);
        let mut text = String::new();
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut text));
        (sent.is_ok() && text.starts_with("HTTP/1.1 200")).then_some(())
    });
}

/// How much memory a server has, in KiB.
#[cfg(target_os = "linux")]
fn memory(server: &Served) -> i64 {
    memory_figure(server, "VmRSS:")
}

/// A figure of the system about the memory of a server, in KiB.
#[cfg(target_os = "linux")]
fn memory_figure(server: &Served, name: &str) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn memory_goes_back_after_bodies_that_are_wrong_everywhere() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    assert_eq!(server.get("/readyz").status, 200);
    let before = memory(&server);
    let items = vec![r#"{"colour": "red, blue, green", "id": "7777777777777777"}"#; 250_000].join(",");
    let body = format!("{{\"resources\": [{items}]}}");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = server.send("POST", "/v1/resources:import", &body);
                assert_eq!((answer.status, answer.body.len() < 64_000), (422, true));
            });
        }
    });
    until("the memory is given back", || {
        assert_eq!(server.get("/readyz").status, 200);
        (memory(&server) < before + 64 * 1024).then_some(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn many_large_bodies_at_once_take_ten_times_the_size_of_two() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    assert_eq!(server.get("/readyz").status, 200);
    let before = memory_figure(&server, "VmHWM:");
    // As many values as a body may have for its size, and more than that.
    let bodies = ["[],     ", "[],"].map(|item| {
        let items = item.repeat(12 * 1024 * 1024 / item.len());
        format!("{{\"resources\": [{items}[]]}}")
    });
    let size = i64::try_from(bodies[0].len() / 1024).unwrap();
    let clients = 8;
    std::thread::scope(|scope| {
        for client in 0..clients {
            let body = &bodies[client % 2];
            let server = &server;
            scope.spawn(move || {
                let status = server.send("POST", "/v1/resources:import", body).status;
                assert!([400, 422].contains(&status), "{status}");
            });
        }
    });
    let clients = i64::try_from(clients).unwrap();
    // Every body is held as it came, and two of them are read at once.
    let peak = memory_figure(&server, "VmHWM:");
    let most = clients * size + 2 * 10 * size;
    assert!(peak - before < most, "{} KiB of {most}", peak - before);
    assert!(peak - before > size, "the bodies were read");
}

#[test]
fn a_provider_takes_no_longer_body_than_the_limit_says() {
    let folder = Folder::new();
    let key = "00".repeat(32);
    let environment = [
        ("PERENNIAL_LISTEN_HUAWEI", "127.0.0.1:0"),
        ("PERENNIAL_SECRETS_KEY", key.as_str()),
        ("PERENNIAL_LIMITS_PROVIDER_BODY_BYTES_MAX", "1024"),
    ];
    let server = Served::start(&folder, &environment, &[]);
    for (length, status) in [(1_024, 404), (1_025, 413)] {
        let mut stream = TcpStream::connect(server.provider_address.as_ref().unwrap()).unwrap();
        let head = format!(
            "POST /v2/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(finish(stream, &" ".repeat(length)).status, status, "{length}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_providers_own_api_has_threads_of_its_own() {
    let folder = Folder::new();
    let key = "00".repeat(32);
    let environment = [("PERENNIAL_LISTEN_HUAWEI", "127.0.0.1:0"), ("PERENNIAL_SECRETS_KEY", key.as_str())];
    let server = Served::start(&folder, &environment, &[]);
    let apart = || {
        let threads = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
        // A thread may be gone by the time at which its name is asked for.
        let names =
            threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok());
        names.filter(|name| name.trim() == "provider-api").count()
    };
    until("one takes connections, and some serve them", || (apart() >= 2).then_some(()));
}

#[test]
fn slow_bodies_at_a_providers_listener_keep_nobody_out() {
    let folder = Folder::new();
    let key = "00".repeat(32);
    let environment = [
        ("PERENNIAL_LISTEN_HUAWEI", "127.0.0.1:0"),
        ("PERENNIAL_SECRETS_KEY", key.as_str()),
        ("PERENNIAL_LIMITS_CONCURRENCY_MAX", "1"),
        ("PERENNIAL_LIMITS_UNPROVED_PER_ADDRESS_MAX", "3"),
    ];
    let server = Served::start(&folder, &environment, &[]);
    let address = server.provider_address.clone().unwrap();
    let post = |length: usize| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = "POST /v2/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";
        write!(stream, "{head}Content-Length: {length}\r\n\r\n").unwrap();
        stream
    };
    let status = |answer: ApiResponse| answer.status;
    // With `Expect`, the body is asked for once it is to be read: then the request is under way.
    let slow = (0..3).map(|_| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = "POST /v2/x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut asked = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut asked).unwrap();
        stream
    });
    let mut slow = slow.collect::<Vec<_>>();
    assert_eq!(server.get("/v1/accounts").status, 200, "the admin API has places of its own");
    assert_eq!(status(finish(post(2), "{}")), 429, "an address has three such requests and no more");
    drop(slow.pop());
    until("one of them is gone", || (status(finish(post(2), "{}")) == 404).then_some(()));
}
