//! How a server keeps real time: late, on time, and while somebody writes.

use perennial_engine::clock::now;
use perennial_store::testing;

use crate::server::Served;
use crate::server::until;
use crate::support::Folder;
use crate::support::overdue;

/// Enough that the clock is busy with them while a few requests are answered.
const MANY: u32 = 600;
/// One bundle a transaction, so that there is much between two of them.
const SINGLY: (&str, &str) = ("PERENNIAL_LIMITS_BATCH", "1");

#[test]
fn reads_and_writes_do_not_wait_for_a_clock_that_is_behind() {
    // Behind because it never ran, and because the host was down.
    for ticked in [false, true] {
        let folder = Folder::new();
        overdue::database(&folder, MANY, "test.db", ticked);
        let server = Served::start(&folder, &[SINGLY], &[]);
        let ready = server.get("/readyz");
        assert_eq!(ready.status, 503, "{ready:?}");
        assert_eq!(ready.json()["clock"], false);
        assert_eq!(ready.json()["store"], true);
        let topped_up = server.send("POST", "/v1/accounts/bd:top-up", r#"{"amount": "1.00"}"#);
        assert_eq!(topped_up.status, 200, "{topped_up:?}");
        let renewed = server.send("POST", "/v1/resources/bcc-1:cancel-auto-renew", "{}");
        assert!([200, 409].contains(&renewed.status), "{renewed:?}");
        assert_eq!(server.get("/v1/resources/ecs-0").status, 200);
        let due = server.figure("perennial_due");
        assert!(
            due > i64::from(MANY) / 10,
            "only {due} bundles are due still: the writes waited for the others"
        );
        assert!(server.figure("perennial_overdue_seconds") > 86_400);
        until("the clock has caught up", || (server.get("/readyz").status == 200).then_some(()));
        assert_eq!(server.figure("perennial_due"), 0);
    }
}

#[test]
fn after_an_outage_it_says_so_and_makes_up_for_missed_tries() {
    let folder = Folder::new();
    overdue::database(&folder, 12, "test.db", true);
    let server = Served::start(&folder, &[], &[]);
    until("the clock has caught up", || (server.get("/readyz").status == 200).then_some(()));
    let resumed = server.get("/v1/events?type=host_resumed").json();
    let accounts = resumed["items"].as_array().unwrap().iter().map(|event| event["account"].clone());
    assert_eq!(accounts.collect::<Vec<_>>(), ["bd", "hw"]);
    assert_eq!(resumed["items"][0]["down_since"], "2024-01-01T01:00:00Z");
    assert!(server.figure("perennial_missed_attempts_total") > 0);
    let renewed = server.get("/v1/events?type=renewal_settled").json();
    let since = renewed["items"].as_array().unwrap().iter().map(|event| event["at"].as_str().unwrap());
    let mut since = since.filter(|at| *at > "2024-01-01T01:00:00Z").collect::<Vec<_>>();
    since.dedup();
    assert_eq!(since, [&resumed["items"][0]["at"]], "money moves when the host is up again");
    until("the tick has ended", || (server.figure("perennial_clock_lag_seconds") < 60).then_some(()));
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    // A restart within a minute is no outage.
    let again = Served::start(&folder, &[], &[]);
    until("the clock runs", || (again.get("/readyz").status == 200).then_some(()));
    assert_eq!(again.get("/v1/events?type=host_resumed").json(), resumed);
}

#[test]
fn a_clock_with_nothing_to_do_beats_all_the_same() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    let ticked_at = || server.get("/v1/clock").json()["ticked_at"].as_str().map(str::to_owned);
    let first = until("the first tick", ticked_at);
    until("another tick", || ticked_at().filter(|ticked_at| *ticked_at != first));
}

#[test]
fn a_system_clock_that_is_behind_is_told_and_what_is_due_is_done() {
    let folder = Folder::new();
    let database = testing::open(&overdue::database(&folder, 12, "test.db", true));
    testing::set_ticked_at(&database, now() + 3600);
    let (server, told) = Served::start_logged(&folder, &[], &[]);
    assert!(told.contains("the system's clock is behind the database"), "{told}");
    until("what is due is done", || (server.figure("perennial_due") == 0).then_some(()));
    assert!(server.get("/v1/events?type=renewal_settled").json()["items"].as_array().unwrap().len() > 1);
    let behind = server.figure("perennial_clock_behind_seconds");
    assert!((3000..=3600).contains(&behind), "{behind}");
    assert_eq!(server.figure("perennial_clock_lag_seconds"), 0);
    let ready = server.get("/readyz");
    assert_eq!((ready.status, &ready.json()["clock"]), (503, &false.into()));
    assert!(ready.json()["problems"][0].as_str().unwrap().contains("check the system's clock"), "{ready:?}");
    // The system's clock is put right.
    testing::set_ticked_at(&database, now());
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.figure("perennial_clock_behind_seconds"), 0);
}

#[test]
fn a_server_whose_clock_fails_ends() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    let database = testing::open(&folder.path("test.db"));
    until("the first tick", || server.get("/v1/clock").json()["ticked_at"].as_str().map(|_| ()));
    testing::remove_clock(&database);
    assert_eq!(server.exit_code(), Some(1));
}
