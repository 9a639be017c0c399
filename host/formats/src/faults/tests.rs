//! Files of faults, and everything that is wrong with one at once.

use crate::faults::Fault;
use crate::faults::FaultRule;
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
    let renew = "/v2/orders/subscriptions/resources/renew".to_owned();
    let post = Some("POST".to_owned());
    let time_out =
        FaultRule { fault: Fault::TimeOut, method: post, path: renew, seconds: 2, skip: 1, times: 1 };
    let body = "{\"error_code\": \"CBC.0151\"}".to_owned();
    let fault = Fault::Reject { status: 403, body };
    let reject = FaultRule { fault, method: None, path: "/".to_owned(), seconds: 5, skip: 0, times: 0 };
    assert_eq!(rules[..2], [time_out, reject]);
    let Fault::SomebodyRenews { resource, term, options } = &rules[2].fault else {
        panic!("{:?}", rules[2].fault);
    };
    assert_eq!((resource.as_str(), rules[2].path.as_str()), ("ecs-1", "/v2"));
    assert_eq!((term.map(|term| term.count.get()), options["is_auto_pay"].as_str()), (Some(1), "0"));
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
    let problems = problems.to_string();
    // One for each mistake, each where it stands.
    for (line, name) in
        [(2, "[0].fault"), (3, "[1].status"), (3, "[1].seconds"), (4, "[2].on"), (5, "[3].on")]
    {
        let is_it = |problem: &str| problem.contains(&format!("line {line}")) && problem.contains(name);
        assert!(problems.lines().any(is_it), "{name} on line {line} is not in\n{problems}");
    }
    assert!(problems.contains("resource"), "a field that no cut connection has:\n{problems}");
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
