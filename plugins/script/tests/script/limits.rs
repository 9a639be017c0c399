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
        "let text = \"x\"; text.pad(2000, 'x'); deny(text)",
        "let n = 9223372036854775807; n += 1;",
        "let n = 1 / 0;",
        "let f = || 1; let x = []; x[0] = 1;",
        "try { loop {} } catch { approve() }",
        "let list = []; list.pad(4000, 0); let nested = []; loop { nested.push(list); }",
    ];
    let shown = hostile.map(|text| failure(&format!("fn rule(plan) {{\n    {text}\n    approve()\n}}")));
    expect![[r#"
        rule 2:5: more than 20000 operations: a loop that does not end, or too much work for one plan
          | loop {}
        rule 2:34: more than 20000 operations: a loop that does not end, or too much work for one plan
          | let n = 0; while true { n += 1; }
        rule 2:37: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let text = "ab"; loop { text += text; }
        rule 2:37: more than 20000 operations: a loop that does not end, or too much work for one plan
          | let list = []; loop { list.push(0); }
        rule 2:36: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let list = [0]; loop { list += list; }
        rule 2:25: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let list = []; list.pad(1000000000, 0);
        rule 2:25: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let text = ""; text.pad(1000000000, 'x');
        rule 2:52: more than 20000 operations: a loop that does not end, or too much work for one plan
          | let map = #{}; let n = 0; loop { map[`${n}`] = n; n += 1; }
        rule 2:21: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let blob = blob(1000000000);
        rule 2:12: more than 20 notes on one plan
          | loop { note("x"); }
        - 3:5: Expecting ';' to terminate this statement
          | approve()
        rule 2:36: Addition overflow: 9223372036854775807 + 1
          | let n = 9223372036854775807; n += 1;
        rule 2:15: Division by zero: 1 / 0
          | let n = 1 / 0;
        rule 2:33: Array index 0 out of bounds: array is empty
          | let f = || 1; let x = []; x[0] = 1;
        rule 2:11: more than 20000 operations: a loop that does not end, or too much work for one plan
          | try { loop {} } catch { approve() }
        rule 2:70: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names
          | let list = []; list.pad(4000, 0); let nested = []; loop { nested.push(list); }
    "#]].assert_eq(&shown.concat());
}

#[test]
fn a_function_that_calls_itself_fails_where_it_does() {
    let text = "fn deeper(n) {\n    deeper(n + 1)\n}\nfn rule(plan) {\n    deeper(0)\n}\n";
    expect![[r#"
        deeper 2:16: calls within calls go deeper than 24: a function that calls itself
          | deeper(n + 1)
    "#]]
    .assert_eq(&failure(text));
}

#[test]
fn an_expression_that_is_too_deep_is_not_compiled() {
    let deep = format!("fn rule(plan) {{ let n = {}1{}; approve() }}", "(".repeat(500), ")".repeat(500));
    expect![[r#"
        - 1:47: Expression exceeds maximum complexity
          | fn rule(plan) { let n = (((((((((((((((("#]]
    .assert_eq(&failure(&deep).chars().take(90).collect::<String>());
}

#[test]
fn a_rule_may_look_at_as_many_members_as_a_bundle_has() {
    let text = "fn rule(plan) { let n = 0; for i in 0..1000 { if plan.members[0].kind == \"ecs\" { n += 1; } } approve() }";
    assert_eq!(failure(text), "Ruling::Approve\n");
}
