//! A disk that is full: nothing is half written, the reason is said, and work goes on once there is space.

use perennial_store::testing;

use crate::harness::ApiResponse;
use crate::harness::Server;

/// Lets the database grow no further, or as far as it likes.
fn fill_disk(server: &Server, is_full: bool) {
    server.on_writer(move |context| testing::fill_disk(context.engine.db(), is_full));
}

fn top_up(server: &Server, key: u32) -> ApiResponse {
    let key = format!("idempotency-key: {key}");
    server.send("operator", "POST", "/v1/accounts/acme-hw:top-up", &[&key], r#"{"amount": "1.00"}"#)
}

#[test]
fn a_full_disk_is_unavailable_with_its_reason_until_there_is_space() {
    let server = Server::furnished();
    fill_disk(&server, true);
    let (count, refused) =
        (0..).map(|key| (key, top_up(&server, key))).find(|(_, answer)| answer.status != 200).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.headers["retry-after"], "10");
    let problem = refused.json();
    assert_eq!(problem["type"], "urn:perennial:problem:storage-full");
    assert!(problem["detail"].as_str().unwrap().contains("disk"), "{problem}");
    let ready = server.get("", "/readyz");
    assert_eq!((ready.status.as_u16(), &ready.json()["store"]), (503, &false.into()));
    // What is only read is answered as before, and nothing of the refused write is there.
    let balance = |server: &Server| server.get("viewer", "/v1/accounts/acme-hw").json()["balance"].clone();
    assert_eq!(balance(&server), format!("{}.00", 500 + count));
    fill_disk(&server, false);
    assert_eq!(top_up(&server, count).status, 200, "the same key works now");
    assert_eq!(balance(&server), format!("{}.00", 501 + count));
    assert_eq!(server.get("", "/readyz").status, 200);
}
