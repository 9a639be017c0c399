//! Every ruling a script can return, and what is none.

use expect_test::expect;

use crate::world::answer;
use crate::world::ruling;

fn shown(returned: &str) -> String {
    format!("{returned}\n  {:?}\n", ruling(&format!("fn rule(plan) {{ {returned} }}")))
}

#[test]
fn every_ruling_says_what_it_was_told() {
    let returned = [
        "approve()",
        "deny(\"no\")",
        "require_approval(\"dear\")",
        "require_approval(\"dear\", #{ by: \"finance\", expires_at: plan.last_try_at })",
        "defer(plan.next_try_at, \"later\")",
        "amend(#{ term: #{ count: 3, unit: \"month\" } }, \"shorter\")",
        "amend(#{ term: plan.term, options: #{ relatedRenewFlag: \"CDS_EIP\" } }, \"with disks\")",
        "amend(#{ options: #{} }, \"without options\")",
        "amend(#{}, \"nothing\")",
    ];
    expect![[r#"
        approve()
          Ruling::Approve
        deny("no")
          Ruling::Deny("no")
        require_approval("dear")
          Ruling::RequireApproval(Approval { reason: "dear", by: None, expires-at: None })
        require_approval("dear", #{ by: "finance", expires_at: plan.last_try_at })
          Ruling::RequireApproval(Approval { reason: "dear", by: Some("finance"), expires-at: Some(1772218800) })
        defer(plan.next_try_at, "later")
          Ruling::Defer(Deferral { until: 1771700400, reason: "later" })
        amend(#{ term: #{ count: 3, unit: "month" } }, "shorter")
          Ruling::Amend(Amendment { term: Some(Term { count: 3, unit: TermUnit::Month }), options: None, reason: "shorter" })
        amend(#{ term: plan.term, options: #{ relatedRenewFlag: "CDS_EIP" } }, "with disks")
          Ruling::Amend(Amendment { term: Some(Term { count: 1, unit: TermUnit::Month }), options: Some([("relatedRenewFlag", "CDS_EIP")]), reason: "with disks" })
        amend(#{ options: #{} }, "without options")
          Ruling::Amend(Amendment { term: None, options: Some([]), reason: "without options" })
        amend(#{}, "nothing")
          Ruling::Amend(Amendment { term: None, options: None, reason: "nothing" })
    "#]].assert_eq(&returned.map(shown).concat());
}

#[test]
fn what_is_no_ruling_is_a_failure() {
    let returned = [
        "",
        "()",
        "true",
        "\"approve\"",
        "approve",
        "[approve()]",
        "plan",
        "plan.cost",
        "deny()",
        "deny(5)",
        "require_approval(\"dear\", #{ label: \"finance\" })",
        "require_approval(\"dear\", #{ by: 5 })",
        "require_approval(\"dear\", #{ by: \"\" })",
        "require_approval(\"dear\", #{ expires_at: \"2026-02-28T00:00:00Z\" })",
        "defer(\"2026-02-28T00:00:00Z\", \"later\")",
        "amend(#{ price: 5 }, \"cheaper\")",
        "amend(#{ term: 3 }, \"three\")",
        "amend(#{ term: #{ count: 0, unit: \"month\" } }, \"none\")",
        "amend(#{ term: #{ count: 1, unit: \"week\" } }, \"a week\")",
        "amend(#{ term: #{ count: 1.5, unit: \"month\" } }, \"half\")",
        "amend(#{ options: #{ count: 5 } }, \"number\")",
    ];
    let failed = returned.map(|returned| {
        crate::world::failure(&format!("fn rule(plan) {{ {returned} }}")).lines().next().unwrap().to_owned()
    });
    expect![[r#"
        rule 0:0: `rule` returned nothing; it must end in a ruling such as approve()
        rule 0:0: `rule` returned nothing; it must end in a ruling such as approve()
        rule 0:0: `rule` returned true or false, which is no ruling such as approve() or deny("why")
        rule 0:0: `rule` returned text, which is no ruling such as approve() or deny("why")
        no function 1:17: there is no variable `approve`; a constant of the script is `global::approve` within a function
        rule 0:0: `rule` returned a list, which is no ruling such as approve() or deny("why")
        rule 0:0: `rule` returned a plan, which is no ruling such as approve() or deny("why")
        rule 0:0: `rule` returned an amount, which is no ruling such as approve() or deny("why")
        rule 1:17: there is no function `deny()` without arguments
        rule 1:17: there is no function `deny` of a whole number
        rule 1:17: an approval has no `label`; there are `by` and `expires_at`
        rule 1:17: `by` is text, not a whole number
        rule 1:17: `by` is empty; leave it out where any approver may decide
        rule 1:17: `expires_at` is an instant, not text
        rule 1:17: there is no function `defer` of text and text
        rule 1:17: an amendment has no `price`; there are `term` and `options`
        rule 1:17: `term` is #{ count: 1, unit: "month" } or another plan's term, not a whole number
        rule 1:17: a term has at least 1 month; this one has 0
        rule 1:17: `week` is not a unit of a term; there are "day", "month" and "year"
        rule 1:17: `count` of a term is a whole number, not an amount
        rule 1:17: the option `count` is text, not a whole number"#]]
    .assert_eq(&failed.join("\n"));
}

#[test]
fn notes_come_with_the_ruling_and_also_with_a_failure() {
    let text = "fn rule(plan) { note(\"one\"); note(`cost ${plan.cost}`); deny(\"no\") }";
    assert_eq!(answer(text).notes, ["one", "cost 109.00"]);
    assert_eq!(answer("fn rule(plan) { note(\"one\"); throw \"no\" }").notes, ["one"]);
}
