//! Revisions of a plugin that are installed, tried in shadow, promoted and rolled back on a server under load, which is killed at
//! many points: no bundle is decided on by neither or by both, and nothing is paid for twice.
//!
//! A program of its own: a process that is just being started inherits the locks of databases that other tests have open.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use perennial_domain::timestamp::Timestamp;
use perennial_store::Store;
use perennial_store::clock;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::events;
use perennial_store::events::StoredEvent;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;
use serde_json::Value;
use serde_json::json;

use crate::served::Served;
use crate::served::make_token;
use crate::served::program;
use crate::served::serve_as;

#[path = "support/served.rs"]
mod served;

/// The table that is bundled.
const TABLE: &str = include_str!("../../../plugins/declared/tables/volcengine.toml");
const SERVERS: usize = 90;
/// How often each of the four changes is made, and so a quarter of how often the host is killed at least.
const CYCLES: usize = 5;
const HOUR: i64 = 3_600;

/// The host as it stands, where it is killed and started again.
struct Host<'f> {
    folder: &'f Path,
    token: String,
    server: Option<Served>,
}

impl Host<'_> {
    fn server(&self) -> &Served {
        self.server.as_ref().unwrap()
    }

    fn start(&mut self) {
        // Nobody has the database; a clock goes on from where it was.
        let store = Store::open(&self.folder.join("test.db")).unwrap();
        let ticked_at = clock::ticked_at(store.db()).unwrap();
        drop(store);
        let now =
            ticked_at.map_or("2026-01-10T00:00:00Z".to_owned(), |ticked_at| (ticked_at + 1).to_string());
        let mut command = program(self.folder);
        // Small transactions, so that there are many points to be killed at.
        command.env("PERENNIAL_LIMITS_BATCH", "5").args(["serve", "--virtual-clock", &now]);
        self.server = Some(serve_as(&mut command));
    }

    /// The present instant of the host.
    fn now(&self) -> Timestamp {
        let answer = self.server().answer(&self.token, "GET", "/v1/clock", "clock", "");
        let clock: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        clock["now"].as_str().unwrap().parse().unwrap()
    }

    /// Sends a request that has to succeed.
    fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let answer = self.server().answer(&self.token, "POST", path, key, &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Sends a request while the clock is advanced step by step, and kills the host after so many other requests; starts it again
    /// and sends the same request under its key, so that it is carried out once.
    fn post_and_be_killed(&mut self, path: &str, key: &str, body: &Value, moment: usize) -> Value {
        let from = self.now();
        let server = self.server.take().unwrap();
        std::thread::scope(|scope| {
            let (token, server) = (&self.token, &server);
            let advances = scope.spawn(move || {
                let mut answered = 0;
                for step in 1..=12 {
                    let to = json!({ "to": (from + step * 4 * HOUR).to_string() }).to_string();
                    let key = format!("{key}-{step}");
                    let mut answer = String::new();
                    let sent = server.try_send(token, "POST", "/v1/clock:advance", &key, &to);
                    let read = sent.and_then(|mut stream| stream.read_to_string(&mut answer));
                    if read.is_err() || !answer.starts_with("HTTP/1.1 200") {
                        break;
                    }
                    answered += 1;
                }
                answered
            });
            let mut change = server.send(token, "POST", path, key, &body.to_string());
            for other in 0..moment {
                server.answer(token, "GET", "/v1/clock", &format!("other-{other}"), "");
            }
            if moment.is_multiple_of(2) {
                server.kill_now();
            }
            drop(change.read_to_string(&mut String::new()));
            if !moment.is_multiple_of(2) {
                server.kill_now();
            }
            let _ = advances.join().unwrap();
        });
        server.kill();
        self.start();
        self.post(path, key, body)
    }
}

/// What a database says after all of it.
struct Record {
    events: Vec<StoredEvent>,
    decisions: Vec<Decision>,
}

impl Record {
    fn read(folder: &Path) -> Record {
        let store = Store::open(&folder.join("test.db")).unwrap();
        let mut events = events::list(store.db(), &events::Filter::default(), u32::MAX).unwrap();
        events.sort_by_key(|event| event.row);
        Record {
            events,
            decisions: decisions::list(store.db(), DecisionKey::before_all(), u32::MAX).unwrap(),
        }
    }

    /// Each renewal that named its resource, with the revision that was bound when it was committed: events are numbered in the order
    /// in which they were committed, those of bindings among them.
    fn renewals(&self, bundled: &str) -> Vec<(&StoredEvent, String)> {
        let mut active = bundled.to_owned();
        let mut renewals = Vec::new();
        for event in &self.events {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            let is_ours = body["accounts"] == "vol" && body["mode"] == "active";
            match event.kind.as_str() {
                "revision_bound" if is_ours => body["digest"].as_str().unwrap().clone_into(&mut active),
                "revision_unbound" if is_ours => bundled.clone_into(&mut active),
                "renewal_settled" if body["primary"].is_null() => renewals.push((event, active.clone())),
                _ => {}
            }
        }
        renewals
    }
}

#[test]
fn a_host_killed_while_revisions_change_decides_on_each_bundle_once() {
    let folder = tempfile::tempdir().unwrap();
    let token = make_token(folder.path());
    let mut host = Host { folder: folder.path(), token, server: None };
    host.start();
    let account =
        json!({ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "1000000.00" });
    host.post("/v1/accounts", "account", &account);
    let server = |number: usize| {
        json!({ "id": format!("srv-{number:02}"), "account": "vol", "kind": "ecs", "region": "cn-beijing",
            "charging": "prepaid", "started_at": "2025-12-10T02:00:00Z",
            "expires_at": format!("2026-{:02}-{:02}T15:59:59Z", 1 + number % 2, 12 + number % 16),
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" })
    };
    let inventory = json!({ "resources": (0..SERVERS).map(server).collect::<Vec<_>>() });
    host.post("/v1/resources:import", "import", &inventory);
    host.post("/v1/clock:advance", "first", &json!({ "to": "2026-01-10T01:00:00Z" }));

    let late = TABLE.replace("days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]");
    assert_ne!(late, TABLE);
    let mut kills = 0_usize;
    let (mut late_digest, mut late_digests) = (String::new(), BTreeSet::new());
    for cycle in 0..CYCLES {
        let accounts = json!({ "provider": "volcengine", "accounts": "vol" });
        for change in ["install", "shadow", "promote", "roll-back"] {
            let (path, body) = match change {
                // Another revision each time, so that there is something to install, and to be killed over.
                "install" => {
                    let table = format!("{late}\n# {cycle}\n");
                    ("/v1/plugins/revisions".to_owned(), json!({ "name": "late.toml", "table": table }))
                }
                "shadow" => {
                    let body = json!({ "digest": late_digest, "accounts": "vol", "mode": "shadow" });
                    ("/v1/plugins/bindings".to_owned(), body)
                }
                verb => (format!("/v1/plugins/bindings:{verb}"), accounts.clone()),
            };
            let answer = host.post_and_be_killed(&path, &format!("{change}-{cycle}"), &body, kills % 7);
            if change == "install" {
                late_digest = answer["digest"].as_str().unwrap().to_owned();
                late_digests.insert(late_digest.clone());
            }
            if change == "promote" {
                // It tries four days later than the bundled one, and has something to decide on before it is taken back.
                let to = json!({ "to": (host.now() + 8 * 24 * HOUR).to_string() });
                host.post("/v1/clock:advance", &format!("between-{cycle}"), &to);
            }
            kills += 1;
        }
    }
    let end = host.now() + 3 * 24 * HOUR;
    host.post("/v1/clock:advance", "last", &json!({ "to": end.to_string() }));
    let plugins = host.server().answer(&host.token, "GET", "/v1/plugins", "plugins", "");
    host.server.take().unwrap().kill();
    let plugins: Value = serde_json::from_str(plugins.split_once("\r\n\r\n").unwrap().1).unwrap();
    let plugins = plugins["items"].as_array().unwrap();
    let bundled =
        plugins.iter().find(|plugin| plugin["id"] == "volcengine").unwrap()["revision"].as_str().unwrap();
    let record = Record::read(folder.path());
    let installed = record.events.iter().filter(|event| event.kind == "revision_installed").count();
    assert_eq!((late_digests.len(), installed), (CYCLES, CYCLES), "each was installed once");
    check(&record, (bundled, &late_digests), end);
}

fn check(record: &Record, (bundled, late): (&str, &BTreeSet<String>), end: Timestamp) {
    let renewals = record.renewals(bundled);
    let mut by_digest = BTreeMap::<&str, usize>::new();
    let mut periods = BTreeSet::new();
    for (renewal, active) in &renewals {
        let body: Value = serde_json::from_str(&renewal.body).unwrap();
        let resource = renewal.resource.as_deref().unwrap();
        assert!(
            periods.insert((resource, body["expires_before"].to_string())),
            "`{resource}` was paid for twice: {body}"
        );
        let decided = record.decisions.iter();
        let decided =
            decided.filter(|one| one.resource == resource && one.at == renewal.at).collect::<Vec<_>>();
        let digests = decided.iter().map(|one| one.digest.as_str()).collect::<Vec<_>>();
        assert_eq!(
            digests,
            [active.as_str()],
            "`{resource}` was decided on at {} by another, none or both",
            renewal.at
        );
        *by_digest.entry(if late.contains(active) { "late" } else { "bundled" }).or_default() += 1;
    }
    assert_eq!(record.decisions.len(), renewals.len(), "what was decided was carried out");
    assert!(by_digest.len() == 2, "both decided: {by_digest:?}");
    // By the last tries of either revision, everything that expires within the next day is renewed.
    for number in 0..SERVERS {
        let id = format!("srv-{number:02}");
        let last = renewals.iter().rfind(|(renewal, _)| renewal.resource.as_deref() == Some(&id));
        let expires_at = match last {
            Some((renewal, _)) => {
                let body: Value = serde_json::from_str(&renewal.body).unwrap();
                body["expires_at"].as_str().unwrap().parse::<Timestamp>().unwrap()
            }
            None => format!("2026-{:02}-{:02}T15:59:59Z", 1 + number % 2, 12 + number % 16).parse().unwrap(),
        };
        assert!(
            expires_at - end > 2 * 24 * HOUR,
            "`{id}` expires at {expires_at}, and it is {end}: a try was lost"
        );
    }
}
