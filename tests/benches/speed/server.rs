//! A `perennial serve` on virtual time, as a process of its own, on a database that is made for it.

use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;

use anyhow::Context;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_formats::inventory::Inventory;
use perennial_store::Store;

use crate::load;
use crate::simulation;
use crate::world;

/// The server, which ends with this.
pub struct Server {
    child: Child,
    /// The address that it listens at.
    pub address: SocketAddr,
    /// A token of the role `admin`.
    pub token: String,
}

/// Makes a database of an inventory in `folder`, and says where it is.
pub fn database(folder: &Path, inventory: &Inventory) -> anyhow::Result<PathBuf> {
    let path = folder.join("serving.db");
    let plugins = world::plugins(folder)?;
    let mut engine = Engine::new(Store::open(&path)?, world::providers(&plugins), Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(world::START, &inventory.accounts, bundles)?;
    Ok(path)
}

/// A key of `account`: its access key and its secret.
pub fn key(folder: &Path, db: &Path, account: &str) -> anyhow::Result<(String, String)> {
    let mut command = program(folder, db)?;
    let made = command.args(["key", "create", "--account", account, "--name", "bench"]).output()?;
    anyhow::ensure!(made.status.success(), "no key: {}", String::from_utf8_lossy(&made.stderr));
    let told = String::from_utf8(made.stdout)?;
    let mut halves = told.lines().filter_map(|line| line.rsplit_once(' ')).map(|(_, half)| half.to_owned());
    let (access_key, secret) = (halves.next(), halves.next());
    Ok((access_key.context("no access key")?, secret.context("no secret")?))
}

/// A token of somebody who has no other.
pub fn token(folder: &Path, db: &Path, role: &str) -> anyhow::Result<String> {
    let mut command = program(folder, db)?;
    let made = command.args(["token", "create", "--name", "bench", "--role", role]).output()?;
    anyhow::ensure!(made.status.success(), "no token: {}", String::from_utf8_lossy(&made.stderr));
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

/// The `perennial` command on the database at `db`.
fn program(folder: &Path, db: &Path) -> anyhow::Result<Command> {
    let mut command = simulation::perennial()?;
    command.arg("--db").arg(db).arg("--cache").arg(folder).env_remove("RUST_LOG").env("NO_COLOR", "1");
    // Made up, for a database that is thrown away.
    command.env("PERENNIAL_SECRETS_KEY", "00".repeat(32));
    Ok(command)
}

/// The address in the line of a log that has `words`, if that is whole.
fn address<'l>(log: &'l str, words: &str) -> Option<&'l str> {
    let whole = log.rsplit_once('\n')?.0;
    let line = whole.lines().find(|line| line.contains(words))?;
    Some(line.rsplit_once("address=")?.1.trim())
}

impl Server {
    /// Starts one on the database at `db`. Its log goes to a file.
    pub fn start(folder: &Path, db: &Path, environment: &[(&str, &str)]) -> anyhow::Result<Server> {
        let token = token(folder, db, "admin")?;
        let start = world::START.to_string();
        let log = folder.join("serving.log");
        let mut serve = program(folder, db)?;
        serve.env("PERENNIAL_LISTEN", "127.0.0.1:0").envs(environment.iter().copied());
        serve.args(["serve", "--virtual-clock", &start]).stderr(std::fs::File::create(&log)?);
        let mut child = serve.spawn()?;
        let address = loop {
            let told = std::fs::read_to_string(&log)?;
            if let Some(address) = address(&told, "the host serves db=") {
                break address.parse()?;
            }
            anyhow::ensure!(child.try_wait()?.is_none(), "the server ended before it served: {told}");
            std::thread::yield_now();
        };
        Ok(Server { child, address, token })
    }

    /// The same with the own API of `provider`; returns where that listens as well.
    pub fn start_with(folder: &Path, db: &Path, provider: &str) -> anyhow::Result<(Server, SocketAddr)> {
        let listen = format!("PERENNIAL_LISTEN_{}", provider.to_uppercase());
        let server = Server::start(folder, db, &[(listen.as_str(), "127.0.0.1:0")])?;
        let told = std::fs::read_to_string(folder.join("serving.log"))?;
        let listens = address(&told, "provider's own API").context("the log says where the API is")?;
        Ok((server, listens.parse()?))
    }

    /// Sends one request, and returns the answer's body.
    pub fn send(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address)?;
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let (status, body) = load::answer(&mut BufReader::new(stream))?;
        anyhow::ensure!((200..300).contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    /// Has everything done that is due by now, so that every bundle is asleep.
    pub fn settle(&self) -> anyhow::Result<()> {
        let to = (world::START + 1).to_string();
        self.send("POST", "/v1/clock:advance", &format!("{{\"to\": \"{to}\"}}"))?;
        Ok(())
    }

    /// The memory that it has now, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    /// The peak of its memory so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        simulation::peak_kib(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is thrown away with its database.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
