//! `/plugins`: the plugins that decide, what they have rules for, which revisions are bound to whom, what shadows would have
//! done otherwise, and what plugins fail over.

use axum::response::Response;
use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::address;
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
use crate::console::plugin_changes;
use crate::console::plugin_evidence;
use crate::console::plugin_failures;
use crate::console::plugin_revisions;
use crate::console::texts as t;
use crate::console::texts::plugins as of_plugins;
use crate::console::visit::Visit;

/// How far back failures are listed, in seconds.
const WEEK: i64 = 7 * 86_400;
/// How many pages of the API changes of what is bound are looked for on.
const HISTORY_PAGES_MAX: usize = 10;
/// The most revisions that are shown: the newest are the last ones.
const REVISIONS_MAX: usize = 200;

/// `GET /plugins`: each with its kinds, and what failed.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let page = visit.get("/v1/plugins").await?;
    let failures = Address::new("/v1/events", &[]).with("type", Some("plugin_failed"));
    let failures =
        visit.get(&failures.with("since", Some(frame.now - WEEK)).with("limit", Some(200)).text()).await?;
    // Bindings are the whole host's: who is bound to accounts does not see them.
    let bindings = visit.try_get("/v1/plugins/bindings").await?;
    let bindings = bindings.as_ref().map_or(&[][..], |page| items(page, "items"));
    let revisions = visit.try_get(&format!("/v1/plugins/revisions?limit={REVISIONS_MAX}")).await?;
    let revisions = revisions.as_ref().map_or(&[][..], |page| items(page, "items"));
    let history = match bindings.is_empty() {
        true => Vec::new(),
        false => visit.list(&Address::new("/v1/plugins/bindings/history", &[]), HISTORY_PAGES_MAX).await?.0,
    };
    let parked = visit.get("/v1/plugins/parked?limit=200").await?;
    let breakers = visit.try_get("/v1/plugins/breakers").await?;
    let breakers = breakers.as_ref().map_or(&[][..], |page| items(page, "items"));
    let mut shadows = Vec::new();
    for binding in bindings.iter().filter(|binding| plain(binding, "mode") == "shadow") {
        let address =
            address::to("/v1/plugins/revisions/{}/differences?limit=1", &[plain(binding, "digest")]);
        shadows.extend(visit.try_get(&address).await?.map(|found| (binding, found)));
    }
    let content = html! {
        @if !breakers.is_empty() { (plugin_failures::breaker_table(frame, breakers)) }
        @if !items(&parked, "items").is_empty() {
            (plugin_failures::parked_table(frame, items(&parked, "items")))
        }
        @if !bindings.is_empty() { (binding_table(frame, bindings, &history)) }
        @for (binding, found) in &shadows { (shadow_part(frame, binding, found)) }
        @if !revisions.is_empty() { (plugin_revisions::table(frame, revisions)) }
        @if !history.is_empty() { (plugin_changes::history(frame, &history)) }
        @for plugin in items(&page, "items") { (plugin_part(frame, plugin)) }
        section.titled aria-labelledby="failures" {
            h2 id="failures" { (frame.say(t::PLUGIN_FAILURES)) }
            (event_rows::table(frame, frame.say(t::PLUGIN_FAILURES), items(&failures, "items").iter().rev()))
        }
    };
    Ok(layout::page(frame, Section::Plugins, frame.say(t::PLUGINS), content))
}

/// Which revision decides for whom, and which is asked beside it, with the changes that make sense.
fn binding_table(frame: &Frame, bindings: &[Value], history: &[Value]) -> Markup {
    let rows = bindings.iter().map(|binding| {
        vec![
            html! { code { (plain(binding, "provider")) } },
            html! { code { (plain(binding, "accounts")) } },
            parts::badge(frame, plain(binding, "mode")),
            plugin_evidence::revision(&binding["digest"]),
            html! { (frame.time(&binding["bound_at"], None)) " " (plain(binding, "bound_by")) },
            plugin_changes::links(frame, binding, history),
        ]
    });
    let columns = [
        Column::Words(t::PROVIDER),
        Column::Words(t::ACCOUNTS),
        Column::Words(t::MODE),
        Column::Words(t::REVISION),
        Column::Words(t::SINCE),
        Column::Words(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::BINDINGS), &columns, rows.collect())
}

/// What a shadow revision would have done otherwise.
fn shadow_part(frame: &Frame, binding: &Value, found: &Value) -> Markup {
    let digest = plugin_evidence::short(plain(binding, "digest"));
    let id = format!("shadow-{digest}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (frame.say(t::SHADOW_REVISION)) " " code { (digest) } }
            (plugin_evidence::show(frame, found))
        }
    }
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
            p { (frame.say(of_plugins::LIMITS)) ": " (plugin_revisions::limits(frame, plugin)) }
            details {
                summary { (frame.say(t::KINDS)) }
                (parts::table(frame, frame.say(t::KINDS), &columns, kinds.collect()))
            }
        }
    }
}
