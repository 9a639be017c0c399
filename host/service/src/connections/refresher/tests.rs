//! When an inventory is read again, and how much of it.

use super::*;

const INCREMENTAL: SyncScope =
    SyncScope::Incremental { changes_since: None, expires_until: Timestamp::from_second(0) };

fn sync(scope: SyncScope, state: SyncState, changed_at: i64) -> Sync {
    Sync {
        scope,
        state,
        cursor: None,
        listed: 0,
        total: None,
        problem: None,
        started_at: Timestamp::from_second(0),
        changed_at: Timestamp::from_second(changed_at),
        is_first: false,
        unknown: Vec::new(),
        requests: 0,
    }
}

fn due(newest: &Sync, full: &Sync, incremental_sync_seconds: u32, now: i64) -> &'static str {
    let settings = Connections { incremental_sync_seconds, ..Connections::DEFAULT };
    match what_is_due(newest, full, &settings, Timestamp::from_second(now)) {
        None => "nothing",
        Some(true) => "incremental",
        Some(false) => "full",
    }
}

#[test]
fn what_changed_is_read_often_and_everything_in_its_interval() {
    let full = sync(SyncScope::Full, SyncState::Done, 0);
    assert_eq!(due(&full, &full, 900, 899), "nothing");
    assert_eq!(due(&full, &full, 900, 900), "incremental");
    let newest = sync(INCREMENTAL, SyncState::Done, 21_000);
    assert_eq!(due(&newest, &full, 900, 21_599), "nothing");
    assert_eq!(due(&newest, &full, 900, 21_600), "full", "incremental ones do not put it off");
    assert_eq!(due(&full, &full, 0, 21_599), "nothing", "switched off");
    assert_eq!(due(&full, &full, 0, 21_600), "full");
}

#[test]
fn a_reading_under_way_goes_on_and_a_suspicious_one_stays_in_sight() {
    let full = sync(SyncScope::Full, SyncState::Done, 0);
    let stopped = sync(INCREMENTAL, SyncState::Checking, 1_000);
    assert_eq!(due(&stopped, &full, 900, 1_599), "nothing");
    assert_eq!(due(&stopped, &full, 900, 1_600), "incremental");
    let failing = sync(INCREMENTAL, SyncState::Listing, 21_000);
    assert_eq!(due(&failing, &full, 900, 21_600), "full", "what never ends does not put it off either");
    let stopped = sync(SyncScope::Full, SyncState::Listing, 1_000);
    assert_eq!(due(&stopped, &stopped, 900, 1_600), "full");
    let suspicious = sync(SyncScope::Full, SyncState::Suspicious, 0);
    assert_eq!(due(&suspicious, &suspicious, 900, 21_599), "nothing");
    assert_eq!(due(&suspicious, &suspicious, 900, 21_600), "full");
}
