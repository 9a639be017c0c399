//! Figures for Prometheus: what happened is counted as it happens, how things stand is read when somebody looks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use perennial_domain::account::Account;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::manifest::Manifest;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;

use crate::api::health;
use crate::api::host::Host;
use crate::api::problem::Problem;
use crate::clock::Stopwatch;
use crate::engine::rules::Providers;
use crate::engine::rules::Rules;
use crate::engine::write::Recorded;
use crate::sandbox::PlanRequest;
use crate::sandbox::PluginError;
use crate::sandbox::ProviderApi;
use crate::sandbox::TimelineRequest;
use crate::store::webhooks;

/// What is counted since the host started.
#[derive(Debug)]
pub struct Metrics {
    counts: Mutex<Counts>,
    /// Tells request ids of this start from those of another.
    start: [u8; 4],
    requests: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    /// By class of outcome: `settled`, or that of a decline.
    attempts: BTreeMap<&'static str, u64>,
    missed: u64,
    /// By provider and function: how often, for how long, and how often in vain.
    decisions: BTreeMap<(String, &'static str), Spent>,
    /// By outcome.
    deliveries: BTreeMap<&'static str, u64>,
    /// By method, route and status.
    http: BTreeMap<(String, String, u16), Spent>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    count: u64,
    seconds: f64,
    failures: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut start = [0; 4];
        if let Err(error) = getrandom::fill(&mut start) {
            tracing::warn!(%error, "request ids of two starts may be the same");
        }
        Metrics { counts: Mutex::default(), start, requests: AtomicU64::new(0) }
    }
}

impl Metrics {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("no holder of the counts panics")
    }

    /// A request id that no other request has.
    pub fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number:08x}", u32::from_be_bytes(self.start))
    }

    /// Counts an event.
    pub fn observe(&self, event: &Event) {
        let class = match &event.what {
            EventKind::RenewalSettled { primary: None, .. } => "settled",
            EventKind::RenewalDeclined { class, .. } => class.name(),
            EventKind::RenewalInDoubt { .. } => "in_doubt",
            EventKind::RenewalSettled { .. }
            | EventKind::StageChanged { .. }
            | EventKind::ApprovalRequested { .. }
            | EventKind::ApprovalDecided { .. }
            | EventKind::ApprovalLapsed { .. }
            | EventKind::CommandRefused { .. }
            | EventKind::SettingChanged { .. }
            | EventKind::Unsubscribed { .. }
            | EventKind::Converted
            | EventKind::BalanceChanged { .. }
            | EventKind::PackageOrdered { .. }
            | EventKind::PackageBought { .. }
            | EventKind::PackageUsed { .. }
            | EventKind::PackageRefilled { .. }
            | EventKind::PackageLow { .. }
            | EventKind::PackageDepleted { .. }
            | EventKind::UsageUncovered { .. }
            | EventKind::Notice { .. }
            | EventKind::PluginFailed { .. }
            | EventKind::HostResumed { .. } => return,
        };
        *self.counts().attempts.entry(class).or_default() += 1;
    }

    /// Counts the tries among what was made up for after an outage: they were missed.
    pub fn observe_late(&self, happened: &[Recorded]) {
        let is_try = |recorded: &&Recorded| {
            matches!(
                recorded.event.what,
                EventKind::RenewalSettled { cause: Cause::Auto, primary: None, .. }
                    | EventKind::RenewalDeclined { .. }
            )
        };
        self.counts().missed += u64::try_from(happened.iter().filter(is_try).count()).unwrap_or(u64::MAX);
    }

    /// Counts tries at sending an event to a webhook.
    pub fn sent(&self, outcome: &'static str) {
        *self.counts().deliveries.entry(outcome).or_default() += 1;
    }

    /// Counts an answer.
    pub fn answered(&self, method: &str, route: &str, status: u16, seconds: f64) {
        // Methods that nobody knows are one, so that nobody can make up any number of figures.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = if known.contains(&method) { method } else { "other" };
        let mut counts = self.counts();
        let spent = counts.http.entry((method.to_owned(), route.to_owned(), status)).or_default();
        spent.count += 1;
        spent.seconds += seconds;
    }

    /// Counts requests that were put to a plugin at once, and how many of them in vain.
    pub fn decided(&self, provider: &str, function: &'static str, seconds: f64, failures: u64) {
        let mut counts = self.counts();
        let spent = counts.decisions.entry((provider.to_owned(), function)).or_default();
        spent.count += 1;
        spent.seconds += seconds;
        spent.failures += failures;
    }
}

/// Figures in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "host", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn scrape(State(host): State<Host>) -> Result<impl IntoResponse, Problem> {
    let now = host.now();
    let read = host.read(move |db| Ok((health::standing(db, now)?, webhooks::standing(db)?)));
    let (standing, webhooks) = read.await?;
    let mut text = String::new();
    let gauges = [
        ("perennial_due", "Bundles whose time has come.", standing.due),
        (
            "perennial_overdue_seconds",
            "How late the bundle is that has waited longest.",
            standing.overdue_seconds,
        ),
        ("perennial_clock_lag_seconds", "How far the clock is behind.", standing.clock_lag_seconds),
        ("perennial_in_doubt", "Attempts of which nobody knows whether they happened.", standing.in_doubt),
        ("perennial_webhooks_disabled", "Webhooks that are disabled.", webhooks.disabled),
        ("perennial_webhook_pending", "Deliveries that are to be tried again.", webhooks.pending),
        (
            "perennial_webhook_behind",
            "Events that the enabled webhook furthest behind has not come to.",
            webhooks.behind,
        ),
        ("perennial_jobs_running", "Jobs of many commands that are not done.", standing.jobs),
        ("perennial_job_items_waiting", "Items of those that have no answer yet.", standing.items),
        ("perennial_approvals_open", "Plans that are held until somebody decides.", standing.approvals_open),
    ];
    for (name, help, value) in gauges {
        one(&mut text, name, "gauge", help, "", value);
    }
    host.metrics().write(&mut text);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

impl Metrics {
    fn write(&self, text: &mut String) {
        let counts = self.counts();
        let attempts =
            counts.attempts.iter().map(|(class, count)| (format!("{{class=\"{class}\"}}"), *count));
        many(text, "perennial_attempts_total", "Attempts at renewals, by how they ended.", attempts);
        one(
            text,
            "perennial_missed_tries_total",
            "counter",
            "Tries made up for after an outage.",
            "",
            counts.missed,
        );
        let labels = |provider: &str, function: &str| {
            format!("{{provider=\"{}\",function=\"{function}\"}}", escaped(provider))
        };
        let decisions = || {
            counts.decisions.iter().map(|((provider, function), spent)| (labels(provider, function), *spent))
        };
        let seconds = decisions().map(|(labels, spent)| (labels, spent.seconds));
        many(text, "perennial_decision_seconds_total", "Time that plugins took.", seconds);
        let calls = decisions().map(|(labels, spent)| (labels, spent.count));
        many(
            text,
            "perennial_decision_calls_total",
            "Questions put to plugins, each of many bundles.",
            calls,
        );
        let failures = decisions().map(|(labels, spent)| (labels, spent.failures));
        many(text, "perennial_plugin_failures_total", "Answers of plugins that were of no use.", failures);
        let deliveries =
            counts.deliveries.iter().map(|(outcome, count)| (format!("{{outcome=\"{outcome}\"}}"), *count));
        many(
            text,
            "perennial_webhook_deliveries_total",
            "Tries at sending an event to a webhook, by what came of them.",
            deliveries,
        );
        let http = || {
            counts.http.iter().map(|((method, route, status), spent)| {
                (format!("{{method=\"{method}\",route=\"{}\",status=\"{status}\"}}", escaped(route)), *spent)
            })
        };
        let requests = http().map(|(labels, spent)| (labels, spent.count));
        many(text, "perennial_http_requests_total", "Requests that were answered.", requests);
        let seconds = http().map(|(labels, spent)| (labels, spent.seconds));
        many(text, "perennial_http_request_seconds_total", "Time until they were.", seconds);
    }
}

fn many(
    text: &mut String,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (String, impl std::fmt::Display)>,
) {
    head(text, name, "counter", help);
    for (labels, value) in values {
        writeln!(text, "{name}{labels} {value}").expect("a string takes any text");
    }
}

fn one(text: &mut String, name: &str, kind: &str, help: &str, labels: &str, value: impl std::fmt::Display) {
    head(text, name, kind, help);
    writeln!(text, "{name}{labels} {value}").expect("a string takes any text");
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a string takes any text");
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Rules whose answers are counted.
pub struct Metered {
    rules: Arc<dyn Rules>,
    metrics: Arc<Metrics>,
}

impl Metered {
    /// The same rules, with their answers counted.
    pub fn all(providers: Providers, metrics: &Arc<Metrics>) -> Providers {
        let metered = |rules| Arc::new(Metered { rules, metrics: Arc::clone(metrics) }) as Arc<dyn Rules>;
        providers.into_iter().map(|(id, rules)| (id, metered(rules))).collect()
    }

    fn each<T>(
        &self,
        function: &'static str,
        ask: impl FnOnce() -> Vec<Result<T, PluginError>>,
    ) -> Vec<Result<T, PluginError>> {
        let watch = Stopwatch::start();
        let answers = ask();
        let failures = answers.iter().filter(|answer| answer.is_err()).count();
        let failures = u64::try_from(failures).unwrap_or(u64::MAX);
        self.metrics.decided(&self.rules.manifest().id, function, watch.seconds(), failures);
        answers
    }
}

impl Rules for Metered {
    fn manifest(&self) -> &Manifest {
        self.rules.manifest()
    }

    fn digest(&self) -> &str {
        self.rules.digest()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        let mut answers = self.each("check_settings", || vec![self.rules.check_settings(settings)]);
        answers.pop().expect("one question has one answer")
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        self.each("timeline", || self.rules.timelines(accounts, requests))
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<Result<Plan, Refusal>, PluginError>> {
        self.each("make_plan", || self.rules.make_plans(accounts, requests))
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(usize, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.each("allocate", || self.rules.allocate(accounts, consumptions))
    }

    /// Whoever asks counts the answers: they are answers to somebody.
    fn provider_api(&self) -> Option<ProviderApi<'_>> {
        self.rules.provider_api()
    }
}
