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
          |   let a = ;
        "fn rule(plan) {\n  let a = unknown;\n}"
        problem 2:11: there is no variable `unknown`; a constant of the script is `global::unknown` within a function
          |   let a = unknown;
        warning 2:3: `rule` may end here without a ruling, which is a failure; return one such as approve()
          |   let a = unknown;
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
          |     if plan.price > 5.00 { return deny("dear"); }
        problem 3:22: a resource has no field `tag`; did you mean `tags`?
          |     if plan.resource.tag.env == "x" { note(plan.acount.id) }
        problem 3:49: a plan has no field `acount`; did you mean `account`?
          |     if plan.resource.tag.env == "x" { note(plan.acount.id) }
        problem 4:5: `plan.cost` is read-only: a policy cannot change a plan
          |     plan.cost = 5.00;
        problem 5:5: `plan` is read-only: a policy cannot change a plan
          |     plan = ();
    "#]].assert_eq(&shown(text));
}

#[test]
fn a_field_that_may_be_unit_is_warned_of_unless_it_is_compared() {
    let text = "fn rule(plan) {\n    if plan.cost > 500.00 { return deny(\"dear\"); }\n    if plan.budget.left < plan.cost { return deny(\"spent\"); }\n    if days_between(plan.at, plan.last_try_at) < 3 { return approve(); }\n    if plan.options?.x == () { note(plan.term.unit) }\n    approve()\n}";
    expect![[r#"
        warning 2:8: `plan.cost` may be (): `>` then fails; compare it with () first
          |     if plan.cost > 500.00 { return deny("dear"); }
        warning 3:8: `plan.budget` may be (): `plan.budget.left` then fails; compare it with () first
          |     if plan.budget.left < plan.cost { return deny("spent"); }
        warning 3:27: `plan.cost` may be (): `<` then fails; compare it with () first
          |     if plan.budget.left < plan.cost { return deny("spent"); }
        warning 4:30: `plan.last_try_at` may be (): `days_between` then fails; compare it with () first
          |     if days_between(plan.at, plan.last_try_at) < 3 { return approve(); }
        warning 5:37: `plan.term` may be (): `plan.term.unit` then fails; compare it with () first
          |     if plan.options?.x == () { note(plan.term.unit) }
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
          |     if in_calendar("frost", plan.at) { return deny(); }
        problem 2:47: `deny` takes 1 argument; this call has 0
          |     if in_calendar("frost", plan.at) { return deny(); }
        problem 3:48: there is no function `aprove`; did you mean `approve`?
          |     if in_calendar("freeze", plan.at) { return aprove(); }
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

#[test]
fn what_may_be_unit_is_warned_of_wherever_it_goes() {
    let bodies = [
        "let c = plan.cost; if c > 5.0 { note(`${c}`); }",
        "for m in plan.members { if m.price > 5.0 { note(m.id); } }",
        "if plan.members.some(|m| m.price > 5.0) { note(\"x\"); }",
        "if tag(plan.resource, \"env\").to_lower() == \"prod\" { note(\"x\"); }",
        "if plan.resource.tags.x.len() > 3 { note(\"x\"); }",
        "if plan.resource.tags[\"x\"].len() > 3 { note(\"x\"); }",
        "if price_for(plan, 1, \"year\") < 5.0 { note(\"x\"); }",
        "if plan.cost == () { note(\"x\"); } if plan.cost > 5.0 { note(\"y\"); }",
        "if plan.cost != () || plan.cost > 5.0 { note(\"x\"); }",
        "if dear(plan) { note(\"x\"); }",
        "if late(plan.budget) { note(\"x\"); }",
        "deny(plan.requested_by);",
        "let c = plan.cost; c += 1.0;",
    ];
    let helpers = "fn dear(p) { p.cost > 5.0 }\nfn late(budget) { budget.left < 1.0 }\n";
    let shown = bodies.map(|body| {
        let warned = shown(&format!("{helpers}fn rule(plan) {{\n{body}\napprove()\n}}"));
        format!(
            "{body}\n{}",
            warned
                .lines()
                .filter(|line| !line.starts_with("  |"))
                .map(|line| format!("    {line}\n"))
                .collect::<String>()
        )
    });
    expect![[r#"
        let c = plan.cost; if c > 5.0 { note(`${c}`); }
            warning 4:23: `plan.cost` may be (): `>` then fails; compare it with () first
        for m in plan.members { if m.price > 5.0 { note(m.id); } }
            warning 4:28: `m.price` may be (): `>` then fails; compare it with () first
        if plan.members.some(|m| m.price > 5.0) { note("x"); }
            warning 4:26: `m.price` may be (): `>` then fails; compare it with () first
        if tag(plan.resource, "env").to_lower() == "prod" { note("x"); }
            warning 4:4: `plan.resource.tags.env` may be (): `plan.resource.tags.env.to_lower()` then fails; compare it with () first
        if plan.resource.tags.x.len() > 3 { note("x"); }
            warning 4:4: `plan.resource.tags.x` may be (): `plan.resource.tags.x.len()` then fails; compare it with () first
        if plan.resource.tags["x"].len() > 3 { note("x"); }
            warning 4:4: `plan.resource.tags.x` may be (): `plan.resource.tags.x.len()` then fails; compare it with () first
        if price_for(plan, 1, "year") < 5.0 { note("x"); }
            warning 4:4: `price_for(plan, 1, "year")` may be (): `<` then fails; compare it with () first
        if plan.cost == () { note("x"); } if plan.cost > 5.0 { note("y"); }
            warning 4:38: `plan.cost` may be (): `>` then fails; compare it with () first
        if plan.cost != () || plan.cost > 5.0 { note("x"); }
            warning 4:23: `plan.cost` may be (): `>` then fails; compare it with () first
        if dear(plan) { note("x"); }
            warning 1:14: `p.cost` may be (): `>` then fails; compare it with () first
        if late(plan.budget) { note("x"); }
            warning 2:19: `budget` may be (): `budget.left` then fails; compare it with () first
        deny(plan.requested_by);
            warning 4:6: `plan.requested_by` may be (): `deny` then fails; compare it with () first
        let c = plan.cost; c += 1.0;
            warning 4:20: `plan.cost` may be (): what is done with it then fails; compare it with () first
    "#]].assert_eq(&shown.concat());
}

#[test]
fn what_was_compared_with_unit_is_not_warned_of() {
    let bodies = [
        "let c = plan.cost; if c != () && c > 5.0 { note(\"x\"); }",
        "let c = plan.cost ?? 0.0; if c > 5.0 { note(\"x\"); }",
        "if plan.cost == () { return deny(\"unpriced\"); } if plan.cost > 5.0 { note(\"x\"); }",
        "if plan.cost == () { deny(\"unpriced\") } else if plan.cost > 5.0 { note(\"x\"); }",
        "if !(plan.cost == ()) { if plan.cost > 5.0 { note(\"x\"); } }",
        "for m in plan.members { if m.price == () { continue; } if m.price > 5.0 { note(m.id); } }",
        "let env = tag(plan.resource, \"env\"); if env != () { note(env.to_lower()); }",
        "if plan.resource.tags.env == \"prod\" { note(plan.resource.tags.env.to_upper()); }",
        "if \"env\" in plan.resource.tags { note(tag(plan.resource, \"env\").to_upper()); }",
        "if type_of(plan.cost) != \"()\" && plan.cost > 5.0 { note(\"x\"); }",
        "let yearly = price_for(plan, 1, \"year\"); if yearly == () || yearly < 5.0 { note(\"x\"); }",
        "if plan.budget?.left == () { note(\"x\"); } else if plan.budget.left < 5.0 { note(\"y\"); }",
        "note(`${plan.cost}`); note(\"by \" + plan.requested_by);",
        "let n = 0; for m in plan.members { n += 1; } while n > 0 { n -= 1; }",
        "let limit = 5.0; let dear = plan.members.filter(|m| m.price != () && m.price > limit); note(`${dear.len()}`);",
        "switch plan.cost { () => note(\"x\"), _ => note(`${plan.cost > 5.0}`) }",
    ];
    for body in bodies {
        assert_eq!(shown(&format!("fn rule(plan) {{\n{body}\napprove()\n}}")), "", "{body}");
    }
}

#[test]
fn a_path_without_a_ruling_is_warned_of() {
    let bodies = [
        "if plan.command == \"renew\" { return approve(); }",
        "if plan.command == \"renew\" { approve() }",
        "if plan.command == \"renew\" { approve() } else { note(\"other\"); }",
        "switch plan.command { \"renew\" => approve() }",
        "let ruling = approve();",
        "for m in plan.members { deny(m.id); }",
        "",
    ];
    for body in bodies {
        let shown = shown(&format!("fn rule(plan) {{\n{body}\n}}"));
        assert!(shown.contains("may end here without a ruling"), "{body}: {shown}");
    }
    let whole = [
        "if plan.command == \"renew\" { approve() } else { deny(\"no\") }",
        "switch plan.command { \"renew\" => approve(), _ => { deny(\"no\") } }",
        "if plan.command == \"renew\" { return approve(); } deny(\"no\");",
        "loop { return approve(); }",
        "try { approve() } catch { deny(\"no\") }",
        "ruling()",
        "throw \"no\";",
    ];
    for body in whole {
        let shown = shown(&format!("fn ruling() {{ approve() }}\nfn rule(plan) {{\n{body}\n}}"));
        assert_eq!(shown, "", "{body}");
    }
}

#[test]
fn functions_that_there_are_not_or_that_hide_ours_are_found() {
    let text = "fn deny(why) { approve() }\nfn rule(plan) {\n  let a = foo(plan);\n  let b = plan.resource.id.upper();\n  deny(un + deux)\n}";
    expect![[r#"
        problem 3:11: there is no function `foo`
          |   let a = foo(plan);
        problem 4:28: there is no function `upper`
          |   let b = plan.resource.id.upper();
        problem 5:8: there is no variable `un`; a constant of the script is `global::un` within a function
          |   deny(un + deux)
        problem 5:13: there is no variable `deux`; a constant of the script is `global::deux` within a function
          |   deny(un + deux)
        warning 0:0: the script defines a `deny` of its own, which is called instead of the language's
          | 
    "#]].assert_eq(&shown(text));
}

#[test]
fn the_end_of_a_script_and_an_open_comment_are_shown_where_they_are() {
    let texts = [
        "fn rule(plan) {\n    deny(\"x\"\n",
        "fn rule(plan) {\n\tlet 名 = ;\n}",
        "/* my policy\nfn rule(plan) { approve() }\n",
        "fn rule(plan) {\n    // \"quoted /*\n    approve() /* why\n}\n",
        "\u{feff}fn rule(plan) { approve() }",
        "\u{feff}fn rule(plan) { approve( }",
    ];
    expect![[r#"
        "fn rule(plan) {\n    deny(\"x\"\n"
        problem 2:13: Expecting ')' to close the arguments list of this function call 'deny'; the script ends here
          |     deny("x"
        "fn rule(plan) {\n\tlet 名 = ;\n}"
        problem 2:6: Unexpected '名'
          | 	let 名 = ;
        "/* my policy\nfn rule(plan) { approve() }\n"
        problem 1:1: this comment has no end; close it with `*/`
          | /* my policy
        "fn rule(plan) {\n    // \"quoted /*\n    approve() /* why\n}\n"
        problem 3:15: this comment has no end; close it with `*/`
          |     approve() /* why
        "\u{feff}fn rule(plan) { approve() }"
        "\u{feff}fn rule(plan) { approve( }"
        problem 1:26: Unexpected '}'
          | fn rule(plan) { approve( }
    "#]].assert_eq(&texts.map(|text| format!("{text:?}\n{}", shown(text))).concat());
}
