//! `/resources/{id}/plan` and `/resources/{id}/command`: a command is first looked at as a plan, and then exactly that plan
//! is carried out, by its hash.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::address::Parameters;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::plain;
use crate::console::plan;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// What a command can be told, each by the name of its field.
const FIELDS: [&str; 7] = ["command", "term", "renewals", "scope", "pay_at", "effective_at", "order"];

/// The commands on a resource, as the API calls them in scenarios, each with the end of its path.
const COMMANDS: [(&str, &str); 11] = [
    ("renew", "renew"),
    ("set_auto_renew", "set-auto-renew"),
    ("cancel_auto_renew", "cancel-auto-renew"),
    ("unsubscribe", "unsubscribe"),
    ("convert_on_expiry", "convert-on-expiry"),
    ("cancel_conversion", "cancel-conversion"),
    ("convert_now", "convert-now"),
    ("buy_again", "buy-again"),
    ("subscribe", "subscribe"),
    ("pay_order", "pay-order"),
    ("cancel_order", "cancel-order"),
];

/// What can be unsubscribed from, the usual first.
const SCOPES: [&str; 2] = ["all", "future"];

/// A term such as `3 month`, as the API reads it; null when there is none.
pub(super) fn term(text: Option<&str>) -> Value {
    let Some((count, unit)) = text.and_then(|text| text.split_once(' ')) else { return Value::Null };
    // What is no number goes on as it is: the API says what is wrong with it.
    let count = count.parse::<u32>().map_or_else(|_| json!(count), |count| json!(count));
    json!({ "count": count, "unit": unit })
}

/// What a command is told, as the API reads it: the fields of a form that are not empty.
pub(super) fn arguments(command: &str, sent: &Parameters) -> Value {
    let text = |name: &str| sent.get(name).map_or(Value::Null, |value| json!(value));
    let instant = |name: &str| sent.instant(name).map_or(Value::Null, |value| json!(value));
    match command {
        "renew" | "subscribe" => json!({ "term": term(sent.get("term")) }),
        "set_auto_renew" => {
            let renewals = sent.get("renewals");
            let renewals = renewals
                .map(|count| count.parse::<u32>().map_or_else(|_| json!(count), |count| json!(count)));
            json!({ "term": term(sent.get("term")), "renewals": renewals })
        }
        "unsubscribe" => json!({ "scope": text("scope") }),
        "buy_again" => json!({ "pay_at": instant("pay_at"), "effective_at": instant("effective_at") }),
        "pay_order" | "cancel_order" => json!({ "order": text("order") }),
        _ => json!({}),
    }
}

fn path_of(visit: &Visit, id: &str, command: &str) -> Result<String, Failure> {
    let found = COMMANDS.iter().find(|(name, _)| *name == command);
    let unknown = || Failure::new(&visit.frame, StatusCode::NOT_FOUND, visit.frame.say(t::NO_SUCH_COMMAND));
    let (_, verb) = found.ok_or_else(unknown)?;
    Ok(format!("{}:{verb}", address::to("/v1/resources/{}", &[id])))
}

/// What an address says, with everything to unsubscribe from where it does not say what.
fn with_default(query: &Parameters) -> Parameters {
    match (query.get("command"), query.get("scope")) {
        (Some("unsubscribe"), None) => query.clone().with("scope", SCOPES[0]),
        (_, _) => query.clone(),
    }
}

/// `GET /resources/{id}/plan`: what a command would do, and the form that has it done.
pub(super) async fn plan(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &with_default(&visit.query));
    let command = query.get("command").unwrap_or("renew");
    let path = path_of(&visit, &id, command)?;
    let resource = visit.get(&address::to("/v1/resources/{}", &[&id])).await?;
    let provider = resource["provider"].as_str();
    let planned = visit.preview(&path, &arguments(command, query)).await;
    let planned = match planned {
        Ok(answer) => Ok(answer["plan"].clone()),
        Err(failure) if failure.is_of_form() => Err(failure.markup()),
        Err(failure) => return Err(failure),
    };
    let content = html! {
        p { a href=(address::to("/resources/{}", &[&id])) { (id) } ", " (parts::account(&resource["account"])) }
        (change_form(frame, &id, command, query))
        @match &planned {
            Err(problem) => (problem),
            Ok(planned) => {
                h2 { (frame.say(t::PLAN)) }
                (plan::show(frame, planned, provider))
                @if planned["refusal"].is_null() { (carry_out_form(frame, &id, query, command, planned)) }
            }
        }
    };
    let title = frame.fill(t::COMMAND_ON, &[&frame.word(command), &id]);
    Ok(layout::page(frame, Section::None, &title, content))
}

/// What the command can be told otherwise.
fn change_form(frame: &Frame, id: &str, command: &str, query: &Parameters) -> Markup {
    let get = |name: &str| query.get(name).unwrap_or_default();
    let has_fields = ["renew", "subscribe", "set_auto_renew", "unsubscribe", "buy_again"].contains(&command);
    html! {
        @if has_fields {
            form.filter method="get" action=(address::to("/resources/{}/plan", &[id])) {
                input type="hidden" name="command" value=(command);
                @if ["renew", "subscribe", "set_auto_renew"].contains(&command) {
                    (parts::term_choice(frame, t::PERIOD, t::OWN_TERM))
                    @if let Some(chosen) = query.get("term") {
                        p.note { (frame.say(t::NOW_CHOSEN)) " " (frame.term(&term(Some(chosen)))) }
                    }
                }
                @if command == "set_auto_renew" {
                    (parts::field(frame, t::RENEWALS_MOST, "renewals", get("renewals")))
                }
                @if command == "unsubscribe" {
                    label {
                        span { (frame.say(t::SCOPE)) }
                        select name="scope" {
                            @for scope in SCOPES {
                                option value=(scope) selected[scope == get("scope")] { (frame.word(scope)) }
                            }
                        }
                    }
                }
                @if command == "buy_again" {
                    p.note { (frame.say(t::BUY_AGAIN_LEAD)) }
                    (parts::instant_field(frame, t::PAY_AT, "pay_at", get("pay_at")))
                    (parts::instant_field(frame, t::EFFECTIVE_AT, "effective_at", get("effective_at")))
                }
                button type="submit" { (frame.say(t::PLAN_ANEW)) }
            }
        }
    }
}

fn carry_out_form(frame: &Frame, id: &str, query: &Parameters, command: &str, planned: &Value) -> Markup {
    html! {
        @if frame.may(Role::Operator) {
            form.act method="post" action=(address::to("/resources/{}/command", &[id])) {
                (frame.proof())
                @for (name, value) in query.pairs().filter(|(name, _)| FIELDS.contains(name) && *name != "command") {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="command" value=(command);
                input type="hidden" name="plan_hash" value=(plain(planned, "plan_hash"));
                (parts::field(frame, t::REASON, "reason", ""))
                button type="submit" {
                    @if planned["needs_approval"] == true { (frame.say(t::ASK_FOR_APPROVAL)) }
                    @else { (frame.say(t::CARRY_OUT)) }
                }
                a href=(address::to("/resources/{}", &[id])) { (frame.say(t::LEAVE_IT)) }
            }
        }
    }
}

/// `POST /resources/{id}/command`: carries out the plan that was looked at.
pub(super) async fn carry_out(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let command = form.get("command").unwrap_or_default();
    let path = path_of(&visit, &id, command)?;
    let mut body = arguments(command, form);
    body["plan_hash"] = form.get("plan_hash").map_or(Value::Null, |hash| json!(hash));
    let answer = visit.send(Method::POST, &path, &body).await?;
    let done = match answer.status == StatusCode::ACCEPTED {
        true if answer.body["call"].is_object() => "to-be-sent",
        true => "waits",
        false => "carried-out",
    };
    Ok(visit.go(Address::new("/resources/{}", &[&id]), done))
}
