//! What must be so of the database of a soak, at whatever moment its host was interrupted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use perennial_domain::ledger::Reason;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::events;
use perennial_store::events::Filter;
use perennial_store::integrity;
use perennial_store::ledger;
use perennial_store::testing;
use serde_json::Value;

/// What was acknowledged, and what was seen at the last look.
pub struct Checks {
    db: PathBuf,
    label: String,
    /// Amounts that were paid in and acknowledged ...
    acknowledged: BTreeSet<String>,
    /// ... and the one that is under way.
    begun: Option<String>,
    /// The expiry that an acknowledged renewal came to, by resource.
    renewed: BTreeMap<String, String>,
    /// The last expiry that was seen, by resource.
    expiries: BTreeMap<String, String>,
    looks: u64,
}

impl Checks {
    /// Of the database at `db`, of which nothing is acknowledged.
    pub fn new(db: PathBuf, label: String) -> Checks {
        let (acknowledged, renewed, expiries) = Default::default();
        Checks { db, label, acknowledged, begun: None, renewed, expiries, looks: 0 }
    }

    /// Somebody pays in so much, and has no answer yet.
    pub fn begin(&mut self, amount: &str) {
        self.begun = Some(amount.to_owned());
    }

    /// It was answered that so much was paid in.
    pub fn acknowledge(&mut self, amount: &str) {
        self.begun = None;
        self.acknowledged.insert(amount.to_owned());
    }

    /// It was answered that a resource was renewed.
    pub fn acknowledge_renewal(&mut self, resource: &str, answer: &Value) {
        if let Some(expires_at) = answer["resource"]["expires_at"].as_str() {
            self.renewed.insert(resource.to_owned(), expires_at.to_owned());
        }
    }

    fn open(&self) -> ReadTx {
        ReadTx::open(&self.db).unwrap_or_else(|error| panic!("{}: {error}", self.label))
    }

    /// What is due by `now`.
    pub fn due(&self, now: Timestamp) -> Vec<String> {
        integrity::due(&self.open(), now.as_second()).unwrap()
    }

    /// Promises 1, 2, 4 and 5, and that what was acknowledged is there, once.
    pub fn check_all(&mut self) {
        let db = self.open();
        db.snapshot(|db| {
            self.looks += 1;
            // Promises 1, 2 and 4, from the rows.
            let violations = integrity::check(db).unwrap();
            assert_eq!(violations, [], "{}", self.label);
            self.check_paid_in(db);
            self.check_renewals(db);
            self.check_expiries(db);
        })
        .unwrap();
    }

    fn check_paid_in(&self, db: &ReadTx) {
        let mut found = BTreeMap::<String, u32>::new();
        for account in accounts::list(db).unwrap() {
            let entries = ledger::list(db, account.row).unwrap();
            for entry in entries.into_iter().filter(|entry| entry.reason == Reason::TopUp) {
                *found.entry(entry.amount.to_string()).or_default() += 1;
            }
        }
        let twice = found.iter().filter(|(_, times)| **times > 1).collect::<Vec<_>>();
        assert!(twice.is_empty(), "{}: paid in more than once: {twice:?}", self.label);
        let lost = self.acknowledged.iter().filter(|amount| !found.contains_key(*amount)).collect::<Vec<_>>();
        assert!(lost.is_empty(), "{}: acknowledged and lost: {lost:?}", self.label);
        let made_up = found
            .keys()
            .filter(|amount| !self.acknowledged.contains(*amount) && self.begun.as_ref() != Some(amount));
        let made_up = made_up.collect::<Vec<_>>();
        assert!(made_up.is_empty(), "{}: nobody paid in {made_up:?}", self.label);
    }

    /// A period was renewed once, and a renewal that was acknowledged is there.
    fn check_renewals(&self, db: &ReadTx) {
        let filter = Filter { kind: Some("renewal_settled".to_owned()), ..Filter::default() };
        let (mut periods, mut reached) = (BTreeSet::new(), BTreeSet::new());
        for event in events::list(db, &filter, u32::MAX).unwrap() {
            let body = serde_json::from_str::<Value>(&event.body).unwrap();
            let resource = event.resource.unwrap_or_default();
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            assert!(
                periods.insert((resource.clone(), text("expires_before"))),
                "{}: {resource} twice: {body}",
                self.label
            );
            reached.insert((resource, text("expires_at")));
        }
        for (resource, expires_at) in &self.renewed {
            let is_there = reached.contains(&(resource.clone(), expires_at.clone()));
            assert!(is_there, "{}: {resource} was renewed to {expires_at}, it was said", self.label);
        }
    }

    /// Promise 5: nobody unsubscribes or converts anything here.
    fn check_expiries(&mut self, db: &ReadTx) {
        for line in testing::expiries(db) {
            let (resource, expires_at) = line;
            let before = self.expiries.insert(resource.clone(), expires_at.clone());
            let moved_back = before.as_ref().is_some_and(|before| *before > expires_at);
            assert!(
                !moved_back,
                "{}: {resource} expired at {before:?} and does now at {expires_at}",
                self.label
            );
        }
    }

    /// At the end, when all that is due is done: nothing is left that expired unnoticed.
    pub fn check_end(&mut self, now: Timestamp) {
        self.check_all();
        let expired = integrity::expired_but_active(&self.open(), now.as_second()).unwrap();
        assert!(expired.is_empty(), "{}: expired and still active: {expired:?}", self.label);
        assert!(self.looks > 10 && self.acknowledged.len() > 20, "{}: too little was looked at", self.label);
    }
}
