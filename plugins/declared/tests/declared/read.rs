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
    expect![[r#"
        1: the file has no `table`, which it needs
        1: the file has no `provider`, which it needs
        1: the file has no `stages`, which it needs
        1: the file has no `kinds`, which it needs
        1: the file has no `refusals`, which it needs
    "#]]
    .assert_eq(&problems(""));
}

#[test]
fn what_is_no_toml_is_told_alone() {
    expect![[r#"
        1: it is not TOML: string values must be quoted, expected literal string
        2: it is not TOML: unclosed table, expected `]`
        3: it is not TOML: unexpected key or value, expected newline, `#`
    "#]]
    .assert_eq(&problems("table = \n[provider\nid = \"a\" \"b\"\n"));
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
    expect![[r#"
        2: `table` of the file: it is 1
        3: `colour` is no key of the file; there are `table`, `provider`, `tries`, `stages`, `kinds`, `notices`, `renewals`, `refunds`, `conversion`, `refusals`, `idempotency`, `settings`, `package`
        5: `id` of [provider]: `Acme!` is no id: one has 1 to 64 lower case letters, digits and dashes
        6: `name` of [provider]: it is a text of 1 to 1000 bytes
        7: `utc_offset` of [provider]: it is a text of 1 to 1000 bytes
        10: `terms` of [kinds.vm]: `a week` is no term; write `1 month`, `1-9 months` or `3 years`
        11: [kinds.vm] has a cascade and attaches to nothing; name what in `attaches_to`
        11: `renewal` of [kinds.vm.cascade]: `always` is none of `aligned`, `same_term`
        12: [kinds.disk] has no `label`, which it needs
        13: `rack` is no kind; there are `disk`, `vm`
        13: `attaches_to` of [kinds.disk]: each item is a text of 1 to 64 bytes
        14: `try_days` of [kinds.disk]: day 1 is there twice
        16: `days` of [tries]: it is a list of whole numbers, such as `[7, 3, 1]`
        17: `hour` of [tries]: it is a whole number from 0 to 23
        18: [stages] has no `retention`, which it needs
        19: `grace` of [stages]: `3 weeks` is no length of time; write `3 days`, `12 hours` or `14 days 12 hours`
        23: `days_before_expiry` of [[notices]]: a notice is made on the day or before it, so no day is negative
        25: the notice `soon` is there twice
        30: `grace_counts_from` of [renewals]: `today` is none of `expiry`, `renewal`, `refused`
        32: `fee_percent` of [refunds]: it is a whole number from 0 to 100
        33: `when_expired` of [refunds]: it is `true` or `false`
        34: [idempotency] has no `mismatch`, which it needs
        36: `valid` of [idempotency]: it is longer than nothing
        37: [refusals] has no `other`, which it needs
        38: [refusals.gone] has no `code`, which it needs
        39: `lost` is no key of [refusals]; there are `other`, `insufficient_balance`, `unknown_resource`, `policy_denied`, `policy_deferred`, `gone`, `pay_per_use`, `not_supported`, `bad_option`, `term_not_sold`, `period_over`, `expired`, `unpaid_order`, `nothing_to_change`, `nothing_to_refund`, `too_late_to_refund`, `left_out`
        41: `grace` of [settings]: it is a label for people, of 1 to 1000 bytes
        42: `pace` is nothing that an account can set; there are `try_days`, `try_hour`, `grace`, `retention`, `grace_renewal`, `retention_renewal`, `refund_within`, `fee_percent`
    "#]].assert_eq(&problems(wrong));
}

#[test]
fn the_tables_of_this_project_can_be_read() {
    assert_eq!(table(NIMBUS).describe().id, "nimbus");
    let manifest = table(VOLCENGINE).describe();
    assert_eq!((manifest.id.as_str(), manifest.kinds.len(), manifest.settings.len()), ("volcengine", 5, 8));
    let unconfirmed = manifest.settings.iter().filter(|setting| setting.label.contains("confirmed")).count();
    assert_eq!(unconfirmed, 7, "what no document says is said to be so");
}
