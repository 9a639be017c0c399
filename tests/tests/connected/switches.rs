//! What happens on expiry is switched by one call at a time.

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Resource;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::Change;
use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::connected::CallId;
use perennial_engine::connected::Reservation;
use perennial_engine::connected::run::Decision;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::memory::MemoryStore;
use perennial_test_support::world;

const NOW: Timestamp = Timestamp::from_second(1_767_225_600);

/// A switch of the only resource, which expires after so many days.
fn switch(change: Change, days: i64) -> CallRecord {
    let expires_before = NOW + days * 86_400;
    let resource = "vm-1".to_owned();
    let extension =
        Extension { resource, expires_before, expires_planned: expires_before, cost: Micros::ZERO };
    CallRecord::of_change(vec![extension], change, NOW + 86_400, NOW)
}

#[test]
fn a_switch_waits_for_one_from_before_a_renewal() {
    let member = Resource {
        id: "vm-1".to_owned(),
        kind: "vm".to_owned(),
        started_at: NOW - 86_400,
        expires_at: Some(NOW + 10 * 86_400),
        anchor_day: Some(1),
        ..Resource::default()
    };
    let bundle = Bundle { members: vec![member] };
    let account = world::account("acme", "100");
    let mut engine = Engine::new(MemoryStore::default(), world::providers(), Retention::State);
    engine.import(NOW, &[account], [("acme", &bundle)]).unwrap();
    let mut reserve = |change, days| {
        let record = switch(change, days);
        engine.reserve_call(record, NOW, Schedule::DEFAULT).unwrap().0
    };
    let on = Change::SetAutoRenew(AutoRenewal { term: None, renewals: None });
    assert_eq!(reserve(on, 10), Reservation::Reserved);
    // The resource was renewed meanwhile. Were both under way, the later one would hide what became of the earlier one.
    assert_eq!(reserve(Change::CancelAutoRenew, 20), Reservation::Locked(State::Reserved));
    let call = engine.store().reads().calls_sent_since(Timestamp::MIN).unwrap();
    assert_eq!(call, [], "nothing was sent");
    let (stored, member) = engine.store().reads().find_bundle("vm-1").unwrap().unwrap();
    let open = engine.store().reads().newest_setting(stored.rows[member]).unwrap().unwrap();
    engine.resolve_call(CallId::of(&open), Decision::GiveUp, NOW, Schedule::DEFAULT).unwrap();
    let later = switch(Change::CancelAutoRenew, 20);
    assert_eq!(engine.reserve_call(later, NOW, Schedule::DEFAULT).unwrap().0, Reservation::Reserved);
}
