//! Renewals on clouds: the whole protocol against a bare loop, the first call after a crash with ten thousand under way, and a
//! sync of very many resources.

mod bare;
mod crash;
mod instant_cloud;

use std::time::Duration;
use std::time::Instant;

use perennial_service::connections::Connections;
use perennial_service::limits::Limits;
use perennial_store::engine_store::EngineReads;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

use crate::arguments::Arguments;
use crate::connected::instant_cloud::InstantCloud;
use crate::figures;
use crate::figures::Reach;

pub use crash::child;
pub use crash::is_child;

/// When it all happens.
const NOW: &str = "2026-03-01T00:00:00Z";
/// How long any part may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// Loopback, and no quota but what this machine can do.
const OPEN: Connections = Connections { allow_private: true, is_unmetered: true, ..Connections::DEFAULT };
/// Renewals of one round.
const RENEWALS: u32 = 2_000;
/// Resources of the sync.
const LISTED: u32 = 100_000;

/// Measures all three, and prints them.
pub fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    measure_attempts(arguments);
    crash::measure()?;
    measure_sync();
    Ok(())
}

/// Attempts through the whole protocol, plugin included, against the same HTTP calls and commits without either.
fn measure_attempts(arguments: &Arguments) {
    let how = format!("{RENEWALS} renewals in calls of ten; best of {} rounds", arguments.rounds);
    figures::title("Durable attempts against an instant provider on loopback", &how);
    let (mut durable, mut bare) = (Duration::MAX, Duration::MAX);
    let mut calls = 0;
    for _ in 0..arguments.rounds {
        let cloud = InstantCloud::start(RENEWALS, NOW);
        let broker = broker(&cloud.endpoint());
        sync(&broker);
        let before = cloud.calls();
        let taken = renew_all(&broker, &cloud);
        calls = cloud.calls() - before;
        figures::keep_best(&mut durable, taken);
        figures::keep_best(&mut bare, bare::run(&cloud, RENEWALS, calls));
    }
    let rate = |taken: Duration| f64::from(RENEWALS) / taken.as_secs_f64();
    figures::cells(
        "attempts, reserved to settled",
        &format!("{:.0} /s", rate(durable)),
        &format!("{calls} bare calls and as many commits"),
        &format!("{:.0} /s", rate(bare)),
        rate(durable) / rate(bare),
        Some(Reach::AtLeast(0.3)),
    );
}

/// A host that is connected to the provider at `endpoint`, and drives its account.
pub fn broker(endpoint: &str) -> Server {
    let broker = Server::start("huawei", NOW, &json!({ "resources": [] }));
    broker.host.service().configure_connections(OPEN).expect("no file of certificates is read");
    connect(&broker, endpoint, "AK0123456789", "SK0123456789");
    broker
}

fn connect(broker: &Server, endpoint: &str, access_key: &str, secret: &str) {
    let connection = json!({ "account": "acme", "provider": "huawei", "currency": "CNY", "endpoint": endpoint,
        "access_key": access_key, "secret": secret });
    let answer = broker.post_to_admin("/v1/connections", &connection);
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// Reads the inventory to its end; returns how long that took, and how much of it passed until everything was listed.
fn sync(broker: &Server) -> (Duration, Duration) {
    let (started, mut listed) = (Instant::now(), None);
    loop {
        let answer = broker.post_to_admin("/v1/connections/acme:sync", &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let state = answer.json()["sync"]["state"].clone();
        if state != "listing" {
            listed.get_or_insert_with(|| started.elapsed());
        }
        if let ("done", Some(listed)) = (state.as_str().unwrap_or_default(), listed) {
            return (started.elapsed(), listed);
        }
        assert!(started.elapsed() < PATIENCE, "the sync comes to no end");
    }
}

/// Has the host renew everything that the account has; returns how long that took from the command to the last settlement.
fn renew_all(broker: &Server, cloud: &InstantCloud) -> Duration {
    let drive = broker.post_to_admin("/v1/connections/acme:drive", &json!({ "driver": "host" }));
    assert_eq!(drive.status, 200, "{}", drive.body);
    broker.dispatch();
    let started = Instant::now();
    let job = json!({ "command": { "renew": {} }, "filter": { "account": "acme" } });
    let made = broker.post_to_admin("/v1/jobs", &job);
    assert_eq!(made.status, 202, "{}", made.body);
    wait_for(broker, cloud);
    let taken = started.elapsed();
    assert_eq!(count(broker, "settled"), RENEWALS as usize, "every renewal is settled");
    taken
}

/// Waits until everything is paid for and nothing is left to do about any call, and moves the clock on meanwhile: readings follow
/// calls after some seconds. Asks for no more of the host than that: what is measured is the host.
#[expect(clippy::disallowed_methods, reason = "a benchmark waits for the host that it measures")]
fn wait_for(broker: &Server, cloud: &InstantCloud) {
    let started = Instant::now();
    let is_done = || {
        cloud.renewals() >= u64::from(RENEWALS)
            && broker.read(|db| db.next_call_act()).expect("a database that can be read").is_none()
    };
    while !is_done() {
        assert!(started.elapsed() < PATIENCE, "{} renewals were made", cloud.renewals());
        broker.advance(broker.now() + 5);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count(broker: &Server, state: &str) -> usize {
    let (mut found, mut path) = (0, format!("/v1/calls?state={state}&limit=1000"));
    loop {
        let page: Value = broker.ask_admin("GET", &path, "").json();
        found += page["items"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/v1/calls?state={state}&limit=1000&cursor={next}"),
            None => return found,
        }
    }
}

/// A sync from a sandbox without quotas.
fn measure_sync() {
    figures::title(
        "Sync of a large account",
        "from another host's own API on loopback, without quotas; once",
    );
    let resource = |number: u32| {
        json!({ "id": format!("ecs-{number}"), "account": "acme", "kind": "ecs", "region": "cn-north-4",
            "charging": "prepaid", "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-20T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse" })
    };
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": (0..LISTED).map(resource).collect::<Vec<_>>(),
    });
    let cloud = Server::within(Limits::DEFAULT, "huawei", NOW, &inventory);
    let endpoint = format!("http://{}/", cloud.listen());
    let key = cloud.key("acme");
    let broker = Server::start("huawei", NOW, &json!({ "resources": [] }));
    broker.host.service().configure_connections(OPEN).expect("no file of certificates is read");
    connect(&broker, &endpoint, &key.access_key, &key.secret);
    let (taken, listed) = sync(&broker);
    let rate = |taken: Duration| f64::from(LISTED) / taken.as_secs_f64();
    let row = |what: &str, rate: f64| {
        let reach = Some(Reach::AtLeast(1.0));
        figures::cells(
            what,
            &format!("{rate:.0} /s"),
            "what a sync is to reach",
            "5000 /s",
            rate / 5_000.0,
            reach,
        );
    };
    row(&format!("{LISTED} resources, to the end of the list"), rate(listed));
    row("with a price of each, and taken over", rate(taken));
}
