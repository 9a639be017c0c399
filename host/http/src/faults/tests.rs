//! Which requests go wrong.

use perennial_formats::faults::Fault;
use perennial_formats::faults::read;

use crate::faults::Faults;

fn names(faults: &Faults, requests: &[(&str, &str)]) -> Vec<&'static str> {
    let next =
        |(method, path): &(&str, &str)| faults.next(method, path).map_or("-", |(fault, _)| fault.name());
    requests.iter().map(next).collect()
}

#[test]
fn a_request_meets_the_first_fault_that_is_left_for_it() {
    let rules = r#"[
        {"fault": "cut", "on": "POST /v2/orders", "skip": 1, "times": 2},
        {"fault": "throttle", "on": "/v2", "times": 1},
        {"fault": "stale", "on": "GET /", "times": 0}
    ]"#;
    let faults = Faults::of_rules(read(rules).unwrap());
    let (post, get) = (("POST", "/v2/orders/renew"), ("GET", "/v2/orders"));
    assert_eq!(
        names(&faults, &[post, post, post, post, get, get, ("PUT", "/v2")]),
        ["throttle", "cut", "cut", "-", "stale", "stale", "-"]
    );
    let report = faults.report();
    assert_eq!(report["requests"], 7);
    assert_eq!(report["met"], serde_json::json!({"cut": 2, "stale": 2, "throttle": 1}));
}

#[test]
fn a_seed_makes_the_same_requests_go_wrong_again() {
    let of_seed = |seed| names(&Faults::of_seed(seed, 3), &[("GET", "/"); 3_000]);
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
    let met = of_seed(1).into_iter().filter(|name| *name != "-").collect::<Vec<_>>();
    assert!((900..1_100).contains(&met.len()), "{} of 3,000", met.len());
    for name in
        ["time_out", "late", "throttle", "fail_before", "fail_after", "cut", "garbage", "stale", "skew"]
    {
        assert!(met.iter().filter(|other| **other == name).count() > 50, "{name}");
    }
}

#[test]
fn other_rules_replace_those_before_and_wrong_ones_do_not() {
    let faults = Faults::of_seed(1, 1);
    faults.set_file(r#"[{"fault": "garbage"}]"#).unwrap();
    assert!(faults.set_file(r#"[{"fault": "nothing"}]"#).is_err());
    assert_eq!(faults.next("GET", "/"), Some((Fault::Garbage, 5)));
    assert_eq!(faults.next("GET", "/"), None);
}
