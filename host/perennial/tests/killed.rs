//! A server that is killed in the middle of a write, and the same request again.
//!
//! A program of its own: a process that is just being started inherits the locks of databases that other tests have open.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

const PROGRAM: &str = env!("CARGO_BIN_EXE_perennial");

fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(["--db", "test.db", "--cache", env!("CARGO_TARGET_TMPDIR")]);
    command.env_remove("RUST_LOG").env("PERENNIAL_LISTEN", "127.0.0.1:0").env("NO_COLOR", "1");
    command
}

/// A server process, and where it listens.
struct Served {
    child: Child,
    address: String,
}

fn serve(folder: &Path) -> Served {
    let mut command = program(folder);
    command.args(["serve", "--virtual-clock", "2026-01-01T00:00:00Z"]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("address=") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended before it served");
    }
    let address = line.trim().rsplit_once("address=").unwrap().1.to_owned();
    // Nobody reads the rest, and a full pipe must not stop the server.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Served { child, address }
}

impl Served {
    /// Sends a request without waiting for its answer.
    fn send(&self, token: &str, method: &str, path: &str, key: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    fn answer(&self, token: &str, method: &str, path: &str, key: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(token, method, path, key, body).read_to_string(&mut answer).unwrap();
        answer
    }

    fn kill(mut self) {
        // On Unix this is SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_write_that_was_killed_and_sent_again_happened_once() {
    let folder = tempfile::tempdir().unwrap();
    let made = program(folder.path())
        .args(["token", "create", "--name", "test", "--role", "admin"])
        .output()
        .unwrap();
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let account = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;
    let server = serve(folder.path());
    assert!(server.answer(&token, "POST", "/v1/accounts", "make", account).starts_with("HTTP/1.1 201"));
    let mut server = server;
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
    let job = r#"{"command": {"renew": {}}, "filter": {}}"#;
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
    assert_eq!(done["answers"]["carried_out"], COUNT);
    assert_eq!(
        done["costs"],
        serde_json::json!([{ "currency": "CNY", "cost": "2000.00", "refund": "0.00" }])
    );
    let account = body(&server.answer(&token, "GET", "/v1/accounts/a", "get", ""));
    assert_eq!(account["balance"], "3000.00");
    server.kill();
}
