//! Connections as their clients see them: long heads, and requests that come at once.

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;

use super::*;
use crate::server::Pace;
use perennial_service::limits::Limits;

/// Requests that come at once.
const PIPELINED: usize = 100;
/// What lies between the host and its client, in bytes: more than all requests, and less than one response.
const BETWEEN: usize = 16_384;

/// What serves one connection from this machine.
fn client(router: Router, limits: ConnectionLimits, long_heads: LongHeads) -> Client {
    Client {
        router,
        address: ClientAddress::of(Ipv4Addr::LOCALHOST.into()),
        is_authenticated: IsAuthenticated::default(),
        stage: ExchangeStage::default(),
        backlog: Backlog::default(),
        limits,
        long_heads,
        turns: Turns::new(),
        refusals: None,
    }
}

fn patient() -> ConnectionLimits {
    let patience = Duration::from_secs(60);
    ConnectionLimits {
        head: patience,
        pace: Pace { stall: patience, response: patience },
        ..ConnectionLimits::of(&Limits::DEFAULT)
    }
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work);
}

/// A connection that answers nothing of interest, and says `refusals`.
fn connect(
    limits: ConnectionLimits,
    long_heads: &LongHeads,
    refusals: Option<&Arc<Refusals>>,
) -> DuplexStream {
    let router = Router::new().fallback(|_: Bytes| std::future::ready("well"));
    let refusals = refusals.cloned();
    let client = Client { refusals, ..client(router, limits, long_heads.clone()) };
    let (theirs, ours) = tokio::io::duplex(BETWEEN);
    // It ends with the runtime.
    tokio::spawn(async move {
        let graceful = GracefulShutdown::new();
        client.serve(ours, graceful.watcher()).await;
    });
    theirs
}

/// Sends some bytes, and has them read as far as that goes.
async fn send(stream: &mut DuplexStream, bytes: &str) {
    stream.write_all(bytes.as_bytes()).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Everything that is answered until the connection ends.
async fn answered(mut stream: DuplexStream) -> String {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    String::from_utf8(read).unwrap()
}

fn refusals() -> Arc<Refusals> {
    let [malformed, too_long, busy] = ["malformed", "too long", "busy"].map(|word| word.as_bytes().to_vec());
    Arc::new(Refusals { malformed, too_long, busy })
}

#[test]
fn a_long_head_waits_for_a_place_and_has_it_until_its_connection_ends() {
    let hurried = ConnectionLimits { head: Duration::from_millis(50), ..patient() };
    let waiting = ConnectionLimits { head: Duration::from_secs(1), ..patient() };
    run(async {
        for refusals in [None, Some(refusals())] {
            let refusals = refusals.as_ref();
            let heads = LongHeads::new(1, 1);
            let begun = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(5_000));
            let mut first = connect(patient(), &heads, refusals);
            send(&mut first, &begun).await;
            let mut second = connect(hurried, &heads, refusals);
            send(&mut second, &begun).await;
            let refused = answered(second).await;
            let expected = if refusals.is_some() { "busy" } else { "HTTP/1.1 503 " };
            assert!(refused.starts_with(expected), "{refused}");
            let mut third = connect(waiting, &heads, refusals);
            send(&mut third, &begun).await;
            send(&mut third, "\r\n\r\n").await;
            send(&mut first, "\r\n\r\n").await;
            // Both are closed, so that nothing stays of their heads.
            for served in [answered(first).await, answered(third).await] {
                assert!(
                    served.starts_with("HTTP/1.1 200 ") && served.contains("connection: close"),
                    "{served}"
                );
            }
            let mut late = connect(hurried, &heads, refusals);
            send(&mut late, &begun).await;
            let late = answered(late).await;
            let expected = if refusals.is_some() { "malformed" } else { "HTTP/1.1 408 " };
            assert!(late.starts_with(expected), "{late}");
        }
    });
}

#[test]
fn short_heads_and_whole_ones_take_no_place() {
    run(async {
        let mut stream = connect(patient(), &LongHeads::new(0, 0), None);
        // A head that comes at once is read at once; what follows it is no head.
        let get = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(6_000));
        let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n".to_owned();
        let rest =
            ["x".repeat(3_000), "x".repeat(3_000), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".into()];
        for piece in [get, post].iter().chain(&rest) {
            send(&mut stream, piece).await;
        }
        assert_eq!(answered(stream).await.matches("HTTP/1.1 200 ").count(), 3);
    });
}

#[test]
fn a_head_that_is_too_long_is_told_so_and_is_not_held() {
    run(async {
        let limits = ConnectionLimits { head_bytes_max: 8_192, head_fields_max: 16, ..patient() };
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9_000));
        let many = format!("GET / HTTP/1.1\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(16));
        for bytes in [long, many] {
            for refusals in [None, Some(refusals())] {
                let mut stream = connect(limits, &LongHeads::new(1, 1), refusals.as_ref());
                send(&mut stream, &bytes).await;
                let refused = answered(stream).await;
                let expected = if refusals.is_some() { "too long" } else { "HTTP/1.1 431 " };
                assert!(refused.starts_with(expected), "{refused}");
            }
        }
    });
}

#[test]
fn of_requests_that_come_at_once_one_begins_while_nothing_is_read() {
    let begun = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&begun);
    let router = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        // The library itself waits for a body to be taken, and not for a head.
        std::future::ready(([("x-much", "x".repeat(BETWEEN))], ()))
    });
    let client = client(router, patient(), LongHeads::new(1, 1));
    run(async {
        let (mut theirs, ours) = tokio::io::duplex(BETWEEN);
        let graceful = GracefulShutdown::new();
        let serving = tokio::spawn(client.serve(ours, graceful.watcher()));
        let request = |number| {
            let last = if number == PIPELINED { "Connection: close\r\n" } else { "" };
            format!("GET /{number} HTTP/1.1\r\nHost: x\r\n{last}\r\n")
        };
        let requests = (1..=PIPELINED).map(request).collect::<String>();
        assert!(requests.len() < BETWEEN);
        theirs.write_all(requests.as_bytes()).await.unwrap();
        // As far as it gets by itself.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        let mut read = Vec::new();
        theirs.read_to_end(&mut read).await.unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), PIPELINED);
        assert!(read.len() > PIPELINED * BETWEEN);
        serving.await.unwrap();
    });
}
