//! What an inventory may say, and what is said of one that it may not: each problem, its path and its words.

mod attachments;
mod csv_tables;
mod properties;
mod resources;

use std::collections::BTreeMap;

use expect_test::Expect;
use expect_test::expect;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::plan::Refusal;

use super::ExistingRecords;
use super::Inventory;
use super::NoRecords;
use crate::Problems;

fn kind(attaches_to: &[&str], is_package: bool) -> Kind {
    let attaches_to = attaches_to.iter().map(|name| (*name).to_owned()).collect();
    Kind { label: String::new(), attaches_to, terms: Vec::new(), is_package }
}

fn manifest(id: &str, utc_offset_minutes: i16) -> Manifest {
    let refusal = Refusal { code: "No".to_owned(), message: "no".to_owned() };
    let kinds = [
        ("ecs", kind(&[], false)),
        ("evs", kind(&["ecs"], false)),
        ("eip", kind(&["ecs", "eip"], false)),
        ("package", kind(&[], true)),
    ];
    Manifest {
        id: id.to_owned(),
        name: id.to_owned(),
        kinds: kinds.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
        settings: Vec::new(),
        notices: Vec::new(),
        reads: Vec::new(),
        utc_offset_minutes,
        insufficient_balance: refusal.clone(),
        unknown_resource: refusal.clone(),
        unknown_resource_of: BTreeMap::new(),
        policy_denied: PolicyRefusal { refusal: refusal.clone(), code_setting: None },
        policy_deferred: PolicyRefusal { refusal, code_setting: None },
        idempotency: None,
    }
}

/// A store that has the account `old` of `huawei`, `older` of a provider that is gone, and the resource `ecs-old`.
struct Before;

impl ExistingRecords for Before {
    fn provider_of(&self, account: &str) -> Option<String> {
        match account {
            "old" => Some("huawei".to_owned()),
            "older" => Some("gone".to_owned()),
            _ => None,
        }
    }

    fn has_resource(&self, resource: &str) -> bool {
        resource == "ecs-old"
    }
}

fn read(text: &str, existing: &dyn ExistingRecords) -> Result<Inventory, Problems> {
    let (huawei, utc) = (manifest("huawei", 480), manifest("utc", 0));
    let manifests = BTreeMap::from([("huawei".to_owned(), &huawei), ("utc".to_owned(), &utc)]);
    let check_settings = |_: &str, settings: &BTreeMap<String, String>| {
        if settings.contains_key("trap") {
            return Err("it trapped".to_owned());
        }
        let names = settings.keys().filter(|name| !["site", "deduction_days"].contains(&name.as_str()));
        Ok(names.map(|name| format!("there is no setting `{name}`")).collect())
    };
    super::read(text, &manifests, &check_settings, existing)
}

const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00"}"#;
const ECS: &str = r#""kind": "ecs", "charging": "prepaid", "started_at": "2026-01-31T02:00:00Z",
    "expires_at": "2026-02-28T15:59:59Z", "term": {"count": 1, "unit": "month"}, "price": "99.00""#;

fn file(accounts: &[&str], resources: &[&str]) -> String {
    format!(r#"{{"accounts": [{}], "resources": [{}]}}"#, accounts.join(", "), resources.join(", "))
}

/// A resource with everything an `ecs` needs, but for `without`, and with the `more` fields.
fn ecs(id: &str, more: &str, without: &[&str]) -> String {
    let text = format!(r#"{{"id": "{id}", "account": "a", {ECS} }}"#);
    let mut fields = serde_json::from_str::<serde_json::Map<_, _>>(&text).unwrap();
    let more = serde_json::from_str::<serde_json::Map<_, _>>(&format!("{{{more}}}")).unwrap();
    fields.extend(more);
    without.iter().for_each(|name| drop(fields.remove(*name)));
    serde_json::to_string(&fields).unwrap()
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&read(text, &Before).unwrap_err().to_string());
}

fn check_resources(resources: &[String], expected: Expect) {
    let resources = resources.iter().map(String::as_str).collect::<Vec<_>>();
    check(&file(&[ACCOUNT], &resources), expected);
}

#[test]
fn the_printed_example_reads_as_it_says() {
    let text = r#"{
      "accounts": [{
        "id": "acme-hw", "provider": "huawei", "mode": "managed",
        "currency": "CNY", "balance": "1200.00",
        "settings": { "site": "intl", "deduction_days": "7" }
      }],
      "resources": [{
        "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4",
        "charging": "prepaid", "stage": "active",
        "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z",
        "anchor_day": 31,
        "term": { "count": 1, "unit": "month" }, "price": "99.00",
        "on_expiry": "renew", "renewals_left": null, "renewal_term": null,
        "attached_to": null,
        "attributes": { "status": "running" }, "tags": { "env": "prod" }
      }]
    }"#;
    let inventory = read(text, &NoRecords).unwrap();
    expect![[r#"
        Inventory {
            accounts: [
                Account {
                    id: "acme-hw",
                    provider: "huawei",
                    mode: Managed,
                    currency: "CNY",
                    balance: Balance {
                        available: Micros(
                            1200000000,
                        ),
                        held: Micros(
                            0,
                        ),
                    },
                    settings: {
                        "deduction_days": "7",
                        "site": "intl",
                    },
                    approval_above: None,
                    budget: None,
                },
            ],
            bundles: [
                ImportedBundle {
                    account: "acme-hw",
                    bundle: Bundle {
                        members: [
                            Resource {
                                id: "ecs-1",
                                kind: "ecs",
                                region: "cn-north-4",
                                charging: Prepaid,
                                stage: Active,
                                started_at: Timestamp(
                                    1769824800,
                                ),
                                expires_at: Some(
                                    Timestamp(
                                        1772294399,
                                    ),
                                ),
                                anchor_day: Some(
                                    31,
                                ),
                                term: Some(
                                    Term {
                                        count: 1,
                                        unit: Month,
                                    },
                                ),
                                price: Some(
                                    Micros(
                                        99000000,
                                    ),
                                ),
                                on_expiry: Renew,
                                renewals_left: None,
                                renewal_term: None,
                                attached_to: None,
                                has_unpaid_order: false,
                                package: None,
                                attributes: {
                                    "status": "running",
                                },
                                tags: {
                                    "env": "prod",
                                },
                            },
                        ],
                    },
                },
            ],
        }"#]]
    .assert_eq(&format!("{inventory:#?}"));
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_table() {
    let evening = r#""expires_at": "2026-02-28T16:00:00Z""#;
    let package =
        r#""kind": "package", "quota": "100.0", "used": "0.5", "unit": "h", "resource_type": "cci""#;
    let postpaid = r#"{"id": "p", "account": "a", "kind": "ecs", "charging": "postpaid", "price": null,
        "started_at": "2026-01-31T02:00:00Z"}"#;
    let text = file(
        &[ACCOUNT],
        &[
            &ecs("e", evening, &[]),
            postpaid,
            &ecs("package", package, &[]),
            &ecs("zero", r#""on_expiry": "renew", "renewals_left": 0"#, &[]),
        ],
    );
    let inventory = read(&text, &NoRecords).unwrap();
    let members = inventory.bundles.iter().map(|imported| imported.bundle.primary()).collect::<Vec<_>>();
    assert_eq!(members[0].anchor_day, Some(1), "in UTC+8 it is March already");
    assert_eq!(members[3].on_expiry, OnExpiry::Lapse, "no renewal is left");
    assert_eq!(members[2].package.as_ref().unwrap().bought_at, members[2].started_at);
    expect![[r#"
        Resource {
            id: "p",
            kind: "ecs",
            region: "",
            charging: Postpaid,
            stage: Active,
            started_at: Timestamp(
                1769824800,
            ),
            expires_at: None,
            anchor_day: None,
            term: None,
            price: None,
            on_expiry: Lapse,
            renewals_left: None,
            renewal_term: None,
            attached_to: None,
            has_unpaid_order: false,
            package: None,
            attributes: {},
            tags: {},
        }
        Some(
            Package {
                quota: Micros(
                    100000000,
                ),
                used: Micros(
                    500000,
                ),
                unit: "h",
                resource_type: "cci",
                bought_at: Timestamp(
                    1769824800,
                ),
            },
        )"#]]
    .assert_eq(&format!("{:#?}\n{:#?}", members[1], members[2].package));
}

#[test]
fn a_resource_may_name_an_account_that_exists() {
    let text = file(&[], &[&ecs("e", r#""account": "old""#, &[])]);
    assert_eq!(read(&text, &Before).unwrap().bundles[0].account, "old");
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    check(
        "{\n  \"accounts\": [,]\n}",
        expect![[r#"
        1 problem:
          line 2, column 16: this is not JSON: expected value"#]],
    );
    check(
        "",
        expect![[r#"
        1 problem:
          line 1: there is nothing in it; expected JSON"#]],
    );
    check(
        "{} {}",
        expect![[r#"
        1 problem:
          line 1, column 4: this is not JSON: trailing characters"#]],
    );
    check(
        &"[".repeat(100_000),
        expect![[r#"
        1 problem:
          line 1, column 128: this is not JSON: recursion limit exceeded"#]],
    );
}

#[test]
fn what_is_json_but_no_inventory_is_refused() {
    check(
        "[]",
        expect![[r#"
            1 problem:
              the file (line 1): expected an object, found a list"#]],
    );
    check(
        "{}",
        expect![[r#"
            1 problem:
              the file (line 1): an inventory has `accounts`, `resources` or both; this one has neither"#]],
    );
    check(
        r#"{"account": [], "resources": 7, "accounts": null}"#,
        expect![[r#"
            3 problems:
              account (line 1): unknown field `account` (did you mean `accounts`?)
              resources (line 1): expected a list, found the number 7
              accounts (line 1): expected a list, found null"#]],
    );
    check(
        r#"{"accounts": [3, []], "resources": ["x"]}"#,
        expect![[r#"
            3 problems:
              accounts[0] (line 1): expected an object, found the number 3
              accounts[1] (line 1): expected an object, found a list
              resources[0] (line 1): expected an object, found the text `x`"#]],
    );
}

#[test]
fn every_problem_of_an_account_is_listed() {
    let accounts = [
        "{}",
        r#"{"id": "b", "provider": "huawai", "mode": "connected", "currency": "CNY", "balance": 12.5}"#,
        r#"{"id": "c", "provider": "huawei", "currency": "yuan", "balance": "-1.00", "setings": {}}"#,
        r#"{"id": "c", "provider": "huawei", "balance": "1.0000001", "settings": {"sight": "x"}}"#,
        r#"{"id": "", "provider": "", "currency": "CNY", "settings": {"site": 7, "": "x"}}"#,
        r#"{"id": "old", "provider": "utc", "currency": null, "balance": null, "settings": {"trap": "1"}}"#,
        r#"{"id": "d", "id": "e", "provider": "utc", "currency": "EUR", "balance": "1 EUR"}"#,
    ];
    check(
        &file(&accounts, &[]),
        expect![[r#"
            25 problems:
              accounts[0].provider (line 1): the field is missing
              accounts[0].id (line 1): the field is missing
              accounts[0].currency (line 1): the field is missing
              accounts[0].balance (line 1): the field is missing
              accounts[1].provider (line 1, `b`): no plugin `huawai` is loaded (did you mean `huawei`?); loaded: `huawei` or `utc`
              accounts[1].mode (line 1, `b`): mode `connected` is not supported; expected `managed`: this host keeps the account
              accounts[1].balance (line 1, `b`): expected a decimal in quotes such as "1200.00", found the number 12.5
              accounts[2].currency (line 1, `c`): expected a currency of three capital letters such as "CNY", found the text `yuan`
              accounts[2].balance (line 1, `c`): -1.00 is negative; expected 0.00 or more
              accounts[2].setings (line 1, `c`): unknown field `setings` (did you mean `settings`?)
              accounts[3].currency (line 1, `c`): the field is missing; the balance is an amount without a currency, write one such as "CNY"
              accounts[3].id (line 1, `c`): `c` is already the id of `accounts[2]`; an id is used once
              accounts[3].balance (line 1, `c`): `1.0000001` is finer than a millionth
              accounts[3].settings (line 1, `c`): there is no setting `sight`
              accounts[4].balance (line 1): the field is missing; the currency comes without an amount, write one such as "0.00"
              accounts[4].id (line 1): it is empty; expected some text
              accounts[4].provider (line 1): it is empty; expected some text
              accounts[4].settings.site (line 1): expected text, found the number 7
              accounts[4].settings[""] (line 1): its name is ""; expected one that is not empty
              accounts[5].id (line 1, `old`): an account `old` exists already; an id is used once
              accounts[5].currency (line 1, `old`): expected text, found null
              accounts[5].balance (line 1, `old`): expected a decimal in quotes such as "1200.00", found null
              accounts[5].settings (line 1, `old`): the plugin `utc` could not check the settings: it trapped
              accounts[6].id (line 1, `d`): the field is written twice in one object; keep one
              accounts[6].balance (line 1, `d`): `1 EUR` is not an amount; write a decimal such as "1200.00""#]],
    );
}

#[test]
fn doubled_fields_are_found_wherever_they_are() {
    let text =
        r#"{"accounts": [], "accounts": [], "resources": [{"tags": {"a b": "1", "a b": "2"}, "tags": {}}]}"#;
    check(
        text,
        expect![[r#"
            8 problems:
              accounts (line 1): the field is written twice in one object; keep one
              resources[0].id (line 1): the field is missing
              resources[0].account (line 1): the field is missing
              resources[0].kind (line 1): the field is missing
              resources[0].charging (line 1): the field is missing
              resources[0].started_at (line 1): the field is missing
              resources[0].tags["a b"] (line 1): the field is written twice in one object; keep one
              resources[0].tags (line 1): the field is written twice in one object; keep one"#]],
    );
}

#[test]
fn a_hundred_thousand_resources_read_at_once() {
    let mut resources = Vec::new();
    for bundle in 0..33_334 {
        resources.push(ecs(&format!("ecs-{bundle}"), "", &[]));
        for (kind, to) in [("evs", "ecs"), ("eip", "ecs")] {
            let more = format!(r#""kind": "{kind}", "attached_to": "{to}-{bundle}""#);
            resources.push(ecs(&format!("{kind}-{bundle}"), &more, &[]));
        }
    }
    let resources = resources.iter().map(String::as_str).collect::<Vec<_>>();
    let inventory = read(&file(&[ACCOUNT], &resources), &NoRecords).unwrap();
    assert_eq!(inventory.bundles.len(), 33_334);
    assert!(inventory.bundles.iter().all(|imported| imported.bundle.members.len() == 3));
}
