//! `perennial demo --serve`: the console on the year that was played, from the first line that it says to its end.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;

use crate::support::Folder;

/// What the console answers to a request.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let (line, rest) = request.split_once("\r\n").unwrap();
    write!(stream, "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{rest}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_demo_opens_the_console_on_the_year_and_keeps_nothing() {
    let folder = Folder::new();
    let mut command = folder.program();
    command.args(["demo", "--serve", "--listen", "127.0.0.1:0", "--until", "2026-02-20T00:00:00Z"]);
    let mut child =
        command.env("RUST_LOG", "off").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let address = first.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let tokens = lines.by_ref().take(2).map(|line| line.split_whitespace().nth(1).unwrap().to_owned());
    let tokens = tokens.collect::<Vec<_>>();
    let body = format!("token={}", tokens[0]);
    let head = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length";
    let signed_in = ask(&address, &format!("POST /sign-in\r\n{head}: {}\r\n\r\n{body}", body.len()));
    assert!(signed_in.starts_with("HTTP/1.1 303"), "{signed_in}");
    let cookie = signed_in.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
    let page = ask(&address, &format!("GET /clock\r\nCookie: {cookie}\r\n\r\n"));
    assert!(page.contains("2026-02-20 00:00 UTC") && page.contains("Move the clock"), "{page}");
    let events = ask(&address, &format!("GET /events?type=renewal_settled\r\nCookie: {cookie}\r\n\r\n"));
    assert!(events.contains("<span>renewal settled</span>"), "{events}");
    let ended = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let left = std::fs::read_dir(folder.path(".")).unwrap().count();
    assert_eq!(left, 0, "the demo leaves something behind");
}
