//! A terminal in which commands are typed, and a program that goes on until it is stopped. Knows nothing of README.

use std::ffi::OsString;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a terminal says after each command, with the exit code behind it.
const DONE: &str = "\u{1}done ";

/// # Panics
///
/// When there is no such program: what was not run has not passed.
pub fn require(program: &str) {
    let found = Command::new(program).arg("--version").output();
    assert!(
        found.is_ok(),
        "README's commands need `{program}`, which this machine does not have: install it"
    );
}

/// The environment in which README's commands are run: `perennial` is the program under test.
fn shell(folder: &Path) -> Command {
    let programs = folder.join("bin");
    let perennial = programs.join("perennial");
    if !perennial.exists() {
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_perennial"), perennial).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    shell.current_dir(folder).env_clear().env("PATH", path).env("PERENNIAL_LISTEN", "127.0.0.1:0");
    let cache: OsString = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugins").into();
    shell.env("PERENNIAL_CACHE", cache).env("NO_COLOR", "1").process_group(0);
    shell
}

/// Sends a signal to a process and those that it started.
fn signal(child: &Child, name: &str) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args([name, "--", &group]).status();
}

/// A shell that keeps its variables from one command to the next.
pub struct Terminal {
    shell: Child,
    typed: ChildStdin,
    said: mpsc::Receiver<Vec<u8>>,
    errors: PathBuf,
}

impl Terminal {
    /// Opens one in `folder`.
    pub fn open(folder: &Path) -> Terminal {
        let errors = folder.join("errors.txt");
        let mut shell = shell(folder);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(std::fs::File::create(&errors).unwrap());
        let mut shell = shell.spawn().expect("README's commands need `sh`");
        let (typed, mut output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { shell, typed, said, errors }
    }

    /// Types a command, which has to succeed, and returns what it says.
    pub fn run(&mut self, command: &str) -> String {
        writeln!(self.typed, "{command}\nprintf '\\001done %s\\n' $?").unwrap();
        let said = self
            .read(command, |so_far| so_far.rsplit_once(DONE).is_some_and(|(_, code)| code.ends_with('\n')));
        let (said, code) = said.rsplit_once(DONE).unwrap();
        assert_eq!(code.trim(), "0", "{command}\n{said}\n{}", self.complaints());
        said.to_owned()
    }

    /// Types a command that does not end by itself; returns what it said until `is_enough`.
    pub fn watch(mut self, command: &str, is_enough: impl Fn(&str) -> bool) -> String {
        writeln!(self.typed, "{command}").unwrap();
        self.read(command, is_enough)
    }

    fn read(&mut self, command: &str, is_enough: impl Fn(&str) -> bool) -> String {
        let mut so_far = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&so_far);
            if is_enough(&text) {
                return text.into_owned();
            }
            match self.said.recv_timeout(PATIENCE) {
                Ok(more) => so_far.extend(more),
                Err(error) => panic!("{error}: {command}\nsaid {text}\n{}", self.complaints()),
            }
        }
    }

    fn complaints(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        signal(&self.shell, "-KILL");
        let _ = self.shell.wait();
    }
}

/// A program that goes on until it is stopped.
pub struct Serving {
    child: Child,
    line: String,
}

impl Serving {
    /// Starts a command and waits until it logs a line with `begun` in it.
    pub fn start(folder: &Path, command: &str, begun: &str) -> Serving {
        let mut shell = shell(folder);
        // The shell becomes the program, so that it is the program that is told to stop.
        let mut child =
            shell.arg("-c").arg(format!("exec {command}")).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut told) = (String::new(), String::new());
        while !line.contains(begun) {
            told += &line;
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "`{command}` ended too soon: {told}");
        }
        // Nobody reads the rest, and a full pipe must not stop the program.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Serving { child, line }
    }

    /// Where it says that it listens.
    pub fn address(&self) -> &str {
        self.line.trim().rsplit_once("address=").expect("it says where it listens").1
    }

    /// Stops it as Ctrl-C does; it must not call that a failure.
    pub fn stop(mut self) {
        signal(&self.child, "-INT");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            signal(&self.child, "-KILL");
            let _ = self.child.wait();
        }
    }
}
