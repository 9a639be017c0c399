//! Every way in which a plan makes no sense.

use std::collections::BTreeMap;

use expect_test::expect;

use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::micros::Micros;
use crate::order::Order;
use crate::order::OrderKind;
use crate::order::Undo;
use crate::plan::AutoRenewal;
use crate::plan::Cancellation;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Purchase;
use crate::plan::PurchaseDetails;
use crate::plan::Refund;
use crate::plan::Refusal;
use crate::plan::Renewal;
use crate::plan::Scope;
use crate::plan::SkippedMember;
use crate::plan::Step;
use crate::plan::check;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::money;
use crate::sample::months;
use crate::sample::package;
use crate::sample::postpaid;
use crate::sample::resource;

fn renew() -> Command {
    Command::Renew(Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() })
}

/// `ecs` was bought to 10 February, renewed to 10 March and then to 10 April; `evs` was bought to 10 March.
fn orders() -> Vec<Order> {
    let order = |id: &str, member, starts_at, ends_at| Order {
        id: id.to_owned(),
        member,
        starts_at: at(starts_at),
        ends_at: at(ends_at),
        paid: money("30"),
        paid_at: at("2026-01-10"),
        kind: OrderKind::Renewal,
        reduces: None,
        undo: Undo::default(),
    };
    vec![
        order("first", MemberIndex::new(0), "2026-01-10", "2026-02-10"),
        order("disk", MemberIndex::new(1), "2026-02-10", "2026-03-10"),
        order("second", MemberIndex::new(0), "2026-02-10", "2026-03-10"),
        order("third", MemberIndex::new(0), "2026-03-10", "2026-04-10"),
    ]
}

fn members() -> Bundle {
    bundle([
        Resource { expires_at: Some(at("2026-04-10")), ..resource("ecs") },
        attached("evs"),
        Resource { stage: Stage::Released, ..attached("gone") },
        Resource { attached_to: Some(MemberIndex::new(0)), ..postpaid("eip") },
        Resource { attached_to: Some(MemberIndex::new(0)), ..package("pkg") },
    ])
}

fn answer(command: &Command, steps: Vec<(usize, Operation)>) -> String {
    let steps = steps
        .into_iter()
        .map(|(member, operation)| Step { member: MemberIndex::new(member), operation })
        .collect();
    verdict(command, &Plan { steps, skipped: Vec::new(), retry_now: None, pay_until: None })
}

fn verdict(command: &Command, plan: &Plan) -> String {
    match check(plan, command, &members(), MemberIndex::new(0), &orders(), at("2026-03-01")) {
        Ok(()) => "fine\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

fn extend(to: &str) -> Operation {
    let extension = Extension { expires_at: at(to), term: months(1), extra_days: 0, anchor_day: None };
    Operation::Extend(extension)
}

#[test]
fn an_extension_leads_a_live_member_on_once() {
    let answers = [
        answer(&renew(), vec![(0, extend("2026-04-10T00:00:01")), (1, extend("2026-04-10"))]),
        answer(&renew(), vec![(0, extend("2026-04-10"))]),
        answer(&renew(), vec![(0, extend("2026-05-10")), (0, extend("2026-06-10"))]),
        answer(&renew(), vec![(2, extend("2026-05-10"))]),
        answer(&renew(), vec![(3, extend("2026-05-10"))]),
        answer(&renew(), vec![(5, extend("2026-05-10"))]),
        answer(&Command::CancelAutoRenew, vec![(0, extend("2026-05-10"))]),
    ];
    expect![[r#"
        fine
        the plan for `ecs` does not fit `ecs`: its expiry would move from 2026-04-10T00:00:00Z back to 2026-04-10T00:00:00Z
        the plan for `ecs` does not fit `ecs`: two steps contradict each other
        the plan for `ecs` does not fit `gone`: it is extended although it is postpaid or at its end
        the plan for `ecs` does not fit `eip`: it is extended although it is postpaid or at its end
        the plan for `ecs` names member 5 of 5
        the plan for `ecs` does not fit `ecs`: its step does not answer `cancel_auto_renew`
    "#]].assert_eq(&answers.concat());
}

#[test]
fn whatever_a_plan_names_is_in_the_bundle() {
    let nothing = Plan { steps: Vec::new(), skipped: Vec::new(), retry_now: None, pay_until: None };
    let reason = Refusal { code: "no".to_owned(), message: "not this one".to_owned() };
    let skipped = vec![SkippedMember { member: MemberIndex::new(7), reason }];
    let answers = [
        verdict(&renew(), &nothing),
        verdict(&renew(), &Plan { retry_now: Some(MemberIndex::new(4)), ..nothing.clone() }),
        verdict(&renew(), &Plan { retry_now: Some(MemberIndex::new(5)), ..nothing.clone() }),
        verdict(&renew(), &Plan { skipped, ..nothing }),
    ];
    expect![[r#"
        fine
        fine
        the plan for `ecs` names member 5 of 5
        the plan for `ecs` names member 7 of 5
    "#]]
    .assert_eq(&answers.concat());
}

#[test]
fn what_happens_on_expiry_is_set_for_what_expires() {
    let forever = AutoRenewal { term: None, renewals: None };
    let set = Command::SetAutoRenew(forever);
    let answers = [
        answer(
            &set,
            vec![(0, Operation::SetAutoRenew(forever)), (1, Operation::SetOnExpiry(OnExpiry::Lapse))],
        ),
        answer(&set, vec![(2, Operation::SetAutoRenew(forever))]),
        answer(&set, vec![(3, Operation::SetOnExpiry(OnExpiry::Convert))]),
        answer(&set, vec![(3, Operation::SetAttribute("status".to_owned(), "running".to_owned()))]),
    ];
    expect![[r#"
        fine
        the plan for `ecs` does not fit `gone`: its expiry is set although it is postpaid or at its end
        the plan for `ecs` does not fit `eip`: its expiry is set although it is postpaid or at its end
        fine
    "#]]
    .assert_eq(&answers.concat());
}

fn end(scope: Scope, left: Option<&str>, refunds: &[(usize, &str)]) -> Operation {
    let refund = |(order, amount): &(usize, &str)| Refund {
        order: OrderIndex::new(*order),
        amount: money(amount),
        fee: Micros::ZERO,
    };
    let refunds = refunds.iter().map(refund).collect();
    Operation::EndSubscription(Cancellation { scope, expires_at: left.map(at), refunds })
}

#[test]
fn an_ending_gives_back_what_was_paid_for_its_own_periods_once() {
    let all = |refunds| answer(&Command::Unsubscribe(Scope::All), vec![(0, end(Scope::All, None, refunds))]);
    let future = |left, refunds| {
        answer(&Command::Unsubscribe(Scope::Future), vec![(0, end(Scope::Future, left, refunds))])
    };
    let unsubscribe = Command::Unsubscribe(Scope::All);
    let whole = || end(Scope::All, None, &[]);
    let answers = [
        all(&[(0, "0"), (2, "12.5"), (3, "30")]),
        all(&[]),
        all(&[(3, "30.01")]),
        all(&[(3, "-0.01")]),
        all(&[(3, "10"), (3, "10")]),
        all(&[(1, "10")]),
        all(&[(4, "10")]),
        future(Some("2026-03-10"), &[(3, "30")]),
        future(Some("2026-02-10"), &[(2, "30"), (3, "30")]),
        future(Some("2026-03-10"), &[]),
        future(Some("2026-03-10"), &[(2, "30"), (3, "30")]),
        future(Some("2026-04-10"), &[]),
        future(None, &[(3, "30")]),
        answer(&unsubscribe, vec![(0, end(Scope::All, Some("2026-03-10"), &[]))]),
        answer(&unsubscribe, vec![(2, whole())]),
        answer(&unsubscribe, vec![(3, whole())]),
        answer(&Command::Unsubscribe(Scope::Future), vec![(3, end(Scope::Future, Some("2026-03-10"), &[]))]),
        answer(&unsubscribe, vec![(0, whole()), (0, Operation::SetOnExpiry(OnExpiry::Lapse))]),
        answer(&unsubscribe, vec![(1, Operation::SetOnExpiry(OnExpiry::Lapse)), (1, whole())]),
        answer(&renew(), vec![(0, whole())]),
    ];
    expect![[r#"
        fine
        fine
        the plan for `ecs` does not fit `ecs`: 30.01 would be refunded of the 30.00 paid for `third`
        the plan for `ecs` does not fit `ecs`: -0.01 would be refunded of the 30.00 paid for `third`
        the plan for `ecs` does not fit `ecs`: order 3 is refunded twice
        the plan for `ecs` does not fit `ecs`: order 1 is not one of its orders
        the plan for `ecs` does not fit `ecs`: order 4 is not one of its orders
        fine
        fine
        the plan for `ecs` does not fit `ecs`: its expiry would be 2026-03-10T00:00:00Z, which does not fit what becomes of `third`
        the plan for `ecs` does not fit `ecs`: its expiry would be 2026-03-10T00:00:00Z, which does not fit what becomes of `second`
        the plan for `ecs` does not fit `ecs`: the expiry that is left does not fit the scope
        the plan for `ecs` does not fit `ecs`: the expiry that is left does not fit the scope
        the plan for `ecs` does not fit `ecs`: the expiry that is left does not fit the scope
        the plan for `ecs` does not fit `gone`: it is unsubscribed although it is postpaid or at its end
        fine
        the plan for `ecs` does not fit `eip`: it is unsubscribed although it is postpaid or at its end
        the plan for `ecs` does not fit `ecs`: two steps contradict each other
        the plan for `ecs` does not fit `evs`: two steps contradict each other
        the plan for `ecs` does not fit `ecs`: its step does not answer `renew`
    "#]].assert_eq(&answers.concat());
}

#[test]
fn a_purchase_is_of_one_package_from_now_on() {
    let again = Command::BuyAgain(Purchase { pay_at: None, effective_at: None });
    let buy = |pay_at, effective_at, expires_at| {
        let details = PurchaseDetails {
            pay_at: at(pay_at),
            effective_at: at(effective_at),
            expires_at: at(expires_at),
            anchor_day: 1,
        };
        (4, Operation::Buy(details))
    };
    let now = || buy("2026-03-01", "2026-03-01", "2026-04-01");
    let (pay_at, effective_at, expires_at) = (at("2026-03-01"), at("2026-03-01"), at("2026-04-01"));
    let no_day = PurchaseDetails { pay_at, effective_at, expires_at, anchor_day: 32 };
    let answers = [
        answer(&again, vec![now()]),
        answer(&again, vec![buy("2026-03-02", "2026-03-03", "2026-04-03")]),
        answer(&again, vec![buy("2026-02-28", "2026-03-03", "2026-04-03")]),
        answer(&again, vec![buy("2026-03-02", "2026-03-01", "2026-04-03")]),
        answer(&again, vec![buy("2026-03-02", "2026-03-03", "2026-03-03")]),
        answer(&again, vec![(4, Operation::Buy(no_day))]),
        answer(&again, vec![(0, now().1)]),
        answer(&again, vec![now(), now()]),
        answer(&renew(), vec![now()]),
    ];
    expect![[r#"
        fine
        fine
        the plan for `ecs` does not fit `pkg`: it is paid in the past, or takes effect before it is paid, or ends before it begins
        the plan for `ecs` does not fit `pkg`: it is paid in the past, or takes effect before it is paid, or ends before it begins
        the plan for `ecs` does not fit `pkg`: it is paid in the past, or takes effect before it is paid, or ends before it begins
        the plan for `ecs` does not fit `pkg`: its periods would be counted from day 32 of the month
        the plan for `ecs` does not fit `ecs`: it is bought again although it is no package
        the plan for `ecs` does not fit `pkg`: two steps contradict each other
        the plan for `ecs` does not fit `pkg`: its step does not answer `renew`
    "#]].assert_eq(&answers.concat());
}

#[test]
fn a_plan_says_no_more_than_its_limits() {
    let pair = bundle([resource("ecs"), attached("evs")]);
    let set = |member: usize, name: &str, value: String| Step {
        member: MemberIndex::new(member),
        operation: Operation::SetAttribute(name.to_owned(), value),
    };
    let problem = |plan: &Plan| match check(plan, &renew(), &pair, MemberIndex::new(0), &[], at("2026-02-01"))
    {
        Ok(()) => "fine\n".to_owned(),
        Err(error) => format!("{error}\n"),
    };
    let many = |count: usize, member| {
        (0..count).map(move |number| set(member, &format!("a{number}"), String::new()))
    };
    let skipped = |count: usize, reason: &str| Plan {
        skipped: vec![
            SkippedMember {
                member: MemberIndex::new(1),
                reason: Refusal { code: "C".to_owned(), message: reason.to_owned() }
            };
            count
        ],
        ..Plan::of(Vec::new())
    };
    let report = [
        problem(&Plan::of(many(64, 0).chain(many(64, 1)).collect())),
        problem(&Plan::of(many(129, 0).collect())),
        problem(&Plan::of(vec![set(1, &"n".repeat(129), String::new())])),
        problem(&Plan::of(vec![set(1, "n", "v".repeat(4_097))])),
        problem(&skipped(8, "it lasts longer")),
        problem(&skipped(9, "it lasts longer")),
        problem(&skipped(1, &"r".repeat(5_000))),
    ];
    expect![[r#"
        fine
        the plan for `ecs` says too much: 129 steps; at most 128 are accepted
        the plan for `ecs` says too much: it sets an attribute with a name of 129 bytes; at most 128 are accepted
        the plan for `ecs` says too much: it sets an attribute to a value of 4097 bytes; at most 4096 are accepted
        fine
        the plan for `ecs` says too much: 9 members that are left out; at most 8 are accepted
        the plan for `ecs` says too much: its refusal has a message of 5000 bytes; at most 4096 are accepted
    "#]].assert_eq(&report.concat());
}
