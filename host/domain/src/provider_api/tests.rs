//! What a plugin may answer through its provider's API: keys in order, safe responses, steps within bounds.

use super::*;

fn signed(keys: &[usize], key: usize) -> Authentication {
    let derivation = |&key| Derivation { key, prefix: vec![], message: vec![], encoding: KeyEncoding::Bytes };
    let signature =
        Signature { derivations: keys.iter().map(derivation).collect(), key, message: vec![], value: vec![] };
    let credentials = Credentials::Signature { access_key: "ak".to_owned(), signature };
    Authentication { credentials, valid_until: Timestamp::from_second(0) }
}

fn response(status: u16, name: &str, value: &str) -> Response {
    Response { status, headers: vec![(name.to_owned(), value.to_owned())], body: vec![] }
}

#[test]
fn a_key_is_made_before_it_is_used() {
    for (keys, key) in [(&[][..], 0), (&[0], 1), (&[0, 0], 1), (&[0, 1], 2)] {
        assert_eq!(check_authentication(&signed(keys, key)), Ok(()), "{keys:?} {key}");
    }
    for (keys, key) in [(&[][..], 1), (&[1], 0), (&[0, 2], 0), (&[0], 2)] {
        assert!(check_authentication(&signed(keys, key)).is_err(), "{keys:?} {key}");
    }
    assert!(check_authentication(&signed(&[0; 8], 8)).is_ok());
    assert!(check_authentication(&signed(&[0; 9], 8)).is_err());
}

#[test]
fn a_response_breaks_no_connection() {
    for status in [200, 404, 599] {
        assert_eq!(check_response(&response(status, "x-a", "b c")), Ok(()));
    }
    for wrong in [
        response(100, "x", ""),
        response(600, "x", ""),
        response(200, "", ""),
        response(200, "a b", ""),
        response(200, "a\r\nb", ""),
        response(200, "x", "a\r\nb: c"),
        response(200, "x", "\u{e9}"),
        response(200, "Content-Length", "3"),
        response(200, "transfer-encoding", "chunked"),
    ] {
        assert!(check_response(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_step_is_bounded() {
    let selection = |ids: usize, limit| ResourceFilter {
        ids: vec!["a".to_owned(); ids],
        with_attached: false,
        only_primaries: false,
        kinds: vec![],
        stages: vec![],
        charging: None,
        expires_from: None,
        expires_until: None,
        offset: 0,
        limit,
    };
    let look = |ids, limit| NextStep::Query(vec![Query::Resources(selection(ids, limit))]);
    let issue = |seconds| {
        let mutations = vec![Mutation::IssueToken(seconds)];
        NextStep::Execute(Transaction {
            mutations,
            atomicity: Atomicity::Independent,
            reject_replay: false,
            omit_orders: false,
        })
    };
    for step in
        [look(0, 0), look(1000, 1000), issue(1), issue(86_400), NextStep::Query(vec![Query::Balance; 100])]
    {
        assert_eq!(check_step(&step), Ok(()));
    }
    let empty = NextStep::Execute(Transaction {
        mutations: vec![],
        atomicity: Atomicity::Independent,
        reject_replay: true,
        omit_orders: false,
    });
    let set = |name: usize, value: usize| {
        let mutation = Mutation::SetAttribute {
            resource: "r".to_owned(),
            name: "n".repeat(name),
            value: "v".repeat(value),
        };
        NextStep::Execute(Transaction {
            mutations: vec![mutation],
            atomicity: Atomicity::Independent,
            reject_replay: true,
            omit_orders: false,
        })
    };
    assert_eq!(check_step(&set(128, 4_096)), Ok(()));
    for step in [
        set(129, 0),
        set(1, 4_097),
        look(1001, 0),
        look(0, 1001),
        issue(0),
        issue(u32::MAX),
        empty,
        NextStep::Query(vec![]),
        NextStep::Query(vec![Query::Balance; 101]),
    ] {
        assert!(check_step(&step).is_err(), "{step:?}");
    }
}
