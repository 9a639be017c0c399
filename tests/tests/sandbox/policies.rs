//! The interpreter of policies in its sandbox: what it imports, what it answers, and scripts that hurt only themselves.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use expect_test::expect;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::PolicyIndex;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Cause;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::facts::AccountFacts;
use perennial_domain::policy::facts::Budget;
use perennial_domain::policy::facts::PlanFacts;
use perennial_domain::policy::facts::Tries;
use perennial_domain::policy::selector::Selector;
use perennial_sandbox::Interpreter;
use perennial_sandbox::Limits;
use perennial_sandbox::PolicyAnswers;

use crate::world::NOW;
use crate::world::bundle;
use crate::world::load;

fn interpreter() -> &'static Interpreter {
    static INTERPRETER: OnceLock<Interpreter> = OnceLock::new();
    INTERPRETER.get_or_init(|| Interpreter::load(&load(&[], Limits::DEFAULT).unwrap()).unwrap())
}

fn set(scripts: &[&str]) -> PolicySet {
    let policies = scripts.iter().enumerate().map(|(number, text)| Policy {
        name: format!("policy-{number}"),
        script: format!("policy-{number}.rhai"),
        text: (*text).to_owned(),
        rank: RANK_DEFAULT,
        mode: PolicyMode::Active,
        selector: Selector::default(),
        on_failure: OnFailure::Default,
    });
    PolicySet { policies: policies.collect(), calendars: Vec::new() }
}

fn account(id: &str) -> AccountFacts {
    AccountFacts {
        id: id.to_owned(),
        provider: "huawei".to_owned(),
        currency: "CNY".to_owned(),
        settings: BTreeMap::new(),
        utc_offset_minutes: 480,
        balance: Micros::new(1_000_000_000),
        budget: Some(Budget { limit: Micros::new(500_000_000), spent: Micros::ZERO }),
    }
}

/// A plan of 1.00 on the resource `id`, asked of all of `policies`.
fn plan(account: usize, id: &str, policies: usize) -> PlanFacts {
    PlanFacts {
        account: AccountIndex::new(account),
        command: "renew".to_owned(),
        cause: Cause::Auto,
        cost: Some(Micros::new(1_000_000)),
        refund: Some(Micros::ZERO),
        at: NOW,
        tries: Tries::default(),
        term: None,
        options: None,
        members: vec![(bundle(id, "nothing").members.remove(0), 0)],
        expires_after: None,
        requested_by: None,
        extensions: Vec::new(),
        quotes: Vec::new(),
        policies: (0..policies).map(PolicyIndex::new).collect(),
        is_pending: false,
    }
}

fn ask(scripts: &[&str], accounts: &[AccountFacts], plans: &[PlanFacts]) -> Vec<PolicyAnswers> {
    interpreter().ask(&set(scripts), accounts, &plans.iter().collect::<Vec<_>>())
}

fn failure(answers: &PolicyAnswers, policy: usize) -> String {
    let ruling = &answers.answers[policy].ruling;
    let Ruling::Fail(failure) = ruling else { return format!("{ruling:?}") };
    failure.to_string()
}

#[test]
fn the_interpreter_imports_nothing_at_all() {
    assert_eq!(interpreter().interfaces().imports, Vec::<String>::new());
    assert_eq!(
        interpreter().interfaces().exports,
        ["perennial:policy/types@0.1.0", "perennial:policy/scripts@0.1.0", "perennial:policy/rulings@0.1.0"]
    );
    assert_eq!(interpreter().digest().len(), 64);
}

#[test]
fn a_plan_is_shown_what_the_plans_of_its_account_before_it_left() {
    // More plans than one call takes, of two accounts in turn.
    let accounts = [account("a"), account("b")];
    let plans = (0..600).map(|number| plan(number % 2, "r", 1)).collect::<Vec<_>>();
    let answers = ask(&["fn rule(plan) { note(`${plan.budget.left}`); approve() }"], &accounts, &plans);
    for (number, answers) in answers.iter().enumerate() {
        let paid = i64::try_from(number / 2).unwrap() * 1_000_000;
        assert_eq!(answers.figures.balance, Micros::new(1_000_000_000 - paid), "{number}");
        assert_eq!(answers.answers[0].notes, [Micros::new(500_000_000 - paid).to_string()], "{number}");
    }
}

#[test]
fn hostile_scripts_hurt_only_their_own_plans() {
    let hostile = r#"
fn deeper(n) { deeper(n + 1) }
fn rule(plan) {
    switch plan.resource.id {
        "loop" => loop {},
        "deep" => deeper(0),
        "text" => { let text = "x"; loop { text += text; } },
        "list" => { let list = [0]; loop { list += list; } },
        "type" => plan.at < 5,
        "notes" => loop { note("again"); },
        _ => approve(),
    }
}
"#;
    let names = ["loop", "good", "deep", "text", "good", "list", "type", "notes", "good"];
    let plans = names.map(|name| plan(0, name, 2));
    let answers = ask(&[hostile, "fn rule(plan) { approve() }"], &[account("a")], &plans);
    let mut table = String::new();
    for (name, answers) in names.iter().zip(&answers) {
        assert_eq!(answers.answers[1].ruling, Ruling::Approve, "{name}");
        table += &format!("{name}: {}\n", failure(answers, 0));
    }
    expect![[r#"
        loop: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 5, column 19: `"loop" => loop {},`)
        good: Approve
        deep: calls within calls go deeper than 24: a function that calls itself (in `deeper`, line 2, column 27: `fn deeper(n) { deeper(n + 1) }`)
        text: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 7, column 52: `"text" => { let text = "x"; loop { text += text; } },`)
        good: Approve
        list: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 8, column 52: `"list" => { let list = [0]; loop { list += list; } },`)
        type: `<` cannot compare an instant with a whole number (in `rule`, line 9, column 27: `"type" => plan.at < 5,`)
        notes: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 10, column 27: `"notes" => loop { note("again"); },`)
        good: Approve
    "#]].assert_eq(&table);
}

#[test]
fn a_script_rules_the_same_whatever_is_asked_beside_it() {
    let dear = "fn rule(plan) {\n    let a = [];\n    a.pad(4000, \"x\");\n    for i in 0..1800 { a.reverse(); }\n    deny(\"too dear\")\n}";
    let good = "fn rule(plan) { approve() }";
    let alone = ask(&[dear], &[account("a")], &[plan(0, "r", 1)]);
    let plans = (0..20).map(|_| plan(0, "r", 4)).collect::<Vec<_>>();
    for answers in ask(&[good, dear, good, good], &[account("a")], &plans) {
        assert_eq!(answers.answers[1], alone[0].answers[0]);
        assert_eq!(answers.answers[2].ruling, Ruling::Approve);
    }
    expect!["more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 4, column 26: `for i in 0..1800 { a.reverse(); }`)"].assert_eq(&failure(&alone[0], 0));
}

#[test]
fn no_script_meets_the_fuel_before_it_meets_its_limit() {
    let list = "let a = []; a.pad(4000, 5);";
    let text = "let t = \"\"; t.pad(4096, 'x');";
    let bodies = [
        format!("{list} loop {{ let b = a; }}"),
        format!("{list} loop {{ a.reverse(); }}"),
        format!("{list} loop {{ a.sort(); }}"),
        format!("{list} loop {{ a.contains(6); }}"),
        format!("{list} loop {{ a == a; }}"),
        format!("{list} loop {{ `${{a}}`; }}"),
        format!("{text} loop {{ t.contains(\"xy\"); }}"),
        format!("{text} loop {{ t.to_upper(); }}"),
        format!("{text} loop {{ t == t; }}"),
        format!("loop {{ \"{}\".to_upper(); }}", "x".repeat(4_000)),
        "let m = #{}; for i in 0..900 { m[`${i}`] = i; } loop { let b = m; }".to_owned(),
        "loop { next_working_day(plan.at); }".to_owned(),
    ];
    for body in bodies {
        let answers =
            ask(&[&format!("fn rule(plan) {{ {body} approve() }}")], &[account("a")], &[plan(0, "r", 1)]);
        let why = failure(&answers[0], 0);
        assert!(why.contains("more than 20000 operations") || why.contains("too large"), "{body}: {why}");
    }
}

#[test]
fn a_script_that_escapes_the_interpreters_limits_fails_alone() {
    // Each list is within its limit; all of them together are more memory than a sandbox has.
    let lists = (1..30).map(|number| format!("let v{number} = v0 + []; ")).collect::<String>();
    let hoarder = format!(
        "fn hoard(n) {{ let v0 = []; v0.pad(4000, n); {lists} if n < 20 {{ hoard(n + 1); }} v1.len() + v29.len() }}\n\
         fn rule(plan) {{ if plan.resource.id == \"bad\" {{ hoard(0); }} approve() }}"
    );
    let plans = ["good", "bad", "good"].map(|name| plan(0, name, 2));
    let answers = ask(&[hoarder.as_str(), "fn rule(plan) { deny(\"no\") }"], &[account("a")], &plans);
    assert_eq!(answers[0].answers[0].ruling, Ruling::Approve);
    assert_eq!(answers[2].answers[0].ruling, Ruling::Approve);
    for answers in &answers {
        assert!(matches!(answers.answers[1].ruling, Ruling::Deny { .. }));
    }
    expect!["more than 20000 operations: a loop that does not end, or too much work for one plan (in `hoard`, line 1, column 431: `fn hoard(n) { let v0 = []; v0.pad(4000, n); let v1 = v0 + []; let v2 = v0 + []; let v3 = v0 + []; let v4 = v0 + []; let v5 = v0 + []; let v6 = v0 + []; let v7 = v0 + []; let v8 = v0 + []; let v9 = v0`)"]
        .assert_eq(&failure(&answers[1], 0));
}

#[test]
fn a_thousand_endless_loops_are_answered_within_the_limits() {
    let plans = (0..300).map(|number| plan(number % 3, "r", 1)).collect::<Vec<_>>();
    let accounts = ["a", "b", "c"].map(account);
    let answers = ask(&["fn rule(plan) {\n    loop {}\n}"], &accounts, &plans);
    assert_eq!(answers.len(), 300);
    let failures = answers.iter().map(|answers| failure(answers, 0)).collect::<BTreeSet<_>>();
    expect!["more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 2, column 5: `loop {}`)"].assert_eq(&failures.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn scripts_are_not_asked_any_more_once_that_is_stopped() {
    let plans = (0..100).map(|number| plan(number % 3, "r", 1)).collect::<Vec<_>>();
    let accounts = ["a", "b", "c"].map(account);
    let (set, stop) = (set(&["fn rule(plan) { loop {} }"]), Arc::new(AtomicBool::new(true)));
    let plans = plans.iter().collect::<Vec<_>>();
    let answers = interpreter().ask_unless_stopped(&set, &accounts, &plans, &stop);
    let failures = answers.iter().map(|answers| failure(answers, 0)).collect::<BTreeSet<_>>();
    assert_eq!(answers.len(), 100);
    assert!(failures.iter().all(|why| !why.contains("operations")), "none was run: {failures:?}");
}

#[test]
fn the_same_question_has_the_same_answer() {
    let text = "fn rule(plan) { note(`${plan.resource.tags.keys()} ${plan.cost / 3}`); deny(\"x\") }";
    let plans = [plan(0, "r", 1)];
    let first = ask(&[text], &[account("a")], &plans);
    for _ in 0..5 {
        assert_eq!(ask(&[text], &[account("a")], &plans), first);
    }
}

#[test]
fn a_script_that_does_not_compile_is_a_problem_and_fails_every_plan() {
    let broken = "fn rule(plan) {\n    approve(;\n}";
    let reports = interpreter().check(&set(&[broken, "fn rule(plan) { approve() }"]));
    expect!["Unexpected ';' (line 2, column 13: `approve(;`)"].assert_eq(&reports[0].problems[0].to_string());
    assert_eq!(reports[1].problems, Vec::new());
    let answers = ask(&[broken], &[account("a")], &[plan(0, "r", 1)]);
    assert_eq!(failure(&answers[0], 0), reports[0].problems[0].to_string());
}

#[test]
fn no_plans_and_no_policies_are_answered_with_nothing() {
    assert_eq!(ask(&[], &[], &[]), Vec::new());
    let answers = ask(&[], &[account("a")], &[plan(0, "r", 0)]);
    assert_eq!(answers[0].answers, Vec::new());
}
