//! What an inventory may say, and what is said of one that it may not: each problem, its path and its words.

mod attachments;
mod csv_tables;
mod properties;

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
fn every_problem_of_a_resource_is_listed() {
    let long = "x".repeat(65);
    let resources = [
        "{}".to_owned(),
        ecs("e1", r#""account": "b", "kind": "ecs2""#, &[]),
        ecs("e2", r#""kind": "evss", "colour": "red", "expire_at": null"#, &[]),
        ecs("e3", r#""charging": "prepayed", "stage": "Active", "on_expiry": "renewed""#, &[]),
        ecs("e4", r#""started_at": "2026-02-30T00:00:00Z", "expires_at": 1772294399"#, &[]),
        ecs("e5", r#""expires_at": "2026-01-31T02:00:00Z", "anchor_day": 32, "price": "-0.01""#, &[]),
        ecs("e6", r#""term": {"count": 0, "unit": "week", "x": 1}, "renewal_term": "1 month""#, &[]),
        ecs("e7", r#""renewals_left": -1, "price": 99, "tags": {"env": true}, "attributes": []"#, &[]),
        ecs(&long, r#""region": null"#, &[]),
        ecs("a\\nb", r#""anchor_day": 0.5"#, &[]),
        ecs("e1", "", &["started_at", "charging"]),
        ecs("ecs-old", r#""account": "older""#, &[]),
    ];
    check_resources(
        &resources,
        expect![[r#"
            33 problems:
              resources[0].id (line 1): the field is missing
              resources[0].account (line 1): the field is missing
              resources[0].kind (line 1): the field is missing
              resources[0].charging (line 1): the field is missing
              resources[0].started_at (line 1): the field is missing
              resources[1].account (line 1, `e1`): there is no account `b` (did you mean `a`?); in this file: `a`
              resources[2].colour (line 1, `e2`): unknown field `colour`; expected `id`, `account`, `kind`, `region`, `charging`, `stage`, `started_at`, `expires_at`, `anchor_day`, `term`, `price`, `on_expiry`, `renewals_left`, `renewal_term`, `attached_to`, `attributes`, `tags`, `quota`, `used`, `unit` or `resource_type`
              resources[2].expire_at (line 1, `e2`): unknown field `expire_at` (did you mean `expires_at`?)
              resources[2].kind (line 1, `e2`): `huawei` has no kind `evss` (did you mean `evs`?); it has `ecs`, `eip`, `evs` or `package`
              resources[3].charging (line 1, `e3`): there is no `prepayed` (did you mean `prepaid`?); expected `prepaid` or `postpaid`
              resources[3].on_expiry (line 1, `e3`): there is no `renewed` (did you mean `renew`?); expected `lapse`, `renew`, `convert` or `release`
              resources[3].stage (line 1, `e3`): there is no `Active` (did you mean `active`?); expected `active`, `grace`, `retention`, `released`, `unsubscribed` or `converted`
              resources[4].expires_at (line 1, `e4`): expected an instant in RFC 3339 such as "2026-02-28T15:59:59Z", found the number 1772294399
              resources[4].started_at (line 1, `e4`): `2026-02-30T00:00:00Z` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
              resources[5].anchor_day (line 1, `e5`): expected a whole number from 1 to 31, found the number 32
              resources[5].expires_at (line 1, `e5`): 2026-01-31T02:00:00Z is not after `started_at`, which is 2026-01-31T02:00:00Z
              resources[5].price (line 1, `e5`): -0.01 is negative; expected 0.00 or more
              resources[6].renewal_term (line 1, `e6`): expected an object, found the text `1 month`
              resources[6].term.count (line 1, `e6`): expected a whole number from 1 to 36500, found the number 0
              resources[6].term.unit (line 1, `e6`): there is no `week`; expected `day`, `month` or `year`
              resources[6].term.x (line 1, `e6`): unknown field `x`; expected `count` or `unit`
              resources[7].attributes (line 1, `e7`): expected an object, found a list
              resources[7].price (line 1, `e7`): expected a decimal in quotes such as "1200.00", found the number 99
              resources[7].renewals_left (line 1, `e7`): expected a whole number from 0 to 4294967295, found the number -1
              resources[7].tags.env (line 1, `e7`): expected text, found true
              resources[8].id (line 1, `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`): an id has at most 64 characters; this one has 65
              resources[9].anchor_day (line 1, `a\nb`): expected a whole number from 1 to 31, found the number 0.5
              resources[9].id (line 1, `a\nb`): the id `a\nb` has a control character
              resources[10].charging (line 1, `e1`): the field is missing
              resources[10].started_at (line 1, `e1`): the field is missing
              resources[10].id (line 1, `e1`): `e1` is already the id of `resources[1]`; an id is used once
              resources[11].account (line 1, `ecs-old`): the account `older` is of provider `gone`, whose plugin is not loaded
              resources[11].id (line 1, `ecs-old`): a resource `ecs-old` exists already; an id is used once"#]],
    );
}

#[test]
fn what_is_paid_ahead_goes_together_and_what_is_not_has_none_of_it() {
    let resources = [
        ecs("e1", "", &["term", "price", "expires_at"]),
        ecs("e2", r#""term": null, "price": null"#, &[]),
        ecs("e3", r#""charging": "postpaid", "anchor_day": 3"#, &[]),
        ecs("e4", r#""charging": "postpaid", "term": "month", "price": null"#, &["expires_at"]),
    ];
    check_resources(
        &resources,
        expect![[r#"
            11 problems:
              resources[0].term (line 1, `e1`): a prepaid resource needs `term`; it is missing or null
              resources[0].price (line 1, `e1`): a prepaid resource needs `price`; it is missing or null
              resources[0].expires_at (line 1, `e1`): a prepaid resource needs `expires_at`; it is missing or null
              resources[1].price (line 1, `e2`): a prepaid resource needs `price`; it is missing or null
              resources[1].term (line 1, `e2`): a prepaid resource needs `term`; it is missing or null
              resources[2].anchor_day (line 1, `e3`): a postpaid resource has no `anchor_day`; leave it out or write null
              resources[2].expires_at (line 1, `e3`): a postpaid resource has no `expires_at`; leave it out or write null
              resources[2].price (line 1, `e3`): a postpaid resource has no `price`; leave it out or write null
              resources[2].term (line 1, `e3`): a postpaid resource has no `term`; leave it out or write null
              resources[3].term (line 1, `e4`): expected an object, found the text `month`
              resources[3].term (line 1, `e4`): a postpaid resource has no `term`; leave it out or write null"#]],
    );
}

#[test]
fn packages_have_their_fields_and_nothing_else_has_them() {
    let resources = [
        ecs("p1", r#""kind": "package", "quota": "1.00""#, &[]),
        ecs(
            "p2",
            r#""kind": "package", "quota": "1.00", "used": "1.01", "unit": "", "resource_type": 7"#,
            &[],
        ),
        ecs("e1", r#""quota": "1.00", "used": null, "resource_type": "cci""#, &[]),
        r#"{"id": "p3", "account": "a", "kind": "package", "charging": "postpaid", "quota": "0",
            "used": "0", "unit": "h", "resource_type": "cci", "started_at": "2026-01-31T02:00:00Z"}"#
            .to_owned(),
    ];
    check_resources(
        &resources,
        expect![[r#"
            10 problems:
              resources[0].used (line 1, `p1`): a resource package needs `used`; it is missing or null
              resources[0].unit (line 1, `p1`): a resource package needs `unit`; it is missing or null
              resources[0].resource_type (line 1, `p1`): a resource package needs `resource_type`; it is missing or null
              resources[1].resource_type (line 1, `p2`): expected text, found the number 7
              resources[1].unit (line 1, `p2`): it is empty; expected some text
              resources[1].used (line 1, `p2`): 1.01 is more than the quota, which is 1.00
              resources[2].quota (line 1, `e1`): only a resource package has `quota`, and `ecs` is none
              resources[2].resource_type (line 1, `e1`): only a resource package has `resource_type`, and `ecs` is none
              resources[3].charging (line 1, `p3`): `package` is a resource package, which is always `prepaid`
              resources[3].quota (line 1, `p3`): it is zero; expected an amount above 0.00"#]],
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

#[test]
fn an_anchor_day_that_contradicts_the_expiry_is_a_problem() {
    let resources = [
        ecs("february", r#""anchor_day": 31"#, &[]),
        ecs("too-early", r#""anchor_day": 27"#, &[]),
        ecs("next-day", r#""expires_at": "2026-02-28T16:00:00Z", "anchor_day": 28"#, &[]),
        ecs("middle", r#""expires_at": "2026-02-15T15:59:59Z", "anchor_day": 31"#, &[]),
        ecs("april", r#""expires_at": "2026-04-30T15:59:59Z", "anchor_day": 31"#, &[]),
        ecs("nobodys", r#""account": "b", "anchor_day": 1"#, &[]),
    ];
    check_resources(
        &resources,
        expect![[r#"
            4 problems:
              resources[1].anchor_day (line 1, `too-early`): 27 does not fit `expires_at`: 2026-02-28T15:59:59Z is on day 28 of its month in the provider's days; write 28, a later day if that is the month's last, or leave it out
              resources[2].anchor_day (line 1, `next-day`): 28 does not fit `expires_at`: 2026-02-28T16:00:00Z is on day 1 of its month in the provider's days; write 1, a later day if that is the month's last, or leave it out
              resources[3].anchor_day (line 1, `middle`): 31 does not fit `expires_at`: 2026-02-15T15:59:59Z is on day 15 of its month in the provider's days; write 15, a later day if that is the month's last, or leave it out
              resources[5].account (line 1, `nobodys`): there is no account `b` (did you mean `a`?); in this file: `a`"#]],
    );
}
