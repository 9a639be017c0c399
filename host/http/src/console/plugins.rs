//! `/plugins`: the plugins that are loaded, what they have rules for, and which resources they fail at.

use axum::response::Response;
use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::address::Address;
use crate::console::event_rows;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// How far back failures are listed, in seconds.
const WEEK: i64 = 7 * 86_400;

/// `GET /plugins`: each with its kinds, and what failed.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let page = visit.get("/v1/plugins").await?;
    let failures = Address::new("/v1/events", &[]).with("type", Some("plugin_failed"));
    let failures =
        visit.get(&failures.with("since", Some(frame.now - WEEK)).with("limit", Some(200)).text()).await?;
    let content = html! {
        @for plugin in items(&page, "items") { (plugin_part(frame, plugin)) }
        section.titled aria-labelledby="failures" {
            h2 id="failures" { (frame.say(t::PLUGIN_FAILURES)) }
            (event_rows::table(frame, frame.say(t::PLUGIN_FAILURES), items(&failures, "items").iter().rev()))
        }
    };
    Ok(layout::page(frame, Section::Plugins, frame.say(t::PLUGINS), content))
}

fn plugin_part(frame: &Frame, plugin: &Value) -> Markup {
    let id = plain(plugin, "id");
    let kinds = plugin["kinds"].as_object().into_iter().flatten().map(|(name, kind)| {
        let to = items(kind, "attaches_to").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        vec![html! { code { (name) } }, html! { span lang="en" { (plain(kind, "label")) } }, html! { (to) }]
    });
    let columns = [Column::Words(t::KIND), Column::Words(t::MEANING), Column::Words(t::ATTACHED_TO)];
    html! {
        section aria-labelledby={ "plugin-" (id) } {
            h2 id={ "plugin-" (id) } { (plain(plugin, "name")) " " small { (id) } }
            p.digest { (frame.say(t::REVISION)) " " code { (plain(plugin, "revision")) } }
            (parts::table(frame, frame.say(t::KINDS), &columns, kinds.collect()))
        }
    }
}
