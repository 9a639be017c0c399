//! The money that the plans of an account leave to one another.

use plugin_script::interpreter;
use plugin_script::rulings::Batch;
use plugin_script::rulings::Figures;
use plugin_script::types::Script;

use crate::world::AT;
use crate::world::batch;
use crate::world::items;
use crate::world::script;

/// Two plans of one account, one of another with the same money, asked of one policy.
fn three_plans() -> Batch {
    let mut batch = batch(1);
    batch.accounts.push(batch.accounts[0]);
    batch.plans = vec![batch.plans[0], batch.plans[0], batch.plans[0]];
    batch.plans[2].account = 1;
    batch
}

fn figures(text: &str, batch: &Batch) -> Vec<(i64, i64)> {
    let results = interpreter::rule(&[script(text)], &[], batch);
    let whole = |figures: &Figures| (figures.balance / 1_000_000, figures.spent / 1_000_000);
    results.figures.iter().map(whole).collect()
}

const APPROVE: &str = "fn rule(plan) { approve() }";

#[test]
fn an_approved_plan_leaves_the_next_less_balance_and_budget() {
    assert_eq!(figures(APPROVE, &three_plans()), [(1200, 500), (1091, 609), (1200, 500)]);
}

#[test]
fn a_plan_that_is_not_approved_leaves_the_money_alone() {
    for text in ["deny(\"no\")", "require_approval(\"ask\")", "defer(plan.next_try_at, \"later\")", "throw 1"]
    {
        let text = format!("fn rule(plan) {{ {text} }}");
        assert_eq!(figures(&text, &three_plans()), [(1200, 500), (1200, 500), (1200, 500)], "{text}");
    }
}

#[test]
fn a_script_sees_what_the_plan_before_left() {
    let text =
        "fn rule(plan) { if plan.budget.left < 1400.00 { deny(`${plan.budget.left}`) } else { approve() } }";
    let results = interpreter::rule(&[script(text)], &[], &three_plans());
    let denied = results.answers.iter().map(|answer| format!("{:?}", answer.ruling)).collect::<Vec<_>>();
    assert_eq!(denied, ["Ruling::Approve", "Ruling::Deny(\"1391.00\")", "Ruling::Approve"]);
}

#[test]
fn a_plan_that_the_balance_does_not_cover_is_not_paid() {
    let mut batch = three_plans();
    batch.accounts[0].balance = 100_000_000;
    assert_eq!(figures(APPROVE, &batch)[1], (100, 500));
}

#[test]
fn a_plan_that_the_host_holds_back_is_not_paid() {
    let mut batch = three_plans();
    batch.plans[0].is_pending = true;
    assert_eq!(figures(APPROVE, &batch)[1], (1200, 500));
}

#[test]
fn refunds_come_back_and_a_new_month_has_nothing_spent() {
    let mut batch = three_plans();
    (batch.plans[0].cost, batch.plans[0].refund) = (Some(0), Some(50_000_000));
    assert_eq!(figures(APPROVE, &batch)[1], (1250, 450));
    batch.plans[1].at = AT + 10 * 86_400;
    assert_eq!(figures(APPROVE, &batch)[1], (1250, 0));
}

#[test]
fn a_plan_is_asked_only_of_the_policies_it_names() {
    let scripts: Vec<Script> =
        ["deny(\"a\")", "deny(\"b\")"].map(|text| script(&format!("fn rule(plan) {{ {text} }}"))).into();
    let mut batch = three_plans();
    batch.asked = vec![1, 0, 1];
    batch.plans[0].policies = items(0, 1);
    batch.plans[1].policies = items(1, 2);
    batch.plans[2].policies = items(3, 0);
    let results = interpreter::rule(&scripts, &[], &batch);
    let denied = results.answers.iter().map(|answer| format!("{:?}", answer.ruling)).collect::<Vec<_>>();
    assert_eq!(denied, ["Ruling::Deny(\"b\")", "Ruling::Deny(\"a\")", "Ruling::Deny(\"b\")"]);
}

#[test]
fn an_account_without_a_budget_has_nothing_spent() {
    let mut batch = three_plans();
    batch.accounts[0].budget = None;
    assert_eq!(figures(APPROVE, &batch)[..2], [(1200, 0), (1091, 0)]);
}
