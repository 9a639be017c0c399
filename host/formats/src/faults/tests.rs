//! Files of faults, and everything that is wrong with one at once.

use expect_test::expect;

use crate::faults::Fault;
use crate::faults::NAMES;
use crate::faults::read;

#[test]
fn a_file_of_faults_is_read() {
    let rules = read(
        r#"[
            {"fault": "time_out", "on": "POST /v2/orders/subscriptions/resources/renew", "seconds": 2, "skip": 1},
            {"fault": "reject", "status": 403, "body": "{\"error_code\": \"CBC.0151\"}", "times": 0},
            {"fault": "somebody_renews", "resource": "ecs-1", "term": {"count": 1, "unit": "month"},
             "options": {"is_auto_pay": "0"}, "on": "/v2"}
        ]"#,
    )
    .unwrap();
    expect![[r#""#]].assert_eq(&format!("{rules:#?}"));
}

#[test]
fn everything_wrong_with_a_file_is_said_at_once() {
    let problems = read(
        r#"[
            {"fault": "explode"},
            {"fault": "reject", "status": 200, "seconds": 0},
            {"fault": "cut", "on": "renew", "resource": "ecs-1"},
            {"on": "POST v2"}
        ]"#,
    )
    .unwrap_err();
    expect![[r#""#]].assert_eq(&problems.to_string());
}

#[test]
fn each_fault_is_read_by_the_name_that_it_is_shown_with() {
    for (name, fault) in NAMES {
        assert_eq!(fault.name(), name);
        let rules = read(&format!(r#"[{{"fault": "{name}"}}]"#)).unwrap();
        assert_eq!((&rules[0].fault, rules[0].times, rules[0].seconds), (&fault, 1, 5));
    }
    assert_eq!(Fault::Reject { status: 400, body: String::new() }.name(), "reject");
}
