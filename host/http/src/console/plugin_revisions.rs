//! `/plugins/revisions/{digest}`: one revision of a plugin. The page shows its limits and grants, its trials in shadow, and the
//! form that binds it. The table of all revisions is a part of `/plugins`.

use axum::extract::Path;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;

use crate::console::address;
use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::plugin_evidence;
use crate::console::texts as t;
use crate::console::texts::plugins as of_plugins;
use crate::console::visit::Visit;

/// The most questions of a page.
const QUESTIONS_MAX: usize = 50;

/// Every revision that is kept.
pub(super) fn table(frame: &Frame, revisions: &[Value]) -> Markup {
    let rows = revisions.iter().map(|revision| {
        vec![
            plugin_evidence::revision(&revision["digest"]),
            html! { code { (plain(revision, "provider")) } },
            html! { (frame.word(plain(revision, "kind"))) },
            parts::text(&revision["origin"]),
            limits(frame, revision),
            bound(revision),
            html! { (frame.time(&revision["installed_at"], None)) " " (plain(revision, "installed_by")) },
        ]
    });
    let columns = [
        Column::Words(t::REVISION),
        Column::Words(t::PROVIDER),
        Column::Words(t::KIND),
        Column::Words(of_plugins::ORIGIN),
        Column::Words(of_plugins::LIMITS),
        Column::Words(of_plugins::BOUND),
        Column::Words(t::INSTALLED),
    ];
    parts::table(frame, frame.say(of_plugins::REVISIONS), &columns, rows.collect())
}

/// What a revision, or a plugin, was granted beyond every other one, and what it asks for besides.
pub(super) fn limits(frame: &Frame, of: &Value) -> Markup {
    html! {
        @match of["granted"].as_str() {
            Some(granted) => code { (granted) },
            None => (frame.say(of_plugins::LIMITS_USUAL)),
        }
        @if let Some(asked) = of["asked"].as_str() { " (" (frame.say(of_plugins::ASKS_FOR)) ": " code { (asked) } ")" }
    }
}

fn bound(revision: &Value) -> Markup {
    html! { @for line in items(revision, "bound") { code { (parts::text(line)) } " " } }
}

/// `GET /plugins/revisions/{digest}`: everything about one revision.
pub(super) async fn show(Path(digest): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let revision = visit.get(&address::to("/v1/plugins/revisions/{}", &[&digest])).await?;
    let differences = Address::new("/v1/plugins/revisions/{}/differences", &[&digest]);
    let differences = differences.with_each(&visit.query, &["cursor"]).with("limit", Some(QUESTIONS_MAX));
    let differences = visit.get(&differences.text()).await?;
    let content = html! {
        p.digest { code { (digest) } }
        (parts::facts(&[
            (frame.say(t::PROVIDER), parts::text(&revision["provider"])),
            (frame.say(t::KIND), html! { (frame.word(plain(&revision, "kind"))) }),
            (frame.say(of_plugins::ORIGIN), parts::text(&revision["origin"])),
            (frame.say(of_plugins::SIGNED_BY), parts::text(&revision["signed_by"])),
            (frame.say(of_plugins::SIZE), html! { (parts::text(&revision["size_bytes"])) " B" }),
            (frame.say(of_plugins::LIMITS), limits(frame, &revision)),
            (frame.say(of_plugins::BOUND), bound(&revision)),
            (
                frame.say(t::INSTALLED),
                html! { (frame.time(&revision["installed_at"], None)) " " (plain(&revision, "installed_by")) },
            ),
        ]))
        section aria-labelledby="evidence" {
            h2 id="evidence" { (frame.fill(of_plugins::EVIDENCE, &[plugin_evidence::short(&digest)])) }
            (plugin_evidence::show(frame, &differences))
            @if !items(&differences, "items").is_empty() {
                (plugin_evidence::question_table(frame, of_plugins::ALL_QUESTIONS, items(&differences, "items")))
                (parts::more(frame, &address::to("/plugins/revisions/{}", &[&digest]), &differences, &visit.query, &[]))
            }
        }
        (bind_form(frame, &digest))
        p { a href=(Section::Plugins.path()) { (frame.say(t::BACK)) } }
    };
    let title = format!("{} {}", frame.say(t::REVISION), plugin_evidence::short(&digest));
    Ok(layout::page(frame, Section::Plugins, &title, content))
}

/// Leads to what binding it would change, before it does.
fn bind_form(frame: &Frame, digest: &str) -> Markup {
    html! {
        @if frame.may(Role::Admin) {
            form.filter method="get" action="/plugins/change" {
                h2 { (frame.say(of_plugins::BIND_LEAD)) }
                input type="hidden" name="do" value="bind";
                input type="hidden" name="digest" value=(digest);
                (parts::field(frame, of_plugins::ACCOUNTS_PATTERN, "accounts", ""))
                label {
                    span { (frame.say(t::MODE)) }
                    select name="mode" {
                        @for mode in ["shadow", "active"] { option value=(mode) { (frame.word(mode)) } }
                    }
                }
                button type="submit" { (frame.say(t::LOOK_FIRST)) }
            }
        }
    }
}
