//! `/docs`: the description as a page for people. It is whole as it comes: no script, no font, nothing from elsewhere, and
//! a policy that lets a browser load nothing but this page's own style.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

/// The style of the page.
const STYLE: &str = include_str!("documentation.css");

/// A page and the policy that it is served with.
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: String,
}

/// The page of a description.
pub(super) fn render(description: &Value) -> Page {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let (info, operations) = (&description["info"], operations(description));
    let mut html = String::with_capacity(1 << 20);
    html += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    html +=
        &format!("<title>{} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n", text(&info["title"]));
    html += &format!("<header>\n<h1>{} API {}</h1>\n", text(&info["title"]), text(&info["version"]));
    html += &prose(&info["description"]);
    html += "<p>The same for programs: <a href=\"/openapi.json\"><code>/openapi.json</code></a>.</p>\n</header>\n";
    html += "<nav aria-label=\"Routes\">\n";
    for tag in tags(&operations) {
        html += &format!("<h2><a href=\"#{0}\">{0}</a></h2>\n<ul>\n", escape(tag));
        for operation in operations.iter().filter(|operation| operation.tag == tag) {
            html += &format!("<li><a href=\"#{}\">{}</a></li>\n", escape(operation.id), operation.title());
        }
        html += "</ul>\n";
    }
    html += "<h2><a href=\"#schemas\">schemas</a></h2>\n</nav>\n<main>\n";
    for tag in tags(&operations) {
        html += &format!("<section id=\"{0}\">\n<h2>{0}</h2>\n", escape(tag));
        for operation in operations.iter().filter(|operation| operation.tag == tag) {
            operation.write(&mut html);
        }
        html += "</section>\n";
    }
    html += "<section id=\"schemas\">\n<h2>schemas</h2>\n";
    for (name, schema) in description["components"]["schemas"].as_object().into_iter().flatten() {
        html += &format!("<article id=\"schema-{0}\">\n<h3>{0}</h3>\n", escape(name));
        html += &prose(&schema["description"]);
        write_fields(&mut html, schema);
        html += "</article>\n";
    }
    html += "</section>\n</main>\n</body>\n</html>\n";
    Page { html, policy }
}

/// An operation of the description.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    tag: &'a str,
    id: &'a str,
    value: &'a Value,
}

/// Every operation, in the order of their paths.
fn operations(description: &Value) -> Vec<Operation<'_>> {
    let paths = description["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let item = item.as_object().into_iter().flatten();
        item.filter(|(_, value)| value["operationId"].is_string()).map(move |(method, value)| Operation {
            method,
            path,
            tag: value["tags"][0].as_str().unwrap_or("other"),
            id: value["operationId"].as_str().unwrap_or_default(),
            value,
        })
    });
    operations.collect()
}

/// Every tag, in the order of the alphabet.
fn tags<'a>(operations: &[Operation<'a>]) -> Vec<&'a str> {
    let mut tags = operations.iter().map(|operation| operation.tag).collect::<Vec<_>>();
    tags.sort_unstable();
    tags.dedup();
    tags
}

impl Operation<'_> {
    fn title(&self) -> String {
        let method = self.method.to_uppercase();
        format!("<code><b class=\"{}\">{method}</b> {}</code>", escape(self.method), escape(self.path))
    }

    fn write(&self, html: &mut String) {
        *html += &format!("<article id=\"{}\">\n<h3>{}</h3>\n", escape(self.id), self.title());
        *html += &prose(&self.value["summary"]);
        *html += &prose(&self.value["description"]);
        self.write_parameters(html);
        let request = &self.value["requestBody"]["content"];
        if request.is_object() {
            *html += "<h4>Request</h4>\n";
            write_content(html, request);
        }
        *html += "<h4>Responses</h4>\n<dl>\n";
        for (status, response) in self.value["responses"].as_object().into_iter().flatten() {
            *html += &format!(
                "<dt><code>{}</code> {}</dt>\n<dd>",
                escape(status),
                inline(&response["description"])
            );
            write_content(html, &response["content"]);
            *html += "</dd>\n";
        }
        *html += "</dl>\n</article>\n";
    }

    fn write_parameters(&self, html: &mut String) {
        let parameters = self.value["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if parameters.is_empty() {
            return;
        }
        *html +=
            "<h4>Parameters</h4>\n<table>\n<tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr>\n";
        for parameter in parameters {
            let need = if parameter["required"] == true { " (required)" } else { "" };
            *html += &format!(
                "<tr><td><code>{}</code>{need}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                text(&parameter["name"]),
                text(&parameter["in"]),
                kind(&parameter["schema"]),
                inline(&parameter["description"]),
            );
        }
        *html += "</table>\n";
    }
}

/// The types of a body, with an example of each behind a fold.
fn write_content(html: &mut String, content: &Value) {
    for (content_type, media) in content.as_object().into_iter().flatten() {
        *html += &format!("<p><code>{}</code>: {}</p>\n", escape(content_type), kind(&media["schema"]));
        let example = match &media["example"] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            example @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                serde_json::to_string_pretty(example).expect("JSON can be written")
            }
        };
        *html += &format!("<details><summary>Example</summary><pre>{}</pre></details>\n", escape(&example));
    }
}

/// The fields of an object, or the type of anything else.
fn write_fields(html: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        *html += &format!("<p>{}</p>\n", kind(schema));
        return;
    };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    *html += "<table>\n<tr><th>field</th><th>type</th><th>meaning</th></tr>\n";
    for (name, property) in properties {
        let need = if required.iter().any(|required| required == name) { " (required)" } else { "" };
        let described = [property, &property["oneOf"][1]].map(|place| inline(&place["description"])).concat();
        *html += &format!(
            "<tr><td><code>{}</code>{need}</td><td>{}</td><td>{described}</td></tr>\n",
            escape(name),
            kind(property)
        );
    }
    *html += "</table>\n";
}

/// The type of a value, in a few words, with a link to its schema.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        if let Some(schemas) = schema[alternatives].as_array() {
            return schemas.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| format!("<code>{}</code>", text(word)));
        return words.collect::<Vec<_>>().join(" or ");
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["any value"],
    };
    let kinds = kinds.into_iter().map(|kind| match (kind, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind_of_items(schema)),
        ("string", Some(format)) => escape(format),
        (kind, _) => escape(kind),
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

fn kind_of_items(schema: &Value) -> String {
    kind(&schema["items"])
}

/// Text in paragraphs, with code between backticks.
fn prose(value: &Value) -> String {
    let paragraphs =
        value.as_str().unwrap_or_default().split("\n\n").filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", code(paragraph))).collect()
}

/// Text with code between backticks.
fn inline(value: &Value) -> String {
    code(value.as_str().unwrap_or_default())
}

fn code(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let shown = pieces.map(|(place, piece)| match place % 2 {
        0 => escape(piece),
        _ => format!("<code>{}</code>", escape(piece)),
    });
    shown.collect()
}

/// The text of a value.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| escape(&value.to_string()), escape)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_of_a_description_is_text_and_never_markup() {
        let hostile = "</pre><script>alert(\"1\")</script>&`<b>`";
        let operation = json!({
            "operationId": hostile, "tags": [hostile], "summary": hostile, "description": hostile,
            "parameters": [{ "name": hostile, "in": "query", "schema": { "enum": [hostile] }, "description": hostile }],
            "requestBody": { "content": { hostile: { "schema": { "$ref": hostile }, "example": hostile } } },
            "responses": { hostile: { "description": hostile, "content": { "application/json": {
                "schema": { "type": hostile, "format": hostile }, "example": { hostile: hostile } } } } },
        });
        let description = json!({
            "info": { "title": hostile, "version": hostile, "description": hostile },
            "paths": { hostile: { "get": operation } },
            "components": { "schemas": { hostile: {
                "description": hostile, "properties": { hostile: { "type": hostile, "description": hostile } } } } },
        });
        let page = render(&description);
        assert!(!page.html.contains("<script") && !page.html.contains("<b>"), "{}", page.html);
        assert_eq!(page.html.matches("</pre>").count(), page.html.matches("<pre>").count());
    }
}
