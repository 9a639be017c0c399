//! The limits of the host, and how it sends webhooks.

use std::path::PathBuf;

/// The limits of requests and of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// The longest request, in seconds.
    pub request_seconds: u64,
    /// The longest time until the head of a request has come, a TLS handshake included, in seconds.
    pub head_seconds: u64,
    /// The longest time until the body of a request has come, in seconds.
    pub body_seconds: u64,
    /// The longest time for which a client takes nothing of a response, in seconds.
    pub stall_seconds: u64,
    /// The longest time that a client takes over one response, in seconds.
    pub response_seconds: u64,
    /// The longest forecast, in seconds. It simulates months over a copy of the database.
    pub forecast_seconds: u64,
    /// The most requests in flight, for each listener.
    pub concurrency_max: usize,
    /// The most requests of one token in flight.
    pub concurrency_per_token_max: usize,
    /// The most open connections, for each listener.
    pub connections_max: usize,
    /// The most open connections of one address, for each listener.
    pub connections_per_address_max: usize,
    /// The most requests of one address to a provider's own API whose bodies are still to come.
    pub unproved_per_address_max: usize,
    /// The most that the clock may lag behind while the host is ready, in seconds.
    pub lag_seconds_max: i64,
    /// The number of reading threads, each with a connection.
    pub readers: usize,
    /// The most bundles in one transaction.
    pub batch: u32,
}

impl Limits {
    /// The limits without configuration.
    pub const DEFAULT: Limits = Limits {
        body_bytes_max: 16 * 1024 * 1024,
        request_seconds: 30,
        head_seconds: 10,
        body_seconds: 20,
        stall_seconds: 10,
        response_seconds: 60,
        forecast_seconds: 300,
        concurrency_max: 512,
        concurrency_per_token_max: 64,
        connections_max: 2048,
        connections_per_address_max: 512,
        unproved_per_address_max: 64,
        lag_seconds_max: 60,
        readers: 4,
        batch: 8192,
    };
}

/// How events are sent to webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether private addresses, any port and plain HTTP are allowed.
    pub allow_private: bool,
    /// A PEM file of root certificates to trust, beside those that browsers trust.
    pub certificates: Option<PathBuf>,
    /// The `source` of the CloudEvents, a URI; `None` is `urn:perennial`.
    pub source: Option<String>,
}

impl Webhooks {
    /// Without configuration: public addresses only.
    pub const DEFAULT: Webhooks = Webhooks { allow_private: false, certificates: None, source: None };

    /// The `source` of the CloudEvents, a URI.
    pub fn source(&self) -> &str {
        self.source.as_deref().unwrap_or("urn:perennial")
    }
}
