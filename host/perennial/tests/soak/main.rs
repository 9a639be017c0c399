//! A month of the real program on a bad machine: it is killed and restarted at random moments, its disk fills up, its clock
//! jumps; and after each of these what it acknowledged is there and every promise is kept.
//!
//! In the test suite the month takes a minute. By hand it takes as long as one likes, at a thousand times real time with
//!
//! ```text
//! PERENNIAL_SOAK_SECONDS=2600 cargo test --release --workspace --test soak
//! ```
//!
//! and, with `PERENNIAL_SOAK_MONTHS=100`, month after month, each with a seed of its own. `PERENNIAL_SOAK_SEED=7`, which a
//! failure names, has the same things happen in the same order.
#![cfg(target_os = "linux")]

mod checks;
mod host;
mod machine;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::integrity;
use serde_json::json;

use crate::checks::Checks;
use crate::host::Clock;
use crate::host::Host;
use crate::host::NAME;
use crate::host::program;
use crate::machine::Machine;
use crate::support::Folder;

const DAY: i64 = 86_400;
/// A month, in days.
const DAYS: i64 = 30;
/// How many resources there are of each provider.
const RESOURCES: u64 = 24;
/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// Resources that expire all through the month, in two accounts of which one is often short.
fn inventory(from: Timestamp, dice: &mut Dice) -> String {
    let mut resources = Vec::new();
    for number in 0..RESOURCES {
        for (account, kind, along) in [("hw", "ecs", "evs"), ("bd", "bcc", "cds")] {
            let expires_at = from + i64::try_from(dice.below(24 * 3600 * 28) + 3 * 86_400).unwrap();
            let on_expiry = if dice.below(5) == 0 { "lapse" } else { "renew" };
            let (months, price) = (1 + dice.below(2), 5 + dice.below(40));
            let resource = |id: String, kind: &str, attached_to: Option<String>| {
                json!({
                    "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid", "on_expiry": on_expiry,
                    "started_at": (from - 90 * DAY).to_string(), "expires_at": expires_at.to_string(),
                    "term": { "count": months, "unit": "month" }, "price": format!("{price}.00"), "attached_to": attached_to,
                })
            };
            let id = format!("{kind}-{number}");
            resources.push(resource(format!("{along}-{number}"), along, Some(id.clone())));
            resources.push(resource(id, kind, None));
        }
    }
    let account = |id: &str, provider: &str, balance: &str| json!({ "id": id, "provider": provider, "currency": "CNY", "balance": balance });
    let accounts = [account("hw", "huawei", "4000.00"), account("bd", "baidu", "150.00")];
    json!({ "accounts": accounts, "resources": resources }).to_string()
}

/// A month under way.
struct Soak {
    label: String,
    folder: Folder,
    machine: Machine,
    host: Option<Host>,
    token: String,
    dice: Dice,
    checks: Checks,
    requests: u64,
    happened: BTreeMap<&'static str, u64>,
}

impl Soak {
    fn new(seed: u64, seconds: u64) -> Soak {
        let label = format!("PERENNIAL_SOAK_SEED={seed} PERENNIAL_SOAK_SECONDS={seconds}");
        let folder = Folder::new();
        let from = "2026-01-10T00:00:00Z".parse::<Timestamp>().unwrap();
        let rate = DAYS * DAY / i64::try_from(seconds).unwrap();
        let machine = Machine::new(folder.path("").as_path(), from, rate.max(1));
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        folder.write("inventory.json", &inventory(from, &mut dice));
        let run = |words: &[&str]| {
            let done = program(&folder, &machine).args(words).output().unwrap();
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap().trim().to_owned()
        };
        run(&["import", "inventory.json", "--accept-expired"]);
        let token = run(&["token", "create", "--name", "soak", "--role", "admin"]);
        let checks = Checks::new(folder.path(NAME), label.clone());
        let (host, happened) = (None, BTreeMap::new());
        Soak { label, folder, machine, host, token, dice, checks, requests: 0, happened }
    }

    fn note(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    /// The host, which is started if it does not run.
    fn host(&mut self) -> &mut Host {
        let since = Instant::now();
        while self.host.is_none() {
            match Host::start(&self.folder, &self.machine, &self.token) {
                Ok(host) => self.host = Some(host),
                Err(said) => assert!(since.elapsed() < PATIENCE, "{}: it does not start: {said}", self.label),
            }
        }
        self.host.as_mut().expect("it was just started")
    }

    /// What the host logged lately.
    fn log(&self) -> String {
        self.host.as_ref().map(Host::log).unwrap_or_default()
    }

    /// Sends a request until it is answered by what is done or refused, however often the host ends meanwhile.
    fn insist(&mut self, path: &str, body: &str) -> (u16, serde_json::Value) {
        self.requests += 1;
        let key = format!("key-{}", self.requests);
        let since = Instant::now();
        let mut kills = if self.dice.below(12) == 0 { 1 + self.dice.below(2) } else { 0 };
        loop {
            assert!(since.elapsed() < PATIENCE, "{}: no answer to {path}: {}", self.label, self.log());
            if kills > 0 {
                // The request is under way when the host is killed; how far it came nobody knows.
                kills -= 1;
                drop(self.host().begin("POST", path, Some(&key), body));
                self.kill();
                continue;
            }
            match self.host().send("POST", path, Some(&key), body) {
                Some((503 | 500, _)) => {}
                Some(answer) => return answer,
                None => self.expect_running(),
            }
        }
    }

    /// A connection that was cut off belongs to a host that ended; only a killed one does.
    fn expect_running(&mut self) {
        if let Some(code) = self.host().ended() {
            panic!("{}: the host ended by itself, {code:?}: {}", self.label, self.log());
        }
    }

    fn kill(&mut self) {
        self.note("kills");
        if let Some(host) = self.host.take() {
            host.kill();
        }
        self.checks.check_all();
    }

    fn restart(&mut self) {
        self.note("restarts");
        self.host();
        if let Some(host) = self.host.take() {
            let log = host.log();
            assert_eq!(host.terminate(), Some(0), "{}: {log}", self.label);
        }
        let left = self.folder.path(&format!("{NAME}-wal"));
        assert!(!left.exists(), "{}: a log is left beside the database", self.label);
        self.checks.check_all();
    }

    /// Somebody pays in an amount that nobody else does, so that it can be found.
    fn top_up(&mut self) {
        let account = if self.dice.below(3) == 0 { "bd" } else { "hw" };
        // The last digit is never a zero, which would not be written.
        let amount = format!("{}.{:05}1", 20 + self.dice.below(60), self.requests + 1);
        self.checks.begin(&amount);
        let (status, answer) =
            self.insist(&format!("/v1/accounts/{account}:top-up"), &json!({ "amount": amount }).to_string());
        assert_eq!(status, 200, "{}: {answer}", self.label);
        self.checks.acknowledge(&amount);
    }

    /// Somebody renews a resource by hand.
    fn renew(&mut self) {
        let kind = if self.dice.below(2) == 0 { "ecs" } else { "bcc" };
        let resource = format!("{kind}-{}", self.dice.below(RESOURCES));
        let (status, answer) = self.insist(&format!("/v1/resources/{resource}:renew"), "{}");
        assert!([200, 202, 409].contains(&status), "{}: {status} {answer}", self.label);
        if status == 200 {
            self.checks.acknowledge_renewal(&resource, &answer);
        }
    }

    /// The disk fills up for a while: nothing is acknowledged, the host stays, and goes on when there is space.
    fn fill_disk(&mut self) {
        self.note("full disks");
        self.host();
        self.machine.fill(true);
        let body = json!({ "amount": "1.00" }).to_string();
        let answer = self.host().send("POST", "/v1/accounts/hw:top-up", None, &body);
        match answer {
            Some((status, answer)) => {
                assert_eq!(status, 503, "{}: {answer}", self.label);
                assert!(
                    answer["type"].as_str().is_some_and(|kind| kind.ends_with("storage-full")),
                    "{}: {answer}",
                    self.label
                );
            }
            None => self.expect_running(),
        }
        if self.dice.below(4) == 0 {
            self.kill();
        } else {
            self.checks.check_all();
            let ready = self.host().send("GET", "/readyz", None, "");
            assert!(
                ready.is_some_and(|(status, _)| status == 503),
                "{}: it is ready with a full disk",
                self.label
            );
        }
        self.machine.fill(false);
    }

    fn jump(&mut self) {
        self.note("clock jumps");
        let seconds = i64::try_from(self.dice.below(3 * 86_400)).unwrap() - DAY;
        self.machine.jump(seconds);
        self.host();
        self.checks.check_all();
    }

    /// Whatever is due by now is done soon.
    fn wait_for_due(&mut self) {
        let now = self.machine.now();
        let since = Instant::now();
        loop {
            self.host();
            self.expect_running();
            let due = self.checks.due(now);
            if due.is_empty() {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{}: still due: {due:?}: {}", self.label, self.log());
            std::thread::yield_now();
        }
    }

    fn run(&mut self, seconds: u64) {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(seconds) {
            match self.dice.below(40) {
                0..20 => self.top_up(),
                20..30 => self.renew(),
                30..33 => self.kill(),
                33..35 => self.restart(),
                35 => self.fill_disk(),
                36 | 37 => self.jump(),
                _ => self.wait_for_due(),
            }
        }
        self.wait_for_due();
        self.restart();
        self.checks.check_end(self.machine.now());
    }
}

#[test]
fn a_month_of_bad_days_loses_nothing_and_keeps_every_promise() {
    let seconds = variable("PERENNIAL_SOAK_SECONDS", 45);
    let seed = variable("PERENNIAL_SOAK_SEED", 1);
    for seed in seed..seed + variable("PERENNIAL_SOAK_MONTHS", 1) {
        let mut soak = Soak::new(seed, seconds);
        println!("{}", soak.label);
        soak.run(seconds);
        println!("{}: {} requests, {:?}", soak.label, soak.requests, soak.happened);
        let least =
            ["kills", "restarts", "full disks", "clock jumps"].map(|what| soak.happened.get(what).copied());
        assert!(
            least.iter().all(Option::is_some),
            "{}: too little happened: {:?}",
            soak.label,
            soak.happened
        );
    }
}

#[test]
fn a_clock_on_a_full_disk_waits_for_space_and_goes_on() {
    let folder = Folder::new();
    let from = "2026-01-10T00:00:00Z".parse::<Timestamp>().unwrap();
    // A day in a second, so that there is always something to do.
    let mut machine = Machine::new(folder.path("").as_path(), from, DAY);
    folder.write("inventory.json", &inventory(from, &mut Dice(1)));
    let words = ["import", "inventory.json", "--accept-expired"];
    let imported = program(&folder, &machine).args(words).output().unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let mut clock = Clock::start(&folder, &machine);
    clock.wait_for("the clock runs");
    for _ in 0..2 {
        machine.fill(true);
        clock.wait_for("the clock waits for space");
        machine.fill(false);
        clock.wait_for("can be written to again");
    }
    // It can be stopped while it waits.
    machine.fill(true);
    clock.wait_for("the clock waits for space");
    assert_eq!(clock.terminate(), Some(0));
    machine.fill(false);
    let db = ReadTx::open(&folder.path(NAME)).unwrap();
    assert_eq!(integrity::check(&db).unwrap(), []);
}
