//! Counters for Prometheus, in memory since the host started. Gauges are read from the database when they are scraped.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use perennial_domain::account::Account;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::plan::Cause;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;

use perennial_engine::clock::Stopwatch;
use perennial_engine::connector::Connector;
use perennial_engine::persist::RecordedEvent;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::ProviderApi;
use perennial_sandbox::TimelineRequest;

/// Lines of the log that could not be written. The log is the process's, so this is, too.
static LOG_LINES_DROPPED: AtomicU64 = AtomicU64::new(0);

/// Counts a line of the log that could not be written.
pub fn record_dropped_log_line() {
    LOG_LINES_DROPPED.fetch_add(1, Ordering::Relaxed);
}

/// The counters since the host started.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Attempts by outcome: `settled`, `in_doubt`, or the class of a decline.
    attempts: BTreeMap<&'static str, u64>,
    missed_attempts: u64,
    /// Plugin calls by provider and function.
    plugin_calls: BTreeMap<(String, &'static str), CallStats>,
    /// Deliveries by outcome.
    deliveries: BTreeMap<&'static str, u64>,
    channel_deliveries: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct CallStats {
    count: u64,
    seconds: f64,
    failures: u64,
}

impl Metrics {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("no holder of the counts panics")
    }

    /// Counts an event; only attempts at renewals have counters.
    pub(crate) fn record_event(&self, event: &Event) {
        let Some(class) = event.what.attempt_result() else { return };
        *self.counts().attempts.entry(class).or_default() += 1;
    }

    /// Counts the attempts among the events of work that was done late, after an outage.
    pub(crate) fn record_late_attempts(&self, events: &[RecordedEvent]) {
        let is_attempt = |recorded: &&RecordedEvent| {
            matches!(
                recorded.event.what,
                EventKind::RenewalSettled { cause: Cause::Auto, primary: None, .. }
                    | EventKind::RenewalDeclined { .. }
            )
        };
        self.counts().missed_attempts +=
            u64::try_from(events.iter().filter(is_attempt).count()).unwrap_or(u64::MAX);
    }

    /// Counts an attempt to deliver an event to a webhook.
    pub(crate) fn record_delivery(&self, outcome: &'static str) {
        *self.counts().deliveries.entry(outcome).or_default() += 1;
    }

    /// Counts an attempt to deliver a message to a channel.
    pub(crate) fn record_channel_delivery(&self, outcome: &'static str) {
        *self.counts().channel_deliveries.entry(outcome).or_default() += 1;
    }

    /// Counts one call of a plugin, which may have many requests, and how many of those failed.
    pub fn record_plugin_call(&self, provider: &str, function: &'static str, seconds: f64, failures: u64) {
        let mut counts = self.counts();
        let stats = counts.plugin_calls.entry((provider.to_owned(), function)).or_default();
        stats.count += 1;
        stats.seconds += seconds;
        stats.failures += failures;
    }
}

impl Metrics {
    /// Appends every counter, in the text format of Prometheus.
    pub fn write(&self, text: &mut String) {
        let counts = self.counts();
        let attempts =
            counts.attempts.iter().map(|(class, count)| (format!("{{class=\"{class}\"}}"), *count));
        write_counters(text, "perennial_attempts_total", "Attempts at renewals, by outcome.", attempts);
        write_single(
            text,
            "perennial_missed_attempts_total",
            "counter",
            "Attempts made late, after an outage.",
            "",
            counts.missed_attempts,
        );
        write_single(
            text,
            "perennial_log_lines_dropped_total",
            "counter",
            "Lines of the log that could not be written.",
            "",
            LOG_LINES_DROPPED.load(Ordering::Relaxed),
        );
        let labels = |provider: &str, function: &str| {
            format!("{{provider=\"{}\",function=\"{function}\"}}", escape_label(provider))
        };
        let plugin_calls = || {
            counts
                .plugin_calls
                .iter()
                .map(|((provider, function), stats)| (labels(provider, function), *stats))
        };
        let seconds = plugin_calls().map(|(labels, stats)| (labels, stats.seconds));
        write_counters(text, "perennial_plugin_call_seconds_total", "Time spent in plugins.", seconds);
        let calls = plugin_calls().map(|(labels, stats)| (labels, stats.count));
        write_counters(
            text,
            "perennial_plugin_calls_total",
            "Calls of plugins, each with many requests.",
            calls,
        );
        let failures = plugin_calls().map(|(labels, stats)| (labels, stats.failures));
        write_counters(text, "perennial_plugin_failures_total", "Requests that plugins failed.", failures);
        let deliveries =
            counts.deliveries.iter().map(|(outcome, count)| (format!("{{outcome=\"{outcome}\"}}"), *count));
        write_counters(
            text,
            "perennial_webhook_deliveries_total",
            "Attempts to deliver an event to a webhook, by outcome.",
            deliveries,
        );
        let to_channels = counts.channel_deliveries.iter();
        let to_channels = to_channels.map(|(outcome, count)| (format!("{{outcome=\"{outcome}\"}}"), *count));
        write_counters(
            text,
            "perennial_channel_deliveries_total",
            "Attempts to deliver a message to a channel, by outcome.",
            to_channels,
        );
    }
}

/// Appends a counter with one value for each set of labels.
pub fn write_counters(
    text: &mut String,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (String, impl std::fmt::Display)>,
) {
    write_header(text, name, "counter", help);
    for (labels, value) in values {
        writeln!(text, "{name}{labels} {value}").expect("a string takes any text");
    }
}

/// Appends a metric with one value; `kind` is `counter` or `gauge`.
pub fn write_single(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    labels: &str,
    value: impl std::fmt::Display,
) {
    write_header(text, name, kind, help);
    writeln!(text, "{name}{labels} {value}").expect("a string takes any text");
}

fn write_header(text: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a string takes any text");
}

/// Escapes the value of a label.
pub fn escape_label(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Rules whose calls are counted.
pub struct MeteredRules {
    rules: Arc<dyn Rules>,
    metrics: Arc<Metrics>,
}

impl MeteredRules {
    /// Wraps every provider's rules.
    pub(crate) fn wrap_all(providers: Providers, metrics: &Arc<Metrics>) -> Providers {
        let metrics = Arc::clone(metrics);
        providers.map(move |rules| Arc::new(MeteredRules { rules, metrics: Arc::clone(&metrics) }))
    }

    fn measure<T>(
        &self,
        function: &'static str,
        call: impl FnOnce() -> Vec<Result<T, PluginError>>,
    ) -> Vec<Result<T, PluginError>> {
        let watch = Stopwatch::start();
        let results = call();
        let failures = results.iter().filter(|result| result.is_err()).count();
        let failures = u64::try_from(failures).unwrap_or(u64::MAX);
        self.metrics.record_plugin_call(&self.rules.manifest().id, function, watch.seconds(), failures);
        results
    }
}

impl Rules for MeteredRules {
    fn manifest(&self) -> &Manifest {
        self.rules.manifest()
    }

    fn digest(&self) -> &str {
        self.rules.digest()
    }

    fn version(&self) -> Option<String> {
        self.rules.version()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        let mut results = self.measure("check_settings", || vec![self.rules.check_settings(settings)]);
        results.pop().expect("one request has one result")
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        self.measure("timeline", || self.rules.timelines(accounts, requests))
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        self.measure("make_plan", || self.rules.make_plans(accounts, requests))
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.measure("allocate", || self.rules.allocate(accounts, consumptions))
    }

    /// Calls of a provider's own API are counted by its caller, which knows the request.
    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        self.rules.provider_api()
    }

    /// Calls to a provider are not counted here: the caller sends what the connector made up.
    fn connector(&self) -> Option<&dyn Connector> {
        self.rules.connector()
    }
}
