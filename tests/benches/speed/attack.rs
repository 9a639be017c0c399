//! The admin API while somebody attacks its listeners: the slowest hundredth of reads and writes against that in peace, and the
//! memory that is left over.
//!
//! Each attack holds 2,000 connections, or fewer that never rest, from as many addresses as it takes to be let in, and opens
//! another one for each that the host closes. The attacker is this process; the load comes from another one.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;

use crate::arguments::Arguments;
use crate::figures;
use crate::figures::Reach;
use crate::load;
use crate::load::Load;
use crate::server;
use crate::server::Server;
use crate::simulation;

/// Bundles of three in the database.
const BUNDLES: u32 = 1_000;
/// Connections of an attack.
const ATTACKERS: usize = 2_000;
/// Connections of an attack that asks again and again.
const RESTLESS: usize = 500;
/// Connections of one address: fewer than it may have, also of requests to a provider that prove nothing yet.
const PER_ADDRESS: usize = 60;
/// Connections that the load has meanwhile.
const CONNECTIONS: u32 = 8;
/// How long an attacker that was closed waits before it connects again, and one that was answered before it asks again: so that 2,000 are open most of the time, and it is not
/// the making of connections that takes up the processors that both share.
const COMES_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What the slowest hundredth may take, against peace.
const REACH: f64 = 3.0;
/// What may be left over of memory, in MiB.
const MEMORY_REACH: f64 = 64.0;
/// How long memory has to come back, in seconds: the host gives it back every ten.
const GIVEN_BACK_AFTER: u64 = 25;

/// What each connection of an attack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attack {
    /// It connects, and says nothing.
    Silent,
    /// It asks once, and then says nothing.
    KeptAlive,
    /// Its head comes a line at a time.
    SlowHead,
    /// Its head has no end.
    EndlessHead,
    /// Its head is as long as it may be, comes in pieces, and has an end; then nothing more comes.
    LongHead,
    /// Its body never comes; it proves nothing first.
    SlowBody,
    /// The form to sign in to the console never comes.
    SlowForm,
    /// Its body comes in chunks that are none, or that say more than they hold.
    BrokenChunks,
    /// It asks for much, and reads nothing.
    Unread,
    /// It asks a hundred times at once, and reads nothing.
    Pipelined,
    /// It listens to events, of which there are none.
    IdleStream,
    /// It asks for every event since the beginning, and reads nothing.
    SlowStream,
    /// It sends what is no HTTP, again and again.
    Garbage,
    /// It begins as HTTP/2 does.
    Preface,
    /// It guesses tokens, one after the other.
    WrongToken,
    /// It reads the description of the API, again and again.
    Description,
}

/// One row of the table of attacks.
struct Kind {
    attack: Attack,
    /// What they do.
    name: &'static str,
    /// Whether they do it to a provider's own API, instead of the admin API.
    is_provider: bool,
    /// How many there are.
    attackers: usize,
}

const fn admin(attack: Attack, name: &'static str) -> Kind {
    Kind { attack, name, is_provider: false, attackers: ATTACKERS }
}

const fn provider(attack: Attack, name: &'static str) -> Kind {
    Kind { is_provider: true, ..admin(attack, name) }
}

const KINDS: [Kind; 21] = [
    admin(Attack::Silent, "say nothing"),
    admin(Attack::KeptAlive, "ask once and say nothing more"),
    admin(Attack::SlowHead, "send their heads slowly"),
    provider(Attack::SlowHead, "send a provider their heads slowly"),
    admin(Attack::EndlessHead, "send heads without end"),
    provider(Attack::EndlessHead, "send a provider heads without end"),
    admin(Attack::LongHead, "send long heads and stay"),
    provider(Attack::LongHead, "send a provider long heads and stay"),
    provider(Attack::SlowBody, "owe a provider their bodies"),
    admin(Attack::SlowForm, "owe the form to sign in with"),
    provider(Attack::BrokenChunks, "send a provider broken chunks"),
    admin(Attack::Unread, "do not read what they ask for"),
    admin(Attack::Pipelined, "pipeline and do not read"),
    provider(Attack::Pipelined, "pipeline to a provider, do not read"),
    admin(Attack::IdleStream, "listen to events"),
    admin(Attack::SlowStream, "do not read the events they ask for"),
    admin(Attack::Garbage, "speak no HTTP"),
    provider(Attack::Garbage, "speak no HTTP to a provider"),
    provider(Attack::Preface, "speak HTTP/2 to a provider"),
    Kind { attackers: RESTLESS, ..admin(Attack::WrongToken, "guess tokens") },
    Kind { attackers: RESTLESS, ..admin(Attack::Description, "read the description") },
];

/// Prints what becomes of reads, writes and memory under each attack.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let inventory = simulation::inventory(BUNDLES);
    let resources = inventory.bundles.iter().map(|imported| imported.bundle.members[0].id.clone()).collect();
    let accounts = inventory.accounts.iter().map(|account| account.id.clone()).collect();
    let db = server::database(folder.path(), &inventory)?;
    raise_files()?;
    let stranger: Arc<str> = server::token(folder.path(), &db, "viewer")?.into();
    let (server, provider) = Server::start_with(folder.path(), &db, "huawei")?;
    server.settle()?;
    let how = format!(
        "{ATTACKERS} hostile connections of each kind; what 99 of 100 requests take at most over {CONNECTIONS} other connections"
    );
    figures::title("Under attack", &how);
    let loads = [
        ("reads", load_of(&server, "GET", "/v1/resources/{}", resources, "")),
        ("writes", load_of(&server, "POST", "/v1/accounts/{}:top-up", accounts, r#"{"amount": "1.00"}"#)),
    ];
    let loads = loads.map(|(name, load)| (name, Load { seconds: arguments.seconds, ..load }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for kind in KINDS.iter().filter(|kind| kind.name.contains(&arguments.kind)) {
        let peace = slowest(&loads, arguments.rounds)?;
        let before = server.resident_kib();
        let address = if kind.is_provider { provider } else { server.address };
        let held = Arc::new(AtomicUsize::new(0));
        let hold = |number| {
            let (held, stranger) = (Arc::clone(&held), Arc::clone(&stranger));
            runtime.spawn(hold(kind.attack, address, number, held, stranger))
        };
        let attackers = (0..kind.attackers).map(hold).collect::<Vec<_>>();
        wait_for(&held, kind.attackers)?;
        let under_attack = slowest(&loads, arguments.rounds)?;
        attackers.iter().for_each(tokio::task::JoinHandle::abort);
        for (((load, _), took), in_peace) in loads.iter().zip(under_attack).zip(peace) {
            let what = format!("{load} while {} {}", kind.attackers, kind.name);
            figures::row(&what, took, "the same in peace", in_peace, Some(REACH));
        }
        print_memory(&server, kind, before);
    }
    Ok(())
}

fn load_of(server: &Server, method: &str, path: &str, ids: Vec<String>, body: &str) -> Load {
    Load {
        address: server.address,
        method: method.to_owned(),
        path: path.to_owned(),
        ids,
        body: body.to_owned(),
        token: server.token.clone(),
        key: None,
        first: 0,
        connections: CONNECTIONS,
        seconds: 1,
    }
}

/// What 99 of 100 take at most, of each load: the best of a few rounds.
fn slowest(loads: &[(&str, Load)], rounds: u32) -> anyhow::Result<Vec<Duration>> {
    let best = |load: &Load| {
        let rounds = (0..rounds).map(|_| Ok(Duration::from_secs_f64(load::put(load)?.p99)));
        let rounds = rounds.collect::<anyhow::Result<Vec<_>>>()?;
        rounds.into_iter().min().context("there is a round")
    };
    loads.iter().map(|(_, load)| best(load)).collect()
}

/// Waits until most of the connections were open once.
fn wait_for(held: &AtomicUsize, attackers: usize) -> anyhow::Result<()> {
    let since = Instant::now();
    while held.load(Ordering::Relaxed) < attackers * 9 / 10 {
        let found = held.load(Ordering::Relaxed);
        anyhow::ensure!(since.elapsed() < Duration::from_secs(60), "only {found} connections were opened");
        std::thread::yield_now();
    }
    Ok(())
}

/// The memory that is left over: the least that the server has within the time in which it gives back what is free.
fn print_memory(server: &Server, kind: &Kind, before: u64) {
    let since = Instant::now();
    let mut least = u64::MAX;
    while since.elapsed() < Duration::from_secs(GIVEN_BACK_AFTER) && least > before {
        least = least.min(server.resident_kib());
        std::thread::yield_now();
    }
    let grown = least.saturating_sub(before) as f64 / 1024.0;
    let mib = |kib: u64| format!("{:.0} MiB", kib as f64 / 1024.0);
    let what = format!("memory after {} {}", kind.attackers, kind.name);
    figures::cells(
        &what,
        &mib(least),
        "before, and the difference in MiB",
        &mib(before),
        grown,
        Some(Reach::AtMost(MEMORY_REACH)),
    );
}

/// Holds one connection of an attack, and opens another soon after the host closes it.
async fn hold(attack: Attack, address: SocketAddr, number: usize, held: Arc<AtomicUsize>, token: Arc<str>) {
    let opening = opening(attack, number, &token);
    let mut is_counted = false;
    loop {
        if let Ok(stream) = connect(address, number).await {
            if !is_counted {
                is_counted = true;
                held.fetch_add(1, Ordering::Relaxed);
            }
            // However it ends, another one follows.
            drop(keep(attack, stream, &opening).await);
        }
        tokio::time::sleep(COMES_AGAIN_AFTER).await;
    }
}

/// Connects from one of many addresses of this machine, with room for little of an answer.
async fn connect(address: SocketAddr, number: usize) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(2_048)?;
    let last = u8::try_from(2 + number / PER_ADDRESS).unwrap_or(u8::MAX);
    socket.bind(SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), 0))?;
    socket.connect(address).await
}

/// What a connection of an attack says first.
fn opening(attack: Attack, number: usize, token: &str) -> Vec<u8> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n");
    let post = |path: &str, rest: &str| format!("POST {path} HTTP/1.1\r\nHost: x\r\n{rest}");
    let renew = "/v2/orders/subscriptions/resources/renew";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let stream =
        |more: &str| format!("{}Authorization: Bearer {token}\r\n{more}\r\n", get("/v1/events:stream"));
    let text = match attack {
        Attack::Silent => String::new(),
        Attack::KeptAlive => get("/healthz") + "\r\n",
        Attack::SlowHead | Attack::EndlessHead | Attack::LongHead => get("/v1/accounts"),
        Attack::SlowBody => post(renew, "Content-Length: 1000000\r\n\r\na"),
        Attack::SlowForm => post("/sign-in", "Content-Length: 100000\r\n\r\nt"),
        Attack::BrokenChunks if number.is_multiple_of(2) => post(renew, chunked) + "zz\r\n{}\r\n",
        Attack::BrokenChunks => format!("{}2;{}", post(renew, chunked), "x".repeat(100_000)),
        Attack::Unread => (get("/openapi.json") + "\r\n").repeat(12),
        Attack::Pipelined => (get("/v2/accounts/customer-accounts/balances") + "\r\n").repeat(100),
        Attack::IdleStream => stream(""),
        Attack::SlowStream => stream("Last-Event-ID: c0\r\n"),
        Attack::Garbage => return vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03],
        Attack::Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        Attack::WrongToken => get("/v1/accounts") + "Authorization: Bearer pn_0123456789ab_0\r\n\r\n",
        Attack::Description => get("/openapi.json") + "\r\n",
    };
    text.into_bytes()
}

/// Does to a connection what the attack does, until the host closes it.
async fn keep(attack: Attack, mut stream: TcpStream, opening: &[u8]) -> std::io::Result<()> {
    stream.write_all(opening).await?;
    match attack {
        Attack::SlowHead => {
            for number in 0..60 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                stream.write_all(format!("X-{number}: slow\r\n").as_bytes()).await?;
            }
        }
        Attack::EndlessHead => {
            while stream.write_all(&[b'x'; 1_024]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Attack::LongHead => {
            for number in 0..30 {
                stream.write_all(format!("X-{number}: {}\r\n", "x".repeat(1_900)).as_bytes()).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            stream.write_all(b"\r\n").await?;
        }
        Attack::Unread | Attack::Pipelined | Attack::SlowStream => {
            // It is open for as long as the host stands it.
            tokio::time::sleep(Duration::from_secs(120)).await;
            return Ok(());
        }
        Attack::WrongToken | Attack::Description => return ask_again(stream, opening).await,
        Attack::Silent
        | Attack::KeptAlive
        | Attack::SlowBody
        | Attack::SlowForm
        | Attack::BrokenChunks
        | Attack::IdleStream
        | Attack::Garbage
        | Attack::Preface => {}
    }
    let mut answer = [0; 512];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

/// Reads what is answered, and asks again once nothing more came for a while.
async fn ask_again(mut stream: TcpStream, request: &[u8]) -> std::io::Result<()> {
    let mut answer = vec![0; 65_536];
    loop {
        while let Ok(read) = tokio::time::timeout(COMES_AGAIN_AFTER, stream.read(&mut answer)).await {
            if read? == 0 {
                return Ok(());
            }
        }
        stream.write_all(request).await?;
    }
}

/// Lets this process, and those that it starts, have as many files open as the attack takes.
fn raise_files() -> anyhow::Result<()> {
    if !Path::new("/proc/self").exists() {
        return Ok(());
    }
    let id = std::process::id().to_string();
    let raised = std::process::Command::new("prlimit").args(["--pid", &id, "--nofile=16384:"]).status();
    let is_raised = raised.is_ok_and(|status| status.success());
    anyhow::ensure!(is_raised, "the attack takes 16,384 open files: raise the limit with `ulimit -n 16384`");
    Ok(())
}
