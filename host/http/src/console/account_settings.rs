//! The settings of an account, those of its provider's rules and the host's own, each with its meaning, default and value; a
//! part of the account's page, and the form that changes them.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::account_settings;
use perennial_domain::account_settings::OwnSetting;
use perennial_formats::language::Text;
use perennial_service::admin_tokens::Role;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::submission::SETTING;
use crate::console::texts as t;
use crate::console::texts::accounts as of_accounts;
use crate::console::visit::Visit;

/// What each of the host's own settings means.
const OWN_MEANINGS: [(&str, Text); 2] = [
    ("on_policy_failure", of_accounts::MEANS_ON_POLICY_FAILURE),
    ("on_undecided", of_accounts::MEANS_ON_UNDECIDED),
];

/// The settings of an account, with a form for somebody who may change them.
pub(super) fn part(frame: &Frame, account: &Value, plugin: Option<&Value>) -> Markup {
    let value = |name: &str| account["settings"][name].as_str().unwrap_or_default();
    let known = plugin.map(|plugin| items(plugin, "settings")).unwrap_or_default();
    let of_rules = known.iter().map(|setting| {
        let name = plain(setting, "name");
        vec![
            html! { code { (name) } },
            html! { span lang="en" { (parts::text(&setting["label"])) } },
            parts::text(&setting["default"]),
            html! {
                @if frame.may(Role::Admin) {
                    input name={ (SETTING) (name) } value=(value(name)) aria-label=(name) form="settings" autocomplete="off";
                } @else { (value(name)) }
            },
        ]
    });
    let own = account_settings::own();
    let of_host = own.iter().map(|own| own_row(frame, own, value(own.name)));
    let columns = [
        Column::Words(t::NAME),
        Column::Words(t::MEANING),
        Column::Words(t::DEFAULT),
        Column::Words(t::VALUE),
    ];
    html! {
        section aria-labelledby="settings-title" {
            h2 id="settings-title" { (frame.say(t::SETTINGS)) }
            (parts::table(frame, frame.say(of_accounts::SETTINGS_OF_RULES), &columns, of_rules.collect()))
            (parts::table(frame, frame.say(of_accounts::SETTINGS_OF_HOST), &columns, of_host.collect()))
            @if frame.may(Role::Admin) {
                form.act id="settings" method="post" action=(address::to("/accounts/{}/settings", &[plain(account, "id")])) {
                    (frame.proof())
                    (parts::field(frame, t::APPROVAL_ABOVE, "approval_above", plain(account, "approval_above")))
                    (parts::field(frame, t::BUDGET, "budget", plain(account, "budget")))
                    (parts::field(frame, t::REASON, "reason", ""))
                    button type="submit" { (frame.say(t::SAVE)) }
                }
            }
        }
    }
}

/// One of the host's own settings, of which each value has words.
fn own_row(frame: &Frame, own: &OwnSetting, value: &str) -> Vec<Markup> {
    let meaning = OWN_MEANINGS.iter().find(|(name, _)| *name == own.name).map(|(_, text)| *text);
    let default = own.values.first().copied().unwrap_or_default();
    vec![
        html! { code { (own.name) } },
        html! { @if let Some(meaning) = meaning { (frame.say(meaning)) } },
        html! { (frame.word(default)) },
        html! {
            @if frame.may(Role::Admin) {
                select name={ (SETTING) (own.name) } aria-label=(own.name) form="settings" {
                    option value="" selected[value.is_empty()] { (frame.say(t::DEFAULT)) }
                    @for word in &own.values { option value=(word) selected[*word == value] { (frame.word(word)) } }
                }
            } @else { (frame.word(value)) }
        },
    ]
}

/// `POST /accounts/{id}/settings`: only what the form says otherwise is changed.
pub(super) async fn change(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = address::to("/v1/accounts/{}", &[&id]);
    let before = visit.get(&path).await?;
    let mut body = Map::new();
    let mut changed = Map::new();
    for (name, value) in visit.form.pairs() {
        let value = value.trim();
        let wish = if value.is_empty() { Value::Null } else { json!(value) };
        if let Some(setting) = name.strip_prefix(SETTING) {
            if before["settings"][setting].as_str().unwrap_or_default() != value {
                changed.insert(setting.to_owned(), wish);
            }
        } else if ["approval_above", "budget"].contains(&name)
            && before[name].as_str().unwrap_or_default() != value
        {
            body.insert(name.to_owned(), wish);
        }
    }
    if !changed.is_empty() {
        body.insert("settings".to_owned(), Value::Object(changed));
    }
    let answer = visit.send(Method::PATCH, &path, &Value::Object(body)).await?;
    let done = if answer.status == StatusCode::ACCEPTED { "limit-waits" } else { "saved" };
    Ok(visit.go(Address::new("/accounts/{}", &[&id]), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_host_has_a_meaning() {
        let named = account_settings::own().map(|own| own.name);
        assert_eq!(OWN_MEANINGS.map(|(name, _)| name), named);
    }
}
