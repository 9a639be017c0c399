//! `/approvals` and `/approvals/{id}`: the plans that wait for a decision, and decisions on one of them or many at once.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::Markup;
use maud::html;
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
use crate::console::plan;
use crate::console::texts as t;
use crate::console::token_names::TokenNames;
use crate::console::visit::Visit;

/// The states of an approval.
const STATES: [&str; 4] = ["pending", "approved", "rejected", "expired"];
/// The most approvals that are decided on at once.
const DECISIONS_MAX: usize = 200;

/// `GET /approvals`: those that are pending, unless the address says otherwise.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let state = query.get("state").unwrap_or("pending");
    let address = Address::new("/v1/approvals", &[]).with("state", Some(state));
    let address =
        address.with_each(query, &["account", "resource", "cursor"]).with("limit", Some(DECISIONS_MAX));
    let page = visit.get(&address.text()).await?;
    let get = |name: &str| query.get(name).unwrap_or_default();
    let approvals = items(&page, "items");
    let content = html! {
        form.filter method="get" action="/approvals" role="search" {
            (parts::field(frame, t::ACCOUNT, "account", get("account")))
            (parts::field(frame, t::RESOURCE, "resource", get("resource")))
            label {
                span { (frame.say(t::STATE)) }
                select name="state" {
                    @for word in STATES { option value=(word) selected[word == state] { (frame.word(word)) } }
                }
            }
            button type="submit" { (frame.say(t::FILTER)) }
        }
        div id="approvals" data-live="approvals" { (approval_table(frame, approvals, state == "pending")) }
        @if state == "pending" && !approvals.is_empty() { (decision_form(frame, None)) }
        (parts::more(frame, "/approvals", &page, query, &["account", "resource", "state"]))
    };
    Ok(layout::page(frame, Section::Approvals, frame.say(t::APPROVALS), content))
}

fn approval_table(frame: &Frame, approvals: &[Value], is_pending: bool) -> Markup {
    let may_decide = frame.may(Role::Approver) && is_pending;
    let rows = approvals.iter().map(|approval| {
        let id = plain(approval, "id");
        let mut row = vec![
            parts::link("/approvals/{}", &approval["id"]),
            html! { (frame.word(plain(approval, "command"))) " (" (frame.word(plain(approval, "cause"))) ")" },
            parts::resource(&approval["resource"]),
            parts::account(&approval["account"]),
            html! { (parts::badge(frame, plain(approval, "state"))) },
            frame.time(&approval["expires_at"], None),
            parts::amount(&approval["cost"], &approval["currency"]),
        ];
        if may_decide {
            // The plan that is decided on is the one that was shown.
            let value = format!("{} {id}", plain(&approval["plan"], "plan_hash"));
            row.insert(0, html! {
                input type="checkbox" name="plan" value=(value) aria-label=(frame.fill(t::CHOOSE, &[id])) form="decide";
            });
        }
        row
    });
    let mut columns = vec![
        Column::Words(t::APPROVAL),
        Column::Words(t::COMMAND),
        Column::Words(t::RESOURCE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::STATE),
        Column::Words(t::UNTIL),
        Column::Figures(t::COST),
    ];
    if may_decide {
        columns.insert(0, Column::Controls(t::CHOICE));
    }
    let sums = parts::sums(approvals.iter().map(|approval| (&approval["cost"], &approval["currency"])));
    let caption = frame.fill(t::APPROVALS_CAPTION, &[&approvals.len().to_string(), &sums]);
    parts::table(frame, &caption, &columns, rows.collect())
}

/// The form of a decision: on those that are chosen in the table, or on the plan that the page shows.
fn decision_form(frame: &Frame, plan: Option<&str>) -> Markup {
    html! {
        @if frame.may(Role::Approver) {
            form.act id="decide" method="post" action="/approvals" {
                (frame.proof())
                @if let Some(plan) = plan { input type="hidden" name="plan" value=(plan); }
                (parts::field(frame, t::REASON, "reason", ""))
                button type="submit" name="decision" value="approve" { (frame.say(t::APPROVE)) }
                button.quiet type="submit" name="decision" value="reject" { (frame.say(t::REJECT)) }
            }
        }
    }
}

/// `GET /approvals/{id}`: one plan, as it would be carried out.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let approval = visit.get(&address::to("/v1/approvals/{}", &[&id])).await?;
    let names = TokenNames::read(&visit).await?;
    let currency = &approval["currency"];
    let plan = &approval["plan"];
    let is_pending = plain(&approval, "state") == "pending";
    let content = html! {
        div id="approval" data-live="approval" {
            (parts::facts(&[
                (frame.say(t::STATE), parts::badge(frame, plain(&approval, "state"))),
                (frame.say(t::COMMAND), html! { (frame.word(plain(&approval, "command"))) }),
                (frame.say(t::RESOURCE), parts::resource(&approval["resource"])),
                (frame.say(t::ACCOUNT), parts::account(&approval["account"])),
                (frame.say(t::COST), parts::amount(&approval["cost"], currency)),
                (frame.say(t::REQUESTED), html! {
                    (frame.time(&approval["requested_at"], None)) " "
                    (approval["requested_by"].as_str().map_or_else(|| frame.say(t::BY_THE_CLOCK), |id| names.of(id)))
                }),
                (frame.say(t::UNTIL), frame.time(&approval["expires_at"], None)),
                (frame.say(t::DECIDED), html! { (frame.time(&approval["closed_at"], None)) " " (names.of(plain(&approval, "decided_by"))) }),
                (frame.say(t::REASON), parts::text(&approval["reason"])),
            ]))
            (plan::required(frame, &approval))
        }
        h2 { (frame.say(t::PLAN)) }
        (plan::show(frame, plan, None))
        @if is_pending { (decision_form(frame, Some(&format!("{} {id}", plain(plan, "plan_hash"))))) }
    };
    Ok(layout::page(frame, Section::Approvals, &id, content))
}

/// `POST /approvals`: the same decision on every plan that was chosen. Each is decided on by itself; what does not succeed
/// is said for each.
pub(super) async fn decide(visit: Visit) -> Result<Response, Failure> {
    let (frame, form) = (&visit.frame, &visit.form);
    let approves = form.get("decision") == Some("approve");
    let chosen =
        form.all("plan").take(DECISIONS_MAX).filter_map(|plan| plan.split_once(' ')).collect::<Vec<_>>();
    if chosen.is_empty() {
        return Err(Failure::nothing_chosen(frame));
    }
    let mut failed = Vec::new();
    for (hash, id) in &chosen {
        let path = address::to("/v1/approvals/{}", &[id]);
        let decided = match approves {
            true => visit.send(Method::POST, &format!("{path}:approve"), &json!({ "plan_hash": hash })).await,
            false => visit.send(Method::POST, &format!("{path}:reject"), &json!({})).await,
        };
        if let Err(failure) = decided {
            failed.push((*id, failure));
        }
    }
    if failed.is_empty() {
        return Ok(visit.go(Address::new("/approvals", &[]), if approves { "approved" } else { "rejected" }));
    }
    let content = html! {
        p { (frame.fill(t::DECIDED_SOME, &[&(chosen.len() - failed.len()).to_string(), &chosen.len().to_string()])) }
        @for (id, failure) in &failed {
            h2 { a href=(address::to("/approvals/{}", &[id])) { (id) } }
            (failure.markup())
        }
    };
    let page = layout::page(frame, Section::Approvals, frame.say(t::NOT_DONE), content);
    Ok((StatusCode::CONFLICT, page).into_response())
}
