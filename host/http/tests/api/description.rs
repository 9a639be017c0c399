//! `/openapi.json` and `/docs`: every operation is described in full, and its examples are what this host takes and
//! answers. `UPDATE_EXPECT=1` records the examples anew.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_http::admin as api;
use perennial_service::connections::Connections;
use perennial_test_support::provider_server::Server as Cloud;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::harness::START;
use crate::harness::Server;
use crate::requests;

/// The file of the examples, which is compiled into the host.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi/examples.json");

/// Every operation of a description: its method and path, and what is said of it.
fn operations(description: &Value) -> Vec<(String, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let name = move |method: &str| format!("{} {path}", method.to_uppercase());
        item.as_object().unwrap().iter().map(move |(method, operation)| (name(method), operation))
    });
    operations.collect()
}

/// The text with what is random made the same: runs of twelve or more hexadecimal digits.
fn settled(text: &str) -> String {
    let mut settled = String::new();
    let mut run = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_digit() || ('a'..='f').contains(&character) {
            run.push(character);
            continue;
        }
        match run.len() {
            12.. => settled.extend("0123456789abcdef".chars().cycle().take(run.len())),
            _ => settled.push_str(&run),
        }
        run.clear();
        settled.push(character);
    }
    settled.pop();
    settled
}

/// An example of a body: what is random is settled, and lists are short.
fn example(name: &str, value: &Value) -> Value {
    match value {
        Value::String(_) if name == "secret" => "shown once".into(),
        Value::String(text) if name == "path" => settled(text).into(),
        Value::String(_) if name == "endpoint" => "https://bss.example.com/".into(),
        Value::String(_) if name == "access_key" => "AKEXAMPLE0123456789".into(),
        Value::String(text) => settled(text).into(),
        Value::Number(_) if name == "size_bytes" => 250_000.into(),
        Value::Array(items) => items.iter().take(1).map(|item| example("", item)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), example(name, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Where a value has what type of thing, so that two examples can be compared but for their words.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => {
            into.insert(format!("{path}: list"));
            items.iter().for_each(|item| shape(item, &format!("{path}[]"), into));
        }
        Value::Object(fields) => {
            into.insert(format!("{path}: object"));
            fields.iter().for_each(|(name, field)| shape(field, &format!("{path}.{name}"), into));
        }
        Value::Null => drop(into.insert(format!("{path}: null"))),
        Value::Bool(_) => drop(into.insert(format!("{path}: flag"))),
        Value::Number(_) => drop(into.insert(format!("{path}: number"))),
        Value::String(_) => drop(into.insert(format!("{path}: text"))),
    }
}

/// What the cloud has whose account is connected: a server that lapses.
fn cloud_inventory() -> Value {
    json!({
        "accounts": [{ "id": "larkspur", "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [{ "id": "srv-1", "account": "larkspur", "kind": "ecs", "charging": "prepaid", "region": "cn-north-4",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse" }],
    })
}

/// The examples of every request and its response, as a host answers them now.
fn record() -> BTreeMap<String, BTreeMap<String, Value>> {
    let server = Server::furnished();
    let open = Connections { allow_private: true, ..Connections::DEFAULT };
    server.host.service().configure_connections(open).unwrap();
    let cloud = Cloud::start("huawei", START, &cloud_inventory());
    let key = cloud.key("larkspur");
    let endpoint = format!("http://{}/", cloud.listen());
    let named = json!({ "endpoint": endpoint, "access_key": key.access_key, "secret": key.secret });
    let mut recorded = BTreeMap::<String, BTreeMap<String, Value>>::new();
    let mut answers = BTreeMap::from([("CLOUD".to_owned(), named)]);
    for request in requests::ALL {
        let path = requests::filled(request.path, &answers);
        let body = requests::filled(request.body, &answers);
        let answer = server.send(request.token, request.method, &path, &[], &body);
        assert_eq!(
            answer.status.as_u16(),
            request.status,
            "{} {path} {body}\n{}",
            request.method,
            answer.body
        );
        let key = format!("{} {}", request.method, request.route);
        let bodies = recorded.entry(key.clone()).or_default();
        if !request.body.is_empty() {
            let body = serde_json::from_str(&body).unwrap();
            bodies.entry("request".to_owned()).or_insert_with(|| example("", &body));
        }
        let is_json = answer.headers.get("content-type").is_some_and(|value| value == "application/json");
        if is_json {
            let body = answer.json();
            bodies.entry(request.status.to_string()).or_insert_with(|| example("", &body));
            answers.insert(key, body);
        }
        server.finish_jobs();
    }
    recorded
}

#[test]
fn the_examples_are_what_this_host_takes_and_answers() {
    let recorded = record();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = serde_json::to_string_pretty(&recorded).unwrap();
        std::fs::write(EXAMPLES, text + "\n").unwrap();
        return;
    }
    let kept = serde_json::from_str::<Value>(&std::fs::read_to_string(EXAMPLES).unwrap()).unwrap();
    let (mut now, mut then) = (BTreeSet::new(), BTreeSet::new());
    shape(&json!(recorded), "", &mut now);
    shape(&kept, "", &mut then);
    let changed = now.symmetric_difference(&then).collect::<Vec<_>>();
    assert!(changed.is_empty(), "run this test with UPDATE_EXPECT=1, and read what changed: {changed:#?}");
}

#[test]
fn every_route_has_a_recorded_example() {
    let server = Server::new();
    let recorded = requests::ALL.iter().map(|request| format!("{} {}", request.method, request.route));
    let routes = api::routes(&server.host);
    let missing = routes.routes().iter().map(|route| format!("{} {}", route.method, route.path));
    let recorded = recorded.collect::<BTreeSet<_>>();
    let missing = missing.filter(|route| !recorded.contains(route)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "add these to `requests.rs`: {missing:#?}");
}

/// What an operation lacks, in words.
fn lacks(name: &str, operation: &Value) -> Vec<String> {
    let mut lacks = Vec::new();
    let mut expect = |is_there: bool, what: String| {
        if !is_there {
            lacks.push(format!("{name} lacks {what}"));
        }
    };
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    expect(is_text(&operation["summary"]), "a summary".to_owned());
    expect(is_text(&operation["operationId"]), "an operation id".to_owned());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        expect(is_text(&parameter["description"]), format!("a description of {}", parameter["name"]));
    }
    let mut bodies = vec![("request".to_owned(), &operation["requestBody"])];
    for (status, response) in operation["responses"].as_object().unwrap() {
        expect(is_text(&response["description"]), format!("a description of {status}"));
        bodies.push((status.clone(), response));
    }
    for (body, value) in bodies {
        for (content_type, media) in value["content"].as_object().into_iter().flatten() {
            expect(!media["example"].is_null(), format!("an example of {body} in {content_type}"));
            expect(!media["schema"].is_null(), format!("a schema of {body} in {content_type}"));
        }
    }
    lacks
}

#[test]
fn every_operation_is_described_with_examples() {
    let description = Server::new().get("", "/openapi.json").json();
    assert_eq!(description["servers"][0]["url"], "/");
    let lacking = operations(&description).into_iter().flat_map(|(name, operation)| lacks(&name, operation));
    assert_eq!(lacking.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn pages_refer_to_the_schema_of_their_items() {
    let description = Server::new().get("", "/openapi.json").json();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    let pages = schemas.iter().filter(|(name, _)| name.starts_with("Page_")).collect::<Vec<_>>();
    assert!(pages.len() > 10);
    for (name, page) in pages {
        let item = name.strip_prefix("Page_").unwrap();
        let reference = &page["properties"]["items"]["items"];
        assert_eq!(*reference, json!({ "$ref": format!("#/components/schemas/{item}") }), "{name}");
        assert!(schemas.contains_key(item), "{item}");
    }
}

/// Where a value does not match its schema, or is an instant whose schema does not say so.
fn mismatches(description: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = description.pointer(reference.strip_prefix('#').unwrap());
        return match schema {
            Some(schema) => mismatches(description, schema, value, path, found),
            None => found.push(format!("{path}: there is no {reference}")),
        };
    }
    if let Some(schemas) = schema["oneOf"].as_array() {
        let is_null = |schema: &&Value| schema["type"] == "null";
        return match schemas.iter().find(|schema| is_null(schema) == value.is_null()) {
            Some(schema) => mismatches(description, schema, value, path, found),
            None => found.push(format!("{path}: {value} is none of {}", schema["oneOf"])),
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let several = schema["type"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds = several.iter().chain([&schema["type"]]).filter_map(Value::as_str).collect::<Vec<_>>();
    let fits = kinds.is_empty() || kinds.contains(&kind) || (kind == "number" && kinds.contains(&"integer"));
    if !fits {
        return found.push(format!("{path}: {value} is not of type {}", schema["type"]));
    }
    let is_described = !schema["type"].is_null();
    match value {
        Value::String(text) if text.parse::<perennial_domain::timestamp::Timestamp>().is_ok() => {
            if is_described && schema["format"] != "date-time" {
                found.push(format!("{path}: {text} is an instant, and its schema does not say so"));
            }
        }
        Value::Array(items) => {
            for item in items {
                mismatches(description, &schema["items"], item, &format!("{path}[]"), found);
            }
        }
        Value::Object(fields) => {
            for required in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(required.as_str().unwrap()) {
                    found.push(format!("{path}: {required} is missing"));
                }
            }
            for (name, field) in fields {
                let property = &schema["properties"][name];
                let is_free_text = property.is_null() && field.is_string();
                let property = if property.is_null() { &schema["additionalProperties"] } else { property };
                // What a plugin calls its own may be an instant or not.
                if !is_free_text {
                    mismatches(description, property, field, &format!("{path}.{name}"), found);
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_example_matches_its_schema_and_every_instant_says_so() {
    let description = Server::new().get("", "/openapi.json").json();
    let mut found = Vec::new();
    for (name, operation) in operations(&description) {
        let responses = operation["responses"].as_object().unwrap().iter();
        let bodies = responses.map(|(status, response)| (status.as_str(), response));
        for (body, value) in bodies.chain([("request", &operation["requestBody"])]) {
            for (_, media) in value["content"].as_object().into_iter().flatten() {
                let path = format!("{name} {body}");
                mismatches(&description, &media["schema"], &media["example"], &path, &mut found);
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn both_descriptions_are_kept_with_their_version() {
    let server = Server::new();
    for path in ["/openapi.json", "/docs"] {
        let first = server.get("", path);
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!((first.status.as_u16(), server.get("", path).body), (200, first.body));
        let again = server.send("", "GET", path, &[&format!("if-none-match: {etag}")], "");
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{path}");
        assert_eq!(again.headers["etag"].to_str().unwrap(), etag);
        let other = server.send("", "GET", path, &["if-none-match: \"other\""], "");
        assert_eq!(other.status.as_u16(), 200);
    }
}

#[test]
fn the_documentation_has_every_operation_and_loads_nothing() {
    let server = Server::new();
    let (description, docs) = (server.get("", "/openapi.json").json(), server.get("", "/docs"));
    assert_eq!(docs.headers["content-type"], "text/html; charset=utf-8");
    for (name, operation) in operations(&description) {
        let id = operation["operationId"].as_str().unwrap();
        for link in [format!("<article id=\"{id}\">"), format!("href=\"#{id}\"")] {
            assert_eq!(docs.body.matches(&link).count(), 1, "{name}: {link}");
        }
    }
    for schema in description["components"]["schemas"].as_object().unwrap().keys() {
        assert_eq!(docs.body.matches(&format!("<article id=\"schema-{schema}\">")).count(), 1, "{schema}");
    }
    let mut links = docs.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert!(links.all(|link| {
        link == "/openapi.json"
            || link.strip_prefix('#').is_some_and(|id| docs.body.contains(&format!("id=\"{id}\"")))
    }));
    for loads in ["src=", "<script", "<link", "<img", "<iframe", "@import", "url(", "style=\""] {
        assert!(!docs.body.contains(loads), "{loads}");
    }
    let style = docs.body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let digest = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        <sha2::Sha256 as sha2::Digest>::digest(style),
    );
    let policy = docs.headers["content-security-policy"].to_str().unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
}
