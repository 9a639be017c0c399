//! An event as clients receive it: in lists, in the stream and in webhooks.

use perennial_domain::event::Event;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

/// Something that happened. What its type adds stands beside these fields.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Later events have others; the cursor of what comes after it. Left out where it is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// The instant at which it happened.
    #[schema(format = DateTime)]
    pub at: String,
    /// The id of the account; null when the event concerns the host.
    pub account: Option<String>,
    /// The id of the resource; null when the event concerns the account.
    pub resource: Option<String>,
    /// The type of the event.
    pub r#type: String,
    /// The fields that the type adds.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl EventView {
    /// The event that tests a webhook. It reports nothing.
    pub fn test(at: Timestamp) -> EventView {
        EventView {
            id: None,
            at: at.to_string(),
            account: None,
            resource: None,
            r#type: "test".to_owned(),
            more: Map::new(),
        }
    }

    /// An event of `account` that is not numbered yet.
    pub fn new(event: &Event, account: Option<&str>) -> EventView {
        let (kind, body) = crate::event::body(event);
        let more = match serde_json::to_value(body) {
            Ok(Value::Object(more)) => more,
            Ok(_) | Err(_) => unreachable!("an event's body is an object"),
        };
        EventView {
            id: None,
            at: event.at.to_string(),
            account: account.map(str::to_owned),
            resource: event.resource.clone(),
            r#type: kind.to_owned(),
            more,
        }
    }
}
