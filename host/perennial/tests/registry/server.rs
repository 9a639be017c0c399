//! A registry of its own for each test, on a port that the system chooses.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use sha2::Digest;
use sha2::Sha256;
use tempfile::TempDir;

/// The line of `ann`, whose password is `wonderland`, as `htpasswd -B` writes it.
pub const ACCOUNT: &str = "ann:$2b$05$0ExWASB/oa0xl9r4mNejceAda3.1L5IxJa4HtSSo6pA4BBxoy.PRS\n";

/// A registry that runs, and ends with its test.
pub struct Registry {
    /// Where it listens, such as `127.0.0.1:5000`.
    pub address: String,
    program: Child,
    folder: TempDir,
}

impl Registry {
    /// Starts one; with an account, nobody else reads or writes.
    pub fn start(account: Option<&str>) -> Registry {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n",
            path("store").display()
        );
        if let Some(account) = account {
            std::fs::write(path("accounts"), account).unwrap();
            config +=
                &format!("auth: {{htpasswd: {{realm: registry, path: {}}}}}\n", path("accounts").display());
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let mut program = Command::new("docker-registry");
        program.arg("serve").arg(path("config.yml")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut program =
            program.spawn().expect("this test takes `docker-registry`: `apt install docker-registry`");
        let mut log = BufReader::new(program.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next().expect("it says where it listens").unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address[..address.find('"').unwrap()].to_owned();
            }
        };
        // A log that nobody reads stands still.
        std::thread::spawn(move || log.for_each(drop));
        Registry { address, program, folder }
    }

    /// What a package in it is called.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The text of a manifest.
    pub fn manifest(&self, repository: &str, tag: &str) -> String {
        let accept = "accept: application/vnd.oci.image.manifest.v1+json";
        let response = self.ask(&format!("GET /v2/{repository}/manifests/{tag}"), accept, "");
        response.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Puts a manifest there, whatever it says.
    pub fn put_manifest(&self, repository: &str, tag: &str, text: &str) {
        let head = "content-type: application/vnd.oci.image.manifest.v1+json";
        let response = self.ask(&format!("PUT /v2/{repository}/manifests/{tag}"), head, text);
        assert!(response.starts_with("HTTP/1.1 201"), "{response}");
    }

    /// Changes a byte of the blob that has these bytes.
    pub fn tamper(&self, bytes: &[u8]) {
        let digest = hex::encode(Sha256::digest(bytes));
        let blob = format!("store/docker/registry/v2/blobs/sha256/{}/{digest}/data", &digest[..2]);
        let path = self.folder.path().join(blob);
        let mut kept = std::fs::read(&path).unwrap();
        assert_eq!(kept, bytes);
        kept[0] ^= 1;
        std::fs::write(path, kept).unwrap();
    }

    fn ask(&self, line: &str, header: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{header}\r\ncontent-length: {length}\r\n\r\n{body}", self.address).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}
