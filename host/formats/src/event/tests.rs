//! Every event as a line, and back again. Events are made from the list of their types, so a new type is tested at once.

use expect_test::expect;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::field::FieldSource;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::body;
use super::line;
use super::read;
use super::read_body;
use super::write_line;

/// What the fields of an event are taken from, in turn.
#[derive(Clone, Debug)]
struct DrawnValues {
    amounts: Vec<Micros>,
    instants: Vec<Timestamp>,
    texts: Vec<String>,
    terms: Vec<Term>,
    numbers: Vec<u32>,
    flags: Vec<bool>,
    refunds: Vec<(String, Micros)>,
    /// How many fields were taken.
    taken: usize,
}

impl DrawnValues {
    /// One event of every type.
    fn events(&self) -> impl Iterator<Item = EventKind> {
        EventKind::TYPES
            .iter()
            .map(|name| EventKind::read(name, &mut self.clone()).expect("every field is drawn"))
    }
}

fn next<T: Clone>(values: &[T], taken: &mut usize) -> Option<T> {
    let value = values[*taken % values.len()].clone();
    *taken += 1;
    Some(value)
}

impl FieldSource for DrawnValues {
    fn is_absent(&mut self, _: &str) -> bool {
        next(&self.flags, &mut self.taken).unwrap()
    }

    fn text(&mut self, _: &str) -> Option<String> {
        next(&self.texts, &mut self.taken)
    }

    fn word(&mut self, _: &str, words: &[&'static str]) -> Option<usize> {
        let number = usize::try_from(next(&self.numbers, &mut self.taken)?).unwrap();
        Some(number % words.len())
    }

    fn amount(&mut self, _: &str) -> Option<Micros> {
        next(&self.amounts, &mut self.taken)
    }

    fn instant(&mut self, _: &str) -> Option<Timestamp> {
        next(&self.instants, &mut self.taken)
    }

    fn term(&mut self, _: &str) -> Option<Term> {
        next(&self.terms, &mut self.taken)
    }

    fn count(&mut self, _: &str) -> Option<u32> {
        next(&self.numbers, &mut self.taken)
    }

    fn day(&mut self, _: &str) -> Option<u8> {
        u8::try_from(next(&self.numbers, &mut self.taken)? % 31 + 1).ok()
    }

    fn flag(&mut self, _: &str) -> Option<bool> {
        next(&self.flags, &mut self.taken)
    }

    fn refunds(&mut self, _: &str) -> Option<Vec<(String, Micros)>> {
        Some(self.refunds.clone())
    }
}

fn drawn() -> impl Strategy<Value = DrawnValues> {
    let amount = || any::<i64>().prop_map(Micros::new);
    let instant = any::<i64>().prop_map(Timestamp::from_second);
    let term = (1..=u32::MAX, prop::sample::select(TermUnit::ALL.to_vec()))
        .prop_map(|(count, unit)| Term::new(count, unit).unwrap());
    let values = (vec(amount(), 1..9), vec(instant, 1..9), vec(".*", 1..9), vec(term, 1..3));
    let small = (vec(any::<u32>(), 1..9), vec(any::<bool>(), 1..9), vec((".*", amount()), 0..3));
    (values, small).prop_map(|((amounts, instants, texts, terms), (numbers, flags, refunds))| DrawnValues {
        amounts,
        instants,
        texts,
        terms,
        numbers,
        flags,
        refunds,
        taken: 0,
    })
}

#[test]
fn every_event_is_written_as_the_table_says() {
    let texts = ["one", "two", "say \"three\"", "four", "five"];
    let instants = ["2026-02-28T15:59:59Z", "2026-03-31T15:59:59Z", "2026-04-30T15:59:59Z"];
    let drawn = DrawnValues {
        amounts: [-12_500_000, 99_000_000, 7_000_001].map(Micros::new).to_vec(),
        instants: instants.map(|at| at.parse().unwrap()).to_vec(),
        texts: texts.map(str::to_owned).to_vec(),
        terms: vec![Term::new(1, TermUnit::Month).unwrap()],
        numbers: vec![0, 1, 2, 3],
        flags: vec![true, false],
        refunds: vec![("order-1".to_owned(), Micros::new(1))],
        taken: 0,
    };
    let at = "2026-02-28T16:00:00Z".parse::<Timestamp>().unwrap();
    let mut lines = Vec::new();
    for what in drawn.events() {
        let is_host = what.name() == "host_resumed";
        let resource = (!is_host).then(|| "ecs-1".to_owned());
        let account = (!is_host).then_some("acme");
        write_line(&mut lines, account, &Event { at, resource, what }).unwrap();
    }
    expect![[r#"
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"stage_changed","from":"active","to":"grace"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_settled","cost":"-12.50","expires_before":"2026-03-31T15:59:59Z","expires_at":"2026-04-30T15:59:59Z","term":{"count":1,"unit":"month"},"cause":"auto","primary":"two","attempt":"say \"three\"","extra_days":0}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_declined","code":"one","message":"two","class":"throttled","next_try_at":"2026-03-31T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"renewal_in_doubt","attempt":"one","code":"two"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"command_in_doubt","command":"one","code":"two"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"sending_late","deadline":"2026-02-28T15:59:59Z","renewals":1,"safe_start":"2026-04-30T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"connection_failed","problem":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"connection_restored"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_requested","approval":"one","command":"two","cause":"auto","requested_by":"five","cost":"7.000001","expires_at":"2026-02-28T15:59:59Z","attempt":"four"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_decided","approval":"one","decision":"approved","decided_by":"say \"three\"","reason":"five","will_retry":false}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_given","approval":"one","policy":"two","given_by":"say \"three\"","reason":"five"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"approval_expired","approval":"one","reason":"ended","will_retry":true}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"policy_ruled","policy":"one","ruling":"approval_required","command":"say \"three\"","cause":"command","reason":"five","until":"2026-02-28T15:59:59Z","shadow":false}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"policy_note","policy":"one","text":"two","shadow":true}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"policy_installed","policy":"one","digest":"two","digest_before":null,"mode":"four","changed_by":"five"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"policy_removed","policy":"one","digest_before":"two","changed_by":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"policy_calendar_changed","calendar":"one","removed":false,"changed_by":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"revision_installed","provider":"one","digest":"two","origin":"say \"three\"","signed_by":"five","granted":"two","changed_by":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"revision_bound","provider":"one","accounts":"two","mode":"say \"three\"","digest":"four","digest_before":null,"changed_by":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"revision_unbound","provider":"one","accounts":"two","mode":"say \"three\"","digest_before":"four","changed_by":"five"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"command_refused","command":"one","code":"two","message":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"setting_changed","setting":"one","value":"say \"three\""}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"unsubscribed","refund":"-12.50","original_order":"say \"three\"","scope":"future","expires_at":null,"refunds":[{"order":"order-1","amount":"0.000001"}]}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"converted"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"order_created","order":"one","kind":"renewal","cost":"7.000001","pay_until":"2026-03-31T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"order_paid","order":"one","kind":"renewal","cost":"7.000001","refunds":[{"order":"order-1","amount":"0.000001"}]}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"order_cancelled","order":"one","kind":"renewal","cost":"7.000001"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"order_expired","order":"one","kind":"renewal","cost":"7.000001"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"balance_changed","amount":"-12.50","balance":"99.00","reason":"renewal"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_ordered","pay_at":"2026-02-28T15:59:59Z","effective_at":"2026-03-31T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_bought","effective_at":"2026-02-28T15:59:59Z","expires_at":"2026-03-31T15:59:59Z","quota":"7.000001","cost":"-12.50","like":"five"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_used","amount":"-12.50","left":"99.00"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_refilled","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_low","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"package_depleted","left":"-12.50"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"usage_uncovered","amount":"-12.50","resource_type":"two"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"notice","notice":"one"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"plugin_failed","message":"one","next_try_at":"2026-04-30T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"bundle_parked","revision":"one","message":"two"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"bundle_unparked","changed_by":null}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"breaker_opened","provider":"one","revision":"two","message":"say \"three\"","next_try_at":"2026-02-28T15:59:59Z"}
        {"at":"2026-02-28T16:00:00Z","account":"acme","resource":"ecs-1","type":"breaker_closed","revision":"one","changed_by":"say \"three\""}
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

#[test]
fn every_problem_of_an_event_is_reported_at_once() {
    let line = r#"{"at": "2026-02-28T16:00:00Z", "account": null, "resource": null, "type": "package_bought",
        "effective_at": "soon", "expires_at": "2026-03-31T15:59:59Z", "quota": 1, "like": "pkg"}"#;
    expect![[r#"
        3 problems:
          cost: the field is missing
          effective_at: `soon` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
          quota: expected text, found the number 1"#]]
    .assert_eq(&read(line).unwrap_err().to_string());
}

proptest! {
    #[test]
    fn every_event_reads_back_as_it_was_written(
        drawn in drawn(),
        at in any::<i64>(),
        account in prop::option::of(".*"),
        resource in prop::option::of(".*"),
    ) {
        for what in drawn.events() {
            let event = Event { at: Timestamp::from_second(at), resource: resource.clone(), what };
            let written = line(account.as_deref(), &event);
            prop_assert!(!written.contains('\n'));
            let (name, fields) = body(&event);
            prop_assert_eq!(read_body(name, &serde_json::to_string(&fields).unwrap()), Ok(event.what.clone()));
            prop_assert_eq!(read(&written), Ok((account.clone(), event)));
        }
    }
}
