//! What the description has beyond what the handlers say: its server, references, formats, and what every path, response
//! and body is an example of. Each rule holds for all routes, so a new one gets it without doing anything.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use utoipa::openapi::OpenApi;

use crate::openapi::examples;

/// The keys of a path that are operations.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The description, finished.
pub(super) fn finish(api: OpenApi) -> Value {
    let mut description = serde_json::to_value(api).expect("a description has text as keys");
    let server = "The host that serves this description.";
    description["servers"] = json!([{ "url": "/", "description": server }]);
    reference_page_items(&mut description);
    mark_instants(&mut description);
    let recorded = examples::recorded();
    let by_schema = examples_by_schema(&description, &recorded);
    let paths = description["paths"].as_object_mut().expect("a description has paths");
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get_mut(method) else { continue };
            describe_parameters(path, operation);
            let key = format!("{} {path}", method.to_uppercase());
            let examples = Examples {
                path,
                recorded: recorded.get(&key).unwrap_or(&Value::Null),
                by_schema: &by_schema,
            };
            describe_bodies(operation, &examples);
        }
    }
    description
}

/// Pages refer to the schema of their items: `Page_Token` to `Token`.
fn reference_page_items(description: &mut Value) {
    let schemas = description["components"]["schemas"].as_object_mut().expect("a description has schemas");
    let pages = schemas.keys().filter_map(|name| name.strip_prefix("Page_").map(str::to_owned));
    for item in pages.collect::<Vec<_>>() {
        let Some(place) = schemas[&format!("Page_{item}")].pointer_mut("/properties/items/items") else {
            continue;
        };
        let inline = std::mem::replace(place, json!({ "$ref": format!("#/components/schemas/{item}") }));
        schemas.entry(item).or_insert(inline);
    }
}

/// Gives texts that are named as instants are the format `date-time`, in schemas and parameters.
fn mark_instants(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mark_instants),
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for (_, schema) in properties.iter_mut().filter(|(name, _)| is_instant(name)) {
                    mark_instant(schema);
                }
            }
            let is_parameter = fields.get("name").and_then(Value::as_str).is_some_and(is_instant);
            if let Some(schema) = fields.get_mut("schema").filter(|_| is_parameter) {
                mark_instant(schema);
            }
            fields.values_mut().for_each(mark_instants);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a field or parameter of this name is an instant, as this API names them.
fn is_instant(name: &str) -> bool {
    let names = ["at", "now", "since", "until", "expires_from", "expires_before"];
    names.contains(&name) || ["_at", "_since", "_until"].iter().any(|end| name.ends_with(end))
}

fn mark_instant(schema: &mut Value) {
    let is_text = match &schema["type"] {
        Value::String(kind) => kind == "string",
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    if let Some(schema) = schema.as_object_mut().filter(|_| is_text) {
        schema.entry("format").or_insert_with(|| "date-time".into());
    }
}

/// Says what is meant by the id in a path, where the handler does not.
fn describe_parameters(path: &str, operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let collection = path.split('/').nth(2).unwrap_or_default();
    let noun = collection.strip_suffix('s').unwrap_or(collection).replace('-', " ");
    for parameter in parameters.iter_mut().filter(|parameter| parameter["in"] == "path") {
        let text = format!("The ID of the {noun}.");
        if let Some(parameter) = parameter.as_object_mut() {
            parameter.entry("description").or_insert_with(|| text.into());
        }
    }
}

/// Adds descriptions and examples to the bodies of an operation.
fn describe_bodies(operation: &mut Value, examples: &Examples<'_>) {
    if let Some(content) = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut) {
        examples.add(content, "request");
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses {
        if response["description"] == "" {
            response["description"] = outcome(status).into();
        }
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) {
            examples.add(content, status);
        }
    }
}

/// What a status says where the handler says no more.
fn outcome(status: &str) -> &'static str {
    match status {
        "201" => "It was created.",
        "202" => "It was accepted: it goes on, or waits for an approval.",
        "503" => "The host cannot do its work now.",
        _ => "The answer.",
    }
}

/// The examples of one operation.
struct Examples<'a> {
    path: &'a str,
    /// By `request` and status.
    recorded: &'a Value,
    /// Those of other operations.
    by_schema: &'a BTreeMap<String, Value>,
}

impl Examples<'_> {
    /// Adds those of one body, which is `request` or has a status.
    fn add(&self, content: &mut Map<String, Value>, body: &str) {
        for (content_type, media) in content {
            let is_json = content_type == "application/json";
            let recorded = Some(&self.recorded[body]).filter(|example| is_json && !example.is_null());
            let same = media["schema"]["$ref"].as_str().and_then(|name| self.by_schema.get(name));
            let example = recorded.or(same).cloned();
            let example = example.or_else(|| examples::made_up(self.path, body, content_type));
            if let (Some(media), Some(example)) = (media.as_object_mut(), example) {
                media.entry("example").or_insert(example);
            }
        }
    }
}

/// The first recorded example of each schema, for bodies of the same schema that have none of their own.
fn examples_by_schema(description: &Value, recorded: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut by_schema = BTreeMap::new();
    for (key, bodies) in recorded {
        let (method, path) = key.split_once(' ').unwrap_or_default();
        let operation = &description["paths"][path][method.to_lowercase()];
        for (name, example) in bodies.as_object().into_iter().flatten() {
            let body = match name.as_str() {
                "request" => &operation["requestBody"],
                status => &operation["responses"][status],
            };
            if let Some(schema) = body["content"]["application/json"]["schema"]["$ref"].as_str() {
                by_schema.entry(schema.to_owned()).or_insert_with(|| example.clone());
            }
        }
    }
    by_schema
}
