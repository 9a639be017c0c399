//! Renewals: the parameters and responses of each operation, and when the effect becomes visible.

use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Transaction;

use crate::desk::MONTH;
use crate::desk::furnished;
use crate::desk::send;
use crate::desk::table;
use crate::wire::show;
use crate::world::Money;

fn body(json: &str) -> String {
    format!(r#"{{"billing":{{"reservation":{{"reservationLength":1}}}},{json}}}"#)
}

#[test]
fn instances_are_renewed_as_documented() {
    let renew = "PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1";
    let custom = body(r#""cdsCustomPeriod":[{"volumeId":"v-1","period":3,"more":1}]"#);
    let many =
        (0..101).map(|n| format!(r#"{{"volumeId":"v-{n}","period":1}}"#)).collect::<Vec<_>>().join(",");
    let many = body(&format!(r#""cdsCustomPeriod":[{many}]"#));
    let table = table(&[
        (renew, MONTH),
        ("PUT /v1/instance/i-1?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved=&clientToken=", MONTH),
        (renew, &body(r#""cdsCustomPeriod":[],"instanceId":null,"unknown":{"a":[1]}"#)),
        (renew, &body(r#""cdsCustomPeriod":null,"relatedRenewFlag":"EIP""#)),
        (renew, r#"{"billing":{"reservation":{"reservationLength":"12","reservationTimeUnit":null}}}"#),
        ("PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1&relatedRenewFlag=", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1&relatedRenewFlag=CDS_EIP_MKT", MONTH),
        ("PUT /v2/instance/i-1?purchaseReserved=&relatedRenewFlag=CDS&clientToken=t-1", &custom),
        ("PUT /v2/instance/i-1?purchaseReserved=&relatedRenewFlag=EIP_CDS&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-expired?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-ruled?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-scaling?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-dedicated?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-postpaid?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-released?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/i-none?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/v-1?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v2/instance/b-1?purchaseReserved=&clientToken=t-1", MONTH),
        (renew, &custom),
        (renew, &body(r#""cdsCustomPeriod":[{"volumeId":"v-none","period":3}]"#)),
        (renew, &body(r#""cdsCustomPeriod":[{"volumeId":"v-1","period":-1}]"#)),
        (renew, &body(r#""cdsCustomPeriod":[{"volumeId":"v-1"}]"#)),
        (renew, &body(r#""cdsCustomPeriod":[{"period":1}]"#)),
        (renew, &body(r#""cdsCustomPeriod":{}"#)),
        (renew, &many),
        (renew, ""),
        (renew, "{}"),
        (renew, r#"{"billing":null}"#),
        (renew, r#"{"billing":{}}"#),
        (renew, r#"{"billing":{"reservation":{}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":0}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":10}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":-1}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":99999999999999999999}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":1.5}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":"one"}}}"#),
        (renew, r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Day"}}}"#),
        (renew, r#"{"billing":[{"reservationLength":1}]}"#),
    ]);
    expect_file!["tables/renew-instance.txt"].assert_eq(&table);
}

#[test]
fn disks_and_addresses_are_renewed_by_their_own_operations() {
    let table = table(&[
        ("PUT /v2/volume/v-alone?purchaseReserved=&clientToken=t-1", MONTH),
        (
            "PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1",
            r#"{"billing":{"reservation":{"reservationLength":60}},"instanceId":null}"#,
        ),
        (
            "PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1",
            r#"{"billing":{"reservation":{"reservationLength":1}},"instanceId":"i-2"}"#,
        ),
        (
            "PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1",
            r#"{"billing":{"reservation":{"reservationLength":61}}}"#,
        ),
        ("PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1", ""),
        (
            "PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1",
            r#"{"billing":{"reservation":{"reservationLength":0}},"instanceId":"i-1"}"#,
        ),
        ("PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1", r#"{"billing":null,"instanceId":"i-ruled"}"#),
        ("PUT /v2/volume/v-alone?purchaseReserved&clientToken=t-1", r#"{"billing":{}}"#),
        ("PUT /v2/volume/v-alone?purchaseReserved&clientToken=t-1", r#"{"instanceId":"i-1"}"#),
        ("PUT /v2/volume/v-expired?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v2/volume/v-postpaid?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v2/volume/i-1?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v2/volume/v-1?purchaseReserved&clientToken=t-1", r#"{"instanceId":1}"#),
        ("PUT /v1/eip/180.76.1.1?purchaseReserved=&clientToken=t-1", MONTH),
        ("PUT /v1/eip/180.76.1.2?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v1/eip/ip-1?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v1/eip/180.76.1.9?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v1/eip/i-1?purchaseReserved&clientToken=t-1", MONTH),
        ("PUT /v1/eip/180.76.1.1?purchaseReserved&clientToken=t-1", "{}"),
        (
            "PUT /v1/eip/180.76.1.1?purchaseReserved&clientToken=t-1",
            r#"{"billing":{"reservation":{"reservationLength":null,"reservationTimeUnit":"Month"}}}"#,
        ),
    ]);
    expect_file!["tables/renew-others.txt"].assert_eq(&table);
}

/// A disk that expires before its instance, so that it can be aligned.
#[test]
fn a_disk_without_a_length_is_aligned_with_its_instance() {
    let mut world = furnished();
    send(&mut world, "PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1", MONTH);
    let response = send(&mut world, "PUT /v2/volume/v-1?purchaseReserved=&clientToken=t-2", "{}");
    assert_eq!(response.status, 200, "{}", show(&response));
    assert_eq!(world.subject("v-1").expires_at, world.subject("i-1").expires_at);
}

#[test]
fn a_renewal_with_a_token_happens_once_and_is_answered_every_time() {
    let mut world = furnished().setting("renewal_reply", "order");
    let line = "PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1";
    let first = send(&mut world, line, MONTH);
    let expires_at = world.subject("i-1").expires_at;
    assert_eq!(send(&mut world, line, MONTH), first);
    assert_eq!(world.subject("i-1").expires_at, expires_at);
    let two = MONTH.replace('1', "2");
    expect![[r#"403 x-bce-request-id=r-1 {"code":"IdempotentParameterMismatch","message":"this clientToken was sent with other parameters","requestId":"r-1"}"#]].assert_eq(&show(&send(&mut world, line, &two)));
    let elsewhere = send(&mut world, "PUT /v2/instance/i-ruled?purchaseReserved=&clientToken=t-1", MONTH);
    assert_eq!(elsewhere.status, 403);
    assert!(world.transactions.iter().all(|transaction| !transaction.reject_replay && transaction.atomicity == Atomicity::AllOrNothing));
}

#[test]
fn a_renewal_without_a_client_token_is_refused() {
    for path in ["/v2/instance/i-1", "/v2/volume/v-alone", "/v1/eip/ip-1", "/v1/eip/180.76.1.1"] {
        for query in ["purchaseReserved", "purchaseReserved=&clientToken", "clientToken=&purchaseReserved="] {
            let line = format!("PUT {path}?{query}");
            let mut world = furnished();
            let response = send(&mut world, &line, MONTH);
            assert_eq!(response.status, 400, "{line}: {}", show(&response));
            assert!(show(&response).contains("`clientToken` is missing or empty"), "{}", show(&response));
            assert_eq!(world.transactions, [], "{line}");
            let mut world = furnished().setting("client_token", "optional");
            assert_eq!(send(&mut world, &line, MONTH).status, 200, "{line}");
        }
    }
}

#[test]
fn without_a_token_a_signature_is_good_for_one_action() {
    for line in [
        "PUT /v2/instance/i-1?purchaseReserved=",
        "PUT /v2/instance/i-1?purchaseReserved=&clientToken=",
        "PUT /v2/volume/v-1?purchaseReserved",
        "PUT /v1/eip/ip-1?purchaseReserved",
        "PUT /v2/volume/v-alone?modifyChargeType",
    ] {
        let mut world = furnished().setting("client_token", "optional");
        assert_eq!(send(&mut world, line, MONTH).status, 200, "{line}");
        assert!(matches!(&*world.transactions, [Transaction { reject_replay: true, .. }]), "{line}");
    }
}

#[test]
fn a_token_that_is_none_is_refused_by_every_operation() {
    for token in ["%E4%BD%A0", &"t".repeat(65)] {
        let mut world = furnished();
        let line = format!("PUT /v2/instance/i-1?purchaseReserved=&clientToken={token}");
        assert_eq!(send(&mut world, &line, MONTH).status, 400);
        let line = format!("POST /v2/instance/batchCreateAutoRenewRules?clientToken={token}");
        assert_eq!(send(&mut world, &line, r#"{"instanceId":"i-1"}"#).status, 400);
        assert_eq!(world.transactions, []);
    }
}

#[test]
fn without_money_a_renewal_is_refused_and_without_approval_pending() {
    let line = "PUT /v2/instance/i-1?purchaseReserved=&clientToken=t-1";
    let mut answers = String::new();
    for (money, reply) in [
        (Money::Suffices, "empty"),
        (Money::Suffices, "order"),
        (Money::IsShort, "order"),
        (Money::NeedsApproval, "empty"),
        (Money::NeedsApproval, "order"),
    ] {
        let mut world = furnished().setting("renewal_reply", reply);
        world.money = money;
        let response = send(&mut world, line, MONTH);
        let is_renewed = world.subject("i-1").last_renewal.is_some();
        answers += &format!("{money:?} {reply}: {} (renewed: {is_renewed})\n", show(&response));
    }
    expect![[r#"
        Suffices empty: 200 x-bce-request-id=r-1 (renewed: true)
        Suffices order: 200 x-bce-request-id=r-1 {"orderId":"o-1"} (renewed: true)
        IsShort order: 409 x-bce-request-id=r-1 {"code":"OperationDenied","message":"the balance does not suffice; top the account up before the next try or renew again","requestId":"r-1"} (renewed: false)
        NeedsApproval empty: 200 x-bce-request-id=r-1 (renewed: false)
        NeedsApproval order: 200 x-bce-request-id=r-1 (renewed: false)
    "#]].assert_eq(&answers);
}

#[test]
fn a_renewal_shows_after_a_while() {
    for (delay, settings) in [(5, None), (0, Some("0")), (3600, Some("3600"))] {
        let mut world = furnished();
        world.settings.extend(settings.map(|delay| ("visible_after_seconds".to_owned(), delay.to_owned())));
        for id in ["i-1", "i-expired"] {
            let line = format!("PUT /v2/instance/{id}?purchaseReserved=&clientToken=t-{id}");
            assert_eq!(send(&mut world, &line, MONTH).status, 200);
        }
        let renewed_at = world.at;
        for (after, is_visible) in [(delay - 1, false), (delay, true)] {
            world.at = renewed_at + after;
            for (id, before, renewed) in [
                ("i-1", ("Running", "2026-03-10T02:00:00Z"), ("Running", "2026-04-10T02:00:00Z")),
                ("i-expired", ("Expired", "2026-02-27T02:00:00Z"), ("Running", "2026-03-27T02:00:00Z")),
            ] {
                let shown = send(&mut world, &format!("GET /v2/instance/{id}"), "");
                let shown = serde_json::from_slice::<serde_json::Value>(&shown.body).unwrap();
                let shown = &shown["instance"];
                let (status, expires) = if is_visible { renewed } else { before };
                assert_eq!(shown["status"], status, "{id} {after} s after");
                assert_eq!(shown["expireTime"], expires, "{id} {after} s after");
            }
        }
    }
}
