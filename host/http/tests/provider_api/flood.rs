//! Every route of the providers' own APIs, from the tables of their plugins, with what no client should send in every field and
//! every parameter that the plugins know. Each request has an answer of the provider, and the host goes on.
//!
//! A route or a field that is added later is flooded, too.

use std::collections::BTreeSet;
use std::path::PathBuf;

use perennial_store::integrity;
use perennial_test_support::bce::draft;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

use crate::baidu;
use crate::huawei;
use crate::huawei::Tool;

/// The longest answer to a request that is refused, in bytes.
const ANSWER_MAX: usize = 16 * 1024;
/// How much more memory the process may have afterwards, in bytes.
const MEMORY_MAX: i64 = 64 << 20;
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// A method and a path.
type Route = (&'static str, String);

fn folder(provider: &str) -> PathBuf {
    let plugins = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    plugins.join(provider).join("src/provider_api")
}

fn method_of(text: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|method| *method == text)
}

fn quoted(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).collect()
}

/// The words in the plugin's sources that can be fields of bodies or parameters of queries.
fn names(provider: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder(provider)).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let is_name = |word: &&str| {
            (2..40).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                && word.starts_with(|first: char| first.is_ascii_lowercase())
        };
        names.extend(quoted(&text).into_iter().filter(is_name).map(str::to_owned));
    }
    names.into_iter().collect()
}

/// The routes of Huawei Cloud, whose table has methods before paths.
fn huawei_routes() -> Vec<Route> {
    let text = std::fs::read_to_string(folder("huawei").join("routes.rs")).unwrap();
    let quoted = quoted(&text);
    let route = |pair: &[&str]| {
        let method = method_of(pair[0]).filter(|_| pair[1].starts_with("/v"))?;
        let ids = [("{domain_id}", "acme"), ("{resource_id}", "ecs-1"), ("{order_id}", "none")];
        Some((method, ids.iter().fold(pair[1].to_owned(), |path, (name, id)| path.replace(name, id))))
    };
    quoted.windows(2).filter_map(route).collect()
}

/// The routes of Baidu AI Cloud, whose table has a function for each family and a pattern for each path.
fn baidu_routes() -> Vec<Route> {
    let text = std::fs::read_to_string(folder("baidu").join("routes.rs")).unwrap();
    let mut family = "";
    let mut routes = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once("(method")) {
            family = name;
        }
        let Some((segments, rest)) = line.strip_prefix("([").and_then(|rest| rest.split_once("], \"")) else {
            continue;
        };
        let Some((method, rest)) = rest.split_once('"').filter(|_| line.contains("=> Ok(")) else { continue };
        let (version, id) = match family {
            "volume" => ("v2", "v-1"),
            "eip" => ("v1", "180.76.1.1"),
            "renew" => ("v1", "i-1"),
            _ => ("v2", "i-1"),
        };
        let mut path = format!("/{version}/{family}");
        for segment in segments.split(", ").filter(|segment| !segment.is_empty()) {
            path += "/";
            path += if segment.starts_with('"') { segment.trim_matches('"') } else { id };
        }
        let action = rest.split_once("Some(").and_then(|(_, rest)| rest.split_once(')'));
        match action.map(|(action, _)| action) {
            Some("TO_PREPAID") => path += "?action=TO_PREPAY",
            Some(action) => path += &format!("?{}=", action.trim_matches('"')),
            None => {}
        }
        routes.push((method_of(method).unwrap(), path));
    }
    routes
}

/// Values that no field takes.
fn hostile() -> Vec<Value> {
    let wide = (0..2_000).map(|number| (format!("f{number}"), json!("v")));
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![
        Value::from("x".repeat(100_000)),
        Value::from(vec![json!("x"); 20_000]),
        Value::from(vec![json!({}); 20_000]),
        wide.collect::<serde_json::Map<_, _>>().into(),
        deep,
        json!(u64::MAX),
        json!(-0.5),
        json!("\u{0}\u{202e}"),
    ]
}

/// The memory of the process, in bytes, after what is free was given back.
fn memory() -> i64 {
    perennial_service::memory::give_back();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).map_or(0, |resident| resident.parse::<i64>().unwrap() * 4096)
}

fn flood(
    server: &Server,
    routes: &[Route],
    names: &[String],
    send: impl Fn(&'static str, &str, &str) -> ProviderResponse,
) {
    let values = hostile();
    let before = memory();
    let (mut sent, mut wrong) = (0, Vec::new());
    let mut ask = |method, target: &str, body: &str, what: &str| {
        let answer = send(method, target, body);
        sent += 1;
        let is_of_provider = serde_json::from_str::<Value>(&answer.body).is_ok() || answer.body.is_empty();
        let is_short = answer.status < 400 || answer.body.len() <= ANSWER_MAX;
        if answer.status >= 500 || !is_of_provider || !is_short {
            let shown = answer.body.chars().take(200).collect::<String>();
            wrong.push(format!("{method} {target:.80} {what}: {} {shown}", answer.status));
        }
    };
    for (number, (method, path)) in routes.iter().enumerate() {
        for value in &values {
            ask(method, path, &value.to_string(), "the body");
        }
        ask(method, path, &"[".repeat(100_000), "open brackets");
        for (place, name) in names.iter().enumerate() {
            // Each field meets every value at one route or another.
            let value = &values[(number + place) % values.len()];
            let what = format!("`{name}`");
            ask(method, path, &json!({ name.as_str(): value }).to_string(), &what);
            let separator = if path.contains('?') { '&' } else { '?' };
            let text = ["x".repeat(10_000), "-1".to_owned(), "9".repeat(400)];
            let text = &text[(number + place) % text.len()];
            ask(method, &format!("{path}{separator}{name}={text}"), "", &what);
        }
    }
    assert!(wrong.is_empty(), "{} of {sent}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    let grown = memory() - before;
    assert!(grown < MEMORY_MAX, "{grown} bytes are not given back after {sent} requests");
    let violations = server.on_writer(|context| integrity::check(context.engine.db()).unwrap());
    assert_eq!(violations, [], "every promise is kept");
}

#[test]
fn every_route_and_field_of_huaweis_api_stands_what_is_too_much() {
    let (routes, names) = (huawei_routes(), names("huawei"));
    assert!(routes.len() > 20 && names.len() > 40, "{routes:?} {names:?}");
    let server = Server::start("huawei", huawei::NOW, &huawei::furnished());
    let tool = Tool::new(&server, "acme");
    flood(&server, &routes, &names, |method, target, body| tool.ask(method, target, body));
    assert_eq!(tool.ask("GET", huawei::BALANCE, "").status, 200, "it goes on");
}

#[test]
fn every_route_and_field_of_baidus_api_stands_what_is_too_much() {
    let (routes, names) = (baidu_routes(), names("baidu"));
    assert!(routes.len() > 20 && names.len() > 40, "{routes:?} {names:?}");
    let server = baidu::server();
    let (key, sent) = (server.key("acme"), std::cell::Cell::new(0));
    flood(&server, &routes, &names, |method, target, body| {
        // A signature of a second of its own is no replay.
        sent.set(sent.get() + 1);
        draft(method, target, body).signed(&key, server.now() - sent.get() % 600).send(&server)
    });
    assert_eq!(draft("GET", "/v2/instance", "").signed(&key, server.now()).send(&server).status, 200);
}
