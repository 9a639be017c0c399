//! Scripts that mean harm, bound on a running host among others: each hurts the plans that it is asked about, by the clock and
//! through a provider's own API, and no other.

use std::fmt::Write as _;

use expect_test::expect;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

use crate::policies::NOW;
use crate::policies::advance;
use crate::policies::renew_through_huawei;
use crate::policies::shown;

/// Scripts by the tag of the resources that each is asked about.
const HOSTILE: [(&str, &str); 8] = [
    ("loop", "fn rule(plan) {\n    loop {}\n}"),
    ("deep", "fn deeper(n) {\n    deeper(n + 1)\n}\nfn rule(plan) {\n    deeper(0)\n}"),
    ("text", "fn rule(plan) {\n    let text = \"x\";\n    loop { text += text; }\n}"),
    ("list", "fn rule(plan) {\n    let list = [0];\n    loop { list += list; }\n}"),
    ("type", "fn rule(plan) {\n    if plan.at < 5 { approve() }\n}"),
    ("value", "fn rule(plan) {\n    \"approve\"\n}"),
    ("notes", "fn rule(plan) {\n    for i in 0..1000000 { note(`${i}`); }\n    approve()\n}"),
    ("throw", "fn rule(plan) {\n    throw \"no\";\n}"),
];

/// Two resources for each script, of which one is renewed by the clock, and two that only a good policy is asked about.
fn inventory() -> Value {
    let resource = |script: &str, way: &str, on_expiry: &str| {
        json!({
            "id": format!("{script}-{way}"), "account": "acme", "kind": "ecs", "region": "r", "charging": "prepaid",
            "started_at": "2026-02-04T02:00:00Z", "expires_at": "2026-03-10T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": on_expiry,
            "tags": { "script": script },
        })
    };
    let scripts = HOSTILE.iter().map(|(name, _)| *name).chain(["good"]);
    let resources =
        scripts.flat_map(|name| [resource(name, "clock", "renew"), resource(name, "api", "lapse")]);
    json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": resources.collect::<Vec<_>>(),
    })
}

/// What was ruled on a resource and whether it was renewed.
fn ruled(server: &Server, resource: &str) -> String {
    let events = server.events();
    let kinds = events.iter().filter_map(|event| {
        let [_, kind, _, of, body] = event.splitn(5, ' ').collect::<Vec<_>>()[..] else { return None };
        if of != resource {
            return None;
        }
        let body: Value = serde_json::from_str(body).unwrap();
        match kind {
            "policy_ruled" => Some(format!("{} {}", body["ruling"].as_str()?, body["reason"].as_str()?)),
            "renewal_settled" | "command_refused" => Some(kind.to_owned()),
            _ => None,
        }
    });
    kinds.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_hostile_script_hurts_only_its_own_plans_by_clock_and_api() {
    let server = Server::start("huawei", NOW, &inventory());
    let mut file = "[[policy]]\nname = \"good\"\nscript = \"good.rhai\"\n".to_owned();
    let mut scripts = json!({ "good.rhai": "fn rule(plan) { approve() }" });
    for (name, script) in HOSTILE {
        let _ = write!(
            file,
            "[[policy]]\nname = \"{name}\"\nscript = \"{name}.rhai\"\ntags = [\"script={name}\"]\non_failure = \"deny\"\n"
        );
        scripts[format!("{name}.rhai")] = script.into();
    }
    let installed = server.post_to_admin("/v1/policies", &json!({ "file": file, "scripts": scripts }));
    assert_eq!(installed.status, 200, "{}", installed.body);
    let names = HOSTILE.iter().map(|(name, _)| *name).chain(["good"]).collect::<Vec<_>>();
    let answers = names.iter().map(|name| renew_through_huawei(&server, &format!("{name}-api")));
    let answers = answers.collect::<Vec<_>>();
    // The tries of all of them are due in one batch.
    advance(&server, "2026-03-03T00:00:00Z");
    let mut table = String::new();
    for (name, answer) in names.iter().zip(&answers) {
        let answer = shown(answer);
        let code = answer.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let by_api = ruled(&server, &format!("{name}-api"));
        let by_clock = ruled(&server, &format!("{name}-clock"));
        let _ = writeln!(table, "{name:<6} API {code}: {by_api}\n       clock: {by_clock}");
    }
    expect![[r#"
        loop   API 403 CBC.0151: failed loop.rhai: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 2, column 5: `loop {}`); command_refused
               clock: failed loop.rhai: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 2, column 5: `loop {}`)
        deep   API 403 CBC.0151: failed deep.rhai: calls within calls go deeper than 24: a function that calls itself (in `deeper`, line 2, column 16: `deeper(n + 1)`); command_refused
               clock: failed deep.rhai: calls within calls go deeper than 24: a function that calls itself (in `deeper`, line 2, column 16: `deeper(n + 1)`)
        text   API 403 CBC.0151: failed text.rhai: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 3, column 20: `loop { text += text; }`); command_refused
               clock: failed text.rhai: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 3, column 20: `loop { text += text; }`)
        list   API 403 CBC.0151: failed list.rhai: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 3, column 20: `loop { list += list; }`); command_refused
               clock: failed list.rhai: a value becomes too large: a text has at most 4096 bytes, a list 4000 items, a map 1000 names (in `rule`, line 3, column 20: `loop { list += list; }`)
        type   API 403 CBC.0151: failed type.rhai: `<` cannot compare an instant with a whole number (in `rule`, line 2, column 16: `if plan.at < 5 { approve() }`); command_refused
               clock: failed type.rhai: `<` cannot compare an instant with a whole number (in `rule`, line 2, column 16: `if plan.at < 5 { approve() }`)
        value  API 403 CBC.0151: failed value.rhai: `rule` returned text, which is no ruling such as approve() or deny("why") (in `rule`); command_refused
               clock: failed value.rhai: `rule` returned text, which is no ruling such as approve() or deny("why") (in `rule`)
        notes  API 403 CBC.0151: failed notes.rhai: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 2, column 27: `for i in 0..1000000 { note(`${i}`); }`); command_refused
               clock: failed notes.rhai: more than 20000 operations: a loop that does not end, or too much work for one plan (in `rule`, line 2, column 27: `for i in 0..1000000 { note(`${i}`); }`)
        throw  API 403 CBC.0151: failed throw.rhai: no (in `rule`, line 2, column 5: `throw "no";`); command_refused
               clock: failed throw.rhai: no (in `rule`, line 2, column 5: `throw "no";`)
        good   API 200: renewal_settled
               clock: renewal_settled
    "#]].assert_eq(&table);
}
