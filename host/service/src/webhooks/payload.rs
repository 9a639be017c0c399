//! What is sent: an event as CloudEvents 1.0 in the structured JSON format.

use serde::Serialize;

/// What every type begins with; an event's own type follows.
const PREFIX: &str = "perennial.";
/// The content type of the body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// What an envelope says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMetadata<'a> {
    /// Which host tells of it, a URI. Ids are unique among those of one source.
    pub source: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its type.
    pub event_type: &'a str,
    /// When it happened, in RFC 3339.
    pub time: &'a str,
    /// The resource that it is about.
    pub subject: Option<&'a str>,
}

/// Fields are written in this order, so an event has the same body on every try.
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

/// The body that tells of an event whose own fields are `data`.
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
