//! Load on a server, from a process of its own: this program again, with connections that each have one request under way.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use serde::Deserialize;
use serde::Serialize;

use crate::signing::Key;

/// Set in the processes that this program starts, which read a [`Load`] as JSON.
const LOAD: &str = "SPEED_LOAD";

/// What to ask, of whom, and how long.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Load {
    /// The server's address.
    pub address: SocketAddr,
    /// The HTTP method, such as `GET`.
    pub method: String,
    /// The path, with `{}` where an id goes.
    pub path: String,
    /// Ids, which take turns.
    pub ids: Vec<String>,
    /// The body to send.
    pub body: String,
    /// The token; empty when none is sent.
    pub token: String,
    /// With what renewals are signed, which are asked for then instead of the path.
    pub key: Option<Key>,
    /// The number of the first of those.
    pub first: u64,
    /// Connections at once.
    pub connections: u32,
    /// How long, in seconds.
    pub seconds: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Served {
    /// Requests answered in a second.
    pub per_second: f64,
    /// What half of them took at most, in seconds.
    pub half: f64,
    /// What 99 of 100 took at most, in seconds.
    pub p99: f64,
}

/// Whether this process is to put load on a server.
pub fn is_child() -> bool {
    std::env::var_os(LOAD).is_some()
}

/// Puts load on a server, and writes what came of it as JSON.
pub fn child() -> anyhow::Result<()> {
    let load: Load = serde_json::from_reader(std::io::stdin())?;
    let started = Instant::now();
    let until = started + Duration::from_secs(load.seconds.into());
    let answers = std::thread::scope(|scope| {
        let load = &load;
        let threads = (0..load.connections).map(|number| scope.spawn(move || ask(load, number, until)));
        let threads = threads.collect::<Vec<_>>();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread panics"))
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    let taken = started.elapsed();
    let mut took = answers.concat();
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0.0, Duration::as_secs_f64);
    let served = Served { per_second: took.len() as f64 / taken.as_secs_f64(), half: at(50), p99: at(99) };
    println!("{}", serde_json::to_string(&served)?);
    Ok(())
}

/// Has another process put the load on.
pub fn put(load: &Load) -> anyhow::Result<Served> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(LOAD, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let stdin = child.stdin.take().context("its input is piped")?;
    serde_json::to_writer(stdin, load)?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "the load failed on {} {}", load.method, load.path);
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Asks on one connection until the time is over; returns what each answer took.
fn ask(load: &Load, number: u32, until: Instant) -> anyhow::Result<Vec<Duration>> {
    // Who waits to be let in waits for the first answer.
    let mut begun = Instant::now();
    let stream = TcpStream::connect(load.address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut took = Vec::new();
    // Connections begin at different ids, and step over those of the others.
    let mut next = number as usize;
    loop {
        let id = &load.ids[next % load.ids.len()];
        next += load.connections as usize;
        let request = match &load.key {
            Some(key) => key.renewal(id, load.first + next as u64),
            None => request(load, id),
        };
        stream.write_all(request.as_bytes())?;
        let (status, body) = answer(&mut answers)?;
        anyhow::ensure!(status == 200, "{id} is answered {status}: {}", String::from_utf8_lossy(&body));
        took.push(begun.elapsed());
        begun = Instant::now();
        if begun >= until {
            return Ok(took);
        }
    }
}

fn request(load: &Load, id: &str) -> String {
    let Load { method, path, token, body, .. } = load;
    let path = path.replace("{}", id);
    let token = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let length = body.len();
    let body = if body.is_empty() {
        "\r\n".to_owned()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{token}{body}")
}

/// Sends one request, which has to be answered well.
pub fn once(address: SocketAddr, request: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let (status, body) = answer(&mut BufReader::new(stream))?;
    anyhow::ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}

/// Reads an answer: its status and its body.
pub fn answer(answers: &mut impl BufRead) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("the server closed the connection")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok((status, body))
}
