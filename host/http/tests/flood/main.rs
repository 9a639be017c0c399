//! Every route and every field of the admin API, from its own description, with what no client should send: long text, deep
//! nesting, long lists, wide objects and wrong types. Each is refused with a bounded answer, memory stays where it was, and the
//! host goes on.
//!
//! A route or a field that is added later is flooded, too.

#[path = "../api/harness.rs"]
#[allow(dead_code, reason = "the API's other tests use the rest")]
mod harness;

use std::collections::BTreeSet;

use perennial_formats::body_limits::BodyLimits;
use serde_json::Value;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;

/// The longest answer to a request that is refused, in bytes: a hundred problems of some hundred characters.
const ANSWER_MAX: usize = 64 * 1024;
/// How much more memory the process may have afterwards, in bytes.
const MEMORY_MAX: i64 = 64 << 20;
/// The most that is sent in one value, in bytes or items: a megabyte.
const MUCH: usize = 1 << 20;

/// Values that no field takes, with what they are called.
fn hostile() -> Vec<(&'static str, Value)> {
    let text = |length: usize| Value::from("x".repeat(length));
    let wide = |fields: usize| {
        (0..fields).map(|number| (format!("f{number}"), json!("v"))).collect::<serde_json::Map<_, _>>()
    };
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![
        ("text a byte too long", text(BodyLimits::DEFAULT.text_bytes_max + 1)),
        ("a megabyte of text", text(MUCH)),
        ("a long list", Value::from(vec![json!("x"); 200_000])),
        ("a list of objects", Value::from(vec![json!({}); 100_000])),
        ("an object one field too wide", wide(BodyLimits::DEFAULT.fields_max + 1).into()),
        ("a wide object", wide(20_000).into()),
        ("a name a byte too long", json!({ "n".repeat(BodyLimits::DEFAULT.name_bytes_max + 1): "v" })),
        ("a long name", json!({ "n".repeat(MUCH): "v" })),
        ("deep nesting", deep),
        ("a large number", json!(u64::MAX)),
        ("a fraction", json!(-0.5)),
    ]
}

/// The schema that a schema stands for.
fn resolved<'d>(description: &'d Value, schema: &'d Value) -> &'d Value {
    let reference = schema["$ref"].as_str().or_else(|| {
        let options = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|name| schema[name].as_array())?;
        options.iter().find_map(|option| option["$ref"].as_str())
    });
    match reference {
        Some(reference) => &description["components"]["schemas"][reference.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// Every field of a schema as a pointer into a body, at most three objects deep; of lists, the first item.
fn fields(description: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if at.matches('/').count() > 4 {
        return;
    }
    let schema = resolved(description, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        found.push(at.clone());
        fields(description, field, &at, found);
    }
    if schema["items"].is_object() {
        let at = format!("{at}/0");
        found.push(at.clone());
        fields(description, &schema["items"], &at, found);
    }
    if schema["additionalProperties"].is_object() {
        found.push(format!("{at}/name"));
    }
}

/// The body with this value at `pointer`; what has to be there on the way is made.
fn with(body: &Value, pointer: &str, value: &Value) -> Value {
    let mut body = body.clone();
    let mut place = &mut body;
    for name in pointer.split('/').skip(1) {
        if name == "0" {
            if !place.is_array() {
                *place = json!([]);
            }
            let list = place.as_array_mut().unwrap();
            if list.is_empty() {
                list.push(Value::Null);
            }
            place = &mut list[0];
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            place = place.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
        }
    }
    *place = value.clone();
    body
}

/// The path of a route with ids in it that may be there.
fn path(route: &str) -> String {
    let ids = [("/v1/accounts/{id}", "acme-hw"), ("/v1/resources/{id}", "ecs-1")];
    let id = ids.iter().find(|(prefix, _)| route.starts_with(prefix)).map_or("none", |(_, id)| id);
    route
        .replace("{id}", id)
        .replace("{secret}", "none")
        .replace("{digest}", "none")
        .replace("{message}", "none")
}

/// The memory of the process, in bytes, after what is free was given back.
fn memory() -> i64 {
    perennial_service::memory::give_back();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).map_or(0, |resident| resident.parse::<i64>().unwrap() * 4096)
}

/// The answers that are not refusals, or too long.
#[derive(Default)]
struct Flood {
    sent: usize,
    wrong: Vec<String>,
}

impl Flood {
    fn send(&mut self, server: &Server, method: &str, path: &str, body: &str, what: &str, is_refused: bool) {
        let answer = server.send("admin", method, path, &[], body);
        self.judge(&answer, method, path, what, is_refused);
    }

    fn judge(&mut self, answer: &ApiResponse, method: &str, path: &str, what: &str, is_refused: bool) {
        self.sent += 1;
        let status = answer.status.as_u16();
        let is_well = (400..500).contains(&status) || !is_refused && status < 500;
        if !is_well || is_refused && answer.body.len() > ANSWER_MAX {
            let shown = answer.body.chars().take(200).collect::<String>();
            let shown_path = path.chars().take(80).collect::<String>();
            self.wrong.push(format!(
                "{method} {shown_path}: {what}: {status}, {} bytes: {shown}",
                answer.body.len()
            ));
        }
    }
}

fn description(server: &Server) -> Value {
    server.get("", "/openapi.json").json()
}

#[test]
fn every_field_of_every_body_refuses_what_is_too_much() {
    let server = Server::furnished();
    let description = description(&server);
    let values = hostile();
    let mut flood = Flood::default();
    let before = memory();
    let mut count = 0;
    for (route, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            let example = if content["example"].is_object() { content["example"].clone() } else { json!({}) };
            let mut pointers = Vec::new();
            fields(&description, &content["schema"], "", &mut pointers);
            pointers.extend([String::new(), "/no_such_field".to_owned()]);
            for pointer in pointers {
                count += 1;
                for (what, value) in &values {
                    // An option is any JSON, which the provider's rules read as text; a script is as long as a body may be.
                    let is_option = pointer.ends_with("/options/name") && !value.is_string();
                    let is_script = pointer == "/scripts/name" && value.is_string();
                    let is_refused = !is_option && !is_script;
                    let body = with(&example, &pointer, value).to_string();
                    let what = format!("`{pointer}` is {what}");
                    flood.send(&server, &method.to_uppercase(), &path(route), &body, &what, is_refused);
                }
            }
        }
    }
    let grown = memory() - before;
    assert!(count > 100, "only {count} fields were found");
    assert!(
        flood.wrong.is_empty(),
        "{} of {}: {:#?}",
        flood.wrong.len(),
        flood.sent,
        &flood.wrong[..flood.wrong.len().min(60)]
    );
    assert!(grown < MEMORY_MAX, "{grown} bytes are not given back after {} requests", flood.sent);
    assert_eq!(server.get("admin", "/v1/resources/ecs-1").status, 200, "it goes on");
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "500.00", "nothing was done");
}

#[test]
fn every_path_and_every_parameter_stands_what_is_too_much() {
    let server = Server::furnished();
    let description = description(&server);
    let mut flood = Flood::default();
    let before = memory();
    let texts = [
        "x".repeat(60_000),
        "%00".repeat(2_000),
        "-1".to_owned(),
        "9".repeat(400),
        "%ff%fe".to_owned(),
        "a,".repeat(20_000),
    ];
    for (route, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if route.contains("stream") {
                continue;
            }
            let method = method.to_uppercase();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                for text in &texts {
                    let what = format!("`{name}` is {}…", text.chars().take(6).collect::<String>());
                    match parameter["in"].as_str().unwrap() {
                        "path" => {
                            let path = route.replace(&format!("{{{name}}}"), text);
                            flood.send(&server, &method, &path, "", &what, true);
                        }
                        "query" => {
                            let path = format!("{}?{name}={text}", path(route));
                            flood.send(&server, &method, &path, "", &what, false);
                        }
                        _ => {}
                    }
                }
            }
            let many = (0..5_000).map(|number| format!("p{number}=1&")).collect::<String>();
            flood.send(
                &server,
                &method,
                &format!("{}?{many}", path(route)),
                "",
                "there are 5,000 parameters",
                false,
            );
        }
    }
    let grown = memory() - before;
    assert!(flood.sent > 300, "only {} requests were sent", flood.sent);
    assert!(
        flood.wrong.is_empty(),
        "{} of {}: {:#?}",
        flood.wrong.len(),
        flood.sent,
        &flood.wrong[..flood.wrong.len().min(60)]
    );
    assert!(grown < MEMORY_MAX, "{grown} bytes are not given back after {} requests", flood.sent);
}

/// Headers whose value may be anything: a client that has no such copy is answered as one without the header.
const FREE: [&str; 1] = ["If-None-Match"];

#[test]
fn every_header_of_every_route_stands_what_is_too_much() {
    let server = Server::furnished();
    let description = description(&server);
    let mut flood = Flood::default();
    let before = memory();
    let mut names = BTreeSet::new();
    let texts = [String::new(), "x".repeat(256), "x".repeat(60_000), ",".repeat(1_000), "\"".repeat(300)];
    for (route, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = if example.is_object() { example.to_string() } else { String::new() };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for parameter in parameters.filter(|parameter| parameter["in"] == "header") {
                let name = parameter["name"].as_str().unwrap();
                names.insert(name.to_owned());
                for text in &texts {
                    let (method, path) = (method.to_uppercase(), path(route));
                    let answer = server.send("admin", &method, &path, &[&format!("{name}: {text}")], &body);
                    let what = format!("`{name}` has {} bytes", text.len());
                    flood.judge(&answer, &method, &path, &what, !FREE.contains(&name));
                }
            }
        }
    }
    let known = ["Idempotency-Key", "If-Match", "Last-Event-ID", "X-Reason"];
    assert!(known.iter().all(|name| names.contains(*name)), "{names:?}");
    let shown = &flood.wrong[..flood.wrong.len().min(60)];
    assert!(flood.wrong.is_empty(), "{} of {}: {shown:#?}", flood.wrong.len(), flood.sent);
    let grown = memory() - before;
    assert!(grown < MEMORY_MAX, "{grown} bytes are not given back after {} requests", flood.sent);
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "500.00", "nothing was done");
}
