//! Every event as a line, and back again.

use expect_test::expect;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::body;
use super::line;
use super::read;
use super::read_body;
use super::write_line;

/// What the parts of drawn events are taken from.
#[derive(Clone, Debug)]
struct Parts {
    amounts: [Micros; 2],
    instants: [Timestamp; 2],
    texts: [String; 3],
    text_or_none: Option<String>,
    instant_or_none: Option<Timestamp>,
    term: Term,
    extra_days: u32,
    cause: Cause,
    stages: [Stage; 2],
    class: DeclineClass,
    scope: Scope,
    reason: Reason,
    order_kind: OrderKind,
    decision: State,
    expiry_reason: ExpiryReason,
    will_retry: bool,
    refunds: Vec<(String, Micros)>,
}

/// One event of every type.
fn all(parts: Parts) -> Vec<EventKind> {
    let [amount, other] = parts.amounts;
    let [at, later] = parts.instants;
    let [first, second, third] = parts.texts;
    vec![
        EventKind::StageChanged { from: parts.stages[0], to: parts.stages[1] },
        EventKind::RenewalSettled {
            cost: amount,
            expires_before: at,
            expires_at: later,
            term: parts.term,
            extra_days: parts.extra_days,
            cause: parts.cause,
            primary: parts.text_or_none.clone(),
            attempt: first.clone(),
        },
        EventKind::RenewalDeclined {
            code: first.clone(),
            message: second.clone(),
            class: parts.class,
            next_try_at: parts.instant_or_none,
        },
        EventKind::RenewalInDoubt { attempt: first.clone(), code: second.clone() },
        EventKind::ApprovalRequested {
            approval: first.clone(),
            command: second.clone(),
            cause: parts.cause,
            requested_by: parts.text_or_none.clone(),
            cost: amount,
            expires_at: later,
            attempt: parts.text_or_none.clone(),
        },
        EventKind::ApprovalDecided {
            approval: first.clone(),
            decision: parts.decision,
            decided_by: second.clone(),
            reason: parts.text_or_none.clone(),
            will_retry: parts.will_retry,
        },
        EventKind::ApprovalExpired {
            approval: first.clone(),
            reason: parts.expiry_reason,
            will_retry: parts.will_retry,
        },
        EventKind::CommandRefused { command: first.clone(), code: second.clone(), message: third },
        EventKind::SettingChanged { setting: first.clone(), value: parts.text_or_none.clone() },
        EventKind::Unsubscribed {
            scope: parts.scope,
            expires_at: parts.instant_or_none,
            refund: amount,
            original_order: parts.text_or_none,
            refunds: parts.refunds.clone(),
        },
        EventKind::Converted,
        EventKind::OrderCreated {
            order: first.clone(),
            kind: parts.order_kind,
            cost: amount,
            pay_until: parts.instant_or_none,
        },
        EventKind::OrderPaid {
            order: first.clone(),
            kind: parts.order_kind,
            cost: amount,
            refunds: parts.refunds,
        },
        EventKind::OrderCancelled { order: first.clone(), kind: parts.order_kind, cost: amount },
        EventKind::OrderExpired { order: first.clone(), kind: parts.order_kind, cost: amount },
        EventKind::BalanceChanged { amount, balance: other, reason: parts.reason },
        EventKind::PackageOrdered { pay_at: at, effective_at: later },
        EventKind::PackageBought {
            effective_at: at,
            expires_at: later,
            quota: amount,
            cost: other,
            like: first.clone(),
        },
        EventKind::PackageUsed { amount, left: other },
        EventKind::PackageRefilled { left: amount },
        EventKind::PackageLow { left: amount },
        EventKind::PackageDepleted { left: amount },
        EventKind::UsageUncovered { amount, resource_type: first.clone() },
        EventKind::Notice { notice: first.clone() },
        EventKind::PluginFailed { message: first, next_try_at: later },
        EventKind::HostResumed { down_since: at },
    ]
}

fn parts() -> impl Strategy<Value = Parts> {
    let amount = || any::<i64>().prop_map(Micros::new);
    let instant = || any::<i64>().prop_map(Timestamp::from_second);
    let term = (1..=u32::MAX, select(TermUnit::ALL.to_vec()))
        .prop_map(|(count, unit)| Term::new(count, unit).unwrap());
    let stage = || select(Stage::ALL.to_vec());
    let values = ([amount(), amount()], [instant(), instant()], [".*", ".*", ".*"]);
    let options = (option::of(".*"), option::of(instant()), term, any::<u32>());
    let words = (
        select(vec![Cause::Auto, Cause::Command]),
        [stage(), stage()],
        select(DeclineClass::ALL.to_vec()),
        select(Scope::ALL.to_vec()),
        select(Reason::ALL.to_vec()),
        (
            select(State::ALL.to_vec()),
            select(ExpiryReason::ALL.to_vec()),
            any::<bool>(),
            select(OrderKind::ALL.to_vec()),
        ),
    );
    (values, options, words, vec((".*", amount()), 0..3)).prop_map(|(values, options, words, refunds)| {
        Parts {
            amounts: values.0,
            instants: values.1,
            texts: values.2,
            text_or_none: options.0,
            instant_or_none: options.1,
            term: options.2,
            extra_days: options.3,
            cause: words.0,
            stages: words.1,
            class: words.2,
            scope: words.3,
            reason: words.4,
            order_kind: words.5.3,
            decision: words.5.0,
            expiry_reason: words.5.1,
            will_retry: words.5.2,
            refunds,
        }
    })
}

#[test]
fn every_event_is_written_as_the_table_says() {
    let parts = Parts {
        amounts: [Micros::new(-12_500_000), Micros::new(99_000_000)],
        instants: ["2026-02-28T15:59:59Z".parse().unwrap(), "2026-03-31T15:59:59Z".parse().unwrap()],
        texts: ["one".to_owned(), "two".to_owned(), "say \"three\"".to_owned()],
        text_or_none: None,
        instant_or_none: None,
        term: Term::new(1, TermUnit::Month).unwrap(),
        extra_days: 3,
        cause: Cause::Auto,
        stages: [Stage::Active, Stage::Grace],
        class: DeclineClass::Money,
        scope: Scope::All,
        order_kind: OrderKind::Upgrade,
        reason: Reason::TopUp,
        decision: State::Approved,
        expiry_reason: ExpiryReason::Undecided,
        will_retry: false,
        refunds: vec![("order-1".to_owned(), Micros::new(1))],
    };
    let at = "2026-02-28T16:00:00Z".parse::<Timestamp>().unwrap();
    let mut lines = Vec::new();
    for what in all(parts) {
        let is_host = matches!(what, EventKind::HostResumed { .. });
        let resource = (!is_host).then(|| "ecs-1".to_owned());
        let account = (!is_host).then_some("acme");
        write_line(&mut lines, account, &Event { at, resource, what }).unwrap();
    }
    expect![[r#"
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"stage_changed","from":"active","to":"grace"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_settled","cost":"-12.50","expires_before":"2026-02-28T15:59:59Z","expires_at":"2026-03-31T15:59:59Z","term":{"count":1,"unit":"month"},"cause":"auto","primary":null,"attempt":"one","extra_days":3}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_declined","code":"one","message":"two","class":"money","next_try_at":null}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_in_doubt","attempt":"one","code":"two"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_requested","approval":"one","command":"two","cause":"auto","requested_by":null,"cost":"-12.50","expires_at":"2026-03-31T15:59:59Z","attempt":null}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_decided","approval":"one","decision":"approved","decided_by":"two","reason":null,"will_retry":false}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_expired","approval":"one","reason":"undecided","will_retry":false}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"command_refused","command":"one","code":"two","message":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"setting_changed","setting":"one","value":null}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"unsubscribed","refund":"-12.50","original_order":null,"scope":"all","expires_at":null,"refunds":[{"order":"order-1","amount":"0.000001"}]}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"converted"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"balance_changed","amount":"-12.50","balance":"99.00","reason":"top_up"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_ordered","pay_at":"2026-02-28T15:59:59Z","effective_at":"2026-03-31T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_bought","effective_at":"2026-02-28T15:59:59Z","expires_at":"2026-03-31T15:59:59Z","quota":"-12.50","cost":"99.00","like":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_used","amount":"-12.50","left":"99.00"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_refilled","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_low","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_depleted","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"usage_uncovered","amount":"-12.50","resource_type":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"notice","notice":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"plugin_failed","message":"one","next_try_at":"2026-03-31T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":null,"resource":null,"type":"host_resumed","down_since":"2026-02-28T15:59:59Z"}
    "#]].assert_eq(&String::from_utf8(lines).unwrap());
}

#[test]
fn what_is_no_event_is_refused() {
    for (line, expected) in [
        (
            "{}",
            expect![[r#"
            4 problems:
              at: the field is missing
              account: the field is missing
              resource: the field is missing
              type: the field is missing"#]],
        ),
        (
            r#"{"at": "2026-02-28T16:00:00Z", "account": null, "resource": 1, "type": "x"}"#,
            expect![[r#"
            2 problems:
              resource: expected text, found the number 1
              type: there is no event of type `x`"#]],
        ),
        (
            r#"{"at": "2026-02-28T16:00:00Z", "account": null, "resource": null, "type": "converted", "x": 1}"#,
            expect![[r#"
                1 problem:
                  x: an event of this type has no field `x`"#]],
        ),
    ] {
        expected.assert_eq(&read(line).unwrap_err().to_string());
    }
}

proptest! {
    #[test]
    fn every_event_reads_back_as_it_was_written(
        parts in parts(),
        at in any::<i64>(),
        account in option::of(".*"),
        resource in option::of(".*"),
    ) {
        for what in all(parts) {
            let event = Event { at: Timestamp::from_second(at), resource: resource.clone(), what };
            let written = line(account.as_deref(), &event);
            prop_assert!(!written.contains('\n'));
            let (name, fields) = body(&event);
            prop_assert_eq!(read_body(name, &serde_json::to_string(&fields).unwrap()), Ok(event.what.clone()));
            prop_assert_eq!(read(&written), Ok((account.clone(), event)));
        }
    }
}
