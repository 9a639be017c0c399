//! The renewals of every kind, as Finance lists them, and its auto-renew rules.

use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::ResourceView;
use serde_json::Value;

use crate::desk::changes;
use crate::desk::furnished;
use crate::desk::send;
use crate::desk::table;
use crate::wire::show;
use crate::world::With;
use crate::world::World;
use crate::world::postpaid;
use crate::world::prepaid;

const BALANCE: &str = "POST /v1/finance/cash/balance";
const LIST: &str = "POST /v1/renew/resource/list";
const CREATE: &str = "POST /v1/renew/resource/rule/create";

fn world() -> World {
    let year = Some(Term { count: 1, unit: TermUnit::Year });
    let ruled = prepaid("scs", "scs-3", "2026-03-30T02:00:00Z").on_expiry(OnExpiry::Renew);
    World::of(vec![
        prepaid("scs", "scs-1", "2026-03-05T02:00:00Z"),
        ResourceView {
            renewal_term: year,
            ..prepaid("scs", "scs-2", "2026-03-10T02:00:00Z").on_expiry(OnExpiry::Renew)
        },
        ResourceView { region: "su".to_owned(), ..ruled },
        prepaid("scs", "scs-4", "2026-02-27T02:00:00Z").stage(Stage::Retention),
        prepaid("scs", "scs-5", "2026-01-27T02:00:00Z").stage(Stage::Released),
        postpaid("scs", "scs-6"),
        prepaid("bcc", "i-1", "2026-03-05T02:00:00Z"),
    ])
}

#[test]
fn a_balance_has_every_digit_and_needs_no_body() {
    let mut text = String::new();
    for available in [850_000_000, 1_234_560_000, 1, 0, -5_000_001, i64::MAX, i64::MIN] {
        let mut world = world();
        world.available = available;
        let bodies = ["", "{}"].map(|body| show(&send(&mut world, BALANCE, body)));
        assert_eq!(bodies[0], bodies[1]);
        text += &format!("{}\n", bodies[0]);
    }
    for line in ["GET /v1/finance/cash/balance", "POST /v2/finance/cash/balance", "POST /v1/finance/cash"] {
        text += &format!("{line}: {}\n", show(&send(&mut world(), line, "")));
    }
    expect![[r#"
        200 x-bce-request-id=r-1 {"cashBalance":850}
        200 x-bce-request-id=r-1 {"cashBalance":1234.56}
        200 x-bce-request-id=r-1 {"cashBalance":0.000001}
        200 x-bce-request-id=r-1 {"cashBalance":0}
        200 x-bce-request-id=r-1 {"cashBalance":-5.000001}
        200 x-bce-request-id=r-1 {"cashBalance":9223372036854.775807}
        200 x-bce-request-id=r-1 {"cashBalance":-9223372036854.775808}
        GET /v1/finance/cash/balance: 405 x-bce-request-id=r-1 {"code":"MethodNotAllowed","message":"`/v1/finance/cash/balance` has no GET","requestId":"r-1"}
        POST /v2/finance/cash/balance: 404 x-bce-request-id=r-1 {"code":"InvalidVersion","message":"`finance` is served as v1","requestId":"r-1"}
        POST /v1/finance/cash: 400 x-bce-request-id=r-1 {"code":"InvalidURI","message":"nothing is served at `/v1/finance/cash`","requestId":"r-1"}
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_page_of_renewals_has_every_documented_field() {
    let response = send(&mut world(), LIST, r#"{"serviceType":"SCS","pageNo":1,"pageSize":2}"#);
    let body = serde_json::from_slice::<Value>(&response.body).unwrap();
    expect![[r#"
        {
          "accountId": "account",
          "loginName": "account",
          "ouName": "/",
          "pageNo": 1,
          "pageSize": 2,
          "resources": [
            {
              "accountId": "account",
              "aloneRenewEnable": true,
              "alreadyRenewSet": false,
              "expireTime": "2026-03-05T02:00:00Z",
              "instanceId": "scs-1",
              "region": "bj",
              "renewTime": null,
              "renewTimeUnit": null,
              "serviceType": "SCS",
              "shortId": "scs-1"
            },
            {
              "accountId": "account",
              "aloneRenewEnable": true,
              "alreadyRenewSet": true,
              "expireTime": "2026-03-10T02:00:00Z",
              "instanceId": "scs-2",
              "region": "bj",
              "renewTime": "1",
              "renewTimeUnit": "year",
              "serviceType": "SCS",
              "shortId": "scs-2"
            }
          ],
          "subAccountId": "/",
          "subLoginName": "/",
          "totalCount": 4
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn a_term_in_days_is_not_shown_as_months() {
    let days = Some(Term { count: 30, unit: TermUnit::Day });
    let imported = prepaid("scs", "scs-1", "2026-03-05T02:00:00Z").on_expiry(OnExpiry::Renew);
    let mut world = World::of(vec![ResourceView { term: days, ..imported }]);
    let response = send(&mut world, LIST, r#"{"serviceType":"SCS","pageNo":1,"pageSize":2}"#);
    let body = serde_json::from_slice::<Value>(&response.body).unwrap();
    let shown = &body["resources"][0];
    assert_eq!((&shown["renewTime"], &shown["renewTimeUnit"]), (&Value::Null, &Value::Null), "{shown}");
    assert_eq!(shown["alreadyRenewSet"], true);
}

#[test]
fn renewals_are_searched_as_documented() {
    let many = (0..101).map(|n| format!(r#""s-{n}""#)).collect::<Vec<_>>().join(",");
    let many = format!(r#"{{"serviceType":"SCS","shortOrInstanceIds":[{many}]}}"#);
    let mut text = String::new();
    for body in [
        r#"{"serviceType":"SCS"}"#,
        r#"{"serviceType":"scs","queryAccountId":"account","region":null,"expiredDays":null}"#,
        r#"{"serviceType":"SCS","region":"su"}"#,
        r#"{"serviceType":"SCS","region":"bj","pageNo":2,"pageSize":1}"#,
        r#"{"serviceType":"SCS","region":"gz"}"#,
        r#"{"serviceType":"SCS","expiredDays":0}"#,
        r#"{"serviceType":"SCS","expiredDays":5}"#,
        r#"{"serviceType":"SCS","expiredDays":"90"}"#,
        r#"{"serviceType":"SCS","shortOrInstanceIds":["scs-2","scs-6","i-1"]}"#,
        r#"{"serviceType":"SCS","shortOrInstanceIds":[]}"#,
        r#"{"serviceType":"SCS","pageNo":2,"pageSize":3}"#,
        r#"{"serviceType":"SCS","pageNo":4294967295,"pageSize":1000}"#,
        r#"{"serviceType":"RDS"}"#,
        r#"{"serviceType":"SCS","expiredDays":91}"#,
        r#"{"serviceType":"SCS","expiredDays":-1}"#,
        r#"{"serviceType":"SCS","pageNo":0}"#,
        r#"{"serviceType":"SCS","pageSize":1001}"#,
        r#"{"serviceType":"SCS","queryAccountId":"other"}"#,
        r#"{"serviceType":"SCS","shortOrInstanceIds":["a b"]}"#,
        r#"{"serviceType":"BOS"}"#,
        "{}",
        &many,
    ] {
        let response = send(&mut world(), LIST, body);
        let read = serde_json::from_slice::<Value>(&response.body).unwrap();
        let shown = match read["resources"].as_array() {
            Some(list) => {
                let ids = list.iter().map(|one| one["shortId"].as_str().unwrap()).collect::<Vec<_>>();
                format!("{} of {}", ids.join(" "), read["totalCount"])
            }
            None => show(&response),
        };
        text += &format!("{}: {shown}\n", if body.len() > 200 { "101 ids" } else { body });
    }
    expect![[r#"
        {"serviceType":"SCS"}: scs-1 scs-2 scs-3 scs-4 of 4
        {"serviceType":"scs","queryAccountId":"account","region":null,"expiredDays":null}: scs-1 scs-2 scs-3 scs-4 of 4
        {"serviceType":"SCS","region":"su"}: scs-3 of 1
        {"serviceType":"SCS","region":"bj","pageNo":2,"pageSize":1}: scs-2 of 3
        {"serviceType":"SCS","region":"gz"}:  of 0
        {"serviceType":"SCS","expiredDays":0}: scs-4 of 1
        {"serviceType":"SCS","expiredDays":5}: scs-1 scs-4 of 2
        {"serviceType":"SCS","expiredDays":"90"}: scs-1 scs-2 scs-3 scs-4 of 4
        {"serviceType":"SCS","shortOrInstanceIds":["scs-2","scs-6","i-1"]}: scs-2 of 1
        {"serviceType":"SCS","shortOrInstanceIds":[]}: scs-1 scs-2 scs-3 scs-4 of 4
        {"serviceType":"SCS","pageNo":2,"pageSize":3}: scs-4 of 4
        {"serviceType":"SCS","pageNo":4294967295,"pageSize":1000}:  of 4
        {"serviceType":"RDS"}:  of 0
        {"serviceType":"SCS","expiredDays":91}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`expiredDays` is 0 to 90","requestId":"r-1"}
        {"serviceType":"SCS","expiredDays":-1}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`expiredDays` is 0 to 90","requestId":"r-1"}
        {"serviceType":"SCS","pageNo":0}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`pageNo` is 1 to 4294967295","requestId":"r-1"}
        {"serviceType":"SCS","pageSize":1001}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`pageSize` is 1 to 1000","requestId":"r-1"}
        {"serviceType":"SCS","queryAccountId":"other"}: 403 x-bce-request-id=r-1 {"code":"AccessDenied","message":"`other` is not the account of this access key","requestId":"r-1"}
        {"serviceType":"SCS","shortOrInstanceIds":["a b"]}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"an id is 1 to 64 visible ASCII characters","requestId":"r-1"}
        {"serviceType":"BOS"}: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`serviceType` is `BOS`; it is one of `BCC`, `BBC`, `CDS`, `EIP`, `MKT`, `SCS`, `RDS`, `ET`","requestId":"r-1"}
        {}: 400 x-bce-request-id=r-1 {"code":"InappropriateJSON","message":"`serviceType` is missing","requestId":"r-1"}
        101 ids: 400 x-bce-request-id=r-1 {"code":"BadRequest","message":"`shortOrInstanceIds` names up to 100 resources","requestId":"r-1"}
    "#]].assert_eq(&text);
}

#[test]
fn rules_are_made_for_every_kind() {
    let rule = |kind: &str, id: &str, more: &str| {
        format!(
            r#"{{"serviceType":"{kind}","region":"bj","instanceId":"{id}","renewTimeUnit":"month","renewTime":"1"{more}}}"#
        )
    };
    let requests = [
        rule("BCC", "i-1", ""),
        rule("BBC", "b-1", r#","accountId":"account""#),
        rule("CDS", "v-alone", r#","renewTime":9,"renewTimeUnit":"year""#),
        rule("EIP", "180.76.1.2", ""),
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTimeUnit":"year","renewTime":"3"}"#.to_owned(),
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTimeUnit":"year","renewTime":4}"#.to_owned(),
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTimeUnit":"month","renewTime":0}"#.to_owned(),
        rule("CDS", "v-ruled", ""),
        rule("CDS", "v-expired", ""),
        rule("CDS", "v-postpaid", ""),
        rule("CDS", "i-1", ""),
        rule("CDS", "v-alone", r#","accountId":"other""#),
        rule("BOS", "v-alone", ""),
        r#"{"serviceType":"CDS","region":"su","instanceId":"v-alone","renewTimeUnit":"month","renewTime":1}"#.to_owned(),
        r#"{"serviceType":"CDS","instanceId":"v-alone","renewTimeUnit":"month","renewTime":1}"#.to_owned(),
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTime":1}"#.to_owned(),
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTimeUnit":"month"}"#.to_owned(),
        r#"{"serviceType":"CDS","region":"bj"}"#.to_owned(),
        "{}".to_owned(),
    ];
    let requests = requests.iter().map(|body| (CREATE, body.as_str())).collect::<Vec<_>>();
    expect_file!["tables/finance-rules.txt"].assert_eq(&table(&requests));
}

#[test]
fn a_rule_of_finance_that_is_sent_again_with_a_token_stays() {
    let mut world = furnished();
    let line = format!("{CREATE}?clientToken=t-1");
    let body =
        r#"{"serviceType":"CDS","region":"bj","instanceId":"v-alone","renewTimeUnit":"month","renewTime":2}"#;
    assert_eq!(send(&mut world, &line, body).status, 200);
    let before = world.clone();
    assert_eq!(send(&mut world, &line, body).status, 200);
    assert_eq!(changes(&before, &world), Vec::<String>::new());
    assert_eq!(send(&mut world, CREATE, body).status, 409);
}
