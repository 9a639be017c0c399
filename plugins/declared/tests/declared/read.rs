//! What is said of a table that is wrong.

use expect_test::expect;
use plugin_declared::Table;

use crate::world::NIMBUS;
use crate::world::VOLCENGINE;
use crate::world::table;

/// Every problem of a text, one a line.
fn problems(text: &str) -> String {
    let problems = Table::read(text).unwrap_err();
    problems.into_iter().map(|problem| format!("{}: {}\n", problem.line, problem.message)).collect()
}

#[test]
fn an_empty_table_says_what_is_missing() {
    expect![[r#""#]].assert_eq(&problems(""));
}

#[test]
fn what_is_no_toml_is_told_alone() {
    expect![[r#""#]].assert_eq(&problems("table = \n[provider\nid = \"a\" \"b\"\n"));
}

#[test]
fn every_problem_is_told_in_the_order_of_the_lines() {
    let wrong = r#"
table = 2
colour = "blue"
[provider]
id = "Acme!"
name = ""
utc_offset = 8
[kinds.vm]
label = "A server"
terms = ["1 month", "a week"]
cascade = { renewal = "always", option = "x" }
[kinds.disk]
attaches_to = ["rack", 7]
try_days = [1, 1]
[tries]
days = "daily"
hour = 24
[stages]
grace = "3 weeks"
[[notices]]
name = "soon"
label = "Soon"
days_before_expiry = [-1]
entering = "grace"
[[notices]]
name = "soon"
label = "Soon"
entering = "released"
[renewals]
grace_counts_from = "today"
[refunds]
fee_percent = 200
when_expired = "no"
[idempotency]
option = "token"
valid = "0 days"
[refusals]
gone = { message = "away" }
lost = "Lost"
[settings]
grace = 7
pace = "The pace"
"#;
    expect![[r#""#]].assert_eq(&problems(wrong));
}

#[test]
fn the_tables_of_this_project_can_be_read() {
    assert_eq!(table(NIMBUS).describe().id, "nimbus");
    let manifest = table(VOLCENGINE).describe();
    assert_eq!((manifest.id.as_str(), manifest.kinds.len(), manifest.settings.len()), ("volcengine", 5, 8));
    let unconfirmed = manifest.settings.iter().filter(|setting| setting.label.contains("confirmed")).count();
    assert_eq!(unconfirmed, 7, "what no document says is said to be so");
}
