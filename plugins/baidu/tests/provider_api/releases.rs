//! The early release of instances and addresses: what goes along, what is refused, and what the response names.

use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::Atomicity;

use crate::desk::send;
use crate::desk::table;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::postpaid;
use crate::world::prepaid;

const DELETE: &str = "POST /v2/instance/delete";
const BATCH: &str = "POST /v2/instance/batchRefundResource";

/// An instance with a disk and an address of each billing mode, a disk that has expired, and a product.
fn bundle() -> World {
    World::of(vec![
        prepaid("bcc", "i-1", "2026-03-10T02:00:00Z"),
        prepaid("cds", "v-1", "2026-03-20T02:00:00Z").attached_to("i-1"),
        postpaid("cds", "v-2").attached_to("i-1"),
        prepaid("cds", "v-3", "2026-02-27T02:00:00Z").attached_to("i-1").stage(Stage::Retention),
        prepaid("cds", "v-4", "2026-01-10T02:00:00Z").attached_to("i-1").stage(Stage::Released),
        prepaid("eip", "ip-1", "2026-03-10T02:00:00Z").attached_to("i-1").with("eip", "180.76.1.1"),
        prepaid("mkt", "m-1", "2026-03-10T02:00:00Z").attached_to("i-1"),
    ])
}

fn stages(world: &World) -> String {
    let stages = world.resources.iter().map(|resource| format!("{} {:?}", resource.id, resource.stage));
    stages.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_early_release_takes_prepaid_disks_and_by_the_flag_the_rest() {
    let mut text = String::new();
    for body in [
        r#"{"instanceId":"i-1"}"#,
        r#"{"instanceId":"i-1","relatedReleaseFlag":false,"deleteCdsSnapshotFlag":true}"#,
        r#"{"instanceId":"i-1","relatedReleaseFlag":true,"deleteRelatedEnisFlag":true}"#,
    ] {
        let mut world = bundle();
        let response = send(&mut world, DELETE, body);
        text += &format!("{body}\n  {}\n  {}\n", show(&response), stages(&world));
    }
    expect![[r#"
        {"instanceId":"i-1"}
          200 x-bce-request-id=r-1 {"successResources":{"instanceId":"i-1","volumeIds":["v-1"],"snapshotIds":[],"insnapIds":[]},"failResources":{"volumeIds":["v-3"],"snapshotIds":[],"insnapIds":[]},"instanceRefundFlag":true}
          i-1 Stage::Unsubscribed, v-1 Stage::Unsubscribed, v-2 Stage::Active, v-3 Stage::Retention, v-4 Stage::Released, ip-1 Stage::Active, m-1 Stage::Active
        {"instanceId":"i-1","relatedReleaseFlag":false,"deleteCdsSnapshotFlag":true}
          200 x-bce-request-id=r-1 {"successResources":{"instanceId":"i-1","volumeIds":["v-1"],"snapshotIds":[],"insnapIds":[]},"failResources":{"volumeIds":["v-3"],"snapshotIds":[],"insnapIds":[]},"instanceRefundFlag":true}
          i-1 Stage::Unsubscribed, v-1 Stage::Unsubscribed, v-2 Stage::Active, v-3 Stage::Retention, v-4 Stage::Released, ip-1 Stage::Active, m-1 Stage::Active
        {"instanceId":"i-1","relatedReleaseFlag":true,"deleteRelatedEnisFlag":true}
          200 x-bce-request-id=r-1 {"successResources":{"instanceId":"i-1","eip":"180.76.1.1","volumeIds":["v-1","v-2"],"snapshotIds":[],"insnapIds":[]},"failResources":{"volumeIds":["v-3"],"snapshotIds":[],"insnapIds":[]},"instanceRefundFlag":true}
          i-1 Stage::Unsubscribed, v-1 Stage::Unsubscribed, v-2 Stage::Unsubscribed, v-3 Stage::Retention, v-4 Stage::Released, ip-1 Stage::Unsubscribed, m-1 Stage::Active
    "#]].assert_eq(&text);
}

#[test]
fn releases_are_refused_as_documented() {
    let many = (0..21).map(|n| format!(r#""i-{n}""#)).collect::<Vec<_>>().join(",");
    let many = format!(r#"{{"instanceIds":[{many}]}}"#);
    let text = table(&[
        ("POST /v2/instance/delete?instanceId=i-1", r#"{"relatedReleaseFlag":null}"#),
        (DELETE, r#"{"instanceId":"i-protected"}"#),
        (DELETE, r#"{"instanceId":"i-expired"}"#),
        (DELETE, r#"{"instanceId":"i-postpaid"}"#),
        (DELETE, r#"{"instanceId":"i-released"}"#),
        (DELETE, r#"{"instanceId":"i-none"}"#),
        (DELETE, r#"{"instanceId":"v-alone"}"#),
        (DELETE, r#"{"instanceId":"i 1"}"#),
        (DELETE, r#"{"instanceId":1}"#),
        (DELETE, "{}"),
        (BATCH, r#"{"instanceIds":["i-1","i-ruled"],"relatedReleaseFlag":true}"#),
        (BATCH, r#"{"instanceIds":["i-ruled","i-expired","i-protected"]}"#),
        (BATCH, r#"{"instanceIds":["i-protected"]}"#),
        (BATCH, r#"{"instanceIds":["i-expired"]}"#),
        (BATCH, r#"{"instanceIds":["i-ruled","i-none"]}"#),
        (BATCH, r#"{"instanceIds":["i-ruled","i-ruled"]}"#),
        (BATCH, r#"{"instanceIds":[]}"#),
        (BATCH, &many),
        (BATCH, "{}"),
        ("PUT /v1/eip/refund/180.76.1.2?clientToken=t-1", ""),
        ("PUT /v1/eip/refund/ip-1", ""),
        ("PUT /v1/eip/refund/180.76.1.9", ""),
    ]);
    expect_file!["tables/releases.txt"].assert_eq(&text);
}

#[test]
fn a_release_that_is_sent_again_with_its_token_is_answered_again() {
    for (line, body) in [
        ("POST /v2/instance/delete?clientToken=t-1", r#"{"instanceId":"i-1","relatedReleaseFlag":true}"#),
        ("POST /v2/instance/batchRefundResource?clientToken=t-1", r#"{"instanceIds":["i-1"]}"#),
    ] {
        let mut world = bundle();
        let first = send(&mut world, line, body);
        assert_eq!(first.status, 200, "{}", show(&first));
        let before = world.resources.clone();
        assert_eq!(send(&mut world, line, body), first);
        assert_eq!(world.resources, before);
        assert_eq!(world.transactions.len(), 1);
        let without_token = line.split('?').next().unwrap();
        assert_eq!(send(&mut world, without_token, body).status, 404);
    }
}

#[test]
fn a_release_happens_whole_and_once_for_a_signature() {
    let mut world = bundle();
    send(&mut world, DELETE, r#"{"instanceId":"i-1","relatedReleaseFlag":true}"#);
    let transaction = &world.transactions[0];
    assert!(transaction.reject_replay && transaction.atomicity == Atomicity::AllOrNothing);
}
