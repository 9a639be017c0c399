//! A database whose clock stands, asked directly or through a host that serves it.

use std::process::Stdio;

use perennial_store::clock::ClockKind;
use serde_json::Value;

use crate::sample::INVENTORY;
use crate::server::Served;
use crate::support::Folder;
use crate::support::Ran;

/// An inventory of resources each of which is renewed alone.
fn inventory() -> String {
    INVENTORY.replace(r#", "attached_to": "ecs-1""#, "")
}

/// What commands are tested on.
pub struct World {
    pub folder: Folder,
    pub server: Option<Served>,
}

impl World {
    /// A database without a host.
    pub fn database() -> World {
        World { folder: folder(&inventory()), server: None }
    }

    /// The same with a host that serves it.
    pub fn host() -> World {
        World::configured(&[], &[])
    }

    /// A database in which a policy with this body rules on every plan, installed by whoever owns the database.
    pub fn ruled(body: &str) -> World {
        let world = World::database();
        world.folder.write("policies.toml", "[[policy]]\nname = \"p\"\nscript = \"p.rhai\"\n");
        world.folder.write("p.rhai", &format!("fn rule(plan) {{ {body} }}\n"));
        world.tells(&["policy", "install", "policies.toml"]);
        world
    }

    /// The same with a host that serves it.
    pub fn served(self) -> World {
        let server = Served::start(&self.folder, &[], &["--virtual-clock"]);
        self.folder.write("token", &server.token);
        World { server: Some(server), ..self }
    }

    /// The same, with a token in `boss` of somebody else who approves.
    pub fn with_approver() -> World {
        let folder = folder(&inventory());
        let create = ["--db", "test.db", "token", "create", "--name", "boss", "--role", "approver"];
        folder.write("boss", &folder.run(&create).succeeded().stdout());
        let server = Served::start(&folder, &[], &["--virtual-clock"]);
        folder.write("token", &server.token);
        World { folder, server: Some(server) }
    }

    /// The same, with a key that secrets are kept with.
    pub fn with_secrets() -> World {
        let key = "0123456789abcdef".repeat(4);
        World::configured(&[], &[("PERENNIAL_SECRETS_KEY", key.as_str())])
    }

    /// The same, with these files beside the database and this in the environment of the host.
    pub fn configured(files: &[(&str, &str)], environment: &[(&str, &str)]) -> World {
        let folder = folder(&inventory());
        files.iter().for_each(|(name, text)| folder.write(name, text));
        let server = Served::start(&folder, environment, &["--virtual-clock"]);
        folder.write("token", &server.token);
        World { folder, server: Some(server) }
    }

    /// The same database twice: by itself, and with a host on it.
    pub fn both() -> [World; 2] {
        [World::database(), World::host()]
    }

    /// The address of the host.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.as_ref().unwrap().address)
    }

    /// What answers, as messages name it.
    pub fn name(&self) -> String {
        self.server.as_ref().map_or_else(|| "`test.db`".to_owned(), |_| self.url())
    }

    /// Runs a command on it.
    pub fn run(&self, words: &[&str]) -> Ran {
        match &self.server {
            None => self.folder.run(&[&["--db", "test.db"], words].concat()),
            Some(_) => {
                let url = self.url();
                self.folder.run(&[words, &["--server", &url, "--token-file", "token"]].concat())
            }
        }
    }

    /// Runs a command whose output goes there.
    pub fn run_into(&self, words: &[&str], stdout: impl Into<Stdio>) -> Ran {
        let url = self.url();
        self.folder.run_into(&[words, &["--server", &url, "--token-file", "token"]].concat(), stdout)
    }

    /// Runs a command that ends like this and says this.
    pub fn fails(&self, words: &[&str], code: i32, told: &str) {
        let ran = self.run(words);
        assert_eq!(ran.code(), code, "{words:?}: {}{}", ran.stdout(), ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }

    /// What a command says that does what it was asked.
    pub fn tells(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code(), 0, "{words:?}: {}", ran.stderr());
        ran.stdout()
    }

    /// What a command says in JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let told = self.tells(&[words, &["--format", "json"]].concat());
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{words:?}: {error}: {told}"))
    }

    /// When a resource expires.
    pub fn expiry(&self, resource: &str) -> String {
        self.json(&["resource", "show", resource])["expires_at"].as_str().unwrap().to_owned()
    }
}

/// A folder with a database of this inventory, whose virtual clock stands at the second after 2026-01-12.
fn folder(inventory: &str) -> Folder {
    let folder = Folder::new();
    let mut engine = folder.engine("test.db", inventory).with_clock(ClockKind::Virtual);
    engine.run_to("2026-01-12T00:00:00Z".parse().unwrap(), &mut |_, _| {}).unwrap();
    drop(engine);
    folder
}
