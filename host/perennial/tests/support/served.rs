//! A server in a process of its own, requests to it, and its sudden end.
#![allow(dead_code, reason = "each test program uses a part")]

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

pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(["--db", "test.db", "--cache", env!("CARGO_TARGET_TMPDIR")]);
    command.env_remove("RUST_LOG").env("PERENNIAL_LISTEN", "127.0.0.1:0").env("NO_COLOR", "1");
    command
}

/// A server process, and where it listens.
pub struct Served {
    child: Child,
    pub address: String,
}

/// Serves on virtual time.
pub fn serve(folder: &Path) -> Served {
    serve_as(program(folder).args(["serve", "--virtual-clock", "2026-01-01T00:00:00Z"]))
}

pub fn serve_as(command: &mut Command) -> Served {
    command.stderr(Stdio::piped());
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
    pub fn send(&self, token: &str, method: &str, path: &str, key: &str, body: &str) -> TcpStream {
        self.try_send(token, method, path, key, body).unwrap()
    }

    /// The same to a server that may have ended.
    pub fn try_send(
        &self,
        token: &str,
        method: &str,
        path: &str,
        key: &str,
        body: &str,
    ) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        Ok(stream)
    }

    pub fn answer(&self, token: &str, method: &str, path: &str, key: &str, body: &str) -> String {
        let mut answer = String::new();
        self.send(token, method, path, key, body).read_to_string(&mut answer).unwrap();
        answer
    }

    /// Kills it: on Unix this is SIGKILL.
    pub fn kill(self) {
        drop(self);
    }

    /// Kills it while others still wait for answers of it.
    #[cfg(unix)]
    pub fn kill_now(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub fn make_token(folder: &Path) -> String {
    let made =
        program(folder).args(["token", "create", "--name", "test", "--role", "admin"]).output().unwrap();
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}
