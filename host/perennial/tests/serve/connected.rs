//! The first hour of a broker, as processes: one program is the cloud, another one connects to it, drives its account and is
//! killed in the middle of a call.

use std::io::Read;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock;
use serde_json::Value;
use serde_json::json;

use crate::server::Served;
use crate::server::run;
use crate::server::until;
use crate::support::Folder;

const RENEW: &str = "POST /v2/orders/subscriptions/resources/renew";
const DAY: i64 = 86_400;

/// A sandbox of Huawei Cloud's with a server and its disk, and a folder for a broker.
struct Hour {
    cloud: Served,
    endpoint: String,
    key: Value,
    broker: Folder,
    environment: Vec<(&'static str, String)>,
    /// The folder of the cloud, which is removed with this.
    _cloud_folder: Folder,
}

impl Hour {
    /// The cloud has these faults.
    fn begin(faults: &str) -> Hour {
        let folder = Folder::new();
        run(&folder, &[], &["key", "new-secrets-key", "secrets.key"]);
        folder.write("inventory.json", &inventory().to_string());
        folder.write("faults.json", faults);
        let imported = run(&folder, &[], &["import", "inventory.json"]);
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let environment =
            [("PERENNIAL_LISTEN_HUAWEI", "127.0.0.1:0"), ("PERENNIAL_SECRETS_KEY_FILE", "secrets.key")];
        let cloud = Served::start_sandbox(&folder, &environment, &["--faults", "faults.json"]);
        let made = cloud.send("POST", "/v1/provider-keys", r#"{"account": "acme", "name": "broker"}"#);
        assert_eq!(made.status, 201, "{made:?}");
        let endpoint = format!("http://{}", cloud.provider_address.clone().unwrap());
        let broker = Folder::new();
        run(&broker, &[], &["key", "new-secrets-key", "secrets.key"]);
        let key = made.json();
        let environment = vec![
            ("PERENNIAL_SECRETS_KEY_FILE", "secrets.key".to_owned()),
            ("PERENNIAL_CONNECTIONS_ALLOW_PRIVATE", "true".to_owned()),
            ("PERENNIAL_PROVIDER_SECRET", key["secret"].as_str().unwrap().to_owned()),
            ("RUST_LOG", "trace".to_owned()),
        ];
        Hour { cloud, endpoint, key, broker, environment, _cloud_folder: folder }
    }

    fn environment(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// A command of the broker's on a running host, which ends well.
    fn on(&self, host: &Served, words: &[&str]) -> String {
        self.ending(host, words, 0)
    }

    /// A command of the broker's on a running host, which ends with this code.
    fn ending(&self, host: &Served, words: &[&str], code: i32) -> String {
        self.broker.write("token", &host.token);
        let server = format!("http://{}", host.address);
        let words = [words, &["--server", &server, "--token-file", "token"]].concat();
        let mut environment = self.environment();
        environment.retain(|(name, _)| *name != "RUST_LOG");
        // A host is named, so no database is.
        let mut command = self.broker.program();
        let ran = command.env("NO_COLOR", "1").envs(environment).args(&words).output().unwrap();
        let said = String::from_utf8([&ran.stdout[..], &ran.stderr[..]].concat()).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{words:?}: {said}");
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Connects the account, reads what it has, has the host drive it, and renews the server.
    fn drive(&self, host: &Served) {
        let access_key = self.key["key"]["access_key"].as_str().unwrap();
        let connect = ["account", "connect", "acme", "--provider", "huawei", "--access-key", access_key];
        let connect = [&connect[..], &["--endpoint", &self.endpoint]].concat();
        let dry = self.ending(host, &[&connect[..], &["--dry-run"]].concat(), 3);
        assert!(dry.starts_with("The account is only watched. These calls read it"), "{dry}");
        self.on(host, &[&connect[..], &["--yes"]].concat());
        self.limit(host);
        let summary = self.on(host, &["sync", "acme"]);
        assert!(summary.starts_with("acme: 2 resources, of which 0 renew automatically"), "{summary}");
        let summary = self.on(host, &["sync", "acme", "--incremental"]);
        assert!(summary.starts_with("read what was ordered since "), "{summary}");
        assert!(
            summary
                .contains(", in 2 requests; whether anything else has changed, a full sync says\nacme: 2 "),
            "{summary}"
        );
        let dry = self.ending(host, &["account", "drive", "acme", "host", "--dry-run"], 3);
        assert!(dry.starts_with("driver of `acme`: from watch to host\n"), "{dry}");
        self.on(host, &["account", "drive", "acme", "host", "--yes"]);
        assert_eq!(self.on(host, &["account", "drive", "acme", "host", "--dry-run"]), "", "it is so already");
        let told = self.on(host, &["resource", "renew", "ecs-1", "--yes"]);
        assert!(told.contains("call 1 and will be sent"), "{told}");
    }

    /// Narrows and widens what the account is granted, and what it may spend, each looked at first.
    fn limit(&self, host: &Served) {
        let looked = |words: &[&str]| {
            let dry = self.ending(host, &[words, &["--dry-run"]].concat(), 3);
            dry.replace("nothing was written: this was a dry run\n", "")
        };
        let narrow = ["account", "grant", "acme", "--read", "list-resources", "--read", "read-balance"];
        let ended = ["list-orders", "quote-renewals"];
        let ended = ended.map(|name| format!("read {name}: would not be granted any more\n"));
        assert_eq!(looked(&narrow), ended.concat());
        let ceiling = ["account", "limit-spending", "acme", "500.00"];
        assert_eq!(looked(&ceiling), "spending of `acme` within an hour: from no ceiling to 500.00\n");
        self.ending(host, &ceiling, 2);
        self.on(host, &[&ceiling[..], &["--yes"]].concat());
        assert_eq!(self.ending(host, &[&ceiling[..], &["--dry-run"]].concat(), 0), "", "it is so already");
        self.on(host, &["account", "limit-spending", "acme", "--none", "--yes"]);
    }

    /// Waits until the call is in `state`.
    fn wait(&self, host: &Served, state: &str) -> Value {
        until(state, || {
            let answer = host.get("/v1/calls/1");
            let history = answer.json();
            (history["call"]["state"] == state).then_some(history)
        })
    }

    fn cloud_balance(&self) -> Value {
        self.cloud.get("/v1/accounts/acme").json()["balance"].clone()
    }
}

fn inventory() -> Value {
    // The last second of a day of the provider's, in three weeks.
    let today = clock::now().as_second().div_euclid(DAY) * DAY;
    let instant = |day: i64, second: i64| Timestamp::from_second(today + day * DAY + second).to_string();
    let resource = |id: &str, kind: &str, price: &str| {
        json!({ "id": id, "account": "acme", "kind": kind, "region": "cn-north-4", "charging": "prepaid",
            "started_at": instant(-10, 0), "expires_at": instant(20, 57_599), "term": { "count": 1, "unit": "month" },
            "price": price, "on_expiry": "lapse" })
    };
    let mut disk = resource("evs-1", "evs", "10.00");
    disk["attached_to"] = "ecs-1".into();
    json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": [resource("ecs-1", "ecs", "99.00"), disk],
    })
}

#[test]
fn the_first_hour_ends_in_a_settled_renewal_and_tells_no_secret() {
    let hour = Hour::begin("[]");
    let environment = hour.environment();
    let (host, mut log) = Served::start_with_reader(&hour.broker, &environment, &[]);
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    hour.drive(&host);
    let history = hour.wait(&host, "settled");
    assert_eq!(hour.cloud_balance(), "891.00", "{history}");
    let listed = hour.on(&host, &["calls", "list", "--format", "csv"]);
    let events = host.get("/v1/events?limit=1000").body;
    let connection = host.get("/v1/connections/acme").body;
    host.terminate();
    assert_eq!(host.exit_code(), Some(0));
    let log = reader.join().unwrap();
    assert!(log.contains("a provider was called"), "the log tells of calls");
    let secret = hour.key["secret"].as_str().unwrap();
    let database = std::fs::read(hour.broker.path("test.db")).unwrap();
    for text in [listed, events, connection, log, history.to_string()] {
        assert!(!text.contains(secret), "the secret of the provider's key is told");
    }
    assert!(!database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
}

#[test]
fn a_call_during_which_the_host_is_killed_is_settled_and_not_repeated() {
    let hour =
        Hour::begin(&format!(r#"[{{"fault": "time_out", "on": "{RENEW}", "seconds": 30, "times": 1}}]"#));
    let environment = hour.environment();
    let host = Served::start(&hour.broker, &environment, &[]);
    hour.drive(&host);
    hour.wait(&host, "calling");
    until("the cloud has applied it", || (hour.cloud_balance() == "891.00").then_some(()));
    // Killed at once, with the response outstanding.
    drop(host);
    let host = Served::start(&hour.broker, &environment, &[]);
    let history = hour.wait(&host, "settled");
    let states = history["steps"].as_array().unwrap().iter().map(|step| step["state"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["reserved", "calling", "in_doubt", "settled"]);
    assert_eq!(hour.cloud_balance(), "891.00", "it was paid for once");
}
