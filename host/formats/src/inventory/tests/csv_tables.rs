//! Inventories in tables: the same as in JSON, and each problem with its line and column.

use std::collections::BTreeMap;

use expect_test::Expect;
use expect_test::expect;

use super::Before;
use crate::Problems;
use crate::inventory::CheckSettings;
use crate::inventory::Document;
use crate::inventory::ExistingRecords;
use crate::inventory::ImportOptions;
use crate::inventory::NoRecords;
use crate::inventory::Source;

const ACCOUNTS: &str =
    "id,provider,currency,balance,settings.site\na,huawei,CNY,12.00,intl\nb,utc,EUR,0.00,\n";

fn read(
    resources: &str,
    accounts: Option<&str>,
    existing: &dyn ExistingRecords,
) -> Result<Document, Problems> {
    read_as(Source::Csv { resources, accounts }, false, existing)
}

fn read_as(source: Source<'_>, update: bool, existing: &dyn ExistingRecords) -> Result<Document, Problems> {
    let (huawei, utc) = (super::manifest("huawei", 480), super::manifest("utc", 0));
    let manifests = BTreeMap::from([("huawei".to_owned(), &huawei), ("utc".to_owned(), &utc)]);
    let check: &CheckSettings<'_> = &|_, _| Ok(Vec::new());
    let options = ImportOptions { update, ..ImportOptions::default() };
    super::super::read_from(source, options, &manifests, check, existing)
}

fn refused(resources: &str, accounts: Option<&str>, expect: Expect) {
    expect.assert_eq(&read(resources, accounts, &Before).unwrap_err().to_string());
}

#[test]
fn tables_hold_what_a_json_file_holds() {
    let resources = "\u{feff}id,account,kind,region,charging,started_at,expires_at,anchor_day,term,price,on_expiry,renewals_left,renewal_term,attached_to,tags.env,attributes.status,quota,used,unit,resource_type\r\n\
        ecs-1,a,ecs,\"cn, north\",prepaid,2026-01-31T02:00:00Z,2026-02-28T15:59:59Z,31,1 month,99.00,renew,3,12 months,,prod,\"say \"\"on\"\"\",,,,\r\n\
        evs-1,a,evs,,prepaid,2026-01-31T02:00:00Z,2026-02-28T15:59:59Z,,1 year,9.00,,,,ecs-1,,,,,,\r\n\
        pkg-1,b,package,,prepaid,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,,30 days,5.00,,,,,,,100,1.5,hour,cci\r\n";
    let json = r#"{
      "accounts": [
        {"id": "a", "provider": "huawei", "currency": "CNY", "balance": "12.00", "settings": {"site": "intl"}},
        {"id": "b", "provider": "utc", "currency": "EUR", "balance": "0.00"}],
      "resources": [
        {"id": "ecs-1", "account": "a", "kind": "ecs", "region": "cn, north", "charging": "prepaid",
         "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z", "anchor_day": 31,
         "term": {"count": 1, "unit": "month"}, "price": "99.00", "on_expiry": "renew", "renewals_left": 3,
         "renewal_term": {"count": 12, "unit": "month"}, "tags": {"env": "prod"},
         "attributes": {"status": "say \"on\""}},
        {"id": "evs-1", "account": "a", "kind": "evs", "charging": "prepaid", "started_at": "2026-01-31T02:00:00Z",
         "expires_at": "2026-02-28T15:59:59Z", "term": {"count": 1, "unit": "year"}, "price": "9.00",
         "attached_to": "ecs-1"},
        {"id": "pkg-1", "account": "b", "kind": "package", "charging": "prepaid", "started_at": "2026-01-01T00:00:00Z",
         "expires_at": "2026-02-01T00:00:00Z", "term": {"count": 30, "unit": "day"}, "price": "5.00",
         "quota": "100", "used": "1.5", "unit": "hour", "resource_type": "cci"}]}"#;
    let from_json = read_as(Source::Json(json), true, &NoRecords).unwrap();
    let source = Source::Csv { resources, accounts: Some(ACCOUNTS) };
    assert_eq!(read_as(source, true, &NoRecords).unwrap(), from_json);
}

#[test]
fn every_problem_of_the_rows_names_line_column_and_id() {
    let resources = "id,account,kind,charging,started_at,expires_at,term,price,anchor_day,tags.env,attached_to\n\
        e1,a,ecs,prepaid,2026-01-31T02:00:00Z,2026-02-28T15:59:59Z,month,99,thirty,,\n\
        e1,c,ecs,prepaid,2026-01-31,2026-02-28T15:59:59Z,1 fortnight,-1.00,40,,\n\
        ,a,evs,prepaid,2026-01-31T02:00:00Z,2026-02-28T15:59:59Z,1 month,,,\"two\nlines\",e9\n\
        e4,a,evs,postpaid,2026-01-31T02:00:00Z,,,9.00,,,\n";
    let accounts = "id,provider,currency,balance\na,huawai,CNY,1.00\nb,utc,yuan,1.00\na,utc,CNY,1.00\n";
    refused(
        resources,
        Some(accounts),
        expect![[r#"
            16 problems:
              provider (line 2 of the accounts, `a`): no plugin `huawai` is loaded (did you mean `huawei`?); loaded: `huawei` or `utc`
              currency (line 3 of the accounts, `b`): expected a currency of three capital letters such as "CNY", found the text `yuan`
              id (line 4 of the accounts, `a`): `a` is already the id of line 2; an id is used once
              term.unit (line 2, `e1`): the field is missing
              term.count (line 2, `e1`): expected a whole number from 1 to 36500, found the text `month`
              anchor_day (line 2, `e1`): expected a whole number from 1 to 31, found the text `thirty`
              id (line 3, `e1`): `e1` is already the id of line 2; an id is used once
              account (line 3, `e1`): there is no account `c` (did you mean `a`?); in this file: `a` or `b`
              started_at (line 3, `e1`): `2026-01-31` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
              term.unit (line 3, `e1`): there is no `fortnight`; expected `day`, `month` or `year`
              price (line 3, `e1`): -1.00 is negative; expected 0.00 or more
              anchor_day (line 3, `e1`): expected a whole number from 1 to 31, found the number 40
              id (line 4): the field is missing
              price (line 4): a prepaid resource needs `price`; it is missing or null
              attached_to (line 4): there is no resource `e9` (did you mean `e1`?)
              price (line 6, `e4`): a postpaid resource has no `price`; leave it out or write null"#]],
    );
}

#[test]
fn a_table_that_cannot_be_read_says_why_once() {
    refused(
        "",
        None,
        expect![[r#"
            1 problem:
              line 1 of the resources: the head is missing; its columns are among `id`, `account`, `kind`, `region`, `charging`, `stage`, `started_at`, `expires_at`, `anchor_day`, `term`, `price`, `on_expiry`, `renewals_left`, `renewal_term`, `attached_to`, `attributes`, `tags`, `quota`, `used`, `unit` or `resource_type`"#]],
    );
    refused(
        "id,account,id,knd,tags.,settings.site,tags.env\n",
        None,
        expect![[r#"
            4 problems:
              line 1 of the resources: the column `id` is there twice; keep one
              line 1 of the resources: unknown column `knd` (did you mean `kind`?); expected `id`, `account`, `kind`, `region`, `charging`, `stage`, `started_at`, `expires_at`, `anchor_day`, `term`, `price`, `on_expiry`, `renewals_left`, `renewal_term`, `attached_to`, `quota`, `used`, `unit` or `resource_type`, or `attributes.NAME`, `tags.NAME`
              line 1 of the resources: unknown column `tags.`; expected `id`, `account`, `kind`, `region`, `charging`, `stage`, `started_at`, `expires_at`, `anchor_day`, `term`, `price`, `on_expiry`, `renewals_left`, `renewal_term`, `attached_to`, `quota`, `used`, `unit` or `resource_type`, or `attributes.NAME`, `tags.NAME`
              line 1 of the resources: unknown column `settings.site`; expected `id`, `account`, `kind`, `region`, `charging`, `stage`, `started_at`, `expires_at`, `anchor_day`, `term`, `price`, `on_expiry`, `renewals_left`, `renewal_term`, `attached_to`, `quota`, `used`, `unit` or `resource_type`, or `attributes.NAME`, `tags.NAME`"#]],
    );
    // Without a word, the third line would be a part of a field of the second.
    refused(
        "id,account\na,\"b\nc,d\n",
        Some("id,provider\nb,\"ut\"c\n"),
        expect![[r#"
            2 problems:
              line 2 of the accounts: text stands behind the quotes of a field; put all of the field in quotes
              line 2 of the resources: a quote is opened here and never closed; what follows would all be one field"#]],
    );
    refused(
        "id,account\na,b,c\nd\n",
        Some("id,provider,attributes.x\n"),
        expect![[r#"
            3 problems:
              line 1 of the accounts: unknown column `attributes.x`; expected `id`, `provider`, `mode`, `currency`, `balance`, `approval_above` or `budget`, or `settings.NAME`
              line 2 of the resources: it has 3 fields, and the head has 2
              line 3 of the resources: it has 1 field, and the head has 2"#]],
    );
}
