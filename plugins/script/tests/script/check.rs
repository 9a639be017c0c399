//! What `check` says of scripts that were not run.

use expect_test::expect;
use plugin_script::scripts::Guest;
use plugin_script::scripts::Report;

use crate::world::script;

fn report(text: &str) -> Report {
    plugin_script::Script::check(vec![script(text)], vec!["freeze".to_owned()]).remove(0)
}

fn shown(text: &str) -> String {
    let report = report(text);
    let line = |kind: &str, finding: &plugin_script::scripts::Finding| {
        format!("{kind} {}:{}: {}\n  | {}\n", finding.line, finding.column, finding.message, finding.text)
    };
    let problems = report.problems.iter().map(|finding| line("problem", finding));
    problems.chain(report.warnings.iter().map(|finding| line("warning", finding))).collect()
}

#[test]
fn a_script_without_a_rule_is_a_problem() {
    expect![[r#"
        ""
        problem 0:0: a policy defines `fn rule(plan)`; this script does not
          | 
        "fn ruled(plan) { approve() }"
        problem 0:0: a policy defines `fn rule(plan)`; this script does not
          | 
        "fn rule() { approve() }"
        problem 0:0: `rule` has one parameter, the plan; this one has 0
          | 
        "fn rule(a, b) { approve() }"
        problem 0:0: `rule` has one parameter, the plan; this one has 2
          | 
        "fn rule(plan) {\n  let a = ;\n}"
        problem 2:11: Unexpected ';'
          | let a = ;
        "fn rule(plan) {\n  let a = unknown;\n}"
        problem 2:11: Undefined variable: unknown
          | let a = unknown;
    "#]]
    .assert_eq(
        &[
            "",
            "fn ruled(plan) { approve() }",
            "fn rule() { approve() }",
            "fn rule(a, b) { approve() }",
            "fn rule(plan) {\n  let a = ;\n}",
            "fn rule(plan) {\n  let a = unknown;\n}",
        ]
        .map(|text| format!("{text:?}\n{}", shown(text)))
        .concat(),
    );
}

#[test]
fn a_field_that_does_not_exist_is_a_problem_at_its_place() {
    let text = "fn rule(plan) {\n    if plan.price > 5.00 { return deny(\"dear\"); }\n    if plan.resource.tag.env == \"x\" { note(plan.acount.id) }\n    plan.cost = 5.00;\n    plan = ();\n    approve()\n}";
    expect![[r#"
        problem 2:13: a plan has no field `price`; there are `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by`
          | if plan.price > 5.00 { return deny("dear"); }
        problem 3:22: a resource has no field `tag`; did you mean `tags`?
          | if plan.resource.tag.env == "x" { note(plan.acount.id) }
        problem 3:49: a plan has no field `acount`; did you mean `account`?
          | if plan.resource.tag.env == "x" { note(plan.acount.id) }
        problem 4:5: `plan.cost` is read-only: a policy cannot change a plan
          | plan.cost = 5.00;
        problem 5:5: `plan` is read-only: a policy cannot change a plan
          | plan = ();
    "#]].assert_eq(&shown(text));
}

#[test]
fn a_field_that_may_be_unit_is_warned_of_unless_it_is_compared() {
    let text = "fn rule(plan) {\n    if plan.cost > 500.00 { return deny(\"dear\"); }\n    if plan.budget.left < plan.cost { return deny(\"spent\"); }\n    if days_between(plan.at, plan.last_try_at) < 3 { return approve(); }\n    if plan.options?.x == () { note(plan.term.unit) }\n    approve()\n}";
    expect![[r#"
        warning 2:8: `plan.cost` may be (): `>` then fails; compare it with () first
          | if plan.cost > 500.00 { return deny("dear"); }
        warning 3:8: `plan.budget` may be (): `plan.budget.left` then fails; compare it with () first
          | if plan.budget.left < plan.cost { return deny("spent"); }
        warning 3:27: `plan.cost` may be (): `<` then fails; compare it with () first
          | if plan.budget.left < plan.cost { return deny("spent"); }
        warning 4:30: `plan.last_try_at` may be (): `days_between` then fails; compare it with () first
          | if days_between(plan.at, plan.last_try_at) < 3 { return approve(); }
        warning 5:37: `plan.term` may be (): `plan.term.unit` then fails; compare it with () first
          | if plan.options?.x == () { note(plan.term.unit) }
    "#]]
    .assert_eq(&shown(text));
    let guarded = "fn rule(plan) {\n    if plan.cost == () || plan.cost > 500.00 { return deny(\"dear\"); }\n    if plan.budget != () && plan.budget.left < 5 { return deny(\"spent\"); }\n    approve()\n}";
    assert_eq!(shown(guarded), "");
}

#[test]
fn a_call_that_cannot_work_is_found() {
    let text = "fn rule(plan) {\n    if in_calendar(\"frost\", plan.at) { return deny(); }\n    if in_calendar(\"freeze\", plan.at) { return aprove(); }\n    approve()\n}";
    expect![[r#"
        problem 2:20: there is no calendar `frost` in the policy file
          | if in_calendar("frost", plan.at) { return deny(); }
        problem 2:47: `deny` takes 1 argument; this call has 0
          | if in_calendar("frost", plan.at) { return deny(); }
        warning 3:48: `aprove` may be a misspelling of `approve`
          | if in_calendar("freeze", plan.at) { return aprove(); }
    "#]]
    .assert_eq(&shown(text));
}

#[test]
fn lines_are_those_that_a_reader_would_count() {
    let text = "const LIMIT = 5.00;\nfn rule(plan) {\n    let limit = 5.00;\n\n    if plan.at != () {\n        // Never.\n        note(\"a\");\n        return deny(\n            \"b\"\n        );\n    } else {\n        approve()\n    }\n}\n";
    assert_eq!(report(text).lines, [3, 5, 7, 8, 12]);
    let (_, run) = plugin_script::interpreter::trace(&[script(text)], &[], &crate::world::batch(1));
    assert_eq!(run, [[3, 5, 7, 8]]);
}

#[test]
fn arms_of_a_switch_are_covered_one_by_one() {
    let text = "fn rule(plan) {\n    switch plan.command {\n        \"renew\" => approve(),\n        _ => deny(\"no\"),\n    }\n}\n";
    assert_eq!(report(text).lines, [2, 3, 4]);
    let (_, run) = plugin_script::interpreter::trace(&[script(text)], &[], &crate::world::batch(1));
    assert_eq!(run, [[2, 3]]);
}

#[test]
fn arms_that_are_mere_values_are_covered_too() {
    let text = "fn share(kind) {\n    switch kind {\n        \"a\" => 1.0,\n        \"b\" => 2,\n        _ => \"c\",\n    }\n}\n\
                fn rule(plan) {\n    share(\"a\");\n    share(\"c\");\n    approve()\n}\n";
    let (_, run) = plugin_script::interpreter::trace(&[script(text)], &[], &crate::world::batch(1));
    let missed = report(text).lines.into_iter().filter(|line| !run[0].contains(line)).collect::<Vec<_>>();
    assert_eq!(missed, [4]);
}
