//! The host of a soak: a process that is started, killed and asked, and what it acknowledged.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::machine::Machine;
use crate::support::Folder;

/// The database in its folder.
pub const NAME: &str = "soak.db";
/// Longer than an answer takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A command of the program on the machine.
pub fn program(folder: &Folder, machine: &Machine) -> Command {
    let mut command = folder.program();
    machine.host(&mut command);
    command.args(["--db", NAME]).env("PERENNIAL_LISTEN", "127.0.0.1:0").env("NO_COLOR", "1");
    command
}

/// `perennial serve`, which does not outlive its test.
pub struct Host {
    child: Child,
    address: String,
    token: String,
    log: Arc<Mutex<String>>,
}

impl Host {
    /// Starts one; what it says instead, if it does not serve.
    pub fn start(folder: &Folder, machine: &Machine, token: &str) -> Result<Host, String> {
        let mut child = program(folder, machine).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        while !line.contains("the host serves db=") {
            line.clear();
            if lines.read_line(&mut line).unwrap() == 0 {
                child.wait().unwrap();
                return Err(said);
            }
            said += &line;
        }
        let address = line.trim().rsplit_once("address=").unwrap().1.to_owned();
        let log = Arc::new(Mutex::new(said));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                // What is recent is enough to see why it failed.
                if log.len() > 200_000 {
                    log.clear();
                }
                *log += &(line + "\n");
            }
        });
        Ok(Host { child, address, token: token.to_owned(), log })
    }

    /// What it logged lately.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a request; `None` when there is no answer, because the host ended.
    pub fn send(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Option<(u16, Value)> {
        let mut stream = self.begin(method, path, key, body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }

    /// Sends a request, and does not wait for its answer.
    pub fn begin(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
        let (token, length) = (&self.token, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {length}\r\n{key}\r\n"
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        Some(stream)
    }

    /// Whether it has ended by itself, and its exit code.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().unwrap().map(|status| status.code())
    }

    /// Ends it as a failing machine does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        terminate(&mut self.child)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `perennial run`, which does not outlive its test.
pub struct Clock {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Clock {
    /// Starts one on the database of `folder`, which is on `machine`.
    pub fn start(folder: &Folder, machine: &Machine) -> Clock {
        let mut child = program(folder, machine).arg("run").stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Clock { child, log }
    }

    /// Waits until it logs these words; it must not end before that.
    pub fn wait_for(&mut self, words: &str) {
        let (mut line, mut told) = (String::new(), String::new());
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it ended without `{words}`: {told}");
            told += &line;
        }
    }

    /// Ends it as an operator does; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        terminate(&mut self.child)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminate(child: &mut Child) -> Option<i32> {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    child.wait().unwrap().code()
}
