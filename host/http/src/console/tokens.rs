//! `/tokens` and `/keys`: who may use the admin API, and the keys of the providers' own APIs.

use axum::extract::Path;
use axum::http::Method;
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
use crate::console::texts as t;
use crate::console::visit::Visit;
use crate::console::webhooks::secret_page;

/// `GET /tokens`: tokens for those who may see them, and keys.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let tokens = visit.try_get("/v1/tokens").await?;
    let keys = visit.get("/v1/provider-keys").await?;
    let content = html! {
        @if let Some(tokens) = &tokens {
            (token_table(frame, items(tokens, "items")))
            (token_form(frame))
        }
        section.titled aria-labelledby="keys" {
            h2 id="keys" { (frame.say(t::KEYS)) }
            (key_table(frame, items(&keys, "items")))
            @if frame.may(Role::Admin) { (key_form(frame)) }
        }
    };
    Ok(layout::page(frame, Section::Tokens, frame.say(t::TOKENS_AND_KEYS), content))
}

fn token_table(frame: &Frame, tokens: &[Value]) -> Markup {
    let rows = tokens.iter().map(|token| {
        let accounts =
            items(token, "accounts").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let is_own = plain(token, "id") == &*frame.caller.id;
        vec![
            html! { code { (plain(token, "id")) } @if is_own { " " small { (frame.say(t::THIS_SESSION)) } } },
            parts::text(&token["name"]),
            html! { (frame.word(plain(token, "role"))) },
            parts::text(&token["owner"]),
            html! { @for label in items(token, "approves") { code { (parts::text(label)) } " " } },
            html! { @if accounts.is_empty() { (frame.say(t::ALL)) } @else { (accounts) } },
            frame.time(&token["last_used_at"], None),
            frame.time(&token["expires_at"], None),
            revocation(frame, "/tokens/{}/revoke", plain(token, "id"), &token["revoked_at"]),
        ]
    });
    let columns = [
        Column::Words(t::TOKEN),
        Column::Words(t::NAME),
        Column::Words(t::ROLE),
        Column::Words(t::OWNER),
        Column::Words(t::APPROVES),
        Column::Words(t::ACCOUNTS),
        Column::Words(t::LAST_USED),
        Column::Words(t::EXPIRES),
        Column::Words(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::TOKENS), &columns, rows.collect())
}

/// When it was revoked, or the button that revokes it.
fn revocation(frame: &Frame, path: &str, id: &str, revoked_at: &Value) -> Markup {
    html! {
        @if revoked_at.is_string() {
            (frame.say(t::REVOKED)) " " (frame.time(revoked_at, None))
        } @else if frame.may(Role::Admin) {
            form method="post" action=(address::to(path, &[id])) {
                (frame.proof())
                button.quiet type="submit" aria-label={ (frame.say(t::REVOKE)) " " (id) } { (frame.say(t::REVOKE)) }
            }
        }
    }
}

fn token_form(frame: &Frame) -> Markup {
    html! {
        form.act method="post" action="/tokens" {
            (frame.proof())
            h2 { (frame.say(t::NEW_TOKEN)) }
            (parts::field(frame, t::NAME, "name", ""))
            label {
                span { (frame.say(t::ROLE)) }
                select name="role" { @for role in Role::ALL { option value=(role.name()) { (frame.word(role.name())) } } }
            }
            (parts::field(frame, t::ACCOUNTS_LIST, "accounts", ""))
            (parts::field(frame, t::APPROVES_LIST, "approves", ""))
            (parts::instant_field(frame, t::EXPIRES, "expires_at", ""))
            button type="submit" { (frame.say(t::CREATE)) }
        }
    }
}

/// `POST /tokens`: another token, whose secret is shown once.
pub(super) async fn create(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let words = |name: &str| {
        let words = form.get(name)?.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        Some(words.collect::<Vec<_>>())
    };
    let (accounts, approves) = (words("accounts"), words("approves"));
    let body = json!({
        "name": form.get("name").unwrap_or_default(), "role": form.get("role").unwrap_or_default(),
        "accounts": accounts, "approves": approves, "expires_at": form.instant("expires_at"),
    });
    let answer = visit.send(Method::POST, "/v1/tokens", &body).await?;
    Ok(secret_page(&visit, Section::Tokens, plain(&answer.body["token"], "name"), &answer.body["secret"]))
}

/// `POST /tokens/{id}/revoke`: it opens nothing any more.
pub(super) async fn revoke(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = format!("{}:revoke", address::to("/v1/tokens/{}", &[&id]));
    visit.send(Method::POST, &path, &json!({})).await?;
    Ok(visit.go(Address::new("/tokens", &[]), "revoked"))
}

fn key_table(frame: &Frame, keys: &[Value]) -> Markup {
    let rows = keys.iter().map(|key| {
        vec![
            html! { code { (plain(key, "access_key")) } },
            parts::text(&key["name"]),
            parts::account(&key["account"]),
            parts::text(&key["provider"]),
            frame.time(&key["last_used_at"], None),
            frame.time(&key["expires_at"], None),
            revocation(frame, "/keys/{}/revoke", plain(key, "access_key"), &key["revoked_at"]),
        ]
    });
    let columns = [
        Column::Words(t::ACCESS_KEY),
        Column::Words(t::NAME),
        Column::Words(t::ACCOUNT),
        Column::Words(t::PROVIDER),
        Column::Words(t::LAST_USED),
        Column::Words(t::EXPIRES),
        Column::Words(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::KEYS), &columns, rows.collect())
}

fn key_form(frame: &Frame) -> Markup {
    html! {
        form.act method="post" action="/keys" {
            (frame.proof())
            h3 { (frame.say(t::NEW_KEY)) }
            (parts::field(frame, t::ACCOUNT, "account", ""))
            (parts::field(frame, t::NAME, "name", ""))
            button type="submit" { (frame.say(t::CREATE)) }
        }
    }
}

/// `POST /keys`: another key of a provider's own API.
pub(super) async fn create_key(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let [account, name] = ["account", "name"].map(|name| form.get(name).unwrap_or_default());
    let answer =
        visit.send(Method::POST, "/v1/provider-keys", &json!({ "account": account, "name": name })).await?;
    Ok(secret_page(&visit, Section::Tokens, plain(&answer.body["key"], "access_key"), &answer.body["secret"]))
}

/// `POST /keys/{id}/revoke`: it signs nothing any more.
pub(super) async fn revoke_key(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = format!("{}:revoke", address::to("/v1/provider-keys/{}", &[&id]));
    visit.send(Method::POST, &path, &json!({})).await?;
    Ok(visit.go(Address::new("/tokens", &[]), "revoked"))
}
