//! Requests that this host sends over HTTP: where they may go, and how far one came.
//!
//! Knows connections, TLS and bounds; knows neither webhooks nor providers.

mod address;
pub(crate) mod client;
pub mod target;

/// Which receivers a kind of request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether private addresses, any port and plain HTTP are allowed.
    pub allow_private: bool,
    /// The section of the configuration whose `allow_private` says so.
    section: &'static str,
}

impl Reach {
    /// That of messages to webhooks.
    pub const fn webhooks(allow_private: bool) -> Reach {
        Reach { allow_private, section: "webhooks" }
    }

    /// That of calls to providers.
    pub const fn connections(allow_private: bool) -> Reach {
        Reach { allow_private, section: "connections" }
    }

    /// The setting that would allow what is refused, at the end of a sentence.
    pub(crate) fn unless(self) -> String {
        format!(", or set `{}.allow_private = true` in the host's configuration", self.section)
    }
}
