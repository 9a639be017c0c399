//! `/v1/accounts`.

use expect_test::expect;

use crate::harness::Server;

#[test]
fn an_account_is_made_got_listed_and_topped_up() {
    let server = Server::new();
    let body = r#"{"id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "12.50", "settings": {"site": "intl"}}"#;
    expect![[r#"
        201 Created
        content-type: application/json
        etag: [version]
        location: /v1/accounts/acme-hw
        {
          "approval_above": null,
          "balance": "12.50",
          "budget": null,
          "budget_left": null,
          "budget_spent": null,
          "currency": "CNY",
          "held": "0.00",
          "id": "acme-hw",
          "limit_raise": null,
          "mode": "managed",
          "provider": "huawei",
          "revision": {
            "accounts": "*",
            "digest": "[digest]",
            "is_usable": true,
            "name": "Huawei Cloud",
            "reason": "bundled",
            "shadow": null,
            "version": null
          },
          "settings": {
            "site": "intl"
          }
        }"#]]
    .assert_eq(&server.post("admin", "/v1/accounts", body).shown());
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [version]
        {
          "approval_above": null,
          "balance": "12.50",
          "budget": null,
          "budget_left": null,
          "budget_spent": null,
          "currency": "CNY",
          "held": "0.00",
          "id": "acme-hw",
          "limit_raise": null,
          "mode": "managed",
          "provider": "huawei",
          "revision": {
            "accounts": "*",
            "digest": "[digest]",
            "is_usable": true,
            "name": "Huawei Cloud",
            "reason": "bundled",
            "shadow": null,
            "version": null
          },
          "settings": {
            "site": "intl"
          }
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/accounts/acme-hw").shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "approval_above": null,
              "balance": "12.50",
              "budget": null,
              "budget_left": null,
              "budget_spent": null,
              "currency": "CNY",
              "held": "0.00",
              "id": "acme-hw",
              "limit_raise": null,
              "mode": "managed",
              "provider": "huawei",
              "revision": {
                "accounts": "*",
                "digest": "[digest]",
                "is_usable": true,
                "name": "Huawei Cloud",
                "reason": "bundled",
                "shadow": null,
                "version": null
              },
              "settings": {
                "site": "intl"
              }
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/accounts").shown());
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [version]
        {
          "account": {
            "approval_above": null,
            "balance": "20.00",
            "budget": null,
            "budget_left": null,
            "budget_spent": null,
            "currency": "CNY",
            "held": "0.00",
            "id": "acme-hw",
            "limit_raise": null,
            "mode": "managed",
            "provider": "huawei",
            "revision": {
              "accounts": "*",
              "digest": "[digest]",
              "is_usable": true,
              "name": "Huawei Cloud",
              "reason": "bundled",
              "shadow": null,
              "version": null
            },
            "settings": {
              "site": "intl"
            }
          },
          "events": [
            {
              "account": "acme-hw",
              "amount": "7.50",
              "at": "2026-01-01T00:00:00Z",
              "balance": "20.00",
              "reason": "top_up",
              "resource": null,
              "type": "balance_changed"
            }
          ]
        }"#]]
    .assert_eq(&server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "7.5"}"#).shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "amount": "12.50",
              "at": "2026-01-01T00:00:00Z",
              "from": "funding",
              "reason": "opening",
              "reference": null,
              "resource": null,
              "to": "cash"
            },
            {
              "amount": "7.50",
              "at": "2026-01-01T00:00:00Z",
              "from": "funding",
              "reason": "top_up",
              "reference": null,
              "resource": null,
              "to": "cash"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/accounts/acme-hw/ledger").shown());
}

#[test]
fn the_plugin_checks_settings_and_every_wrong_field_is_listed() {
    let server = Server::new();
    let body = r#"{"id": "", "provider": "huawei", "currency": "yuan", "balance": 5, "settings": {"site": "moon"}, "more": 1}"#;
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "5 problems; see `errors`",
          "errors": [
            {
              "detail": "it is empty; expected some text",
              "field": "id"
            },
            {
              "detail": "expected a currency of three capital letters such as \"CNY\", found the text `yuan`",
              "field": "currency"
            },
            {
              "detail": "expected a decimal in quotes such as \"1200.00\", found the number 5",
              "field": "balance"
            },
            {
              "detail": "`site` is `moon`; it is one of `cn`, `intl`, `eu`",
              "field": "settings"
            },
            {
              "detail": "unknown field `more` (did you mean `mode`?)",
              "field": "more"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&server.post("admin", "/v1/accounts", body).shown());
}

#[test]
fn settings_change_if_the_plugin_agrees_and_its_rules_run_anew() {
    let server = Server::furnished();
    let path = "/v1/accounts/acme-hw";
    let change = |body: &str| server.send("admin", "PATCH", path, &[], body);
    let wake = || server.get("viewer", "/v1/resources/ecs-1").json()["next_wake_at"].clone();
    server.advance("2026-01-02T00:00:00Z");
    assert_eq!(wake(), "2026-01-23T19:00:00Z", "seven days before the expiry");
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [version]
        {
          "account": {
            "approval_above": null,
            "balance": "500.00",
            "budget": null,
            "budget_left": null,
            "budget_spent": null,
            "currency": "CNY",
            "held": "0.00",
            "id": "acme-hw",
            "limit_raise": null,
            "mode": "managed",
            "provider": "huawei",
            "revision": {
              "accounts": "*",
              "digest": "[digest]",
              "is_usable": true,
              "name": "Huawei Cloud",
              "reason": "bundled",
              "shadow": null,
              "version": null
            },
            "settings": {
              "deduction_days": "3",
              "site": "cn"
            }
          },
          "events": [
            {
              "account": "acme-hw",
              "at": "2026-01-02T00:00:00Z",
              "resource": null,
              "setting": "deduction_days",
              "type": "setting_changed",
              "value": "3"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-02T00:00:00Z",
              "resource": null,
              "setting": "site",
              "type": "setting_changed",
              "value": "cn"
            }
          ]
        }"#]]
    .assert_eq(&change(r#"{"settings": {"deduction_days": "3", "site": "cn"}}"#).shown());
    server.advance("2026-01-03T00:00:00Z");
    assert_eq!(wake(), "2026-01-27T19:00:00Z", "three days before it");
    let back = change(r#"{"settings": {"deduction_days": null}}"#).json();
    assert_eq!(back["account"]["settings"], serde_json::json!({ "site": "cn" }));
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "2 problems; see `errors`",
          "errors": [
            {
              "detail": "`deduction_days` is `9`; it is a whole number from 2 to 7",
              "field": "settings"
            },
            {
              "detail": "`colour` is not a setting; there are `site`, `tier`, `deduction_days`, `grace_days`, `retention_days`, `unified_expiry_day`, `auto_renew_period`, `full_refund_days`, `handling_fee_percent`, `refund_counts`, `tries_until`, `auto_renewal_takes`, `total_years_max`, `package_low_percent`, `package_order`, `notice_hour`, `order_valid_days`, `policy_denied_code`, `policy_deferred_code`",
              "field": "settings"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]].assert_eq(
        &change(r#"{"approval_above": "1.00", "settings": {"deduction_days": "9", "colour": "red"}}"#)
            .shown(),
    );
    assert_eq!(
        server.get("viewer", path).json()["approval_above"],
        serde_json::Value::Null,
        "nothing is changed"
    );
}

#[test]
fn what_is_changed_meanwhile_is_not_changed() {
    let server = Server::furnished();
    let etag = server.get("viewer", "/v1/accounts/acme-hw").headers["etag"].to_str().unwrap().to_owned();
    let header = format!("if-match: {etag}");
    let top_up = || {
        server.send("operator", "POST", "/v1/accounts/acme-hw:top-up", &[&header], r#"{"amount": "1.00"}"#)
    };
    assert_eq!(top_up().status, 200);
    expect![[r#"
        412 Precondition Failed
        content-type: application/problem+json
        {
          "detail": "its version is [etag]; get it again and look at it",
          "status": 412,
          "title": "The object has another version",
          "type": "urn:perennial:problem:precondition-failed"
        }"#]]
    .assert_eq(&top_up().shown().replace(
        &server.get("viewer", "/v1/accounts/acme-hw").headers["etag"].to_str().unwrap().replace('"', "\\\""),
        "[etag]",
    ));
}
