//! Scripts that take too much: each fails alone, and says which function and line did.

use expect_test::expect;

use crate::world::failure;

#[test]
fn a_hostile_script_fails_with_reason_and_line() {
    let hostile = [
        "loop {}",
        "let n = 0; while true { n += 1; }",
        "let text = \"ab\"; loop { text += text; }",
        "let list = []; loop { list.push(0); }",
        "let list = [0]; loop { list += list; }",
        "let list = []; list.pad(1000000000, 0);",
        "let text = \"\"; text.pad(1000000000, 'x');",
        "let map = #{}; let n = 0; loop { map[`${n}`] = n; n += 1; }",
        "let blob = blob(1000000000);",
        "loop { note(\"x\"); }",
        "throw plan;",
        "throw;",
        "days_between(plan.at, ());",
        "price_for(plan, 99999999999, \"month\");",
        "require_approval(\"why\", #{ by: \"finance-and-everybody-who-has-ever-had-anything-to-do-with-it-at-all\" });",
        "let n = 9223372036854775807; n += 1;",
        "let n = 1 / 0;",
        "let f = || 1; let x = []; x[0] = 1;",
        "try { loop {} } catch { approve() }",
        "let list = []; list.pad(4000, 0); let nested = []; loop { nested.push(list); }",
    ];
    let shown = hostile.map(|text| failure(&format!("fn rule(plan) {{\n    {text}\n    approve()\n}}")));
    expect![[r#"
        rule 2:5: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     loop {}
        rule 2:34: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     let n = 0; while true { n += 1; }
        rule 2:37: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let text = "ab"; loop { text += text; }
        rule 2:32: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     let list = []; loop { list.push(0); }
        rule 2:36: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let list = [0]; loop { list += list; }
        rule 2:25: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let list = []; list.pad(1000000000, 0);
        rule 2:25: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let text = ""; text.pad(1000000000, 'x');
        rule 2:50: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     let map = #{}; let n = 0; loop { map[`${n}`] = n; n += 1; }
        rule 2:21: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let blob = blob(1000000000);
        rule 2:12: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     loop { note("x"); }
        rule 2:5: it throws a plan
          |     throw plan;
        rule 2:5: it throws nothing; say why it does
          |     throw;
        rule 2:5: there is no function `days_between` of an instant and `()`
          |     days_between(plan.at, ());
        rule 2:5: a term has at most 4000000 months; this one has 99999999999
          |     price_for(plan, 99999999999, "month");
        rule 2:5: `by` has at most 64 bytes, as the labels of tokens have; this one has 68
          |     require_approval("why", #{ by: "finance-and-everybody-who-has-ever-had-anything-to-do-with-it-at-all" });
        rule 2:36: Addition overflow: 9223372036854775807 + 1
          |     let n = 9223372036854775807; n += 1;
        rule 2:15: Division by zero: 1 / 0
          |     let n = 1 / 0;
        rule 2:33: Array index 0 out of bounds: array is empty
          |     let f = || 1; let x = []; x[0] = 1;
        rule 2:11: more than 20000 operations: a loop that does not end, or too much work for one plan
          |     try { loop {} } catch { approve() }
        rule 2:70: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          |     let list = []; list.pad(4000, 0); let nested = []; loop { nested.push(list); }
    "#]].assert_eq(&shown.concat());
}

#[test]
fn a_function_that_calls_itself_fails_where_it_does() {
    let text = "fn deeper(n) {\n    deeper(n + 1)\n}\nfn rule(plan) {\n    deeper(0)\n}\n";
    expect![[r#"
        deeper 2:16: calls within calls go deeper than 24: a function that calls itself
          |     deeper(n + 1)
    "#]]
    .assert_eq(&failure(text));
}

#[test]
fn an_expression_that_is_too_deep_is_not_compiled() {
    let deep = format!("fn rule(plan) {{ let n = {}1{}; approve() }}", "(".repeat(500), ")".repeat(500));
    expect![[r#"
        no function 1:47: Expression exceeds maximum complexity
          | fn rule(plan) { let n = (((((("#]]
    .assert_eq(&failure(&deep).chars().take(90).collect::<String>());
}

#[test]
fn a_rule_may_look_at_as_many_members_as_a_bundle_has() {
    let text = "fn rule(plan) { let n = 0; for i in 0..1000 { if plan.members[0].kind == \"ecs\" { n += 1; } } approve() }";
    assert_eq!(failure(text), "Ruling::Approve\n");
}

/// The message of a failure without its place; `Ruling::Approve` and the like as they are.
fn message(body: &str) -> String {
    let shown = failure(&format!("fn rule(plan) {{\n    {body}\n    deny(\"no\")\n}}"));
    shown.lines().next().unwrap().to_owned()
}

#[test]
fn what_looks_at_much_counts_as_much_and_names_its_line() {
    let bodies = [
        "let a = []; a.pad(4000, \"x\"); for i in 0..1800 { a.reverse(); }",
        "let a = []; a.pad(4000, \"x\"); for i in 0..1800 { a.sort(); }",
        "let a = []; a.pad(4000, \"x\"); for i in 0..1800 { let b = a; }",
        "let a = []; a.pad(4000, 5); for i in 0..200 { a.contains(6); }",
        "let a = []; a.pad(4000, 5); for i in 0..200 { a == a; }",
        "let a = []; a.pad(1000, 5); for i in 0..200 { `${a}`; }",
        "let t = \"\"; t.pad(4096, 'x'); for i in 0..1800 { t.split(\"y\"); }",
        "let t = \"\"; t.pad(4096, 'x'); for i in 0..1800 { t.to_upper(); }",
        "let t = \"\"; t.pad(4096, 'x'); for i in 0..1800 { t.contains(\"xy\"); }",
        "let f = || { let a = []; a.pad(4000, 0); a }; for i in 0..1800 { let a = f.call(); a.sort(); }",
    ];
    for body in bodies {
        let shown = message(body);
        assert!(
            shown.starts_with("rule 2:") && shown.contains("more than 20000 operations"),
            "{body}: {shown}"
        );
    }
    let long = "x".repeat(4_000);
    let shown = message(&format!("for i in 0..5000 {{ \"{long}\".to_upper(); }}"));
    assert!(shown.contains("more than 20000 operations"), "a long literal: {shown}");
    let shown = message(
        "for i in 0..200 { if !plan.resource.tags.env.to_upper().contains(\"PROD\") { return approve(); } }",
    );
    assert_eq!(shown, "Ruling::Deny(\"no\")");
}

#[test]
fn a_script_has_a_budget_of_its_own_on_every_plan() {
    use plugin_script::interpreter;
    use plugin_script::rulings::Ruling;

    let text = "fn rule(plan) { let n = 0; for i in 0..4000 { n += 1; } deny(\"no\") }";
    let scripts = [crate::world::script(text), crate::world::script(text)];
    let mut batch = crate::world::batch(2);
    batch.plans = vec![batch.plans[0]; 20];
    let results = interpreter::rule(&scripts, &[], &batch);
    assert_eq!(results.answers.len(), 40);
    assert!(results.answers.iter().all(|answer| answer.ruling == Ruling::Deny("no".to_owned())));
}

#[test]
fn notes_beyond_the_bound_are_dropped_and_counted_and_the_ruling_stands() {
    let noting = |times: usize, text: &str| {
        crate::world::answer(&format!(
            "fn rule(plan) {{ for i in 0..{times} {{ note({text}); }} deny(\"untagged\") }}"
        ))
    };
    let answer = noting(22, "`evs-${i}`");
    assert_eq!(format!("{:?}", answer.ruling), "Ruling::Deny(\"untagged\")");
    assert_eq!(answer.notes.len(), 22);
    let answer = noting(4000, "\"x\"");
    assert_eq!(format!("{:?}", answer.ruling), "Ruling::Deny(\"untagged\")");
    assert_eq!((answer.notes.len(), answer.notes[100].as_str()), (101, "3900 more notes are not kept"));
    let answer = noting(101, "\"x\"");
    assert_eq!(answer.notes[100], "1 more note is not kept");
    let long = "let t = \"\"; t.pad(2000, 'é'); ";
    let text = format!("fn rule(plan) {{ {long} for i in 0..50 {{ note(t); }} deny(t) }}");
    let answer = crate::world::answer(&text);
    assert_eq!(answer.notes.last().unwrap(), "30 more notes are not kept");
    assert!(answer.notes[0].len() <= 1_000 && answer.notes[0].ends_with("é … (shortened)"));
    assert_eq!(format!("{:?}", answer.ruling), format!("Ruling::Deny({:?})", answer.notes[0]));
}
