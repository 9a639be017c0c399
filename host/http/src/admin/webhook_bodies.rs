//! The bodies of webhooks.

use std::collections::BTreeSet;

use utoipa::ToSchema;

use crate::input;
use crate::input::Body;
use perennial_domain::event::EventKind;
use perennial_formats::body::JsonCursor;
use perennial_service::outbound::Reach;
use perennial_service::outbound::target::Target;

/// The longest description of a webhook or a channel, in characters.
pub(super) const DESCRIPTION_MAX: usize = 500;

/// A new webhook.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// The URL that events are sent to: `https` and a public address, unless the host allows private ones.
    #[schema(format = "uri", max_length = 2048)]
    pub(super) url: String,
    /// The purpose, for people.
    #[schema(max_length = 500, required = false)]
    pub(super) description: String,
    /// The accounts whose events are sent; left out, all accounts that the token can access. For a token that is bound
    /// to accounts these are its present ones.
    #[schema(min_items = 1)]
    pub(super) accounts: Option<BTreeSet<String>>,
    /// The types of event that are sent, such as `renewal_declined`; left out, all of them.
    #[schema(min_items = 1)]
    pub(super) types: Option<BTreeSet<String>>,
}

impl Body for NewWebhook {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<NewWebhook> {
        let fields = cursor.object(&["url", "description", "accounts", "types"])?;
        let url = fields.required("url", url);
        let description = fields.optional("description", description).or(String::new());
        let accounts = fields.optional("accounts", input::accounts);
        let types = fields.optional("types", types);
        Some(NewWebhook {
            url: url?,
            description: description?,
            accounts: accounts.option()?,
            types: types.option()?,
        })
    }
}

/// Reads a URL that some configuration of the host allows.
pub(super) fn url(cursor: JsonCursor<'_, '_>) -> Option<String> {
    let url = cursor.name()?;
    match Target::read(url, Reach::webhooks(true)) {
        Ok(_) => Some(url.to_owned()),
        Err(why) => {
            cursor.report(why);
            None
        }
    }
}

fn description(cursor: JsonCursor<'_, '_>) -> Option<String> {
    short(cursor, DESCRIPTION_MAX)
}

/// Reads a text of at most so many characters.
pub(super) fn short(cursor: JsonCursor<'_, '_>, most: usize) -> Option<String> {
    let text = cursor.text()?;
    let characters = text.chars().count();
    if characters > most {
        cursor.report(format!("it has {characters} characters; at most {most} are taken"));
        return None;
    }
    Some(text.to_owned())
}

/// Reads the types of event that are sent.
pub(super) fn types(cursor: JsonCursor<'_, '_>) -> Option<BTreeSet<String>> {
    let kind =
        |_, cursor: JsonCursor<'_, '_>| cursor.one_of(EventKind::TYPES, |kind| kind).map(str::to_owned);
    Some(cursor.list_of_some("leave it out for all of them", kind)?.into_iter().collect())
}

/// A change of a webhook. Fields that are left out stay.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChange {
    /// The URL that events are sent to from now on, retries included.
    #[schema(format = "uri", max_length = 2048)]
    pub(super) url: Option<String>,
    /// The purpose, for people.
    #[schema(max_length = 500)]
    pub(super) description: Option<String>,
    /// The types of event that are sent from now on; null is all of them.
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    pub(super) types: Option<Option<BTreeSet<String>>>,
    /// False stops deliveries; true resumes them, and the events since then are sent.
    pub(super) enabled: Option<bool>,
}

impl Body for WebhookChange {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<WebhookChange> {
        let fields = cursor.object(&["url", "description", "types", "enabled"])?;
        let url = fields.optional("url", url).option();
        let description = fields.optional("description", description).option();
        let is_there = fields.get("types").is_some();
        let types = fields.optional("types", types).option();
        let enabled = fields.optional("enabled", |cursor| cursor.flag()).option();
        let types = types?;
        Some(WebhookChange {
            url: url?,
            description: description?,
            types: is_there.then_some(types),
            enabled: enabled?,
        })
    }
}
