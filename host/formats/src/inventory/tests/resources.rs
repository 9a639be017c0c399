//! What is said of a resource that an inventory may not have: fields that are missing, that do not go together, or that
//! contradict each other.

use expect_test::expect;

use super::check_resources;
use super::ecs;

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
