//! Tags and attributes of a resource: what is set, what is removed, and what that changes.

use std::io::Write;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::differences;
use crate::cli::event_lines;
use crate::cli::input;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::cli::resource::Attributes;
use crate::cli::resource::Tags;
use crate::cli::resource::look::RESOURCE;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;
use crate::report::text::printable;

const CHANGES: [Field; 3] =
    [Field::text("name", "name"), Field::text("before", "before"), Field::text("after", "then")];

/// A change of the tags or the attributes of a resource.
struct Change<'a> {
    id: &'a str,
    /// `tags` or `attributes`.
    field: &'static str,
    /// What each gets; null removes it.
    values: Map<String, Value>,
    reason: Option<&'a str>,
    end: EndArguments,
    list: &'a ListArguments,
}

pub(super) fn tag(context: &Context, target: &TargetArguments, tags: &Tags) -> anyhow::Result<()> {
    let Tags { id, tags, remove, reason, end, list } = tags;
    let names = tags.iter().map(|(name, _)| name).chain(remove);
    input::check_once("tag", names.map(String::as_str))?;
    let removed = remove.iter().map(|name| (name.clone(), Value::Null));
    let values = tags.iter().map(|(name, value)| (name.clone(), json!(value))).chain(removed).collect();
    let reason = reason.as_deref();
    Change { id, field: "tags", values, reason, end: *end, list }.run(context, target)
}

pub(super) fn attribute(
    context: &Context,
    target: &TargetArguments,
    attributes: &Attributes,
) -> anyhow::Result<()> {
    let Attributes { id, attributes, reason, end, list } = attributes;
    input::check_once("attribute", attributes.iter().map(|(name, _)| name.as_str()))?;
    let values = attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let reason = reason.as_deref();
    Change { id, field: "attributes", values, reason, end: *end, list }.run(context, target)
}

impl Change<'_> {
    fn run(&self, context: &Context, target: &TargetArguments) -> anyhow::Result<()> {
        let client = context.client(target)?;
        let what = format!("change the {} of `{}`", self.field, self.id);
        let look = Request::new("GET", "/v1/resources/{id}", &[self.id]).to(&what);
        let before = client.send(&look)?.json()?;
        if self.end.is_dry_run() {
            return self.preview(context, &client, &before);
        }
        self.end.agree(&differences(&before[self.field], &self.values), "Change this?")?;
        let request = Request::new("PATCH", "/v1/resources/{id}", &[self.id])
            .to(what)
            .body(json!({ self.field: self.values }))
            .reason(self.reason);
        let changed = client.send(&request)?.json()?;
        if self.list.format != ListFormat::Table {
            return context.write_item(&client, &RESOURCE, &changed["resource"], self.list);
        }
        let zone = context.item_zones(&client, self.list.zone.time_zone)?.of(&changed["resource"]);
        let mut out = Output::standard();
        for event in changed["events"].as_array().into_iter().flatten() {
            event_lines::write(event, "", zone, context.stdout_style(), &mut out)?;
        }
        let now = changed["resource"][self.field].as_object().into_iter().flatten();
        let now = now.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
        let now = now.collect::<Vec<_>>().join(", ");
        let now = if now.is_empty() { "none".to_owned() } else { now };
        writeln!(out, "{}", printable(&format!("{} of {}: {now}", self.field, self.id)))?;
        Ok(out.finish()?)
    }

    /// What would be another value.
    fn preview(&self, context: &Context, client: &Client, resource: &Value) -> anyhow::Result<()> {
        let changes = self.values.iter().filter_map(|(name, value)| {
            let before = &resource[self.field][name];
            (before != value).then(|| json!({ "name": name, "before": before, "after": value }))
        });
        let changes = changes.collect::<Vec<_>>();
        context.write_items(client, &CHANGES, &changes, self.list, "nothing would change")?;
        if changes.is_empty() { Ok(()) } else { Err(WouldChange::with(self.list.format).into()) }
    }
}
