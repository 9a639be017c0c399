//! Cases of what a host decided: a question that was kept, written as a case states it, with the answer that was followed.
//!
//! A case cannot state everything that a host knows, such as an order that was changed or that waits to be paid. Who writes a case
//! reads it back and compares: see [`Case::asks`].

use std::fmt::Write as _;

use perennial_domain::order::Order;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use serde_json::Value;

use super::Case;
use super::CaseRequest;
use super::answer::plan_lines;
use super::bless;
use crate::command;
use crate::decision::DecisionRequest;
use crate::resource;

/// The text of a case with this name that asks what was asked, and says what was answered.
pub fn recorded(name: &str, request: &DecisionRequest, answer: &Result<Plan, Refusal>) -> String {
    let bundle = &request.bundle;
    let id = |member| bundle.get(member).map(|resource| resource.id.as_str()).unwrap_or_default();
    let mut text = format!("[[case]]\nname = {}\n", inline(&name.into()));
    if !request.settings.is_empty() {
        line(&mut text, "settings", &json(&request.settings));
    }
    let resources = bundle.members.iter().map(|member| {
        let attached_to = member.attached_to.map(id);
        let fields = resource::fields(member, attached_to.into()).into_iter();
        Value::Object(fields.map(|(name, value)| (name.to_owned(), json(&value))).collect())
    });
    text += "resources = [\n";
    for resource in resources {
        writeln!(text, "    {},", inline(&resource)).expect("a text takes everything");
    }
    text += "]\n";
    line(&mut text, "at", &request.at.to_string().into());
    if request.member.get() > 0 {
        line(&mut text, "resource", &id(request.member).into());
    }
    let mut command = json(&command::value(&request.command));
    if let Some(renewal) = command.get_mut("renew").and_then(Value::as_object_mut) {
        renewal.remove("cause");
    }
    line(&mut text, "command", &command);
    if is_automatic(&request.command) {
        line(&mut text, "automatic", &true.into());
    }
    if super::takes_orders(&request.command) {
        let orders = request.orders.iter().map(|order| {
            let (member, kind) = (id(order.member), order.kind.name());
            let (from, until) = (order.starts_at.to_string(), order.ends_at.to_string());
            serde_json::json!({
                "resource": member, "kind": kind, "starts_at": from, "ends_at": until,
                "paid": order.paid.to_string(), "paid_at": order.paid_at.to_string(),
            })
        });
        line(&mut text, "orders", &orders.collect());
    }
    let lines = plan_lines(answer, bundle, &renamed(&request.orders));
    text += &format!("answer = {}\n", bless::written(&lines));
    text
}

impl Case {
    /// Whether it asks what a host asked, so that the answer has to be the same. Accounts and orders may have other ids.
    pub fn asks(&self, request: &DecisionRequest) -> bool {
        let CaseRequest::Plan { at, member, command, orders } = &self.question else { return false };
        let is_whole = *at == request.at && *member == request.member && *command == request.command;
        is_whole
            && self.account.settings == request.settings
            && self.bundle == request.bundle
            && *orders == renamed(&request.orders)
    }
}

/// Orders by the names that they have in a case.
fn renamed(orders: &[Order]) -> Vec<Order> {
    let named = orders.iter().enumerate();
    named.map(|(place, order)| Order { id: format!("order-{}", place + 1), ..order.clone() }).collect()
}

fn is_automatic(command: &Command) -> bool {
    matches!(command, Command::Renew(renewal) if renewal.cause == Cause::Auto)
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("names are text, and text takes any JSON")
}

fn line(text: &mut String, key: &str, value: &Value) {
    writeln!(text, "{key} = {}", inline(value)).expect("a text takes everything");
}

/// A value as TOML has it on one line; what is nothing, or empty, is left out of a table.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let is_said = |value: &Value| match value {
                Value::Null => false,
                Value::Object(fields) => !fields.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
            };
            let said = fields.iter().filter(|(_, value)| is_said(value));
            let said = said.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            let said = said.collect::<Vec<_>>();
            if said.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", said.join(", ")) }
        }
        // The escapes of JSON are among those of TOML, which also wants one for DEL.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            value.to_string().replace('\u{7f}', "\\u007F")
        }
    }
}

fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => inline(&name.into()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn values_are_written_on_one_line_of_toml() {
        let value = serde_json::json!({
            "a b": "say \"x\"\n\u{7f}", "empty": {}, "nothing": null, "list": [1, { "on": true }], "none": [],
        });
        let text = format!("value = {}", inline(&value));
        expect![[r#"value = { "a b" = "say \"x\"\n\u007F", list = [1, { on = true }], none = [] }"#]]
            .assert_eq(&text);
        let read = text.parse::<toml::Table>().unwrap();
        assert_eq!(read["value"]["a b"].as_str(), Some("say \"x\"\n\u{7f}"));
    }
}
