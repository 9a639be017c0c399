//! `/plugins/change`: binding a revision, unbinding, promoting and rolling back. What would change, and what is known of the
//! revision, is looked at first; then the change is carried out if it is still the same.

use axum::http::Method;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_formats::language::Text;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::console::address::Address;
use crate::console::address::Parameters;
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

/// What a change is told, each by the name of its field.
const FIELDS: [&str; 5] = ["do", "digest", "provider", "accounts", "mode"];

/// The most changes that were made that are shown.
const CHANGES_MAX: usize = 20;

/// A change of what is bound.
struct Change {
    /// The name in addresses and forms.
    name: &'static str,
    /// What the button says.
    text: Text,
    /// The end of the route's path.
    verb: &'static str,
    /// The fields of its body, which are texts.
    fields: &'static [&'static str],
    /// The role that it takes.
    role: Role,
}

/// Every change, as the API has them.
const CHANGES: [Change; 4] = [
    Change {
        name: "promote",
        text: of_plugins::PROMOTE,
        verb: ":promote",
        fields: &["provider", "accounts"],
        role: Role::Admin,
    },
    Change {
        name: "roll_back",
        text: of_plugins::ROLL_BACK,
        verb: ":roll-back",
        fields: &["provider", "accounts"],
        role: Role::Operator,
    },
    Change {
        name: "bind",
        text: of_plugins::BIND,
        verb: "",
        fields: &["digest", "accounts", "mode"],
        role: Role::Admin,
    },
    Change {
        name: "unbind",
        text: of_plugins::UNBIND,
        verb: ":unbind",
        fields: &["provider", "accounts", "mode"],
        role: Role::Admin,
    },
];

impl Change {
    fn path(&self) -> String {
        format!("/v1/plugins/bindings{}", self.verb)
    }

    /// The body of the request, of what an address or a form says.
    fn body(&self, sent: &Parameters) -> Value {
        let field = |name: &&str| sent.get(name).map(|value| ((*name).to_owned(), json!(value)));
        Value::Object(self.fields.iter().filter_map(field).collect())
    }
}

fn find(visit: &Visit, sent: &Parameters) -> Result<&'static Change, Failure> {
    let found = CHANGES.iter().find(|change| sent.get("do") == Some(change.name));
    found
        .ok_or_else(|| Failure::new(&visit.frame, StatusCode::NOT_FOUND, visit.frame.say(t::NO_SUCH_COMMAND)))
}

/// The links to the changes that make sense for a binding, of what was bound before; the reader sees what each would do first.
pub(super) fn links(frame: &Frame, binding: &Value, history: &[Value]) -> Markup {
    let is_shadow = plain(binding, "mode") == "shadow";
    let is_same =
        |change: &Value| ["provider", "accounts"].iter().all(|name| change[*name] == binding[*name]);
    let last = history.iter().rev().find(|change| is_same(change) && change["mode"] == "active");
    // For all accounts of a provider something is bound at any time: it is replaced, and not taken away.
    let is_of_all = plain(binding, "accounts") == ALL_ACCOUNTS;
    let makes_sense = |change: &Change| match change.name {
        "promote" => is_shadow,
        "roll_back" => !is_shadow && last.is_some_and(|last| !is_of_all || last["before"].is_string()),
        "unbind" => is_shadow || !is_of_all,
        _ => false,
    };
    html! {
        @for change in CHANGES.iter().filter(|change| makes_sense(change) && frame.may(change.role)) {
            @let address = Address::new("/plugins/change", &[]).with("do", Some(change.name));
            @let address = address.with("provider", binding["provider"].as_str()).with("accounts", binding["accounts"].as_str());
            @let mode = (change.name == "unbind").then_some(plain(binding, "mode"));
            a.act href=(address.with("mode", mode).text()) { (frame.say(change.text)) "…" } " "
        }
    }
}

/// `GET /plugins/change`: what a change would do, and what is known of the revision that it is about.
pub(super) async fn look(visit: Visit) -> Result<Response, Failure> {
    let change = find(&visit, &visit.query)?;
    let planned = visit.preview(&change.path(), &change.body(&visit.query)).await?;
    Ok(change_page(&visit, change, &visit.query, &planned, None))
}

/// `POST /plugins/change`: carries the change out, if it is the one that was looked at.
pub(super) async fn carry_out(visit: Visit) -> Result<Response, Failure> {
    let change = find(&visit, &visit.form)?;
    let body = change.body(&visit.form);
    let planned = visit.preview(&change.path(), &body).await?;
    if visit.form.get("seen") != Some(&*digest(&planned)) {
        let moved = Some(of_plugins::MOVED_ON);
        let page = change_page(&visit, change, &visit.form, &planned, moved);
        return Ok((StatusCode::CONFLICT, page).into_response());
    }
    visit.send(Method::POST, &change.path(), &body).await?;
    Ok(visit.go(Address::new("/plugins", &[]), "binding-changed"))
}

/// What stands for the changes that were looked at.
fn digest(planned: &Value) -> String {
    let subject = |change: &Value| {
        let fields = ["provider", "accounts", "mode", "before", "after"];
        fields.map(|name| change[name].to_string()).join(" ")
    };
    let lines = items(planned, "changes").iter().map(subject).collect::<Vec<_>>().join("\n");
    hex::encode(&Sha256::digest(lines)[..16])
}

fn change_page(
    visit: &Visit,
    change: &Change,
    sent: &Parameters,
    planned: &Value,
    problem: Option<Text>,
) -> Response {
    let frame = &visit.frame;
    let (changes, evidence) = (items(planned, "changes"), &planned["evidence"]);
    let rows = changes.iter().map(|change| change_row(frame, change)).collect();
    let content = html! {
        @if let Some(problem) = problem { div.problem role="alert" { p { (frame.say(problem)) } } }
        @if changes.is_empty() {
            p.note { (frame.say(of_plugins::NOTHING_CHANGES)) }
        } @else {
            (parts::table(frame, frame.say(of_plugins::CHANGES), &change_columns(), rows))
            @if planned["matched_accounts"] == 0 { p.problem { (frame.say(of_plugins::MATCHES_NONE)) } }
            @if !items(planned, "not_followed").is_empty() {
                p.problem {
                    (frame.say(of_plugins::NOT_FOLLOWED))
                    @for part in items(planned, "not_followed") { " " (frame.word(part.as_str().unwrap_or_default())) }
                }
            }
            section aria-labelledby="evidence" {
                h2 id="evidence" { (frame.fill(of_plugins::EVIDENCE, &[plugin_evidence::short(plain(evidence, "revision"))])) }
                @if evidence["is_bound"] == false { p.note { (frame.say(of_plugins::EVIDENCE_OF_BEFORE)) } }
                @if !items(evidence, "trials").is_empty() { p.note { (frame.say(of_plugins::OF_THESE_ACCOUNTS)) } }
                (plugin_evidence::show(frame, evidence))
            }
            form.act method="post" action="/plugins/change" {
                (frame.proof())
                @for (name, value) in sent.pairs().filter(|(name, _)| FIELDS.contains(name)) {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="seen" value=(digest(planned));
                (parts::field(frame, t::REASON, "reason", ""))
                button type="submit" { (frame.say(of_plugins::GOES_ON)) }
                a href=(Section::Plugins.path()) { (frame.say(t::LEAVE_IT)) }
            }
        }
    };
    layout::page(frame, Section::Plugins, frame.say(change.text), content)
}

/// The columns of changes of what is bound.
fn change_columns() -> [Column; 5] {
    [
        Column::Words(t::PROVIDER),
        Column::Words(t::ACCOUNTS),
        Column::Words(t::MODE),
        Column::Words(t::BEFORE),
        Column::Words(t::AFTER),
    ]
}

fn change_row(frame: &Frame, change: &Value) -> Vec<Markup> {
    vec![
        html! { code { (plain(change, "provider")) } },
        html! { code { (plain(change, "accounts")) } },
        parts::badge(frame, plain(change, "mode")),
        plugin_evidence::revision(&change["before"]),
        plugin_evidence::revision(&change["after"]),
    ]
}

/// The changes of what is bound that were made, the newest first.
pub(super) fn history(frame: &Frame, changes: &[Value]) -> Markup {
    let rows = changes.iter().rev().take(CHANGES_MAX).map(|change| {
        let mut row = change_row(frame, change);
        row.push(html! { (frame.time(&change["at"], None)) " " (plain(change, "changed_by")) });
        row.push(parts::text(&change["reason"]));
        row
    });
    let mut columns = change_columns().to_vec();
    columns.extend([Column::Words(t::WHEN), Column::Words(t::REASON_GIVEN)]);
    parts::table(frame, frame.say(of_plugins::CHANGES_HISTORY), &columns, rows.collect())
}
