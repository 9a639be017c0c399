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
use crate::console::plugin_failures;
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
    // Bindings are the whole host's: who is bound to accounts does not see them.
    let bindings = visit.try_get("/v1/plugins/bindings").await?;
    let bindings = bindings.as_ref().map_or(&[][..], |page| items(page, "items"));
    let revisions = visit.try_get("/v1/plugins/revisions?limit=1000").await?;
    let revisions = revisions.as_ref().map_or(&[][..], |page| items(page, "items"));
    let parked = visit.get("/v1/plugins/parked?limit=200").await?;
    let breakers = visit.try_get("/v1/plugins/breakers").await?;
    let breakers = breakers.as_ref().map_or(&[][..], |page| items(page, "items"));
    let mut shadows = Vec::new();
    for held in bindings.iter().filter(|held| plain(held, "mode") == "shadow") {
        let address = address::to("/v1/plugins/revisions/{}/differences?limit=1", &[plain(held, "digest")]);
        shadows.extend(visit.try_get(&address).await?.map(|found| (held, found)));
    }
    let content = html! {
        @if !breakers.is_empty() { (plugin_failures::breaker_table(frame, breakers)) }
        @if !items(&parked, "items").is_empty() {
            (plugin_failures::parked_table(frame, items(&parked, "items")))
        }
        @for plugin in items(&page, "items") { (plugin_part(frame, plugin)) }
        @if !bindings.is_empty() { (binding_table(frame, bindings, revisions)) }
        @for (held, found) in &shadows { (shadow_part(frame, held, found)) }
        section.titled aria-labelledby="failures" {
            h2 id="failures" { (frame.say(t::PLUGIN_FAILURES)) }
            (event_rows::table(frame, frame.say(t::PLUGIN_FAILURES), items(&failures, "items").iter().rev()))
        }
    };
    Ok(layout::page(frame, Section::Plugins, frame.say(t::PLUGINS), content))
}

/// Which revision decides for whom, and which is asked beside it; with what each is granted beyond every plugin.
fn binding_table(frame: &Frame, bindings: &[Value], revisions: &[Value]) -> Markup {
    let granted = |digest: &str| {
        let revision = revisions.iter().find(|revision| plain(revision, "digest") == digest);
        revision.map_or("", |revision| plain(revision, "granted"))
    };
    let rows = bindings.iter().map(|held| {
        vec![
            html! { code { (plain(held, "provider")) } },
            html! { code { (plain(held, "accounts")) } },
            parts::badge(frame, plain(held, "mode")),
            html! { code { (short(plain(held, "digest"))) } },
            html! { code { (granted(plain(held, "digest"))) } },
            html! { (frame.time(&held["bound_at"], None)) " " (plain(held, "bound_by")) },
        ]
    });
    let columns = [
        Column::Words(t::PROVIDER),
        Column::Words(t::ACCOUNTS),
        Column::Words(t::MODE),
        Column::Words(t::REVISION),
        Column::Words(t::GRANTED),
        Column::Words(t::SINCE),
    ];
    parts::table(frame, frame.say(t::BINDINGS), &columns, rows.collect())
}

/// What a shadow revision would have done otherwise: by kind and in money, and examples of each kind.
fn shadow_part(frame: &Frame, held: &Value, found: &Value) -> Markup {
    let totals = items(found, "totals").iter().map(|total| {
        vec![
            html! { (frame.word(plain(total, "kind"))) },
            parts::text(&total["questions"]),
            parts::amount(&total["followed_cost"], &total["currency"]),
            parts::amount(&total["cost"], &total["currency"]),
        ]
    });
    let examples = items(found, "examples").iter().map(|one| {
        vec![
            parts::resource(&one["resource"]),
            html! { (frame.word(plain(one, "kind"))) },
            html! { code lang="en" { (plain(one, "followed_answer")) } },
            html! { code lang="en" { (plain(one, "answer")) } },
        ]
    });
    let sums = [
        Column::Words(t::DIFFERENCE),
        Column::Figures(t::QUESTIONS),
        Column::Figures(t::FOLLOWED),
        Column::Figures(t::SHADOW),
    ];
    let answers = [
        Column::Words(t::RESOURCE),
        Column::Words(t::DIFFERENCE),
        Column::Words(t::FOLLOWED),
        Column::Words(t::SHADOW),
    ];
    let id = format!("shadow-{}", short(plain(held, "digest")));
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (frame.say(t::SHADOW_REVISION)) " " code { (short(plain(held, "digest"))) } }
            @for trial in items(found, "trials") {
                p { (frame.fill(t::TRIAL, &[&trial["asked"].to_string(), &trial["differed"].to_string(), &trial["failed"].to_string()])) }
            }
            (parts::table(frame, frame.say(t::DIFFERENCES_IN_MONEY), &sums, totals.collect()))
            (parts::table(frame, frame.say(t::EXAMPLES), &answers, examples.collect()))
        }
    }
}

/// The beginning of a digest.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
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
