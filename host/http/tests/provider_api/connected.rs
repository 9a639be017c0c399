//! Accounts that their provider keeps: one host is the cloud, another one connects to it over loopback, as a broker does.

use perennial_service::connections::Connections;
use perennial_test_support::provider_server::Key;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

const NOW: &str = "2026-03-01T00:00:00Z";

/// Loopback and plain HTTP are allowed.
pub(crate) const OPEN: Connections = Connections { allow_private: true, ..Connections::DEFAULT };

/// What the cloud has: a server with a disk that renew themselves, a server that lapses, and an address that does.
fn inventory() -> Value {
    let resource = |id: &str, kind: &str, expires_at: &str, on_expiry: &str, price: &str| {
        json!({ "id": id, "account": "acme", "kind": kind, "region": "cn-north-4", "charging": "prepaid", "started_at": "2026-01-10T02:00:00Z",
            "expires_at": expires_at, "term": { "count": 1, "unit": "month" }, "price": price, "on_expiry": on_expiry })
    };
    let mut disk = resource("evs-1", "evs", "2026-03-20T15:59:59Z", "lapse", "10.00");
    disk["attached_to"] = "ecs-1".into();
    json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": [
            resource("ecs-1", "ecs", "2026-03-20T15:59:59Z", "renew", "99.00"), disk,
            resource("ecs-2", "ecs", "2026-03-25T15:59:59Z", "lapse", "50.00"),
            resource("eip-1", "eip", "2026-04-01T15:59:59Z", "lapse", "5.00"),
        ],
    })
}

/// A host that is the cloud, and one that is connected to it.
pub(crate) struct Pair {
    pub(crate) cloud: Server,
    pub(crate) broker: Server,
    provider: &'static str,
    endpoint: String,
    key: Key,
}

impl Pair {
    pub(crate) fn start() -> Pair {
        Pair::with_faults("[]")
    }

    /// The same, with faults in front of the cloud.
    pub(crate) fn with_faults(faults: &str) -> Pair {
        Pair::of("huawei", &inventory(), faults)
    }

    /// A cloud of `provider` with this inventory, and these faults in front of it.
    pub(crate) fn of(provider: &'static str, inventory: &Value, faults: &str) -> Pair {
        Pair::called_by(&OPEN, provider, inventory, faults)
    }

    /// The same, called in another way.
    pub(crate) fn called_by(
        settings: &Connections,
        provider: &'static str,
        inventory: &Value,
        faults: &str,
    ) -> Pair {
        let rules = perennial_formats::faults::read(faults).unwrap();
        let cloud = Server::start(provider, NOW, inventory).with_faults(rules);
        let endpoint = format!("http://{}/", cloud.listen());
        let broker = Server::start(provider, NOW, &json!({ "resources": [] }));
        broker.host.service().configure_connections(settings.clone()).unwrap();
        let key = cloud.key("acme");
        Pair { cloud, broker, provider, endpoint, key }
    }

    /// The same, with the account connected and read for the first time.
    fn synced() -> Pair {
        Pair::start().read()
    }

    /// The same pair, with the account connected and read for the first time.
    pub(crate) fn read(self) -> Pair {
        self.read_with_settings(&json!({}))
    }

    /// The same with these settings of the account.
    pub(crate) fn read_with_settings(self, settings: &Value) -> Pair {
        let pair = self;
        assert_eq!(pair.connect_with_settings(&pair.key.secret, settings).status, 201);
        assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
        pair
    }

    /// Connects the account with its own key.
    pub(crate) fn connect_with_key(&self) -> ProviderResponse {
        self.connect(&self.key.secret)
    }

    pub(crate) fn connect(&self, secret: &str) -> ProviderResponse {
        self.connect_with_settings(secret, &json!({}))
    }

    fn connect_with_settings(&self, secret: &str, settings: &Value) -> ProviderResponse {
        self.broker.post_to_admin(
            "/v1/connections",
            &json!({ "account": "acme", "provider": self.provider, "currency": "CNY", "access_key": self.key.access_key, "secret": secret,
                "endpoint": self.endpoint, "settings": settings }),
        )
    }

    /// Reads the inventory until there is nothing more to read.
    pub(crate) fn sync(&self, body: &Value) -> Value {
        for _ in 0..50 {
            let answer = self.broker.post_to_admin("/v1/connections/acme:sync", body);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let view = answer.json();
            if ["done", "suspicious"].contains(&view["sync"]["state"].as_str().unwrap()) {
                return view;
            }
        }
        panic!("a sync comes to its end");
    }

    pub(crate) fn ask(&self, path: &str) -> Value {
        let answer = self.broker.ask_admin("GET", path, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// Does something on the cloud, as in its console.
    pub(crate) fn in_console(&self, path: &str, body: &Value) {
        let answer = self.cloud.post_to_admin(path, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// The differences that were found, oldest first: kind, resource, and both values.
    pub(crate) fn drift(&self) -> Vec<String> {
        let page = self.ask("/v1/drift");
        let line = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
            format!("{} {}: {} -> {}", text("kind"), text("resource"), text("here"), text("there"))
        };
        let mut lines = page["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>();
        lines.reverse();
        lines
    }
}

#[test]
fn an_account_is_connected_read_and_forecast_within_its_first_hour() {
    let pair = Pair::start();
    let answer = pair.connect(&pair.key.secret);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let view = answer.json();
    assert_eq!((view["driver"].as_str(), view["balance"].as_str()), (Some("watch"), Some("1000.00")));
    assert_eq!(view["sync"], Value::Null);
    let reads = view["reads"].as_array().unwrap();
    let reads = reads.iter().map(|read| (read["name"].as_str().unwrap(), read["granted"] == true));
    assert_eq!(
        reads.collect::<Vec<_>>(),
        [("list-resources", true), ("list-orders", true), ("quote-renewals", true), ("read-balance", true)]
    );
    let view = pair.sync(&json!({}));
    assert_eq!(view["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/accounts")["items"][0]["balance"], "1000.00", "what the provider says");
    assert_eq!((&view["sync"]["listed"], &view["sync"]["total"]), (&json!(4), &json!(4)));
    let summary = &view["summary"];
    assert_eq!(
        (&summary["resources"], &summary["renewing"], &summary["unprotected"]),
        (&json!(4), &json!(2), &json!(2))
    );
    assert_eq!(summary["without_price"], 0);
    assert_eq!(summary["lapsing"][0]["resource"], "ecs-2");
    assert_eq!(summary["lapsing"][0]["expires_at"], "2026-03-25T15:59:59Z");
    assert_eq!(pair.drift(), [""; 0], "what is found first is no drift");
    let forecast = pair.ask("/v1/forecast?months=1");
    let payment = &forecast["accounts"][0]["months"][0]["payments"][0];
    assert_eq!(payment["resource"], "ecs-1", "{forecast}");
    assert_eq!(payment["cost"], "109.00", "the price of a renewal is that of its bundle");
}

#[test]
fn a_clock_that_passes_pays_nothing_for_an_account_that_is_watched() {
    let pair = Pair::synced();
    pair.broker.advance("2026-03-16T00:00:00Z".parse().unwrap());
    let events = pair.broker.events();
    assert!(
        events.iter().all(|event| !event.contains("renewed") && !event.contains("balance")),
        "{events:?}"
    );
    let refused = pair.broker.post_to_admin("/v1/resources/ecs-1:renew", &json!({}));
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("only watched"), "{}", refused.body);
    let refused = pair.broker.post_to_admin("/v1/accounts/acme:top-up", &json!({ "amount": "1.00" }));
    assert_eq!(refused.status, 409, "{}", refused.body);
}

#[test]
fn what_somebody_did_in_the_console_is_found_with_its_kind() {
    let pair = Pair::synced();
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    pair.in_console("/v1/resources/eip-1:set-auto-renew", &json!({}));
    pair.in_console("/v1/resources/ecs-1:cancel-auto-renew", &json!({}));
    let view = pair.sync(&json!({}));
    assert_eq!(view["sync"]["state"], "done");
    assert_eq!(
        pair.drift(),
        [
            "auto_renew_off ecs-1: renew -> lapse",
            "renewed ecs-2: 2026-03-25T15:59:59Z -> 2026-04-25T15:59:59Z",
            "auto_renew_on eip-1: lapse -> renew",
        ]
    );
    let held = pair.ask("/v1/resources/ecs-2");
    assert_eq!(held["expires_at"], "2026-04-25T15:59:59Z");
    pair.sync(&json!({}));
    assert_eq!(pair.drift().len(), 3, "what was taken over is no drift any more");
}

#[test]
fn a_resource_that_is_gone_is_asked_for_by_its_id_and_then_ends() {
    let pair = Pair::synced();
    pair.in_console("/v1/resources/eip-1:unsubscribe", &json!({ "scope": "all" }));
    let view = pair.sync(&json!({}));
    assert_eq!((&view["sync"]["state"], &view["summary"]["resources"]), (&json!("done"), &json!(3)));
    assert_eq!(pair.drift(), ["gone eip-1: 2026-04-01T15:59:59Z -> -"]);
    assert_eq!(pair.ask("/v1/resources/eip-1")["stage"], "unsubscribed");
}

#[test]
fn an_answer_that_lacks_half_of_what_was_known_deletes_nothing() {
    let pair = Pair::synced();
    for id in ["ecs-1", "ecs-2"] {
        pair.in_console(&format!("/v1/resources/{id}:unsubscribe"), &json!({ "scope": "all" }));
    }
    let view = pair.sync(&json!({}));
    assert_eq!((&view["sync"]["state"], &view["summary"]["resources"]), (&json!("suspicious"), &json!(4)));
    assert!(view["sync"]["problem"].as_str().unwrap().contains("of 4 resources"), "{view}");
    assert_eq!(pair.drift(), [""; 0]);
    let view = pair.sync(&json!({ "accept_missing": true }));
    assert_eq!((&view["sync"]["state"], &view["summary"]["resources"]), (&json!("done"), &json!(1)));
}

#[test]
fn a_sync_goes_on_where_a_failure_stopped_it() {
    let pair = Pair::start();
    assert_eq!(pair.connect(&pair.key.secret).status, 201);
    let (key, path) =
        (pair.key.access_key.clone(), format!("/v1/provider-keys/{}:revoke", pair.key.access_key));
    pair.in_console(&path, &json!({}));
    let answer = pair.broker.post_to_admin("/v1/connections/acme:sync", &json!({}));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("APIGW.0301") && answer.body.contains("credentials"), "{}", answer.body);
    let view = pair.ask("/v1/connections/acme");
    assert_eq!(view["sync"]["state"], "listing");
    assert!(view["sync"]["problem"].as_str().unwrap().contains("APIGW.0301"), "{view}");
    let new = pair.cloud.key("acme");
    assert_ne!(new.access_key, key);
    let rotated = pair.broker.post_to_admin(
        "/v1/connections/acme:rotate",
        &json!({ "access_key": new.access_key, "secret": new.secret }),
    );
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let view = pair.sync(&json!({}));
    assert_eq!((&view["sync"]["state"], &view["sync"]["problem"]), (&json!("done"), &Value::Null));
    let events = pair.ask("/v1/events")["items"].clone();
    let told = events.as_array().unwrap().iter().map(|event| (&event["type"], &event["account"]));
    let told = told.filter(|(kind, _)| kind.as_str().unwrap().starts_with("connection")).collect::<Vec<_>>();
    let of_account = |kind: &str| (json!(kind), json!("acme"));
    let (failed, restored) = (of_account("connection_failed"), of_account("connection_restored"));
    assert_eq!(told, [(&failed.0, &failed.1), (&restored.0, &restored.1)]);
}

#[test]
fn a_key_that_does_not_sign_connects_nothing() {
    let pair = Pair::start();
    let answer = pair.connect("not the secret");
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(!answer.body.contains("not the secret"), "{}", answer.body);
    assert_eq!(pair.ask("/v1/connections")["items"], json!([]));
    assert_eq!(pair.ask("/v1/accounts")["items"], json!([]));
}

#[test]
fn only_the_reads_that_are_granted_leave_the_host() {
    let pair = Pair::synced();
    let granted =
        pair.broker.post_to_admin("/v1/connections/acme:grant", &json!({ "reads": ["read-balance"] }));
    assert_eq!(granted.status, 200, "{}", granted.body);
    let refused = pair.broker.post_to_admin("/v1/connections/acme:sync", &json!({}));
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("`list-resources` is not granted"), "{}", refused.body);
    let unknown = pair.broker.post_to_admin("/v1/connections/acme:grant", &json!({ "reads": ["renew"] }));
    assert_eq!(unknown.status, 422, "{}", unknown.body);
}

#[test]
fn the_secret_of_a_connection_is_in_no_answer_and_not_in_the_database() {
    let pair = Pair::synced();
    let secret = pair.key.secret.as_str();
    for path in [
        "/v1/connections",
        "/v1/connections/acme",
        "/v1/accounts/acme",
        "/v1/audit",
        "/v1/events",
        "/metrics",
    ] {
        let answer = pair.broker.ask_admin("GET", path, "");
        assert!(!answer.body.contains(secret), "{path}: {}", answer.body);
    }
    for (name, bytes) in pair.broker.files() {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
    }
}

#[test]
fn an_endpoint_on_loopback_takes_a_setting_of_the_host() {
    let pair = Pair::start();
    let closed = Server::start("huawei", NOW, &json!({ "resources": [] }));
    let answer = closed.post_to_admin(
        "/v1/connections",
        &json!({ "account": "acme", "provider": "huawei", "access_key": "AK", "secret": "hush",
            "endpoint": pair.endpoint }),
    );
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("connections.allow_private"), "{}", answer.body);
}

#[test]
fn a_running_host_reads_everything_again_after_six_hours() {
    let pair = Pair::synced();
    pair.broker.refresh();
    // No order says that, so that what changed every quarter of an hour does not have it.
    pair.in_console("/v1/resources/eip-1:set-auto-renew", &json!({}));
    pair.cloud.advance("2026-03-01T05:59:59Z".parse().unwrap());
    pair.broker.advance("2026-03-01T05:59:59Z".parse().unwrap());
    pair.cloud.advance("2026-03-01T06:00:01Z".parse().unwrap());
    pair.broker.advance("2026-03-01T06:00:01Z".parse().unwrap());
    pair.broker.wait_until("what was switched in the console is found", |_| !pair.drift().is_empty());
    assert_eq!(pair.drift(), ["auto_renew_on eip-1: lapse -> renew"]);
    assert_eq!(pair.ask("/v1/drift")["items"][0]["found_at"], "2026-03-01T06:00:01Z", "and not before");
}
