//! What the protocol is compared with: as many calls over loopback, and as many commits of rows, with nothing that decides.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::persist;
use perennial_store::Store;
use perennial_store::error::StoreError;

use crate::connected::instant_cloud::InstantCloud;
use crate::figures;

/// The commits that a renewal takes part in: its reservation, which is its own, and with nine others what was read before the
/// call, what was said to it, and what was read after it.
const SHARED_COMMITS: u32 = 3;
/// The renewals of one call.
const BATCH: u32 = 10;

/// Makes `calls` calls and the commits of `renewals` renewals; returns how long that took.
pub fn run(cloud: &InstantCloud, renewals: u32, calls: u64) -> Duration {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut store = Store::open(&folder.path().join("bare.db")).expect("a database can be made");
    let commits = u64::from(renewals + renewals.div_ceil(BATCH) * SHARED_COMMITS);
    let (taken, ()) = figures::time(|| {
        for number in 0..calls.max(commits) {
            if number < calls {
                call(cloud);
            }
            if number < commits {
                let rows = if number < u64::from(renewals) { 1 } else { BATCH };
                store.write(|tx| write_rows(tx, rows)).expect("rows can be written");
            }
        }
    });
    taken
}

fn write_rows(tx: &perennial_store::WriteTx, rows: u32) -> Result<(), StoreError> {
    for _ in 0..rows {
        let what =
            EventKind::SettingChanged { setting: "state".to_owned(), value: Some("calling".to_owned()) };
        let event = Event { at: Timestamp::from_second(0), resource: Some("ecs-000000".to_owned()), what };
        persist::event(tx, None, &event)?;
    }
    Ok(())
}

/// One question for ten resources, on a connection of its own, as the host asks it.
fn call(cloud: &InstantCloud) {
    let ids = (0..BATCH).map(|number| format!("\"ecs-{number:06}\"")).collect::<Vec<_>>().join(",");
    let body = format!("{{\"resource_ids\":[{ids}],\"offset\":0,\"limit\":100}}");
    let mut stream = TcpStream::connect(cloud.address()).expect("it listens");
    let head = "POST /v2/orders/suscriptions/resources/query HTTP/1.1\r\nhost: loopback\r\ncontent-type: application/json";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it is answered");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "it is answered well");
}
