//! The payload of a message: an event as CloudEvents 1.0 in the structured JSON format.

use serde::Serialize;

/// The prefix of every `type`; the event's own type follows.
const PREFIX: &str = "perennial.";
/// The content type of the body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The metadata of an event in its envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMetadata<'a> {
    /// The URI of this host. IDs are unique per source.
    pub source: &'a str,
    /// The event's ID.
    pub id: &'a str,
    /// The event's type, without the prefix.
    pub event_type: &'a str,
    /// The instant of the event, in RFC 3339.
    pub time: &'a str,
    /// The resource that the event is about.
    pub subject: Option<&'a str>,
}

/// The order of the fields is fixed, so an event has the same body on every attempt.
#[derive(Serialize)]
struct Envelope<'a, D> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: String,
    time: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    datacontenttype: &'static str,
    data: &'a D,
}

/// The body for an event whose own fields are `data`.
pub fn body(metadata: &EventMetadata<'_>, data: &impl Serialize) -> Vec<u8> {
    let envelope = Envelope {
        specversion: "1.0",
        id: metadata.id,
        source: metadata.source,
        r#type: format!("{PREFIX}{}", metadata.event_type),
        time: metadata.time,
        subject: metadata.subject,
        datacontenttype: "application/json",
        data,
    };
    serde_json::to_vec(&envelope).expect("an event has text as keys")
}
