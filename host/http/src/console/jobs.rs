//! `/jobs` and `/jobs/{id}`: one command over many resources. It is run dry first; what its plans were is carried out then.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::commands;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::resources;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// `GET /jobs`, newest first.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let page = visit.get(&Address::new("/v1/jobs", &[]).with_each(query, &["cursor"]).text()).await?;
    let rows = items(&page, "items").iter().map(|job| {
        vec![
            parts::link("/jobs/{}", &job["id"]),
            html! { (command(frame, &job["command"])) @if job["dry_run"] == true { " " (parts::badge(frame, "dry_run")) } },
            parts::badge(frame, plain(job, "state")),
            progress(frame, job),
            frame.time(&job["created_at"], None),
            parts::text(&job["name"]),
        ]
    });
    let columns = [
        Column::Words(t::JOB),
        Column::Words(t::COMMAND),
        Column::Words(t::STATE),
        Column::Words(t::PROGRESS),
        Column::Words(t::WHEN),
        Column::Words(t::BY),
    ];
    let content = html! {
        p { (frame.say(t::JOBS_LEAD)) " " a href="/resources" { (frame.say(t::RESOURCES)) } }
        div id="jobs" data-live="jobs" { (parts::table(frame, frame.say(t::JOBS), &columns, rows.collect())) }
        (parts::more(frame, "/jobs", &page, query, &[]))
    };
    Ok(layout::page(frame, Section::Jobs, frame.say(t::JOBS), content))
}

/// A command as a job has it: a word, or an object with one field.
fn command(frame: &Frame, command: &Value) -> Markup {
    let bare = command.as_str();
    let (name, arguments) = match command.as_object().and_then(|fields| fields.iter().next()) {
        Some((name, arguments)) => (name.as_str(), Some(arguments)),
        None => (bare.unwrap_or_default(), None),
    };
    html! {
        (frame.word(name))
        @if let Some(term) = arguments.map(|arguments| &arguments["term"]).filter(|term| term.is_object()) { " " (frame.term(term)) }
    }
}

fn progress(frame: &Frame, job: &Value) -> Markup {
    let total = job["total"].as_u64().unwrap_or_default();
    let done = total.saturating_sub(job["waiting"].as_u64().unwrap_or_default());
    html! {
        @if plain(job, "state") == "running" {
            progress max=(total) value=(done) aria-label=(frame.say(t::PROGRESS)) {} " "
        }
        (done) " / " (total)
        @for (outcome, count) in job["outcomes"].as_object().into_iter().flatten() {
            @if count.as_u64() > Some(0) { " " span.count { (frame.word(outcome)) " " (count) } }
        }
    }
}

/// `GET /jobs/{id}`: how far it has come, and each of its items.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let job = visit.get(&address::to("/v1/jobs/{}", &[&id])).await?;
    let list = Address::new("/v1/jobs/{}/items", &[&id])
        .with_each(query, &["outcome", "cursor"])
        .with("limit", Some(200));
    let page = visit.get(&list.text()).await?;
    let rows = items(&page, "items").iter().map(|item| {
        vec![
            parts::resource(&item["resource"]),
            parts::badge(frame, plain(item, "outcome")),
            html! { @if let Some(code) = item["code"].as_str() { code { (code) } " " } (parts::text(&item["message"])) },
            parts::amount(&item["cost"], &item["currency"]),
            parts::amount(&item["refund"], &item["currency"]),
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::OUTCOME),
        Column::Words(t::WHY),
        Column::Figures(t::COST),
        Column::Figures(t::REFUND),
    ];
    let content = html! {
        div id="job" data-live="job" {
            (parts::facts(&[
                (frame.say(t::COMMAND), command(frame, &job["command"])),
                (frame.say(t::STATE), parts::badge(frame, plain(&job, "state"))),
                (frame.say(t::PROGRESS), progress(frame, &job)),
                (frame.say(t::COST), costs(&job, "cost")),
                (frame.say(t::REFUND), costs(&job, "refund")),
                (frame.say(t::BY), parts::text(&job["name"])),
                (frame.say(t::REASON), parts::text(&job["reason"])),
                (frame.say(t::WHEN), frame.time(&job["created_at"], None)),
            ]))
            @if job["has_more"] == true { p.note { (frame.say(t::JOB_HAS_MORE)) } }
            (what_next(frame, &job))
            (parts::table(frame, frame.say(t::ITEMS), &columns, rows.collect()))
        }
        (parts::more(frame, &address::to("/jobs/{}", &[&id]), &page, query, &["outcome"]))
    };
    Ok(layout::page(frame, Section::Jobs, &id, content))
}

fn costs(job: &Value, name: &str) -> Markup {
    let sums = parts::sums(items(job, "costs").iter().map(|cost| (&cost[name], &cost["currency"])));
    html! { (if sums.is_empty() { "–".to_owned() } else { sums }) }
}

/// What can be done with a job: one that runs is cancelled, and a dry run that is done is carried out.
fn what_next(frame: &Frame, job: &Value) -> Markup {
    let id = plain(job, "id");
    let state = plain(job, "state");
    let planned = job["outcomes"]["planned"].as_u64().unwrap_or_default();
    html! {
        @if let Some(dry_run) = job["from_dry_run"].as_str() {
            p { (frame.say(t::FROM_DRY_RUN)) " " a href=(address::to("/jobs/{}", &[dry_run])) { (dry_run) } }
        }
        @if frame.may(Role::Operator) && state == "running" {
            form.act method="post" action=(address::to("/jobs/{}/cancel", &[id])) {
                (frame.proof())
                button.quiet type="submit" { (frame.say(t::CANCEL_JOB)) }
            }
        }
        @if frame.may(Role::Operator) && job["dry_run"] == true && state == "done" && planned > 0 {
            form.act method="post" action=(address::to("/jobs/{}/carry-out", &[id])) {
                (frame.proof())
                p { (frame.fill(t::CARRY_OUT_LEAD, &[&planned.to_string()])) }
                (parts::field(frame, t::REASON, "reason", ""))
                button type="submit" { (frame.fill(t::CARRY_OUT_PLANS, &[&planned.to_string()])) }
            }
        }
    }
}

/// `POST /jobs`: a dry run over the resources that were chosen, or over all that pass the filter.
pub(super) async fn create(visit: Visit) -> Result<Response, Failure> {
    let (frame, form) = (&visit.frame, &visit.form);
    let name = form.get("command").unwrap_or_default();
    let arguments = commands::arguments(name, form);
    let command = match arguments.as_object().is_some_and(Map::is_empty) {
        true => json!(name),
        false => json!({ name: arguments }),
    };
    let mut body = json!({ "command": command, "dry_run": true });
    if form.get("which") == Some("filter") {
        let value = |name: &str| match name.starts_with("expires") {
            true => form.instant(name),
            false => form.get(name).map(str::to_owned),
        };
        let filter =
            resources::FILTER.iter().filter_map(|name| Some(((*name).to_owned(), json!(value(name)?))));
        body["filter"] = Value::Object(filter.collect());
    } else {
        let ids = form.all("id").collect::<Vec<_>>();
        if ids.is_empty() {
            return Err(Failure::nothing_chosen(frame));
        }
        body["ids"] = json!(ids);
    }
    begin(&visit, &body, "dry-run").await
}

/// `POST /jobs/{id}/carry-out`: the plans of a dry run, each if it is still the same.
pub(super) async fn carry_out(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    begin(&visit, &json!({ "from_dry_run": id }), "job-begun").await
}

async fn begin(visit: &Visit, body: &Value, done: &str) -> Result<Response, Failure> {
    let answer = visit.send(Method::POST, "/v1/jobs", body).await?;
    Ok(visit.go(Address::new("/jobs/{}", &[plain(&answer.body, "id")]), done))
}

/// `POST /jobs/{id}/cancel`: what is left of it is skipped.
pub(super) async fn cancel(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = format!("{}:cancel", address::to("/v1/jobs/{}", &[&id]));
    let answer = visit.send(Method::POST, &path, &json!({})).await?;
    let done = if plain(&answer.body, "state") == "cancelled" { "job-cancelled" } else { "job-ended" };
    Ok(visit.go(Address::new("/jobs/{}", &[&id]), done))
}
