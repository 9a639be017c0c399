//! A revision is tried, promoted and taken back while the clock works and the host dies again and again.

use std::collections::BTreeMap;
use std::path::Path;

use perennial_domain::event::EventKind;
use perennial_domain::revision::BindingMode;
use perennial_domain::revision::RevisionDifference;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::clock;
use perennial_engine::clock::LastActive;
use perennial_engine::replay;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RevisionDifferenceKey;
use perennial_store::keys::RowKey;
use perennial_store::revision_differences;

use crate::world::AUTHOR;
use crate::world::account;
use crate::world::at;
use crate::world::bundle;
use crate::world::install;
use crate::world::late_table;
use crate::world::narrow_table;
use crate::world::open;

const FROM: &str = "2026-01-20T00:00:00Z";
const BUNDLES: usize = 12;
/// After how many transactions the host dies.
const LIFE: usize = 4;

/// A host that dies after every few transactions.
struct Host<'f> {
    db: &'f Path,
    engine: Option<Engine>,
    steps: usize,
    /// How often each resource was renewed, by its expiry before.
    renewals: BTreeMap<(String, Timestamp), usize>,
}

impl Host<'_> {
    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    /// Ends the host without a word, and starts it again.
    fn die(&mut self) {
        drop(self.engine.take());
        self.engine = Some(open(self.db, at(FROM)).with_batch_size(7));
    }

    /// Does at most `batches` of what is due by `until`; returns whether more is.
    fn run(&mut self, until: &str, batches: usize) -> bool {
        for _ in 0..batches {
            self.engine().reschedule().unwrap();
            let mut happened = Vec::new();
            let has_more = self.engine().step(at(until), &mut |events, _| happened.extend(events)).unwrap();
            for recorded in happened {
                if let EventKind::RenewalSettled { expires_before, .. } = recorded.event.what {
                    let resource = recorded.event.resource.unwrap();
                    *self.renewals.entry((resource, expires_before)).or_default() += 1;
                }
            }
            self.steps += 1;
            if self.steps.is_multiple_of(LIFE) {
                self.die();
            }
            if !has_more {
                return false;
            }
        }
        true
    }

    /// The number of the last decision.
    fn last_decision(&mut self) -> i64 {
        let db = self.engine().db();
        decisions::list(db, DecisionKey::before_all(), u32::MAX)
            .unwrap()
            .last()
            .map_or(0, |one| one.row.number())
    }
}

fn host(db: &Path) -> Host<'_> {
    let mut engine = open(db, at(FROM)).with_batch_size(7);
    let accounts = [account("vol-a", &[]), account("vol-b", &[])];
    let bundles = (0..BUNDLES).map(|number| {
        let account = if number % 2 == 0 { "vol-a" } else { "vol-b" };
        (account, bundle(&format!("ecs-{number:02}"), &format!("2026-02-{:02}", 1 + number % 28)))
    });
    let bundles = bundles.collect::<Vec<_>>();
    engine.import(at(FROM), &accounts, bundles.iter().map(|(account, bundle)| (*account, bundle))).unwrap();
    // From here on the database has a past, and what is asked anew is asked from there.
    clock::tick(&mut engine, at(FROM), LastActive::at(at(FROM)), &mut |_| {}).unwrap();
    Host { db, engine: Some(engine), steps: 0, renewals: BTreeMap::new() }
}

#[test]
fn a_revision_is_promoted_and_rolled_back_and_each_period_is_paid_once() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let mut host = host(&db);
    let now = at(FROM);
    let bundled = host.engine().providers().loaded()["volcengine"].digest().to_owned();
    let late = install(host.engine(), now, &late_table());
    assert!(!host.run("2026-01-24T00:00:00Z", usize::MAX));
    let bind = |host: &mut Host<'_>, mode| {
        let bound = |engine: &mut perennial_engine::EngineTx<'_>| {
            engine.bind_revision(now, &late, ("vol-*", mode), AUTHOR)
        };
        host.engine().in_transaction(bound).unwrap()
    };
    bind(&mut host, BindingMode::Shadow);
    assert!(host.run("2026-02-02T00:00:00Z", 3), "it is promoted while more is due");
    let trials = revision_differences::trials(host.engine().db(), &late).unwrap();
    assert_eq!((trials.len(), trials[0].followed.as_str(), trials[0].failed), (1, bundled.as_str(), 0));
    assert!(trials[0].asked > 0 && trials[0].differed > 0, "{trials:?}");
    let promoted_after = host.last_decision();
    let promote = |engine: &mut perennial_engine::EngineTx<'_>| {
        engine.promote_revision(now, ("volcengine", "vol-*"), AUTHOR)
    };
    assert_eq!(host.engine().in_transaction(promote).unwrap().changes.len(), 2);
    assert!(host.run("2026-03-01T00:00:00Z", 16), "it is rolled back while more is due");
    let rolled_back_after = host.last_decision();
    let roll_back = |engine: &mut perennial_engine::EngineTx<'_>| {
        engine.roll_back_revision(now, ("volcengine", "vol-*"), AUTHOR)
    };
    assert_eq!(host.engine().in_transaction(roll_back).unwrap().changes.len(), 1);
    assert!(!host.run("2026-04-01T00:00:00Z", usize::MAX));

    let decided = decisions::list(host.engine().db(), DecisionKey::before_all(), u32::MAX).unwrap();
    for decision in &decided {
        let row = decision.row.number();
        let expected = if row > promoted_after && row <= rolled_back_after { &late } else { &bundled };
        assert_eq!(decision.digest, *expected, "decision {row}, of {}", decision.resource);
    }
    assert!(rolled_back_after > promoted_after, "the promoted revision decided nothing");
    assert!(host.renewals.values().all(|times| *times == 1), "paid twice: {:?}", host.renewals);
    // Each server and its disk expires twice by then: in February and in March.
    for number in 0..BUNDLES {
        let id = format!("ecs-{number:02}");
        let paid = host.renewals.keys().filter(|(resource, _)| *resource == id).count();
        let disk = host.renewals.keys().filter(|(resource, _)| *resource == format!("{id}-disk")).count();
        assert!(paid >= 2 && paid == disk, "{id} was renewed {paid} times, its disk {disk} times");
    }
    let providers = host.engine().providers().clone();
    let tally = replay::replay_all::<StoreError>(host.engine().db(), &providers, &mut |_, _| Ok(())).unwrap();
    assert_eq!((tally.matching, tally.different), (decided.len() as u64, 0), "{:?}", tally.not_replayable);
}

#[test]
fn a_shadow_shows_what_it_would_have_done_otherwise_in_money() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let mut host = host(&db);
    let narrow = install(host.engine(), at(FROM), &narrow_table());
    let bind = |engine: &mut perennial_engine::EngineTx<'_>| {
        engine.bind_revision(at(FROM), &narrow, ("vol-a", BindingMode::Shadow), AUTHOR)
    };
    host.engine().in_transaction(bind).unwrap();
    assert!(!host.run("2026-03-01T00:00:00Z", usize::MAX));
    let db = host.engine().db();
    let totals = revision_differences::totals(db, &narrow, None).unwrap();
    let price = totals.iter().find(|total| total.kind == RevisionDifference::Price);
    let price = price.unwrap_or_else(|| panic!("no plan has another price: {totals:?}"));
    assert!(price.cost < price.followed_cost, "leaving the disks out costs less: {price:?}");
    let differences =
        revision_differences::list(db, &narrow, None, RevisionDifferenceKey::before_all(), 1_000);
    let differences = differences.unwrap();
    assert!(
        differences.iter().all(|one| one.account_id == "vol-a"),
        "an account without a shadow was compared"
    );
    let first = differences.iter().find(|one| one.kind == RevisionDifference::Price).unwrap();
    assert_eq!(first.question, "renew");
    let costs = [first.followed_cost, first.cost].map(|cost| cost.unwrap().to_string());
    assert_eq!(costs, ["110.00", "100.00"]);
    let disk = format!("{}-disk", first.resource_id);
    assert!(first.followed_answer.contains(&disk), "{}", first.followed_answer);
}
