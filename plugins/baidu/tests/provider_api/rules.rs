//! Auto-renew rules: created, deleted, and sent again.

use expect_test::expect_file;
use plugin_sdk::OnExpiry;

use crate::desk::changes;
use crate::desk::furnished;
use crate::desk::send;
use crate::desk::table;
use crate::world::With;
use crate::world::World;

const CREATE: &str = "POST /v2/instance/batchCreateAutoRenewRules";
const DELETE: &str = "POST /v2/instance/batchDeleteAutoRenewRules";

#[test]
fn rules_are_made_and_deleted_as_documented() {
    let table = table(&[
        (CREATE, r#"{"instanceId":"i-1","renewTimeUnit":"month","renewTime":1}"#),
        (
            CREATE,
            r#"{"instanceId":"i-1","renewTimeUnit":"year","renewTime":3,"renewCds":true,"renewEip":false}"#,
        ),
        (CREATE, r#"{"instanceId":"i-1","renewCds":false,"renewEip":false,"unknown":0}"#),
        (CREATE, r#"{"instanceId":"i-1","renewCds":null,"renewTime":null,"renewTimeUnit":null}"#),
        (CREATE, r#"{"instanceId":"i-1","renewTimeUnit":"month","renewTime":10}"#),
        (CREATE, r#"{"instanceId":"i-1","renewTimeUnit":"year","renewTime":4}"#),
        (CREATE, r#"{"instanceId":"i-1","renewTimeUnit":"day","renewTime":1}"#),
        (CREATE, r#"{"instanceId":"i-1","renewTime":0}"#),
        (CREATE, r#"{"instanceId":"i-1","renewCds":"yes"}"#),
        (CREATE, r#"{"instanceId":"i-ruled"}"#),
        (CREATE, r#"{"instanceId":"i-ruled","renewCds":false}"#),
        (CREATE, r#"{"instanceId":"i-expired"}"#),
        (CREATE, r#"{"instanceId":"i-dedicated"}"#),
        (CREATE, r#"{"instanceId":"i-postpaid"}"#),
        (CREATE, r#"{"instanceId":"i-none"}"#),
        (CREATE, r#"{"instanceId":"v-1"}"#),
        (CREATE, "{}"),
        (DELETE, r#"{"instanceId":"i-ruled"}"#),
        (DELETE, r#"{"instanceId":"i-ruled","renewCds":false,"renewEip":true}"#),
        (DELETE, r#"{"instanceId":"i-1"}"#),
        (DELETE, r#"{"instanceId":null}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"v-alone","renewTimeUnit":"month","renewTime":"3"}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"v-expired","renewTimeUnit":"month","renewTime":1}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"v-ruled","renewTimeUnit":"month","renewTime":1}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"i-1","renewTimeUnit":"month","renewTime":1}"#),
        ("POST /v2/volume/autoRenew", r#"{"renewTime":1}"#),
        ("POST /v2/volume/cancelAutoRenew", r#"{"volumeId":"v-ruled"}"#),
        ("POST /v2/volume/cancelAutoRenew", r#"{"volumeId":"v-alone"}"#),
        ("PUT /v1/eip/180.76.1.1?startAutoRenew=", r#"{"autoRenewTimeUnit":"year","autoRenewTime":1}"#),
        ("PUT /v1/eip/180.76.1.1?startAutoRenew", ""),
        ("PUT /v1/eip/180.76.1.1?startAutoRenew", r#"{"autoRenewTimeUnit":"week"}"#),
        ("PUT /v1/eip/180.76.1.1?stopAutoRenew", ""),
        ("PUT /v1/eip/180.76.1.9?stopAutoRenew", ""),
    ]);
    expect_file!["tables/rules.txt"].assert_eq(&table);
}

#[test]
fn a_rule_is_replaced_by_deleting_it_and_making_another() {
    let mut world = furnished();
    for (line, body, status) in [
        (CREATE, r#"{"instanceId":"i-1","renewTime":1,"renewCds":false}"#, 200),
        (CREATE, r#"{"instanceId":"i-1","renewTime":2}"#, 409),
        (DELETE, r#"{"instanceId":"i-1","renewCds":false}"#, 200),
        (CREATE, r#"{"instanceId":"i-1","renewTime":2}"#, 200),
    ] {
        assert_eq!(send(&mut world, line, body).status, status, "{line} {body}");
    }
    for id in ["i-1", "v-1", "v-2", "ip-1"] {
        assert_eq!(world.subject(id).on_expiry, OnExpiry::Renew, "{id}");
    }
}

/// The host does not remember the client tokens of rules; the state of the resource serves instead.
#[test]
fn with_a_token_a_rule_that_is_sent_again_is_answered_again() {
    for (line, body, other) in [
        (CREATE, r#"{"instanceId":"i-1","renewTime":2}"#, r#"{"instanceId":"i-1","renewTime":3}"#),
        (CREATE, r#"{"instanceId":"i-1","renewCds":false}"#, r#"{"instanceId":"i-1","renewCds":true}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"v-alone"}"#, r#"{"volumeId":"v-alone","renewTime":2}"#),
        ("PUT /v1/eip/ip-1?startAutoRenew", r#"{"autoRenewTime":1}"#, r#"{"autoRenewTime":2}"#),
    ] {
        let mut world = furnished();
        let sign = if line.contains('?') { '&' } else { '?' };
        let with_token = format!("{line}{sign}clientToken=t-1");
        assert_eq!(send(&mut world, &with_token, body).status, 200, "{line}");
        let before = world.clone();
        assert_eq!(send(&mut world, &with_token, body).status, 200, "{line} again");
        assert_eq!(world.transactions, before.transactions, "{line} again");
        assert_eq!(send(&mut world, line, body).status, 409, "{line} without a token");
        assert_eq!(send(&mut world, &with_token, other).status, 409, "{line} otherwise");
        assert_eq!(changes(&before, &world), Vec::<String>::new());
    }
    for (line, body) in [
        (DELETE, r#"{"instanceId":"i-ruled"}"#),
        ("POST /v2/volume/cancelAutoRenew", r#"{"volumeId":"v-ruled"}"#),
    ] {
        let mut world = furnished();
        let with_token = format!("{line}?clientToken=t-1");
        assert_eq!(send(&mut world, &with_token, body).status, 200, "{line}");
        assert_eq!(send(&mut world, &with_token, body).status, 200, "{line} again");
        assert_eq!(send(&mut world, line, body).status, 409, "{line} without a token");
    }
    let mut world = furnished();
    for _ in 0..2 {
        assert_eq!(send(&mut world, "PUT /v1/eip/ip-1?stopAutoRenew=&clientToken=t-1", "").status, 200);
    }
    let ruled = furnished().subject("ip-1").clone().on_expiry(OnExpiry::Renew);
    let mut world = World::of(vec![ruled]);
    world.resources[0].attached_to = None;
    for _ in 0..2 {
        assert_eq!(send(&mut world, "PUT /v1/eip/ip-1?stopAutoRenew=&clientToken=t-1", "").status, 200);
    }
}

/// Otherwise a recorded request could create a rule again that was deleted since.
#[test]
fn the_signature_of_a_rule_is_good_for_one_action_with_a_token_too() {
    let mut world = furnished();
    for (line, body) in [
        (CREATE, r#"{"instanceId":"i-1"}"#),
        (DELETE, r#"{"instanceId":"i-1"}"#),
        ("POST /v2/volume/autoRenew", r#"{"volumeId":"v-alone"}"#),
        ("POST /v2/volume/cancelAutoRenew", r#"{"volumeId":"v-alone"}"#),
        ("PUT /v1/eip/180.76.1.2?startAutoRenew", ""),
        ("PUT /v1/eip/180.76.1.2?stopAutoRenew", ""),
    ] {
        let sign = if line.contains('?') { '&' } else { '?' };
        assert_eq!(send(&mut world, &format!("{line}{sign}clientToken=t-1"), body).status, 200, "{line}");
        assert!(world.transactions.pop().unwrap().reject_replay, "{line}");
    }
}

#[test]
fn a_disk_that_its_instances_rule_covers_is_taken_out_of_it() {
    let mut world = furnished();
    assert_eq!(send(&mut world, CREATE, r#"{"instanceId":"i-1","renewCds":false}"#).status, 200);
    assert_eq!(send(&mut world, DELETE, r#"{"instanceId":"i-1"}"#).status, 200);
    assert_eq!(send(&mut world, CREATE, r#"{"instanceId":"i-1"}"#).status, 200);
    world.resources[1].on_expiry = OnExpiry::Lapse;
    for _ in 0..2 {
        let line = "POST /v2/volume/cancelAutoRenew?clientToken=t-1";
        assert_eq!(send(&mut world, line, r#"{"volumeId":"v-1"}"#).status, 200);
        assert!(world.subject("v-1").attributes.contains(&("renewCds".to_owned(), "false".to_owned())));
    }
}
