//! The recycle bin, and instances by their ids.

use expect_test::expect;
use serde_json::Value;

use crate::desk::MONTH;
use crate::desk::furnished;
use crate::desk::send;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::prepaid;
use plugin_sdk::Stage;

const RECYCLED: &str = "POST /v2/recycle/instance";
const BY_IDS: &str = "POST /v2/instance/listByInstanceId";

fn world() -> World {
    let expired = |id: &str, at: &str| prepaid("bcc", id, at).stage(Stage::Retention);
    World::of(vec![
        expired("i-1", "2026-02-25T02:00:00Z")
            .with("name", "web")
            .with("cpuCount", "4")
            .with("spec", "bcc.g5.c1m4"),
        expired("i-2", "2026-02-27T02:00:00Z").with("serialNumber", "long-2"),
        prepaid("bcc", "i-3", "2026-03-10T02:00:00Z"),
        prepaid("bcc", "i-4", "2026-02-01T02:00:00Z").stage(Stage::Released),
        prepaid("cds", "v-1", "2026-02-27T02:00:00Z").stage(Stage::Retention),
    ])
}

fn ids(world: &mut World, line: &str, body: &str) -> String {
    let response = send(world, line, body);
    let read = serde_json::from_slice::<Value>(&response.body).unwrap();
    match read["instances"].as_array() {
        Some(list) => list.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>().join(" "),
        None => show(&response),
    }
}

#[test]
fn the_recycle_bin_shows_what_has_expired_and_when_it_is_deleted() {
    let mut text = String::new();
    for (days, world) in [("7", world()), ("30", world().setting("retention_days", "30"))] {
        let shown = send(&mut world.clone(), RECYCLED, r#"{"instanceId":"i-1"}"#);
        text += &format!("{days}: {}\n", show(&shown));
    }
    expect![[r#"
        7: 200 x-bce-request-id=r-1 {"marker":"after-0","isTruncated":false,"maxKeys":1000,"instances":[{"id":"i-1","serialNumber":"i-1","name":"web","recycleTime":"2026-02-25T02:00:00Z","deleteTime":"2026-03-04T02:00:00Z","paymentTiming":"prepay","serviceName":"云服务器","serviceType":"BCC","configItem":{"cpu":4,"spec":"bcc.g5.c1m4"},"configItems":[]}]}
        30: 200 x-bce-request-id=r-1 {"marker":"after-0","isTruncated":false,"maxKeys":1000,"instances":[{"id":"i-1","serialNumber":"i-1","name":"web","recycleTime":"2026-02-25T02:00:00Z","deleteTime":"2026-03-27T02:00:00Z","paymentTiming":"prepay","serviceName":"云服务器","serviceType":"BCC","configItem":{"cpu":4,"spec":"bcc.g5.c1m4"},"configItems":[]}]}
    "#]].assert_eq(&text);
}

#[test]
fn the_recycle_bin_is_searched_as_documented() {
    let mut text = String::new();
    for body in [
        "",
        "{}",
        r#"{"marker":null,"maxKeys":null,"instanceId":"","name":""}"#,
        r#"{"maxKeys":1}"#,
        r#"{"maxKeys":"1","marker":"after-1"}"#,
        r#"{"instanceId":"i-3"}"#,
        r#"{"name":"web"}"#,
        r#"{"paymentTiming":"Prepaid"}"#,
        r#"{"paymentTiming":"prepay"}"#,
        r#"{"paymentTiming":"Postpaid"}"#,
        r#"{"recycleBegin":"2026-02-26T00:00:00Z"}"#,
        r#"{"recycleEnd":"2026-02-25T02:00:00Z"}"#,
        r#"{"recycleBegin":"2026-02-25T02:00:01Z","recycleEnd":"2026-02-27T01:59:59Z"}"#,
        r#"{"recycleBegin":"yesterday"}"#,
        r#"{"paymentTiming":"never"}"#,
        r#"{"maxKeys":0}"#,
        r#"{"marker":"x"}"#,
        r#"{"instanceId":"i 1"}"#,
        "[]",
    ] {
        text += &format!("{body}: {}\n", ids(&mut world(), RECYCLED, body));
    }
    expect![[r#"
        : i-1 i-2
        {}: i-1 i-2
        {"marker":null,"maxKeys":null,"instanceId":"","name":""}: i-1 i-2
        {"maxKeys":1}: i-1
        {"maxKeys":"1","marker":"after-1"}: i-2
        {"instanceId":"i-3"}: 
        {"name":"web"}: i-1
        {"paymentTiming":"Prepaid"}: i-1 i-2
        {"paymentTiming":"prepay"}: i-1 i-2
        {"paymentTiming":"Postpaid"}: 
        {"recycleBegin":"2026-02-26T00:00:00Z"}: i-2
        {"recycleEnd":"2026-02-25T02:00:00Z"}: i-1
        {"recycleBegin":"2026-02-25T02:00:01Z","recycleEnd":"2026-02-27T01:59:59Z"}: 
        {"recycleBegin":"yesterday"}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`recycleBegin` is an instant such as `2026-03-01T00:00:00Z`","requestId":"r-1"}
        {"paymentTiming":"never"}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`paymentTiming` is `Prepaid` or `Postpaid`","requestId":"r-1"}
        {"maxKeys":0}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`maxKeys` is 1 to 1000","requestId":"r-1"}
        {"marker":"x"}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`marker` is the `nextMarker` of the page before","requestId":"r-1"}
        {"instanceId":"i 1"}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"an id is 1 to 64 visible ASCII characters","requestId":"r-1"}
        []: 400 x-bce-request-id=r-1 {"code":"InappropriateJSON","message":"the body cannot be used: invalid type: sequence, expected an object at line 1 column 0","requestId":"r-1"}
    "#]].assert_eq(&text);
}

/// A renewal takes an instance out of the recycle bin, when it shows.
#[test]
fn a_renewed_instance_leaves_the_recycle_bin() {
    let mut world = furnished();
    assert_eq!(ids(&mut world, RECYCLED, ""), "i-expired");
    send(&mut world, "PUT /v2/instance/i-expired?purchaseReserved=&clientToken=t-1", MONTH);
    assert_eq!(ids(&mut world, RECYCLED, ""), "i-expired");
    world.at += 5;
    assert_eq!(ids(&mut world, RECYCLED, ""), "");
}

#[test]
fn instances_are_listed_by_their_ids() {
    let many = (0..101).map(|n| format!(r#""i-{n}""#)).collect::<Vec<_>>().join(",");
    let many = format!(r#"{{"instanceIds":[{many}]}}"#);
    let mut text = String::new();
    for (query, body) in [
        ("", r#"{"instanceIds":["i-3","i-1","i-4","v-1","i-none"]}"#),
        ("?maxKeys=1", r#"{"instanceIds":["i-3","i-1"]}"#),
        ("?maxKeys=1&marker=after-1", r#"{"instanceIds":["i-3","i-1"]}"#),
        ("", r#"{"instanceIds":[]}"#),
        ("", r#"{"instanceIds":["i 1"]}"#),
        ("?maxKeys=many", r#"{"instanceIds":["i-1"]}"#),
        ("", "{}"),
        ("", &many),
    ] {
        let shown = if body.len() > 200 { "101 ids" } else { body };
        text += &format!("{query} {shown}: {}\n", ids(&mut world(), &format!("{BY_IDS}{query}"), body));
    }
    expect![[r#"
         {"instanceIds":["i-3","i-1","i-4","v-1","i-none"]}: i-1 i-3
        ?maxKeys=1 {"instanceIds":["i-3","i-1"]}: i-1
        ?maxKeys=1&marker=after-1 {"instanceIds":["i-3","i-1"]}: i-3
         {"instanceIds":[]}: 
         {"instanceIds":["i 1"]}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"an id is 1 to 64 visible ASCII characters","requestId":"r-1"}
        ?maxKeys=many {"instanceIds":["i-1"]}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`maxKeys` is 1 to 1000","requestId":"r-1"}
         {}: 400 x-bce-request-id=r-1 {"code":"InappropriateJSON","message":"`instanceIds` is missing","requestId":"r-1"}
         101 ids: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`instanceIds` names up to 100 instances","requestId":"r-1"}
    "#]].assert_eq(&text);
}
