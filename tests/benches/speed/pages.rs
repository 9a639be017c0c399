//! Every page of the console over many resources: how long its answer takes, and what it weighs.
//!
//! The server is the whole program; a browser without script asks it, one page after the other.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::server;
use crate::server::Server;
use crate::simulation;

/// What a page may take.
const TIME_MAX: Duration = Duration::from_millis(300);
/// What a page may weigh, in bytes.
const WEIGHT_MAX: usize = 300_000;
/// The pages, but for the forecast, which says what it waits for.
const PAGES: [&str; 19] = [
    "/",
    "/renewals",
    "/resources",
    "/resources?sort=price",
    "/resources?stage=active&sort=expires_at",
    "/resources/{}",
    "/resources/{}/plan?command=renew",
    "/accounts",
    "/approvals",
    "/jobs",
    "/calendar",
    "/calendar?months=12",
    "/events",
    "/policies",
    "/plugins",
    "/webhooks",
    "/channels",
    "/tokens",
    "/audit",
];

/// Prints the time and the weight of each page.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inventory = simulation::inventory(arguments.resources.div_ceil(3));
    let id = inventory.bundles[0].bundle.members[0].id.clone();
    let db = server::database(folder.path(), &inventory)?;
    let server = Server::start(folder.path(), &db, &[])?;
    server.settle()?;
    let session = sign_in(&server)?;
    let how = format!(
        "{} resources; best of {} rounds; weight in kB",
        arguments.resources.div_ceil(3) * 3,
        arguments.rounds
    );
    figures::title("The pages of the console", &how);
    for path in PAGES {
        let path = path.replace("{}", &id);
        let (mut best, mut weight) = (Duration::MAX, 0);
        for _ in 0..arguments.rounds {
            let (took, page) = figures::time(|| open(&server, &session, &path));
            figures::keep_best(&mut best, took);
            weight = page?;
        }
        figures::row(&path, best, "what a page may take", TIME_MAX, Some(1.0));
        let (kilobytes, most) = (weight as f64 / 1000.0, WEIGHT_MAX as f64 / 1000.0);
        let (figure, other) = (format!("{kilobytes:.0} kB"), format!("{most:.0} kB"));
        let reach = Some(Reach::AtMost(1.0));
        figures::cells("  its weight", &figure, "what a page may weigh", &other, kilobytes / most, reach);
    }
    Ok(())
}

/// The cookie of a session.
fn sign_in(server: &Server) -> anyhow::Result<String> {
    let body = format!("token={}", server.token);
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(server, &request)?;
    let head = String::from_utf8_lossy(&answer).into_owned();
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    Ok(cookie.with_context(|| format!("nobody is signed in: {head}"))?.to_owned())
}

/// Opens a page, and returns its weight without its head.
fn open(server: &Server, session: &str, path: &str) -> anyhow::Result<usize> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nCookie: {session}\r\n\r\n");
    let answer = exchange(server, &request)?;
    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("an answer has a head")?;
    Ok(answer.len() - end - 4)
}

fn exchange(server: &Server, request: &str) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
