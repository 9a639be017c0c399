//! Questions and answers, as they are kept and back again.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::index::OrderIndex;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::PaidPeriod;
use perennial_domain::order::Undo;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cancellation;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Extension;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::PurchaseDetails;
use perennial_domain::plan::Refund;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::SkippedMember;
use perennial_domain::plan::Specification;
use perennial_domain::plan::Step;
use perennial_domain::plan::Subscribe;
use perennial_domain::plan::Subscription;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use proptest::option;
use proptest::prelude::*;

use super::CONTRACT;
use super::DecisionRequest;
use super::answer;
use super::question;
use super::read_answer;
use super::read_request;

/// What the parts of drawn questions and answers are taken from.
#[derive(Clone, Debug)]
struct Parts {
    at: Timestamp,
    later: Option<Timestamp>,
    amount: Micros,
    count: u32,
    limit: Option<u32>,
    day: Option<u8>,
    text: String,
    other: String,
    place: u32,
    is_so: bool,
}

impl Parts {
    fn term(&self) -> Term {
        Term::new(self.count, TermUnit::ALL[usize::try_from(self.count % 3).unwrap()]).unwrap()
    }

    /// A price that somebody outside may write: not negative.
    fn price(&self) -> Micros {
        self.amount.max(Micros::ZERO)
    }

    fn place(&self) -> usize {
        usize::try_from(self.place).unwrap()
    }

    fn term_or_none(&self) -> Option<Term> {
        self.is_so.then(|| self.term())
    }

    fn texts(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(self.text.clone(), self.other.clone())])
    }

    fn auto_renewal(&self) -> AutoRenewal {
        AutoRenewal { term: self.term_or_none(), renewals: self.limit }
    }

    fn refusal(&self) -> Refusal {
        Refusal { code: self.text.clone(), message: self.other.clone() }
    }

    fn commands(&self) -> Vec<Command> {
        let cause = if self.is_so { Cause::Auto } else { Cause::Command };
        vec![
            Command::Renew(Renewal { term: self.term_or_none(), cause, options: self.texts() }),
            Command::SetAutoRenew(self.auto_renewal()),
            Command::CancelAutoRenew,
            Command::Unsubscribe(Scope::ALL[usize::from(self.is_so)]),
            Command::ConvertOnExpiry,
            Command::CancelConversion,
            Command::ConvertNow,
            Command::BuyAgain(Purchase { pay_at: self.later, effective_at: Some(self.at) }),
            Command::Change(Change { attributes: self.texts(), price: self.price(), options: self.texts() }),
            Command::Subscribe(Subscribe {
                term: self.is_so.then(|| self.term()),
                price: self.is_so.then_some(self.price()),
                options: self.texts(),
            }),
            Command::PayOrder(format!("order-{}", self.place)),
            Command::CancelOrder(format!("order-{}", self.place)),
        ]
    }

    fn question(&self, command: Command) -> DecisionRequest {
        let primary = Resource {
            id: self.text.clone(),
            kind: "package".to_owned(),
            region: self.other.clone(),
            charging: Charging::ALL[usize::from(self.is_so)],
            stage: Stage::Grace,
            started_at: self.at,
            expires_at: self.later,
            anchor_day: self.later.map(|_| 31),
            term: self.term_or_none(),
            price: self.is_so.then_some(self.amount),
            on_expiry: OnExpiry::Convert,
            renewals_left: self.limit,
            renewal_term: self.term_or_none(),
            has_unpaid_order: self.is_so,
            package: self.is_so.then(|| Package {
                quota: self.amount,
                used: self.amount,
                unit: self.text.clone(),
                resource_type: self.other.clone(),
                bought_at: self.at,
            }),
            attributes: self.texts(),
            tags: self.texts(),
            ..Resource::default()
        };
        let attached = Resource { attached_to: Some(MemberIndex::new(0)), package: None, ..primary.clone() };
        DecisionRequest {
            at: self.at,
            account: self.text.clone(),
            settings: self.texts(),
            command,
            member: MemberIndex::new(usize::from(self.is_so)),
            bundle: Bundle { members: vec![primary, attached] },
            orders: vec![Order {
                id: self.text.clone(),
                member: MemberIndex::new(self.place()),
                starts_at: self.at,
                ends_at: self.at,
                paid: self.amount,
                paid_at: self.at,
                kind: OrderKind::ALL[self.place() % OrderKind::ALL.len()],
                reduces: self.is_so.then(|| PaidPeriod { order: self.other.clone(), starts_at: self.at }),
                undo: Undo::default(),
            }],
        }
    }

    /// A plan with every operation; it need not make sense to be kept.
    fn plan(&self) -> Plan {
        let (at, place) = (self.at, self.place());
        let operations = [
            Operation::Extend(Extension {
                expires_at: at,
                term: self.term(),
                extra_days: self.count,
                anchor_day: self.day,
            }),
            Operation::SetOnExpiry(OnExpiry::Release),
            Operation::SetAutoRenew(self.auto_renewal()),
            Operation::EndSubscription(Cancellation {
                scope: Scope::Future,
                expires_at: self.later,
                refunds: vec![Refund {
                    order: OrderIndex::new(place),
                    amount: self.amount,
                    fee: self.amount,
                }],
            }),
            Operation::Convert(vec![Refund {
                order: OrderIndex::new(place),
                amount: self.amount,
                fee: self.amount,
            }]),
            Operation::ChangeSpecification(Specification {
                attributes: self.texts(),
                price: self.amount,
                adjustments: vec![Adjustment {
                    starts_at: at,
                    ends_at: at,
                    amount: self.amount,
                    order: self.is_so.then_some(OrderIndex::new(place)),
                }],
            }),
            Operation::Subscribe(Subscription {
                expires_at: at,
                term: self.term(),
                extra_days: self.count,
                anchor_day: 28,
                price: self.amount,
            }),
            Operation::Buy(PurchaseDetails { pay_at: at, effective_at: at, expires_at: at, anchor_day: 28 }),
            Operation::SetAttribute(self.text.clone(), self.other.clone()),
        ];
        Plan {
            steps: operations
                .into_iter()
                .map(|operation| Step { member: MemberIndex::new(place), operation })
                .collect(),
            skipped: vec![SkippedMember { member: MemberIndex::new(place), reason: self.refusal() }],
            retry_now: self.is_so.then_some(MemberIndex::new(place)),
            pay_until: self.later,
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let instant = || any::<i64>().prop_map(Timestamp::from_second);
    let values = (instant(), option::of(instant()), any::<i64>(), 1..=u32::MAX, option::of(any::<u32>()));
    (values, option::of(any::<u8>()), ".*", ".*", any::<u32>(), any::<bool>()).prop_map(
        |((at, later, amount, count, limit), day, text, other, place, is_so)| Parts {
            at,
            later,
            amount: Micros::new(amount),
            count,
            limit,
            day,
            text,
            other,
            place,
            is_so,
        },
    )
}

#[test]
fn a_kept_decision_can_be_read_by_people() {
    let parts = Parts {
        at: "2026-02-28T16:00:00Z".parse().unwrap(),
        later: None,
        amount: Micros::new(99_000_000),
        count: 1,
        limit: None,
        day: Some(31),
        text: "one".to_owned(),
        other: "two".to_owned(),
        place: 1,
        is_so: true,
    };
    let asked = parts.question(parts.commands().remove(0));
    let asked = question(&asked.as_input());
    let answers = [Ok(parts.plan()), Err(parts.refusal())];
    let [planned, refused] = answers.each_ref().map(answer);
    expect![[r#"
        {"at":"2026-02-28T16:00:00Z","account":"one","settings":{"one":"two"},"command":{"renew":{"term":{"count":1,"unit":"month"},"options":{"one":"two"},"cause":"auto"}},"member":1,"bundle":[{"id":"one","kind":"package","region":"two","charging":"postpaid","stage":"grace","started_at":"2026-02-28T16:00:00Z","expires_at":null,"anchor_day":null,"term":{"count":1,"unit":"month"},"price":"99.00","on_expiry":"convert","renewals_left":null,"renewal_term":{"count":1,"unit":"month"},"attached_to":null,"attributes":{"one":"two"},"tags":{"one":"two"},"quota":"99.00","used":"99.00","unit":"one","resource_type":"two","bought_at":"2026-02-28T16:00:00Z","has_unpaid_order":true},{"id":"one","kind":"package","region":"two","charging":"postpaid","stage":"grace","started_at":"2026-02-28T16:00:00Z","expires_at":null,"anchor_day":null,"term":{"count":1,"unit":"month"},"price":"99.00","on_expiry":"convert","renewals_left":null,"renewal_term":{"count":1,"unit":"month"},"attached_to":0,"attributes":{"one":"two"},"tags":{"one":"two"},"has_unpaid_order":true}],"orders":[{"id":"one","member":1,"starts_at":"2026-02-28T16:00:00Z","ends_at":"2026-02-28T16:00:00Z","paid":"99.00","paid_at":"2026-02-28T16:00:00Z","kind":"renewal","reduces":{"order":"two","starts_at":"2026-02-28T16:00:00Z"}}]}

        {"plan":{"steps":[{"member":1,"operation":{"extend":{"expires_at":"2026-02-28T16:00:00Z","term":{"count":1,"unit":"month"},"extra_days":1,"anchor_day":31}}},{"member":1,"operation":{"set_on_expiry":"release"}},{"member":1,"operation":{"set_auto_renew":{"term":{"count":1,"unit":"month"},"renewals":null}}},{"member":1,"operation":{"end_subscription":{"scope":"future","expires_at":null,"refunds":[{"order":1,"amount":"99.00","fee":"99.00"}]}}},{"member":1,"operation":{"convert":{"refunds":[{"order":1,"amount":"99.00","fee":"99.00"}]}}},{"member":1,"operation":{"change_specification":{"attributes":{"one":"two"},"price":"99.00","adjustments":[{"starts_at":"2026-02-28T16:00:00Z","ends_at":"2026-02-28T16:00:00Z","amount":"99.00","order":1}]}}},{"member":1,"operation":{"subscribe":{"expires_at":"2026-02-28T16:00:00Z","term":{"count":1,"unit":"month"},"extra_days":1,"anchor_day":28,"price":"99.00"}}},{"member":1,"operation":{"buy":{"pay_at":"2026-02-28T16:00:00Z","effective_at":"2026-02-28T16:00:00Z","expires_at":"2026-02-28T16:00:00Z","anchor_day":28}}},{"member":1,"operation":{"set_attribute":{"name":"one","value":"two"}}}],"skipped":[{"member":1,"reason":{"code":"one","message":"two"}}],"retry_now":1,"pay_until":null}}

        {"refusal":{"code":"one","message":"two"}}
    "#]].assert_eq(&format!("{asked}\n\n{planned}\n\n{refused}\n"));
}

#[test]
fn what_is_no_decision_is_refused() {
    expect![[r#"
        2 problems:
          plan.skipped: the field is missing
          plan.steps[0].operation.sell: there is no operation `sell`"#]]
    .assert_eq(
        &read_answer(r#"{"plan": {"steps": [{"member": 0, "operation": {"sell": 1}}]}}"#, CONTRACT)
            .unwrap_err()
            .to_string(),
    );
    expect![[r#"
        1 problem:
          maybe: there is no answer `maybe`"#]]
    .assert_eq(&read_answer(r#"{"maybe": 1}"#, CONTRACT).unwrap_err().to_string());
    expect![[r#"
        1 problem:
          at: the field is missing"#]]
    .assert_eq(&read_request("{}", CONTRACT).unwrap_err().to_string());
}

#[test]
fn a_question_about_a_member_that_is_not_there_is_refused() {
    let kept = r#"{"at": "2026-02-28T16:00:00Z", "account": "a", "settings": {}, "command": "cancel_conversion",
        "member": 1, "orders": [], "bundle": "#;
    let member = r#"{"id": "e", "kind": "ecs", "region": "", "charging": "postpaid", "stage": "active", "tags": {},
        "started_at": "2026-02-28T16:00:00Z", "on_expiry": "lapse", "attributes": {}}"#;
    let refused =
        |bundle: &str| read_request(&format!("{kept}{bundle}}}"), CONTRACT).unwrap_err().to_string();
    expect![[r#"
        1 problem:
          bundle: a bundle has at least one member; this one has none"#]]
    .assert_eq(&refused("[]"));
    expect![[r#"
        1 problem:
          member: member 1 of 1 is not there"#]]
    .assert_eq(&refused(&format!("[{member}]")));
}

/// A question and two answers that a host of contract 0.1 kept, as they stand in its database.
const QUESTION_0_1: &str = r#"{"at":"2026-02-28T16:00:00Z","account":"acme","settings":{"grace_days":"7"},"command":{"renew":{"term":{"count":1,"unit":"month"},"options":{},"cause":"auto"}},"resource":1,"bundle":[{"id":"ecs-1","kind":"ecs","region":"cn-north-4","charging":"prepaid","stage":"active","started_at":"2026-01-28T16:00:00Z","expires_at":"2026-02-28T16:00:00Z","anchor_day":28,"term":{"count":1,"unit":"month"},"price":"99.00","on_expiry":"renew","renewals_left":null,"renewal_term":null,"attached_to":null,"attributes":{"resource":"left_out"},"tags":{"tries_at_once":"no"}},{"id":"evs-1","kind":"evs","region":"cn-north-4","charging":"prepaid","stage":"active","started_at":"2026-01-28T16:00:00Z","expires_at":"2026-02-28T16:00:00Z","anchor_day":28,"term":{"count":1,"unit":"month"},"price":"9.00","on_expiry":"lapse","renewals_left":null,"renewal_term":null,"attached_to":0,"attributes":{},"tags":{}}],"orders":[]}"#;
const PLAN_0_1: &str = r#"{"plan":{"steps":[{"member":1,"operation":{"end_subscription":{"scope":"all","expires_at":null,"refunds":[{"order":0,"amount":"9.00"}]}}}],"left_out":[{"member":0,"reason":{"code":"CBC.99003610","message":"left_out"}}],"tries_at_once":1}}"#;
const REFUSAL_0_1: &str = r#"{"refusal":{"code":"CBC.99003610","message":"tries_at_once"}}"#;

#[test]
fn decisions_of_contract_0_1_are_read_under_the_names_of_today() {
    let asked = read_request(QUESTION_0_1, "0.1").unwrap();
    assert_eq!((asked.member.get(), asked.bundle.members.len()), (1, 2));
    // Names that people chose are left alone, whatever they are called.
    assert_eq!(asked.bundle.members[0].attributes["resource"], "left_out");
    assert_eq!(asked.bundle.members[0].tags["tries_at_once"], "no");
    let kept = QUESTION_0_1.replacen(r#""resource":1"#, r#""member":1"#, 1);
    assert_eq!(question(&asked.as_input()).to_string(), kept);
    let planned = read_answer(PLAN_0_1, "0.1").unwrap();
    expect![[r#"{"plan":{"steps":[{"member":1,"operation":{"end_subscription":{"scope":"all","expires_at":null,"refunds":[{"order":0,"amount":"9.00","fee":"0.00"}]}}}],"skipped":[{"member":0,"reason":{"code":"CBC.99003610","message":"left_out"}}],"retry_now":1,"pay_until":null}}"#]]
        .assert_eq(&answer(&planned).to_string());
    let refused = read_answer(REFUSAL_0_1, "0.1").unwrap();
    assert_eq!(answer(&refused).to_string(), REFUSAL_0_1);
}

#[test]
fn the_names_of_0_1_are_not_those_of_today() {
    expect![[r#"
        3 problems:
          plan.skipped: the field is missing
          plan.left_out: unknown field `left_out`; expected `steps`, `skipped`, `retry_now` or `pay_until`
          plan.tries_at_once: unknown field `tries_at_once`; expected `steps`, `skipped`, `retry_now` or `pay_until`"#]]
    .assert_eq(&read_answer(PLAN_0_1, CONTRACT).unwrap_err().to_string());
    expect![[r#"
        2 problems:
          member: the field is missing
          resource: unknown field `resource`; expected `at`, `account`, `settings`, `command`, `member`, `bundle` or `orders`"#]].assert_eq(&read_request(QUESTION_0_1, CONTRACT).unwrap_err().to_string());
}

#[test]
fn a_decision_of_an_unknown_contract_is_refused() {
    expect![[r#"
        1 problem:
          the file: it was kept under contract `0.3`, which this host does not know"#]]
    .assert_eq(&read_request(QUESTION_0_1, "0.3").unwrap_err().to_string());
    expect![[r#"
        1 problem:
          the file: it was kept under contract ``, which this host does not know"#]]
    .assert_eq(&read_answer(PLAN_0_1, "").unwrap_err().to_string());
}

proptest! {
    #[test]
    fn every_question_reads_back_as_it_was_kept(parts in parts()) {
        for command in parts.commands() {
            let asked = parts.question(command);
            prop_assert_eq!(read_request(&question(&asked.as_input()).to_string(), CONTRACT), Ok(asked));
        }
    }

    #[test]
    fn every_answer_reads_back_as_it_was_kept(parts in parts()) {
        for given in [Ok(parts.plan()), Err(parts.refusal())] {
            prop_assert_eq!(read_answer(&answer(&given).to_string(), CONTRACT), Ok(given));
        }
    }
}
