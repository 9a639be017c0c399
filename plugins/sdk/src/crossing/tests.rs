//! What the host sends and gets, list by list, with rules that say what they were told.

use expect_test::expect;

use crate::Action;
use crate::Alert;
use crate::Allocation;
use crate::AutoRenewal;
use crate::Cancellation;
use crate::Charging;
use crate::Command;
use crate::Consumption;
use crate::Occurrence;
use crate::OnExpiry;
use crate::Operation;
use crate::Order;
use crate::OrderKind;
use crate::Package;
use crate::Plan;
use crate::PlanRequest;
use crate::Refund;
use crate::Refusal;
use crate::Resource;
use crate::Rules;
use crate::Scope;
use crate::SkippedMember;
use crate::Specification;
use crate::Stage;
use crate::Step;
use crate::Timestamp;
use crate::bindings::exports::perennial::provider::types::Accounts;
use crate::bindings::exports::perennial::provider::types::Bundles;
use crate::bindings::exports::perennial::provider::types::Member;
use crate::bindings::exports::perennial::provider::types::Pair;
use crate::commands;
use crate::lifecycle;
use crate::settings::get;
use crate::usage;

/// Rules that repeat what they are told.
struct Echo;

fn description(resource: &Resource) -> String {
    let attributes = resource.attributes.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{}:{}{}", resource.id, resource.kind, attributes.collect::<String>())
}

impl Rules for Echo {
    type Settings = String;

    fn settings(values: &[(String, String)]) -> String {
        get(values, "name").unwrap_or("nobody").to_owned()
    }

    fn timeline(settings: &String, after: Timestamp, bundle: &[Resource]) -> Vec<Occurrence> {
        let set = |(member, resource)| Occurrence {
            at: after + 1,
            member,
            action: Action::SetAttribute((settings.clone(), description(resource))),
        };
        let released = Occurrence { at: after + 2, member: 0, action: Action::Enter(Stage::Released) };
        (0..).zip(bundle).map(set).chain([released]).collect()
    }

    fn plan(settings: &String, request: &PlanRequest) -> Result<Plan, Refusal> {
        let bundle = request.bundle.iter().map(description).collect::<Vec<_>>().join(", ");
        let message = format!("{settings} asks at {} about {bundle}", request.at);
        let refunds = (0..).zip(&request.orders);
        let refunds = refunds.map(|(order, paid)| Refund { order, amount: paid.paid, fee: 0 }).collect();
        let operation = if let Command::Unsubscribe(scope) = request.command {
            Operation::EndSubscription(Cancellation { scope, expires_at: None, refunds })
        } else if request.command == Command::ConvertNow {
            Operation::Convert(refunds)
        } else {
            return Err(Refusal { code: "No".to_owned(), message });
        };
        let attributes = vec![("size".to_owned(), "large".to_owned())];
        let changed =
            Operation::ChangeSpecification(Specification { attributes, price: 3, adjustments: Vec::new() });
        let steps = [operation, changed].map(|operation| Step { member: request.member, operation });
        let reason = Refusal { code: "Left".to_owned(), message };
        let skipped = vec![SkippedMember { member: 1, reason }];
        Ok(Plan { steps: steps.into(), skipped, retry_now: Some(0), pay_until: None })
    }

    fn allocate(_: &String, consumption: &Consumption) -> Vec<Allocation> {
        let all = (0..).zip(&consumption.packages);
        all.map(|(package, one)| Allocation { package, amount: one.quota, alert: Alert::None }).collect()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn member(kind: u32, id_bytes: u32, attributes: u32) -> Member {
    Member {
        id_bytes,
        kind,
        attached_to: None,
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: 0,
        expires_at: Some(10),
        anchor_day: Some(1),
        term: None,
        on_expiry: OnExpiry::Lapse,
        renewals_left: None,
        renewal_term: None,
        has_unpaid_order: false,
        attributes,
    }
}

const WORDS: [&str; 7] = ["name", "Ann", "Bob", "disk", "server", "region", "north"];

/// Two accounts, of which the first says nothing else.
fn accounts() -> Accounts {
    let named = |value| Pair { name: 0, value };
    Accounts { counts: vec![1, 1], settings: vec![named(1), named(2)] }
}

/// A bundle of two and a bundle of one; their ids have letters of more than one byte.
fn bundles(with_ids: bool) -> Bundles {
    let bytes = |bytes| if with_ids { bytes } else { 0 };
    Bundles {
        counts: vec![2, 1],
        members: vec![member(4, bytes(3), 1), member(3, bytes(2), 0), member(4, bytes(2), 1)],
        attributes: vec![Pair { name: 5, value: 6 }, Pair { name: 0, value: 2 }],
        ids: if with_ids { "é1d1s2".to_owned() } else { String::new() },
    }
}

#[test]
fn timelines_are_asked_bundle_by_bundle_and_answered_in_order() {
    let request = |after, account| lifecycle::TimelineRequest { after, account };
    let answer = <Echo as lifecycle::Guest>::timeline(
        words(&WORDS),
        accounts(),
        bundles(false),
        vec![request(5, 1), request(7, 0)],
    );
    expect![[r#"
        ["Bob", ":server region=north", "Bob", ":disk", "Ann", ":server name=Bob"]
        [3, 2]
        [
            Occurrence {
                at: 6,
                member: 0,
                action: Action::SetAttribute(
                    Pair {
                        name: 0,
                        value: 1,
                    },
                ),
            },
            Occurrence {
                at: 6,
                member: 1,
                action: Action::SetAttribute(
                    Pair {
                        name: 2,
                        value: 3,
                    },
                ),
            },
            Occurrence {
                at: 7,
                member: 0,
                action: Action::Enter(
                    Stage::Released,
                ),
            },
            Occurrence {
                at: 8,
                member: 0,
                action: Action::SetAttribute(
                    Pair {
                        name: 4,
                        value: 5,
                    },
                ),
            },
            Occurrence {
                at: 9,
                member: 0,
                action: Action::Enter(
                    Stage::Released,
                ),
            },
        ]
    "#]]
    .assert_eq(&format!("{:?}\n{:?}\n{:#?}\n", answer.words, answer.counts, answer.occurrences));
}

#[test]
fn plans_are_asked_with_their_orders_and_answered_in_order() {
    let request = |command, orders| commands::PlanRequest { at: 9, account: 0, command, member: 0, orders };
    let order = |paid| Order {
        member: 0,
        kind: OrderKind::Purchase,
        starts_at: 0,
        ends_at: 10,
        paid,
        paid_at: 0,
        reduces: None,
    };
    let requests = vec![request(Command::ConvertNow, 2), request(Command::Unsubscribe(Scope::Everything), 1)];
    let orders = [20, 30, 40].map(order).to_vec();
    let answer =
        <Echo as commands::Guest>::make_plans(words(&WORDS), accounts(), bundles(true), requests, orders);
    expect![[r#"
        ["size", "large", "Left", "Ann asks at 9 about é1:server region=north, d1:disk", "size", "large", "Left", "Ann asks at 9 about s2:server name=Bob"]
        [Ok(Plan { steps: 2, skipped: 1, retry-now: Some(0), pay-until: None }), Ok(Plan { steps: 2, skipped: 1, retry-now: Some(0), pay-until: None })]
        [Step { member: 0, operation: Operation::Convert(2) }, Step { member: 0, operation: Operation::ChangeSpecification(Specification { attributes: 1, price: 3, adjustments: 0 }) }, Step { member: 0, operation: Operation::EndSubscription(Cancellation { scope: Scope::Everything, expires-at: None, refunds: 1 }) }, Step { member: 0, operation: Operation::ChangeSpecification(Specification { attributes: 1, price: 3, adjustments: 0 }) }]
        [SkippedMember { member: 1, reason: Refusal { code: 2, message: 3 } }, SkippedMember { member: 1, reason: Refusal { code: 6, message: 7 } }]
        [Refund { order: 0, amount: 20, fee: 0 }, Refund { order: 1, amount: 30, fee: 0 }, Refund { order: 0, amount: 40, fee: 0 }]
        []
        [Pair { name: 0, value: 1 }, Pair { name: 4, value: 5 }]
    "#]]
    .assert_eq(&format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
        answer.words,
        answer.answers,
        answer.steps,
        answer.skipped,
        answer.refunds,
        answer.adjustments,
        answer.attributes
    ));
    let renew = Command::SetAutoRenew(AutoRenewal { term: None, renewals: None });
    let refused = vec![request(renew.clone(), 0), request(renew, 0)];
    let answer =
        <Echo as commands::Guest>::make_plans(words(&WORDS), accounts(), bundles(true), refused, Vec::new());
    expect![[r#"
        ["No", "Ann asks at 9 about é1:server region=north, d1:disk", "No", "Ann asks at 9 about s2:server name=Bob"]
        [Err(Refusal { code: 0, message: 1 }), Err(Refusal { code: 2, message: 3 })]
    "#]]
    .assert_eq(&format!("{:?}\n{:?}\n", answer.words, answer.answers));
}

#[test]
fn uses_are_asked_with_their_own_packages() {
    let consumption =
        |packages| usage::Consumption { at: 1, account: 0, resource_type: 3, amount: 9, packages };
    let package = |quota| Package { quota, used: 0, bought_at: 0, starts_at: 0, expires_at: 9 };
    let answer = <Echo as usage::Guest>::allocate(
        words(&WORDS),
        accounts(),
        vec![consumption(2), consumption(0), consumption(1)],
        [1, 2, 3].map(package).to_vec(),
    );
    assert_eq!(answer.counts, [2, 0, 1]);
    assert_eq!(
        answer.allocations.iter().map(|one| (one.package, one.amount)).collect::<Vec<_>>(),
        [(0, 1), (1, 2), (0, 3)]
    );
}
