//! The operations on the account (settings, prices, balance, tokens) and the lists that tools read first.

use expect_test::expect_file;
use plugin_huawei::Huawei;
use plugin_sdk::provider_api::*;

use crate::answers::bodies;
use crate::answers::check;
use crate::world::Host;
use crate::world::NOW;
use crate::world::furnished;
use crate::world::refused;
use crate::world::request;

#[test]
fn the_days_of_deduction_and_expiry_are_settings() {
    let target = "/v2/orders/subscriptions/resources/renew/config";
    let asked = bodies(
        "POST",
        target,
        &[
            r#"{"config_name":"DEDUCTION_DATE","config_value":"2"}"#,
            r#"{"config_name":"DEDUCTION_DATE","config_value":"8"}"#,
            r#"{"config_name":"DEDUCTION_DATE","config_value":"07"}"#,
            r#"{"config_name":"DEDUCTION_DATE","config_value":7}"#,
            r#"{"config_name":"EXPIRE_DATE","config_value":"28"}"#,
            r#"{"config_name":"EXPIRE_DATE","config_value":"-1"}"#,
            r#"{"config_name":"EXPIRE_DATE","config_value":"29"}"#,
            r#"{"config_name":"EXPIRE_DATE"}"#,
            r#"{"config_name":"COLOUR","config_value":"1"}"#,
            "",
        ],
    );
    check(&furnished(), &asked, expect_file!["tables/configuration.txt"]);
    let host = Host { problem: Some("a setting of this account is wrong"), ..furnished() };
    let refused = host.answer(&request(asked[0].0, asked[0].1, asked[0].2), |_| {});
    assert_eq!(refused.status, 400);
}

#[test]
fn prices_are_those_of_the_plan() {
    let mut host = furnished();
    let step = |resource: &str, cost| PricedStep {
        resource: resource.to_owned(),
        cost,
        refund: 0,
        expires_at: Some(NOW),
    };
    let proposal = |steps, refusal| Proposal { currency: "CNY".to_owned(), steps, refusal };
    let refusal = |code| {
        let Outcome::Refused(refusal) = refused(code) else { panic!("{code}") };
        Some(refusal)
    };
    let steps = vec![step("ecs-1", 99_000_000), step("evs-1", 12_340_000)];
    host.proposals.insert("ecs-1", proposal(steps, None));
    host.proposals.insert("rds-1", proposal(vec![step("rds-1", 1)], refusal("CBC.30050006")));
    for (resource, code) in [
        ("evs-1", "CBC.30010036"),
        ("a", "CBC.30010069"),
        ("b", "CBC.99003016"),
        ("c", "CBC.99003012"),
        ("d", "CBC.99003100"),
        ("e", "CBC.99003631"),
        ("f", "CBC.99003144"),
        ("g", "CBC.30050013"),
        ("h", "CBC.99000092"),
    ] {
        host.proposals.insert(resource, proposal(Vec::new(), refusal(code)));
    }
    let asked = bodies(
        "POST",
        "/v2/bills/ratings/period-resources/renew-rate",
        &[
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"include_relative_resources":true}"#,
            r#"{"resource_ids":["ecs-1","rds-1","evs-1"],"period_type":3,"period_num":1}"#,
            r#"{"resource_ids":["a","b","c","d","e","f","g","h"],"period_type":2,"period_num":1}"#,
            r#"{"resource_ids":["ecs-1","ecs-1"],"period_type":2,"period_num":1}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2}"#,
            r#"{"resource_ids":["ecs-1"],"period_type":2,"period_num":1,"include_relative_resources":"yes"}"#,
        ],
    );
    check(&host, &asked, expect_file!["tables/price.txt"]);
}

#[test]
fn balances_are_exact() {
    let target = "/v2/accounts/customer-accounts/balances";
    let answers = [1_234_567_890, 0, -5_000_001, i64::MAX, i64::MIN].map(|available| {
        let host = Host { available, ..furnished() };
        host.talk(&request("GET", target, ""))
    });
    expect_file!["tables/balance.txt"].assert_eq(&answers.concat());
}

#[test]
fn tools_can_list_the_account_the_services_and_the_types() {
    let asked = [
        ("GET", "/v3/auth/domains", ""),
        ("GET", "/v2/products/service-types?limit=1", ""),
        ("GET", "/v2/products/service-types?offset=13&limit=100", ""),
        ("GET", "/v2/products/service-types?service_type_name=Direct", ""),
        ("GET", "/v2/products/service-types?limit=101", ""),
        ("GET", "/v2/products/resource-types?offset=20", ""),
    ];
    check(&furnished(), &asked, expect_file!["tables/catalogue.txt"]);
}

#[test]
fn tokens_are_issued_for_an_access_key_and_its_secret() {
    let user = r#""user":{"domain":{"name":"acme"},"name":"AK","password":"SK"}"#;
    let body = |methods: &str, rest: &str| {
        format!(
            r#"{{"auth":{{"identity":{{"methods":{methods},"password":{{{rest}}}}},"scope":{{"project":{{"name":"cn-north-4"}}}}}}}}"#
        )
    };
    let good = body(r#"["password"]"#, user);
    let asked = [
        good.clone(),
        body(r#"["password"]"#, &user.replace("acme", "other")),
        body(r#"["token"]"#, user),
        body(r#"["password"]"#, ""),
        "{}".to_owned(),
        "{".to_owned(),
    ];
    let asked = asked.iter().map(|body| ("POST", "/v3/auth/tokens", body.as_str())).collect::<Vec<_>>();
    check(&furnished(), &asked, expect_file!["tables/token.txt"]);
    let authentication = Huawei::identify(NOW, request("POST", "/v3/auth/tokens", &good)).unwrap();
    let expected = PasswordCredentials { access_key: "AK".to_owned(), password: "SK".to_owned() };
    assert_eq!(authentication.credentials, Credentials::Password(expected));
}
