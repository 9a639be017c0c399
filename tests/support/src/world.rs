//! An engine over the rules of a small provider, and short ways to write what is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_formats as formats;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::error::StoreError;
use perennial_store::ledger;

use crate::toy::Toy;
pub use crate::toy::providers;

/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// The instant written as `2026-02-28` (midnight UTC) or `2026-02-28T15:59:59`.
pub fn at(text: &str) -> Timestamp {
    let time = if text.contains('T') { "" } else { "T00:00:00" };
    format!("{text}{time}Z").parse().unwrap()
}

/// An amount, such as `12.5`.
pub fn money(text: &str) -> Micros {
    text.parse().unwrap()
}

/// A prepaid resource of 30.00 for thirty days that expires at `expires_at` and renews itself.
pub fn renewing(id: &str, expires_at: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: "vm".to_owned(),
        started_at: at("2026-01-01"),
        expires_at: Some(at(expires_at)),
        anchor_day: Some(10),
        term: Term::new(30, TermUnit::Day),
        price: Some(money("30")),
        on_expiry: OnExpiry::Renew,
        ..Resource::default()
    }
}

/// The same, which does not renew itself.
pub fn lapsing(id: &str, expires_at: &str) -> Resource {
    Resource { on_expiry: OnExpiry::Lapse, ..renewing(id, expires_at) }
}

/// The same, with an attribute.
pub fn with(mut resource: Resource, name: &str, value: &str) -> Resource {
    resource.attributes.insert(name.to_owned(), value.to_owned());
    resource
}

/// A package of 100 hours that expires at `expires_at`.
pub fn package(id: &str, expires_at: &str) -> Resource {
    let package = Package {
        quota: money("100"),
        used: Micros::ZERO,
        unit: "hour".to_owned(),
        resource_type: "cpu".to_owned(),
        bought_at: at("2026-01-01"),
    };
    Resource { package: Some(package), ..lapsing(id, expires_at) }
}

/// The command to renew for the resource's own term.
pub fn renew() -> Command {
    Command::Renew(Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() })
}

/// An account with so much.
pub fn account(id: &str, balance: &str) -> Account {
    Account {
        id: id.to_owned(),
        provider: "toy".to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(money(balance), Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    }
}

/// An engine, its rules' switch, and everything that happened.
pub struct World {
    /// The engine over them.
    pub engine: Engine,
    /// While this is set, the rules give no usable answer.
    pub is_down: Arc<AtomicBool>,
    /// Everything that happened so far.
    pub recorded: Vec<RecordedEvent>,
    folder: tempfile::TempDir,
}

impl World {
    /// Accounts with so much, each with its bundles, as of `from`, in a database that is thrown away.
    pub fn of(from: &str, accounts: &[(&str, &str, Vec<Vec<Resource>>)]) -> World {
        World::over(from, accounts, Store::scratch)
    }

    /// The same in a database like the host's own, which undoes what a failing transaction wrote.
    pub fn durable(from: &str, accounts: &[(&str, &str, Vec<Vec<Resource>>)]) -> World {
        World::over(from, accounts, Store::open)
    }

    fn over(
        from: &str,
        accounts: &[(&str, &str, Vec<Vec<Resource>>)],
        open: impl FnOnce(&Path) -> Result<Store, StoreError>,
    ) -> World {
        let folder = tempfile::tempdir().unwrap();
        let toy = Toy::new();
        let is_down = toy.is_down.clone();
        let rules = [("toy".to_owned(), Arc::new(toy) as Arc<dyn Rules>)];
        let providers = rules.into_iter().collect::<Providers>();
        let store = open(&folder.path().join("db")).unwrap();
        let mut engine = Engine::new(store, providers, Retention::Everything);
        let new = accounts.iter().map(|(id, balance, _)| account(id, balance)).collect::<Vec<_>>();
        let bundles =
            accounts.iter().flat_map(|(id, _, bundles)| bundles.iter().map(|members| (*id, members)));
        let bundles =
            bundles.map(|(id, members)| (id, Bundle { members: members.clone() })).collect::<Vec<_>>();
        engine.import(at(from), &new, bundles.iter().map(|(id, bundle)| (*id, bundle))).unwrap();
        World { engine, is_down, recorded: Vec::new(), folder }
    }

    /// One account called `a`.
    pub fn account(from: &str, balance: &str, bundles: Vec<Vec<Resource>>) -> World {
        World::of(from, &[("a", balance, bundles)])
    }

    /// The host of a durable world starts again, with the same rules or, with a number of days, with another revision of them, by which
    /// everything leaves its stage so many days before its expiry.
    pub fn replace_rules(&mut self, days_early: Option<i64>) {
        let mut toy = Toy::new();
        if let Some(days_early) = days_early {
            (toy.days_early, toy.digest) = (days_early, format!("early {days_early}"));
        }
        self.is_down = toy.is_down.clone();
        self.restart(Providers::from_iter([("toy".to_owned(), Arc::new(toy) as Arc<dyn Rules>)]));
    }

    /// The host of a durable world starts again with these rules and no others.
    pub fn restart(&mut self, providers: Providers) {
        let (file, other) = (self.folder.path().join("db"), self.folder.path().join("other"));
        // The file is free again once the engine that has it is gone.
        let empty = Engine::new(Store::scratch(&other).unwrap(), Providers::default(), Retention::Everything);
        drop(std::mem::replace(&mut self.engine, empty));
        self.engine = Engine::new(Store::open(&file).unwrap(), providers, Retention::Everything);
        self.engine.reschedule().unwrap();
    }

    /// The clock, on time.
    pub fn run_to(&mut self, until: &str) {
        let happened = &mut self.recorded;
        self.engine.run_to(at(until), &mut |more, _| happened.extend(more)).unwrap();
    }

    /// The clock, after an outage.
    pub fn catch_up(&mut self, down_since: &str, now: &str) {
        let happened = &mut self.recorded;
        self.engine.catch_up(at(down_since), at(now), &mut |more, _| happened.extend(more)).unwrap();
    }

    /// A command; returns the refusal's code.
    pub fn command(&mut self, now: &str, resource: &str, command: &Command) -> Option<String> {
        let answer = self.engine.command(at(now), None, resource, command).unwrap();
        self.recorded.extend(answer.events);
        answer.refusal.map(|refusal| refusal.code)
    }

    /// Takes the rules down, or lets them answer again.
    pub fn down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// What happened since it was last asked, one event a line, in the order of time.
    pub fn event_lines(&mut self) -> String {
        let mut happened = std::mem::take(&mut self.recorded);
        happened.sort_by_key(|recorded| recorded.event.at);
        happened.iter().map(event_line).collect()
    }

    /// What an account has; its entries come to the same.
    pub fn balance(&self, account: &str) -> Micros {
        let stored = accounts::get(self.engine.db(), account).unwrap().unwrap();
        let balance = stored.account.balance;
        assert_eq!(ledger::balance(self.engine.db(), stored.row).unwrap(), balance, "entries of {account}");
        balance.available()
    }

    /// A resource as it is stored.
    pub fn resource(&self, id: &str) -> Resource {
        let (stored, member) =
            perennial_store::bundles::find_by_resource(self.engine.db(), id).unwrap().unwrap();
        stored.bundle[member].clone()
    }
}

/// An event, as a line without what hardly matters here.
pub fn event_line(recorded: &RecordedEvent) -> String {
    let event = &recorded.event;
    let (kind, body) = formats::event::body(event);
    let body: serde_json::Value = serde_json::from_str(&body.to_text()).unwrap();
    let shown = [
        "to",
        "expires_at",
        "code",
        "class",
        "next_try_at",
        "setting",
        "value",
        "amount",
        "left",
        "pay_at",
        "down_since",
        "approval",
        "decision",
        "will_retry",
    ];
    let of_lapse = Some("reason").filter(|_| kind == "approval_expired");
    let shown = shown.into_iter().chain(of_lapse).filter_map(|name| Some((name, body.get(name)?)));
    let text = |value: &serde_json::Value| match value.as_bool() {
        Some(flag) => flag.to_string(),
        None => value.as_str().unwrap_or("none").to_owned(),
    };
    let shown = shown.map(|(name, value)| format!(" {name}={}", text(value)));
    let (account, resource) = (recorded.account.as_deref(), event.resource.as_deref());
    let whose = format!("{}/{}", account.unwrap_or("-"), resource.unwrap_or("-"));
    format!("{} {whose} {kind}{}\n", event.at, shown.collect::<String>())
}
