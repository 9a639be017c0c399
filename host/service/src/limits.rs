//! What the host may take on, and how it sends webhooks.

use std::path::PathBuf;

/// What requests, and the host, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// The longest request, in seconds.
    pub request_seconds: u64,
    /// The longest forecast, in seconds: it plays months over a copy of everything.
    pub forecast_seconds: u64,
    /// The most requests under way at once.
    pub concurrency_max: usize,
    /// The most requests of one token under way at once.
    pub concurrency_per_token_max: usize,
    /// The most connections open at once.
    pub connections_max: usize,
    /// How far the clock may be behind while the host is ready, in seconds.
    pub lag_seconds_max: i64,
    /// Connections to the database for reading.
    pub readers: usize,
    /// The most bundles in one transaction.
    pub batch: u32,
}

impl Limits {
    /// What holds when nothing is said.
    pub const DEFAULT: Limits = Limits {
        body_bytes_max: 16 * 1024 * 1024,
        request_seconds: 30,
        forecast_seconds: 300,
        concurrency_max: 512,
        concurrency_per_token_max: 64,
        connections_max: 2048,
        lag_seconds_max: 60,
        readers: 4,
        batch: 8192,
    };
}

/// How events are sent to webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether they may be sent to private addresses, to any port, and over plain HTTP.
    pub allow_private: bool,
    /// Certificates in PEM that receivers are known by, beside those that browsers know.
    pub certificates: Option<PathBuf>,
    /// What receivers tell this host by; `None` is `urn:perennial`.
    pub source: Option<String>,
}

impl Webhooks {
    /// What holds when nothing is said: only to public addresses.
    pub const DEFAULT: Webhooks = Webhooks { allow_private: false, certificates: None, source: None };

    /// What receivers tell this host by, a URI.
    pub fn source(&self) -> &str {
        self.source.as_deref().unwrap_or("urn:perennial")
    }
}
