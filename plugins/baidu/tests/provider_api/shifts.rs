//! Changes of the billing mode.

use expect_test::expect_file;
use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;

use crate::desk::changes;
use crate::desk::furnished;
use crate::desk::send;
use crate::desk::table;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::prepaid;

const TO_POSTPAID: &str = "POST /v2/instance/batch/charging?toPostpay=";
const TO_PREPAID: &str = "POST /v2/instance/batch/charging?toPrepay=";

fn config(items: &str) -> String {
    format!(r#"{{"config":[{items}]}}"#)
}

#[test]
fn the_billing_mode_is_changed_as_documented() {
    let sdk = r#"{"instanceId":"i-1","relationCds":false,"cdsList":null,"effectiveType":"AfterExpiration","duration":null,"autoPay":true,"autoRenew":null,"autoRenewPeriod":null}"#;
    let many = (0..21).map(|n| format!(r#"{{"instanceId":"i-{n}"}}"#)).collect::<Vec<_>>().join(",");
    let requests = [
        (TO_POSTPAID, config(sdk)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["all"]}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["v-2"]},{"instanceId":"i-dedicated"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","relationCds":true}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","effectiveType":"AtOnce"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["all"],"effectiveType":"AtOnce"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-ruled","effectiveType":"AtOnce"},{"instanceId":"i-none"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-ruled","effectiveType":"AtOnce","cdsList":["v-none"]}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","effectiveType":"Sometime"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1"},{"instanceId":"i-ruled"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1"},{"instanceId":"i-1"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["v-1","v-1"]}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["v-alone"]}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-expired"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-postpaid"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"i-none"}"#)),
        (TO_POSTPAID, config(r#"{"instanceId":"v-1"}"#)),
        (TO_POSTPAID, config(&many)),
        (TO_POSTPAID, config("")),
        (TO_POSTPAID, config("{}")),
        (TO_POSTPAID, config("[]")),
        (TO_POSTPAID, sdk.to_owned()),
        (TO_PREPAID, config(r#"{"instanceId":"i-postpaid","duration":1,"autoPay":true}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-1","duration":1}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-none","duration":1}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-1","duration":1},{"instanceId":"i-none","duration":1}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":3,"autoPay":true,"cdsList":["all"]}"#)),
        (
            TO_PREPAID,
            config(r#"{"instanceId":"i-hourly","duration":1,"autoRenew":true,"autoRenewPeriod":12}"#),
        ),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":1,"cdsList":["v-unpriced"]}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":1,"cdsList":["v-1"]}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":1,"autoPay":false}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":1,"autoPay":false,"autoRenew":true}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":10}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":0}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly"}"#)),
        ("POST /v2/instance/i-hourly?toPrepay=", r#"{"duration":2,"autoRenew":false}"#.to_owned()),
        ("PUT /v1/eip/180.76.1.3?action=TO_PREPAY", r#"{"purchaseLength":1,"bandWidth":5}"#.to_owned()),
        ("PUT /v1/eip/180.76.1.3?action=TO_PREPAY", r#"{"purchaseLength":1,"bandWidth":50}"#.to_owned()),
        ("PUT /v1/eip/180.76.1.3?action=TO_PREPAY", r#"{"purchaseLength":0,"bandWidth":5}"#.to_owned()),
        ("PUT /v1/eip/180.76.1.2?action=TO_PREPAY", r#"{"purchaseLength":1,"bandWidth":5}"#.to_owned()),
        ("PUT /v1/eip/180.76.1.9?action=TO_PREPAY", r#"{"purchaseLength":0,"bandWidth":5}"#.to_owned()),
        ("POST /v2/instance/i-postpaid?toPrepay=", r#"{"duration":1,"relationCds":true}"#.to_owned()),
        ("POST /v2/instance/i-none?toPrepay=", r#"{"duration":1}"#.to_owned()),
        ("POST /v2/instance/i-postpaid?toPrepay=", "{}".to_owned()),
    ];
    let requests = requests.iter().map(|(line, body)| (*line, &**body)).collect::<Vec<_>>();
    let mut text = table(&requests);
    let modify = |id: &str| format!("PUT /v2/volume/{id}?modifyChargeType=");
    let sdk = r#"{"effectiveType":null,"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;
    for (id, body) in [
        ("v-alone", sdk),
        ("v-alone", r#"{"effectiveType":"AfterExpiration"}"#),
        ("v-alone", ""),
        ("v-alone", r#"{"effectiveType":"AtOnce"}"#),
        ("v-alone", r#"{"effectiveType":"later"}"#),
        ("v-none", r#"{"effectiveType":"AtOnce"}"#),
        ("v-hourly", r#"{"billing":{"reservation":{"reservationLength":3}}}"#),
        ("v-dear", r#"{"billing":{"reservation":{"reservationLength":1}}}"#),
        ("v-dear", r#"{"billing":{"reservation":{"reservationLength":10}}}"#),
        ("v-dear", r#"{"billing":{"reservation":{"reservationLength":0}}}"#),
        ("v-dear", "{}"),
        ("v-ruled", sdk),
        ("v-expired", sdk),
        ("v-postpaid", r#"{"effectiveType":"AfterExpiration"}"#),
        ("v-postpaid", sdk),
        ("v-none", sdk),
    ] {
        text += &table(&[(&modify(id), body)]);
    }
    expect_file!["tables/charging.txt"].assert_eq(&text);
}

#[test]
fn with_a_token_a_change_that_is_sent_again_is_answered_again() {
    let body = config(r#"{"instanceId":"i-1","cdsList":["all"],"effectiveType":"AfterExpiration"}"#);
    let mut world = furnished();
    let with_token = format!("{TO_POSTPAID}&clientToken=t-1");
    assert_eq!(send(&mut world, &with_token, &body).status, 200);
    let before = world.clone();
    assert_eq!(send(&mut world, &with_token, &body).status, 200);
    assert_eq!(changes(&before, &world), Vec::<String>::new());
    assert_eq!(send(&mut world, TO_POSTPAID, &body).status, 409);
    let line = "PUT /v2/volume/v-alone?modifyChargeType=&clientToken=t-2";
    for _ in 0..2 {
        assert_eq!(send(&mut world, line, "{}").status, 200);
    }
    assert_eq!(send(&mut world, "PUT /v2/volume/v-alone?modifyChargeType=", "{}").status, 409);
}

/// In both directions, with a token: the first response again, and nothing is done. Without one it is refused.
#[test]
fn a_change_at_once_that_is_sent_again_is_answered_again() {
    for (line, body) in [
        (TO_POSTPAID, config(r#"{"instanceId":"i-1","cdsList":["all"],"effectiveType":"AtOnce"}"#)),
        (TO_PREPAID, config(r#"{"instanceId":"i-hourly","duration":1,"cdsList":["v-hourly"]}"#)),
    ] {
        let mut world = furnished();
        let with_token = format!("{line}&clientToken=t-1");
        let first = send(&mut world, &with_token, &body);
        assert_eq!(first.status, 200, "{}", show(&first));
        assert!(!show(&first).contains(r#""orderId":"""#), "{}", show(&first));
        let before = world.clone();
        assert_eq!(send(&mut world, &with_token, &body), first);
        assert_eq!(changes(&before, &world), Vec::<String>::new());
        assert_eq!(send(&mut world, line, &body).status, 409);
    }
}

/// It stays pay-as-you-go, takes no other purchase, and the same request is answered with the same order.
#[test]
fn an_order_that_is_not_paid_at_once_waits() {
    let mut world = furnished();
    let body = config(r#"{"instanceId":"i-hourly","duration":1,"autoPay":false}"#);
    let with_token = format!("{TO_PREPAID}&clientToken=t-1");
    let first = send(&mut world, &with_token, &body);
    assert_eq!(first.status, 200, "{}", show(&first));
    assert!(show(&first).contains(r#""orderId":"i-hourly/"#), "{}", show(&first));
    assert_eq!(world.subject("i-hourly").charging, Charging::Postpaid);
    assert_eq!(world.made.last().unwrap().pay_until, Some(world.at + 7 * 86_400));
    let before = world.clone();
    assert_eq!(send(&mut world, &with_token, &body), first);
    assert_eq!(changes(&before, &world), Vec::<String>::new());
    assert_eq!(world.made.len(), before.made.len());
    let paid_at_once = config(r#"{"instanceId":"i-hourly","duration":1}"#);
    assert_eq!(send(&mut world, TO_PREPAID, &paid_at_once).status, 409);
}

/// The public example names no `effectiveType`, and is answered with orders.
#[test]
fn without_an_effective_type_an_instance_changes_at_once_by_default() {
    for (setting, stage) in [
        (None, Stage::Converted),
        (Some("AtOnce"), Stage::Converted),
        (Some("AfterExpiration"), Stage::Active),
    ] {
        let mut world = furnished();
        world.settings.extend(setting.map(|setting| ("to_postpaid_default".to_owned(), setting.to_owned())));
        assert_eq!(send(&mut world, TO_POSTPAID, &config(r#"{"instanceId":"i-1"}"#)).status, 200);
        assert_eq!(world.subject("i-1").stage, stage, "{setting:?}");
        send(&mut world, "PUT /v2/volume/v-alone?modifyChargeType", "{}");
        assert_eq!(world.subject("v-alone").on_expiry, OnExpiry::Convert, "{setting:?}");
    }
}

/// With the setting, disks change together with their instance, named or not.
#[test]
fn disks_that_the_account_converts_along_may_be_named_too() {
    let mut world = furnished().setting("convert_cds", "all");
    let body = config(r#"{"instanceId":"i-1","cdsList":["v-1"],"effectiveType":"AfterExpiration"}"#);
    assert_eq!(send(&mut world, TO_POSTPAID, &body).status, 200);
    for id in ["i-1", "v-1", "v-2"] {
        assert_eq!(world.subject(id).on_expiry, OnExpiry::Convert, "{id}");
    }
}

#[test]
fn a_request_changes_no_more_than_a_hundred_resources() {
    let disk = |n: usize| prepaid("cds", &format!("v-{n}"), "2026-03-10T02:00:00Z").attached_to("i-1");
    let mut resources = vec![prepaid("bcc", "i-1", "2026-03-10T02:00:00Z")];
    resources.extend((0..100).map(disk));
    let mut world = World::of(resources);
    let body = config(r#"{"instanceId":"i-1","cdsList":["all"]}"#);
    assert_eq!(send(&mut world, TO_POSTPAID, &body).status, 400);
    world.resources.pop();
    assert_eq!(send(&mut world, TO_POSTPAID, &body).status, 200);
}
