//! Every page of the console over many resources: how long its answer takes, and what it weighs.
//!
//! The server is the whole program; a browser without script asks it, one page after the other.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_formats::inventory::Inventory;
use perennial_http::console;
use serde_json::json;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::server;
use crate::server::Server;
use crate::simulation;
use crate::world;

/// What a page may take.
const TIME_MAX: Duration = Duration::from_millis(300);
/// What a page may weigh, in bytes.
const WEIGHT_MAX: usize = 300_000;
/// The page that says what it waits for; all others are held to what a page may take.
const WAITS: &str = "/forecast";
/// The same pages asked otherwise.
const VARIANTS: [&str; 3] =
    ["/resources?sort=price", "/resources?stage=active&sort=expires_at", "/calendar?months=12"];

/// How many days are played before that, with balances that last for some of them.
const DAYS_LIVED: i64 = 75;
/// What each account has for each of its resources, in millionths.
const SHORT_BALANCE: i64 = 60_000_000;

/// The page of a change of what is bound, which says of what in its query.
const CHANGE: &str = "/plugins/change";

/// The address of a page of one thing, by the path at which it is routed.
type Examples = BTreeMap<&'static str, String>;

/// The addresses of all pages.
fn addresses(examples: &Examples) -> Vec<String> {
    let pages = console::page_paths().into_iter().filter(|route| *route != WAITS);
    let pages = pages.map(|route| examples.get(route).cloned().unwrap_or(route.to_owned()));
    pages.chain(VARIANTS.map(str::to_owned)).collect()
}

/// Prints the time and the weight of each page, over many new resources and over a tenth of them after some months.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let bundles = arguments.resources.div_ceil(3);
    let folder = tempfile::tempdir()?;
    let inventory = simulation::inventory(bundles);
    let server = Server::start(folder.path(), &server::database(folder.path(), &inventory)?, &[])?;
    server.settle()?;
    install_policy(&server)?;
    let pages = addresses(&furnish(&server, &inventory)?);
    print(arguments, &server, &format!("The pages of the console; {} resources", bundles * 3), &pages)?;
    drop(server);
    let (folder, bundles) = (tempfile::tempdir()?, bundles.div_ceil(10));
    let (server, pages) = lived_in(folder.path(), bundles)?;
    let title = format!("The same after {DAYS_LIVED} days with too little money; {} resources", bundles * 3);
    print(arguments, &server, &title, &pages)
}

/// A server that has been run for some months on too little money, and its pages.
fn lived_in(folder: &Path, bundles: u32) -> anyhow::Result<(Server, Vec<String>)> {
    let mut inventory = simulation::inventory(bundles);
    let share = i64::from(bundles) * 3 / i64::try_from(inventory.accounts.len())?.max(1);
    for account in &mut inventory.accounts {
        account.balance = Balance::new(Micros::new(share * SHORT_BALANCE), Micros::ZERO);
        account.budget = Some(Micros::new(share * SHORT_BALANCE));
    }
    let server = Server::start(folder, &server::database(folder, &inventory)?, &[])?;
    install_policy(&server)?;
    for day in 1..=DAYS_LIVED {
        let to = json!({ "to": (world::START + day * 86_400).to_string() });
        server.send("POST", "/v1/clock:advance", &to.to_string())?;
    }
    let pages = addresses(&furnish(&server, &inventory)?);
    Ok((server, pages))
}

fn install_policy(server: &Server) -> anyhow::Result<()> {
    let policy = json!({
        "file": "[[policy]]\nname = \"shadow\"\nscript = \"s.rhai\"\nmode = \"shadow\"\n",
        "scripts": { "s.rhai": "fn rule(plan) {\n    deny(\"it is a trial\")\n}\n" },
    });
    server.send("POST", "/v1/policies", &policy.to_string())?;
    Ok(())
}

/// Makes one of everything that has a page, and says where each is.
fn furnish(server: &Server, inventory: &Inventory) -> anyhow::Result<Examples> {
    let (resource, account) = (&inventory.bundles[0].bundle.members[0].id, &inventory.bundles[0].account);
    let answered = |method: &str, path: &str, body: &str, id: &str| -> anyhow::Result<String> {
        let answer = serde_json::from_slice::<serde_json::Value>(&server.send(method, path, body)?)?;
        let found = answer.pointer(id).and_then(|id| id.as_str().map(str::to_owned));
        found.with_context(|| format!("{path} is answered {answer}"))
    };
    let made = |path: &str, body: serde_json::Value, id: &str| answered("POST", path, &body.to_string(), id);
    let webhook = made("/v1/webhooks", json!({ "url": "https://example.com/hook" }), "/webhook/id")?;
    let channel = json!({ "kind": "slack", "url": "https://hooks.slack.com/services/x" });
    let channel = made("/v1/channels", channel, "/id")?;
    let job = json!({ "command": "cancel_auto_renew", "filter": { "account": account }, "dry_run": true });
    let job = made("/v1/jobs", job, "/id")?;
    let limit = json!({ "approval_above": "0.01" });
    server.send("PATCH", &format!("/v1/accounts/{account}"), &limit.to_string())?;
    let approval = made(&format!("/v1/resources/{resource}:renew"), json!({}), "/approval/id")?;
    let digest = answered("GET", "/v1/plugins/revisions", "", "/items/0/digest")?;
    let examples = Examples::from([
        ("/resources/{id}", format!("/resources/{resource}")),
        ("/resources/{id}/plan", format!("/resources/{resource}/plan?command=cancel_auto_renew")),
        ("/accounts/{id}", format!("/accounts/{account}")),
        ("/approvals/{id}", format!("/approvals/{approval}")),
        ("/jobs/{id}", format!("/jobs/{job}")),
        ("/policies/{name}", "/policies/shadow".to_owned()),
        ("/webhooks/{id}", format!("/webhooks/{webhook}")),
        ("/channels/{id}", format!("/channels/{channel}")),
        ("/plugins/revisions/{digest}", format!("/plugins/revisions/{digest}")),
        (CHANGE, format!("{CHANGE}?do=bind&digest={digest}&accounts={account}&mode=shadow")),
    ]);
    let has_page = |route: &&str| (route.contains('{') || *route == CHANGE) && !examples.contains_key(route);
    let forgotten = console::page_paths().into_iter().filter(has_page).collect::<Vec<_>>();
    anyhow::ensure!(forgotten.is_empty(), "these pages are not measured: {forgotten:?}");
    Ok(examples)
}

fn print(arguments: &Arguments, server: &Server, title: &str, pages: &[String]) -> anyhow::Result<()> {
    let session = sign_in(server)?;
    figures::title(title, &format!("best of {} rounds; weight in kB", arguments.rounds));
    for path in pages {
        let (mut best, mut weight) = (Duration::MAX, 0);
        for _ in 0..arguments.rounds {
            let (took, page) = figures::time(|| open(server, &session, path));
            figures::keep_best(&mut best, took);
            weight = page?;
        }
        figures::row(path, best, "what a page may take", TIME_MAX, Some(1.0));
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
