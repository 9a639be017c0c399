//! Questions to policies and their answers, as they are kept and back again.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::PolicyIndex;
use perennial_domain::policy::Amendment;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::figures::Figures;
use perennial_domain::term::TermUnit;

use super::*;

fn resource() -> Resource {
    Resource {
        id: "ecs-1".to_owned(),
        kind: "ecs".to_owned(),
        region: "r".to_owned(),
        attached_to: None,
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: Timestamp::from_second(0),
        expires_at: Some(Timestamp::from_second(86_400)),
        anchor_day: Some(2),
        term: Term::new(1, TermUnit::Month),
        price: Some(Micros::new(99_000_000)),
        on_expiry: OnExpiry::Renew,
        renewals_left: None,
        renewal_term: None,
        has_unpaid_order: true,
        package: None,
        attributes: BTreeMap::new(),
        tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
    }
}

/// A question with everything that there can be, on the days of a provider so many minutes ahead of UTC.
fn full(utc_offset_minutes: i16) -> RulingRequest {
    let at = Timestamp::from_second(4_000);
    let month = Term::new(1, TermUnit::Month).unwrap();
    let price = Micros::new(-1_500_000);
    RulingRequest {
        policies: vec![PolicyVersion {
            name: "p".to_owned(),
            digest: "0123".to_owned(),
            on_failure: OnFailure::Deny,
        }],
        calendars: vec![Calendar { name: "freeze".to_owned(), days: vec![(-3, 20_000)] }],
        account: AccountFacts {
            id: "acme".to_owned(),
            provider: "huawei".to_owned(),
            currency: "CNY".to_owned(),
            settings: BTreeMap::from([("site".to_owned(), "cn".to_owned())]),
            utc_offset_minutes,
            balance: Micros::new(1),
            budget: Some(Budget { limit: Micros::new(5_000_000), spent: price }),
        },
        plan: PlanFacts {
            account: AccountIndex::new(0),
            command: "renew".to_owned(),
            cause: Cause::Command,
            cost: Some(price),
            refund: None,
            at,
            tries: Tries { first: Some(at), next: None, last: Some(at) },
            term: Some(month),
            options: Some(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
            members: vec![(resource(), 3)],
            expires_after: Some(at),
            requested_by: Some("alice".to_owned()),
            extensions: vec![ExtensionPrice { price, per: month, extra_days: 2 }],
            quotes: vec![(month, price)],
            policies: vec![PolicyIndex::new(0)],
            is_pending: true,
        },
        context: RulingContext {
            is_shadow: true,
            is_provider_api: true,
            approved: vec!["p".to_owned(), "approval_above".to_owned()],
        },
    }
}

fn text(asked: &RulingRequest) -> String {
    question(&asked.policies, &asked.calendars, &asked.account, &asked.plan, &asked.context).to_text()
}

#[test]
fn what_policies_are_asked_comes_back_whole() {
    for offset in [480, 0, -720] {
        let asked = full(offset);
        assert_eq!(read_request(&text(&asked)).unwrap(), asked);
    }
    let mut bare = full(0);
    (bare.calendars, bare.account.budget, bare.plan.options) = (Vec::new(), None, None);
    (bare.plan.cost, bare.plan.term, bare.plan.tries) = (None, None, Tries::default());
    (bare.context, bare.policies[0].on_failure) = (RulingContext::default(), OnFailure::Default);
    assert_eq!(read_request(&text(&bare)).unwrap(), bare);
    // What is as usual takes no room: it is what was kept before there was anything else.
    assert!(text(&bare).ends_with(r#""is_pending":true}}"#), "{}", text(&bare));
}

#[test]
fn a_question_without_members_is_no_question() {
    let mut asked = full(0);
    asked.plan.members.clear();
    let problems = read_request(&text(&asked)).unwrap_err().to_string();
    assert!(problems.contains("a bundle has at least one member"), "{problems}");
}

#[test]
fn each_ruling_has_its_fields() {
    let reason = "because".to_owned();
    let at = Timestamp::from_second(0);
    let amendment = Amendment { term: Term::new(3, TermUnit::Month), options: None };
    let rulings = [
        Ruling::Approve,
        Ruling::Deny { reason: reason.clone() },
        Ruling::RequireApproval { reason: reason.clone(), by: None, expires_at: Some(at) },
        Ruling::Defer { until: at, reason: reason.clone() },
        Ruling::Amend { amendment, reason },
        Ruling::Fail(ScriptFailure::whole("stopped".to_owned())),
    ];
    let given = rulings.map(|ruling| PolicyAnswer { ruling, notes: vec!["n".to_owned()] });
    let figures = Figures { balance: Micros::new(2), spent: Micros::ZERO };
    let written = answers(figures, &given).to_text();
    assert_eq!(read_answers(&written).unwrap(), given.to_vec());
    expect![[r#"
        {"balance":"0.000002","spent":"0.00","answers":[{"ruling":{"approve":{}},"notes":["n"]},
        {"ruling":{"deny":{"reason":"because"}},"notes":["n"]},
        {"ruling":{"require_approval":{"reason":"because","by":null,"expires_at":"1970-01-01T00:00:00Z"}},"notes":["n"]},
        {"ruling":{"defer":{"until":"1970-01-01T00:00:00Z","reason":"because"}},"notes":["n"]},
        {"ruling":{"amend":{"term":{"count":3,"unit":"month"},"options":null,"reason":"because"}},"notes":["n"]},
        {"ruling":{"fail":{"message":"stopped","function":"","line":0,"column":0,"text":""}},"notes":["n"]}]}"#]].assert_eq(&written.replace("},{", "},\n{"));
}

#[test]
fn an_answer_that_is_no_ruling_is_refused() {
    expect![[r#"
        2 problems:
          answers[0].ruling.allow: there is no ruling `allow`
          answers[1].ruling.defer.until: the field is missing"#]]
    .assert_eq(
        &read_answers(
            r#"{"balance":"0.00","spent":"0.00","answers":[{"ruling":{"allow":{}},"notes":[]},
            {"ruling":{"defer":{"reason":"later"}},"notes":[]}]}"#,
        )
        .unwrap_err()
        .to_string(),
    );
}
