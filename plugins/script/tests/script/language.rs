//! What the language is: decimals, records that cannot be changed, comparisons that never guess.

use expect_test::expect;

use crate::world::failure;
use crate::world::value;
use crate::world::values;

#[test]
fn every_field_of_a_plan_has_its_value() {
    expect![[r#"
        plan.command -> renew
        plan.cause -> auto
        plan.cost -> 109.00
        plan.refund -> 0.00
        plan.currency -> CNY
        plan.at -> 2026-02-20T19:00:00Z
        plan.first_try_at -> 2026-02-20T19:00:00Z
        plan.next_try_at -> 2026-02-21T19:00:00Z
        plan.last_try_at -> 2026-02-27T19:00:00Z
        plan.term -> 1 month
        plan.term.count -> 1
        plan.term.unit -> month
        plan.options -> 
        plan.resource.id -> ecs-1
        plan.resource.kind -> ecs
        plan.resource.region -> cn-north-4
        plan.resource.tags -> env=prod
        plan.resource.tags.env -> prod
        plan.resource.tags["env"] -> prod
        plan.resource.tags.owner == () -> true
        "env" in plan.resource.tags -> true
        plan.resource.tags.keys() -> ["env"]
        plan.resource.attributes.status -> running
        plan.resource.stage -> active
        plan.resource.started_at -> 2025-12-22T19:00:00Z
        plan.resource.expires_at -> 2026-02-28T19:00:00Z
        plan.resource.term -> 1 month
        plan.resource.price -> 99.00
        plan.resource.renewals -> 2
        plan.members.len() -> 2
        plan.members[1].id -> evs-1
        plan.members.len -> 2
        plan.members.map(|member| member.kind) -> ["ecs", "evs"]
        plan.expires_after -> 2026-03-28T19:00:00Z
        plan.account.id -> acme-hw
        plan.account.provider -> huawei
        plan.account.balance -> 1200.00
        plan.account.settings.len() -> 0
        plan.budget.limit -> 2000.00
        plan.budget.spent -> 500.00
        plan.budget.left -> 1500.00
        plan.requested_by == () -> true
    "#]]
    .assert_eq(&values(&[
        "plan.command",
        "plan.cause",
        "plan.cost",
        "plan.refund",
        "plan.currency",
        "plan.at",
        "plan.first_try_at",
        "plan.next_try_at",
        "plan.last_try_at",
        "plan.term",
        "plan.term.count",
        "plan.term.unit",
        "plan.options",
        "plan.resource.id",
        "plan.resource.kind",
        "plan.resource.region",
        "plan.resource.tags",
        "plan.resource.tags.env",
        "plan.resource.tags[\"env\"]",
        "plan.resource.tags.owner == ()",
        "\"env\" in plan.resource.tags",
        "plan.resource.tags.keys()",
        "plan.resource.attributes.status",
        "plan.resource.stage",
        "plan.resource.started_at",
        "plan.resource.expires_at",
        "plan.resource.term",
        "plan.resource.price",
        "plan.resource.renewals",
        "plan.members.len()",
        "plan.members[1].id",
        "plan.members.len",
        "plan.members.map(|member| member.kind)",
        "plan.expires_after",
        "plan.account.id",
        "plan.account.provider",
        "plan.account.balance",
        "plan.account.settings.len()",
        "plan.budget.limit",
        "plan.budget.spent",
        "plan.budget.left",
        "plan.requested_by == ()",
    ]));
}

#[test]
fn money_is_a_decimal_and_literals_with_a_point_are_too() {
    expect![[r#"
        0.1 + 0.2 -> 0.3
        0.1 + 0.2 == 0.3 -> true
        plan.cost == 109.00 -> true
        plan.cost == money("109") -> true
        plan.cost > 100 -> true
        plan.cost * 12 -> 1308.00
        plan.cost / 3 -> 36.333333333333333333333333333
        100 < 100.5 -> true
        type_of(plan.cost) -> decimal
    "#]]
    .assert_eq(&values(&[
        "0.1 + 0.2",
        "0.1 + 0.2 == 0.3",
        "plan.cost == 109.00",
        "plan.cost == money(\"109\")",
        "plan.cost > 100",
        "plan.cost * 12",
        "plan.cost / 3",
        "100 < 100.5",
        "type_of(plan.cost)",
    ]));
}

#[test]
fn unlike_values_cannot_be_ordered() {
    expect![[r#"
        plan.options < 5 -> failed: `<` cannot compare `()` with a whole number
        () > () -> failed: `>` cannot compare `()` with `()`
        plan.at < "2026-01-01" -> failed: `<` cannot compare an instant with text
        plan.at == "2026-01-01" -> failed: cannot compare the instant 2026-02-20T19:00:00Z with the text `2026-01-01`; write instant("2026-01-01")
        "2026-01-01" != plan.at -> failed: cannot compare the instant 2026-02-20T19:00:00Z with the text `2026-01-01`; write instant("2026-01-01")
        "a" < 1 -> failed: `<` cannot compare text with a whole number
        plan.cost >= () -> failed: `>=` cannot compare an amount with `()`
        plan.term <= plan.term -> failed: `<=` cannot compare a term with a term
        true > false -> failed: `>` cannot compare true or false with true or false
        "a" < "b" -> true
        'a' < 'b' -> true
        plan.at == () -> false
        plan.at < plan.next_try_at -> true
        plan.at >= plan.next_try_at -> false
        plan.at <= plan.at && plan.at >= plan.at && !(plan.at > plan.at) -> true
        plan.at != plan.next_try_at -> true
    "#]].assert_eq(&values(&[
        "plan.options < 5",
        "() > ()",
        "plan.at < \"2026-01-01\"",
        "plan.at == \"2026-01-01\"",
        "\"2026-01-01\" != plan.at",
        "\"a\" < 1",
        "plan.cost >= ()",
        "plan.term <= plan.term",
        "true > false",
        "\"a\" < \"b\"",
        "'a' < 'b'",
        "plan.at == ()",
        "plan.at < plan.next_try_at",
        "plan.at >= plan.next_try_at",
        "plan.at <= plan.at && plan.at >= plan.at && !(plan.at > plan.at)",
        "plan.at != plan.next_try_at",
    ]));
}

#[test]
fn a_plan_cannot_be_changed() {
    let tries = [
        "plan.cost = 1.00",
        "plan.resource.tags.env = \"test\"",
        "plan.resource.tags[\"env\"] = \"test\"",
        "plan.members.push(plan.resource)",
        "plan.members[0] = plan.members[1]",
        "plan.members.clear()",
        "plan.resource.price += 1",
        "let r = plan.resource; r.id = \"other\"",
    ];
    let shown = tries.map(|tried| failure(&format!("fn rule(plan) {{\n  {tried};\n  approve()\n}}")));
    expect![[r#"
        rule 2:8: `cost` is read-only: a policy cannot change a plan
          |   plan.cost = 1.00;
        rule 2:21: `env` is read-only: a policy cannot change a plan
          |   plan.resource.tags.env = "test";
        rule 2:21: `env` is read-only: a policy cannot change a plan
          |   plan.resource.tags["env"] = "test";
        rule 2:16: `push` is read-only: a policy cannot change a plan
          |   plan.members.push(plan.resource);
        rule 2:3: `plan` is read-only: a policy cannot change a plan
          |   plan.members[0] = plan.members[1];
        rule 2:16: `clear` is read-only: a policy cannot change a plan
          |   plan.members.clear();
        rule 2:17: `price` is read-only: a policy cannot change a plan
          |   plan.resource.price += 1;
        rule 2:28: `id` is read-only: a policy cannot change a plan
          |   let r = plan.resource; r.id = "other";
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn an_unknown_field_is_an_error_that_names_the_nearest() {
    expect![[r#"
        plan.price -> failed: a plan has no field `price`; there are `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by`
        plan.costs -> failed: a plan has no field `costs`; did you mean `cost`?
        plan.resource.tag -> failed: a resource has no field `tag`; did you mean `tags`?
        plan.account.currency -> failed: an account has no field `currency`; there are `id`, `provider`, `balance`, `settings`
        plan.budget.rest -> failed: a budget has no field `rest`; did you mean `left`?
        plan.term.months -> failed: a term has no field `months`; there are `count`, `unit`
        plan.nothing_like_it -> failed: a plan has no field `nothing_like_it`; there are `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by`
    "#]].assert_eq(&values(&[
        "plan.price",
        "plan.costs",
        "plan.resource.tag",
        "plan.account.currency",
        "plan.budget.rest",
        "plan.term.months",
        "plan.nothing_like_it",
    ]));
}

#[test]
fn what_reaches_outside_is_switched_off() {
    let tries = [
        "eval(\"approve()\")",
        "import \"other\" as other",
        "print(\"hello\")",
        "sleep(1)",
        "timestamp()",
        "exit(approve())",
    ];
    let shown = tries.map(|tried| failure(&format!("fn rule(plan) {{\n  {tried};\n  approve()\n}}")));
    expect![[r#"
        no function 2:3: reserved keyword 'eval' is disabled
          |   eval("approve()");
        no function 2:3: 'import' is a reserved keyword
          |   import "other" as other;
        no function 2:3: reserved keyword 'print' is disabled
          |   print("hello");
        rule 2:3: `sleep` is switched off: a policy has no clock
          |   sleep(1);
        rule 2:3: there is no function `timestamp()` without arguments
          |   timestamp();
        rule 2:3: `exit` is switched off: a policy ends by returning a ruling
          |   exit(approve());
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn constants_of_the_script_are_read_with_global() {
    let text = "const LIMIT = 100.00;\nfn rule(plan) { if plan.cost > global::LIMIT { deny(\"dear\") } else { approve() } }";
    assert!(matches!(crate::world::ruling(text), plugin_script::rulings::Ruling::Deny(why) if why == "dear"));
}

#[test]
fn a_failure_names_function_line_and_column() {
    let text = "fn limit(plan) {\n    let budget = plan.options;\n    budget.left\n}\n\nfn rule(plan) {\n    if plan.cost > limit(plan) {\n        return deny(\"dear\");\n    }\n    approve()\n}\n";
    expect![[r#"
        limit 3:12: `()` has no field `left`
          |     budget.left
    "#]]
    .assert_eq(&failure(text));
    expect![[r#"
        rule 2:5: no idea about ecs-1
          |     throw `no idea about ${plan.resource.id}`;
    "#]]
    .assert_eq(&failure("fn rule(plan) {\n    throw `no idea about ${plan.resource.id}`;\n}"));
    expect![[r#"
        no function 2:13: Unexpected ';'
          |     approve(;
    "#]]
    .assert_eq(&failure("fn rule(plan) {\n    approve(;\n}"));
}

#[test]
fn text_of_an_amount_has_at_least_two_digits() {
    assert_eq!(value("plan.account.balance"), "1200.00");
    assert_eq!(value("money(\"0.000001\") * 2"), "0.000002");
}
