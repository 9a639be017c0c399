//! A server that is killed: in the middle of a write, and the same request again; and while it sends to a webhook
//! or to a channel.
//!
//! A program of its own: a process that is just being started inherits the locks of databases that other tests have open.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::served::Served;
use crate::served::make_token;
use crate::served::program;
use crate::served::serve;
use crate::served::serve_as;

#[path = "support/served.rs"]
mod served;

fn make_account(server: &Served, token: &str) {
    let account = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;
    assert!(server.answer(token, "POST", "/v1/accounts", "make", account).starts_with("HTTP/1.1 201"));
}

/// What a webhook sends to: answers 500 to the first message and 200 to all others, and gives their ids.
fn receive() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let (out, ids) = mpsc::channel();
    std::thread::spawn(move || {
        let mut status = "500 Internal Server Error";
        for stream in listener.incoming() {
            let mut lines = BufReader::new(stream.unwrap());
            let (mut id, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                // A server that is killed leaves a message half sent.
                if lines.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                match line.trim_end().split_once(": ") {
                    Some(("webhook-id", value)) => id = value.to_owned(),
                    Some(("content-length", value)) => length = value.parse().unwrap(),
                    None if line.trim_end().is_empty() => break,
                    Some(_) | None => {}
                }
            }
            if lines.read_exact(&mut vec![0; length]).is_ok() && length > 0 {
                let answered = write!(lines.into_inner(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                status = "200 OK";
                // Whether whoever sent it is still there to read the answer does not matter.
                drop((answered, out.send(id)));
            }
        }
    });
    (url, ids)
}

#[test]
fn a_webhook_gets_every_event_in_order_however_often_its_host_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let token = make_token(folder.path());
    let serve =
        || serve_as(program(folder.path()).arg("serve").env("PERENNIAL_WEBHOOKS_ALLOW_PRIVATE", "true"));
    let mut server = serve();
    make_account(&server, &token);
    let (url, ids) = receive();
    let webhook = format!(r#"{{"url": "{url}", "types": ["balance_changed"]}}"#);
    assert!(server.answer(&token, "POST", "/v1/webhooks", "webhook", &webhook).starts_with("HTTP/1.1 201"));
    let happen = |server: &Served, key: String| {
        let answer = server.answer(&token, "POST", "/v1/accounts/a:top-up", &key, r#"{"amount": "1.00"}"#);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let next = || ids.recv_timeout(Duration::from_secs(60)).expect("a message within a minute");
    happen(&server, "first".to_owned());
    let first = next();
    assert_eq!(next(), first, "what failed comes again, some seconds later");
    let mut seen = vec![first];
    let rounds = 8;
    for round in 0..rounds {
        (0..5).for_each(|number| happen(&server, format!("{round}-{number}")));
        if round % 2 == 1 {
            // Killed while it sends, and not only before.
            seen.push(next());
        }
        server.kill();
        server = serve();
    }
    happen(&server, "last".to_owned());
    let expected = rounds * 5 + 2;
    let distinct = |seen: &[String]| {
        let mut distinct = Vec::new();
        for id in seen {
            if !distinct.contains(id) {
                distinct.push(id.clone());
            }
        }
        distinct
    };
    while distinct(&seen).len() < expected {
        seen.push(next());
    }
    let number = |id: &String| u32::from_str_radix(&id[1..], 16).unwrap();
    assert!(distinct(&seen).iter().map(number).is_sorted(), "{seen:?}");
    server.kill();
}

/// A robot that never answers the first `silences` messages and takes all others; gives their texts.
fn robot(silences: usize) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/robot", listener.local_addr().unwrap());
    let (out, texts) = mpsc::channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut lines = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 || line.trim_end().is_empty() {
                    break;
                }
                if let Some(("content-length", value)) = line.trim_end().split_once(": ") {
                    length = value.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            if lines.read_exact(&mut body).is_err() || length == 0 {
                continue;
            }
            let mut stream = lines.into_inner();
            if silent.len() < silences {
                silent.push(stream);
            } else {
                let taken = r#"{"errcode":0}"#;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", taken.len());
                drop(write!(stream, "{head}{taken}"));
            }
            drop(out.send(String::from_utf8(body).unwrap()));
        }
    });
    (url, texts)
}

#[test]
fn an_event_is_one_message_to_a_channel_although_its_host_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let token = make_token(folder.path());
    let serve =
        || serve_as(program(folder.path()).arg("serve").env("PERENNIAL_WEBHOOKS_ALLOW_PRIVATE", "true"));
    let mut server = serve();
    make_account(&server, &token);
    let ((url, texts), (other, alarms)) = (robot(1), robot(0));
    let channel =
        format!(r#"{{"kind": "wecom", "url": "{url}", "types": ["balance_changed"], "severity": "info"}}"#);
    let made = server.answer(&token, "POST", "/v1/channels", "channel", &channel);
    let id = made.split_once(r#""id":""#).unwrap().1.split('"').next().unwrap().to_owned();
    let alarm = format!(r#"{{"kind": "wecom", "url": "{other}", "types": ["notice"]}}"#);
    assert!(server.answer(&token, "POST", "/v1/channels", "other", &alarm).starts_with("HTTP/1.1 201"));
    let top_up = |server: &Served, key: &str, amount: &str| {
        let body = format!(r#"{{"amount": "{amount}"}}"#);
        let answer = server.answer(&token, "POST", "/v1/accounts/a:top-up", key, &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let wait = Duration::from_secs(60);
    top_up(&server, "first", "1.00");
    let first = texts.recv_timeout(wait).expect("a message within a minute");
    assert!(first.contains("balance +1.00"), "{first}");
    server.kill();
    server = serve();
    let alarm = alarms.recv_timeout(wait).expect("an alarm within a minute");
    assert!(alarm.contains(&id) && alarm.contains("the host ended while it was sent"), "{alarm}");
    let list = server.answer(&token, "GET", &format!("/v1/channels/{id}/deliveries"), "list", "");
    assert!(list.contains(r#""state":"in_doubt""#), "{list}");
    top_up(&server, "second", "2.00");
    let second = texts.recv_timeout(wait).expect("a message within a minute");
    assert!(second.contains("balance +2.00") && !second.contains("balance +1.00"), "{second}");
    assert!(texts.try_recv().is_err(), "nothing is sent twice");
    server.kill();
}

#[test]
fn a_write_that_was_killed_and_sent_again_happened_once() {
    let folder = tempfile::tempdir().unwrap();
    let token = make_token(folder.path());
    let mut server = serve(folder.path());
    make_account(&server, &token);
    let top_up = "/v1/accounts/a:top-up";
    let body = r#"{"amount": "1.00"}"#;
    let rounds = 12;
    for round in 0..rounds {
        let key = format!("key-{round}");
        let mut stream = server.send(&token, "POST", top_up, &key, body);
        // Killed at once, or after so many requests more: before, while and after it is written.
        for other in 0..round {
            drop(server.send(&token, "GET", "/healthz", &format!("other-{other}"), ""));
        }
        server.kill();
        drop(stream.read_to_string(&mut String::new()));
        server = serve(folder.path());
        assert!(server.answer(&token, "POST", top_up, &key, body).starts_with("HTTP/1.1 200"));
    }
    let account = server.answer(&token, "GET", "/v1/accounts/a", "get", "");
    assert!(account.contains(&format!("\"balance\":\"{rounds}.00\"")), "{account}");
    server.kill();
}

/// The body of an answer.
fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn each_item_of_a_job_is_done_once_however_often_the_host_is_killed() {
    const COUNT: usize = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let made = program(folder.path())
        .args(["token", "create", "--name", "test", "--role", "admin"])
        .output()
        .unwrap();
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let resource = |number: usize| {
        serde_json::json!({
            "id": format!("ecs-{number}"), "account": "a", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "1.00",
        })
    };
    let inventory = serde_json::json!({
        "accounts": [{ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "5000.00" }],
        "resources": (0..COUNT).map(resource).collect::<Vec<_>>(),
    });
    let mut server = serve(folder.path());
    let import = server.answer(&token, "POST", "/v1/resources:import", "import", &inventory.to_string());
    assert!(import.starts_with("HTTP/1.1 200"), "{import}");
    let job = r#"{"command": {"renew": {}}, "filter": {"account": "a"}}"#;
    let mut kills = 0;
    loop {
        // The same key: the job is taken on once, whether its answer came or not.
        let taken = server.answer(&token, "POST", "/v1/jobs", "job", job);
        assert!(taken.starts_with("HTTP/1.1 202"), "{taken}");
        let seen = body(&server.answer(&token, "GET", "/v1/jobs/job-1", "get", ""));
        if seen["state"] == "done" {
            break;
        }
        if kills < 8 {
            server.kill();
            kills += 1;
            server = serve(folder.path());
        }
    }
    assert!(kills > 1, "it was killed on its way");
    let done = body(&server.answer(&token, "GET", "/v1/jobs/job-1", "get", ""));
    assert_eq!(done["outcomes"]["applied"], COUNT);
    assert_eq!(
        done["costs"],
        serde_json::json!([{ "currency": "CNY", "cost": "2000.00", "refund": "0.00" }])
    );
    let account = body(&server.answer(&token, "GET", "/v1/accounts/a", "get", ""));
    assert_eq!(account["balance"], "3000.00");
    server.kill();
}
