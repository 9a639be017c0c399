//! What is due of an account: the most urgent calls of both kinds, alike in memory and in a database.

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::SendingLimits;
use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::Change;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::connected::Cloud;
use perennial_engine::connected::Interruption;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::Reservation;
use perennial_engine::connected::Response;
use perennial_engine::connected::run;
use perennial_engine::connected::run::Progress;
use perennial_store::Store;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::memory::MemoryStore;
use perennial_test_support::world;

const NOW: Timestamp = Timestamp::from_second(1_767_225_600);
const DAY: i64 = 86_400;

/// A cloud that takes every call.
struct Accepting;

impl Cloud for Accepting {
    fn read(
        &mut self,
        _account: &str,
        records: &[CallRecord],
        at: Timestamp,
    ) -> Result<Vec<ReadBack>, ReadFailure> {
        let read = |record: &CallRecord| ReadBack {
            at,
            expiries: record.extensions.iter().map(|one| Some(one.expires_before)).collect(),
            on_expiry: vec![None; record.extensions.len()],
            orders: OrderView::Absent,
        };
        Ok(records.iter().map(read).collect())
    }

    fn change(
        &mut self,
        _account: &str,
        records: &[CallRecord],
        _at: Timestamp,
    ) -> Result<Vec<Response>, Interruption> {
        Ok(vec![Response::Accepted; records.len()])
    }
}

fn id(number: i64) -> String {
    format!("vm-{number}")
}

/// Reserves a switch of the resource with this number that has so many days.
fn reserve<S: EngineStore>(engine: &mut Engine<S>, number: i64, days: i64) {
    let expires_before = NOW + 30 * DAY;
    let (resource, expires_planned) = (id(number), expires_before);
    let extension = Extension { resource, expires_before, expires_planned, cost: Micros::ZERO };
    let record = CallRecord::of_change(vec![extension], Change::CancelAutoRenew, NOW + days * DAY, NOW);
    let reserved = engine.reserve_call(record, NOW, Schedule::DEFAULT).unwrap().0;
    assert_eq!(reserved, Reservation::Reserved);
}

/// What is due of six calls, two of which were sent, by how many of each kind are looked at: the resources.
fn due<S: EngineStore>(store: S) -> Vec<String> {
    let member = |number| Resource {
        id: id(number),
        kind: "vm".to_owned(),
        started_at: NOW - DAY,
        expires_at: Some(NOW + 30 * DAY),
        anchor_day: Some(1),
        ..Resource::default()
    };
    let bundles = (1..=6).map(|number| Bundle { members: vec![member(number)] }).collect::<Vec<_>>();
    let account = world::account("acme", "100");
    let mut engine = Engine::new(store, world::providers(), Retention::State);
    engine.import(NOW, &[account], bundles.iter().map(|bundle| ("acme", bundle))).unwrap();
    for (number, days) in [(1, 9), (2, 8)] {
        reserve(&mut engine, number, days);
    }
    let mut dispatcher = Dispatcher::new(SendingLimits::DEFAULT);
    let sent = run::step(&mut engine, &mut dispatcher, &mut Accepting, NOW, Schedule::DEFAULT).unwrap();
    assert_eq!(sent, Progress::Worked);
    for (number, days) in [(3, 7), (4, 5), (5, 6), (6, 4)] {
        reserve(&mut engine, number, days);
    }
    let reads = engine.store().reads();
    let account = reads.accounts().unwrap()[0].row;
    let look = |limit| {
        let due = reads.due_calls_of(account, NOW + DAY, limit).unwrap();
        due.iter().map(|call| call.record.named().resource.clone()).collect::<Vec<_>>().join(" ")
    };
    vec![look(1), look(2), look(10)]
}

#[test]
fn what_is_looked_at_first_is_the_most_urgent_of_both_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let expected = ["vm-2 vm-6", "vm-2 vm-1 vm-6 vm-4", "vm-2 vm-1 vm-6 vm-4 vm-5 vm-3"];
    assert_eq!(due(Store::open(&folder.path().join("test.db")).unwrap()), expected);
    assert_eq!(due(MemoryStore::default()), expected);
}
