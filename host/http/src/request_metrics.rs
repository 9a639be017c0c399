//! Metrics of requests: their number and duration by route and status. Also generates request IDs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use perennial_service::metrics::escape_label;
use perennial_service::metrics::write_counters;

/// The counters of requests since the host started.
#[derive(Debug)]
pub struct RequestMetrics {
    /// By method, route and status.
    counts: Mutex<BTreeMap<(String, String, u16), RequestStats>>,
    /// Random bytes that make request IDs of this start different from those of another.
    start: [u8; 4],
    requests: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct RequestStats {
    count: u64,
    seconds: f64,
}

impl Default for RequestMetrics {
    fn default() -> RequestMetrics {
        let mut start = [0; 4];
        if let Err(error) = getrandom::fill(&mut start) {
            tracing::warn!(%error, "request IDs may repeat after a restart");
        }
        RequestMetrics { counts: Mutex::default(), start, requests: AtomicU64::new(0) }
    }
}

impl RequestMetrics {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<(String, String, u16), RequestStats>> {
        self.counts.lock().expect("no holder of the counts panics")
    }

    /// Generates a unique request ID.
    pub fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number:08x}", u32::from_be_bytes(self.start))
    }

    /// Counts a response.
    pub fn observe(&self, method: &str, route: &str, status: u16, seconds: f64) {
        // Unknown methods share one label, so that clients cannot create labels without end.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = if known.contains(&method) { method } else { "other" };
        let mut counts = self.counts();
        let stats = counts.entry((method.to_owned(), route.to_owned(), status)).or_default();
        stats.count += 1;
        stats.seconds += seconds;
    }

    /// Appends the counters, in the text format of Prometheus.
    pub fn write(&self, text: &mut String) {
        let counts = self.counts();
        let http = || {
            counts.iter().map(|((method, route, status), stats)| {
                (
                    format!("{{method=\"{method}\",route=\"{}\",status=\"{status}\"}}", escape_label(route)),
                    *stats,
                )
            })
        };
        let requests = http().map(|(labels, stats)| (labels, stats.count));
        write_counters(text, "perennial_http_requests_total", "Requests that got a response.", requests);
        let seconds = http().map(|(labels, stats)| (labels, stats.seconds));
        write_counters(text, "perennial_http_request_seconds_total", "Time until the response.", seconds);
    }
}
