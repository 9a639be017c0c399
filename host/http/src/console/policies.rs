//! `/policies`: the policies that hold, their scripts with errors in place, their history, and what a shadow policy would
//! have done otherwise.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_formats::policy::binding;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

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
use crate::console::policy_source;
use crate::console::policy_trials;
use crate::console::texts as t;
use crate::console::texts::policies as of_policies;
use crate::console::token_names::TokenNames;
use crate::console::visit::Visit;

/// What the editor begins with where there is no policy yet: one that is asked and not followed.
const NEW_FILE: &str =
    "[[policy]]\nname = \"above-limit\"\nscript = \"above-limit.rhai\"\nmode = \"shadow\"\n";
/// The script that goes with it.
const NEW_SCRIPT: &str = include_str!("policy.rhai");

/// How many months a comparison plays unless the form says otherwise.
const MONTHS: u32 = 12;

/// What stands in the editor.
struct Draft<'a> {
    /// The policy file: how the policy is bound.
    file: &'a str,
    /// The name of the script in the file.
    script: &'a str,
    /// The text of the script.
    source: &'a str,
}

/// `GET /policies`: those that hold, and the editor for another one.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let page = visit.get("/v1/policies").await?;
    let calendars = visit.get("/v1/policy-calendars").await?;
    let names = TokenNames::read(&visit).await?;
    let draft = Draft { file: NEW_FILE, script: "above-limit.rhai", source: NEW_SCRIPT };
    let content = html! {
        (policy_table(frame, items(&page, "items"), &names))
        (calendar_table(frame, items(&calendars, "items"), &names))
        (editor(frame, t::NEW_POLICY, &draft, &html! {}))
    };
    Ok(layout::page(frame, Section::Policies, frame.say(t::POLICIES), content))
}

fn policy_table(frame: &Frame, policies: &[Value], names: &TokenNames) -> Markup {
    let rows = policies.iter().map(|policy| {
        vec![
            parts::link("/policies/{}", &policy["name"]),
            parts::badge(frame, plain(policy, "mode")),
            parts::text(&policy["order"]),
            html! {
                @for list in ["accounts", "providers", "kinds", "tags", "commands"] {
                    @for word in items(policy, list) { code { (parts::text(word)) } " " }
                }
            },
            html! { (frame.word(plain(policy, "on_failure"))) },
            html! { (frame.time(&policy["installed_at"], None)) " " (names.of(plain(policy, "installed_by"))) },
        ]
    });
    let columns = [
        Column::Words(t::POLICY),
        Column::Words(t::MODE),
        Column::Figures(t::ORDER_OF_POLICIES),
        Column::Words(t::ASKED_ABOUT),
        Column::Words(t::ON_FAILURE),
        Column::Words(t::INSTALLED),
    ];
    parts::table(frame, frame.say(t::POLICIES), &columns, rows.collect())
}

fn calendar_table(frame: &Frame, calendars: &[Value], names: &TokenNames) -> Markup {
    let rows = calendars.iter().map(|calendar| {
        vec![
            html! { code { (plain(calendar, "name")) } },
            html! { @for days in items(calendar, "days") { (parts::text(days)) " " } },
            html! { (frame.time(&calendar["installed_at"], None)) " " (names.of(plain(calendar, "installed_by"))) },
        ]
    });
    let columns = [Column::Words(t::NAME), Column::Words(t::DAY), Column::Words(t::INSTALLED)];
    parts::table(frame, frame.say(t::POLICY_CALENDARS), &columns, rows.collect())
}

/// `GET /policies/{name}`: one policy with its script, its differences and its history.
pub(super) async fn show(Path(name): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let policy = visit.get(&address::to("/v1/policies/{}", &[&name])).await?;
    let history = visit.get(&address::to("/v1/policies/{}/history?limit=20", &[&name])).await?;
    let differences = visit.get(&address::to("/v1/policies/{}/differences?limit=100", &[&name])).await?;
    let names = TokenNames::read(&visit).await?;
    let bound = serde_json::from_value::<PolicyBinding>(policy["policy"].clone()).ok();
    let file = bound.as_ref().map(|bound| format!("[[policy]]\nname = {name:?}\n{}", binding::lines(bound)));
    let draft = Draft {
        file: file.as_deref().unwrap_or_default(),
        script: plain(&policy["policy"], "script"),
        source: plain(&policy, "source"),
    };
    let content = html! {
        (policy_table(frame, std::slice::from_ref(&policy["policy"]), &names))
        (editor(frame, t::EDIT, &draft, &html! {}))
        section.titled aria-labelledby="differences" {
            h2 id="differences" { (frame.say(t::DIFFERENCES)) }
            (difference_tables(frame, &differences))
        }
        section aria-labelledby="history" {
            h2 id="history" { (frame.say(t::HISTORY)) }
            @for change in items(&history, "items") { (history_entry(frame, change, &names)) }
        }
        @if frame.may(Role::Admin) {
            form.act method="post" action=(address::to("/policies/{}/remove", &[&name])) {
                (frame.proof())
                (parts::field(frame, t::REASON, "reason", ""))
                button.quiet type="submit" { (frame.say(t::REMOVE_POLICY)) }
            }
        }
    };
    Ok(layout::page(frame, Section::Policies, &name, content))
}

fn difference_tables(frame: &Frame, differences: &Value) -> Markup {
    let totals = items(differences, "totals").iter().map(|total| {
        vec![
            html! { (frame.word(plain(total, "followed"))) },
            html! { (frame.word(plain(total, "ruling"))) },
            parts::text(&total["plans"]),
            parts::amount(&total["cost"], &total["currency"]),
            parts::amount(&total["amended_cost"], &total["currency"]),
        ]
    });
    let rows = items(differences, "items").iter().map(|difference| {
        vec![
            parts::resource(&difference["resource"]),
            html! { (frame.word(plain(difference, "followed"))) " → " (frame.word(plain(difference, "ruling"))) },
            parts::text(&difference["reason"]),
            parts::text(&difference["times"]),
            frame.time(&difference["last_at"], None),
            parts::amount(&difference["cost"], &difference["currency"]),
        ]
    });
    let of_totals = [
        Column::Words(t::FOLLOWED),
        Column::Words(t::RULING),
        Column::Figures(t::PLANS),
        Column::Figures(t::COST),
        Column::Figures(t::AMENDED_COST),
    ];
    let of_rows = [
        Column::Words(t::RESOURCE),
        Column::Words(t::RULING),
        Column::Words(t::REASON),
        Column::Figures(t::TIMES),
        Column::Words(t::WHEN),
        Column::Figures(t::COST),
    ];
    html! {
        (parts::table(frame, frame.say(t::DIFFERENCE_TOTALS), &of_totals, totals.collect()))
        (parts::table(frame, frame.say(t::DIFFERENCES), &of_rows, rows.collect()))
    }
}

fn history_entry(frame: &Frame, change: &Value, names: &TokenNames) -> Markup {
    html! {
        details {
            summary {
                (frame.time(&change["at"], None)) " " (names.of(plain(change, "changed_by")))
                @if let Some(reason) = change["reason"].as_str() { ": " (reason) }
                @if change["after"].is_null() { " · " (frame.say(t::REMOVED)) }
                @if change["confirmed_at"].is_null() { " · " (frame.say(t::NOT_CONFIRMED)) }
            }
            pre { (plain(change, "script_difference")) }
        }
    }
}

/// The form in which a policy is written and tried, with what came of it above.
fn editor(
    frame: &Frame,
    title: perennial_formats::language::Text,
    draft: &Draft<'_>,
    problem: &Markup,
) -> Markup {
    html! {
        @if frame.may(Role::Admin) {
            section aria-labelledby="editor" {
                h2 id="editor" { (frame.say(title)) }
                (problem)
                form.editor method="post" action="/policies" {
                    (frame.proof())
                    p.note { (frame.say(of_policies::SHADOW_LEAD)) }
                    label { span { (frame.say(t::BINDING)) } textarea name="file" rows="9" spellcheck="false" { (draft.file) } }
                    (parts::field(frame, t::SCRIPT_NAME, "script", draft.script))
                    label { span { (frame.say(t::SCRIPT)) } textarea name="source" rows="18" spellcheck="false" { (draft.source) } }
                    (parts::field(frame, t::REASON, "reason", ""))
                    button type="submit" name="do" value="check" { (frame.say(t::CHECK)) }
                    button type="submit" name="do" value="install" { (frame.say(t::INSTALL)) }
                    fieldset {
                        legend { (frame.say(t::TRY_IT)) }
                        (parts::field(frame, t::RESOURCE, "resource", ""))
                        button.quiet type="submit" name="do" value="run" { (frame.say(t::ASK_ABOUT_IT)) }
                    }
                    fieldset {
                        legend { (frame.say(t::COMPARE_LEAD)) }
                        label { span { (frame.say(t::MONTHS_TO_PLAY)) } input name="months" type="number" min="1" max="36" value=(MONTHS); }
                        label.check { input type="checkbox" name="approvals_granted" value="yes"; " " (frame.say(t::APPROVALS_GRANTED)) }
                        button.quiet type="submit" formaction="/policy-comparison" { (frame.say(t::COMPARE)) }
                    }
                }
            }
        } @else {
            pre { (draft.source) }
        }
    }
}

/// `POST /policies`: checks what the editor has, asks it about a resource, or installs it. What is wrong stands in place.
pub(super) async fn install(visit: Visit) -> Result<Response, Failure> {
    let (frame, form) = (&visit.frame, &visit.form);
    let [file, source] = texts_of_form(&visit);
    let script = form.get("script").unwrap_or_default();
    let mut body = json!({ "file": file, "scripts": { script: source } });
    let draft = Draft { file: &file, script, source: &source };
    let done = match form.get("do") {
        Some("install") => match visit.send(Method::POST, "/v1/policies", &body).await {
            Ok(answer) => {
                let done = what_holds(&visit, items(&answer.body, "changes")).await?;
                return Ok(visit.go(Address::new("/policies", &[]), done));
            }
            Err(failure) => Err(failure),
        },
        Some("run") => {
            body["resource"] = json!(form.get("resource").unwrap_or_default());
            let trial = visit.send(Method::POST, "/v1/policies:run", &body).await;
            match trial {
                // A resource that there is none of is put right in the form, like everything else that was entered.
                Err(failure) if failure.is_not_found() => Ok(failure.markup()),
                trial => trial.map(|answer| policy_trials::rulings(frame, &answer.body)),
            }
        }
        _ => visit.preview("/v1/policies", &body).await.map(|checked| check_result(frame, &checked)),
    };
    answer(&visit, &draft, done)
}

/// The name of what a page says after policies were installed: a shadow changes nothing.
async fn what_holds(visit: &Visit, changes: &[Value]) -> Result<&'static str, Failure> {
    let policies = visit.get("/v1/policies").await?;
    let is_installed = |policy: &&Value| {
        changes.iter().any(|one| plain(one, "subject") == "policy" && one["name"] == policy["name"])
    };
    let installed = items(&policies, "items").iter().filter(is_installed);
    let (shadows, active): (Vec<_>, Vec<_>) = installed.partition(|policy| plain(policy, "mode") == "shadow");
    Ok(match (shadows.is_empty(), active.is_empty()) {
        (true, _) => "installed",
        (false, true) => "installed-shadow",
        (false, false) => "installed-both",
    })
}

/// `POST /policy-comparison`: what the editor has would do differently from what holds, over the months to come.
pub(super) async fn compare(visit: Visit) -> Result<Response, Failure> {
    let (frame, form) = (&visit.frame, &visit.form);
    let [file, source] = texts_of_form(&visit);
    let script = form.get("script").unwrap_or_default();
    let months = form.get("months").and_then(|months| months.parse::<u32>().ok());
    let body = json!({
        "file": file, "scripts": { script: source }, "months": months.unwrap_or(MONTHS),
        "approvals_granted": form.get("approvals_granted").is_some(), "shadows_active": true,
    });
    let draft = Draft { file: &file, script, source: &source };
    let done = visit.send(Method::POST, "/v1/policies:compare", &body).await;
    answer(&visit, &draft, done.map(|answer| policy_trials::comparison(frame, &answer.body)))
}

/// The policy file and the script of the form. A browser sends its own line ends.
fn texts_of_form(visit: &Visit) -> [String; 2] {
    ["file", "source"].map(|name| visit.form.raw(name).replace("\r\n", "\n"))
}

/// The editor with what came of it above.
fn answer(visit: &Visit, draft: &Draft<'_>, done: Result<Markup, Failure>) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let (status, result) = match done {
        Ok(result) => (StatusCode::OK, result),
        Err(failure) if failure.is_of_form() => {
            let problems = policy_source::problems(frame, &failure, draft.script, draft.source);
            (StatusCode::UNPROCESSABLE_ENTITY, problems)
        }
        Err(failure) => return Err(failure),
    };
    let page =
        layout::page(frame, Section::Policies, frame.say(t::EDIT), editor(frame, t::EDIT, draft, &result));
    Ok((status, page).into_response())
}

/// What a check found: what would change, and what is worth a second look.
fn check_result(frame: &Frame, checked: &Value) -> Markup {
    html! {
        div.done role="status" {
            p { (frame.say(t::CHECKED)) }
            ul {
                @for change in items(checked, "changes") {
                    li { (frame.word(plain(change, "change"))) " " code { (plain(change, "name")) } }
                }
            }
        }
        @for warning in items(checked, "warnings") {
            p.problem {
                code { (plain(warning, "script")) ":" (parts::text(&warning["line"])) ":" (parts::text(&warning["column"])) } " "
                (plain(warning, "message"))
            }
        }
    }
}

/// `POST /policies/{name}/remove`: it holds no more.
pub(super) async fn remove(Path(name): Path<String>, visit: Visit) -> Result<Response, Failure> {
    visit.send(Method::DELETE, &address::to("/v1/policies/{}", &[&name]), &json!({})).await?;
    Ok(visit.go(Address::new("/policies", &[]), "policy-removed"))
}
