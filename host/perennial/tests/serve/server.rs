//! A server process, and requests to it as they go over the wire.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::ChildStderr;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support::Folder;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program in `folder`, listening at a port that is free, with more in its environment.
pub fn program(folder: &Folder, environment: &[(&str, &str)]) -> Command {
    let mut command = folder.program();
    command.args(["--db", "test.db"]).env("PERENNIAL_LISTEN", "127.0.0.1:0").env("NO_COLOR", "1");
    // Each test looks at its host anew.
    command.env("PERENNIAL_LIMITS_HEALTH_SECONDS", "1ms").envs(environment.iter().copied());
    command
}

/// Runs the program to its end.
pub fn run(folder: &Folder, environment: &[(&str, &str)], words: &[&str]) -> Output {
    program(folder, environment).args(words).output().unwrap()
}

/// Makes a token of the role `admin`.
pub fn token(folder: &Folder) -> String {
    token_and_log(folder).0
}

/// The same, with what is said while it is made.
fn token_and_log(folder: &Folder) -> (String, String) {
    let made = run(folder, &[], &["token", "create", "--name", "test", "--role", "admin"]);
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{told}");
    (String::from_utf8(made.stdout).unwrap().trim().to_owned(), told)
}

/// A running server, which does not outlive its test.
pub struct Served {
    child: Child,
    /// The address that it listens at.
    pub address: String,
    /// Where it listens for a provider's own API, if it does.
    pub provider_address: Option<String>,
    /// The token that requests are sent with.
    pub token: String,
}

impl Served {
    /// Starts one on the database of `folder`, on real time unless `words` say otherwise.
    pub fn start(folder: &Folder, environment: &[(&str, &str)], words: &[&str]) -> Served {
        Served::start_logged(folder, environment, words).0
    }

    /// The same, with what it logged before it served, and what was said while its token was made.
    pub fn start_logged(folder: &Folder, environment: &[(&str, &str)], words: &[&str]) -> (Served, String) {
        let (served, mut log, told) = Served::begin_start(folder, environment, ("serve", words));
        // Nobody reads the rest, and a full pipe must not stop the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        (served, told)
    }

    /// Starts one whose log nobody reads any more once it has told its address.
    pub fn start_unread(folder: &Folder, environment: &[(&str, &str)], words: &[&str]) -> Served {
        Served::begin_start(folder, environment, ("serve", words)).0
    }

    /// Starts one whose log nobody reads any more once it has told its address, although its pipe stays open.
    pub fn start_with_reader(
        folder: &Folder,
        environment: &[(&str, &str)],
        words: &[&str],
    ) -> (Served, BufReader<ChildStderr>) {
        let (served, log, _) = Served::begin_start(folder, environment, ("serve", words));
        (served, log)
    }

    /// Starts a provider sandbox on the database of `folder`.
    pub fn start_sandbox(folder: &Folder, environment: &[(&str, &str)], words: &[&str]) -> Served {
        let (served, mut log, _) = Served::begin_start(folder, environment, ("sandbox", words));
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        served
    }

    fn begin_start(
        folder: &Folder,
        environment: &[(&str, &str)],
        (command_name, words): (&str, &[&str]),
    ) -> (Served, BufReader<ChildStderr>, String) {
        let (token, mut told) = token_and_log(folder);
        let mut command = program(folder, environment);
        let mut child = command.arg(command_name).args(words).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let mut provider_address = None;
        while !line.contains("the host serves db=") {
            told += &line;
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended before it served: {told}");
            if line.contains("a provider's own API") {
                provider_address = Some(line.trim().rsplit_once("address=").unwrap().1.to_owned());
            }
        }
        let address = line.trim().rsplit_once("address=").unwrap().1.to_owned();
        (Served { child, address, provider_address, token }, log, told)
    }

    /// The head of a request with a body of `length` bytes.
    pub fn head(&self, method: &str, path: &str, length: usize) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
            self.token
        )
    }

    /// Begins a request: its head, and of its body nothing yet.
    pub fn begin(&self, method: &str, path: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(self.head(method, path, length).as_bytes()).unwrap();
        stream
    }

    /// Begins a request and waits until its body is asked for: it has its place then.
    pub fn under_way(&self, method: &str, path: &str, length: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = self.head(method, path, length).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut asked = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }

    /// Sends a request and waits for its answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> ApiResponse {
        finish(self.begin(method, path, body.len()), body)
    }

    /// Asks for something.
    pub fn get(&self, path: &str) -> ApiResponse {
        self.send("GET", path, "")
    }

    /// One of the figures without labels.
    pub fn figure(&self, name: &str) -> i64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name}: {text}")).parse().unwrap()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, as an operator does.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Its exit code, once it has ended.
    pub fn exit_code(mut self) -> Option<i32> {
        until("the server has ended", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a request was answered.
#[derive(Debug)]
pub struct ApiResponse {
    /// The HTTP status, such as 200.
    pub status: u16,
    /// The status line and the headers, in lower case.
    pub head: String,
    /// The body, as text.
    pub body: String,
}

impl ApiResponse {
    /// The body, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and, when it is a problem, the last part of its type.
    pub fn kind(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        format!("{} {}", self.status, kind.rsplit(':').next().unwrap_or_default())
    }
}

/// Sends the rest of a request and waits for its answer.
pub fn finish(mut stream: impl Read + Write, body: &str) -> ApiResponse {
    stream.write_all(body.as_bytes()).unwrap();
    stream.flush().unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    ApiResponse { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Asks again and again until there is something.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "still not after {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}
